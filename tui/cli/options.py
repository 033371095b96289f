"""The options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.core.paths import demand_usable, state_folder

# A text, not a path: the command line's own check of paths would speak in its own words.
StateOption = Annotated[
    str | None,
    typer.Option(
        "--state", metavar="DIR", help="State folder [default: $FRONTDESK_STATE, else the XDG state folder]."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def folder_of(ctx: typer.Context, state: str | None) -> Path:
    """The state folder: the command's own ``--state``, else the one before the command, else the default.

    Raises ``RefusedError`` when it has no name or cannot be used.
    """
    folder = state_folder(state if state is not None else ctx.find_root().params.get("state"))
    demand_usable(folder)
    return folder
