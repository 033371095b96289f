"""Extensions are added, changed and removed by command, and every mistake is named."""

from __future__ import annotations

from typing import Any

import pytest

from engine.core.errors import NotFoundError, RefusedError
from engine.desk.commands import (
    AddExtension,
    AddOperator,
    ExtensionFields,
    ListExtensions,
    OperatorFields,
    RemoveExtension,
    ResetPassword,
    SetExtension,
    ShowExtension,
)
from engine.desk.door import Desk
from engine.pbx.rights import OWNER
from engine.store.configuration import Extension, HoldPolicy, Right
from engine.store.passwords import digest_secrets
from engine.store.store import Store


async def add(desk: Desk, number: str = "101", **fields: Any) -> Any:
    return await desk.ask(OWNER, AddExtension(number, ExtensionFields(**fields)))


async def change(desk: Desk, **fields: Any) -> Any:
    return await desk.ask(OWNER, SetExtension("101", ExtensionFields(**fields)))


async def show(desk: Desk, number: str = "101") -> Extension:
    shown = await desk.ask(OWNER, ShowExtension(number))
    assert isinstance(shown, Extension)
    return shown


async def test_extension_without_password_gets_a_strong_one(desk: Desk, store: Store) -> None:
    made = await add(desk)
    assert made.account == "101"
    assert len(made.password) == 19
    stored = store.configuration.extensions["101"].secrets
    assert stored == digest_secrets("101", store.configuration.realm, made.password)


async def test_given_password_is_not_given_back(desk: Desk) -> None:
    assert await add(desk, password="hunter2") is None


async def test_every_field_arrives(desk: Desk) -> None:
    fields: dict[str, Any] = {
        "name": " Anna Berger 陈 ",
        "multi_device": True,
        "max_devices": 5,
        "max_calls": 4,
        "add_rights": frozenset({"listen", "pickup"}),
        "hold": HoldPolicy.PASS,
        "codecs": ("g722", "PCMA", "G722"),
        "email": "anna@example.org",
    }
    await add(desk, **fields)
    shown = await show(desk)
    assert shown.name == "Anna Berger 陈"
    assert (shown.multi_device, shown.max_devices, shown.max_calls) == (True, 5, 4)
    assert shown.rights == {Right.LISTEN, Right.PICKUP}
    assert shown.hold is HoldPolicy.PASS
    assert shown.codecs == ("G722", "PCMA")
    assert shown.email == "anna@example.org"


async def test_only_named_fields_change(desk: Desk) -> None:
    await add(desk, name="Anna", max_calls=4, add_rights=frozenset({"listen"}))
    await change(desk, add_rights=frozenset({"record"}), remove_rights=frozenset({"listen"}))
    shown = await show(desk)
    assert (shown.name, shown.max_calls, shown.rights) == ("Anna", 4, {Right.RECORD})


async def test_cleared_fields_are_empty_and_calls_unlimited(desk: Desk) -> None:
    await add(desk, name="Anna", email="a@b", codecs=("PCMA",))
    await change(desk, clear=frozenset({"name", "email", "codecs", "max_calls"}))
    shown = await show(desk)
    assert (shown.name, shown.email, shown.codecs, shown.max_calls) == (None, None, (), None)


async def test_password_before_the_last_change_is_kept_to_recognize_a_phone(desk: Desk, store: Store) -> None:
    await add(desk, password="first-one")
    made = await desk.ask(OWNER, ResetPassword("101"))
    realm = store.configuration.realm
    kept = store.configuration.extensions["101"]
    assert kept.secrets == digest_secrets("101", realm, made.password)
    assert kept.previous_secrets == digest_secrets("101", realm, "first-one")


async def test_no_face_sees_secrets(desk: Desk) -> None:
    await add(desk, password="first-one")
    await change(desk, password="second-one")
    (listed,) = await desk.ask(OWNER, ListExtensions())
    for extension in (listed, await show(desk)):
        assert extension.secrets.md5 == extension.secrets.sha256 == ""
        assert extension.previous_secrets is None


async def test_removed_extension_is_gone_and_its_operator_stays(desk: Desk, store: Store) -> None:
    await add(desk)
    await desk.ask(OWNER, AddOperator("anna", OperatorFields(extension="101")))
    await desk.ask(OWNER, RemoveExtension("101"))
    assert store.configuration.extensions == {}
    assert store.configuration.operators["anna"].extension is None


async def test_second_extension_of_one_number_is_refused(desk: Desk) -> None:
    await add(desk)
    with pytest.raises(RefusedError, match="exists already"):
        await add(desk)


async def test_missing_extension_is_named(desk: Desk) -> None:
    for command in (ShowExtension("109"), RemoveExtension("109"), ResetPassword("109")):
        with pytest.raises(NotFoundError, match="no extension 109"):
            await desk.ask(OWNER, command)
    with pytest.raises(NotFoundError):
        await change(desk, name="x")


@pytest.mark.parametrize("number", ["", "1", "1" * 16, "*75", "10a", "１０１", "101 ", "10\n1"])
async def test_what_is_no_number_is_refused(desk: Desk, number: str) -> None:
    with pytest.raises(RefusedError, match="digits"):
        await add(desk, number)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "a\x1b[2J"}, "one line"),
        ({"name": "  "}, "--clear name"),
        ({"name": "x" * 65}, "64"),
        ({"password": "101"}, "characters"),
        ({"password": "abc\ndef"}, "typed"),
        ({"max_devices": 0}, "1 to 20"),
        ({"max_devices": 21}, "1 to 20"),
        ({"max_calls": 0}, "unlimited"),
        ({"add_rights": frozenset({"fly"})}, "barge-in"),
        ({"add_rights": frozenset({"listen"}), "remove_rights": frozenset({"listen"})}, "both"),
        ({"codecs": ("MP3",)}, "PCMA"),
        ({"email": "anna"}, "example.org"),
        ({"clear": frozenset({"password"})}, "cannot be cleared"),
        ({"clear": frozenset({"name"}), "name": "Anna"}, "both"),
    ],
)
async def test_mistake_is_refused_and_changes_nothing(
    desk: Desk, store: Store, fields: dict[str, Any], said: str
) -> None:
    await add(desk, name="Berta")
    before = store.configuration
    with pytest.raises(RefusedError, match=said):
        await change(desk, **fields)
    with pytest.raises(RefusedError, match=said):
        await add(desk, "102", **fields)
    assert store.configuration is before


async def test_password_must_not_be_the_number(desk: Desk) -> None:
    with pytest.raises(RefusedError, match="number itself"):
        await add(desk, "1001", password="1001")
