"""Commands about services, what leads to them, groups, forwarding and do not disturb."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine.core.errors import NotFoundError, RefusedError
from engine.core.paths import LUA
from engine.desk.checks import FORWARDS, check_target
from engine.desk.counter import Counter
from engine.desk.dialling import Checked, Flaw
from engine.desk.routing_checks import Known
from engine.desk.service_checks import check_group, check_setting, check_trigger, group_flaws, trigger_flaws
from engine.desk.services import (
    AddGroup,
    AddTrigger,
    CheckDiversion,
    CheckGroup,
    CheckTrigger,
    GroupFields,
    GroupView,
    ListGroups,
    ListMessages,
    ListRecordings,
    ListServices,
    ListTriggers,
    MessageView,
    RecordingView,
    RemoveGroup,
    RemoveMessages,
    RemoveTrigger,
    RunService,
    ServiceView,
    SetDiversion,
    SetDnd,
    SetForward,
    SetGroup,
    SetTrigger,
    ShowGroup,
    TriggerView,
)
from engine.pbx.messages import messages_of, recordings_in, remove_message
from engine.pbx.rights import demand_role, may_forward
from engine.pbx.service import ServiceFile, service_names
from engine.store.configuration import Extension, Role
from engine.store.services import Group, GroupKind, Point, Trigger

if TYPE_CHECKING:
    from engine.store.rows import Rows


async def list_services(counter: Counter, command: ListServices) -> tuple[ServiceView, ...]:
    configuration = counter.configuration
    leads: dict[str, list[str]] = {}
    for each in configuration.triggers:
        said = each.number if each.point is Point.NUMBER else f"{each.point.value} {each.number}"
        leads.setdefault(each.service, []).append(said)
    code = configuration.params["code_echo_test"]
    if code is not None:
        leads.setdefault("echo", []).append(code)
    if counter.office is not None:
        files = await counter.office.services()
        return tuple(_service_view(each, tuple(leads.get(each.name, ()))) for each in files)
    own = counter.store.folder / "lua" / "services"
    found = []
    for name in sorted(service_names(own, LUA / "services")):
        is_own = (own / f"{name}.lua").is_file()
        path = (own if is_own else LUA / "services") / f"{name}.lua"
        found.append(ServiceView(name, str(path), is_own, None, tuple(leads.get(name, ()))))
    return tuple(found)


def _service_view(file: ServiceFile, leads: tuple[str, ...]) -> ServiceView:
    failed = file.failed
    view = ServiceView(file.name, file.path, file.is_own, file.error, leads)
    if failed is None:
        return view
    return replace(view, failure=failed.reason, trace=failed.trace, failed_at=failed.at, failed_call=failed.call)


async def run_service(counter: Counter, command: RunService) -> None:
    office = counter.running_office()
    if command.extension != counter.asker.extension:  # services act by the rights of whose phone they are on
        demand_role(counter.asker, Role.ADMIN, f"act with the phone of {command.extension}")
    if command.extension not in counter.configuration.extensions:
        raise _missing_extension(command.extension)
    Known.now(counter.configuration, counter.store.folder).demand_service(command.service)
    settings = dict(check_setting(text) for text in command.settings)
    await office.run_service(command.service, command.extension, settings)


async def list_messages(counter: Counter, command: ListMessages) -> tuple[MessageView, ...]:
    _demand_box(counter, command.number)
    return tuple(
        MessageView(each.name, each.caller, each.at, each.is_new, each.seconds)
        for each in messages_of(counter.store.folder, command.number)
    )


async def remove_messages(counter: Counter, command: RemoveMessages) -> int:
    _demand_box(counter, command.number)
    folder, number = counter.store.folder, command.number
    known = [each.name for each in messages_of(folder, number)]
    for name in command.names:
        if name not in known:
            raise NotFoundError(f"there is no message '{name}'", f"see 'frontdesk voicemail list {number}'")
    count = sum(remove_message(folder, number, name) for name in command.names or known)
    if counter.office is not None:
        counter.office.touch_mailbox(number)
    return count


def _demand_box(counter: Counter, number: str) -> None:
    if number not in counter.configuration.extensions:
        raise _missing_extension(number)


async def list_recordings(counter: Counter, command: ListRecordings) -> tuple[RecordingView, ...]:
    found = await asyncio.to_thread(recordings_in, counter.store.folder)
    return tuple(RecordingView(str(each.path), each.call, each.at, each.seconds) for each in found)


async def list_triggers(counter: Counter, command: ListTriggers) -> tuple[TriggerView, ...]:
    return tuple(
        TriggerView(
            each.id, each.number, each.service, each.point, each.plan,
            tuple(f"{name}={value}" for name, value in each.settings),
        )
        for each in counter.configuration.triggers
    )  # fmt: skip


async def add_trigger(counter: Counter, command: AddTrigger) -> int:
    trigger = _trigger_of(command, 0)

    def add(rows: Rows) -> int:
        check_trigger(trigger, Known.of(rows, counter.store.folder), rows.triggers.all())
        return rows.triggers.add(trigger)

    return await counter.change(add, "triggers")


async def set_trigger(counter: Counter, command: SetTrigger) -> None:
    trigger = _trigger_of(command, command.id)

    def change(rows: Rows) -> None:
        others = rows.triggers.all()
        if all(other.id != command.id for other in others):
            raise _missing_trigger(command.id)
        check_trigger(trigger, Known.of(rows, counter.store.folder), others)
        rows.triggers.put(trigger)

    await counter.change(change, "triggers")


async def check_trigger_typed(counter: Counter, command: CheckTrigger) -> Checked:
    configuration = counter.configuration
    known = Known.now(configuration, counter.store.folder)
    flaws = []
    try:
        trigger = _trigger_of(command, command.id or 0)
    except RefusedError as error:
        flaws.append(Flaw("settings", error.what, error.mend))
        trigger = Trigger(command.id or 0, command.number, command.service, command.point, command.plan)
    flaws += [
        Flaw(field, error.what, error.mend)
        for field, error in trigger_flaws(trigger, known, configuration.triggers)
    ]
    return Checked(tuple(flaws))


def _trigger_of(command: AddTrigger | SetTrigger | CheckTrigger, number: int) -> Trigger:
    settings = tuple(check_setting(text) for text in command.settings)
    return Trigger(number, command.number, command.service, command.point, command.plan, settings)


async def remove_trigger(counter: Counter, command: RemoveTrigger) -> None:
    def remove(rows: Rows) -> None:
        if not rows.triggers.remove(command.id):
            raise _missing_trigger(command.id)

    await counter.change(remove, "triggers")


async def list_groups(counter: Counter, command: ListGroups) -> tuple[GroupView, ...]:
    return tuple(_view(group) for group in counter.configuration.groups.values())


async def show_group(counter: Counter, command: ShowGroup) -> GroupView:
    group = counter.configuration.groups.get(command.number)
    if group is None:
        raise _missing_group(command.number)
    return _view(group)


async def add_group(counter: Counter, command: AddGroup) -> None:
    number = command.number

    def add(rows: Rows) -> None:
        if rows.groups.find(number) is not None:
            raise RefusedError(f"group {number} exists already", f"change it with 'frontdesk group set {number}'")
        group = _changed(Group(number, GroupKind.RING), command.fields)
        check_group(group, Known.of(rows, counter.store.folder))
        rows.groups.put(group)

    await counter.change(add, f"group {number}")


async def set_group(counter: Counter, command: SetGroup) -> None:
    number = command.number

    def change(rows: Rows) -> None:
        current = rows.groups.find(number)
        if current is None:
            raise _missing_group(number)
        group = _changed(current, command.fields)
        check_group(group, Known.of(rows, counter.store.folder))
        rows.groups.put(group)

    await counter.change(change, f"group {number}")


async def check_group_typed(counter: Counter, command: CheckGroup) -> Checked:
    configuration = counter.configuration
    current = configuration.groups.get(command.number)
    flaws = []
    if command.is_new and current is not None:
        flaws.append(Flaw("number", f"group {command.number} exists already", "give it another number"))
    group = _changed(current or Group(command.number, GroupKind.RING), command.fields)
    known = Known.now(configuration, counter.store.folder)
    flaws += [Flaw(field, error.what, error.mend) for field, error in group_flaws(group, known)]
    return Checked(tuple(flaws))


async def remove_group(counter: Counter, command: RemoveGroup) -> None:
    number = command.number

    def remove(rows: Rows) -> None:
        if not rows.groups.remove(number):
            raise _missing_group(number)
        users = [f"route {each.id}" for each in rows.routes.all() if each.group == number]
        users += [f"inbound number {each.id}" for each in rows.inbound.all() if each.group == number]
        if users:
            raise RefusedError(f"group {number} is led to by {users[0]}", "remove that first, or lead it elsewhere")

    await counter.change(remove, f"group {number}")


async def set_forward(counter: Counter, command: SetForward) -> None:
    """By the extension's right where it is set; ending it is always allowed."""
    names = FORWARDS if command.reason is None else (f"forward_{command.reason.replace('-', '_')}",)
    if any(name not in FORWARDS for name in names):
        raise RefusedError(f"there is no reason '{command.reason}'", "use always, busy, no-answer or unreachable")

    def change(current: Extension) -> Extension:
        for name in names:
            current = _forwarded(current, name, command.target)
        return current

    await _change_extension(counter, command.number, change)


