"""Which role may send which command, written out once more: whoever changes the desk's table changes this, too."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from engine.desk.commands import Command
from engine.desk.dispatch import TABLE
from engine.store.configuration import Role

FROM_ROLE: dict[Role, str] = {
    Role.VIEWER: """
        ListContacts LookUpCaller ShowContact
        CountCalls GetMachine GetNight GetParams GetStatus ListAddresses ListCalls ListExtensions ListGroups
        ListInbound ListLamps ListLevels ListRecords ListRegistrations ListRoutes ListSchedules ListScreening
        ListServices ListTriggers ListTrunks ReadLadder ShowCertificate ShowExtension ShowGroup ShowRoute ShowTrunk
        TryRoute
    """,
    Role.RECEPTIONIST: """
        AddContact ParkCaller RemoveContact SetContact SetNote
        AuditLamps CheckDiversion CompleteConsult Consult DialNumber GoBackToCaller HandOn HoldCall ListMessages
        Override Park PickUp Pull RecallCaller Record ReleaseCall RunService SaveLadder SaveRecords SetDiversion
        SetDnd SetForward SetNight Supervise TakeCall TransferCall
    """,
    Role.SUPERVISOR: "ListAudit",
    Role.ADMIN: """
        ImportContacts
        AddExtension AddGroup AddInbound AddLevel AddOperator AddRoute AddSchedule AddScreenRow AddTrigger AddTrunk
        CheckGroup CheckInbound CheckRoute CheckService CheckTrigger ExportConfiguration ImportConfiguration
        ListOperators ListRecordings PutAddress ReadLog ReadService ReloadCertificate RemoveAddress RemoveExtension
        RemoveGroup RemoveInbound RemoveLevel RemoveMessages RemoveOperator RemoveRegistration RemoveRoute
        RemoveSchedule RemoveScreenRow RemoveService RemoveTrigger RemoveTrunk ResetPassword SetExtension SetGroup
        SetInbound SetLevel SetOperator SetParam SetRoute SetSchedule SetScreenRow SetTrigger SetTrunk ShowOperator
        StopEngine WriteService GetBackup ListBackups RemoveBackup SaveLog StartBackup
    """,
}
"""Each role may also what the ones before it may."""


def may(role: Role, command: type[Command]) -> bool:
    """Whether a role may send a command, by the table above."""
    names: set[str] = set()
    for each, told in FROM_ROLE.items():
        names |= set(told.split())
        if each is role:
            return command.__name__ in names
    raise AssertionError(role)


def commands() -> list[Command]:
    """One of every kind of command, filled with what is well-formed and means nothing."""
    return [typing.cast("Command", sample(kind)) for kind in sorted(TABLE, key=lambda kind: kind.__name__)]


def sample(kind: Any) -> Any:
    """A value of this type."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        arguments = typing.get_args(kind)
        return None if type(None) in arguments else sample(arguments[0])
    if origin in (tuple, frozenset, Mapping):
        return {tuple: (), frozenset: frozenset(), Mapping: {}}[origin]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind))
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        missing = dataclasses.MISSING
        needed = [
            field.name
            for field in dataclasses.fields(kind)
            if field.default is missing and field.default_factory is missing
        ]
        make = typing.cast("typing.Callable[..., Any]", kind)
        return make(**{name: sample(hints[name]) for name in needed})
    known: dict[Any, Any] = {str: "777", int: 777, float: 0.0, bool: False, datetime: datetime.now(UTC)}
    return known[kind]
