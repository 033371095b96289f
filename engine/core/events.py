"""What happens in the office, as frozen values; ``frontdesk watch`` prints them one a line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from engine.core.ids import CallId
from engine.core.views import CallRecord, CallState, Lamp, TrunkState


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at ``at`` (aware, UTC). ``name`` is its word in ``frontdesk watch``."""

    name: ClassVar[str] = "event"
    at: datetime


@dataclass(frozen=True, slots=True)
class CallStarted(Event):
    name: ClassVar[str] = "call.started"
    call: CallId
    caller: str
    callee: str


@dataclass(frozen=True, slots=True)
class CallChanged(Event):
    """A call took another state, was answered, or one of its parties changed."""

    name: ClassVar[str] = "call.changed"
    call: CallId
    state: CallState


@dataclass(frozen=True, slots=True)
class CallEnded(Event):
    name: ClassVar[str] = "call.ended"
    call: CallId
    record: CallRecord


@dataclass(frozen=True, slots=True)
class LampChanged(Event):
    name: ClassVar[str] = "lamp.changed"
    extension: str
    lamp: Lamp


@dataclass(frozen=True, slots=True)
class LampsRepaired(Event):
    """The lamp auditor found lamps, or what watchers were told, other than the calls there are."""

    name: ClassVar[str] = "lamps.repaired"
    count: int
    what: tuple[str, ...]
    """The first of them, in words."""


@dataclass(frozen=True, slots=True)
class PhoneRegistered(Event):
    """A phone registered anew (a refresh of a known binding is no event)."""

    name: ClassVar[str] = "registration.added"
    extension: str
    contact: str
    source: str


@dataclass(frozen=True, slots=True)
class PhoneUnregistered(Event):
    name: ClassVar[str] = "registration.removed"
    extension: str
    contact: str
    reason: str
    """removed, expired, replaced or configuration."""


@dataclass(frozen=True, slots=True)
class RegistrationRefused(Event):
    name: ClassVar[str] = "registration.refused"
    extension: str
    source: str
    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class TrunkChanged(Event):
    """An outside line took another state; ``reason`` says why when it is worse than before."""

    name: ClassVar[str] = "trunk.changed"
    trunk: str
    state: TrunkState
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class TrunkRefused(Event):
    """A call in or out was refused for a limit of its trunk."""

    name: ClassVar[str] = "trunk.refused"
    trunk: str
    way: str
    """in or out."""
    reason: str


@dataclass(frozen=True, slots=True)
class ConfigurationChanged(Event):
    name: ClassVar[str] = "configuration.changed"
    what: str
    """The kind and name that changed, such as ``extension 101``."""


@dataclass(frozen=True, slots=True)
class ServiceFailed(Event):
    name: ClassVar[str] = "service.failed"
    call: CallId
    service: str
    reason: str
    trace: str = ""
    """The lines of the service that led there, the innermost first."""


@dataclass(frozen=True, slots=True)
class AlarmRaised(Event):
    """Something needs a hand: a full disk, a database that refuses, a stalled loop."""

    name: ClassVar[str] = "alarm"
    text: str
