"""Which call records are wanted; without the database, which a start need not load for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


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
