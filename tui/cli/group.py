"""``frontdesk group``, ``forward`` and ``dnd``: who rings together, and who rings instead."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from engine.desk.services import (
    AddGroup,
    GroupFields,
    GroupView,
    ListGroups,
    RemoveGroup,
    SetDnd,
    SetForward,
    SetGroup,
    ShowGroup,
)
from engine.store.services import GroupKind, HuntOrder
from tui.cli.asking import ask
from tui.cli.options import JsonOption, StateOption, folder_of, one_of, whole_number
from tui.cli.output import print_facts, print_json, print_table
from tui.cli.typed import CommandLine

app = CommandLine(
    no_args_is_help=True,
    help="Extensions under one number.",
    epilog="Example: frontdesk group add 600 --kind ring --member 101 --member 102",
    rich_markup_mode=None,
)

Number = Annotated[str, typer.Argument(metavar="NUMBER")]
Kind = Annotated[
    GroupKind | None,
    typer.Option(
        "--kind",
        metavar="|".join(GroupKind),
        parser=one_of(GroupKind),
        help="All ring at once, one after the other, or members pick up each other's calls.",
    ),
]
Members = Annotated[list[str] | None, typer.Option("--member", metavar="N", help="An extension of the group.")]
NoMembers = Annotated[list[str] | None, typer.Option("--no-member", metavar="N", help="Take a member away.")]
Order = Annotated[
    HuntOrder | None,
    typer.Option(
        "--order", metavar="|".join(HuntOrder), parser=one_of(HuntOrder), help="Who of a hunt group rings first."
    ),
]
Timeout = Annotated[
    int | None,
    typer.Option("--timeout", metavar="S", parser=whole_number(1), help="Seconds that a member, or all, ring."),
]


@app.command("add", epilog="Example: frontdesk group add 601 --kind hunt --member 101 --order round-robin")
def add(
    ctx: typer.Context,
    number: Number,
    kind: Kind = None,
    member: Members = None,
    order: Order = None,
    timeout: Timeout = None,
    state: StateOption = None,
) -> None:
    """Add a group."""
    if kind is None:
        raise typer.BadParameter("say what the group is for: ring, hunt or pickup", param_hint="--kind")
    fields = GroupFields(kind, tuple(member or ()), order=order, timeout=timeout)
    ask(folder_of(ctx, state), AddGroup(number, fields))
    print(f"group {number} is added")


@app.command("set", epilog="Example: frontdesk group set 601 --member 103 --no-member 101")
def change(
    ctx: typer.Context,
    number: Number,
    kind: Kind = None,
    member: Members = None,
    no_member: NoMembers = None,
    order: Order = None,
    timeout: Timeout = None,
    state: StateOption = None,
) -> None:
    """Change what is named; --member adds one."""
    fields = GroupFields(kind, None, tuple(member or ()), tuple(no_member or ()), order, timeout)
    if fields == GroupFields():
        raise typer.BadParameter("name what should change, see --help")
    ask(folder_of(ctx, state), SetGroup(number, fields))
    print(f"group {number} is changed")


@app.command("list", epilog="Example: frontdesk group list --json")
def list_all(ctx: typer.Context, json: JsonOption = False, state: StateOption = None) -> None:
    """List all groups."""
    documents = [_document(group) for group in ask(folder_of(ctx, state), ListGroups())]
    if json:
        print_json(documents)
        return
    print_table(
        ("number", "kind", "members", "order", "timeout"),
        [(d["number"], d["kind"], ", ".join(d["members"]), d["order"], d["timeout"]) for d in documents],
        "There is no group yet: add one with 'frontdesk group add NUMBER --kind ring --member N'.",
    )


@app.command("show", epilog="Example: frontdesk group show 600")
def show(ctx: typer.Context, number: Number, json: JsonOption = False, state: StateOption = None) -> None:
    """Show one group."""
    document = _document(ask(folder_of(ctx, state), ShowGroup(number)))
    if json:
        print_json(document)
    else:
        print_facts(document.items())


@app.command("remove", epilog="Example: frontdesk group remove 600")
def remove(ctx: typer.Context, number: Number, state: StateOption = None) -> None:
    """Remove a group; its members stay."""
    ask(folder_of(ctx, state), RemoveGroup(number))
    print(f"group {number} is removed")


def forward(
    ctx: typer.Context,
    number: Number,
    always: Annotated[str | None, typer.Option("--always", metavar="TARGET", help="Every call.")] = None,
    busy: Annotated[str | None, typer.Option("--busy", metavar="TARGET", help="When it is busy.")] = None,
    no_answer: Annotated[
        str | None, typer.Option("--no-answer", metavar="TARGET", help="When it rings in vain.")
    ] = None,
    unreachable: Annotated[
        str | None, typer.Option("--unreachable", metavar="TARGET", help="When it has no phone.")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="End all forwarding.")] = False,
    state: StateOption = None,
) -> None:
    """Forward an extension's calls to another number, or no longer."""
    given = {
        reason: target
        for reason, target in (
            ("always", always), ("busy", busy), ("no-answer", no_answer), ("unreachable", unreachable),
        )
        if target is not None
    }  # fmt: skip
    if bool(given) == clear:
        raise typer.BadParameter("say when and where to, such as --busy 102, or --clear")
    folder = folder_of(ctx, state)
    if clear:
        ask(folder, SetForward(number))
        print(f"extension {number} is forwarded no longer")
    for reason, target in given.items():
        ask(folder, SetForward(number, reason, target))
        print(f"extension {number} is forwarded to {target} ({reason})")


def dnd(
    ctx: typer.Context,
    number: Number,
    position: Annotated[str, typer.Argument(metavar="on|off")],
    state: StateOption = None,
) -> None:
    """Do not disturb an extension, or do again."""
    if position not in ("on", "off"):
        raise typer.BadParameter("say on or off", param_hint="on|off")
    ask(folder_of(ctx, state), SetDnd(number, position == "on"))
    print(f"extension {number} is {'not to be disturbed' if position == 'on' else 'to be called again'}")


def _document(group: GroupView) -> dict[str, Any]:
    return {
        "number": group.number,
        "kind": group.kind.value,
        "members": list(group.members),
        "order": group.order.value,
        "timeout": group.timeout,
    }
