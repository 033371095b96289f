"""Commands about extensions: checked here, stored in one transaction, known to the engine at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine.core.errors import NotFoundError, RefusedError
from engine.desk.checks import (
    check_clear,
    check_codecs,
    check_email,
    check_max_calls,
    check_max_devices,
    check_max_out,
    check_name,
    check_number,
    check_outside_number,
    check_phone_password,
    check_pin,
    check_right,
)
from engine.desk.commands import (
    AddExtension,
    ExtensionFields,
    ListExtensions,
    NewPassword,
    RemoveExtension,
    ResetPassword,
    SetExtension,
    ShowExtension,
)
from engine.desk.counter import Counter
from engine.desk.routing_checks import DEFAULT_PLAN, check_network, check_word
from engine.store.configuration import DigestSecrets, Extension
from engine.store.passwords import digest_secrets, make_password

if TYPE_CHECKING:
    from engine.store.rows import Rows

CLEARABLE = (
    "name", "codecs", "email", "max_calls", "level", "max_out", "outside_number", "plan", "from_network",
    "voicemail_pin",
)  # fmt: skip
_EMPTY: dict[str, Any] = {"codecs": (), "plan": DEFAULT_PLAN}
_HIDDEN = DigestSecrets("", "")


async def list_extensions(counter: Counter, command: ListExtensions) -> tuple[Extension, ...]:
    return tuple(_without_secrets(e) for e in counter.configuration.extensions.values())


async def show_extension(counter: Counter, command: ShowExtension) -> Extension:
    extension = counter.configuration.extensions.get(command.number)
    if extension is None:
        raise _missing(command.number)
    return _without_secrets(extension)


async def add_extension(counter: Counter, command: AddExtension) -> NewPassword | None:
    number = check_number(command.number)
    password = command.fields.password or make_password()
    blank = Extension(number=number, name=None, secrets=_HIDDEN)
    fields = replace(command.fields, password=password)
    realm = counter.configuration.realm

    def add(rows: Rows) -> None:
        if rows.extensions.find(number) is not None:
            raise RefusedError(
                f"extension {number} exists already", f"change it with 'frontdesk extension set {number}'"
            )
        _demand_level(rows, fields.level)
        rows.extensions.put(replace(changed_extension(blank, fields, realm), previous_secrets=None))

    changed_extension(blank, fields, realm)
    await counter.change(add, f"extension {number}")
    return None if command.fields.password else NewPassword(number, password)


async def set_extension(counter: Counter, command: SetExtension) -> None:
    await _change(counter, command.number, command.fields)


async def reset_password(counter: Counter, command: ResetPassword) -> NewPassword:
    password = make_password()
    await _change(counter, command.number, ExtensionFields(password=password))
    return NewPassword(command.number, password)


async def remove_extension(counter: Counter, command: RemoveExtension) -> None:
    def remove(rows: Rows) -> None:
        if not rows.extensions.remove(command.number):
            raise _missing(command.number)
        _demand_unused(rows, command.number)
        for group in rows.groups.all():
            if command.number in group.members:
                members = tuple(each for each in group.members if each != command.number)
                rows.groups.put(replace(group, members=members))
        for operator in rows.operators.all():
            if operator.extension == command.number:
                rows.operators.put(replace(operator, extension=None))

    await counter.change(remove, f"extension {command.number}")


def changed_extension(current: Extension, fields: ExtensionFields, realm: str) -> Extension:
    """``current`` with ``fields`` applied; raises ``RefusedError`` for what cannot be."""
    given = {name: getattr(fields, name) for name in CLEARABLE}
    check_clear(fields.clear, CLEARABLE, frozenset(name for name, value in given.items() if value is not None))
    changes: dict[str, Any] = {name: _EMPTY.get(name) for name in fields.clear}
    if fields.name is not None:
        changes["name"] = check_name(fields.name)
    if fields.password is not None:
        check_phone_password(current.number, fields.password)
        changes["secrets"] = digest_secrets(current.number, realm, fields.password)
        if changes["secrets"] != current.secrets:
            changes["previous_secrets"] = current.secrets
    if fields.multi_device is not None:
        changes["multi_device"] = fields.multi_device
    if fields.max_devices is not None:
        changes["max_devices"] = check_max_devices(fields.max_devices)
    if fields.max_calls is not None:
        changes["max_calls"] = check_max_calls(fields.max_calls)
    if fields.hold is not None:
        changes["hold"] = fields.hold
    if fields.reliable_provisional is not None:
        changes["reliable_provisional"] = fields.reliable_provisional
    if fields.codecs is not None:
        changes["codecs"] = check_codecs(fields.codecs)
    if fields.email is not None:
        changes["email"] = check_email(fields.email)
    if fields.level is not None:
        changes["level"] = check_word(fields.level, "level")
    if fields.max_out is not None:
        changes["max_out"] = check_max_out(fields.max_out)
    if fields.outside_number is not None:
        changes["outside_number"] = check_outside_number(fields.outside_number)
    if fields.plan is not None:
        changes["plan"] = check_word(fields.plan, "plan")
    if fields.from_network is not None:
        changes["from_network"] = check_network(fields.from_network)
    if fields.voicemail_pin is not None:
        changes["voicemail_pin"] = check_pin(fields.voicemail_pin)
    return replace(current, rights=_changed_rights(current, fields), **changes)


def _changed_rights(current: Extension, fields: ExtensionFields) -> frozenset[Any]:
    added = {check_right(word) for word in fields.add_rights}
    removed = {check_right(word) for word in fields.remove_rights}
    if both := added & removed:
        raise RefusedError(f"the right {min(both)} is both given and taken", "say one of them")
    return frozenset((current.rights | added) - removed)


async def _change(counter: Counter, number: str, fields: ExtensionFields) -> None:
    realm = counter.configuration.realm

    def change(rows: Rows) -> None:
        current = rows.extensions.find(number)
        if current is None:
            raise _missing(number)
        _demand_level(rows, fields.level)
        rows.extensions.put(changed_extension(current, fields, realm))

    await counter.change(change, f"extension {number}")


def _demand_level(rows: Rows, name: str | None) -> None:
    if name is not None and rows.levels.find(name) is None:
        raise NotFoundError(f"there is no level '{name}'", "see 'frontdesk level list'")


def _demand_unused(rows: Rows, number: str) -> None:
    """No route may lead to an extension that is gone."""
    users = [f"route {each.id}" for each in rows.routes.all() if each.extension == number]
    users += [f"inbound number {each.id}" for each in rows.inbound.all() if each.extension == number]
    if users:
        raise RefusedError(f"extension {number} is led to by {users[0]}", "remove that first, or lead it elsewhere")


def _without_secrets(extension: Extension) -> Extension:
    return replace(extension, secrets=_HIDDEN, previous_secrets=None, voicemail_pin=None)


def _missing(number: str) -> NotFoundError:
    return NotFoundError(f"there is no extension {number}", "see 'frontdesk extension list'")
