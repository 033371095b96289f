"""Messages that cross, come late, come twice or never: each leaves a clear end, or a call that goes on."""

# mypy: disable-error-code="comparison-overlap"
# A property read again after something happened may well be another.

from __future__ import annotations

import pytest

from engine.core.views import CallState, ReleasedBy
from engine.sip.dialog import Dialog, uac_dialog
from engine.sip.flow import Flow
from engine.sip.message import Request, Response
from engine.store.configuration import HoldPolicy
from tests.unit.pbx.office import OFFICE, MemoryOffice
from tests.unit.pbx.phone import MemoryPhone, PhoneCall
from tests.unit.pbx.wire import Weather

ON_THE_WAY = Weather(delay=0.02)


def a_ringing_call(office: MemoryOffice) -> tuple[MemoryPhone, MemoryPhone, PhoneCall, PhoneCall]:
    alice, bob = office.registered("101", "102")
    call = alice.call("102")
    office.settle()
    return alice, bob, call, bob.ringing


def dialog_of(call: PhoneCall) -> Dialog:
    assert call.line.dialog is not None
    return call.line.dialog


def says(phone: MemoryPhone, request: Request) -> None:
    """A phone sends what its session would not."""
    phone.agent.send_request(request, phone.flow, phone.now, phone)


def ended_by(office: MemoryOffice) -> tuple[ReleasedBy, str]:
    return office.record.released_by, office.record.cause


# -- CANCEL --------------------------------------------------------------------------------------------------------


def test_a_cancel_that_crosses_our_200_has_no_effect_and_the_caller_hangs_up(office: MemoryOffice) -> None:
    _, _, call, answered = a_ringing_call(office)
    office.wire.weather = ON_THE_WAY
    answered.answer()
    office.advance(0.03)
    call.cancel()
    office.advance(1)
    assert office.wire.sent("CANCEL", f"{call.phone.host}>") == 1
    assert answered.heard == ["acknowledged", "ended"]
    assert call.is_over
    assert ended_by(office) == (ReleasedBy.CALLER, "normal")


def test_a_cancel_long_after_the_answer_harms_nothing(office: MemoryOffice) -> None:
    alice, bob, call, answered = office.talking()
    transaction = call.line._invite
    assert transaction is not None
    alice.agent.layer.send_cancel(transaction, alice.now)  # type: ignore[arg-type]
    office.settle()
    assert office.call.state == CallState.TALKING
    assert answered.is_up
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")


def test_our_cancel_that_crosses_the_200_is_followed_by_ack_and_bye(office: MemoryOffice) -> None:
    _, bob, call, answered = a_ringing_call(office)
    office.wire.weather = ON_THE_WAY
    call.cancel()
    office.advance(0.03)
    answered.answer()
    office.advance(1)
    to_bob = [name for way, name in office.wire.story if way.endswith(f">{bob.host}")]
    assert to_bob[-3:] == ["CANCEL", "ACK", "BYE"]
    assert answered.is_over
    assert call.heard[-1] == "487"
    assert ended_by(office) == (ReleasedBy.CALLER, "487 Request Terminated")


def test_a_callee_that_says_nothing_to_our_cancel_is_forgotten_after_32_seconds(office: MemoryOffice) -> None:
    """RFC 3261 section 9.1, last paragraph: 64*T1 after the CANCEL the INVITE counts as cancelled."""
    _, bob, call, _ = a_ringing_call(office)
    bob.vanish()
    call.cancel()
    office.settle()
    assert call.heard[-1] == "487"
    assert not office.office.calls()
    office.advance(31)
    assert len(office.office.agent.sessions) == 1
    office.advance(2)
    assert not office.office.agent.sessions


def test_a_second_cancel_is_answered_like_the_first(office: MemoryOffice) -> None:
    alice, bob, call, _ = a_ringing_call(office)
    office.wire.lose("200", alice.host)
    call.cancel()
    office.advance(3)
    assert office.wire.sent("CANCEL", f"{alice.host}>") == 2
    assert office.wire.sent("CANCEL", f">{bob.host}") == 1
    assert ended_by(office) == (ReleasedBy.CALLER, "487 Request Terminated")


def test_a_cancel_that_matches_nothing_is_told_so(office: MemoryOffice) -> None:
    (alice,) = office.registered("101")
    alice.send("CANCEL", f"sip:102@{OFFICE}")
    office.settle()
    assert alice.last.status == 481


