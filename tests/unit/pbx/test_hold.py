"""Hold and every other re-INVITE: what is answered here, and what the other party is told."""

# mypy: disable-error-code="comparison-overlap"
# A property read again after something happened may well be another.

from __future__ import annotations

import pytest

from engine.core.views import CallState, Lamp, ReleasedBy
from engine.sip.sdp import Direction
from engine.store.configuration import HoldPolicy
from tests.unit.pbx.office import MemoryOffice


def passing(office: MemoryOffice, *numbers: str) -> None:
    """These extensions tell the other party of a hold."""
    office.has(*numbers, hold=HoldPolicy.PASS)


def test_a_held_party_hears_music_and_is_told_nothing(office: MemoryOffice) -> None:
    alice, bob, call, answered = office.talking()
    call.hold()
    office.settle()
    assert call.heard[-1] == "reoffer answered"
    assert call.was_told == Direction.RECVONLY
    assert answered.heard == ["acknowledged"]
    assert (office.hears(alice), office.hears(bob)) == (None, "music")
    assert office.call.state == CallState.HELD
    assert (office.lamp("101"), office.lamp("102")) == (Lamp.HELD, Lamp.HELD)
    call.resume()
    office.settle()
    assert call.was_told == Direction.SENDRECV
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")
    assert office.call.state == CallState.TALKING
    assert (office.lamp("101"), office.lamp("102")) == (Lamp.BUSY, Lamp.BUSY)


def test_the_callee_may_hold_too(office: MemoryOffice) -> None:
    alice, bob, _, answered = office.talking()
    answered.hold()
    office.settle()
    assert (office.hears(alice), office.hears(bob)) == ("music", None)
    answered.resume()
    office.settle()
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")


@pytest.mark.parametrize("direction", [Direction.INACTIVE, Direction.SENDONLY])
def test_every_way_to_hold_counts(office: MemoryOffice, direction: Direction) -> None:
    alice, bob, call, _ = office.talking()
    call.reoffer(alice.sdp(direction))
    office.settle()
    assert (office.hears(alice), office.hears(bob)) == (None, "music")


def test_the_old_way_to_hold_counts_too(office: MemoryOffice) -> None:
    alice, bob, call, _ = office.talking()
    call.reoffer(alice.sdp(host="0.0.0.0"))
    office.settle()
    assert office.hears(bob) == "music"
    assert office.call.state == CallState.HELD
    call.resume()
    office.settle()
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")


def test_both_may_hold_and_the_last_to_resume_ends_it(office: MemoryOffice) -> None:
    alice, bob, call, answered = office.talking()
    call.hold()
    office.settle()
    answered.hold()
    office.settle()
    assert (office.hears(alice), office.hears(bob)) == (None, None)
    call.resume()
    office.settle()
    assert (office.hears(alice), office.hears(bob)) == ("music", None)
    assert office.call.state == CallState.HELD
    answered.resume()
    office.settle()
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")
    assert office.call.state == CallState.TALKING


def test_a_hold_repeated_changes_nothing(office: MemoryOffice) -> None:
    _, bob, call, _ = office.talking()
    call.hold()
    office.settle()
    revision = office.call.revision
    call.hold()
    office.settle()
    assert office.hears(bob) == "music"
    assert office.call.revision == revision


def test_a_call_may_end_while_it_is_held(office: MemoryOffice) -> None:
    _, _, call, answered = office.talking()
    call.hold()
    office.settle()
    answered.hang_up()
    office.settle()
    assert call.heard[-1] == "ended"
    assert office.record.released_by is ReleasedBy.CALLEE


def test_a_passed_hold_tells_the_other_party_and_mirrors_its_answer(office: MemoryOffice) -> None:
    alice, bob, call, answered = office.talking()
    passing(office, "101")
    # the rights of a call are those of its beginning
    call.hold()
    office.settle()
    assert office.hears(bob) == "music"
    call.hang_up()
    office.settle()
    call = alice.call("102")
    office.settle()
    answered = bob.ringing
    answered.answer()
    office.settle()
    call.hold()
    office.settle()
    assert answered.heard == ["acknowledged", "reoffered", "acknowledged"]
    assert answered.was_told == Direction.SENDONLY
    assert call.was_told == Direction.RECVONLY
    assert (office.hears(alice), office.hears(bob)) == (None, "101")
    assert office.call.state == CallState.HELD
    call.resume()
    office.settle()
    assert answered.was_told == call.was_told == Direction.SENDRECV
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")
    assert office.call.state == CallState.TALKING


