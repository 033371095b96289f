"""Services before a call, after it and at their times: what they can do, and that they keep nobody from calling."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.core.errors import RefusedError
from engine.core.events import AlarmRaised, ServiceFailed
from engine.core.params import PARAMS
from engine.core.views import CallState
from engine.pbx.backstage import MOST_AT_ONCE, Timetable
from engine.pbx.routing.table import RoutingTable, table_of
from engine.pbx.routing.times import read_times
from engine.store.configuration import Configuration, Right
from engine.store.outside import InboundRule, Night, RouteRule, Schedule
from engine.store.services import Settings, Trigger
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.outside import MemoryCarrier, connect
from tests.unit.services.host import write_service
from tests.unit.services.scene import Point, dial, has_trigger


def has_service(
    scene: MemoryOffice, own: Path, point: Point, body: str, number: str = "*", **settings: str
) -> None:
    write_service(own, "tried", body)
    has_trigger(scene, number, "tried", point, **settings)


def marks(scene: MemoryOffice) -> list[str]:
    """What services have told everybody."""
    return [event.text for event in scene.heard_events(AlarmRaised) if isinstance(event, AlarmRaised)]


# -- before a call ----------------------------------------------------------------------------------------------


def test_a_service_that_returns_lets_the_call_go_on(scene: MemoryOffice, own: Path) -> None:
    anna, ben = scene.registered("101", "102")
    has_service(scene, own, Point.CALL_START, 'call:mark(call.own .. " calls " .. call.dialled) call:wait(2)')
    call = dial(scene, anna, "102")
    assert not ben.calls
    scene.advance(2.1)
    assert marks(scene) == ["101 calls 102"]
    ben.ringing.answer()
    scene.settle()
    assert call.is_up
    assert (scene.call.state, scene.call.service) == (CallState.TALKING, None)
    assert scene.hears(anna) == "102"


@pytest.mark.parametrize("deed", ["call:busy()", "call:refuse(486)", "call:hangup() call:wait(9)"])
def test_a_service_may_end_the_call(scene: MemoryOffice, own: Path, deed: str) -> None:
    anna, ben = scene.registered("101", "102")
    has_service(scene, own, Point.CALL_START, deed)
    call = dial(scene, anna, "102")
    assert call.is_over
    assert not ben.calls


def test_a_service_may_send_the_call_elsewhere(scene: MemoryOffice, own: Path) -> None:
    anna, ben, carl = scene.registered("101", "102", "103")
    has_service(scene, own, Point.CALL_START, 'call:redirect("103")')
    dial(scene, anna, "102")
    assert not ben.calls
    carl.ringing.answer()
    scene.settle()
    assert scene.hears(anna) == "103"


def test_a_service_that_answers_has_taken_the_call(scene: MemoryOffice, own: Path) -> None:
    anna, ben = scene.registered("101", "102")
    has_service(scene, own, Point.CALL_START, "call:answer() call:wait(1)")
    call = dial(scene, anna, "102")
    scene.advance(1.1)
    assert call.is_over
    assert not ben.calls


def test_what_nobody_took_goes_on_where_it_was_going(scene: MemoryOffice, own: Path) -> None:
    anna, ben, carl = scene.registered("101", "102", "103")
    has_service(scene, own, Point.CALL_START, 'call:dial("103", { ring = 5 })')
    dial(scene, anna, "102")
    assert not carl.ringing.is_over
    scene.advance(5.1)
    assert carl.ringing.is_over
    ben.ringing.answer()
    scene.settle()
    assert scene.hears(anna) == "102"


def test_a_service_before_a_service(scene: MemoryOffice, own: Path) -> None:
    (anna,) = scene.registered("101")
    has_service(scene, own, Point.CALL_START, 'call:set("seen", true)')
    dial(scene, anna, "*60")
    assert (scene.call.service, scene.hears(anna)) == ("clock", "time-is")


@pytest.mark.parametrize("body", ["error('broken')", "while true do end"])
def test_a_service_that_breaks_keeps_nobody_from_calling(scene: MemoryOffice, own: Path, body: str) -> None:
    anna, ben = scene.registered("101", "102")
    has_service(scene, own, Point.CALL_START, body)
    dial(scene, anna, "102")
    assert scene.heard_events(ServiceFailed)
    ben.ringing.answer()
    scene.settle()
    assert scene.hears(anna) == "102"


def test_a_file_that_does_not_compile_keeps_nobody_from_calling(scene: MemoryOffice, own: Path) -> None:
    anna, ben = scene.registered("101", "102")
    (own / "tried.lua").write_text("function run( -- never ends")
    has_trigger(scene, "*", "tried", Point.CALL_START)
    dial(scene, anna, "102")
    assert not ben.ringing.is_over


def test_a_caller_who_gives_up_ends_the_service(scene: MemoryOffice, own: Path) -> None:
    anna, ben = scene.registered("101", "102")
    has_service(scene, own, Point.CALL_START, "call:wait(9)")
    call = dial(scene, anna, "102")
    scene.advance(0.5)
    call.cancel()
    scene.settle()
    assert not scene.office.calls()
    assert not ben.calls


def test_a_row_of_an_extension_is_for_its_calls_alone(scene: MemoryOffice, own: Path) -> None:
    anna, ben, carl = scene.registered("101", "102", "103")
    has_service(scene, own, Point.CALL_START, "call:busy()", number="101")
    assert dial(scene, anna, "103").is_over
    dial(scene, ben, "103")
    assert not carl.ringing.is_over


def test_a_call_from_a_line_meets_the_service_of_that_line(scene: MemoryOffice, own: Path) -> None:
    (anna,) = scene.registered("101")
    carrier = MemoryCarrier(scene)
    connect(scene)
    scene.configure(inbound=(InboundRule(1, "line", "4930800", extension="101"),))
    has_service(scene, own, Point.CALL_START, 'call:mark(call.trunk .. " " .. call.dialled)', number="line")
    carrier.dials("4930800")
    scene.settle()
    assert marks(scene) == ["line 4930800"]
    assert not anna.ringing.is_over


def test_a_service_may_change_where_the_call_goes(scene: MemoryOffice, own: Path) -> None:
    """It is decided after the service: the night switch that it turns counts already."""
    anna, ben, carl = scene.registered("101", "102", "103")
    scene.configure(
        schedules={"day": Schedule("day", "mo-su")},
        routes=(RouteRule(1, "102", extension="103", when="day"),),
    )
    scene.configure(night=Night.ON)
    has_service(scene, own, Point.CALL_START, 'call:night("off")')
    dial(scene, anna, "102")
    assert not carl.ringing.is_over
    assert not ben.calls


def test_an_emergency_call_meets_no_service(scene: MemoryOffice, own: Path) -> None:
    (anna,) = scene.registered("101")
    carrier = MemoryCarrier(scene)
    connect(scene)
    scene.configure(routes=(RouteRule(1, "112", trunks=("line",), is_emergency=True),))
    has_service(scene, own, Point.CALL_START, "call:busy()")
    dial(scene, anna, "112")
    assert len(carrier.requests) == 1


# -- after a call -----------------------------------------------------------------------------------------------

TELLS = """
local facts = {}
for name, value in pairs(call.settings) do
    facts[#facts + 1] = name .. "=" .. value
end
table.sort(facts)
call:set("told", (call.own or "-") .. ": " .. table.concat(facts, " "))
"""


def test_a_service_is_told_of_a_call_that_is_over(scene: MemoryOffice, own: Path) -> None:
    scene.sets(timezone="UTC")
    has_service(scene, own, Point.CALL_END, TELLS, tag="x")
    _, _, call, _ = scene.talking()
    scene.advance(5)
    call_id = scene.call.id
    call.hang_up()
    scene.settle()
    told = scene.keeper.known["tried", "", "told"]
    assert told == (
        "-: answered_at=2026-01-01T00:00:00+0000 callee=102 caller=101 cause=normal codec=PCMA duration_s=5 "
        f"ended_at=2026-01-01T00:00:05+0000 id={call_id} linked_id={call_id} reason=call_end "
        "released_by=caller started_at=2026-01-01T00:00:00+0000 tag=x"
    )


@pytest.mark.parametrize("number", ["101", "102"])
def test_a_row_of_an_extension_is_for_calls_in_which_it_took_part(
    scene: MemoryOffice, own: Path, number: str
) -> None:
    has_service(scene, own, Point.CALL_END, 'call:mark(call.own .. " " .. call.dialled)', number=number)
    _, ben, call, _ = scene.talking()
    call.hang_up()
    scene.settle()
    (carl,) = scene.registered("103")
    dial(scene, carl, "104")
    assert marks(scene) == [f"{number} 102"]
    assert not ben.ringing.is_up


def test_a_service_after_a_call_may_ring_somebody_and_no_service_follows_that(
    scene: MemoryOffice, own: Path
) -> None:
    anna, ben = scene.registered("101", "102")
    body = """
    if call.settings.cause == "486 Busy Here" then
        local result = call:dial(call.caller, { ring = 20, name = "Callback" })
        if result.status == "answered" then
            call:play("callback-ready")
            call:dial(call.dialled, { as = result.by })
        end
        call:mark("never reached")
    end
    """
    has_service(scene, own, Point.CALL_END, body)
    dial(scene, anna, "102")
    ben.ringing.refuse(486)
    scene.settle()
    invite = anna.ringing.invite
    assert invite is not None
    assert "Callback" in (invite.headers.get("From") or "")
    anna.ringing.answer()
    scene.settle()
    assert scene.hears(anna) == "callback-ready"
    scene.advance(0.2)
    ben.ringing.answer()
    scene.settle()
    assert (scene.hears(anna), scene.hears(ben)) == ("102", "101")
    ben.ringing.hang_up()
    scene.settle()
    assert len(scene.records) == 2
    assert not [each for each in anna.calls[2:] if each.is_incoming]
    assert not scene.office.exchange.unattended
    assert not scene.heard_events(ServiceFailed)


# -- without a caller -------------------------------------------------------------------------------------------


def begin(scene: MemoryOffice, own: Path, body: str, number: str = "*") -> None:
    """A service at one minute from now."""
    scene.sets(timezone="UTC")
    at = scene.clock.wall() + timedelta(minutes=1)
    scene.advance(3)
    has_service(scene, own, Point.SCHEDULE, body, number=number, at=f"{at:%H:%M}")
    scene.advance(62)


def test_nobody_answering_is_a_value(scene: MemoryOffice, own: Path) -> None:
    anna, ben, _ = scene.registered("101", "102", "103")
    scene.has("103", dnd=True)
    scene.has("104")
    ben.refuses_with = 486
    body = """
    local outcome = {}
    for _, number in ipairs({ "101", "102", "103", "104", "105" }) do
        local result = call:dial(number, { ring = 5 })
        outcome[#outcome + 1] = number .. " " .. result.status
    end
    call:mark(table.concat(outcome, ", "))
    """
    begin(scene, own, body)
    scene.advance(5.1)
    assert marks(scene) == ["101 no_answer, 102 busy, 103 busy, 104 unreachable, 105 refused"]
    assert anna.ringing.is_over


def test_verbs_that_need_a_caller_say_so(scene: MemoryOffice, own: Path) -> None:
    begin(scene, own, 'local _, a = call:answer() local _, b = call:play("beep") call:mark(a .. "; " .. b)')
    assert marks(scene) == ["there is no caller; there is no caller"]


def test_what_a_service_does_for_an_extension(scene: MemoryOffice, own: Path) -> None:
    scene.has("101", rights=frozenset({Right.FORWARD_ALWAYS}))
    body = """
    call:forward("always", "102")
    call:dnd(true)
    call:night("on")
    call:set("runs", (call:get("runs") or 0) + 1)
    call:later(600, "wake_up", { settings = { at = "07:30" } })
    call:wait(30)
    call:mark(call.own .. " " .. call.settings.reason .. " " .. call:get("runs"))
    """
    begin(scene, own, body, number="101")
    anna = scene.configuration.extensions["101"]
    assert (anna.forward_always, anna.dnd, scene.configuration.night) == ("102", True, Night.ON)
    assert not marks(scene)
    scene.advance(30)
    assert marks(scene) == ["101 schedule 1"]
    assert ("101", "wake_up") in scene.office.exchange.errands._waiting  # type: ignore[union-attr]


def test_the_night_switch_is_turned_at_its_time(scene: MemoryOffice) -> None:
    scene.sets(timezone="UTC")
    scene.advance(3)
    has_trigger(scene, "*", "night", Point.SCHEDULE, at="00:01", position="on")
    scene.advance(62)
    assert scene.configuration.night is Night.ON


def test_the_extension_that_a_service_rings_may_hang_up(scene: MemoryOffice, own: Path) -> None:
    (anna,) = scene.registered("101")
    begin(scene, own, 'call:dial("101") call:play("music", { ["repeat"] = true }) call:wait(60) call:mark("on")')
    anna.ringing.answer()
    scene.settle()
    assert scene.hears(anna) == "music"
    assert (scene.call.state, scene.call.service) == (CallState.SERVICE, "tried")
    anna.ringing.hang_up()
    scene.settle()
    assert not scene.office.calls()
    assert not marks(scene)


def test_others_are_rung_later_for_a_service(scene: MemoryOffice, own: Path) -> None:
    anna, ben = scene.registered("101", "102")
    begin(scene, own, 'call:later(30, "clock", { of = "102" }) call:later(30, "clock", { of = "999" })')
    scene.advance(32)
    assert not anna.calls
    ben.ringing.answer()
    scene.settle()
    assert scene.hears(ben) == "time-is"


def test_two_are_rung_and_the_first_who_answers_counts(scene: MemoryOffice, own: Path) -> None:
    anna, ben = scene.registered("101", "102")
    begin(scene, own, 'local result = call:dial({ "101", "102" }) call:mark(result.by) call:wait(9)')
    ben.ringing.answer()
    scene.settle()
    assert anna.ringing.is_over
    assert marks(scene) == ["102"]


def test_an_operator_may_release_what_a_service_rings(scene: MemoryOffice, own: Path) -> None:
    (anna,) = scene.registered("101")
    begin(scene, own, 'call:mark(call:dial("101").reason)')
    scene.run(scene.office.operator.release(scene.call.id, None))
    scene.settle()
    assert anna.ringing.is_over
    assert marks(scene) == ["Released"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("error('broken', 0)", "broken"),
        ("while true do end", "endless loop"),
        ("while true do call:get('a') end", "more than 500 verbs within a second"),
        ("call:wait(86400)", "was not done within 3600 s"),
    ],
)
def test_a_service_without_a_caller_that_breaks_is_told(
    scene: MemoryOffice, own: Path, body: str, why: str
) -> None:
    begin(scene, own, body)
    scene.advance(3605)
    (event,) = scene.heard_events(ServiceFailed)
    assert isinstance(event, ServiceFailed)
    assert why in event.reason


def test_only_some_run_at_once_and_the_others_in_their_turn(scene: MemoryOffice, own: Path) -> None:
    anna, _ = scene.registered("101", "102")
    has_service(scene, own, Point.CALL_END, "call:wait(10) call:mark(call.settings.id)")
    for _ in range(MOST_AT_ONCE + 4):
        dial(scene, anna, "999")
    assert not marks(scene)
    scene.advance(10.1)
    assert len(marks(scene)) == MOST_AT_ONCE
    scene.advance(10.1)
    assert len(set(marks(scene))) == MOST_AT_ONCE + 4


def test_what_runs_ends_with_the_office(scene: MemoryOffice, own: Path) -> None:
    (anna,) = scene.registered("101")
    begin(scene, own, 'call:dial("101")')
    scene.while_time_passes(scene.office.drain(0), 5)
    assert anna.ringing.is_over
    assert not scene.office._backstage._running


# -- times ------------------------------------------------------------------------------------------------------


def table_for(rows: list[Settings], zone: str, **fields: Any) -> RoutingTable:
    params = {**{name: param.default for name, param in PARAMS.items()}, "timezone": zone}
    triggers = tuple(
        Trigger(place, "*", "tried", Point.SCHEDULE, settings=settings) for place, settings in enumerate(rows, 1)
    )
    return table_of(Configuration(1, "office", params=params, triggers=triggers, **fields))


def due(rows: list[Settings], begin: str, end: str, zone: str = "Europe/Berlin", **fields: Any) -> list[str]:
    """When the rows begin between two moments (UTC), looked at every two seconds or whenever there is news."""
    table, timetable = table_for(rows, zone, **fields), Timetable()
    now, until = datetime.fromisoformat(begin + "Z"), datetime.fromisoformat(end + "Z")
    found = []
    while now <= until:
        found += [f"{now:%d %H:%M}" for _ in timetable.due(table, now)]
        now += timedelta(seconds=20)
    return found


def at(text: str, **more: str) -> Settings:
    return (("at", text), *more.items())


def test_a_service_begins_at_its_times_once() -> None:
    assert due([at("08:00, 12:30")], "2026-01-05T00:00", "2026-01-06T12:00") == [
        "05 07:00", "05 11:30", "06 07:00", "06 11:30",
    ]  # fmt: skip


def test_days_and_schedules_count() -> None:
    friday, monday = "2026-01-02T00:00", "2026-01-05T23:00"
    assert due([at("08:00", days="mo-fr")], friday, monday) == ["02 07:00", "05 07:00"]
    schedules = {"office": Schedule("office", "mo-fr 09:00-17:00", ("2026-01-02",))}
    row = at("10:00,18:00", schedule="office")
    assert due([row], friday, monday, schedules=schedules) == ["05 09:00"]
    assert due([row], friday, monday, schedules=schedules, night=Night.ON) == []
    assert due([at("10:00", schedule="gone")], friday, monday) == []


def test_every_so_many_minutes() -> None:
    row = (("every", "20"), ("days", "mo 09:00-10:00"))
    assert due([row], "2026-01-05T00:00", "2026-01-05T23:00") == ["05 08:00", "05 08:20", "05 08:40"]


def test_the_hour_that_daylight_saving_leaves_out_is_made_up_for() -> None:
    rows = [at("02:30"), (("every", "30"), ("days", "su 01:00-04:00"))]
    assert due(rows, "2026-03-28T23:30", "2026-03-29T03:00") == [
        "29 00:00", "29 00:30", "29 01:00", "29 01:00", "29 01:30",
    ]  # fmt: skip


def test_the_hour_that_daylight_saving_repeats_counts_once() -> None:
    rows = [at("02:10,02:50"), (("every", "60"), ("days", "su 02:00-03:00"))]
    assert due(rows, "2026-10-24T23:30", "2026-10-25T03:00") == ["25 00:00", "25 00:10", "25 00:50", "25 01:00"]


def test_a_clock_that_is_set_makes_up_for_minutes_not_for_days() -> None:
    table, timetable = table_for([(("every", "1"),)], "UTC"), Timetable()
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert len(timetable.due(table, now)) == 0
    assert len(timetable.due(table, now + timedelta(minutes=3))) == 3
    assert len(timetable.due(table, now + timedelta(days=30))) == 11
    assert len(timetable.due(table, now)) == 0
    assert len(timetable.due(table, now + timedelta(minutes=1))) == 1


@pytest.mark.parametrize(
    "settings",
    [(), (("at", "25:00"),), (("at", "8"),), (("at", ""),), (("every", "0"),), (("every", "x"),),
     (("every", "1441"),), (("at", "08:00"), ("days", "someday"))],
)  # fmt: skip
def test_times_that_are_none_are_refused(settings: Settings) -> None:
    with pytest.raises(RefusedError):
        read_times(settings)
