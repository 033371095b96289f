"""Commands about levels, schedules and the night switch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.core.errors import NotFoundError, RefusedError
from engine.desk.counter import Counter
from engine.desk.dialling import (
    AddLevel,
    AddSchedule,
    GetNight,
    ListLevels,
    ListSchedules,
    RemoveLevel,
    RemoveSchedule,
    ScheduleView,
    SetLevel,
    SetNight,
    SetSchedule,
)
from engine.desk.routing_checks import check_rank, check_word
from engine.pbx.routing.schedule import read_hours
from engine.pbx.routing.table import table_of
from engine.store.outside import Level, Night, Schedule

if TYPE_CHECKING:
    from engine.store.rows import Rows

MOST_HOLIDAYS = 200


async def list_levels(counter: Counter, command: ListLevels) -> tuple[Level, ...]:
    return tuple(counter.configuration.levels.values())


async def add_level(counter: Counter, command: AddLevel) -> None:
    level = Level(check_word(command.name, "level"), check_rank(command.rank))

    def add(rows: Rows) -> None:
        if rows.levels.find(level.name) is not None:
            raise RefusedError(
                f"level {level.name} exists already", f"change it with 'frontdesk level set {level.name}'"
            )
        rows.levels.put(level)

    await counter.change(add, f"level {level.name}")


async def set_level(counter: Counter, command: SetLevel) -> None:
    level = Level(command.name, check_rank(command.rank))

    def change(rows: Rows) -> None:
        if rows.levels.find(level.name) is None:
            raise _missing_level(level.name)
        rows.levels.put(level)

    await counter.change(change, f"level {level.name}")


async def remove_level(counter: Counter, command: RemoveLevel) -> None:
    name = command.name

    def remove(rows: Rows) -> None:
        if rows.levels.find(name) is None:
            raise _missing_level(name)
        users = [f"extension {each.number}" for each in rows.extensions.all() if each.level == name]
        users += [f"route {each.id}" for each in rows.routes.all() if each.level == name]
        _demand_unused(f"level {name}", users)
        rows.levels.remove(name)

    await counter.change(remove, f"level {name}")


async def list_schedules(counter: Counter, command: ListSchedules) -> tuple[ScheduleView, ...]:
    table, now = table_of(counter.configuration), counter.clock.wall()
    schedules = counter.configuration.schedules.values()
    return tuple(ScheduleView(schedule, table.holds(schedule.name, now)) for schedule in schedules)


async def add_schedule(counter: Counter, command: AddSchedule) -> None:
    schedule = checked_schedule(Schedule(command.name, command.when, command.holidays))

    def add(rows: Rows) -> None:
        if rows.schedules.find(schedule.name) is not None:
            raise RefusedError(
                f"schedule {schedule.name} exists already",
                f"change it with 'frontdesk schedule set {schedule.name}'",
            )
        rows.schedules.put(schedule)

    await counter.change(add, f"schedule {schedule.name}")


async def set_schedule(counter: Counter, command: SetSchedule) -> None:
    name = command.name

    def change(rows: Rows) -> None:
        current = rows.schedules.find(name)
        if current is None:
            raise _missing_schedule(name)
        when = current.when if command.when is None else command.when
        holidays = current.holidays if command.holidays is None else command.holidays
        rows.schedules.put(checked_schedule(replace(current, when=when, holidays=holidays)))

    await counter.change(change, f"schedule {name}")


async def remove_schedule(counter: Counter, command: RemoveSchedule) -> None:
    name = command.name

    def remove(rows: Rows) -> None:
        if rows.schedules.find(name) is None:
            raise _missing_schedule(name)
        users = [f"route {each.id}" for each in rows.routes.all() if each.when == name]
        users += [f"inbound number {each.id}" for each in rows.inbound.all() if each.when == name]
        _demand_unused(f"schedule {name}", users)
        rows.schedules.remove(name)

    await counter.change(remove, f"schedule {name}")


async def get_night(counter: Counter, command: GetNight) -> Night:
    return counter.configuration.night


async def set_night(counter: Counter, command: SetNight) -> None:
    def switch(rows: Rows) -> None:
        rows.site.put("night", command.night.value)

    await counter.change(switch, "night switch")


def checked_schedule(schedule: Schedule) -> Schedule:
    """The schedule as it is kept; raises ``RefusedError`` that names what is wrong with it."""
    holidays = tuple(dict.fromkeys(day.strip() for day in schedule.holidays))
    if len(holidays) > MOST_HOLIDAYS:
        raise RefusedError(f"there are {len(holidays)} holidays", f"keep at most {MOST_HOLIDAYS}")
    checked = Schedule(check_word(schedule.name, "schedule"), " ".join(schedule.when.split()), holidays)
    read_hours(checked)
    return checked


def _demand_unused(what: str, users: Iterable[str]) -> None:
    users = list(users)
    if users:
        some = ", ".join(users[:3]) + (" …" if len(users) > 3 else "")
        raise RefusedError(f"{what} is used by {some}", "give them another one first, or remove them")


def _missing_level(name: str) -> NotFoundError:
    return NotFoundError(f"there is no level '{name}'", "see 'frontdesk level list'")


def _missing_schedule(name: str) -> NotFoundError:
    return NotFoundError(f"there is no schedule '{name}'", "see 'frontdesk schedule list'")
