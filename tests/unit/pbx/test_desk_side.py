"""What the desk sees and asks: views, lamps, releases, another configuration, and the end of the day."""

# mypy: disable-error-code="comparison-overlap"
# A property read again after something happened may well be another.

from __future__ import annotations

import pytest

from engine.core.errors import NotFoundError, RefusedError
from engine.core.events import CallChanged, Event, LampChanged
from engine.core.views import CallState, Lamp, ReleasedBy
from engine.media.gateway import LegStatistics, StreamStatistics
from tests.unit.pbx.office import MemoryOffice


def lamps_of(office: MemoryOffice, number: str) -> list[Lamp]:
    return [event.lamp for event in office.heard_events(LampChanged) if event.extension == number]  # type: ignore[attr-defined]


def test_the_lamps_follow_a_call(office: MemoryOffice) -> None:
    _, _, call, answered = office.talking()
    call.hold()
    office.settle()
    call.resume()
    office.settle()
    answered.hang_up()
    office.settle()
    assert lamps_of(office, "101") == [Lamp.IDLE, Lamp.BUSY, Lamp.HELD, Lamp.BUSY, Lamp.IDLE]
    assert lamps_of(office, "102") == [Lamp.IDLE, Lamp.RINGING, Lamp.BUSY, Lamp.HELD, Lamp.BUSY, Lamp.IDLE]


def test_a_phone_that_unregisters_in_a_call_stays_busy_until_its_end(office: MemoryOffice) -> None:
    alice, _, call, _ = office.talking()
    alice.register(expires=0)
    office.settle()
    assert office.lamp("101") is Lamp.BUSY
    call.hang_up()
    office.settle()
    assert office.lamp("101") is Lamp.UNREGISTERED


def test_people_show_their_lamp_their_call_and_their_phones(office: MemoryOffice) -> None:
    office.has("1000")
    office.talking()
    people = {person.number: person for person in office.office.people()}
    assert list(people) == ["101", "102", "1000"]
    assert (people["101"].lamp, people["101"].call, people["101"].devices) == (Lamp.BUSY, office.call.id, 1)
    assert (people["1000"].lamp, people["1000"].call, people["1000"].devices) == (Lamp.UNREGISTERED, None, 0)
    assert people["1000"].since is None


def test_views_stay_the_same_until_something_changes(office: MemoryOffice) -> None:
    office.has("103")
    _, _, call, _ = office.talking()
    view, people, revision = office.call, office.office.people(), office.office.revision
    office.advance(10)
    assert office.call is view
    assert office.office.revision == revision
    assert all(one is other for one, other in zip(people, office.office.people(), strict=True))
    call.hold()
    office.settle()
    assert office.call is not view
    assert office.call.revision > view.revision
    assert office.office.revision > revision
    after = office.office.people()
    assert after[0] is not people[0]
    assert after[2] is people[2]


def test_every_step_of_a_call_raises_the_revision(office: MemoryOffice) -> None:
    seen: list[int] = []

    def look(event: Event) -> None:
        if isinstance(event, CallChanged):
            seen.append(office.office.revision)

    office.bus.listen(look)
    alice, bob, call, _ = office.talking()
    before = office.office.revision
    again = alice.call("102")
    office.settle()
    assert office.office.revision > before
    again.cancel()
    call.hang_up()
    office.settle()
    assert seen == sorted(set(seen))
    assert bob.ringing.is_over


def test_the_quality_of_a_call_is_looked_at_as_it_goes(office: MemoryOffice) -> None:
    alice, bob, call, _ = office.talking()
    office.media_of(alice).statistics = LegStatistics(
        StreamStatistics(500, 80000, 5, 1.0, 3.5, 4.1), StreamStatistics()
    )
    office.media_of(bob).statistics = LegStatistics(
        StreamStatistics(500, 80000, 0, 0.0, 7.0, 4.3), StreamStatistics()
    )
    assert office.call.quality is None
    revision = office.call.revision
    office.advance(3)
    quality = office.call.quality
    assert quality is not None
    assert (quality.mos, quality.loss_percent, quality.jitter_ms) == (4.1, 1.0, 7.0)
    assert office.call.revision == revision
    call.hang_up()
    office.settle()
    assert office.record.mos == 4.1


def test_a_release_of_what_has_changed_is_refused(office: MemoryOffice) -> None:
    _, _, call, _ = office.talking()
    stale = office.call.revision
    call.hold()
    office.settle()
    with pytest.raises(RefusedError, match="has changed meanwhile"):
        office.run(office.office.operator.release(office.call.id, stale))
    office.settle()
    assert call.is_up


