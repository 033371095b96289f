"""The rules of one configuration, sorted so that a call finds its own among thousands at once."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from engine.core.errors import RefusedError
from engine.pbx.routing.numbers import Numbering
from engine.pbx.routing.schedule import Hours, read_hours
from engine.store.configuration import Configuration, Extension
from engine.store.outside import ANY, InboundRule, RouteRule, Schedule
from engine.store.services import ANY_NUMBER, Point, Trigger

log = logging.getLogger(__name__)

_TABLES_KEPT = 4
"""More than one, because a process may hold several offices."""


class CallerTable:
    """The rules of one called prefix, by caller prefix."""

    __slots__ = ("_by_prefix", "_lengths")

    def __init__(self, rules: Iterable[RouteRule]) -> None:
        sorted_in: defaultdict[str, list[RouteRule]] = defaultdict(list)
        for rule in rules:
            sorted_in["" if rule.caller == ANY else rule.caller].append(rule)
        self._by_prefix = {prefix: tuple(found) for prefix, found in sorted_in.items()}
        self._lengths = tuple(sorted({len(prefix) for prefix in sorted_in}, reverse=True))

    def matches(self, caller: str) -> list[RouteRule]:
        """The rules that the caller's number begins with, the longest prefix first."""
        found: list[RouteRule] = []
        for length in self._lengths:
            if length <= len(caller):
                found += self._by_prefix.get(caller[:length], ())
        return found


class CalledTable:
    """The rules of one dial plan, by called prefix."""

    __slots__ = ("_by_prefix", "_lengths")

    def __init__(self, rules: Iterable[RouteRule]) -> None:
        sorted_in: defaultdict[str, list[RouteRule]] = defaultdict(list)
        for rule in rules:
            sorted_in["" if rule.called == ANY else rule.called].append(rule)
        self._by_prefix = {prefix: CallerTable(found) for prefix, found in sorted_in.items()}
        self._lengths = tuple(sorted({len(prefix) for prefix in sorted_in}, reverse=True))

    def matches(self, dialled: str) -> list[CallerTable]:
        """What the dialled number begins with, the longest prefix first."""
        found: list[CallerTable] = []
        for length in self._lengths:
            if length <= len(dialled):
                table = self._by_prefix.get(dialled[:length])
                if table is not None:
                    found.append(table)
        return found


