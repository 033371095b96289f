"""``frontdesk voicemail`` and ``recordings``: what callers and parties have said."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.desk.documents import moment_text
from engine.desk.services import ListMessages, ListRecordings, RemoveMessages, RunService
from tui.cli.asking import ask
from tui.cli.options import JsonOption, StateOption, folder_of
from tui.cli.output import duration, local_time, print_json, print_table
from tui.cli.typed import CommandLine

app = CommandLine(
    no_args_is_help=True,
    help="Messages that callers have left.",
    epilog="Example: frontdesk voicemail list 101",
    rich_markup_mode=None,
)
recordings_app = CommandLine(
    no_args_is_help=True,
    help="Calls that were recorded.",
    epilog="Example: frontdesk recordings list",
    rich_markup_mode=None,
)
Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The extension whose box it is.")]


@app.command("list", epilog="Example: frontdesk voicemail list 101 --json")
def list_all(ctx: typer.Context, number: Number, json: JsonOption = False, state: StateOption = None) -> None:
    """List the messages of a box, new ones first."""
    messages = ask(folder_of(ctx, state), ListMessages(number))
    if json:
        print_json([
            {
                "name": each.name,
                "caller": each.caller,
                "at": moment_text(each.at),
                "new": each.is_new,
                "duration_s": each.seconds,
            }
            for each in messages
        ])  # fmt: skip
        return
    print_table(
        ("message", "caller", "at", "time", "new"),
        [(each.name, each.caller, local_time(each.at), duration(each.seconds), each.is_new) for each in messages],
        f"There is no message for {number}.",
    )


@app.command("play", epilog="Example: frontdesk voicemail play 101")
def play(ctx: typer.Context, number: Number, state: StateOption = None) -> None:
    """Ring the extension and let it hear its messages."""
    ask(folder_of(ctx, state), RunService("voicemail", number))
    print(f"{number} is rung to hear its messages")


@app.command("remove", epilog="Example: frontdesk voicemail remove 101 old-1767225660330-102")
def remove(
    ctx: typer.Context,
    number: Number,
    message: Annotated[
        list[str] | None, typer.Argument(metavar="MESSAGE", help="See the list; without any all of them.")
    ] = None,
    state: StateOption = None,
) -> None:
    """Remove messages of a box."""
    count = ask(folder_of(ctx, state), RemoveMessages(number, tuple(message or ())))
    print(f"{count} messages are removed")


@recordings_app.command("list", epilog="Example: frontdesk recordings list --json")
def list_recordings(ctx: typer.Context, json: JsonOption = False, state: StateOption = None) -> None:
    """List the recordings of calls, newest first."""
    found = ask(folder_of(ctx, state), ListRecordings())
    if json:
        print_json([
            {"path": each.path, "call": each.call, "at": moment_text(each.at), "duration_s": each.seconds}
            for each in found
        ])  # fmt: skip
        return
    print_table(
        ("call", "at", "time", "file"),
        [(each.call, local_time(each.at), duration(each.seconds), each.path) for each in found],
        "No call was recorded.",
    )
