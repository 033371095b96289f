"""Commands about outside lines: checked here, stored in one transaction, known to the engine at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields as fields_of
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine.core.errors import NotFoundError, RefusedError
from engine.core.views import TrunkState, TrunkView
from engine.desk.checks import check_clear, check_codecs
from engine.desk.counter import Counter
from engine.desk.lines import AddTrunk, ListTrunks, RemoveTrunk, SetTrunk, ShowTrunk, TrunkFields
from engine.desk.trunk_checks import (
    CLEARABLE,
    check_limit,
    check_login_text,
    check_network,
    check_over_limit,
    check_proxy,
    check_trunk_host,
    check_trunk_name,
    check_trunk_port,
    check_whole_trunk,
)
from engine.store.outside import Trunk

if TYPE_CHECKING:
    from engine.store.rows import Rows

CHECKS: dict[str, Callable[[Any], Any]] = {
    "host": check_trunk_host,
    "port": check_trunk_port,
    "username": lambda text: check_login_text("user name", text),
    "password": lambda text: check_login_text("password", text),
    "proxy": check_proxy,
    "addresses": lambda texts: tuple(dict.fromkeys(check_network(text) for text in texts)),
    "max_in": lambda count: check_limit("max-in", count),
    "max_out": lambda count: check_limit("max-out", count),
    "reserve_emergency": lambda count: check_limit("reserve-emergency", count),
    "over_limit": check_over_limit,
    "codecs": check_codecs,
}
"""What is checked of each field by itself; words of an enumeration need no check."""
_NO_HOST = ""


async def list_trunks(counter: Counter, command: ListTrunks) -> tuple[TrunkView, ...]:
    if counter.office is not None:
        return counter.office.trunks()
    return tuple(
        TrunkView(
            trunk.name,
            TrunkState.UNREGISTERED if trunk.registers else TrunkState.STATIC,
            max_in=trunk.max_in,
            max_out=trunk.max_out,
        )
        for trunk in counter.configuration.trunks.values()
    )


async def show_trunk(counter: Counter, command: ShowTrunk) -> Trunk:
    trunk = counter.configuration.trunks.get(command.name)
    if trunk is None:
        raise _missing(command.name)
    return replace(trunk, password=None)


async def add_trunk(counter: Counter, command: AddTrunk) -> None:
    name = check_trunk_name(command.name)
    if command.fields.host is None:
        raise RefusedError(f"trunk {name} has no host", "give it --host HOST[:PORT]")
    made = changed_trunk(Trunk(name, _NO_HOST), command.fields)

    def add(rows: Rows) -> None:
        if rows.trunks.find(name) is not None:
            raise RefusedError(f"trunk {name} exists already", f"change it with 'frontdesk trunk set {name}'")
        rows.trunks.put(made)

    await counter.change(add, f"trunk {name}")


async def set_trunk(counter: Counter, command: SetTrunk) -> None:
    def change(rows: Rows) -> None:
        current = rows.trunks.find(command.name)
        if current is None:
            raise _missing(command.name)
        rows.trunks.put(changed_trunk(current, command.fields))

    await counter.change(change, f"trunk {command.name}")


async def remove_trunk(counter: Counter, command: RemoveTrunk) -> None:
    configuration, name = counter.configuration, command.name
    routes = [str(rule.id) for rule in configuration.routes if name in rule.trunks]
    if routes:
        raise RefusedError(
            f"trunk {name} is used by route {', '.join(routes)}", "remove or change that route first"
        )
    numbers = [str(rule.id) for rule in configuration.inbound if rule.trunk == name]
    if numbers:
        raise RefusedError(
            f"trunk {name} is used by inbound number {', '.join(numbers)}", "remove that inbound number first"
        )

    def remove(rows: Rows) -> None:
        if not rows.trunks.remove(name):
            raise _missing(name)

    await counter.change(remove, f"trunk {name}")


def changed_trunk(current: Trunk, fields: TrunkFields) -> Trunk:
    """``current`` with ``fields`` applied; raises ``RefusedError`` for what cannot be."""
    names = [each.name for each in fields_of(TrunkFields) if each.name != "clear"]
    given = {name: value for name in names if (value := getattr(fields, name)) is not None}
    check_clear(fields.clear, CLEARABLE, frozenset(given))
    changes: dict[str, Any] = {name: () if name in ("addresses", "codecs") else None for name in fields.clear}
    for name, value in given.items():
        changes[name] = CHECKS[name](value) if name in CHECKS else value
    return check_whole_trunk(replace(current, **changes))


def _missing(name: str) -> NotFoundError:
    return NotFoundError(f"there is no trunk '{name}'", "see 'frontdesk trunk list'")
