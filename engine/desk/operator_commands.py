"""Commands about operators: who may log in to the console, and as what."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.core.errors import NotFoundError, RefusedError
from engine.desk.checks import check_clear, check_key, check_login, check_operator_password
from engine.desk.commands import (
    AddOperator,
    ListOperators,
    NewPassword,
    OperatorFields,
    RemoveOperator,
    SetOperator,
    ShowOperator,
)
from engine.desk.counter import Counter
from engine.store.configuration import Operator, Role
from engine.store.passwords import hash_password, make_password

if TYPE_CHECKING:
    from engine.store.rows import Rows

CLEARABLE = ("password", "keys", "extension")
MOST_KEYS = 20


async def list_operators(counter: Counter, command: ListOperators) -> tuple[Operator, ...]:
    return tuple(_without_hash(operator) for operator in counter.configuration.operators.values())


async def show_operator(counter: Counter, command: ShowOperator) -> Operator:
    operator = counter.configuration.operators.get(command.login)
    if operator is None:
        raise _missing(command.login)
    return _without_hash(operator)


async def add_operator(counter: Counter, command: AddOperator) -> NewPassword | None:
    login = check_login(command.login)
    fields = command.fields
    made_up = None if fields.password or fields.add_keys else make_password()
    fields = replace(fields, password=fields.password or made_up)
    blank = Operator(login, Role.RECEPTIONIST, None)
    hashed = await _hash(login, fields)

    def add(rows: Rows) -> None:
        if rows.operators.find(login) is not None:
            raise RefusedError(
                f"operator {login} exists already", f"change them with 'frontdesk operator set {login}'"
            )
        rows.operators.put(_changed(rows, blank, fields, hashed))

    await counter.change(add, f"operator {login}")
    return NewPassword(login, made_up) if made_up else None


async def set_operator(counter: Counter, command: SetOperator) -> None:
    login = command.login
    hashed = await _hash(login, command.fields)

    def change(rows: Rows) -> None:
        current = rows.operators.find(login)
        if current is None:
            raise _missing(login)
        changed = _changed(rows, current, command.fields, hashed)
        demand_administrator(changed if other.login == login else other for other in rows.operators.all())
        rows.operators.put(changed)

    await counter.change(change, f"operator {login}")


async def remove_operator(counter: Counter, command: RemoveOperator) -> None:
    login = command.login

    def remove(rows: Rows) -> None:
        if rows.operators.find(login) is None:
            raise _missing(login)
        demand_administrator(other for other in rows.operators.all() if other.login != login)
        rows.operators.remove(login)

    await counter.change(remove, f"operator {login}")


async def _hash(login: str, fields: OperatorFields) -> str | None:
    if fields.password is None:
        return None
    check_operator_password(login, fields.password)
    return await asyncio.get_running_loop().run_in_executor(None, hash_password, fields.password)


def _changed(rows: Rows, current: Operator, fields: OperatorFields, hashed: str | None) -> Operator:
    given = {"password": fields.password, "keys": fields.add_keys or None, "extension": fields.extension}
    check_clear(fields.clear, CLEARABLE, frozenset(name for name, value in given.items() if value is not None))
    if fields.extension is not None and rows.extensions.find(fields.extension) is None:
        raise RefusedError(f"there is no extension {fields.extension}", "add it first, or name another")
    kept = () if "keys" in fields.clear else current.keys
    keys = tuple(dict.fromkeys((*kept, *(check_key(line) for line in fields.add_keys))))
    if len(keys) > MOST_KEYS:
        raise RefusedError(f"{current.login} would have {len(keys)} keys", f"keep at most {MOST_KEYS}")
    return Operator(
        login=current.login,
        role=fields.role or current.role,
        password_hash=hashed or (None if "password" in fields.clear else current.password_hash),
        keys=keys,
        extension=fields.extension or (None if "extension" in fields.clear else current.extension),
    )


def demand_administrator(operators: Iterable[Operator]) -> None:
    """Raise ``RefusedError`` unless one of these may do everything and can log in."""
    if not any(o.role is Role.ADMIN and (o.password_hash or o.keys) for o in operators):
        raise RefusedError(
            "this is the last administrator who can log in",
            "make another with 'frontdesk operator add --role admin'",
        )


def _without_hash(operator: Operator) -> Operator:
    return replace(operator, password_hash="set" if operator.password_hash else None)


def _missing(login: str) -> NotFoundError:
    return NotFoundError(f"there is no operator {login}", "see 'frontdesk operator list'")
