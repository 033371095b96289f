"""Reliable provisional responses (RFC 3262) through the office: each leg by itself."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest

from engine.core.peering import ReliableProvisional
from engine.core.views import CallState
from tests.unit.pbx.office import OFFICE, MemoryOffice
from tests.unit.pbx.phone import MemoryPhone, PhoneCall

OFF, SUPPORTED, REQUIRED = ReliableProvisional


@pytest.fixture
def office() -> Iterator[MemoryOffice]:
    made = MemoryOffice()
    yield made
    made.wire.doomed.clear()
    made.everyone_hangs_up()
    made.assert_nothing_is_left()
    made.close()


def pair(
    office: MemoryOffice, caller: ReliableProvisional, callee: ReliableProvisional
) -> tuple[MemoryPhone, MemoryPhone]:
    alice, bob = office.registered("101", "102")
    alice.reliable, bob.reliable = caller, callee
    return alice, bob


@pytest.mark.parametrize(("caller", "callee"), [*product(ReliableProvisional, repeat=2)])
@pytest.mark.parametrize("early", [False, True])
def test_every_pair_of_phones_rings_talks_and_hangs_up(
    office: MemoryOffice, caller: ReliableProvisional, callee: ReliableProvisional, early: bool
) -> None:
    alice, bob = pair(office, caller, callee)
    bob.early_sdp = early
    call = alice.call("102")
    office.settle()
    assert "180" in call.heard
    assert bool(call.line._early_dialogs) == (caller is REQUIRED)
    assert (bob.ringing.line._sending is not None) == (callee is REQUIRED)
    bob.ringing.answer()
    office.settle()
    assert call.is_up
    assert bob.ringing.is_up
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")
    call.hang_up()
    office.settle()
    assert office.record.cause == "normal"


@pytest.mark.parametrize(("of_extension", "of_phone"), [*product(ReliableProvisional, repeat=2)])
def test_what_is_set_of_the_caller_decides(
    office: MemoryOffice, of_extension: ReliableProvisional, of_phone: ReliableProvisional
) -> None:
    alice, _ = pair(office, of_phone, SUPPORTED)
    office.has("101", reliable_provisional=of_extension)
    call = alice.call("102")
    office.settle()
    if of_extension is OFF and of_phone is REQUIRED:
        assert call.failure is not None
        assert call.failure.status == 420
        assert call.failure.response is not None
        assert call.failure.response.headers.get("Unsupported") == "100rel"
    elif of_extension is REQUIRED and of_phone is OFF:
        assert call.failure is not None
        assert call.failure.status == 421
        assert call.failure.response is not None
        assert call.failure.response.headers.get("Require") == "100rel"
    else:
        assert call.heard[-1] == "180"
        assert bool(call.line._early_dialogs) == (REQUIRED in (of_extension, of_phone))


@pytest.mark.parametrize("of_extension", ReliableProvisional)
def test_what_is_set_of_the_callee_is_what_its_invite_says(
    office: MemoryOffice, of_extension: ReliableProvisional
) -> None:
    alice, bob = pair(office, SUPPORTED, SUPPORTED)
    office.has("102", reliable_provisional=of_extension)
    alice.call("102")
    office.settle()
    invite = bob.ringing.invite
    assert invite is not None
    said = {name: "100rel" in invite.headers.tokens(name) for name in ("Supported", "Require")}
    assert said == {"Supported": of_extension is not OFF, "Require": of_extension is REQUIRED}


def test_a_phone_that_refuses_callers_without_100rel_is_reached(office: MemoryOffice) -> None:
    alice, bob = pair(office, OFF, REQUIRED)
    call = alice.call("102")
    office.settle()
    assert call.heard[-1] == "180"
    bob.ringing.answer()
    office.settle()
    assert call.is_up


def test_the_caller_sees_an_ordinary_183_of_a_callee_that_is_acknowledged(office: MemoryOffice) -> None:
    alice, bob = pair(office, OFF, REQUIRED)
    bob.rings = False
    call = alice.call("102")
    office.settle()
    bob.ringing.ring(183, bob.answer_to(bob.ringing.remote_sdp))
    office.settle()
    assert call.heard[-1] == "183"
    assert not call.line._early_dialogs
    sending = bob.ringing.line._sending
    assert sending is not None
    assert not sending.is_pending
    assert office.call.state is CallState.EARLY


def test_a_180_after_a_183_is_told_and_acknowledged_too(office: MemoryOffice) -> None:
    alice, bob = pair(office, REQUIRED, REQUIRED)
    bob.rings = False
    call = alice.call("102")
    office.settle()
    for status in (183, 180):
        bob.ringing.ring(status, bob.answer_to(bob.ringing.remote_sdp))
    office.settle()
    assert call.heard[-2:] == ["183", "180"]
    bob.ringing.answer()
    office.settle()
    assert call.is_up
    assert office.hears(alice) == "102"


def test_a_caller_without_an_offer_gets_it_in_the_first_reliable_response(office: MemoryOffice) -> None:
    alice, bob = pair(office, REQUIRED, SUPPORTED)
    call = alice.call("102", sdp=b"")
    office.settle()
    assert call.remote_sdp
    assert call.heard[-1] == "180"
    bob.ringing.answer()
    office.settle()
    assert call.is_up
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")


def test_without_any_prack_the_call_ends_with_504(office: MemoryOffice) -> None:
    alice, bob = pair(office, REQUIRED, SUPPORTED)
    office.wire.lose("PRACK", OFFICE, 100)
    call = alice.call("102")
    office.advance(31)
    assert office.office.calls()
    office.advance(3)
    assert not office.office.calls()
    assert call.failure is not None
    assert call.failure.status == 504
    assert bob.ringing.heard[-1] == "cancelled"
    assert office.record.cause == "504 No PRACK"


def test_a_call_answered_before_its_prack_is_set_up_once_it_comes(office: MemoryOffice) -> None:
    alice, bob = pair(office, REQUIRED, SUPPORTED)
    bob.early_sdp = True
    office.wire.lose("PRACK", OFFICE, 100)
    call = alice.call("102")
    office.settle()
    bob.ringing.answer()
    office.advance(2)
    assert not call.is_up
    office.wire.doomed.clear()
    office.advance(5)
    assert call.is_up
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")


def test_a_caller_that_gives_up_before_its_prack_leaves_nothing(office: MemoryOffice) -> None:
    alice, bob = pair(office, REQUIRED, SUPPORTED)
    bob.early_sdp = True
    office.wire.lose("PRACK", OFFICE, 100)
    call = alice.call("102")
    office.settle()
    bob.ringing.answer()
    office.settle()
    call.cancel()
    office.settle()
    assert not office.office.calls()
    assert bob.ringing.is_over
    assert office.record.cause.startswith("487")


def prack(call: PhoneCall, rack: str) -> None:
    """Send a PRACK of one's own making."""
    (early,) = (call.line._early_dialogs or {}).values()
    request = early.dialog.make_request("PRACK")
    request.headers.add("RAck", rack)
    call.phone.agent.layer.send_request(request, call.phone.flow, call.phone.now, call.phone)


