"""``frontdesk level``, ``schedule`` and ``night``: what may be dialled by whom, and when."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.core.errors import NotFoundError
from engine.desk.dialling import (
    AddLevel,
    AddSchedule,
    GetNight,
    ListLevels,
    ListSchedules,
    RemoveLevel,
    RemoveSchedule,
    SetLevel,
    SetNight,
    SetSchedule,
)
from engine.desk.documents import Document, schedule_document
from engine.store.outside import Night
from tui.cli.asking import ask
from tui.cli.options import JsonOption, StateOption, folder_of, one_of, whole_number
from tui.cli.output import print_facts, print_json, print_table
from tui.cli.typed import CommandLine

level_app = CommandLine(
    no_args_is_help=True,
    help="Call levels: who may dial what.",
    epilog="Example: frontdesk level add international --rank 3",
    rich_markup_mode=None,
)
schedule_app = CommandLine(
    no_args_is_help=True,
    help="Schedules: when routes hold.",
    epilog="Example: frontdesk schedule add office --when 'mo-fr 09:00-17:30' --holiday 12-25",
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(metavar="NAME")]
Rank = Annotated[
    int,
    typer.Option(
        "--rank", metavar="N", parser=whole_number(0), help="Who has a higher one may do what lower ones may."
    ),
]
Holidays = Annotated[
    list[str] | None,
    typer.Option(
        "--holiday", metavar="DATE", help="Does not hold on this day: 2026-12-24, or 12-25 for every year."
    ),
]


@level_app.command("add", epilog="Example: frontdesk level add international --rank 3")
def add_level(ctx: typer.Context, name: Name, rank: Rank, state: StateOption = None) -> None:
    """Add a call level."""
    ask(folder_of(ctx, state), AddLevel(name, rank))
    print(f"level {name} is added")


@level_app.command("set", epilog="Example: frontdesk level set international --rank 4")
def change_level(ctx: typer.Context, name: Name, rank: Rank, state: StateOption = None) -> None:
    """Give a call level another rank."""
    ask(folder_of(ctx, state), SetLevel(name, rank))
    print(f"level {name} is changed")


@level_app.command("list", epilog="Example: frontdesk level list --json")
def list_levels(ctx: typer.Context, json: JsonOption = False, state: StateOption = None) -> None:
    """List the call levels, the lowest first."""
    levels = ask(folder_of(ctx, state), ListLevels())
    if json:
        print_json([{"name": level.name, "rank": level.rank} for level in levels])
        return
    print_table(
        ("level", "rank"),
        [(level.name, level.rank) for level in levels],
        "There is no level yet: add one with 'frontdesk level add NAME --rank N'.",
    )


@level_app.command("show", epilog="Example: frontdesk level show international")
def show_level(ctx: typer.Context, name: Name, json: JsonOption = False, state: StateOption = None) -> None:
    """Show one call level."""
    ranks = {level.name: level.rank for level in ask(folder_of(ctx, state), ListLevels())}
    if name not in ranks:
        raise NotFoundError(f"there is no level '{name}'", "see 'frontdesk level list'")
    _show({"name": name, "rank": ranks[name]}, json)


@level_app.command("remove", epilog="Example: frontdesk level remove international")
def remove_level(ctx: typer.Context, name: Name, state: StateOption = None) -> None:
    """Remove a call level that nobody has and no route needs."""
    ask(folder_of(ctx, state), RemoveLevel(name))
    print(f"level {name} is removed")


@schedule_app.command(
    "add",
    epilog="Example: frontdesk schedule add office --when 'mo-fr 09:00-17:30, sa 10:00-12:00' --holiday 12-25",
)
def add_schedule(
    ctx: typer.Context,
    name: Name,
    when: Annotated[str, typer.Option("--when", metavar="TIMES", help="Days and hours, parts parted by commas.")],
    holiday: Holidays = None,
    state: StateOption = None,
) -> None:
    """Add a schedule; 'not' before the times turns them around."""
    ask(folder_of(ctx, state), AddSchedule(name, when, tuple(holiday or ())))
    print(f"schedule {name} is added")


@schedule_app.command("set", epilog="Example: frontdesk schedule set office --when 'mo-fr 08:00-18:00'")
def change_schedule(
    ctx: typer.Context,
    name: Name,
    when: Annotated[str | None, typer.Option("--when", metavar="TIMES", help="Other days and hours.")] = None,
    holiday: Holidays = None,
    clear: Annotated[
        list[str] | None, typer.Option("--clear", metavar="FIELD", help="Empty this field: holidays.")
    ] = None,
    state: StateOption = None,
) -> None:
    """Change what is named; holidays take the place of those there were."""
    if unknown := set(clear or ()) - {"holidays", "holiday"}:
        raise typer.BadParameter(f"'{min(unknown)}' cannot be cleared: use holidays", param_hint="--clear")
    if clear and holiday:
        raise typer.BadParameter("holidays are both given and cleared", param_hint="--clear")
    if when is None and not holiday and not clear:
        raise typer.BadParameter("name what should change, see --help")
    holidays = () if clear else tuple(holiday) if holiday else None
    ask(folder_of(ctx, state), SetSchedule(name, when, holidays))
    print(f"schedule {name} is changed")


@schedule_app.command("list", epilog="Example: frontdesk schedule list --json")
def list_schedules(ctx: typer.Context, json: JsonOption = False, state: StateOption = None) -> None:
    """List the schedules and whether they hold now."""
    documents = [schedule_document(view) for view in ask(folder_of(ctx, state), ListSchedules())]
    if json:
        print_json(documents)
        return
    print_table(
        ("schedule", "when", "holidays", "holds now"),
        [(d["name"], d["when"], d["holidays"], d["holds"]) for d in documents],
        "There is no schedule yet: add one with 'frontdesk schedule add NAME --when TIMES'.",
    )


@schedule_app.command("show", epilog="Example: frontdesk schedule show office")
def show_schedule(ctx: typer.Context, name: Name, json: JsonOption = False, state: StateOption = None) -> None:
    """Show one schedule."""
    documents = {d["name"]: d for d in map(schedule_document, ask(folder_of(ctx, state), ListSchedules()))}
    if name not in documents:
        raise NotFoundError(f"there is no schedule '{name}'", "see 'frontdesk schedule list'")
    _show(documents[name], json)


@schedule_app.command("remove", epilog="Example: frontdesk schedule remove office")
def remove_schedule(ctx: typer.Context, name: Name, state: StateOption = None) -> None:
    """Remove a schedule that no route has."""
    ask(folder_of(ctx, state), RemoveSchedule(name))
    print(f"schedule {name} is removed")


def night(
    ctx: typer.Context,
    switch: Annotated[
        Night | None,
        typer.Argument(metavar="on|off|auto", parser=one_of(Night), help="Left out: tell how it stands."),
    ] = None,
    json: JsonOption = False,
    state: StateOption = None,
) -> None:
    """Turn the night switch: on closes every schedule, off opens it, auto lets the clock decide."""
    folder = folder_of(ctx, state)
    if switch is not None:
        ask(folder, SetNight(switch))
    else:
        switch = ask(folder, GetNight())
    if json:
        print_json({"night": switch.value})
    else:
        print(f"the night switch is {switch.value}")


def _show(document: Document, json: bool) -> None:
    if json:
        print_json(document)
    else:
        print_facts(document.items())
