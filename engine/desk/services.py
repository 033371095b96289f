"""What a face may ask about services, groups, forwarding and do not disturb."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from engine.desk.commands import Command
from engine.store.services import GroupKind, HuntOrder, Point


@dataclass(frozen=True, slots=True)
class ServiceView:
    """One service: ``error`` says why its newest text does not compile."""

    name: str
    path: str
    is_own: bool
    error: str | None
    triggers: tuple[str, ...]
    """What leads to it: codes, or points with their extension."""
    failure: str | None = None
    """How it failed the last time in a call, since the engine started, with its file and line."""
    trace: str = ""
    """The lines that led there, the innermost first."""
    failed_at: datetime | None = None
    failed_call: str | None = None


@dataclass(frozen=True, slots=True)
class ListServices(Command):
    """Read every service file anew; returns ``tuple[ServiceView, ...]``."""


@dataclass(frozen=True, slots=True)
class ServiceText:
    """The Lua source of a service."""

    name: str
    path: str
    is_own: bool
    source: str


@dataclass(frozen=True, slots=True)
class ReadService(Command):
    """Returns ``ServiceText``; of a service that the office has changed, its own text."""

    name: str


@dataclass(frozen=True, slots=True)
class CheckService(Command):
    """Compile this text, run nothing and keep nothing; returns why it does not compile, ``None`` when it does."""

    name: str
    source: str


@dataclass(frozen=True, slots=True)
class WriteService(Command):
    """Keep this text as the office's own; every call from now on gets it. Returns its path as ``str``.

    Refused when it does not compile, or when the service is no longer as ``was`` (the text that was edited).
    """

    name: str
    source: str
    was: str | None = None


@dataclass(frozen=True, slots=True)
class RemoveService(Command):
    """Remove the office's own text: a shipped service is as it was shipped. Returns ``None``."""

    name: str


@dataclass(frozen=True, slots=True)
class RunService(Command):
    """Ring an extension and let whoever answers be in a service; returns ``None``."""

    service: str
    extension: str
    settings: tuple[str, ...] = ()
    """``NAME=VALUE`` each."""


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message in a box."""

    name: str
    caller: str
    at: datetime
    is_new: bool
    seconds: int


@dataclass(frozen=True, slots=True)
class ListMessages(Command):
    """Returns ``tuple[MessageView, ...]``, new ones first."""

    number: str


@dataclass(frozen=True, slots=True)
class RemoveMessages(Command):
    """Remove these messages of a box, or all; returns how many."""

    number: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordingView:
    """The recording of a call."""

    path: str
    call: str
    at: datetime
    seconds: int


@dataclass(frozen=True, slots=True)
class ListRecordings(Command):
    """Returns ``tuple[RecordingView, ...]``, newest first."""


@dataclass(frozen=True, slots=True)
class TriggerView:
    """A row that leads to a service."""

    id: int
    number: str
    service: str
    point: Point
    plan: str | None
    settings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListTriggers(Command):
    """Returns ``tuple[TriggerView, ...]``."""


@dataclass(frozen=True, slots=True)
class AddTrigger(Command):
    """Returns the new row's number."""

    number: str
    service: str
    point: Point = Point.NUMBER
    plan: str | None = None
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetTrigger(Command):
    """Make a row what these fields say; returns ``None``."""

    id: int
    number: str
    service: str
    point: Point = Point.NUMBER
    plan: str | None = None
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckTrigger(Command):
    """What adding a row, or with ``id`` changing it, would meet; changes nothing. Returns ``Checked``."""

    number: str
    service: str
    point: Point = Point.NUMBER
    plan: str | None = None
    settings: tuple[str, ...] = ()
    id: int | None = None


@dataclass(frozen=True, slots=True)
class RemoveTrigger(Command):
    """Returns ``None``."""

    id: int


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group."""

    number: str
    kind: GroupKind
    members: tuple[str, ...]
    order: HuntOrder
    timeout: int


@dataclass(frozen=True, slots=True)
class GroupFields:
    """What may be said of a group; ``None`` leaves a field as it is."""

    kind: GroupKind | None = None
    members: tuple[str, ...] | None = None
    add_members: tuple[str, ...] = ()
    remove_members: tuple[str, ...] = ()
    order: HuntOrder | None = None
    timeout: int | None = None


@dataclass(frozen=True, slots=True)
class ListGroups(Command):
    """Returns ``tuple[GroupView, ...]``."""


@dataclass(frozen=True, slots=True)
class ShowGroup(Command):
    """Returns ``GroupView``."""

    number: str


@dataclass(frozen=True, slots=True)
class AddGroup(Command):
    """Returns ``None``."""

    number: str
    fields: GroupFields = field(default_factory=GroupFields)


@dataclass(frozen=True, slots=True)
class SetGroup(Command):
    """Returns ``None``."""

    number: str
    fields: GroupFields


@dataclass(frozen=True, slots=True)
class CheckGroup(Command):
    """What is wrong with a group as it is typed; changes nothing. Returns ``Checked``."""

    number: str
    fields: GroupFields = field(default_factory=GroupFields)
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class RemoveGroup(Command):
    """Returns ``None``."""

    number: str


@dataclass(frozen=True, slots=True)
class SetForward(Command):
    """Forward an extension's calls, or with no target no longer; without a reason all four are ended."""

    number: str
    reason: str | None = None
    """always, busy, no-answer or unreachable."""
    target: str | None = None


@dataclass(frozen=True, slots=True)
class SetDnd(Command):
    """Do not disturb an extension, or do again; returns ``None``."""

    number: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class DiversionFields:
    """Where an extension's calls go instead; ``None`` leaves a field as it is, an empty text ends it."""

    always: str | None = None
    busy: str | None = None
    no_answer: str | None = None
    unreachable: str | None = None
    is_dnd: bool | None = None


@dataclass(frozen=True, slots=True)
class SetDiversion(Command):
    """Forwarding and do not disturb of an extension in one change; returns ``None``."""

    number: str
    fields: DiversionFields


@dataclass(frozen=True, slots=True)
class CheckDiversion(Command):
    """What ``SetDiversion`` would refuse, field by field; changes nothing. Returns ``Checked``."""

    number: str
    fields: DiversionFields
