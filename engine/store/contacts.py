"""Contacts: names and notes for outside numbers, kept beside the configuration for they may be many."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.store.row import Row

if TYPE_CHECKING:
    from sqlmodel import Session

CHANGED = "contacts_revision"
"""The fact of the site that rises with every change."""
_SEPARATORS = re.compile(r"[-.() /\u00a0]")


@dataclass(frozen=True, slots=True)
class Contact:
    """A number outside, whose it is, and what is to be known when it calls."""

    number: str
    """As it was given, without separators: ``+49301234`` or as it is dialled here."""
    name: str | None = None
    note: str | None = None


class ContactBook:
    """All contacts by number; immutable, swapped whole."""

    def __init__(self, contacts: Iterable[Contact] = ()) -> None:
        self._contacts = {contact.number: contact for contact in contacts}

    def __len__(self) -> int:
        return len(self._contacts)

    def find(self, forms: Iterable[str]) -> Contact | None:
        """The contact with a number that is written in one of these ways."""
        if not self._contacts:
            return None
        return next((self._contacts[form] for form in forms if form in self._contacts), None)

    def search(self, text: str, limit: int) -> tuple[Contact, ...]:
        """Contacts whose name or number has every word of ``text`` in it, by name."""
        words = text.casefold().split()
        found = (
            contact
            for contact in self._contacts.values()
            if all(word in f"{contact.name or ''} {contact.number}".casefold() for word in words)
        )
        return tuple(sorted(found, key=lambda each: ((each.name or "~").casefold(), each.number))[:limit])


def plain_number(number: str) -> str:
    """A number without what people write between digits."""
    return _SEPARATORS.sub("", number.strip())


class ContactRows:
    """The table inside one transaction."""

    def __init__(self, session: Session, note_change: Callable[[], None]) -> None:
        self._session = session
        self._note_change = note_change

    def find(self, number: str) -> Contact | None:
        from engine.store.tables import ContactRow  # SQLModel takes 0.5 s: only the writer's thread loads it

        row = self._session.get(ContactRow, number)
        return Contact(row.number, row.name, row.note) if row is not None else None

    def put(self, contact: Contact) -> None:
        from engine.store.tables import ContactRow  # as above

        self._session.merge(ContactRow(number=contact.number, name=contact.name, note=contact.note))
        self._note_change()

    def remove(self, number: str) -> bool:
        """Whether there was one."""
        from engine.store.tables import ContactRow  # as above

        row = self._session.get(ContactRow, number)
        if row is not None:
            self._session.delete(row)
            self._note_change()
        return row is not None


def read_contacts(query: Callable[[str], Iterable[Row]]) -> ContactBook:
    return ContactBook(
        Contact(row["number"], row["name"], row["note"]) for row in query("SELECT number, name, note FROM contact")
    )


def contacts_revision(site: Mapping[str, str]) -> str:
    """What tells whether the contacts are other ones than before."""
    return site.get(CHANGED, "")
