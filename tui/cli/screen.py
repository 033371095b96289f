"""``frontdesk screen`` and ``frontdesk address``: which calls and which networks are not let in."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.desk.dialling import (
    AddScreenRow,
    ListAddresses,
    ListScreening,
    PutAddress,
    RemoveAddress,
    RemoveScreenRow,
    SetScreenRow,
)
from engine.desk.documents import screen_document
from tui.cli.asking import ask
from tui.cli.options import JsonOption, StateOption, folder_of, whole_number
from tui.cli.output import print_json, print_table
from tui.cli.typed import CommandLine

app = CommandLine(
    no_args_is_help=True,
    help="The black and white list of callers.",
    epilog="Example: frontdesk screen add --caller 0900 --called '*'",
    rich_markup_mode=None,
)
address_app = CommandLine(
    no_args_is_help=True,
    help="Networks that are always let in, or never.",
    epilog="Example: frontdesk address block 192.0.2.0/24",
    rich_markup_mode=None,
)

Network = Annotated[str, typer.Argument(metavar="CIDR", help="An address or a network.")]


@app.command("add", epilog="Example: frontdesk screen add --caller anonymous --called '*' --rate 100")
def add(
    ctx: typer.Context,
    caller: Annotated[
        str,
        typer.Option("--caller", metavar="PREFIX", help="What the caller's number begins with, * or anonymous."),
    ] = "*",
    called: Annotated[
        str, typer.Option("--called", metavar="PREFIX", help="What the called number begins with, or *.")
    ] = "*",
    rate: Annotated[
        int,
        typer.Option("--rate", metavar="0..100", parser=whole_number(0), help="Per cent of them that are blocked."),
    ] = 100,
    white: Annotated[bool, typer.Option("--white", help="Let them pass always.")] = False,
    json: JsonOption = False,
    state: StateOption = None,
) -> None:
    """Block calls, or let them pass; the longest called prefix decides, then the longest caller prefix."""
    added = ask(folder_of(ctx, state), AddScreenRow(caller, called, rate, white))
    if json:
        print_json({"id": added})
    else:
        print(f"screening row {added} is added")


@app.command("list", epilog="Example: frontdesk screen list --json")
def list_all(ctx: typer.Context, json: JsonOption = False, state: StateOption = None) -> None:
    """List the rows and how many calls each has decided since the engine's start."""
    documents = [screen_document(view) for view in ask(folder_of(ctx, state), ListScreening())]
    if json:
        print_json(documents)
        return
    print_table(
        ("id", "caller", "called", "blocks", "hits"),
        [
            (d["id"], d["caller"], d["called"], "none (white)" if d["white"] else f"{d['rate']} %", d["hits"])
            for d in documents
        ],
        "No calls are screened: add a row with 'frontdesk screen add --caller PREFIX'.",
    )


@app.command("set", epilog="Example: frontdesk screen set 3 --rate 50")
def change(
    ctx: typer.Context,
    id_: Annotated[int, typer.Argument(metavar="ID", parser=whole_number(1), help="See the list.")],
    caller: Annotated[str | None, typer.Option("--caller", metavar="PREFIX", help="Other callers.")] = None,
    called: Annotated[str | None, typer.Option("--called", metavar="PREFIX", help="Other called numbers.")] = None,
    rate: Annotated[
        int | None, typer.Option("--rate", metavar="0..100", parser=whole_number(0), help="Another share.")
    ] = None,
    white: Annotated[bool | None, typer.Option("--white/--black", help="Let them pass, or block them.")] = None,
    state: StateOption = None,
) -> None:
    """Change what is named; the row's count goes on."""
    if caller is None and called is None and rate is None and white is None:
        raise typer.BadParameter("name what should change, see --help")
    if white is False and rate is None:
        rate = 100
    ask(folder_of(ctx, state), SetScreenRow(id_, caller, called, rate, white))
    print(f"screening row {id_} is changed")


@app.command("remove", epilog="Example: frontdesk screen remove 3")
def remove(
    ctx: typer.Context,
    id_: Annotated[int, typer.Argument(metavar="ID", parser=whole_number(1), help="See the list.")],
    state: StateOption = None,
) -> None:
    """Remove a row."""
    ask(folder_of(ctx, state), RemoveScreenRow(id_))
    print(f"screening row {id_} is removed")


@address_app.command("allow", epilog="Example: frontdesk address allow 192.0.2.7")
def allow(ctx: typer.Context, network: Network, state: StateOption = None) -> None:
    """Let a network in always, even out of a larger one that is blocked."""
    print(f"{ask(folder_of(ctx, state), PutAddress(network, True))} is always let in")


@address_app.command("block", epilog="Example: frontdesk address block 192.0.2.0/24")
def block(ctx: typer.Context, network: Network, state: StateOption = None) -> None:
    """Drop whatever comes from a network, unread."""
    print(f"{ask(folder_of(ctx, state), PutAddress(network, False))} is blocked")


@address_app.command("list", epilog="Example: frontdesk address list --json")
def list_addresses(ctx: typer.Context, json: JsonOption = False, state: StateOption = None) -> None:
    """List the networks."""
    rows = ask(folder_of(ctx, state), ListAddresses())
    if json:
        print_json([{"network": row.network, "white": row.is_white} for row in rows])
        return
    print_table(
        ("network", "is"),
        [(row.network, "let in always" if row.is_white else "blocked") for row in rows],
        "No network is blocked.",
    )


@address_app.command("remove", epilog="Example: frontdesk address remove 192.0.2.0/24")
def remove_address(ctx: typer.Context, network: Network, state: StateOption = None) -> None:
    """Take a network from the list."""
    ask(folder_of(ctx, state), RemoveAddress(network))
    print(f"{network} is taken from the list")
