"""``frontdesk registration``: the phones that are registered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from engine.core.errors import NotFoundError
from engine.desk.commands import ListRegistrations, RemoveRegistration
from engine.desk.documents import Document, registration_document
from tui.cli.asking import ask
from tui.cli.options import JsonOption, StateOption, folder_of
from tui.cli.output import duration, print_json, print_table
from tui.cli.typed import CommandLine

app = CommandLine(
    no_args_is_help=True,
    help="The phones that are registered.",
    epilog="Example: frontdesk registration list --json",
    rich_markup_mode=None,
)


@app.command("list", epilog="Example: frontdesk registration list --json")
def list_all(ctx: typer.Context, json: JsonOption = False, state: StateOption = None) -> None:
    """List the registered phones; without an engine, those that were when it stopped."""
    phones = ask(folder_of(ctx, state), ListRegistrations())
    documents = [registration_document(phone, datetime.now(UTC)) for phone in phones]
    if json:
        print_json(documents)
        return
    rows = [
        (d["extension"], d["contact"], d["transport"], duration(d["expires_in_s"]), d["user_agent"], _from(d))
        for d in documents
    ]
    headings = ("extension", "contact", "over", "expires in", "phone", "source")
    shown = len(headings) if any(row[-1] for row in rows) else len(headings) - 1
    print_table(
        headings[:shown],
        [row[:shown] for row in rows],
        "No phone is registered: 'frontdesk extension show NUMBER' and first-run.txt say what to type into one.",
        whole=("contact", "source"),
    )


@app.command("remove", epilog="Example: frontdesk registration remove 105")
def remove(
    ctx: typer.Context,
    extension: Annotated[str, typer.Argument(metavar="EXTENSION")],
    contact: Annotated[
        str | None, typer.Option("--contact", metavar="URI", help="Only the phone with this contact.")
    ] = None,
    state: StateOption = None,
) -> None:
    """Forget an extension's phones, until they register again."""
    count = ask(folder_of(ctx, state), RemoveRegistration(extension, contact))
    if not count:
        which = f"no phone of extension {extension} with this contact" if contact else f"no phone of {extension}"
        raise NotFoundError(f"{which} is registered", "see 'frontdesk registration list'")
    print(f"{count} of extension {extension} forgotten")


def _from(document: Document) -> str | None:
    """Where a phone really sends from, when its contact says otherwise."""
    source: str = document["source"]
    return None if source in document["contact"] else source
