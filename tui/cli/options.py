"""The options that many commands share, and how values are read: mistakes are named in our own words."""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from engine.core.paths import demand_usable, state_folder

_Word = TypeVar("_Word", bound=StrEnum)

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


def whole_number(least: int) -> Callable[[str], int]:
    """A parser of whole numbers from ``least`` on."""

    def parse(text: str) -> int:
        text = str(text)
        if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) >= least):
            raise typer.BadParameter(f"'{text}' cannot be used: give a whole number, {least} or more")
        return int(text)

    return parse


def seconds(text: str) -> float:
    """A parser of seconds, 0 or more."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise typer.BadParameter(f"'{text}' cannot be used: give seconds, 0 or more")
    return number


def one_of(words: type[_Word]) -> Callable[[str], _Word]:
    """A parser of the words of an enumeration."""

    def parse(text: str) -> _Word:
        try:
            return words(text)
        except ValueError:
            raise typer.BadParameter(f"'{text}' is not known: give one of {', '.join(words)}") from None

    return parse
