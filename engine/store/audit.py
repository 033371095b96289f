"""The audit log: entries are added and read, never changed or removed; triggers of the database see to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select

from engine.core.audit import AuditEntry, Outcome
from engine.core.text import readable
from engine.store.tables import AUDIT

APPEND_ONLY = (
    "CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit "
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


def list_audit(
    connection: Connection, since: datetime | None, before: datetime | None, limit: int | None
) -> tuple[AuditEntry, ...]:
    """Deeds at ``since`` or later and before ``before``, newest first, at most ``limit``."""
    asked = select(AUDIT).order_by(AUDIT.c.row.desc()).limit(limit)
    if since is not None:
        asked = asked.where(AUDIT.c.at >= since.timestamp())
    if before is not None:
        asked = asked.where(AUDIT.c.at < before.timestamp())
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