async def set_diversion(counter: Counter, command: SetDiversion) -> None:
    """All fields or none; each forward by the extension's right."""

    def change(current: Extension) -> Extension:
        for name in FORWARDS:
            target = getattr(command.fields, name.removeprefix("forward_"))
            if target is not None:
                current = _forwarded(current, name, target or None)
        is_dnd = command.fields.is_dnd
        return current if is_dnd is None else replace(current, dnd=is_dnd)

    await _change_extension(counter, command.number, change)


async def check_diversion(counter: Counter, command: CheckDiversion) -> Checked:
    current = counter.configuration.extensions.get(command.number)
    if current is None:
        raise _missing_extension(command.number)
    flaws = []
    for name in FORWARDS:
        field = name.removeprefix("forward_")
        target = getattr(command.fields, field)
        if target:
            try:
                _forwarded(current, name, target)
            except RefusedError as error:
                flaws.append(Flaw(field, error.what, error.mend))
    return Checked(tuple(flaws))


def _forwarded(current: Extension, name: str, target: str | None) -> Extension:
    """The extension with its calls forwarded for one reason, or no longer; raises ``RefusedError``."""
    if target is not None:
        check_target(target)
        if target == current.number:
            raise RefusedError(f"{target} is the extension itself", "forward it to another number")
        reason = name.removeprefix("forward_").replace("_", "-")
        if not may_forward(current, reason):
            raise RefusedError(
                f"extension {current.number} has no right to forward calls ({reason})",
                f"give it: frontdesk extension set {current.number} --right forward-{reason}",
            )
    changes: dict[str, Any] = {name: target}
    return replace(current, **changes)


