"""What one check of the doctor found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How bad it is; only ``FAILED`` keeps an office from working."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report."""

    check: str
    state: State
    says: str
    mend: str = ""


def ok(check: str, says: str) -> Finding:
    return Finding(check, State.OK, says)


def warning(check: str, says: str, mend: str) -> Finding:
    return Finding(check, State.WARNING, says, mend)


def failed(check: str, says: str, mend: str) -> Finding:
    return Finding(check, State.FAILED, says, mend)
