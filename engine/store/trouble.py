"""What a database's refusal means and what to do about it, in words for whoever runs the office."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from engine.core.errors import StateFolderError
from engine.core.paths import DATABASE

_MEANINGS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("is full",), "the disk is full", "free some space on its disk"),
    (("locked",), "another program keeps the database locked", "close the program that has it open"),
    (
        ("malformed", "not a database", "quick check"),
        "the database is damaged",
        "nothing was changed; put a backup in its place, or move the file away to begin anew",
    ),
    (
        ("readonly", "unable to open", "permission"),
        "the database cannot be written",
        "check the owner and permissions of the folder and the file",
    ),
    (("i/o error",), "the disk does not take what is written", "check the disk and the space left on it"),
)


def explain(error: BaseException, folder: Path) -> StateFolderError:
    """One clear line for what SQLite (or SQLAlchemy around it) said."""
    said = str(getattr(error, "orig", None) or error)
    for signs, what, mend in _MEANINGS:
        if any(sign in said.lower() for sign in signs):
            return StateFolderError(f"{what} ({folder / DATABASE})", mend)
    return StateFolderError(f"the database {folder / DATABASE} refuses: {said}", "check the file and its disk")


def is_lasting_refusal(error: BaseException) -> bool:
    """Whether the database as a whole refuses (full, locked, read-only …), so that a later try may do.

    A row that breaks a constraint or has a wrong type is not that: it would never be taken.
    """
    cause = getattr(error, "orig", None) or error
    return isinstance(cause, sqlite3.DatabaseError) and not isinstance(
        cause, sqlite3.IntegrityError | sqlite3.DataError | sqlite3.InterfaceError | sqlite3.ProgrammingError
    )