def test_a_party_that_refuses_a_passed_hold_is_held_without_being_told(office: MemoryOffice) -> None:
    office.has("101", "102")
    passing(office, "101")
    _, bob, call, answered = office.talking()
    bob.reoffers = "refuse"
    call.hold()
    office.settle()
    assert call.heard[-1] == "reoffer answered"
    assert office.call.state == CallState.HELD
    assert answered.is_up
    bob.reoffers = "accept"
    call.resume()
    office.settle()
    assert office.call.state == CallState.TALKING


def test_a_party_that_is_gone_when_a_hold_is_passed_ends_the_call(office: MemoryOffice) -> None:
    office.has("101", "102")
    passing(office, "101")
    _, bob, call, _ = office.talking()
    bob.vanish()
    call.hold()
    office.advance(33)
    assert call.heard[-1] == "ended"
    assert (office.record.released_by, office.record.cause) == (ReleasedBy.SYSTEM, "408 Callee Vanished")


def test_a_party_that_has_forgotten_the_call_ends_it(office: MemoryOffice) -> None:
    office.has("101", "102")
    passing(office, "101")
    _, bob, call, _ = office.talking()
    bob.agent.sessions.clear()
    call.hold()
    office.settle()
    assert call.heard[-1] == "ended"
    assert office.record.cause == "481 Callee Vanished"


def test_a_hold_taken_back_while_the_other_is_told_leaves_both_talking(office: MemoryOffice) -> None:
    office.has("101", "102")
    passing(office, "101")
    alice, bob, call, answered = office.talking()
    bob.reoffers = "wait"
    call.hold()
    office.settle()
    assert answered.heard[-1] == "reoffered"
    call.take_reoffer_back()
    office.settle()
    assert call.heard[-1] == "reoffer refused 487"
    answered.answer_reoffer()
    bob.reoffers = "accept"
    office.settle()
    assert office.call.state == CallState.TALKING
    assert answered.was_told == Direction.SENDRECV
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")
    call.hold()
    office.settle()
    assert call.heard[-1] == "reoffer answered"
    assert office.call.state == CallState.HELD


def test_a_hold_taken_back_that_the_other_refuses_leaves_both_talking(office: MemoryOffice) -> None:
    office.has("101", "102")
    passing(office, "101")
    alice, bob, call, answered = office.talking()
    bob.reoffers = "wait"
    call.hold()
    office.settle()
    call.take_reoffer_back()
    office.settle()
    answered.refuse_reoffer()
    office.settle()
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")
    bob.reoffers = "accept"
    call.hold()
    office.settle()
    assert office.call.state == CallState.HELD


def test_two_that_hold_at_once_are_both_held_in_the_end(office: MemoryOffice) -> None:
    office.has("101", "102")
    passing(office, "101", "102")
    _, _, call, answered = office.talking()
    call.hold()
    answered.hold()
    office.advance(30)
    assert "reoffer answered" in call.heard
    assert call.is_up
    assert answered.is_up
    assert office.call.state == CallState.HELD


def test_glare_is_refused_with_491_and_tried_again(office: MemoryOffice) -> None:
    office.has("101", "102")
    passing(office, "101")
    _, bob, call, answered = office.talking()
    bob.reoffers = "wait"
    call.hold()
    office.settle()
    assert answered.heard[-1] == "reoffered"
    answered.refuse_reoffer(491)
    bob.reoffers = "accept"
    office.settle()
    assert "reoffer answered" not in call.heard
    office.advance(5)
    assert call.heard[-1] == "reoffer answered"
    assert answered.was_told == Direction.SENDONLY


def test_a_new_codec_is_passed_on(office: MemoryOffice) -> None:
    alice, bob, call, answered = office.talking()
    assert office.call.parties[0].codec == "PCMA"
    call.reoffer(alice.sdp(codecs=("PCMU",)))
    office.settle()
    assert answered.heard == ["acknowledged", "reoffered", "acknowledged"]
    assert call.codecs == ["PCMU"]
    assert [party.codec for party in office.call.parties] == ["PCMU", "PCMU"]
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")


