"""Session timers (RFC 4028) and UPDATE (RFC 3311) through the office: each leg by itself, in either role."""

from __future__ import annotations

import pytest

from engine.core.views import CallState
from engine.sip.message import Request
from engine.sip.sdp import Direction
from engine.store.outside import Preset
from tests.unit.pbx.office import OFFICE, MemoryOffice
from tests.unit.pbx.outside import MemoryCarrier, connect
from tests.unit.pbx.phone import MemoryPhone, PhoneCall

HOUR_S = 3600


@pytest.fixture
def alice(office: MemoryOffice) -> MemoryPhone:
    (alice,) = office.registered("101")
    return alice


def update(call: PhoneCall, sdp: bytes = b"", **fields: str) -> None:
    """Send an UPDATE of one's own making; its final response lands in the phone's answers."""
    dialog = call.line.dialog
    assert dialog is not None
    request = dialog.make_request("UPDATE")
    request.headers.add("Contact", call.line.contact)
    for name, value in fields.items():
        request.headers.add(name.replace("_", "-"), value)
    if sdp:
        request.headers.add("Content-Type", "application/sdp")
        request.body = sdp
    call.phone.agent.send_request(request, call.phone.flow, call.phone.now, call.phone)


def test_a_caller_that_refreshes_is_kept_and_the_other_leg_knows_nothing_of_it(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    alice.expires = 120
    call = alice.call("102")
    office.settle()
    bob.ringing.answer()
    office.settle()
    assert call.line._expiry is not None
    assert call.line._expiry.is_ours
    office.linger(HOUR_S / 6)
    assert call.is_up
    assert office.wire.sent("UPDATE", f">{OFFICE}") >= 8
    assert bob.ringing.line._expiry is None
    assert office.call.state is CallState.TALKING


def test_a_caller_that_stops_refreshing_is_hung_up_on(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    alice.expires = 120
    call = alice.call("102")
    office.settle()
    bob.ringing.answer()
    office.settle()
    alice.agent.layer.book.clear(call.line, "expiry")
    office.linger(100)
    assert not office.office.calls()
    assert office.record.cause == "408 Session Expired"
    assert bob.ringing.is_over
    assert "Session Expired" in (call.reason or "")


def test_a_caller_that_leaves_it_to_us_is_refreshed(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    call = alice.call("102", extra=(("Session-Expires", "200;refresher=uas"),))
    office.settle()
    bob.ringing.answer()
    office.settle()
    assert call.line._expiry is not None
    assert not call.line._expiry.is_ours
    office.linger(HOUR_S / 6)
    assert call.is_up
    assert office.wire.sent("UPDATE", f">{alice.host}") >= 5


def test_who_does_not_take_update_is_refreshed_by_reinvite_with_the_same_description(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    alice.agent.allow = "INVITE, ACK, BYE, CANCEL"
    call = alice.call("102", extra=(("Session-Expires", "200;refresher=uas"),))
    office.settle()
    bob.ringing.answer()
    office.settle()
    before = call.remote_sdp
    office.linger(150)
    assert "reoffered" in call.heard
    assert call.remote_sdp == before
    office.linger(HOUR_S / 6)
    assert call.is_up
    assert not office.wire.sent("UPDATE", f">{alice.host}")


def test_an_interval_that_is_too_short_gets_422_and_a_longer_one_is_taken(
    office: MemoryOffice, alice: MemoryPhone
) -> None:
    carrier = MemoryCarrier(office)
    connect(office)
    carrier.expires = 30
    call = carrier.dials("101")
    office.settle()
    assert office.wire.sent("422") == 1
    assert call.heard[-1] == "180"
    alice.ringing.answer()
    office.settle()
    assert call.line._expiry is not None
    assert call.line._expiry.seconds == 90


def test_a_carrier_that_wants_longer_intervals_gets_them(office: MemoryOffice, alice: MemoryPhone) -> None:
    carrier = MemoryCarrier(office)
    carrier.agent.least_expiry = 3000
    connect(office, preset=Preset.IMS)
    alice.call("94711")
    office.settle()
    first, second = carrier.requests
    assert first.headers.get("Session-Expires") == "1800"
    assert (second.headers.get("Session-Expires"), second.headers.get("Min-SE")) == ("3000", "3000")
    assert (first.call_id, first.cseq.number + 1) == (second.call_id, second.cseq.number)
    carrier.ringing.answer()
    office.settle()
    assert alice.calls[-1].is_up


@pytest.mark.parametrize("method", ["UPDATE", "INVITE"])
def test_a_refresh_that_is_too_short_by_now_is_sent_again(office: MemoryOffice, method: str) -> None:
    alice, bob = office.registered("101", "102")
    if method == "INVITE":
        alice.agent.allow = "INVITE, ACK, BYE, CANCEL"
    call = alice.call("102", extra=(("Session-Expires", "200;refresher=uas"),))
    office.settle()
    bob.ringing.answer()
    office.settle()
    alice.agent.least_expiry = 500
    office.linger(150)
    assert office.wire.sent("422") == 1
    assert call.line._expiry is not None
    assert call.line._expiry.seconds == 500
    office.linger(HOUR_S / 6)
    assert office.wire.sent("422") == 1
    assert call.is_up
    assert bob.ringing.is_up


def test_an_ims_line_is_refreshed_by_us(office: MemoryOffice, alice: MemoryPhone) -> None:
    carrier = MemoryCarrier(office)
    connect(office, preset=Preset.IMS)
    office.sets(session_expires_s=100)
    call = alice.call("94711")
    office.settle()
    carrier.ringing.answer()
    office.settle()
    office.linger(HOUR_S / 6)
    assert call.is_up
    assert office.wire.sent("UPDATE", f">{carrier.host}") >= 10


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_refresh_that_nobody_answers_ends_the_call(
    office: MemoryOffice, alice: MemoryPhone, is_gone: bool
) -> None:
    carrier = MemoryCarrier(office)
    connect(office, preset=Preset.IMS)
    office.sets(session_expires_s=100)
    call = alice.call("94711")
    office.settle()
    carrier.ringing.answer()
    office.settle()
    if is_gone:
        carrier.vanish()
    else:
        carrier.agent.sessions.clear()
    office.linger(100)
    assert not office.office.calls()
    assert call.is_over
    assert office.record.cause == ("408 Callee Vanished" if is_gone else "481 Callee Vanished")


def test_an_update_holds_and_resumes(office: MemoryOffice) -> None:
    alice, bob, call, _ = office.talking()
    update(call, alice.sdp(Direction.SENDONLY))
    office.settle()
    assert alice.last.status == 200
    assert alice.last.headers.get("Contact")
    assert office.call.state is CallState.HELD
    assert office.hears(bob) == "music"
    update(call, alice.sdp())
    office.settle()
    assert office.call.state is CallState.TALKING
    assert office.hears(bob) == "101"


def test_an_update_without_a_description_is_a_refresh(office: MemoryOffice) -> None:
    alice, _, call, _ = office.talking()
    update(call, Session_Expires="100;refresher=uac", Supported="timer")
    office.settle()
    assert alice.last.status == 200
    assert alice.last.headers.get("Session-Expires") == "100;refresher=uac"
    assert alice.last.headers.get("Require") == "timer"
    office.linger(HOUR_S / 20)
    assert not office.office.calls()


def test_an_update_that_cannot_be_followed_changes_nothing(office: MemoryOffice) -> None:
    alice, bob, call, _ = office.talking()
    update(call, alice.sdp(codecs=("G729",)))
    office.settle()
    assert alice.last.status == 488
    assert office.hears(bob) == "101"
    update(call, Session_Expires="20", Supported="timer")
    office.settle()
    assert alice.last.status == 422
    assert alice.last.headers.get("Min-SE") == "90"


def test_an_update_meets_an_offer_of_ours(office: MemoryOffice) -> None:
    """The office asks Bob for another codec, and he updates at that moment (RFC 3311 section 5.2)."""
    alice, bob, call, other = office.talking()
    bob.reoffers = "wait"
    call.reoffer(alice.sdp(codecs=("PCMU",)))
    office.settle()
    assert "reoffered" in other.heard
    update(other, bob.sdp())
    office.settle()
    assert bob.last.status == 491
    other.answer_reoffer()
    office.settle()
    assert call.is_up
    assert other.is_up


def test_an_update_before_the_answer_is_refused_until_one_was_given(office: MemoryOffice) -> None:
    alice, _ = office.registered("101", "102")
    call = alice.call("102")
    office.settle()
    session = call.line
    request = Request("UPDATE", call.target, session._sent_invite().headers.copy())
    request.headers.remove("Via")
    tag = office.wire.last[alice.host, "180"].to_tag
    request.headers.set("To", f"<{call.target}>;tag={tag}")
    request.headers.set("CSeq", f"{session._sent_invite().cseq.number + 1} UPDATE")
    request.headers.remove("Content-Length")
    request.body = alice.sdp()
    alice.agent.send_request(request, alice.flow, alice.now, alice)
    office.settle()
    assert alice.last.status == 500
    assert alice.last.headers.get("Retry-After")
    assert office.call.state is CallState.RINGING
