"""Contacts: names and notes for numbers, from hands and from files, and what is known of a caller."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.core.errors import NotAllowedError, NotFoundError, RefusedError
from engine.core.ids import CallId
from engine.desk.commands import SetParam
from engine.desk.contact_files import read_contacts_file
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
from engine.desk.door import Desk
from engine.pbx.rights import OWNER, Asker
from engine.store.configuration import Role
from engine.store.contacts import Contact
from engine.store.store import Store
from tests.unit.desk.fakes import START
from tests.unit.store.samples import a_record

WEBER = Contact("+49301234", "Weber GmbH", "asks for Anna")
VCARDS = """BEGIN:VCARD
VERSION:3.0
N:Roth;Eva;;;
FN:Eva Roth
ORG:Kanzlei Roth
TEL;TYPE=WORK,VOICE:+49 89 12345
TEL;TYPE=CELL:0171/234567
NOTE:calls on
  Mondays
END:VCARD
BEGIN:VCARD
VERSION:2.1
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:;=E6=B7=B1=E5=9C=B3;;;
FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=E6=B7=B1=E5=9C=B3
TEL;WORK:+86 755 2602
END:VCARD
BEGIN:VCARD
VERSION:4.0
FN:Huber
TEL;VALUE=uri:tel:+49-89-777;ext=3
END:VCARD
"""


@pytest.fixture(autouse=True)
async def in_germany(desk: Desk) -> None:
    await desk.ask(OWNER, SetParam("country_code", "49"))


async def test_a_contact_is_added_found_changed_and_removed(desk: Desk) -> None:
    assert await desk.ask(OWNER, AddContact("+49 30 1234", " Weber  GmbH ", "asks for Anna")) == WEBER
    for form in ("+49301234", "0301234", "0049301234", "49301234", "90301234", "+49 (30) 12-34"):
        assert await desk.ask(OWNER, ShowContact(form)) == WEBER, form
    changed = await desk.ask(OWNER, SetContact("0301234", note=""))
    assert changed == replace(WEBER, note=None)
    assert await desk.ask(OWNER, ListContacts("weber 30")) == (changed,)
    assert await desk.ask(OWNER, ListContacts("roth")) == ()
    await desk.ask(OWNER, RemoveContact("0301234"))
    with pytest.raises(NotFoundError, match="there is no contact 0301234"):
        await desk.ask(OWNER, ShowContact("0301234"))


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (AddContact("weber", "Weber"), "'weber' is no outside number"),
        (AddContact("+49 30 1234", "  "), "the name cannot be used"),
        (AddContact("1", "Weber"), "'1' is no outside number"),
        (AddContact("+4930555", "x" * 65), "the name cannot be used"),
        (AddContact("+4930555", "Weber", "x" * 501), "the note is too long"),
        (SetContact("+4930555", "Weber"), "there is no contact"),
        (RemoveContact("+4930555"), "there is no contact"),
        (SetNote("anonymous", "who?"), "'anonymous' is no outside number"),
    ],
)
async def test_what_cannot_be_is_refused_in_words(desk: Desk, command: object, why: str) -> None:
    with pytest.raises(RefusedError, match=why):
        await desk.ask(OWNER, command)  # type: ignore[arg-type]


async def test_one_number_is_one_contact(desk: Desk) -> None:
    await desk.ask(OWNER, AddContact("+49 30 1234", "Weber GmbH"))
    with pytest.raises(RefusedError, match=r"\+49301234 is Weber GmbH already"):
        await desk.ask(OWNER, AddContact("030 1234", "Somebody"))


async def test_a_note_needs_no_name_and_goes_with_an_empty_text(desk: Desk, store: Store) -> None:
    await desk.ask(OWNER, SetNote("+49 30 1234", "wants a call\nback"))
    assert (await desk.ask(OWNER, LookUpCaller("0301234"))).note == "wants a call back"
    await desk.ask(OWNER, AddContact("0301234", "Weber"))
    assert await desk.ask(OWNER, ShowContact("+49301234")) == Contact("+49301234", "Weber", "wants a call back")
    await desk.ask(OWNER, SetNote("0301234", ""))
    await desk.ask(OWNER, SetContact("0301234", name="Weber AG"))
    assert await desk.ask(OWNER, ShowContact("0301234")) == Contact("+49301234", "Weber AG", None)
    await desk.ask(OWNER, SetNote("030 99", "prank"))
    await desk.ask(OWNER, SetNote("03099", ""))
    assert len(store.contacts) == 1


async def test_a_caller_is_new_until_somebody_has_talked_to_it(desk: Desk, store: Store) -> None:
    assert await desk.ask(OWNER, LookUpCaller("90301234")) == CallerView("90301234")
    talk = a_record()
    records = (
        replace(talk, id=CallId("a"), caller="+49301234", callee="103", started_at=START),
        replace(talk, id=CallId("b"), caller="102", callee="90301234", started_at=START + timedelta(hours=1)),
        replace(
            talk, id=CallId("c"), caller="+49301234", callee="101", started_at=START + timedelta(hours=2),
            answered_at=None,
        ),
    )  # fmt: skip
    for record in records:
        store.put_record(record)
    view = await desk.ask(OWNER, LookUpCaller("90301234"))
    assert (view.last_with, view.last_at) == ("102", START + timedelta(hours=1))
    assert (await desk.ask(OWNER, LookUpCaller("+4917"))).last_with is None


async def test_roles_are_kept(desk: Desk) -> None:
    viewer, front = Asker("v", Role.VIEWER), Asker("f", Role.RECEPTIONIST)
    for asker, command in (
        (viewer, AddContact("+4930555", "Weber")),
        (viewer, SetNote("+4930555", "x")),
        (front, ImportContacts((WEBER,))),
    ):
        with pytest.raises(NotAllowedError):
            await desk.ask(asker, command)


# -- files -------------------------------------------------------------------------------------------------------


def test_vcards_of_every_version_are_read() -> None:
    assert read_contacts_file(VCARDS) == (
        Contact("+49 89 12345", "Eva Roth", "calls on Mondays"),
        Contact("0171/234567", "Eva Roth", "calls on Mondays"),
        Contact("+86 755 2602", "深圳", None),
        Contact("+49-89-777", "Huber", None),
    )


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_is_read_with_any_separator(separator: str) -> None:
    lines = (("Name", "Telefon", "Notiz"), ("Weber GmbH", "+49 30 1234", "asks for Anna"), ("", "", ""))
    text = "\ufeff" + "\r\n".join(separator.join(line) for line in lines)
    assert read_contacts_file(text) == (Contact("+49 30 1234", "Weber GmbH", "asks for Anna"),)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "names no columns"),
        ("a,b\n1,2\n", "names no columns"),
        ("name,number\n", "no contact with a number"),
        ("name,number\n,+4930\n", "line 2 has a number and no name"),
        ("BEGIN:VCARD\nVERSION:3.0\nTEL:+4930\nEND:VCARD\n", "card 1 has a number and no name"),
        ("BEGIN:VCARD\nVERSION:3.0\nFN:Eva\n;;;:::\n", "vCards cannot be read"),
        ("BEGIN:VCARD\nVERSION:3.0\nFN:Eva\nEND:VCARD\n", "no contact with a number"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(text: str, why: str) -> None:
    with pytest.raises(RefusedError, match=why):
        read_contacts_file(text)


async def test_an_import_adds_and_changes_all_or_nothing(desk: Desk, store: Store) -> None:
    await desk.ask(OWNER, AddContact("+49 89 12345", "Roth", "nice"))
    wanted = read_contacts_file(VCARDS)
    assert await desk.ask(OWNER, ImportContacts(wanted, dry_run=True)) == ContactsImported(3, 1, 0)
    assert len(store.contacts) == 1
    assert await desk.ask(OWNER, ImportContacts(wanted)) == ContactsImported(3, 1, 0)
    assert await desk.ask(OWNER, ImportContacts(wanted)) == ContactsImported(0, 0, 4)
    with pytest.raises(RefusedError, match="no outside number"):
        await desk.ask(OWNER, ImportContacts((Contact("+4930999", "New"), Contact("x", "Bad"))))
    assert len(store.contacts) == 4
