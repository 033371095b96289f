"""``frontdesk contact``: names and notes for numbers outside."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from engine.core.errors import RefusedError
from engine.desk.contact_files import read_contacts_file
from engine.desk.contacts import AddContact, ImportContacts, ListContacts, RemoveContact, SetContact, ShowContact
from tui.cli.asking import ask
from tui.cli.options import JsonOption, StateOption, folder_of
from tui.cli.output import print_facts, print_json, print_table
from tui.cli.typed import CommandLine

app = CommandLine(
    no_args_is_help=True,
    help="Names and notes for numbers outside.",
    epilog='Example: frontdesk contact add "+49 30 1234" --name "Weber GmbH"',
    rich_markup_mode=None,
)

Number = Annotated[str, typer.Argument(metavar="NUMBER")]
Name = Annotated[str | None, typer.Option("--name", metavar="TEXT", help="Whose number it is.")]
Note = Annotated[str | None, typer.Option("--note", metavar="TEXT", help="Shown when the number calls again.")]


@app.command(
    "add", epilog='Example: frontdesk contact add "+49 30 1234" --name "Weber GmbH" --note "asks for Anna"'
)
def add(
    ctx: typer.Context, number: Number, name: Name = None, note: Note = None, state: StateOption = None
) -> None:
    """Add a contact."""
    if name is None:
        raise typer.BadParameter("say whose number it is", param_hint="--name")
    contact = ask(folder_of(ctx, state), AddContact(number, name, note))
    print(f"{contact.number} is {contact.name}")


@app.command("list", epilog="Example: frontdesk contact list --find weber")
def list_(
    ctx: typer.Context,
    find: Annotated[
        str, typer.Option("--find", metavar="TEXT", help="Only with these words in name or number.")
    ] = "",
    json: JsonOption = False,
    state: StateOption = None,
) -> None:
    """List contacts by name."""
    listed = ask(folder_of(ctx, state), ListContacts(find))
    if json:
        print_json([asdict(contact) for contact in listed])
        return
    rows = [(contact.name, contact.number, contact.note) for contact in listed]
    print_table(
        ("name", "number", "note"), rows, "There is no such contact." if find else "There is no contact yet."
    )


@app.command("show", epilog="Example: frontdesk contact show 0301234")
def show(ctx: typer.Context, number: Number, json: JsonOption = False, state: StateOption = None) -> None:
    """Show a contact; the number may be written in any form."""
    contact = ask(folder_of(ctx, state), ShowContact(number))
    if json:
        print_json(asdict(contact))
    else:
        print_facts([("number", contact.number), ("name", contact.name), ("note", contact.note)])


@app.command("set", epilog='Example: frontdesk contact set "+49 30 1234" --note "asks for Anna"')
def change(
    ctx: typer.Context, number: Number, name: Name = None, note: Note = None, state: StateOption = None
) -> None:
    """Change a contact; an empty note takes it away."""
    if name is None and note is None:
        raise typer.BadParameter("say what to change", param_hint="--name or --note")
    contact = ask(folder_of(ctx, state), SetContact(number, name, note))
    print(f"{contact.number} is changed")


@app.command("remove", epilog="Example: frontdesk contact remove 0301234")
def remove(ctx: typer.Context, number: Number, state: StateOption = None) -> None:
    """Remove a contact."""
    ask(folder_of(ctx, state), RemoveContact(number))
    print(f"{number} is removed")


@app.command("import", epilog="Example: frontdesk contact import contacts.vcf --dry-run")
def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would change, and change nothing.")] = False,
    state: StateOption = None,
) -> None:
    """Add or change contacts from a vCard or CSV file, all at once or none; notes that are there are kept."""
    contacts = read_contacts_file(_read(file))
    done = ask(folder_of(ctx, state), ImportContacts(contacts, dry_run))
    would = "would be " if dry_run else ""
    print(f"{done.added} {would}added, {done.changed} {would}changed, {done.same} as before")


def _read(file: Path) -> str:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise RefusedError(
            f"cannot read {file}: {error.strerror}", "see that it is there and may be read"
        ) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")  # what office programs write where they do not write UTF-8
