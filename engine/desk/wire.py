"""Commands and their results as JSON, by the types of their fields; whatever does not fit is refused."""

from __future__ import annotations

import base64
import json
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

from engine.core import errors
from engine.core.audit import AuditEntry
from engine.core.errors import FrontdeskError, RefusedError
from engine.core.ids import CallId
from engine.core.ladder import Ladder
from engine.core.log import LogLine
from engine.core.views import CallRecord, CallView, CertificateView, Lamp, LampAudit, RegistrationView, TrunkView
from engine.desk import commands, contacts, deeds, dialling, lines, machine, phone, services
from engine.desk.commands import Command, ImportReport, NewPassword, StatusReport
from engine.store.configuration import Extension, Operator
from engine.store.contacts import Contact
from engine.store.outside import AddressRow, InboundRule, Level, Night, RouteRule, Trunk

RESULTS: dict[type[Command], Any] = {
    commands.ListExtensions: tuple[Extension, ...],
    commands.ShowExtension: Extension,
    commands.AddExtension: NewPassword | None,
    commands.SetExtension: None,
    commands.ResetPassword: NewPassword,
    commands.RemoveExtension: None,
    commands.ListOperators: tuple[Operator, ...],
    commands.ShowOperator: Operator,
    commands.AddOperator: NewPassword | None,
    commands.SetOperator: None,
    commands.RemoveOperator: None,
    lines.ListTrunks: tuple[TrunkView, ...],
    lines.ShowTrunk: Trunk,
    lines.AddTrunk: None,
    lines.SetTrunk: None,
    lines.RemoveTrunk: None,
    commands.ListRegistrations: tuple[RegistrationView, ...],
    commands.RemoveRegistration: int,
    commands.GetParams: Mapping[str, Any],
    commands.SetParam: None,
    commands.ListCalls: tuple[CallView, ...],
    commands.ListLamps: Mapping[str, Lamp],
    commands.AuditLamps: LampAudit,
    commands.ListRecords: tuple[CallRecord, ...],
    commands.CountCalls: tuple[commands.HourOfCalls, ...],
    commands.SaveRecords: str,
    commands.ReleaseCall: CallId,
    commands.TransferCall: CallId,
    deeds.Park: str,
    deeds.Record: str | None,
    deeds.Supervise: CallId,
    deeds.Override: None,
    deeds.Pull: CallId,
    deeds.PickUp: CallId,
    deeds.ListAudit: tuple[AuditEntry, ...],
    commands.ReadLadder: Ladder,
    commands.SaveLadder: str,
    commands.GetStatus: StatusReport,
    commands.ShowCertificate: CertificateView,
    commands.ReloadCertificate: CertificateView,
    commands.ExportConfiguration: str,
    commands.ImportConfiguration: ImportReport,
    dialling.ListRoutes: tuple[RouteRule, ...],
    dialling.ShowRoute: RouteRule,
    dialling.AddRoute: dialling.Added,
    dialling.SetRoute: dialling.Added,
    dialling.CheckRoute: dialling.Checked,
    dialling.RemoveRoute: None,
    dialling.TryRoute: dialling.RouteTest,
    dialling.ListInbound: tuple[InboundRule, ...],
    dialling.AddInbound: dialling.Added,
    dialling.SetInbound: dialling.Added,
    dialling.CheckInbound: dialling.Checked,
    dialling.RemoveInbound: None,
    dialling.ListLevels: tuple[Level, ...],
    dialling.AddLevel: None,
    dialling.SetLevel: None,
    dialling.RemoveLevel: None,
    dialling.ListSchedules: tuple[dialling.ScheduleView, ...],
    dialling.AddSchedule: None,
    dialling.SetSchedule: None,
    dialling.RemoveSchedule: None,
    dialling.GetNight: Night,
    dialling.SetNight: None,
    dialling.ListScreening: tuple[dialling.ScreenView, ...],
    dialling.AddScreenRow: int,
    dialling.SetScreenRow: None,
    dialling.RemoveScreenRow: None,
    dialling.ListAddresses: tuple[AddressRow, ...],
    dialling.PutAddress: str,
    dialling.RemoveAddress: None,
    services.ListServices: tuple[services.ServiceView, ...],
    services.ReadService: services.ServiceText,
    services.CheckService: str | None,
    services.WriteService: str,
    services.RemoveService: None,
    services.RunService: None,
    services.ListMessages: tuple[services.MessageView, ...],
    services.RemoveMessages: int,
    services.ListRecordings: tuple[services.RecordingView, ...],
    services.ListTriggers: tuple[services.TriggerView, ...],
    services.AddTrigger: int,
    services.SetTrigger: None,
    services.CheckTrigger: dialling.Checked,
    services.RemoveTrigger: None,
    services.ListGroups: tuple[services.GroupView, ...],
    services.ShowGroup: services.GroupView,
    services.AddGroup: None,
    services.SetGroup: None,
    services.RemoveGroup: None,
    services.CheckGroup: dialling.Checked,
    services.SetForward: None,
    services.SetDiversion: None,
    services.CheckDiversion: dialling.Checked,
    services.SetDnd: None,
    phone.TakeCall: bool,
    phone.HoldCall: bool,
    phone.HandOn: CallId,
    phone.ParkCaller: str,
    phone.Consult: CallId,
    phone.CompleteConsult: CallId,
    phone.GoBackToCaller: CallId,
    phone.RecallCaller: CallId,
    phone.DialNumber: None,
    contacts.ListContacts: tuple[Contact, ...],
    contacts.ShowContact: Contact,
    contacts.AddContact: Contact,
    contacts.SetContact: Contact,
    contacts.RemoveContact: None,
    contacts.ImportContacts: contacts.ContactsImported,
    contacts.SetNote: None,
    contacts.LookUpCaller: contacts.CallerView,
    machine.GetMachine: machine.MachineView,
    machine.ListBackups: tuple[machine.BackupView, ...],
    machine.StartBackup: str,
    machine.GetBackup: machine.BackupProgress | None,
    machine.RemoveBackup: None,
    machine.ReadLog: tuple[LogLine, ...],
    machine.SaveLog: str,
    commands.StopEngine: None,
}
"""What each command gives back."""

