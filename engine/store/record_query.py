"""Which call records, or deeds, are wanted; without the database, which a start need not load for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.core.audit import Outcome


@dataclass(frozen=True, slots=True)
class RecordQuery:
    """Which records are wanted; ``None`` is any."""

    since: datetime | None = None
    before: datetime | None = None
    limit: int | None = None
    who: str | None = None
    """Part of the caller's or the callee's number."""
    numbers: tuple[str, ...] = ()
    """Other numbers that count as ``who``: of people with such a name."""
    is_answered: bool | None = None
    trunk: str | None = None


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which deeds of the audit log are wanted; ``None`` is any."""

    since: datetime | None = None
    before: datetime | None = None
    limit: int | None = None
    who: str | None = None
    """Part of the login, or of the extension that acted."""
    about: str | None = None
    """Part of the action's word, or of what it was about."""
    outcome: Outcome | None = None
