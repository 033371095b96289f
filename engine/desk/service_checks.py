"""What may be said of groups and of what leads to services, and the words that refuse."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from engine.core.errors import RefusedError
from engine.desk.checks import check_number
from engine.desk.routing_checks import Known, check_word
from engine.pbx.routing.times import read_times
from engine.pbx.service import SERVICE_NAME
from engine.store.services import ANY_NUMBER, Group, Point, Trigger

MOST_MEMBERS, MOST_SETTINGS, LONGEST_SETTING = 100, 50, 500
LONGEST_RING_S = 600
_OF_LINES = (Point.CALL_START, Point.CALL_END)
_DIALLED = re.compile(r"[0-9*#+]{1,32}")
_SETTING = re.compile(r"[A-Za-z0-9_*#]{1,32}")


def check_group(group: Group, known: Known) -> None:
    """Refuse a group that cannot be."""
    for _field, error in group_flaws(group, known):
        raise error


def group_flaws(group: Group, known: Known) -> Iterator[tuple[str, RefusedError]]:
    """What is wrong with a group, each with the field that it is about."""
    try:
        check_number(group.number)
    except RefusedError as error:
        yield "number", error
    if group.number in known.extensions:
        yield "number", RefusedError(f"{group.number} is an extension already", "give the group another number")
    if len(group.members) > MOST_MEMBERS:
        yield "members", RefusedError(f"the group has {len(group.members)} members", f"use at most {MOST_MEMBERS}")
    for member in group.members:
        try:
            known.demand_extension(member)
        except RefusedError as error:
            yield "members", error
    if not 1 <= group.timeout <= LONGEST_RING_S:
        yield (
            "timeout",
            RefusedError(f"the timeout cannot be {group.timeout}", f"use 1 to {LONGEST_RING_S} seconds"),
        )


def check_trigger(trigger: Trigger, known: Known, others: Iterable[Trigger]) -> None:
    """Refuse a trigger that cannot be; ``others`` are those it would stand beside."""
    for _field, error in trigger_flaws(trigger, known, others):
        raise error


def trigger_flaws(trigger: Trigger, known: Known, others: Iterable[Trigger]) -> Iterator[tuple[str, RefusedError]]:
    """What is wrong with a trigger, each with the field that it is about."""
    checks: tuple[tuple[str, Callable[[], object]], ...] = (
        ("number", lambda: _check_trigger_number(trigger, known)),
        ("plan", lambda: trigger.plan is None or check_word(trigger.plan, "plan")),
        ("service", lambda: _check_trigger_service(trigger.service, known)),
        ("settings", lambda: check_settings(trigger.settings)),
        ("settings", lambda: _check_times(trigger, known)),
        ("number", lambda: _check_alone(trigger, others)),
    )
    for field, check in checks:
        try:
            check()
        except RefusedError as error:
            yield field, error


def _check_trigger_number(trigger: Trigger, known: Known) -> None:
    if trigger.point is Point.NUMBER:
        if not _DIALLED.fullmatch(trigger.number) or trigger.number == ANY_NUMBER:
            raise RefusedError(f"'{trigger.number}' is no code", "use up to 32 digits, * and #, such as *88*")
    elif trigger.number != ANY_NUMBER and not (trigger.point in _OF_LINES and trigger.number in known.trunks):
        known.demand_extension(trigger.number)


def _check_trigger_service(service: str, known: Known) -> None:
    check_service_name(service)
    known.demand_service(service)


def check_service_name(service: str) -> str:
    """The name of a service's file, without its ending."""
    if not SERVICE_NAME.fullmatch(service):
        raise RefusedError(f"'{service}' is no name of a service", "use lower-case letters, digits and _")
    return service


def _check_times(trigger: Trigger, known: Known) -> None:
    if trigger.point is Point.SCHEDULE:
        known.demand_schedule(read_times(trigger.settings).schedule)


def _check_alone(trigger: Trigger, others: Iterable[Trigger]) -> None:
    for other in others:
        same = (other.point, other.number, other.plan) == (trigger.point, trigger.number, trigger.plan)
        if same and other.id != trigger.id and trigger.point is not Point.SCHEDULE:
            raise RefusedError(
                f"trigger {other.id} is for {trigger.number} already",
                f"remove it with 'frontdesk service trigger remove {other.id}'",
            )


def check_setting(text: str) -> tuple[str, str]:
    """A setting as it is typed: ``NAME=VALUE``."""
    name, equals, value = text.partition("=")
    if not equals:
        raise RefusedError(f"'{text}' is no setting", "use NAME=VALUE")
    return name, value


def check_settings(settings: tuple[tuple[str, str], ...]) -> None:
    if len(settings) > MOST_SETTINGS:
        raise RefusedError(f"there are {len(settings)} settings", f"use at most {MOST_SETTINGS}")
    for name, value in settings:
        if not _SETTING.fullmatch(name):
            raise RefusedError(f"'{name}' is no name of a setting", "use at most 32 letters, digits and _")
        if len(value) > LONGEST_SETTING or not value.isprintable():
            raise RefusedError(f"the setting {name} cannot be used", f"use {LONGEST_SETTING} characters at most")