_COMMANDS = {command.__name__: command for command in RESULTS}
_ERRORS = {
    error.__name__: error
    for error in (errors.RefusedError, errors.NotFoundError, errors.NotAllowedError, errors.StateFolderError)
}


class WireError(RefusedError):
    """What came over the wire is not what was agreed."""


def encode_command(command: Command) -> dict[str, Any]:
    """``{"ask": name, "with": fields}``."""
    return {"ask": type(command).__name__, "with": encode(command)}


def decode_command(document: Mapping[str, Any]) -> Command:
    """The command in such a document; raises ``WireError``."""
    command = _COMMANDS.get(str(document.get("ask")))
    if command is None:
        raise WireError(f"there is no command '{document.get('ask')}'", "use the frontdesk of the engine's version")
    decoded = decode(command, document.get("with", {}))
    assert isinstance(decoded, Command)
    return decoded


def encode_error(error: Exception) -> dict[str, str]:
    """A refusal with its kind; anything else says only that the engine failed."""
    if isinstance(error, RefusedError):
        kind = type(error).__name__
        return {"kind": kind if kind in _ERRORS else "RefusedError", "what": error.what, "mend": error.mend}
    said = str(error) if isinstance(error, FrontdeskError) else "the engine failed at this"
    return {"kind": "RefusedError", "what": said, "mend": "see the engine's log"}


def decode_error(document: Any) -> RefusedError:
    """The refusal to raise on this side."""
    if not isinstance(document, dict):
        return WireError("the engine's answer cannot be read", "use the frontdesk of the engine's version")
    kind = _ERRORS.get(str(document.get("kind")), RefusedError)
    return kind(str(document.get("what")), str(document.get("mend", "")))


