"""Call records: written in batches, listed newest first, pruned when old."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, cast, delete, func, insert, or_, select

from engine.core.text import readable
from engine.core.views import CallRecord
from engine.store.reading import read_record
from engine.store.record_query import RecordQuery
from engine.store.tables import RECORDS

_TIMES = ("started_at", "answered_at", "ended_at")
_PLAIN = tuple(field.name for field in fields(CallRecord) if field.name not in (*_TIMES, "released_by"))


def insert_records(connection: Connection, records: Sequence[CallRecord]) -> None:
    """Write finished calls; core inserts are ten times faster than the ORM."""
    if records:
        connection.execute(insert(RECORDS), [_columns(record) for record in records])


def list_records(connection: Connection, query: RecordQuery) -> tuple[CallRecord, ...]:
    """Calls that started at ``since`` or later and before ``before``, newest first, at most ``limit``."""
    asked = select(RECORDS).order_by(RECORDS.c.started_at.desc(), RECORDS.c.row.desc()).limit(query.limit)
    return tuple(read_record(row) for row in connection.execute(asked.where(*_wanted(query))).mappings())


def count_records(connection: Connection, query: RecordQuery) -> tuple[tuple[datetime, int, int], ...]:
    """(hour, answered, missed) of every hour in which calls began, the oldest first."""
    hour = cast(RECORDS.c.started_at / 3600, Integer)
    asked = select(hour, func.count(RECORDS.c.answered_at), func.count()).where(*_wanted(query))
    rows = connection.execute(asked.group_by(hour).order_by(hour))
    return tuple((datetime.fromtimestamp(at * 3600, UTC), answered, all_ - answered) for at, answered, all_ in rows)


def _wanted(query: RecordQuery) -> list[ColumnElement[bool]]:
    columns, found = RECORDS.c, []
    if query.since is not None:
        found.append(columns.started_at >= query.since.timestamp())
    if query.before is not None:
        found.append(columns.started_at < query.before.timestamp())
    if query.who is not None:
        either = [column.contains(query.who, autoescape=True) for column in (columns.caller, columns.callee)]
        either += [column.in_(query.numbers) for column in (columns.caller, columns.callee) if query.numbers]
        found.append(or_(*either))
    if query.is_answered is not None:
        found.append(columns.answered_at.is_not(None) if query.is_answered else columns.answered_at.is_(None))
    if query.trunk is not None:
        found.append(or_(columns.trunk_in == query.trunk, columns.trunk_out == query.trunk))
    return found


def newest_record_at(connection: Connection) -> datetime | None:
    """When the newest recorded call started; ``None`` without any."""
    newest = connection.execute(select(func.max(RECORDS.c.started_at))).scalar()
    return None if newest is None else datetime.fromtimestamp(newest, UTC)


def find_record(connection: Connection, call: str) -> CallRecord | None:
    """The newest call with this id."""
    asked = select(RECORDS).where(RECORDS.c.id == call).order_by(RECORDS.c.row.desc()).limit(1)
    row = connection.execute(asked).mappings().first()
    return read_record(row) if row is not None else None


def last_talk(connection: Connection, numbers: Sequence[str]) -> CallRecord | None:
    """The latest answered call from or to one of these numbers."""
    asked = (
        select(RECORDS)
        .where(
            or_(RECORDS.c.caller.in_(numbers), RECORDS.c.callee.in_(numbers)), RECORDS.c.answered_at.is_not(None)
        )
        .order_by(RECORDS.c.started_at.desc())
        .limit(1)
    )
    row = connection.execute(asked).mappings().first()
    return read_record(row) if row is not None else None


def prune_records(connection: Connection, started_before: datetime) -> int:
    """Remove records of calls that started before this moment; returns how many went."""
    return connection.execute(delete(RECORDS).where(RECORDS.c.started_at < started_before.timestamp())).rowcount


def _columns(record: CallRecord) -> dict[str, Any]:
    columns: dict[str, Any] = {name: _storable(getattr(record, name)) for name in _PLAIN}
    columns["released_by"] = record.released_by.value
    columns["started_at"] = record.started_at.timestamp()
    columns["ended_at"] = record.ended_at.timestamp()
    columns["answered_at"] = record.answered_at.timestamp() if record.answered_at else None
    return columns


def _storable(value: Any) -> Any:
    """A cause holds words of phones: bytes in them that are no text must not cost the record."""
    return readable(value) if isinstance(value, str) else value