async def set_dnd(counter: Counter, command: SetDnd) -> None:
    await _change_extension(counter, command.number, lambda current: replace(current, dnd=command.is_on))


async def _change_extension(counter: Counter, number: str, changed: Callable[[Extension], Extension]) -> None:
    def change(rows: Rows) -> None:
        current = rows.extensions.find(number)
        if current is None:
            raise _missing_extension(number)
        rows.extensions.put(changed(current))

    await counter.change(change, f"extension {number}")


def _changed(current: Group, fields: GroupFields) -> Group:
    members = current.members if fields.members is None else fields.members
    members = tuple(dict.fromkeys((*members, *fields.add_members)))
    for gone in fields.remove_members:
        if gone not in members:
            raise RefusedError(f"{gone} is no member of group {current.number}", "see 'frontdesk group list'")
    return Group(
        current.number,
        fields.kind or current.kind,
        tuple(each for each in members if each not in fields.remove_members),
        fields.order or current.order,
        current.timeout if fields.timeout is None else fields.timeout,
    )


def _view(group: Group) -> GroupView:
    return GroupView(group.number, group.kind, group.members, group.order, group.timeout)


def _missing_trigger(number: int) -> NotFoundError:
    return NotFoundError(f"there is no trigger {number}", "see 'frontdesk service trigger list'")


def _missing_group(number: str) -> NotFoundError:
    return NotFoundError(f"there is no group {number}", "see 'frontdesk group list'")


def _missing_extension(number: str) -> NotFoundError:
    return NotFoundError(f"there is no extension {number}", "see 'frontdesk extension list'")
