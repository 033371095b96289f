"""How the command line prints: JSON for programs, tables and lines for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from engine.core.text import printable

_WIDE = 250
"""Columns of a table that no terminal shows: nothing is cut for a program that reads it."""


def print_json(document: Any) -> None:
    """One JSON document and nothing else."""
    print(json.dumps(document, indent=2))


def print_json_line(document: Any) -> None:
    """One JSON document on a line of its own, at once."""
    print(json.dumps(document), flush=True)


def print_table(
    headings: Sequence[str], rows: Iterable[Sequence[object]], empty: str, whole: Collection[str] = ()
) -> None:
    """A table, or the sentence ``empty`` that says what to do next.

    On a narrow terminal the columns named in ``whole`` keep each value on one line as long as others can give way.
    """
    texts = [[_cell(value) for value in row] for row in rows]
    if not texts:
        print(empty)
        return
    from rich.console import Console  # 0.1 s that --json need not pay
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading, overflow="fold", no_wrap=heading in whole)
    for row in texts:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else _WIDE, markup=False, highlight=False, emoji=False).print(table)


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """A value a line, each behind its name."""
    pairs = [(name, _cell(value)) for name, value in facts]
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        print(f"{name:<{width}}  {value}")


def local_time(moment: datetime | None) -> str:
    """``2026-03-02 09:30:00`` in this machine's zone."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else "–"


def duration(seconds: float) -> str:
    """``2:14``, ``1:02:14``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _cell(value: object) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple | frozenset):
        return ", ".join(printable(str(item)) for item in value) or "–"
    return printable(str(value))
