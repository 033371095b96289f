"""What a face may ask about contacts: names and notes for numbers outside, and what is known of a caller."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.desk.commands import Command
from engine.store.contacts import Contact


@dataclass(frozen=True, slots=True)
class ListContacts(Command):
    """Those whose name or number has every word of ``find``; returns ``tuple[Contact, ...]`` by name."""

    find: str = ""
    limit: int = 100_000


@dataclass(frozen=True, slots=True)
class ShowContact(Command):
    """Returns ``Contact``; the number may be written in any form."""

    number: str


@dataclass(frozen=True, slots=True)
class AddContact(Command):
    """Returns ``Contact``."""

    number: str
    name: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class SetContact(Command):
    """``None`` leaves a field as it is, an empty text empties it; returns ``Contact``."""

    number: str
    name: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class RemoveContact(Command):
    """Returns ``None``."""

    number: str


@dataclass(frozen=True, slots=True)
class ImportContacts(Command):
    """Add or change these, and keep the notes there are; returns ``ContactsImported``."""

    contacts: tuple[Contact, ...]
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class ContactsImported:
    """What an import did, or would do."""

    added: int
    changed: int
    same: int


@dataclass(frozen=True, slots=True)
class SetNote(Command):
    """What is to be known when this number calls again; an empty text takes it away. Returns ``None``."""

    number: str
    note: str


@dataclass(frozen=True, slots=True)
class LookUpCaller(Command):
    """Returns ``CallerView``."""

    number: str


@dataclass(frozen=True, slots=True)
class CallerView:
    """What is known of a number: whose it is, and whom of the office it talked to last."""

    number: str
    name: str | None = None
    note: str | None = None
    last_with: str | None = None
    """``None``: with nobody yet."""
    last_at: datetime | None = None
