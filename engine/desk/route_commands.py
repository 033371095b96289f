"""Commands about routes and inbound numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine.core.errors import NotFoundError, RefusedError
from engine.desk.checks import check_clear
from engine.desk.counter import Counter
from engine.desk.dialling import (
    Added,
    AddInbound,
    AddRoute,
    Checked,
    CheckInbound,
    CheckRoute,
    Flaw,
    InboundFields,
    ListInbound,
    ListRoutes,
    RemoveInbound,
    RemoveRoute,
    RouteFields,
    SetInbound,
    SetRoute,
    ShowRoute,
)
from engine.desk.routing_checks import Known, check_inbound, check_route, inbound_flaws, route_flaws, warnings_about
from engine.store.outside import InboundRule, RouteRule

if TYPE_CHECKING:
    from engine.store.rows import Rows

_BLANK = RouteRule(0, "")
_BLANK_INBOUND = InboundRule(0, "", "")
_TARGETS: dict[str, Any] = {"trunks": (), "extension": None, "group": None, "service": None}
ROUTE_CLEARABLE = ("caller", "plan", "strip", "prepend", "caller_as", "level", "when")
INBOUND_CLEARABLE = ("when",)


async def list_routes(counter: Counter, command: ListRoutes) -> tuple[RouteRule, ...]:
    return counter.configuration.routes


async def show_route(counter: Counter, command: ShowRoute) -> RouteRule:
    for rule in counter.configuration.routes:
        if rule.id == command.id:
            return rule
    raise missing_route(command.id)


async def add_route(counter: Counter, command: AddRoute) -> Added:
    def add(rows: Rows) -> Added:
        rule = changed_route(_BLANK, command.fields)
        warnings = _check(rows, counter, rule)
        return Added(rows.routes.add(rule), warnings)

    return await counter.change(add, "routes")


async def set_route(counter: Counter, command: SetRoute) -> Added:
    def change(rows: Rows) -> Added:
        current = rows.routes.find(command.id)
        if current is None:
            raise missing_route(command.id)
        rule = changed_route(current, command.fields)
        warnings = _check(rows, counter, rule)
        rows.routes.put(rule)
        return Added(rule.id, warnings)

    return await counter.change(change, "routes")


async def check_route_typed(counter: Counter, command: CheckRoute) -> Checked:
    others = counter.configuration.routes
    current = next((rule for rule in others if rule.id == command.id), _BLANK)
    rule, known = changed_route(current, command.fields), Known.now(counter.configuration, counter.store.folder)
    flaws = _told(route_flaws(rule, known, others))
    return Checked(flaws, () if flaws else warnings_about(rule, known, others))


async def check_inbound_typed(counter: Counter, command: CheckInbound) -> Checked:
    others = counter.configuration.inbound
    current = next((rule for rule in others if rule.id == command.id), _BLANK_INBOUND)
    known = Known.now(counter.configuration, counter.store.folder)
    return Checked(_told(inbound_flaws(changed_inbound(current, command.fields), known, others)))


def _told(flaws: Iterable[tuple[str, RefusedError]]) -> tuple[Flaw, ...]:
    return tuple(Flaw(name, error.what, error.mend) for name, error in flaws)


async def remove_route(counter: Counter, command: RemoveRoute) -> None:
    def remove(rows: Rows) -> None:
        if not rows.routes.remove(command.id):
            raise missing_route(command.id)

    await counter.change(remove, "routes")


async def list_inbound(counter: Counter, command: ListInbound) -> tuple[InboundRule, ...]:
    return counter.configuration.inbound


async def add_inbound(counter: Counter, command: AddInbound) -> Added:
    def add(rows: Rows) -> Added:
        rule = changed_inbound(_BLANK_INBOUND, command.fields)
        check_inbound(rule, Known.of(rows, counter.store.folder), rows.inbound.all())
        return Added(rows.inbound.add(rule))

    return await counter.change(add, "inbound numbers")


async def set_inbound(counter: Counter, command: SetInbound) -> Added:
    def change(rows: Rows) -> Added:
        current = rows.inbound.find(command.id)
        if current is None:
            raise missing_inbound(command.id)
        rule = changed_inbound(current, command.fields)
        check_inbound(rule, Known.of(rows, counter.store.folder), rows.inbound.all())
        rows.inbound.put(rule)
        return Added(rule.id)

    return await counter.change(change, "inbound numbers")


async def remove_inbound(counter: Counter, command: RemoveInbound) -> None:
    def remove(rows: Rows) -> None:
        if not rows.inbound.remove(command.id):
            raise missing_inbound(command.id)

    await counter.change(remove, "inbound numbers")


def changed_route(current: RouteRule, fields: RouteFields) -> RouteRule:
    """``current`` with ``fields`` applied, unchecked."""
    return replace(current, **_changes(_BLANK, fields, ROUTE_CLEARABLE))


def changed_inbound(current: InboundRule, fields: InboundFields) -> InboundRule:
    """``current`` with ``fields`` applied, unchecked."""
    return replace(current, **_changes(_BLANK_INBOUND, fields, INBOUND_CLEARABLE))


def missing_route(number: int) -> NotFoundError:
    return NotFoundError(f"there is no route {number}", "see 'frontdesk route list'")


def missing_inbound(number: int) -> NotFoundError:
    return NotFoundError(f"there is no inbound number {number}", "see 'frontdesk inbound list'")


def _changes(blank: Any, fields: Any, clearable: tuple[str, ...]) -> dict[str, Any]:
    names = [name for name in type(fields).__dataclass_fields__ if name != "clear"]
    given = {name: value for name in names if (value := getattr(fields, name)) is not None}
    check_clear(fields.clear, clearable, frozenset(given))
    changes = {name: getattr(blank, name) for name in fields.clear}
    if any(name in given for name in _TARGETS):
        changes |= {name: empty for name, empty in _TARGETS.items() if hasattr(blank, name)}
    if "trunks" in given:
        given["trunks"] = tuple(dict.fromkeys(given["trunks"]))
    return changes | given


def _check(rows: Rows, counter: Counter, rule: RouteRule) -> tuple[str, ...]:
    known, others = Known.of(rows, counter.store.folder), rows.routes.all()
    check_route(rule, known, others)
    return warnings_about(rule, known, others)
