"""``frontdesk service``: the services in Lua, and what leads to them."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.core.errors import NotFoundError
from engine.desk.checks import check_clear
from engine.desk.documents import moment_text
from engine.desk.service_checks import check_setting
from engine.desk.services import (
    AddTrigger,
    ListServices,
    ListTriggers,
    ReadService,
    RemoveTrigger,
    RunService,
    SetTrigger,
)
from engine.store.services import Point
from tui.cli.asking import ask
from tui.cli.options import JsonOption, StateOption, folder_of, one_of, whole_number
from tui.cli.output import print_json, print_table
from tui.cli.typed import CommandLine

app = CommandLine(
    no_args_is_help=True,
    help="The office's services.",
    epilog="Example: frontdesk service list",
    rich_markup_mode=None,
)
trigger_app = CommandLine(
    no_args_is_help=True,
    help="What leads to services: codes, and calls that an extension does not take.",
    epilog="Example: frontdesk service trigger add --number *88* --service speed_dial",
    rich_markup_mode=None,
)
app.add_typer(trigger_app, name="trigger")

_OWN = {True: "own", False: "shipped"}
Service = Annotated[str, typer.Option("--service", metavar="MODULE", help="The service.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="K=V", help="A setting that the service is given.")
]


@app.command("list", epilog="Example: frontdesk service list --json")
def list_all(ctx: typer.Context, json: JsonOption = False, state: StateOption = None) -> None:
    """List the services; each file is read anew, and one that does not compile shows the line."""
    services = ask(folder_of(ctx, state), ListServices())
    if json:
        print_json([
            {
                "name": each.name,
                "path": each.path,
                "own": each.is_own,
                "triggers": list(each.triggers),
                "last_error": each.error,
                "last_failure": each.failure,
                "trace": each.trace.split(" < ") if each.trace else [],
                "failed_at": moment_text(each.failed_at) if each.failed_at else None,
                "failed_call": each.failed_call,
            }
            for each in services
        ])  # fmt: skip
        return
    print_table(
        ("service", "led to by", "file", "error"),
        [(each.name, ", ".join(each.triggers), _OWN[each.is_own], each.error or each.failure) for each in services],
        "There is no service.",
    )


@app.command("reload", epilog="Example: frontdesk service reload")
def reload(ctx: typer.Context, state: StateOption = None) -> None:
    """Read every service file now, and say which of them do not compile: every call does so by itself."""
    services = ask(folder_of(ctx, state), ListServices())
    broken = [each for each in services if each.error is not None]
    for each in broken:
        print(f"{each.name}: {each.error}")
    print(f"{len(services) - len(broken)} services can be used, {len(broken)} cannot")
    if broken:
        raise typer.Exit(1)


@app.command("show", epilog="Example: frontdesk service show clock")
def show(
    ctx: typer.Context,
    module: Annotated[str, typer.Argument(metavar="MODULE")],
    json: JsonOption = False,
    state: StateOption = None,
) -> None:
    """Print the Lua text of a service: the office's own where it has one."""
    text = ask(folder_of(ctx, state), ReadService(module))
    if json:
        print_json({"name": text.name, "path": text.path, "own": text.is_own, "source": text.source})
    else:
        print(text.source, end="" if text.source.endswith("\n") else "\n")


@app.command("run", epilog="Example: frontdesk service run clock --as 101")
def run(
    ctx: typer.Context,
    module: Annotated[str, typer.Argument(metavar="MODULE")],
    as_: Annotated[str, typer.Option("--as", metavar="NUMBER", help="The extension that is rung for it.")],
    settings: Settings = None,
    state: StateOption = None,
) -> None:
    """Ring an extension; whoever answers is in the service."""
    ask(folder_of(ctx, state), RunService(module, as_, tuple(settings or ())))
    print(f"{as_} is rung for the service {module}")


