"""``frontdesk param``: the site's parameters."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from engine.core.params import PARAMS, param_text
from engine.desk.commands import GetParams, SetParam
from tui.cli.asking import ask
from tui.cli.options import JsonOption, StateOption, folder_of
from tui.cli.output import print_json, print_table
from tui.cli.typed import CommandLine

app = CommandLine(
    no_args_is_help=True,
    help="The site's parameters.",
    epilog="Example: frontdesk param set ring_timeout_s 45",
    rich_markup_mode=None,
)


@app.command("get", epilog="Example: frontdesk param get ring_timeout_s")
def get(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME")] = None,
    json: JsonOption = False,
    state: StateOption = None,
) -> None:
    """Print one parameter's value, or all parameters."""
    values = ask(folder_of(ctx, state), GetParams(name))
    if json:
        print_json(values)
    elif name is not None:
        print(_text(values[name]))
    else:
        rows = [(key, _text(value), PARAMS[key].help if key in PARAMS else "") for key, value in values.items()]
        print_table(("name", "value", "what for"), rows, "There are no parameters.")


@app.command(
    "set",
    epilog="Example: frontdesk param set ring_timeout_s 45",
    context_settings={"ignore_unknown_options": True},  # -5 is a value that the office refuses with its reason
)
def change(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    value: Annotated[str, typer.Argument(metavar="VALUE")],
    state: StateOption = None,
) -> None:
    """Set a parameter; it counts at once."""
    ask(folder_of(ctx, state), SetParam(name, value), makes_office=True)
    print(f"{name} is set")


def _text(value: Any) -> str:
    return param_text(tuple(value) if isinstance(value, list) else value)
