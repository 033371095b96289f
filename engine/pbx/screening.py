"""The system's black and white list: which calls are not let in (RFC 5079 for those without a caller)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from engine.pbx.routing.numbers import Numbering
from engine.pbx.routing.route import Refused
from engine.pbx.routing.table import table_of
from engine.store.configuration import Configuration
from engine.store.outside import ANY, ScreenRow

ANONYMOUS = "anonymous"
"""The caller of a row that is meant for whoever withholds the number."""


class Caller(NamedTuple):
    """Who calls, as far as screening is concerned."""

    number: str | None
    is_anonymous: bool = False
    """Withholds the number, in any of the ways there are; never said of an extension, whom the office knows."""


class _Callers:
    """The rows of one called prefix."""

    __slots__ = ("by_caller", "lengths")

    def __init__(self) -> None:
        self.by_caller: dict[str, ScreenRow] = {}
        self.lengths: tuple[int, ...] = ()

    def row_for(self, caller: Caller, forms: tuple[str, ...]) -> ScreenRow | None:
        """The row with the longest caller prefix: a number comes before ``anonymous``, that before any caller."""
        for length in self.lengths:
            for form in forms:
                if length <= len(form) and (row := self.by_caller.get(form[:length])) is not None:
                    return row
        if caller.is_anonymous and (row := self.by_caller.get(ANONYMOUS)) is not None:
            return row
        return self.by_caller.get(ANY)


class ScreenTable:
    """The rows of one configuration by their prefixes."""

    __slots__ = ("_by_called", "_lengths", "_numbering", "rows")

    def __init__(self, rows: tuple[ScreenRow, ...], numbering: Numbering) -> None:
        self.rows = rows
        self._numbering = numbering
        self._by_called: dict[str, _Callers] = {}
        for row in rows:
            called = "" if row.called == ANY else row.called
            self._by_called.setdefault(called, _Callers()).by_caller.setdefault(row.caller, row)
        for callers in self._by_called.values():
            numbers = {len(prefix) for prefix in callers.by_caller if prefix not in (ANY, ANONYMOUS)}
            callers.lengths = tuple(sorted(numbers, reverse=True))
        self._lengths = tuple(sorted({len(called) for called in self._by_called}, reverse=True))

    def row_for(self, caller: Caller, called: str) -> ScreenRow | None:
        """The row that decides: of the longest called prefix the one with the longest caller prefix."""
        if not self.rows:
            return None
        callers = self._numbering.forms(caller.number) if caller.number else ()
        forms = self._numbering.forms(called)
        for length in self._lengths:
            for form in forms:
                if length > len(form):
                    continue
                rows = self._by_called.get(form[:length])
                row = rows.row_for(caller, callers) if rows is not None else None
                if row is not None:
                    return row
        return None


class Screening:
    """Judges calls by the rows of the configuration in force and counts what each row has decided."""

    def __init__(self, draw: Callable[[], float]) -> None:
        """``draw()`` gives a number from 0 up to, not including, 1 for rows that block only some calls."""
        self._draw = draw
        self._table: ScreenTable | None = None
        self._hits: dict[int, int] = {}

    def apply(self, configuration: Configuration) -> None:
        """Take over the rows as they are now; a row that stays keeps its count."""
        self._table = ScreenTable(configuration.screening, table_of(configuration).numbering)
        known = {row.id for row in configuration.screening}
        self._hits = {row: count for row, count in self._hits.items() if row in known}

    @property
    def hits(self) -> dict[int, int]:
        """How many calls each row has decided since the start, by the row's id."""
        return dict(self._hits)

    def screen(self, caller: Caller, called: str) -> Refused | None:
        """What a call is refused with, ``None`` for one that may go on. Never asked for emergency calls."""
        row = self._table.row_for(caller, called) if self._table is not None else None
        if row is None:
            return None
        self._hits[row.id] = self._hits.get(row.id, 0) + 1
        if row.is_white or not row.rate or (row.rate < 100 and self._draw() * 100 >= row.rate):
            return None
        return refusal_of(row)


def refusal_of(row: ScreenRow) -> Refused:
    """What a call hears that a row blocks."""
    if row.caller == ANONYMOUS:
        return Refused(433, "Anonymity Disallowed")
    return Refused(403, "Blocked By The Screening List")
