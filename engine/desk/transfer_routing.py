"""The part of an import that concerns routes, inbound numbers, levels, schedules and lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from engine.store.outside import InboundRule, Night, RouteRule, ScreenRow
from engine.store.services import Trigger

if TYPE_CHECKING:
    from engine.desk.wanted_routing import WantedRouting
    from engine.store.routing import NamedRows, NumberedRows
    from engine.store.rows import Rows

Compare = Callable[[str, Any, Any, Mapping[str, str]], None]
"""Notes what changes: a name, the value before (``None`` for a new one), the one after, its fields."""
NoteRemoved = Callable[[str, Iterable[str]], None]


class RoutingImport:
    """Makes these tables what a file wants, inside one transaction."""

    def __init__(self, rows: Rows, compare: Compare, note_removed: NoteRemoved, *, is_dry: bool) -> None:
        self._rows = rows
        self._compare = compare
        self._note_removed = note_removed
        self._is_dry = is_dry

    def carry_out(self, wanted: WantedRouting) -> None:
        """Change what differs; what stays keeps its number, and a screening row its count."""
        rows = self._rows
        self._named("level", rows.levels, wanted.levels, lambda level: level.name)
        self._named("schedule", rows.schedules, wanted.schedules, lambda schedule: schedule.name)
        self._named("group", rows.groups, wanted.groups, lambda group: group.number)
        self._numbered("trigger", rows.triggers, wanted.triggers, _trigger_name)
        self._numbered("route", rows.routes, wanted.routes, _route_name)
        self._numbered("inbound number", rows.inbound, wanted.inbound, _inbound_name)
        self._numbered("screening", rows.screening, wanted.screening, _screen_name)
        self._named("address", rows.addresses, wanted.addresses, lambda row: row.network)
        self._change_night(wanted.night)

    def _named(
        self, kind: str, table: NamedRows[Any], wanted: Mapping[str, Any], name: Callable[[Any], str]
    ) -> None:
        current = {name(each): each for each in table.all()}
        for key, after in wanted.items():
            before = current.get(key)
            if before != after:
                self._compare(f"{kind} {key}", before, after, _names(after))
                if not self._is_dry:
                    table.put(after)
        gone = sorted(current.keys() - wanted.keys())
        self._note_removed(kind, gone)
        if not self._is_dry:
            for key in gone:
                table.remove(key)

    def _numbered(
        self, kind: str, table: NumberedRows[Any], wanted: tuple[Any, ...], name: Callable[[Any], str]
    ) -> None:
        """What makes a row unlike all others is its name: by that it is found again."""
        current = {name(each): each for each in table.all()}
        names = {name(each): each for each in wanted}
        gone = [key for key in current if key not in names]
        self._note_removed(kind, gone)
        if not self._is_dry:
            for key in gone:
                table.remove(current[key].id)
        for key, each in names.items():
            before = current.get(key)
            after = replace(each, id=before.id) if before is not None else each
            if before == after:
                continue
            self._compare(f"{kind} {key}", before, after, _names(after))
            if not self._is_dry and before is not None:
                table.put(after)
            elif not self._is_dry:
                table.add(after)

    def _change_night(self, after: Night) -> None:
        before = self._rows.site.find("night") or Night.AUTO.value
        if before != after.value:
            self._compare("night switch", _Switch(before), _Switch(after.value), {"position": "position"})
            if not self._is_dry:
                self._rows.site.put("night", after.value)


class _Switch:
    def __init__(self, position: str) -> None:
        self.position = position


def _names(value: Any) -> dict[str, str]:
    return {each.name: each.name for each in fields(value) if each.name not in ("id", "name", "network", "number")}


def _route_name(rule: RouteRule) -> str:
    caller = f" for callers {rule.caller}" if rule.caller != "*" else ""
    plan = f" in plan {rule.plan}" if rule.plan != "default" else ""
    return f"{rule.called}{caller}{plan}" + (f" when {rule.when}" if rule.when else "")


def _inbound_name(rule: InboundRule) -> str:
    return f"{rule.called} on {rule.trunk}" + (f" when {rule.when}" if rule.when else "")


def _trigger_name(trigger: Trigger) -> str:
    plan = f" in plan {trigger.plan}" if trigger.plan is not None else ""
    return f"{trigger.point.value} {trigger.number}{plan}"


def _screen_name(row: ScreenRow) -> str:
    return f"{row.caller} to {row.called}"
