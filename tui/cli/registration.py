"""``frontdesk registration``: the phones that are registered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from engine.desk.commands import ListRegistrations, RemoveRegistration
from engine.desk.documents import registration_document
from tui.cli.asking import ask
from tui.cli.options import JsonOption, StateOption, folder_of
from tui.cli.output import duration, print_json, print_table

app = typer.Typer(no_args_is_help=True, help="The phones that are registered.", rich_markup_mode=None)


@app.command("list", epilog="Example: frontdesk registration list --json")
def list_all(ctx: typer.Context, json: JsonOption = False, state: StateOption = None) -> None:
    """List the registered phones; without an engine, those that were when it stopped."""
    phones = ask(folder_of(ctx, state), ListRegistrations())
    documents = [registration_document(phone, datetime.now(UTC)) for phone in phones]
    if json:
        print_json(documents)
        return
    rows = [
        (d["extension"], d["contact"], d["source"], d["transport"], duration(d["expires_in_s"]), d["user_agent"])
        for d in documents
    ]
    print_table(
        ("extension", "contact", "source", "transport", "expires in", "phone"),
        rows,
        "No phone is registered: 'frontdesk extension show NUMBER' and first-run.txt say what to type into one.",
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
    print(f"{count} of extension {extension} forgotten")
