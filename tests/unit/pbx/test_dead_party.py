"""The dead-party clock: whose phone is asked whether it is still there, and what its answer means."""

from __future__ import annotations

import pytest

from engine.core.views import CallState, Lamp, ReleasedBy
from engine.media.gateway import LegStatistics, StreamStatistics
from engine.sip.sdp import Direction
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.phone import MemoryPhone


def sent_last(office: MemoryOffice, phone: MemoryPhone, silent_s: float | None) -> None:
    """When RTP or RTCP last came from a phone, as the gateway tells it from now on."""
    packets = 500 if silent_s is not None else 0
    office.media_of(phone).statistics = LegStatistics(
        StreamStatistics(packets=packets, mos=4.4), StreamStatistics(packets=500), silent_s=silent_s
    )


def asked(office: MemoryOffice, phone: MemoryPhone) -> int:
    return office.wire.sent("OPTIONS", f">{phone.host}")


def test_a_silent_phone_that_answers_is_left_alone_and_asked_again(office: MemoryOffice) -> None:
    alice, bob, call, _ = office.talking()
    sent_last(office, alice, 61)
    sent_last(office, bob, 0)
    office.advance(60)
    assert asked(office, alice) == 0
    office.advance(5)
    assert asked(office, alice) == 1
    office.advance(64)
    assert (asked(office, alice), asked(office, bob)) == (2, 0)
    assert call.is_up
    assert office.call.state == CallState.TALKING


@pytest.mark.parametrize("who", ["caller", "callee"])
def test_a_silent_phone_that_is_gone_ends_the_call(office: MemoryOffice, who: str) -> None:
    alice, bob, call, answered = office.talking()
    gone, other = (alice, answered) if who == "caller" else (bob, call)
    for phone in (alice, bob):
        sent_last(office, phone, 61 if phone is gone else 0)
    gone.vanish()
    office.advance(65 + 33)
    assert other.heard[-1] == "ended"
    cause = f"408 {who.capitalize()} Vanished"
    assert (office.record.released_by, office.record.cause) == (ReleasedBy.SYSTEM, cause)
    assert office.lamp("101") is office.lamp("102") is Lamp.IDLE


def test_a_phone_that_restarted_and_knows_nothing_of_the_call_ends_it(office: MemoryOffice) -> None:
    alice, bob, call, _ = office.talking()
    sent_last(office, alice, 0)
    sent_last(office, bob, 70)
    bob.agent.sessions.clear()
    office.advance(65)
    assert call.heard[-1] == "ended"
    assert office.record.cause == "481 Callee Vanished"


def test_both_silent_parties_are_asked_and_one_that_is_gone_is_enough(office: MemoryOffice) -> None:
    alice, bob, _, answered = office.talking()
    for phone in (alice, bob):
        sent_last(office, phone, 100)
    alice.vanish()
    office.advance(65)
    assert (asked(office, alice) > 0, asked(office, bob)) == (True, 1)
    office.advance(34)
    assert answered.heard[-1] == "ended"
    assert office.record.cause == "408 Caller Vanished"


def test_rtcp_alone_is_a_sign_of_life(office: MemoryOffice) -> None:
    """A phone with silence suppression sends RTCP every few seconds; ``silent_s`` of the gateway counts it."""
    alice, bob, call, _ = office.talking()
    for phone in (alice, bob):
        sent_last(office, phone, 6)
    office.advance(300)
    assert asked(office, alice) == asked(office, bob) == 0
    assert call.is_up


def test_who_holds_or_is_held_has_much_longer(office: MemoryOffice) -> None:
    alice, bob, call, _ = office.talking()
    call.hold()
    office.settle()
    for phone in (alice, bob):
        sent_last(office, phone, 5000)
    office.advance(800)
    assert asked(office, alice) == asked(office, bob) == 0
    assert office.call.quality is not None
    assert office.call.quality.mos == 4.4
    bob.vanish()
    office.advance(140)
    assert call.heard[-1] == "ended"
    assert office.record.cause == "408 Callee Vanished"


def test_who_only_listens_has_much_longer(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    call = alice.call("102", sdp=alice.sdp(Direction.RECVONLY))
    office.settle()
    bob.ringing.answer()
    office.settle()
    sent_last(office, alice, 100)
    sent_last(office, bob, 0)
    office.advance(300)
    assert asked(office, alice) == 0
    assert call.is_up
    assert office.call.quality is not None
    assert office.call.quality.mos == 4.4


def test_a_phone_whose_audio_never_came_through_has_much_longer(office: MemoryOffice) -> None:
    alice, bob, _, _ = office.talking()
    for phone in (alice, bob):
        sent_last(office, phone, None)
    office.advance(890)
    assert asked(office, alice) == asked(office, bob) == 0
    office.advance(20)
    assert asked(office, alice) == asked(office, bob) == 1


def test_the_office_says_how_long_a_party_may_be_silent(office: MemoryOffice) -> None:
    office.sets(silent_party_s=20)
    alice, bob, _, _ = office.talking()
    sent_last(office, alice, 25)
    sent_last(office, bob, 0)
    office.advance(26)
    assert asked(office, alice) == 1


def test_a_phone_that_cannot_be_reached_at_all_is_gone_at_once(office: MemoryOffice) -> None:
    alice, bob, call, _ = office.talking()
    sent_last(office, alice, 0)
    sent_last(office, bob, 70)
    office.wire.unreachable.add(bob.host)
    office.advance(65)
    assert call.heard[-1] == "ended"
    assert office.record.cause == "503 Callee Vanished"