# -- Reason --------------------------------------------------------------------------------------------------------


def test_the_callers_cancel_brings_no_reason_of_ours(office: MemoryOffice) -> None:
    _, bob, call, answered = a_ringing_call(office)
    call.cancel()
    office.settle()
    assert answered.heard == ["cancelled"]
    assert office.wire.last[bob.host, "CANCEL"].headers.get("Reason") is None


@pytest.mark.parametrize("reason", ['SIP;cause=487;text="gone home"', "Q.850;cause=16"])
def test_the_reason_of_a_cancel_reaches_the_callee(office: MemoryOffice, reason: str) -> None:
    _, _, call, answered = a_ringing_call(office)
    call.hang_up(reason)
    office.settle()
    assert answered.heard == ["cancelled"]
    assert answered.reason == reason


@pytest.mark.parametrize("who", ["caller", "callee"])
def test_the_reason_of_a_bye_reaches_the_other(office: MemoryOffice, who: str) -> None:
    _, _, call, answered = office.talking()
    first, second = (call, answered) if who == "caller" else (answered, call)
    first.hang_up("Q.850;cause=16")
    office.settle()
    assert second.heard[-1] == "ended"
    assert second.reason == "Q.850;cause=16"


def test_no_reason_says_completed_elsewhere_when_nobody_answers(office: MemoryOffice) -> None:
    office.sets(ring_timeout_s=10)
    _, _, _, answered = a_ringing_call(office)
    office.advance(11)
    assert answered.heard == ["cancelled"]
    assert answered.reason is None


# -- BYE -----------------------------------------------------------------------------------------------------------


def test_a_bye_before_the_ack_ends_the_call_at_once(office: MemoryOffice) -> None:
    alice, _, call, answered = a_ringing_call(office)
    office.wire.lose("ACK", OFFICE, 20)
    answered.answer()
    office.settle()
    call.hang_up()
    office.settle()
    assert answered.heard[-1] == "ended"
    assert ended_by(office) == (ReleasedBy.CALLER, "normal")
    resent = office.wire.sent("200", f">{alice.host}")
    office.advance(10)
    assert office.wire.sent("200", f">{alice.host}") == resent


def test_a_caller_may_end_its_early_dialog_with_bye(office: MemoryOffice) -> None:
    """RFC 3261 section 15: a caller may send BYE on an early dialog; the INVITE then gets 487."""
    alice, _, call, answered = a_ringing_call(office)
    ringing = office.wire.last[alice.host, "180"]
    invite = office.wire.last[OFFICE, "INVITE"]
    assert isinstance(ringing, Response)
    assert isinstance(invite, Request)
    says(alice, uac_dialog(invite, ringing, alice.flow).make_request("BYE"))
    office.settle()
    assert alice.last.status == 200
    assert call.heard[-1] == "487"
    assert answered.heard == ["cancelled"]
    assert ended_by(office) == (ReleasedBy.CALLER, "487 Request Terminated")


def test_a_callee_that_hangs_up_before_our_ack_came_ends_the_call(office: MemoryOffice) -> None:
    _, bob, call, answered = a_ringing_call(office)
    office.wire.lose("ACK", bob.host, 20)
    answered.answer()
    office.settle()
    says(bob, dialog_of(answered).make_request("BYE"))
    office.settle()
    assert bob.last.status == 200
    assert call.heard[-1] == "ended"
    assert ended_by(office) == (ReleasedBy.CALLEE, "normal")


def test_two_byes_that_cross_are_both_answered(office: MemoryOffice) -> None:
    _, _, call, answered = office.talking()
    office.wire.weather = ON_THE_WAY
    call.hang_up()
    office.advance(0.025)
    answered.hang_up()
    office.advance(2)
    assert office.wire.sent("481") == 0
    assert office.wire.sent("BYE") == 3
    assert call.is_over
    assert answered.is_over
    assert ended_by(office) == (ReleasedBy.CALLER, "normal")


def test_a_repeated_bye_is_answered_again(office: MemoryOffice) -> None:
    alice, _, call, _ = office.talking()
    office.wire.lose("200", alice.host)
    call.hang_up()
    office.advance(2)
    assert office.wire.sent("BYE", f"{alice.host}>") == 2
    assert call.is_over
    assert len(office.records) == 1