def encode(value: Any) -> Any:
    """``value`` in JSON's own types."""
    match value:
        case Enum():
            return value.value
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return value.astimezone(UTC).isoformat()
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case Mapping():
            return {str(key): encode(inner) for key, inner in value.items()}
        case tuple() | list():
            return [encode(inner) for inner in value]
        case frozenset() | set():
            return sorted(encode(inner) for inner in value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: encode(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(f"{type(value).__name__} does not travel")


def decode(kind: Any, document: Any) -> Any:
    """The value of type ``kind`` that ``document`` holds; raises ``WireError`` for anything else."""
    if isinstance(kind, NewType):
        return decode(kind.__supertype__, document)
    if kind is Any:
        return document
    if kind is None or kind is types.NoneType:
        return _demand(document is None, document, "null")
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _decode_union(kind, document)
    if origin is not None:
        return _decode_group(kind, origin, document)
    if is_dataclass(kind):
        return _decode_dataclass(kind, document)
    return _decode_scalar(kind, document)


def parse_line(line: bytes) -> dict[str, Any]:
    """One line of JSON that holds an object; raises ``WireError``."""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        raise WireError("a line is not JSON", "send one JSON object a line") from None
    if not isinstance(document, dict):
        raise WireError("a line holds no object", "send one JSON object a line")
    return document


def to_line(document: Mapping[str, Any]) -> bytes:
    """One line of JSON."""
    return to_json(document) + b"\n"


def to_json(value: Any) -> bytes:
    """``value`` (in JSON's own types) without a line break."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def _decode_union(kind: Any, document: Any) -> Any:
    for choice in get_args(kind):
        try:
            return decode(choice, document)
        except WireError:
            continue
    return _demand(False, document, " or ".join(_word(choice) for choice in get_args(kind)))


def _decode_group(kind: Any, origin: Any, document: Any) -> Any:
    inner = get_args(kind)
    if issubclass(origin, Mapping):
        _demand(isinstance(document, dict), document, "an object")
        return {decode(inner[0], key): decode(inner[1], value) for key, value in document.items()}
    _demand(isinstance(document, list), document, "a list")
    if issubclass(origin, frozenset):
        return frozenset(decode(inner[0], item) for item in document)
    if len(inner) == 2 and inner[1] is Ellipsis:
        return tuple(decode(inner[0], item) for item in document)
    _demand(len(document) == len(inner), document, f"a list of {len(inner)}")
    return tuple(decode(one, item) for one, item in zip(inner, document, strict=True))


def _decode_dataclass(kind: Any, document: Any) -> Any:
    _demand(isinstance(document, dict), document, f"a {kind.__name__}")
    hints = _hints(kind)
    if unknown := sorted(set(document) - set(hints)):
        raise WireError(f"{kind.__name__} has no field '{unknown[0]}'", "use the frontdesk of the engine's version")
    missing = [
        field.name
        for field in fields(kind)
        if field.name not in document and field.default is MISSING and field.default_factory is MISSING
    ]
    if missing:
        raise WireError(
            f"{kind.__name__} lacks its field '{missing[0]}'", "use the frontdesk of the engine's version"
        )
    return kind(**{name: decode(hints[name], value) for name, value in document.items()})


def _decode_scalar(kind: Any, document: Any) -> Any:
    if kind is float:
        is_number = isinstance(document, int | float) and not isinstance(document, bool)
        return float(_demand(is_number, document, "a number"))
    if kind is datetime:
        return _decode_moment(document)
    if kind is bytes:
        return _decode_bytes(document)
    if isinstance(kind, type) and issubclass(kind, Enum):
        try:
            return kind(document)
        except ValueError:
            return _demand(False, document, f"one of {', '.join(str(word.value) for word in kind)}")
    return _demand(type(document) is kind, document, _word(kind))


def _decode_moment(document: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(document)
    except (ValueError, TypeError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise WireError(f"{_shown(document)} is no time", "use RFC 3339 with a zone: 2026-03-02T09:30:00Z")
    return moment


def _decode_bytes(document: Any) -> bytes:
    try:
        return base64.b64decode(document, validate=True)
    except (ValueError, TypeError):
        raise WireError(f"{_shown(document)} is no base64", "use the frontdesk of the engine's version") from None


def _demand(fits: bool, document: Any, wanted: str) -> Any:
    if not fits:
        raise WireError(f"{_shown(document)} is not {wanted}", "use the frontdesk of the engine's version")
    return document


def _shown(document: Any) -> str:
    text = repr(document)
    return text if len(text) <= 40 else f"{text[:40]}…"


def _word(kind: Any) -> str:
    return str(getattr(kind, "__name__", kind))


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return {name: hint for name, hint in get_type_hints(kind).items() if name in {f.name for f in fields(kind)}}