@trigger_app.command(
    "add",
    epilog="Examples: frontdesk service trigger add --number 800 --service attendant; "
    "frontdesk service trigger add --point schedule --number '*' --service night --set at=18:00 --set position=on",
)
def add_trigger(
    ctx: typer.Context,
    number: Annotated[
        str,
        typer.Option(
            "--number",
            metavar="N",
            help="What is dialled, with * at its end what begins so; at other points an extension, a trunk, or *.",
        ),
    ],
    service: Service,
    point: Annotated[
        Point,
        typer.Option(
            "--point", metavar="P", parser=one_of(Point), help=f"One of {', '.join(Point)}; number if left out."
        ),
    ] = Point.NUMBER,
    plan: Annotated[str | None, typer.Option("--plan", metavar="NAME", help="Only in this dial plan.")] = None,
    settings: Settings = None,
    json: JsonOption = False,
    state: StateOption = None,
) -> None:
    """Let calls go to a service."""
    added = ask(folder_of(ctx, state), AddTrigger(number, service, point, plan, tuple(settings or ())))
    if json:
        print_json({"id": added})
    else:
        print(f"trigger {added} is added")


@trigger_app.command("list", epilog="Example: frontdesk service trigger list --json")
def list_triggers(ctx: typer.Context, json: JsonOption = False, state: StateOption = None) -> None:
    """List what leads to services."""
    rows = ask(folder_of(ctx, state), ListTriggers())
    if json:
        print_json([
            {
                "id": each.id,
                "number": each.number,
                "service": each.service,
                "point": each.point.value,
                "plan": each.plan,
                "settings": dict(text.split("=", 1) for text in each.settings),
            }
            for each in rows
        ])  # fmt: skip
        return
    print_table(
        ("id", "number", "point", "plan", "service", "settings"),
        [
            (each.id, each.number, each.point.value, each.plan, each.service, " ".join(each.settings))
            for each in rows
        ],
        "Nothing leads to a service.",
    )


@trigger_app.command("set", epilog="Example: frontdesk service trigger set 3 --set language=zh")
def set_trigger(
    ctx: typer.Context,
    id_: Annotated[int, typer.Argument(metavar="ID", parser=whole_number(1), help="See the list.")],
    number: Annotated[str | None, typer.Option("--number", metavar="N", help="What is dialled.")] = None,
    service: Annotated[str | None, typer.Option("--service", metavar="MODULE", help="The service.")] = None,
    point: Annotated[
        Point | None,
        typer.Option("--point", metavar="P", parser=one_of(Point), help=f"One of {', '.join(Point)}."),
    ] = None,
    plan: Annotated[str | None, typer.Option("--plan", metavar="NAME", help="Only in this dial plan.")] = None,
    settings: Settings = None,
    clear: Annotated[
        list[str] | None, typer.Option("--clear", metavar="FIELD", help="Empty plan, or settings.")
    ] = None,
    state: StateOption = None,
) -> None:
    """Change what is named; --set changes one setting."""
    emptied = frozenset(clear or ())
    check_clear(emptied, ("plan", "settings"), frozenset({"plan"} if plan else ()))
    if not any((number, service, point, plan, settings, emptied)):
        raise typer.BadParameter("name what should change, see --help")
    folder = folder_of(ctx, state)
    row = next((each for each in ask(folder, ListTriggers()) if each.id == id_), None)
    if row is None:
        raise NotFoundError(f"there is no trigger {id_}", "see 'frontdesk service trigger list'")
    known = {} if "settings" in emptied else dict(text.split("=", 1) for text in row.settings)
    known |= dict(check_setting(text) for text in settings or ())
    plan = plan or (None if "plan" in emptied else row.plan)
    given = tuple(f"{name}={value}" for name, value in known.items())
    command = SetTrigger(id_, number or row.number, service or row.service, point or row.point, plan, given)
    ask(folder, command)
    print(f"trigger {id_} is changed")


@trigger_app.command("remove", epilog="Example: frontdesk service trigger remove 3")
def remove_trigger(
    ctx: typer.Context,
    id_: Annotated[int, typer.Argument(metavar="ID", parser=whole_number(1), help="See the list.")],
    state: StateOption = None,
) -> None:
    """Lead nothing there any more."""
    ask(folder_of(ctx, state), RemoveTrigger(id_))
    print(f"trigger {id_} is removed")