def test_a_ringing_call_is_released_too(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    call = alice.call("102")
    office.settle()
    office.run(office.office.operator.release("102", None))
    office.settle()
    assert call.heard[-1] == "480"
    assert bob.ringing.heard == ["cancelled"]
    assert office.record.released_by is ReleasedBy.OPERATOR


def test_a_call_is_released_by_its_extension_only_when_it_is_the_only_one(office: MemoryOffice) -> None:
    alice, _, _, _ = office.talking()
    second = alice.call("102")
    office.settle()
    with pytest.raises(RefusedError, match="101 has 2 calls"):
        office.run(office.office.operator.release("101", None))
    second.cancel()
    office.settle()
    office.run(office.office.operator.release("101", None))
    office.settle()
    assert not office.office.calls()


def test_a_release_of_no_call_says_so(office: MemoryOffice) -> None:
    office.has("101")
    for target in ("101", "7f3a", ""):
        with pytest.raises(NotFoundError):
            office.run(office.office.operator.release(target, None))


def test_a_call_can_be_seen_and_released_from_its_first_moment(office: MemoryOffice) -> None:
    alice, _ = office.registered("101", "102")
    call = alice.call("102")
    seen: list[int] = []

    def look() -> None:
        seen.append(len(office.office.calls()))
        release = office.office.operator.release("101", None)
        with pytest.raises(StopIteration):
            release.send(None)

    office.in_one_breath(lambda: None, look)
    assert seen == [1]
    assert call.is_over
    assert office.record.released_by is ReleasedBy.OPERATOR


def test_a_release_that_comes_with_the_answer_ends_the_call(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    call = alice.call("102")
    office.settle()

    def release() -> None:
        with pytest.raises(StopIteration):
            office.office.operator.release("101", None).send(None)

    office.in_one_breath(bob.ringing.answer, release)
    assert call.is_over
    assert bob.ringing.is_over
    assert office.record.released_by is ReleasedBy.OPERATOR


def test_calls_go_on_when_the_configuration_changes(office: MemoryOffice) -> None:
    _, _, call, answered = office.talking()
    office.loses("102")
    assert call.is_up
    assert office.call.state == CallState.TALKING
    assert "102" not in office.office.lamps()
    call.hold()
    office.settle()
    assert office.call.state == CallState.HELD
    answered.hang_up()
    office.settle()
    assert office.record.cause == "normal"


def test_whoever_looks_while_the_configuration_changes_sees_the_new_one(office: MemoryOffice) -> None:
    office.registered("101")
    office.bus.listen(lambda event: seen.append(len(office.office.people())))
    seen: list[int] = []
    office.has("102")
    office.loses("101")
    assert set(seen) <= {1, 2}
    assert [person.number for person in office.office.people()] == ["102"]


def test_an_office_that_closes_takes_no_calls_and_lets_the_others_end(office: MemoryOffice) -> None:
    alice, bob, call, _ = office.talking()
    draining = office.loop.create_task(office.office.drain(30))
    office.advance(5)
    late = alice.call("102")
    office.settle()
    assert late.heard == ["407", "503"]
    assert call.is_up
    call.hang_up()
    office.settle()
    assert draining.done()
    assert bob.ringing.is_over


def test_an_office_that_closes_ends_the_calls_that_are_left(office: MemoryOffice) -> None:
    _, _, call, answered = office.talking()
    (carol,) = office.registered("103")
    ringing = carol.call("101")
    office.settle()
    office.while_time_passes(office.office.drain(30), 33)
    assert call.heard[-1] == answered.heard[-1] == "ended"
    assert ringing.heard[-1] == "480"
    assert {record.cause for record in office.records} == {"503 Engine Stopped"}
    assert not office.gateway.legs


def test_an_office_without_calls_closes_at_once(office: MemoryOffice) -> None:
    office.while_time_passes(office.office.drain(30), 0)


def test_the_health_of_the_office_names_its_doors(office: MemoryOffice) -> None:
    health = office.office.health()
    assert [listener.address for listener in health.listeners] == ["192.0.2.1:5060", "[2001:db8::1]:5060"]
    assert (health.media_backend, health.media_sessions) == ("memory", 0)
    assert health.uptime_s == 0


def heard(silent_s: float) -> LegStatistics:
    return LegStatistics(
        received=StreamStatistics(packets=500, mos=4.4), sent=StreamStatistics(packets=500), silent_s=silent_s
    )


def test_a_party_that_falls_silent_is_shown_as_not_heard(
    office: MemoryOffice, caplog: pytest.LogCaptureFixture
) -> None:
    alice, bob, call, _ = office.talking()
    office.media_of(alice).statistics = heard(silent_s=11)
    office.media_of(bob).statistics = heard(silent_s=0)
    office.advance(5)
    assert office.call.quality is not None
    assert (office.call.quality.mos, office.call.quality.loss_percent) == (1.0, 100.0)
    assert [line for line in caplog.messages if "nothing is heard from 101" in line]
    call.hang_up()
    office.settle()
    assert office.record.mos == 1.0


def test_calls_that_ended_are_seen_for_some_seconds_with_their_cause(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    alice.call("999")
    office.advance(5)
    alice.call("102")
    office.settle()
    bob.ringing.refuse(486)
    office.settle()
    assert [record.cause for record in office.office.ended()] == ["404 No Such Number", "486 Busy Here"]
    office.advance(16)
    assert [record.cause for record in office.office.ended()] == ["486 Busy Here"]
    office.advance(10)
    assert office.office.ended() == ()


def test_the_log_has_a_line_for_each_call(office: MemoryOffice, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    (alice,) = office.registered("101")
    alice.call("999")
    office.settle()
    assert [line for line in caplog.messages if "from 101 to 999 ended after 0 s: 404 No Such Number" in line]


def test_garbage_is_counted_and_named_in_one_line(office: MemoryOffice, caplog: pytest.LogCaptureFixture) -> None:
    (alice,) = office.registered("101")
    for _ in range(50):
        office.office.endpoint.receive(b"\x80 no SIP", alice.flow)
    office.advance(5)
    assert office.office.health().garbage == 50
    assert len([line for line in caplog.messages if "50 datagrams that are no SIP" in line]) == 1