@pytest.mark.parametrize("wrong", ["doubled", "1 1 INVITE", "nonsense", "{rseq} 9 INVITE", "{rseq} {cseq} BYE"])
def test_a_prack_that_acknowledges_nothing_gets_481(office: MemoryOffice, wrong: str) -> None:
    alice, _ = pair(office, REQUIRED, SUPPORTED)
    call = alice.call("102")
    office.settle()
    ((_, early),) = (call.line._early_dialogs or {}).items()
    cseq = call.line._sent_invite().cseq.number
    text = "{rseq} {cseq} INVITE" if wrong == "doubled" else wrong
    prack(call, text.format(rseq=early.rseq, cseq=cseq))
    office.settle()
    assert alice.last.status == 481
    assert office.office.calls()


def test_early_dialogs_of_several_phones_behind_a_proxy_are_acknowledged_each(office: MemoryOffice) -> None:
    alice, bob = pair(office, SUPPORTED, REQUIRED)
    alice.call("102")
    office.settle()
    other = bob.ringing.fork()
    other.ring(183)
    office.settle()
    for call in (bob.ringing, other):
        sending = call.line._sending
        assert sending is not None
        assert not sending.is_pending
    (leg,) = [leg for call in office.office.exchange.calls.values() for leg in call.legs[1:]]
    assert len(leg.dialogue._early_dialogs or {}) == 2
