"""What an operator may ask of live calls, and the log of what was asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.core.audit import Outcome
from engine.core.deeds import Deed
from engine.desk.commands import Command


@dataclass(frozen=True, slots=True)
class Supervise(Command):
    """Come into a call: listen, whisper, barge in or take over; returns ``CallId``.

    The phone of ``acting`` (else of the operator) is rung and is in the call when it answers; who is in already
    changes what it does there. ``side``: the party that hears the whisper, or whose place is taken. With a
    ``revision`` it is refused when the call has changed since.
    """

    deed: Deed
    target: str
    """A call's id, or an extension that talks."""
    acting: str | None = None
    side: str | None = None
    reason: str | None = None
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Override(Command):
    """Call an extension through do not disturb, forwarding and groups, or over a line's limit; returns ``None``.

    The phone of ``acting`` is rung first. One that talks is broken into, or rung once it is free.
    """

    target: str
    acting: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Pull(Command):
    """Take a caller out of a menu, a queue or a slot; returns ``CallId``."""

    target: str
    """A call's id, or the number of a slot."""
    acting: str | None = None
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class PickUp(Command):
    """Answer what rings at an extension with another phone; returns ``CallId``."""

    target: str
    """A call's id, or an extension that rings."""
    acting: str | None = None
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Park(Command):
    """Park the other party of a call; returns the slot.

    ``acting`` parks; without it the party that was called does. It is rung when nobody retrieves the call.
    """

    target: str
    slot: str | None = None
    """1 to 99; ``None`` takes the first that is free."""
    acting: str | None = None
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Record(Command):
    """Begin to record a call, or end it; returns the file, ``None`` when it has ended."""

    target: str
    acting: str | None = None
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class ListAudit(Command):
    """Returns ``tuple[AuditEntry, ...]``, newest first."""

    since: datetime | None = None
    before: datetime | None = None
    limit: int | None = None
    who: str | None = None
    """Part of the login, or of the extension that acted."""
    about: str | None = None
    """Part of the action's word, or of what it was about."""
    outcome: Outcome | None = None
