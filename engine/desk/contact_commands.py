"""Commands about contacts, and what is known of a caller."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from engine.core.errors import NotFoundError, RefusedError
from engine.core.text import printable
from engine.desk.contacts import (
    AddContact,
    CallerView,
    ContactsImported,
    ImportContacts,
    ListContacts,
    LookUpCaller,
    RemoveContact,
    SetContact,
    SetNote,
    ShowContact,
)
from engine.desk.counter import Counter
from engine.pbx.routing.numbers import Numbering
from engine.store.contacts import Contact, plain_number

if TYPE_CHECKING:
    from engine.store.rows import Rows

MOST_CONTACTS = 100_000
_LONGEST_NAME, _LONGEST_NOTE = 64, 500


async def list_contacts(counter: Counter, command: ListContacts) -> tuple[Contact, ...]:
    return counter.store.contacts.search(command.find, max(0, command.limit))


async def show_contact(counter: Counter, command: ShowContact) -> Contact:
    found = _known(counter, command.number)
    if found is None:
        raise _missing(command.number)
    return found


async def add_contact(counter: Counter, command: AddContact) -> Contact:
    contact = Contact(check_outside(command.number), check_contact_name(command.name), _note(command.note))
    known = _known(counter, command.number)
    if known is not None and known.name is not None:
        raise RefusedError(
            f"{known.number} is {known.name} already", f"change it with 'frontdesk contact set {known.number}'"
        )
    if len(counter.store.contacts) >= MOST_CONTACTS:
        raise RefusedError(f"there are {MOST_CONTACTS} contacts already", "remove some first")
    if known is not None:  # a number with a note alone
        contact = Contact(known.number, contact.name, contact.note or known.note)
    await _put(counter, (contact,))
    return contact


async def set_contact(counter: Counter, command: SetContact) -> Contact:
    known = _known(counter, command.number)
    if known is None:
        raise _missing(command.number)
    contact = Contact(
        known.number,
        known.name if command.name is None else check_contact_name(command.name),
        known.note if command.note is None else _note(command.note),
    )
    await _put(counter, (contact,))
    return contact


async def remove_contact(counter: Counter, command: RemoveContact) -> None:
    known = _known(counter, command.number)
    if known is None:
        raise _missing(command.number)

    def remove(rows: Rows) -> None:
        rows.contacts.remove(known.number)

    await asyncio.wrap_future(counter.store.submit(remove))


async def import_contacts(counter: Counter, command: ImportContacts) -> ContactsImported:
    """All at once or nothing."""
    added, changed, same = [], [], 0
    wanted = {}
    for given in command.contacts:
        number = check_outside(given.number)
        wanted[number] = Contact(number, check_contact_name(given.name or ""), _note(given.note))
    for contact in wanted.values():
        known = _known(counter, contact.number)
        if known is None:
            added.append(contact)
        elif (merged := Contact(known.number, contact.name, contact.note or known.note)) != known:
            changed.append(merged)
        else:
            same += 1
    if len(counter.store.contacts) + len(added) > MOST_CONTACTS:
        raise RefusedError(f"there would be more than {MOST_CONTACTS} contacts", "import fewer")
    if not command.dry_run:
        await _put(counter, (*added, *changed))
    return ContactsImported(len(added), len(changed), same)


async def set_note(counter: Counter, command: SetNote) -> None:
    known = _known(counter, command.number)
    number = known.number if known is not None else check_outside(command.number)
    contact = Contact(number, known.name if known is not None else None, _note(command.note))

    def put(rows: Rows) -> None:
        if contact.name is None and contact.note is None:
            rows.contacts.remove(number)
        else:
            rows.contacts.put(contact)

    await asyncio.wrap_future(counter.store.submit(put))


async def look_up_caller(counter: Counter, command: LookUpCaller) -> CallerView:
    forms = _numbering(counter).forms_dialled(command.number)
    known = counter.store.contacts.find(forms)
    record = await asyncio.wrap_future(counter.store.read(lambda rows: rows.last_talk(forms)))
    view = CallerView(command.number, known.name if known else None, known.note if known else None)
    if record is None:
        return view
    other = record.callee if record.caller in forms else record.caller
    return CallerView(view.number, view.name, view.note, other, record.started_at)


def check_outside(number: str) -> str:
    """A number of the outside without separators; raises ``RefusedError``."""
    plain = plain_number(number)
    digits = plain.removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and 2 <= len(digits) <= 20):
        raise RefusedError(f"'{number}' is no outside number", "write it like '+49 30 1234'")
    return plain


def check_contact_name(name: str) -> str:
    name = printable(" ".join(name.split()))
    if not name or len(name) > _LONGEST_NAME:
        raise RefusedError("the name cannot be used", "use one line of at most 64 characters")
    return name


def _note(note: str | None) -> str | None:
    note = printable(" ".join((note or "").split()))
    if len(note) > _LONGEST_NOTE:
        raise RefusedError("the note is too long", f"use {_LONGEST_NOTE} characters at most")
    return note or None


def _numbering(counter: Counter) -> Numbering:
    return Numbering(counter.configuration.params)


def _known(counter: Counter, number: str) -> Contact | None:
    return counter.store.contacts.find(_numbering(counter).forms_dialled(plain_number(number)))


async def _put(counter: Counter, contacts: tuple[Contact, ...]) -> None:
    def put(rows: Rows) -> None:
        for contact in contacts:
            rows.contacts.put(contact)

    await asyncio.wrap_future(counter.store.submit(put))


def _missing(number: str) -> NotFoundError:
    return NotFoundError(f"there is no contact {number}", "see 'frontdesk contact list'")
