"""Digits between two parties that say them differently: each hears them as it understands them, and once."""

from __future__ import annotations

import pytest

from engine.sip.session.info import Digit, read_digit
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.phone import MemoryPhone, PhoneCall


def talking(
    office: MemoryOffice, alice_knows: bool, bob_knows: bool
) -> tuple[MemoryPhone, MemoryPhone, PhoneCall, PhoneCall]:
    alice, bob = office.registered("101", "102")
    alice.knows_events, bob.knows_events = alice_knows, bob_knows
    call = alice.call("102")
    office.settle()
    bob.ringing.answer()
    office.settle()
    return alice, bob, call, bob.ringing


def press(office: MemoryOffice, phone: MemoryPhone, digits: str) -> None:
    """As events of its RTP."""
    media = next(leg for leg, media in office.gateway.legs.items() if media is office.media_of(phone))
    office.gateway.press(media, digits)
    office.settle()


def say(office: MemoryOffice, call: PhoneCall, key: str) -> None:
    """As INFO."""
    call.line.send_digit(call.phone.now, key, 120)
    office.settle()


@pytest.mark.parametrize("by_caller", [True, False])
def test_events_go_by_the_relay_where_both_know_them(office: MemoryOffice, by_caller: bool) -> None:
    alice, bob, call, other = talking(office, True, True)
    for phone in (alice, bob):
        assert office.media_of(phone).listens == ""
    say(office, call if by_caller else other, "5")
    assert office.media_of(bob if by_caller else alice).digits == "5"


@pytest.mark.parametrize("allows", [True, False])
def test_events_become_info_or_tones(office: MemoryOffice, allows: bool) -> None:
    alice, bob = office.registered("101", "102")
    alice.knows_events = True
    if not allows:
        bob.agent.allow = "INVITE, ACK, CANCEL, BYE"
    alice.call("102")
    office.settle()
    bob.ringing.answer()
    office.settle()
    assert office.media_of(alice).listens == "events"
    press(office, alice, "12#")
    assert bob.ringing.digits == ("12#" if allows else "")
    assert office.media_of(bob).digits == ("" if allows else "12#")
    office.everyone_hangs_up()
    office.linger()
    office.assert_nothing_is_left()
    assert not office.office.exchange.listened


def test_info_becomes_events(office: MemoryOffice) -> None:
    _, bob, call, _ = talking(office, False, True)
    for key in "0*D":
        say(office, call, key)
    assert office.media_of(bob).digits == "0*D"


def test_info_stays_info_between_those_who_know_nothing_else(office: MemoryOffice) -> None:
    _, bob, call, other = talking(office, False, False)
    say(office, call, "7")
    assert other.digits == "7"
    assert office.media_of(bob).digits == ""


@pytest.mark.parametrize(
    ("kind", "body", "digit"),
    [
        ("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n", Digit("5", 160)),
        ("application/dtmf-relay", b"Signal= *\r\nDuration= 250", Digit("*", 250)),
        ("application/dtmf-relay", b"signal=11\nduration=99999\n", Digit("#", 8000)),
        ("application/dtmf-relay", b"Duration=160\r\nSignal=d", Digit("D", 160)),
        ("application/dtmf-relay", b"Signal=3", Digit("3", 250)),
        ("application/dtmf-relay", b"Signal=3\r\nDuration=0", Digit("3", 250)),
        ("application/dtmf-relay", b"Signal=16", None),
        ("application/dtmf-relay", b"Signal=", None),
        ("application/dtmf-relay", b"nonsense", None),
        ("application/dtmf", b"9\r\n", Digit("9", 250)),
        ("application/dtmf", b"10", Digit("*", 250)),
        ("application/dtmf", b"12345", None),
        ("application/dtmf", b"\xff", None),
    ],
)
def test_bodies(kind: str, body: bytes, digit: Digit | None) -> None:
    assert read_digit(kind, body) == digit


@pytest.mark.parametrize(
    ("fields", "body", "status"),
    [
        ((), b"", 200),
        ((("Content-Type", "application/dtmf-relay"),), b"Signal=5", 200),
        ((("Content-Type", "application/dtmf-relay"),), b"Signal=x", 400),
        ((("Content-Type", "application/media_control+xml"),), b"<x/>", 415),
        ((("Info-Package", "nothing"), ("Content-Type", "text/plain")), b"x", 469),
    ],
)
def test_answers(office: MemoryOffice, fields: tuple[tuple[str, str], ...], body: bytes, status: int) -> None:
    alice, _, call, _ = talking(office, False, True)
    dialog = call.line.dialog
    assert dialog is not None
    request = dialog.make_request("INFO")
    for name, value in fields:
        request.headers.add(name, value)
    request.body = body
    alice.agent.send_request(request, alice.flow, alice.now, alice)
    office.settle()
    assert alice.last.status == status
    assert call.is_up
