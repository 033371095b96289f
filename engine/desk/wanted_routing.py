"""What a configuration file wants of routes, inbound numbers, levels, schedules and lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from engine.core.errors import RefusedError
from engine.desk.hours_commands import checked_schedule
from engine.desk.routing_checks import (
    Known,
    check_inbound,
    check_network,
    check_rank,
    check_route,
    check_word,
    codes_of,
)
from engine.desk.screening_commands import checked_screen_row
from engine.desk.service_checks import check_group, check_setting, check_trigger
from engine.desk.toml_walk import Walk, of_type, texts, word
from engine.store.outside import AddressRow, InboundRule, Level, Night, RouteRule, Schedule, ScreenRow
from engine.store.services import DEFAULT_TIMEOUT_S, DEFAULT_TRIGGERS, Group, GroupKind, HuntOrder, Point, Trigger

ROUTING_TABLES = ("level", "schedule", "group", "route", "inbound", "trigger", "screen", "address")
_T = TypeVar("_T")
_TARGETS: dict[str, Any] = {"extension": str, "group": str, "service": str}
_ROUTE_KEYS: dict[str, Any] = {
    "called": str, "caller": str, "plan": str, "strip": int, "prepend": str, "caller_as": str, "level": str,
    "when": str, "emergency": bool, "trunks": tuple, **_TARGETS,
}  # fmt: skip
_INBOUND_KEYS: dict[str, Any] = {"trunk": str, "called": str, "when": str, **_TARGETS}
_SCREEN_KEYS: dict[str, Any] = {"caller": str, "called": str, "rate": int, "white": bool}
"""Of what kind each field is."""
_FIELDS = {"emergency": "is_emergency", "white": "is_white"}
"""What the file calls otherwise than we do."""
_SAID: dict[Any, str] = {str: "a text in quotes", int: "a whole number", bool: "true or false"}


@dataclass(frozen=True, slots=True)
class WantedRouting:
    """Where calls go and who is let in; what has a number has that of its place in the file."""

    levels: dict[str, Level]
    schedules: dict[str, Schedule]
    routes: tuple[RouteRule, ...]
    inbound: tuple[InboundRule, ...]
    groups: dict[str, Group]
    triggers: tuple[Trigger, ...]
    screening: tuple[ScreenRow, ...]
    addresses: dict[str, AddressRow]
    night: Night


class RoutingReader(Walk):
    """Reads these tables of a document."""

    def read(self, document: dict[str, Any], known: Known, levels_of: Mapping[str | None, str]) -> WantedRouting:
        """``known`` has the file's trunks and extensions, ``levels_of`` an extension for each level in use."""
        levels = {name: self._level(name, rank) for name, rank in self._table(document, "", "level").items()}
        for name, number in levels_of.items():
            if name is not None and name not in levels:
                with self._at(f"extension.{number}", "level"):
                    raise RefusedError(f"there is no level '{name}'", "add it, or name another")
        schedules = self._each(document, "schedule", self._schedule)
        groups = self._each(document, "group", self._group)
        for number, group in groups.items():
            with self._at(f"group.{number}", "members"):
                check_group(group, known)
        known = replace(known, levels=frozenset(levels), schedules=frozenset(schedules), groups=frozenset(groups))
        triggers = self._triggers(document, known)
        known = replace(known, codes=codes_of(triggers))
        with self._at("", "night"):
            night = word(Night, document.get("night", Night.AUTO.value))
        return WantedRouting(
            levels,
            schedules,
            self._checked_rows(self._rows(document, "route", self._route), "route", known, check_route),
            self._checked_rows(self._rows(document, "inbound", self._inbound), "inbound", known, check_inbound),
            groups,
            triggers,
            self._screening(document),
            self._addresses(document),
            night,
        )

    def _level(self, name: str, rank: Any) -> Level:
        with self._at("level", name):
            return Level(check_word(name, "level"), check_rank(of_type(rank, int, "a whole number")))

    def _schedule(self, name: str, table: dict[str, Any]) -> Schedule:
        place = f"schedule.{name}"
        self._only(table, place, ("when", "holidays"))
        with self._at(place, "holidays"):
            holidays = texts(table.get("holidays", []))
        with self._at(place, "when"):
            return checked_schedule(
                Schedule(name, of_type(table.get("when"), str, "the hours in quotes"), holidays)
            )

    def _route(self, place: str, table: dict[str, Any]) -> RouteRule:
        return RouteRule(**{"id": 0, "called": "", **self._values(table, place, _ROUTE_KEYS)})

    def _inbound(self, place: str, table: dict[str, Any]) -> InboundRule:
        return InboundRule(**{"id": 0, "trunk": "", "called": "", **self._values(table, place, _INBOUND_KEYS)})

    def _group(self, number: str, table: dict[str, Any]) -> Group:
        place = f"group.{number}"
        self._only(table, place, ("kind", "members", "order", "timeout"))
        with self._at(place, "kind"):
            kind = word(GroupKind, table.get("kind"))
        with self._at(place, "members"):
            members = texts(table.get("members", []))
        with self._at(place, "order"):
            order = word(HuntOrder, table.get("order", HuntOrder.LINEAR.value))
        with self._at(place, "timeout"):
            timeout = of_type(table.get("timeout", DEFAULT_TIMEOUT_S), int, "a whole number")
        return Group(number, kind, tuple(dict.fromkeys(members)), order, timeout)

    def _triggers(self, document: dict[str, Any], known: Known) -> tuple[Trigger, ...]:
        """A file that is older than triggers has those of a new office."""
        if "trigger" not in document:
            return DEFAULT_TRIGGERS
        return self._checked_rows(self._rows(document, "trigger", self._trigger), "trigger", known, check_trigger)

    def _trigger(self, place: str, table: dict[str, Any]) -> Trigger:
        self._only(table, place, ("number", "service", "point", "plan", "settings"))
        values = {key: self._text(table, place, key) for key in ("number", "service", "plan")}
        with self._at(place, "point"):
            point = word(Point, table.get("point", Point.NUMBER.value))
        with self._at(place, "settings"):
            settings = tuple(check_setting(text) for text in texts(table.get("settings", [])))
        return Trigger(0, values["number"] or "", values["service"] or "", point, values["plan"], settings)

    def _screening(self, document: dict[str, Any]) -> tuple[ScreenRow, ...]:
        rows: list[ScreenRow] = []
        for row in self._rows(document, "screen", self._screen_row):
            with self._at(f"screen.{len(rows) + 1}", "caller"):
                if any((other.caller, other.called) == (row.caller, row.called) for other in rows):
                    raise RefusedError("an earlier row is for the same calls", "keep one of them")
            rows.append(replace(row, id=len(rows) + 1))
        return tuple(rows)

    def _screen_row(self, place: str, table: dict[str, Any]) -> ScreenRow:
        values = self._values(table, place, _SCREEN_KEYS)
        with self._at(place, ""):
            return checked_screen_row(ScreenRow(**{"id": 0, "caller": "*", "called": "*", **values}))

    def _addresses(self, document: dict[str, Any]) -> dict[str, AddressRow]:
        table = self._table(document, "", "address")
        self._only(table, "address", ("allow", "block"))
        found: dict[str, AddressRow] = {}
        for key in ("allow", "block"):
            with self._at("address", key):
                for text in texts(table.get(key, [])):
                    network = check_network(text)
                    if network in found:
                        raise RefusedError(f"{network} is there twice", "keep one of them")
                    found[network] = AddressRow(network, key == "allow")
        return found

    def _values(self, table: dict[str, Any], place: str, keys: dict[str, Any]) -> dict[str, Any]:
        self._only(table, place, tuple(keys))
        values: dict[str, Any] = {}
        for key, kind in keys.items():
            if key in table:
                with self._at(place, key):
                    given = table[key]
                    read = texts(given) if kind is tuple else of_type(given, kind, _SAID[kind])
                    values[_FIELDS.get(key, key)] = read
        return values

    def _checked_rows(
        self, rows: tuple[_T, ...], kind: str, known: Known, check: Callable[[_T, Known, Iterable[_T]], None]
    ) -> tuple[_T, ...]:
        """The rows with numbers, each checked beside the ones before it."""
        found: list[_T] = []
        for row in rows:
            numbered: _T = replace(row, id=len(found) + 1)  # type: ignore[type-var]
            with self._at(f"{kind}.{len(found) + 1}", ""):
                check(numbered, known, found)
            found.append(numbered)
        return tuple(found)
