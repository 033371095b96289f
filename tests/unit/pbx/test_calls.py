"""Calls between extensions: how they begin, how they are refused and how they end."""

from __future__ import annotations

from typing import Any

import pytest

from engine.core.events import CallEnded, CallStarted
from engine.core.views import CallState, Lamp, PartyState, ReleasedBy
from engine.sip.flow import Flow
from engine.sip.message import Request, Response
from engine.sip.sdp import Direction
from tests.unit.pbx.office import OFFICE, MemoryOffice
from tests.unit.pbx.phone import PORT


def test_a_call_rings_is_answered_and_ended_by_the_caller(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    office.has("101", name="Anna")
    call = alice.call("102")
    office.settle()
    assert call.heard == ["407", "180"]
    assert bob.ringing.invite is not None
    assert (bob.ringing.invite.headers.get("From") or "").startswith(f'"Anna" <sip:101@{OFFICE}:5060>;tag=')
    assert (office.call.caller, office.call.callee, office.call.state) == ("101", "102", CallState.RINGING)
    assert (office.lamp("101"), office.lamp("102")) == (Lamp.BUSY, Lamp.RINGING)
    office.advance(4)
    bob.ringing.answer()
    office.settle()
    assert call.heard == ["407", "180", "answered"]
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")
    assert office.call.state == CallState.TALKING
    assert [party.codec for party in office.call.parties] == ["PCMA", "PCMA"]
    assert (office.lamp("101"), office.lamp("102")) == (Lamp.BUSY, Lamp.BUSY)
    office.advance(60)
    call.hang_up()
    office.settle()
    assert bob.ringing.heard == ["acknowledged", "ended"]
    assert not office.gateway.legs
    record = office.record
    assert (record.caller, record.callee, record.codec) == ("101", "102", "PCMA")
    assert (record.released_by, record.cause) == (ReleasedBy.CALLER, "normal")
    assert (record.duration_s, (record.ended_at - record.started_at).total_seconds()) == (60, 64)
    assert (office.lamp("101"), office.lamp("102")) == (Lamp.IDLE, Lamp.IDLE)
    assert len(office.heard_events(CallStarted)) == len(office.heard_events(CallEnded)) == 1


def test_the_callee_may_end_a_call_too(office: MemoryOffice) -> None:
    _, _, call, answered = office.talking()
    answered.hang_up()
    office.settle()
    assert call.heard[-1] == "ended"
    assert office.record.released_by is ReleasedBy.CALLEE


def test_both_may_hang_up_at_once(office: MemoryOffice) -> None:
    _, _, call, answered = office.talking()
    call.hang_up()
    answered.hang_up()
    office.settle()
    assert office.record.cause == "normal"


def test_a_call_over_ipv6_to_a_phone_on_ipv4_is_relayed_between_the_two(office: MemoryOffice) -> None:
    office.has("101", "102")
    alice, bob = office.phone("101", host="2001:db8::21"), office.phone("102")
    for phone in (alice, bob):
        phone.register()
    office.settle()
    call = alice.call("102")
    office.settle()
    bob.ringing.answer()
    office.settle()
    assert b"IN IP6 2001:db8::1" in call.remote_sdp
    assert b"IN IP4 192.0.2.1" in bob.ringing.remote_sdp
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")


def test_a_caller_may_give_up_while_it_rings(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    call = alice.call("102")
    office.settle()
    call.cancel()
    office.settle()
    assert call.heard[-1] == "487"
    assert bob.ringing.heard == ["cancelled"]
    assert (office.record.released_by, office.record.cause) == (ReleasedBy.CALLER, "487 Request Terminated")


def test_a_caller_may_give_up_before_it_rings(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    bob.rings = False
    call = alice.call("102")
    office.advance(0.5)
    call.cancel()
    office.advance(1)
    assert call.heard == ["407", "487"]
    assert bob.ringing.heard == ["cancelled"]
    assert office.record.released_by is ReleasedBy.CALLER


def test_a_caller_may_give_up_before_the_callee_has_said_anything(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    bob.vanish()
    call = alice.call("102")
    office.advance(0.5)
    call.cancel()
    office.settle()
    assert call.heard == ["407", "487"]
    assert office.wire.sent("CANCEL", f">{bob.host}") == 0
    office.advance(40)


@pytest.mark.parametrize("news", ["ring", "answer", "refuse"])
def test_a_cancel_that_comes_with_other_news_ends_the_call_as_cancelled(office: MemoryOffice, news: str) -> None:
    alice, bob = office.registered("101", "102")
    bob.rings = False
    call = alice.call("102")
    office.advance(0.3)
    tell = getattr(bob.ringing, news)
    office.in_one_breath(lambda: tell(486) if news == "refuse" else tell(), call.cancel)
    assert call.heard[-1] == "487"
    assert bob.ringing.is_over
    assert (office.record.released_by, office.record.cause) == (ReleasedBy.CALLER, "487 Request Terminated")


@pytest.mark.parametrize(
    ("status", "reason", "told", "told_reason"),
    [
        (486, None, "486", "Busy Here"),
        (603, None, "603", "Decline"),
        (480, "Do Not Disturb", "480", "Do Not Disturb"),
        (488, None, "488", "Not Acceptable Here"),
        (500, None, "480", "Phone Not Reachable"),
        (302, None, "480", "Phone Not Reachable"),
        (407, None, "480", "Phone Not Reachable"),
    ],
)
def test_the_caller_hears_why_the_callee_refused(
    office: MemoryOffice, status: int, reason: str | None, told: str, told_reason: str
) -> None:
    office.sets(transcoding="off")
    alice, bob = office.registered("101", "102")
    call = alice.call("102")
    office.settle()
    bob.ringing.refuse(status, reason)
    office.settle()
    assert call.heard[-1] == told
    assert call.failure is not None
    assert call.failure.reason == told_reason
    assert (office.record.released_by, office.record.cause) == (ReleasedBy.CALLEE, f"{told} {told_reason}")


def test_nobody_answers(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    office.sets(ring_timeout_s=20)
    call = alice.call("102")
    office.advance(19.5)
    assert call.heard == ["407", "180"]
    office.advance(1)
    assert call.heard[-1] == "480"
    assert bob.ringing.heard == ["cancelled"]
    assert (office.record.released_by, office.record.cause) == (ReleasedBy.SYSTEM, "480 No Answer")


@pytest.mark.parametrize(
    ("dialled", "cause"),
    [("102", "480 Phone Not Registered"), ("999", "404 No Such Number"), ("101", "486 Own Number")],
)
def test_a_call_to_where_nobody_is_says_why(office: MemoryOffice, dialled: str, cause: str) -> None:
    (alice,) = office.registered("101")
    office.has("102")
    call = alice.call(dialled)
    office.settle()
    assert call.failure is not None
    assert f"{call.failure.status} {call.failure.reason}" == cause
    assert (office.record.released_by, office.record.cause) == (ReleasedBy.SYSTEM, cause)
    assert office.lamp("102") is Lamp.UNREGISTERED


@pytest.mark.parametrize(
    ("uri", "status"),
    [
        ("sip:192.0.2.1", 484),
        ("tel:102", 416),
        ("mailto:102@x", 416),
        ("sip:10%ff@192.0.2.1", 404),
        (f"sip:{'1' * 70}@192.0.2.1", 404),
    ],
)
def test_what_cannot_be_dialled_is_refused(office: MemoryOffice, uri: str, status: int) -> None:
    (alice,) = office.registered("101")
    call = alice.call("", uri=uri)
    office.settle()
    assert call.heard[-1] == str(status)


def test_a_phone_that_does_not_answer_at_all_is_not_reachable(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    bob.vanish()
    call = alice.call("102")
    office.advance(33)
    assert call.heard == ["407", "480"]
    assert office.record.cause == "480 Phone Not Reachable"


def test_a_phone_that_nothing_can_be_sent_to_is_not_reachable_at_once(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    office.wire.unreachable.add(bob.host)
    call = alice.call("102")
    office.settle()
    assert call.heard == ["407", "480"]


def test_a_caller_that_nothing_can_be_sent_to_leaves_nothing(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    bob.rings = False
    call = alice.call("102")
    office.settle()
    assert office.call.state == CallState.RINGING
    office.wire.unreachable.add(alice.host)
    bob.ringing.ring()
    office.settle()
    assert not office.office.calls()
    assert call.heard == ["407"]
    assert bob.ringing.heard == ["cancelled"]
    assert (office.record.released_by, office.record.cause) == (ReleasedBy.SYSTEM, "503 Caller Cannot Be Reached")


def test_nobody_calls_with_a_wrong_password(office: MemoryOffice) -> None:
    office.registered("102")
    office.has("101")
    stranger = office.phone("101", password="guess")
    call = stranger.call("102")
    office.settle()
    assert call.heard == ["407", "403"]
    assert not office.records


def test_a_forged_login_sends_its_victim_no_more_than_was_said(office: MemoryOffice) -> None:
    office.has("101")
    invite = (
        b"INVITE sip:102@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bK1\r\n"
        b"From: <sip:101@192.0.2.1>;tag=1\r\nTo: <sip:102@192.0.2.1>\r\nCall-ID: forged\r\nCSeq: 1 INVITE\r\n"
        b'Proxy-Authorization: Digest username="101", realm="office", nonce="0", uri="sip:102@192.0.2.1",'
        b' response="0"\r\nContent-Length: 0\r\n\r\n'
    )
    office.throw(invite, Flow("UDP", OFFICE, PORT, "192.0.2.77", PORT))
    office.advance(40)
    assert office.wire.sent("403", "192.0.2.1>192.0.2.77") == 1


def test_who_calls_is_who_logged_in_whatever_from_says(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    office.has("103", name="The Boss")
    alice.call("102", caller='"The Boss" <sip:103@192.0.2.1>')
    office.settle()
    assert office.call.caller == "101"
    assert bob.ringing.invite is not None
    assert (bob.ringing.invite.headers.get("From") or "").startswith("<sip:101@")
    assert "103" not in (bob.ringing.invite.headers.get("Contact") or "")


def test_a_call_without_hops_left_is_refused(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    assert alice.call("102", max_forwards=0) is alice.calls[-1]
    office.settle()
    assert alice.calls[-1].heard[-1] == "483"
    assert not bob.calls
    alice.call("102", max_forwards=5)
    office.settle()
    assert bob.ringing.invite is not None
    assert bob.ringing.invite.headers.get("Max-Forwards") == "4"


def test_a_busy_person_has_call_waiting_up_to_its_limit(office: MemoryOffice) -> None:
    _, bob, _, _ = office.talking()
    carol, dave = office.registered("103", "104")
    waiting = carol.call("102")
    office.settle()
    assert waiting.heard == ["407", "180"]
    assert office.lamp("102") is Lamp.BUSY
    third = dave.call("102")
    office.settle()
    assert third.heard == ["407", "486"]
    waiting.cancel()
    office.settle()
    bob.ringing.hang_up()
    office.settle()
    again = dave.call("102")
    office.settle()
    assert again.heard == ["407", "180"]


def test_without_call_waiting_a_busy_person_is_busy(office: MemoryOffice) -> None:
    office.talking()
    office.has("102", max_calls=1)
    (carol,) = office.registered("103")
    call = carol.call("102")
    office.settle()
    assert call.heard == ["407", "486"]


def test_early_media_is_heard_before_the_answer(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    bob.rings = False
    call = alice.call("102")
    office.settle()
    bob.ringing.ring(183, bob.answer_to(bob.ringing.remote_sdp))
    office.settle()
    assert call.heard == ["407", "183"]
    assert call.remote_sdp
    assert office.hears(alice) == "102"
    assert office.call.state == CallState.EARLY
    assert office.lamp("102") is Lamp.RINGING
    early = call.remote_sdp
    bob.ringing.ring(180)
    bob.ringing.answer()
    office.settle()
    assert call.heard == ["407", "183", "180", "answered"]
    assert call.remote_sdp == early
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")


def test_a_callee_that_answers_in_another_codec_than_its_early_media_is_heard(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    bob.rings = False
    call = alice.call("102")
    office.settle()
    bob.ringing.ring(183, bob.sdp(codecs=("PCMA",)))
    office.settle()
    assert call.codecs == ["PCMA"]
    bob.ringing.answer(bob.sdp(codecs=("PCMU",)))
    office.settle()
    assert call.heard == ["407", "183", "answered", "reoffered", "acknowledged"]
    assert [party.codec for party in office.call.parties] == ["PCMU", "PCMU"]
    call.hang_up()
    office.settle()
    assert office.record.codec == "PCMU"


def test_a_caller_that_wants_an_offer_gets_ours(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    call = alice.call("102", sdp=b"")
    office.settle()
    bob.ringing.answer(bob.sdp(codecs=("PCMU",)))
    office.settle()
    assert call.heard[-1] == "answered"
    assert call.codecs == ["PCMU"]
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")
    assert [party.codec for party in office.call.parties] == ["PCMU", "PCMU"]


@pytest.mark.parametrize("answer", [b"garbage", b"none"])
def test_a_caller_whose_late_answer_is_useless_is_let_go(office: MemoryOffice, answer: bytes) -> None:
    alice, bob = office.registered("101", "102")
    call = alice.call("102", sdp=b"")
    call.late_answer = b"" if answer == b"none" else answer
    office.settle()
    bob.ringing.answer()
    office.settle()
    assert call.heard[-1] == "ended"
    assert bob.ringing.heard[-1] == "ended"
    assert office.record.released_by is ReleasedBy.SYSTEM


def test_without_a_common_codec_the_caller_hears_what_it_offered(office: MemoryOffice) -> None:
    office.sets(transcoding="off")
    alice, bob = office.registered("101", "102")
    office.has("102", codecs=("PCMU",))
    alice.codecs = ("G729", "G722")
    call = alice.call("102")
    office.settle()
    assert call.failure is not None
    assert (call.failure.status, call.failure.reason) == (488, "No Common Codec In G729 G722")
    assert not bob.calls


def test_the_callee_is_offered_only_what_both_may_speak(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    office.has("102", codecs=("G722", "PCMU", "PCMA"))
    alice.call("102")
    office.settle()
    assert bob.ringing.codecs == ["PCMU", "PCMA"]


@pytest.mark.parametrize("sdp", [b"garbage", b"v=0\r\n", b"v=0\r\nm=audio x RTP/AVP 0\r\n", b"\xff\xfe"])
def test_an_offer_that_is_garbage_is_refused(office: MemoryOffice, sdp: bytes) -> None:
    alice, bob = office.registered("101", "102")
    call = alice.call("102", sdp=sdp)
    office.settle()
    assert call.heard[-1] in ("400", "488")
    assert not bob.calls
    assert office.record.cause.startswith(call.heard[-1])


@pytest.mark.parametrize("sdp", [b"garbage", b"", b"v=0\r\n"])
def test_an_answer_that_is_garbage_ends_the_call(office: MemoryOffice, sdp: bytes) -> None:
    alice, bob = office.registered("101", "102")
    call = alice.call("102")
    office.settle()
    bob.ringing.answer(sdp)
    office.settle()
    assert bob.ringing.heard[-1] == "ended"
    assert call.heard[-1] in ("480", "488")


@pytest.mark.parametrize("early", [False, True])
def test_media_at_an_address_of_the_other_family_is_refused(office: MemoryOffice, early: bool) -> None:
    alice, bob = office.registered("101", "102")
    alice.media_host = "2001:db8::99"
    call = alice.call("102")
    office.settle()
    if early:
        bob.ringing.ring(183, bob.answer_to(bob.ringing.remote_sdp))
        office.settle()
    else:
        bob.ringing.answer()
        office.settle()
    assert call.heard[-1] == "488"
    assert bob.ringing.heard[-1] == ("cancelled" if early else "ended")
    assert office.record.cause == "488 Media Address Cannot Be Reached"


def test_a_callee_at_an_address_of_the_other_family_is_let_go(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    bob.media_host = "2001:db8::99"
    call = alice.call("102")
    office.settle()
    bob.ringing.answer()
    office.settle()
    assert call.heard[-1] == "488"
    assert bob.ringing.heard[-1] == "ended"


@pytest.mark.parametrize("contact", [None, "", "<no uri at all>"])
def test_a_phone_without_a_contact_in_its_invite_is_refused(
    office: MemoryOffice, monkeypatch: pytest.MonkeyPatch, contact: str | None
) -> None:
    alice, bob = office.registered("101", "102")
    if contact is None:
        send = alice.agent.layer.send_request

        def without_contact(request: Request, *rest: Any) -> Any:
            request.headers.remove("Contact")
            return send(request, *rest)

        monkeypatch.setattr(alice.agent.layer, "send_request", without_contact)
    call = alice.call("102", contact=contact)
    office.settle()
    assert call.heard[-1] == "400"
    assert not bob.calls


@pytest.mark.parametrize("ports", [0, 1])
def test_without_media_ports_the_call_is_refused(
    office: MemoryOffice, ports: int, logged_errors: list[str]
) -> None:
    alice, bob = office.registered("101", "102")
    office.gateway.ports_left = ports
    call = alice.call("102")
    office.settle()
    assert call.heard[-1] == "503"
    assert not bob.calls
    assert not office.gateway.legs
    assert "cannot get media ports" in logged_errors[0]


def test_a_callee_that_answers_after_the_cancel_is_let_go(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    call = alice.call("102")
    office.settle()
    bob.agent.receive, receive = lambda *_: None, bob.agent.receive  # type: ignore[method-assign]
    call.cancel()
    office.settle()
    assert call.heard[-1] == "487"
    bob.agent.receive = receive  # type: ignore[method-assign]
    bob.ringing.answer()
    office.advance(2)
    assert bob.ringing.heard == ["acknowledged", "ended"]


def test_an_answer_the_caller_never_acknowledges_ends_the_call(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    call = alice.call("102")
    office.settle()
    alice.is_plugged = False
    bob.ringing.answer()
    office.advance(31)
    assert office.call.state == CallState.TALKING
    office.advance(2)
    assert not office.office.calls()
    assert bob.ringing.heard[-1] == "ended"
    assert (office.record.released_by, office.record.cause) == (ReleasedBy.SYSTEM, "408 No ACK")
    assert call.heard[-1] == "ended"


def test_a_callee_that_vanishes_after_the_answer_does_not_keep_the_call(office: MemoryOffice) -> None:
    _, bob, call, _ = office.talking()
    bob.vanish()
    call.hang_up()
    office.settle()
    assert office.record.cause == "normal"
    office.advance(33)
    assert not office.office.agent.sessions


def test_a_callee_that_vanishes_while_it_rings_is_given_up(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    office.sets(ring_timeout_s=30)
    call = alice.call("102")
    office.settle()
    bob.vanish()
    office.advance(31)
    assert call.heard[-1] == "480"
    office.advance(70)
    assert not office.office.agent.sessions


def test_a_call_is_in_nobodys_way_while_another_fails(office: MemoryOffice, logged_errors: list[str]) -> None:
    _, _, call, _ = office.talking()
    carol, dave = office.registered("103", "104")
    doomed = carol.call("104")
    office.settle()
    broken = next(item for item in office.office.exchange.calls.values() if item.dialled == "104")
    broken.legs[0].negotiation = None
    dave.ringing.answer()
    office.settle()
    assert doomed.heard[-1] == "480"
    assert dave.ringing.heard[-1] == "ended"
    assert (office.record.released_by, office.record.cause) == (ReleasedBy.SYSTEM, "500 Internal Error")
    assert "failed and is ended" in logged_errors[0]
    assert call.is_up
    assert [view.callee for view in office.office.calls()] == ["102"]
    assert not broken.timers
    assert len(office.gateway.legs) == 2


def test_a_gateway_that_fails_at_the_end_leaves_no_call(office: MemoryOffice, logged_errors: list[str]) -> None:
    _, _, call, answered = office.talking()
    close_leg = office.gateway.close_leg

    async def fails(leg: object) -> object:
        await close_leg(leg)  # type: ignore[arg-type]
        raise OSError("the gateway is gone")

    office.gateway.close_leg = fails  # type: ignore[method-assign,assignment]
    call.hang_up()
    office.settle()
    office.gateway.close_leg = close_leg  # type: ignore[method-assign]
    assert answered.heard[-1] == "ended"
    assert not office.office.calls()
    assert office.record.cause == "normal"
    assert logged_errors


def test_a_route_that_makes_no_sense_does_not_keep_the_call(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    call = alice.call("102")
    office.settle()
    transaction = bob.ringing.line._invite
    assert transaction is not None
    assert transaction.request is not None
    transaction.request.headers.add("Record-Route", "no route")
    bob.ringing.answer()
    office.advance(5)
    call.cancel()
    office.advance(70)
    assert not office.office.calls()


def test_a_request_that_brings_an_error_of_ours_is_answered(
    office: MemoryOffice, logged_errors: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, _ = office.registered("101", "102")
    monkeypatch.setattr(office.office.reception, "_let_in", None)
    call = alice.call("102")
    office.settle()
    assert call.heard[-1] == "500"
    monkeypatch.setattr(type(office.office.registrar), "_serve", None)
    alice.register()
    office.settle()
    assert alice.last.status == 500
    assert len(logged_errors) == 2


def test_what_the_office_does_not_do_is_said_so(office: MemoryOffice) -> None:
    (alice,) = office.registered("101")
    for method, status in (("OPTIONS", 200), ("PUBLISH", 405), ("DANCE", 501), ("BYE", 481)):
        alice.send(method, "sip:192.0.2.1")
        office.settle()
        assert alice.last.status == status
        if status != 481:
            assert "INVITE" in (alice.last.headers.get("Allow") or "")


def test_a_call_that_is_released_by_an_operator_ends_for_both(office: MemoryOffice) -> None:
    _, _, call, answered = office.talking()
    view = office.call
    assert office.run(office.office.operator.release(view.id, view.revision)) == view.id
    office.settle()
    assert call.heard[-1] == answered.heard[-1] == "ended"
    assert (office.record.released_by, office.record.cause) == (ReleasedBy.OPERATOR, "released by an operator")


def test_the_last_state_of_a_leg_is_ended(office: MemoryOffice) -> None:
    _, _, call, _ = office.talking()
    legs = [*next(iter(office.office.exchange.calls.values())).legs]
    call.hang_up()
    office.settle()
    assert {leg.state for leg in legs} == {PartyState.ENDED}
    assert {leg.session.user for leg in legs if leg.session} == {None}


def test_directions_of_the_first_offer_are_kept(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    call = alice.call("102", sdp=alice.sdp(Direction.RECVONLY))
    office.settle()
    bob.ringing.answer()
    office.settle()
    assert call.was_told == Direction.SENDONLY
    assert office.hears(alice) == "102"
    assert office.hears(bob) is None


def test_a_repeated_invite_is_answered_again_and_starts_no_second_call(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    alice.call("102")
    office.settle()
    message = office.wire.last[OFFICE, "INVITE"]
    assert not isinstance(message, Response)
    office.wire.carry(message.encode(), alice.flow)
    office.settle()
    assert len(bob.calls) == 1
    assert len(office.office.calls()) == 1


@pytest.mark.parametrize(
    ("sdp", "code", "reason"),
    [
        (b"m=audio 4000 RTP/AVP 18\r\na=rtpmap:18 G729/8000\r\n", 305, "No Common Codec In G729"),
        (b"m=video 4000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n", 304, "No RTP/AVP audio: offered video RTP/AVP"),
        (b"m=audio 4000 RTP/SAVP 0\r\n", 304, "No RTP/AVP audio: offered audio RTP/SAVP"),
    ],
)
def test_a_refused_offer_brings_a_warning_and_a_record_that_say_why(
    office: MemoryOffice, sdp: bytes, code: int, reason: str
) -> None:
    alice, bob = office.registered("101", "102")
    head = b"v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
    call = alice.call("102", sdp=head + sdp)
    office.settle()
    assert call.failure is not None
    assert call.failure.response is not None
    assert (call.failure.status, call.failure.reason) == (488, reason)
    assert call.failure.response.headers.get("Warning") == f'{code} {OFFICE}:5060 "{reason}"'
    assert office.record.cause == f"488 {reason}"
    assert not bob.calls


def test_a_refused_reinvite_brings_a_warning_and_the_call_goes_on(office: MemoryOffice) -> None:
    alice, _, call, _ = office.talking()
    call.reoffer(alice.sdp(codecs=("G729",)))
    office.settle()
    assert call.heard[-1] == "reoffer refused 488"
    warning = office.wire.last[alice.host, "488"].headers.get("Warning")
    assert warning == f'305 {OFFICE}:5060 "No Common Codec In G729"'
    assert office.call.state == CallState.TALKING
