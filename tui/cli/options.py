"""The options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.core.paths import state_folder

StateOption = Annotated[
    Path | None,
    typer.Option(
        "--state", metavar="DIR", help="State folder [default: $FRONTDESK_STATE, else the XDG state folder]."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def folder_of(ctx: typer.Context, state: Path | None) -> Path:
    """The state folder: the command's own ``--state``, else the one before the command, else the default."""
    root = ctx.find_root()
    return state_folder(state or root.params.get("state"))
