"""Operators are added, changed and removed by command; an administrator always remains."""

from __future__ import annotations

from typing import Any

import pytest

from engine.core.errors import NotFoundError, RefusedError
from engine.desk.commands import (
    AddExtension,
    AddOperator,
    ListOperators,
    OperatorFields,
    RemoveOperator,
    SetOperator,
    ShowOperator,
)
from engine.desk.door import Desk
from engine.pbx.rights import OWNER
from engine.store.configuration import Role
from engine.store.passwords import check_operator
from engine.store.store import Store
from tests.unit.store.test_passwords import KEY, KEY_BODY


async def add(desk: Desk, login: str = "anna", **fields: Any) -> Any:
    return await desk.ask(OWNER, AddOperator(login, OperatorFields(**fields)))


async def change(desk: Desk, login: str = "anna", **fields: Any) -> None:
    await desk.ask(OWNER, SetOperator(login, OperatorFields(**fields)))


async def test_operator_without_password_or_key_gets_a_password(desk: Desk, store: Store) -> None:
    made = await add(desk)
    assert check_operator(store.configuration, "anna", made.password) is not None
    assert store.configuration.operators["anna"].role is Role.RECEPTIONIST


async def test_operator_with_a_key_needs_no_password(desk: Desk, store: Store) -> None:
    assert await add(desk, add_keys=(KEY,), role=Role.ADMIN) is None
    assert store.configuration.operators["anna"].keys == (KEY,)
    assert store.configuration.operators["anna"].password_hash is None


async def test_fields_change_one_by_one(desk: Desk, store: Store) -> None:
    await desk.ask(OWNER, AddExtension("101"))
    await add(desk, "boss", role=Role.ADMIN)
    await add(desk, password="s3cret")
    await change(desk, add_keys=(KEY,), extension="101", role=Role.SUPERVISOR)
    await change(desk, password="an0ther")
    anna = store.configuration.operators["anna"]
    assert (anna.role, anna.keys, anna.extension) == (Role.SUPERVISOR, (KEY,), "101")
    assert check_operator(store.configuration, "anna", "an0ther") is not None
    await change(desk, clear=frozenset({"password", "keys", "extension"}))
    anna = store.configuration.operators["anna"]
    assert (anna.password_hash, anna.keys, anna.extension) == (None, (), None)


async def test_no_face_sees_a_password_hash(desk: Desk) -> None:
    await add(desk, password="s3cret")
    (listed,) = await desk.ask(OWNER, ListOperators())
    shown = await desk.ask(OWNER, ShowOperator("anna"))
    assert "scrypt" not in repr((listed, shown))
    assert listed.password_hash is not None


async def test_last_administrator_stays(desk: Desk) -> None:
    await add(desk, "boss", role=Role.ADMIN)
    await add(desk, "anna")
    for deed in (
        desk.ask(OWNER, RemoveOperator("boss")),
        change(desk, "boss", role=Role.VIEWER),
        change(desk, "boss", clear=frozenset({"password"})),
    ):
        with pytest.raises(RefusedError, match="last administrator"):
            await deed
    await change(desk, "anna", role=Role.ADMIN)
    await desk.ask(OWNER, RemoveOperator("boss"))


async def test_missing_and_second_operators_are_named(desk: Desk) -> None:
    for command in (ShowOperator("eva"), RemoveOperator("eva"), SetOperator("eva", OperatorFields())):
        with pytest.raises(NotFoundError, match="no operator eva"):
            await desk.ask(OWNER, command)
    await add(desk)
    with pytest.raises(RefusedError, match="exists already"):
        await add(desk)


@pytest.mark.parametrize(
    ("login", "fields", "said"),
    [
        ("", {}, "no login"),
        ("an na", {}, "no login"),
        ("-anna", {}, "no login"),
        ("anna", {"password": "short"}, "6 to 128"),
        ("anna-b", {"password": "anna-b"}, "login itself"),
        ("anna", {"add_keys": ("ssh-ed25519 AAAA",)}, "public key"),
        ("anna", {"add_keys": (f"ssh-rsa {KEY_BODY}",)}, "public key"),
        ("anna", {"add_keys": ("-----BEGIN OPENSSH PRIVATE KEY-----",)}, ".pub"),
        ("anna", {"extension": "777"}, "no extension 777"),
        ("anna", {"clear": frozenset({"role"})}, "cannot be cleared"),
    ],
)
async def test_mistake_is_refused(desk: Desk, store: Store, login: str, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        await add(desk, login, **fields)
    assert store.configuration.operators == {}


async def test_nobody_logs_in_as_the_owner(desk: Desk) -> None:
    """The audit log could not tell them from whoever owns the folder."""
    with pytest.raises(RefusedError, match="choose another login"):
        await desk.ask(OWNER, AddOperator("owner", OperatorFields(password="s3cret")))
