"""``frontdesk route`` and ``frontdesk inbound``: where dialled numbers go, and where calls from outside go."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from engine.desk.dialling import (
    Added,
    AddInbound,
    AddRoute,
    InboundFields,
    ListInbound,
    ListRoutes,
    RemoveInbound,
    RemoveRoute,
    RouteFields,
    SetInbound,
    SetRoute,
    ShowRoute,
    TryRoute,
)
from engine.desk.documents import Document, inbound_document, route_document, route_test_document
from tui.cli.asking import ask
from tui.cli.options import JsonOption, StateOption, folder_of, whole_number
from tui.cli.output import print_facts, print_json, print_table
from tui.cli.typed import CommandLine
from tui.route_words import english_steps

app = CommandLine(
    no_args_is_help=True,
    help="Where the numbers go that extensions dial.",
    epilog="Example: frontdesk route add --called 90 --strip 1 --trunk telekom",
    rich_markup_mode=None,
)
inbound_app = CommandLine(
    no_args_is_help=True,
    help="Where the calls go that come from trunks.",
    epilog="Example: frontdesk inbound add --trunk telekom --called 4930555 --extension 101",
    rich_markup_mode=None,
)

Id = Annotated[int, typer.Argument(metavar="ID", parser=whole_number(1), help="See the list.")]
Called = Annotated[
    str | None, typer.Option("--called", metavar="PREFIX", help="What the number begins with, or *.")
]
Caller = Annotated[
    str | None, typer.Option("--caller", metavar="PREFIX", help="What the caller's number begins with.")
]
Plan = Annotated[str | None, typer.Option("--plan", metavar="NAME", help="The dial plan, 'default' if left out.")]
Strip = Annotated[
    int | None,
    typer.Option("--strip", metavar="N", parser=whole_number(0), help="Digits taken away at the front."),
]
Prepend = Annotated[str | None, typer.Option("--prepend", metavar="D", help="Digits put before what is left.")]
CallerAs = Annotated[
    str | None,
    typer.Option(
        "--caller-as",
        metavar="NUMBER|keep|outside",
        help="The caller that is shown: a number, the extension, or its outside number (default).",
    ),
]
Level = Annotated[str | None, typer.Option("--level", metavar="L", help="The call level that is needed.")]
When = Annotated[str | None, typer.Option("--when", metavar="SCHEDULE", help="Holds only then.")]
Emergency = Annotated[
    bool | None, typer.Option("--emergency/--no-emergency", help="For emergency numbers: nothing stops it.")
]
Trunks = Annotated[
    list[str] | None, typer.Option("--trunk", metavar="NAME", help="Goes over it; of several the first that can.")
]
OfExtension = Annotated[str | None, typer.Option("--extension", metavar="N", help="Goes to this extension.")]
Group = Annotated[str | None, typer.Option("--group", metavar="N", help="Goes to this group.")]
Service = Annotated[
    str | None, typer.Option("--service", metavar="MODULE", help="Goes to this service, or where its number leads.")
]
Clear = Annotated[list[str] | None, typer.Option("--clear", metavar="FIELD", help="Empty this field.")]
Trunk = Annotated[str | None, typer.Option("--trunk", metavar="NAME", help="Where the calls come from.")]


@app.command(
    "add", epilog="Example: frontdesk route add --called 900 --strip 1 --level international --trunk telekom"
)
def add(
    ctx: typer.Context,
    called: Called = None,
    caller: Caller = None,
    plan: Plan = None,
    strip: Strip = None,
    prepend: Prepend = None,
    caller_as: CallerAs = None,
    level: Level = None,
    when: When = None,
    emergency: Emergency = None,
    trunk: Trunks = None,
    extension: OfExtension = None,
    group: Group = None,
    service: Service = None,
    json: JsonOption = False,
    state: StateOption = None,
) -> None:
    """Add a route; the longest called prefix wins, then the longest caller prefix."""
    if called is None:
        raise typer.BadParameter("give the prefix that is dialled, or * for any number", param_hint="--called")
    fields = RouteFields(
        called, caller, plan, strip, prepend, caller_as, level, when, emergency,
        tuple(trunk) if trunk else None, extension, group, service,
    )  # fmt: skip
    added = ask(folder_of(ctx, state), AddRoute(fields))
    _tell(added, f"route {added.id} is added", json)


@app.command("set", epilog="Example: frontdesk route set 3 --trunk cheap --trunk telekom --clear level")
def change(
    ctx: typer.Context,
    id_: Id,
    called: Called = None,
    caller: Caller = None,
    plan: Plan = None,
    strip: Strip = None,
    prepend: Prepend = None,
    caller_as: CallerAs = None,
    level: Level = None,
    when: When = None,
    emergency: Emergency = None,
    trunk: Trunks = None,
    extension: OfExtension = None,
    group: Group = None,
    service: Service = None,
    clear: Clear = None,
    json: JsonOption = False,
    state: StateOption = None,
) -> None:
    """Change what is named; a target takes the place of the one there was."""
    fields = RouteFields(
        called, caller, plan, strip, prepend, caller_as, level, when, emergency,
        tuple(trunk) if trunk else None, extension, group, service, _cleared(clear),
    )  # fmt: skip
    if fields == RouteFields():
        raise typer.BadParameter("name what should change, see --help")
    added = ask(folder_of(ctx, state), SetRoute(id_, fields))
    _tell(added, f"route {id_} is changed", json)


@app.command("list", epilog="Example: frontdesk route list --json")
def list_all(ctx: typer.Context, json: JsonOption = False, state: StateOption = None) -> None:
    """List all routes."""
    documents = [route_document(rule) for rule in ask(folder_of(ctx, state), ListRoutes())]
    if json:
        print_json(documents)
        return
    print_table(
        ("id", "called", "caller", "plan", "leads to", "changes", "shown as", "level", "when"),
        [
            (
                d["id"],
                d["called"],
                d["caller"],
                d["plan"],
                _target(d),
                _changes(d),
                d["caller_as"],
                _needs(d),
                d["when"],
            )
            for d in documents
        ],
        "There is no route yet: add one with 'frontdesk route add --called PREFIX --trunk NAME'.",
    )


@app.command("show", epilog="Example: frontdesk route show 3")
def show(ctx: typer.Context, id_: Id, json: JsonOption = False, state: StateOption = None) -> None:
    """Show one route."""
    document = route_document(ask(folder_of(ctx, state), ShowRoute(id_)))
    if json:
        print_json(document)
    else:
        print_facts(document.items())


@app.command("remove", epilog="Example: frontdesk route remove 3")
def remove(ctx: typer.Context, id_: Id, state: StateOption = None) -> None:
    """Remove a route."""
    ask(folder_of(ctx, state), RemoveRoute(id_))
    print(f"route {id_} is removed")


@app.command("test", epilog="Example: frontdesk route test --from 101 --to 9123456")
def try_(
    ctx: typer.Context,
    to: Annotated[str, typer.Option("--to", metavar="NUMBER", help="The number that is dialled.")],
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="NUMBER", help="Who calls: an extension, or with --trunk any number."),
    ] = None,
    trunk: Trunk = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="Decide for this time, such as 2026-03-02T09:30.")
    ] = None,
    json: JsonOption = False,
    state: StateOption = None,
) -> None:
    """Tell where a call would go and why, without making it; with --trunk as if it came from there."""
    if from_ is None and trunk is None:
        raise typer.BadParameter("name an extension, or a trunk with --trunk", param_hint="--from")
    found = ask(folder_of(ctx, state), TryRoute(to, from_, trunk, at))
    steps = english_steps(found.steps)
    if json:
        print_json(route_test_document(found, steps))
        return
    for count, step in enumerate(steps, 1):
        print(f"{count}. {step}")
    where = found.reason if found.outcome == "refused" else ", ".join(found.trunks) or found.target
    print(f"{found.outcome}: {where}")


@inbound_app.command(
    "add", epilog="Example: frontdesk inbound add --trunk telekom --called 4930555 --extension 101"
)
def add_inbound(
    ctx: typer.Context,
    trunk: Trunk = None,
    called: Called = None,
    extension: OfExtension = None,
    group: Group = None,
    service: Service = None,
    when: When = None,
    json: JsonOption = False,
    state: StateOption = None,
) -> None:
    """Say where calls from a trunk go; the longest called prefix wins."""
    for value, option in ((trunk, "--trunk"), (called, "--called")):
        if value is None:
            raise typer.BadParameter("this is needed, see --help", param_hint=option)
    added = ask(folder_of(ctx, state), AddInbound(InboundFields(trunk, called, extension, group, service, when)))
    _tell(added, f"inbound number {added.id} is added", json)


@inbound_app.command("set", epilog="Example: frontdesk inbound set 2 --extension 102 --clear when")
def change_inbound(
    ctx: typer.Context,
    id_: Id,
    trunk: Trunk = None,
    called: Called = None,
    extension: OfExtension = None,
    group: Group = None,
    service: Service = None,
    when: When = None,
    clear: Clear = None,
    json: JsonOption = False,
    state: StateOption = None,
) -> None:
    """Change what is named; a target takes the place of the one there was."""
    fields = InboundFields(trunk, called, extension, group, service, when, _cleared(clear))
    if fields == InboundFields():
        raise typer.BadParameter("name what should change, see --help")
    added = ask(folder_of(ctx, state), SetInbound(id_, fields))
    _tell(added, f"inbound number {id_} is changed", json)


@inbound_app.command("list", epilog="Example: frontdesk inbound list --json")
def list_inbound(ctx: typer.Context, json: JsonOption = False, state: StateOption = None) -> None:
    """List where calls from trunks go."""
    documents = [inbound_document(rule) for rule in ask(folder_of(ctx, state), ListInbound())]
    if json:
        print_json(documents)
        return
    print_table(
        ("id", "trunk", "called", "leads to", "when"),
        [(d["id"], d["trunk"], d["called"], _target(d), d["when"]) for d in documents],
        "There is no inbound number yet: calls from trunks reach an extension by its number or outside number.",
    )


@inbound_app.command("remove", epilog="Example: frontdesk inbound remove 2")
def remove_inbound(ctx: typer.Context, id_: Id, state: StateOption = None) -> None:
    """Remove an inbound number."""
    ask(folder_of(ctx, state), RemoveInbound(id_))
    print(f"inbound number {id_} is removed")


def _tell(added: Added, done: str, json: bool) -> None:
    if json:
        print_json({"id": added.id, "warnings": list(added.warnings)})
        return
    print(done)
    for warning in added.warnings:
        print(f"frontdesk: {warning}", file=sys.stderr)


def _cleared(clear: list[str] | None) -> frozenset[str]:
    return frozenset(word.replace("-", "_") for word in clear or ())


def _target(document: Document) -> str:
    if document.get("trunks"):
        return "trunk " + ", ".join(document["trunks"])
    for kind in ("extension", "group", "service"):
        if document[kind] is not None:
            return f"{kind} {document[kind]}"
    return "nowhere"


def _changes(document: Document) -> str | None:
    parts = [f"strip {document['strip']}"] if document["strip"] else []
    parts += [f"prepend {document['prepend']}"] if document["prepend"] else []
    return ", ".join(parts) or None


def _needs(document: Document) -> str | None:
    return "emergency" if document["emergency"] else document["level"]
