"""The audit log: entries are added and read, never changed or removed; triggers of the database see to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, or_, select

from engine.core.audit import AuditEntry, Outcome
from engine.core.text import readable
from engine.store.record_query import AuditQuery
from engine.store.tables import AUDIT

APPEND_ONLY = (
    "CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    "CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit WHEN NEW.row IN (SELECT row FROM audit) "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    "CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
)


def insert_audit(connection: Connection, entries: Sequence[AuditEntry]) -> None:
    if entries:
        connection.execute(
            insert(AUDIT),
            [
                {
                    "at": each.at.timestamp(),
                    "who": readable(each.who),
                    "acting": _text(each.acting),
                    "action": each.action,
                    "target": _text(each.target),
                    "outcome": each.outcome.value,
                    "reason": _text(each.reason),
                }
                for each in entries
            ],
        )


def list_audit(connection: Connection, query: AuditQuery) -> tuple[AuditEntry, ...]:
    """Deeds at ``since`` or later and before ``before``, newest first, at most ``limit``."""
    columns = AUDIT.c
    asked = select(AUDIT).order_by(columns.row.desc()).limit(query.limit)
    if query.since is not None:
        asked = asked.where(columns.at >= query.since.timestamp())
    if query.before is not None:
        asked = asked.where(columns.at < query.before.timestamp())
    if query.outcome is not None:
        asked = asked.where(columns.outcome == query.outcome.value)
    for part, either in (
        (query.who, (columns.who, columns.acting)),
        (query.about, (columns.action, columns.target)),
    ):
        if part is not None:
            asked = asked.where(or_(*(column.contains(part, autoescape=True) for column in either)))
    return tuple(
        AuditEntry(
            datetime.fromtimestamp(row["at"], UTC),
            row["who"],
            row["acting"],
            row["action"],
            row["target"],
            Outcome(row["outcome"]),
            row["reason"],
        )
        for row in connection.execute(asked).mappings()
    )


def _text(value: str | None) -> str | None:
    return None if value is None else readable(value)
