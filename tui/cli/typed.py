"""Typer with usage lines like those of the manual: ``NUMBER``, not ``{NUMBER}``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import typer
from typer.core import TyperCommand

_Function = TypeVar("_Function", bound=Callable[..., Any])


class CommandLine(typer.Typer):
    """A group of commands."""

    def command(self, *args: Any, **kwargs: Any) -> Callable[[_Function], _Function]:
        return super().command(*args, **{"cls": _Command, **kwargs})


class _Command(TyperCommand):
    def get_short_help_str(self, limit: int = 45) -> str:
        """The first clause of its help, whole: a list of commands wraps it, and cuts nothing off."""
        clause = " ".join((self.help or "").partition("\n\n")[0].split()).partition(";")[0]
        return clause.removesuffix(".") + "."

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [piece[1:-1] if piece.startswith("{") else piece for piece in super().collect_usage_pieces(ctx)]
