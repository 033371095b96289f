"""The table of all commands: what role each needs, what is refused in words, and who handles it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from engine.core.errors import LocalError
from engine.desk import commands, extension_commands, office_commands, operator_commands
from engine.desk.commands import Command
from engine.desk.counter import Counter
from engine.pbx.rights import demand_role
from engine.store.configuration import Role


@dataclass(frozen=True, slots=True)
class Entry:
    """One command: the least role, the deed in words, its handler."""

    role: Role
    deed: str
    handle: Callable[[Counter, Any], Awaitable[Any]]


_V, _R, _A = Role.VIEWER, Role.RECEPTIONIST, Role.ADMIN

TABLE: dict[type[Command], Entry] = {
    commands.ListExtensions: Entry(_V, "list extensions", extension_commands.list_extensions),
    commands.ShowExtension: Entry(_V, "see an extension", extension_commands.show_extension),
    commands.AddExtension: Entry(_A, "add an extension", extension_commands.add_extension),
    commands.SetExtension: Entry(_A, "change an extension", extension_commands.set_extension),
    commands.ResetPassword: Entry(_A, "change a password", extension_commands.reset_password),
    commands.RemoveExtension: Entry(_A, "remove an extension", extension_commands.remove_extension),
    commands.ListOperators: Entry(_A, "list operators", operator_commands.list_operators),
    commands.ShowOperator: Entry(_A, "see an operator", operator_commands.show_operator),
    commands.AddOperator: Entry(_A, "add an operator", operator_commands.add_operator),
    commands.SetOperator: Entry(_A, "change an operator", operator_commands.set_operator),
    commands.RemoveOperator: Entry(_A, "remove an operator", operator_commands.remove_operator),
    commands.ListRegistrations: Entry(_V, "list registered phones", office_commands.list_registrations),
    commands.RemoveRegistration: Entry(_A, "forget a registered phone", office_commands.remove_registration),
    commands.GetParams: Entry(_V, "see parameters", office_commands.get_params),
    commands.SetParam: Entry(_A, "change a parameter", office_commands.set_param),
    commands.ListCalls: Entry(_V, "list calls", office_commands.list_calls),
    commands.ListLamps: Entry(_V, "see the lamps", office_commands.list_lamps),
    commands.ListRecords: Entry(_V, "list call records", office_commands.list_records),
    commands.ReleaseCall: Entry(_R, "release a call", office_commands.release_call),
    commands.GetStatus: Entry(_V, "see the engine's status", office_commands.get_status),
    commands.StopEngine: Entry(_A, "stop the office", office_commands.stop_engine),
}


async def carry_out(counter: Counter, command: Command) -> Any:
    """Do what is asked if the asker may; raises ``NotAllowedError``, or what the handler refuses."""
    entry = TABLE.get(type(command))
    if entry is None:
        raise LocalError(f"no handler for {type(command).__name__}")
    demand_role(counter.asker, entry.role, entry.deed)
    return await entry.handle(counter, command)
