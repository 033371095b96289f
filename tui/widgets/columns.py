"""How the columns of a list share its width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """A column: at least ``width`` cells, and a share of what is left until its widest text fits.

    Where there is no room the column with the highest ``drop`` goes first; those above 1 go rather than narrow
    another one below its ``usual`` width, one with 0 stays.
    """

    width: int
    usual: int = 0
    grow: int = 0
    most: int = 999
    to_right: bool = False
    drop: int = 0
    title: str = ""


def share_width(columns: Sequence[Column], width: int, widest: Sequence[int] = ()) -> tuple[int, ...]:
    """The cells each column gets of ``width``, one cell between two; 0 for a column that is left out.

    ``widest`` is what the texts of each column would need; without it a column may grow up to its ``most``.
    """
    shown = _without_least(list(columns), width)
    widths = {id(column): column.width for column in shown}
    enough = {
        id(column): min(column.most, max(column.usual, text)) if widest else column.most
        for column, text in zip(columns, widest or (0,) * len(columns), strict=True)
    }
    spare = width - sum(widths.values()) - len(shown) + 1
    growing = [column for column in shown if column.grow and enough[id(column)] > column.width]
    while spare > 0 and growing:
        total = sum(column.grow for column in growing)
        given = 0
        for column in list(growing):
            share = max(1, spare * column.grow // total)
            more = min(share, enough[id(column)] - widths[id(column)], spare - given)
            widths[id(column)] += more
            given += more
            if widths[id(column)] >= enough[id(column)]:
                growing.remove(column)
        if not given:
            break
        spare -= given
    return tuple(widths.get(id(column), 0) for column in columns)


def _without_least(shown: list[Column], width: int) -> list[Column]:
    for least, is_usual in ((2, True), (1, False)):
        while len(shown) > 1:
            needed = sum(max(column.width, column.usual if is_usual else 0) for column in shown) + len(shown) - 1
            last = max(shown, key=lambda column: column.drop)
            if needed <= width or last.drop < least:
                break
            shown.remove(last)
    return shown