class RoutingTable:
    """What routing needs of one configuration."""

    __slots__ = (
        "_codes",
        "_emergency",
        "_hours",
        "_inbound",
        "_outside_numbers",
        "_plans",
        "_points",
        "_prefixes",
        "configuration",
        "has_emergency",
        "numbering",
        "timed",
        "zone",
    )  # fmt: skip

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.numbering = Numbering(configuration.params)
        zone = configuration.params["timezone"]
        self.zone = None if zone is None else ZoneInfo(zone)
        self._hours = {name: _hours_or_none(schedule) for name, schedule in configuration.schedules.items()}
        self._plans = _plans(configuration.routes)
        self._emergency = CalledTable(_in_order(rule for rule in configuration.routes if rule.is_emergency))
        self.has_emergency = any(rule.is_emergency for rule in configuration.routes)
        self._inbound = _by_trunk(configuration.inbound)
        numbers = [each for each in configuration.triggers if each.point is Point.NUMBER]
        self._codes = {(each.plan, each.number): each for each in reversed(numbers)}
        codes = [each for each in numbers if each.number.endswith("*") and len(each.number) > 1]
        self._prefixes = tuple(sorted(codes, key=lambda each: (-len(each.number), each.plan is None, each.id)))
        others = [each for each in configuration.triggers if each.point is not Point.NUMBER]
        self.timed = tuple(each for each in others if each.point is Point.SCHEDULE)
        """The services that begin at times of their own."""
        self._points = {(each.point, each.number): each for each in reversed(others)}
        self._outside_numbers = self._forms_of_extensions(configuration.extensions.values())

    def plan(self, name: str) -> CalledTable:
        """A dial plan's rules; those for emergency calls hold in every plan."""
        return self._plans.get(name) or self._emergency

    def emergency_rules(self, number: str, caller: str) -> list[RouteRule]:
        """The rules for emergency calls that name the whole of a number."""
        found = []
        for callers in self._emergency.matches(number):
            found += [rule for rule in callers.matches(caller) if rule.called == number]
        return found

    def inbound(self, trunk: str, dialled: str) -> list[InboundRule]:
        """The rules of a trunk that any form of the number begins with, the longest prefix first."""
        forms = self.numbering.forms(dialled)
        rules = self._inbound.get(trunk, ())
        return [rule for rule in rules if rule.called == ANY or any(form.startswith(rule.called) for form in forms)]

    def code(self, plan: str, number: str) -> tuple[Trigger, str] | None:
        """The service behind a number, and what was dialled behind its code."""
        trigger = self._codes.get((plan, number)) or self._codes.get((None, number))
        if trigger is not None:
            return trigger, ""
        for each in self._prefixes:
            if number.startswith(each.number) and each.plan in (None, plan):
                return each, number[len(each.number) :]
        return None

    def trigger_at(self, point: Point, extension: str) -> Trigger | None:
        """The service that meets a call of an extension, or of an outside line, at this point."""
        if not self._points:
            return None
        return self._points.get((point, extension)) or self._points.get((point, ANY_NUMBER))

    def extension_outside(self, dialled: str) -> Extension | None:
        """Whose outside number this is."""
        for form in self.numbering.forms(dialled):
            number = self._outside_numbers.get(form)
            if number is not None:
                return self.configuration.extensions[number]
        return None

    def holds(self, when: str | None, at: datetime) -> bool:
        """Whether a schedule holds at a moment; one that is missing or spoilt never does."""
        if when is None:
            return True
        hours = self._hours.get(when)
        return hours is not None and hours.hold(self.local(at), self.configuration.night)

    def local(self, at: datetime) -> datetime:
        """A moment in the office's own time."""
        return at.astimezone(self.zone)

    def has_level(self, caller: Extension, needed: str | None) -> bool:
        """Whether an extension may do what needs a level; a level that is missing nobody has."""
        if needed is None:
            return True
        levels = self.configuration.levels
        least = levels.get(needed)
        own = levels.get(caller.level) if caller.level is not None else None
        return least is not None and own is not None and own.rank >= least.rank

    def _forms_of_extensions(self, extensions: Iterable[Extension]) -> dict[str, str]:
        found: dict[str, str] = {}
        for extension in extensions:
            if extension.outside_number is not None:
                for form in self.numbering.forms(extension.outside_number):
                    found.setdefault(form, extension.number)
        return found


_tables: dict[int, RoutingTable] = {}


def table_of(configuration: Configuration) -> RoutingTable:
    """The table of a configuration, made when it is first asked for."""
    table = _tables.get(id(configuration))
    if table is None or table.configuration is not configuration:
        while len(_tables) >= _TABLES_KEPT:
            del _tables[next(iter(_tables))]
        table = _tables[id(configuration)] = RoutingTable(configuration)
    return table


def _plans(rules: tuple[RouteRule, ...]) -> dict[str, CalledTable]:
    emergency = [rule for rule in rules if rule.is_emergency]
    plans = {}
    for name in {rule.plan for rule in rules}:
        own = _in_order(rule for rule in rules if rule.plan == name)
        plans[name] = CalledTable(own + _in_order(rule for rule in emergency if rule.plan != name))
    return plans


def _in_order(rules: Iterable[RouteRule]) -> list[RouteRule]:
    """Of rules with the same prefixes those with a schedule come first, then the older ones."""
    return sorted(rules, key=lambda rule: (rule.when is None, rule.id))


def _by_trunk(rules: tuple[InboundRule, ...]) -> dict[str, tuple[InboundRule, ...]]:
    sorted_in: defaultdict[str, list[InboundRule]] = defaultdict(list)
    for rule in rules:
        sorted_in[rule.trunk].append(rule)
    return {trunk: tuple(sorted(found, key=_inbound_order)) for trunk, found in sorted_in.items()}


def _inbound_order(rule: InboundRule) -> tuple[int, bool, int]:
    return (0 if rule.called == ANY else -len(rule.called), rule.when is None, rule.id)


def _hours_or_none(schedule: Schedule) -> Hours | None:
    try:
        return read_hours(schedule)
    except RefusedError as error:
        log.warning("schedule %s cannot be read and never holds: %s", schedule.name, error)
        return None
