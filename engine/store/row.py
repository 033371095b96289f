"""A row of any cursor, and how lists stand in one column."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol


class Row(Protocol):
    """A row by column name: ``sqlite3.Row`` and SQLAlchemy's mappings alike."""

    def __getitem__(self, column: str, /) -> Any: ...


def words(text: str) -> tuple[str, ...]:
    """The items of a list in one column, separated by commas."""
    return tuple(word for word in text.split(",") if word)


def joined(items: Iterable[str]) -> str:
    """The column of a list."""
    return ",".join(items)
