"""What is kept of deeds that somebody may have to answer for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """How a deed ended."""

    DONE = "done"
    REFUSED = "refused"
    """By a right that was missing, or one that protects, or because it made no sense just then."""
    FAILED = "failed"
    """It was allowed and came to nothing: a phone did not answer, a call was over."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One deed, as the append-only audit log keeps it."""

    at: datetime
    who: str
    """The operator's login, ``owner`` for the command line, or the number of the phone that dialled a code."""
    acting: str | None
    """The extension whose rights were asked."""
    action: str
    """A word such as ``barge-in`` or ``set-trunk``."""
    target: str | None
    """The call, extension or name that it was about."""
    outcome: Outcome
    reason: str | None = None
    """Why it was refused or failed; what the operator gave as its reason."""
