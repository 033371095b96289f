"""Rows that are known by a key: what changed of many is written at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, insert

Rows = Mapping[tuple[str, ...], Mapping[str, Any] | None]
"""By key: the columns of the row that is to stand there, or ``None`` for none."""


def write_rows(connection: Connection, table: Table, key: tuple[str, ...], changes: Rows) -> None:
    """Put each row in the place of the one with its key; ``key`` names the columns it is made of."""
    if not changes:
        return
    doomed = delete(table).where(*(table.c[name] == bindparam(f"of_{name}") for name in key))
    names = [f"of_{name}" for name in key]
    connection.execute(doomed, [dict(zip(names, values, strict=True)) for values in changes])
    kept = [dict(row) for row in changes.values() if row is not None]
    if kept:
        connection.execute(insert(table), kept)