def test_a_reinvite_that_crosses_a_bye_is_refused(office: MemoryOffice) -> None:
    alice, _, call, answered = office.talking()
    office.wire.weather = ON_THE_WAY
    answered.hang_up()
    office.advance(0.025)
    call.hold()
    office.advance(2)
    assert office.wire.sent("481", f">{alice.host}") == 1
    assert call.is_over
    assert ended_by(office) == (ReleasedBy.CALLEE, "normal")


def test_a_hold_that_was_passed_on_crosses_a_bye(office: MemoryOffice) -> None:
    office.has("101", "102", hold=HoldPolicy.PASS)
    _, bob, call, answered = office.talking()
    office.wire.weather = ON_THE_WAY
    bob.reoffers = "wait"
    call.hold()
    office.advance(0.025)
    answered.hang_up()
    office.advance(2)
    assert call.is_over
    assert answered.is_over
    assert ended_by(office) == (ReleasedBy.CALLEE, "normal")


# -- 200 and ACK ---------------------------------------------------------------------------------------------------


def test_a_callee_whose_ack_was_lost_gets_it_again(office: MemoryOffice) -> None:
    alice, bob, call, answered = a_ringing_call(office)
    office.wire.lose("ACK", bob.host, 2)
    answered.answer()
    office.advance(3)
    assert office.wire.sent("200", f"{bob.host}>") == 3
    assert answered.heard == ["acknowledged"]
    assert call.heard.count("answered") == 1
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")


def test_a_caller_whose_ack_was_lost_sends_it_again(office: MemoryOffice) -> None:
    alice, _, call, answered = a_ringing_call(office)
    office.wire.lose("ACK", OFFICE, 2)
    answered.answer()
    office.advance(40)
    assert office.wire.sent("ACK", f"{alice.host}>") == 4  # one of them for the challenge
    assert call.is_up
    assert office.call.state == CallState.TALKING