def test_a_codec_that_the_other_party_lacks_is_refused_and_the_call_goes_on(office: MemoryOffice) -> None:
    office.sets(transcoding="off")
    office.has("101", "102", codecs=("PCMA", "G722"))
    alice, bob, call, answered = office.talking()
    bob.reoffers = "refuse"
    call.reoffer(alice.sdp(codecs=("G722",)))
    office.settle()
    assert call.heard[-1] == "reoffer refused 488"
    call.reoffer(alice.sdp(codecs=("G729",)))
    office.settle()
    assert call.heard[-1] == "reoffer refused 488"
    assert answered.heard == ["acknowledged", "reoffered"]
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")


def test_a_reinvite_without_sdp_gets_our_offer(office: MemoryOffice) -> None:
    alice, bob, call, answered = office.talking()
    call.ask_for_an_offer()
    office.settle()
    assert call.heard[-1] == "reoffer answered"
    assert call.codecs == ["PCMA", "PCMU"]
    assert answered.heard == ["acknowledged"]
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")
    call.hold()
    office.settle()
    assert office.hears(bob) == "music"


def test_a_held_partys_reinvite_without_sdp_keeps_it_held(office: MemoryOffice) -> None:
    alice, bob, call, answered = office.talking()
    call.hold()
    office.settle()
    answered.ask_for_an_offer()
    office.settle()
    assert office.call.state == CallState.HELD
    assert (office.hears(alice), office.hears(bob)) == (None, "music")


@pytest.mark.parametrize("sdp", [b"garbage", b"v=0\r\n"])
def test_a_reinvite_that_is_garbage_is_refused_and_the_call_goes_on(office: MemoryOffice, sdp: bytes) -> None:
    alice, bob, call, _ = office.talking()
    call.reoffer(sdp)
    office.settle()
    assert call.heard[-1] in ("reoffer refused 400", "reoffer refused 488")
    call.hold()
    office.settle()
    assert call.heard[-1] == "reoffer answered"
    assert (office.hears(alice), office.hears(bob)) == (None, "music")


def test_media_moved_to_the_other_family_is_refused_and_the_call_goes_on(office: MemoryOffice) -> None:
    alice, bob, call, _ = office.talking()
    call.reoffer(alice.sdp(host="2001:db8::99"))
    office.settle()
    assert call.heard[-1] == "reoffer refused 488"
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")
    call.resume()
    office.settle()
    assert call.heard[-1] == "reoffer answered"
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")


def test_media_may_move_to_another_address(office: MemoryOffice) -> None:
    alice, _, call, answered = office.talking()
    call.reoffer(alice.sdp(host="192.0.2.99"))
    office.settle()
    plan = office.media_of(alice).plan
    assert plan is not None
    assert plan.remote is not None
    assert plan.remote.host == "192.0.2.99"
    assert answered.heard == ["acknowledged"]
    assert office.hears(alice) == "102"


def test_a_reinvite_with_a_broken_contact_is_refused_and_the_call_goes_on(office: MemoryOffice) -> None:
    _, _, call, answered = office.talking()
    call.line.contact = "<no uri at all>"
    call.hold()
    office.settle()
    assert call.heard[-1] == "reoffer refused 400"
    assert answered.is_up
    assert office.call.state == CallState.TALKING


def test_a_hang_up_that_crosses_a_passed_hold_ends_the_call(office: MemoryOffice) -> None:
    office.has("101", "102")
    passing(office, "101")
    _, bob, call, answered = office.talking()
    bob.reoffers = "wait"
    call.hold()
    office.settle()
    answered.hang_up()
    office.settle()
    assert call.heard[-1] == "ended"
    assert office.record.cause == "normal"


def test_a_hold_that_is_never_acknowledged_ends_the_call(office: MemoryOffice) -> None:
    alice, _, call, answered = office.talking()
    call.hold()
    alice.flush()
    alice.is_plugged = False
    office.advance(33)
    assert answered.heard[-1] == "ended"
    assert office.record.cause == "408 No ACK"


def test_a_phone_that_moved_behind_another_nat_is_trusted_there(office: MemoryOffice) -> None:
    """Its re-INVITE comes from elsewhere and names the same private address: RTP will come from there too."""
    alice, _, call, _ = office.talking()
    before = office.media_of(alice).plan
    assert before is not None
    assert before.trusted_hosts == (alice.host,)
    alice.sit_behind(("192.0.2.77", 40000))
    call.line.flow = alice.flow
    call.reoffer(alice.sdp())
    office.settle()
    assert call.heard[-1] == "reoffer answered"
    assert office.media_of(alice).plan == before._replace(trusted_hosts=("192.0.2.77",))