def test_a_late_answer_whose_ack_was_lost_comes_with_the_next(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    call = alice.call("102", sdp=b"")
    office.settle()
    office.wire.lose("ACK", OFFICE)
    bob.ringing.answer()
    office.advance(2)
    assert call.is_up
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")


def test_a_caller_that_vanishes_while_it_rings_leaves_nothing(office: MemoryOffice) -> None:
    office.sets(ring_timeout_s=30)
    alice, _, _, answered = a_ringing_call(office)
    alice.vanish()
    office.advance(31)
    assert answered.heard == ["cancelled"]
    assert ended_by(office) == (ReleasedBy.SYSTEM, "480 No Answer")
    office.advance(40)
    assert not office.office.agent.sessions


def test_a_caller_that_vanished_before_the_answer_ends_the_call_after_32_seconds(office: MemoryOffice) -> None:
    alice, _, _, answered = a_ringing_call(office)
    alice.vanish()
    answered.answer()
    office.advance(31.5)
    assert office.call.state == CallState.TALKING
    office.advance(1)
    assert answered.heard[-1] == "ended"
    assert ended_by(office) == (ReleasedBy.SYSTEM, "408 No ACK")


def test_a_callee_that_only_ever_rings_is_cancelled_at_the_ring_timeout(office: MemoryOffice) -> None:
    office.sets(ring_timeout_s=150)
    _, _, call, answered = a_ringing_call(office)
    office.advance(149)
    assert call.heard == ["407", "180", "180", "180"]  # repeated each minute
    office.advance(2)
    assert answered.heard == ["cancelled"]
    assert call.heard[-1] == "480"
    assert ended_by(office) == (ReleasedBy.SYSTEM, "480 No Answer")


def test_a_caller_whose_ack_brings_no_answer_is_told_apart_in_the_record(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    call = alice.call("102", sdp=b"")
    call.late_answer = b""
    office.settle()
    bob.ringing.answer()
    office.settle()
    assert call.heard[-1] == bob.ringing.heard[-1] == "ended"
    assert ended_by(office) == (ReleasedBy.SYSTEM, "488 No Answer In ACK")


def test_a_late_answer_in_none_of_our_codecs_ends_the_call(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    call = alice.call("102", sdp=b"")
    call.late_answer = alice.sdp(codecs=("G729",))
    office.settle()
    bob.ringing.answer(bob.sdp(codecs=("PCMU",)))
    office.settle()
    assert call.heard[-1] == bob.ringing.heard[-1] == "ended"
    assert office.record.released_by is ReleasedBy.SYSTEM
    assert office.record.cause.startswith("488 No common codec: offered G729; allowed PCMU")


# -- the same request twice ----------------------------------------------------------------------------------------


def test_the_same_invite_over_a_second_path_is_merged(office: MemoryOffice) -> None:
    """RFC 3261 section 8.2.2.2: 482 for the copy, and one call."""
    alice, bob, call, _ = a_ringing_call(office)
    invite = office.wire.last[OFFICE, "INVITE"]
    assert isinstance(invite, Request)
    copy = Request(invite.method, invite.uri, invite.headers.copy(), invite.body)
    copy.headers.set("Via", "SIP/2.0/UDP 192.0.2.200;branch=z9hG4bKsecondpath")
    heard: list[bytes] = []
    office.wire.attach(("192.0.2.200", 5060), lambda data, flow: heard.append(data))
    office.wire.carry(copy.encode(), Flow("UDP", "192.0.2.200", 5060, OFFICE, 5060))
    office.settle()
    assert heard[0].startswith(b"SIP/2.0 482 ")
    assert len(bob.calls) == 1
    assert office.call.caller == alice.number
    assert call.heard == ["407", "180"]


# -- glare ---------------------------------------------------------------------------------------------------------


def test_while_we_wait_our_turn_after_a_glare_the_other_is_served(office: MemoryOffice) -> None:
    office.has("101", hold=HoldPolicy.PASS)
    office.has("102", hold=HoldPolicy.LOCAL)
    alice, bob, call, answered = office.talking()
    bob.reoffers = "wait"
    call.hold()
    office.settle()
    answered.refuse_reoffer(491)
    bob.reoffers = "accept"
    office.settle()
    bob.media_host = "192.0.2.99"
    answered.resume()
    office.settle()
    assert answered.heard[-1] == "reoffer answered"
    assert "reoffer answered" not in call.heard
    office.advance(5)
    assert call.heard[-1] == "reoffer answered"
    assert office.call.state == CallState.HELD
    plan = office.media_of(bob).plan
    assert plan is not None
    assert plan.remote is not None
    assert plan.remote.host == "192.0.2.99"
    assert office.hears(alice) is None


@pytest.mark.parametrize("policies", [("pass", "pass"), ("pass", "local"), ("local", "pass"), ("local", "local")])
@pytest.mark.parametrize("apart", [0.0, 0.01, 0.03])
def test_both_that_hold_at_once_are_held_and_resume(
    office: MemoryOffice, policies: tuple[str, str], apart: float
) -> None:
    for number, policy in zip(("101", "102"), policies, strict=True):
        office.has(number, hold=HoldPolicy(policy))
    alice, bob, call, answered = office.talking()
    office.wire.weather = ON_THE_WAY
    call.hold()
    office.advance(apart)
    answered.hold()
    office.advance(30)
    assert call.heard[-1] in ("reoffer answered", "acknowledged")
    assert answered.heard[-1] in ("reoffer answered", "acknowledged")
    assert office.call.state == CallState.HELD
    assert "music" not in (office.hears(alice), office.hears(bob))
    for held in (call, answered):
        held.resume()
        office.advance(30)
    assert office.call.state == CallState.TALKING
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")


def test_a_second_reinvite_of_a_phone_while_its_first_waits_comes_later(office: MemoryOffice) -> None:
    office.has("101", "102", hold=HoldPolicy.PASS)
    alice, bob, call, answered = office.talking()
    bob.reoffers = "wait"
    call.hold()
    office.settle()
    again = dialog_of(call).make_request("INVITE")
    again.headers.add("Contact", f"<{alice.contact}>")
    again.headers.add("Content-Type", "application/sdp")
    again.body = alice.sdp()
    says(alice, again)
    office.settle()
    assert alice.last.status == 500
    assert 0 <= int(alice.last.headers.get("Retry-After") or "99") <= 10
    bob.reoffers = "accept"
    answered.answer_reoffer()
    office.settle()
    assert call.heard[-1] == "reoffer answered"
    assert office.call.state == CallState.HELD
