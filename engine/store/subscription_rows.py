"""The table of subscriptions: written like bindings, and moved on when the office opens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection

from engine.store.keyed_rows import Rows, write_rows
from engine.store.subscriptions import StoredSubscription
from engine.store.tables import SUBSCRIPTIONS

_PLAIN = tuple(
    field.name for field in fields(StoredSubscription) if field.name not in ("expires_at", "granted_at", "routes")
)


def write_subscriptions(
    connection: Connection, changes: Mapping[tuple[str, str], StoredSubscription | None]
) -> None:
    """Put each subscription in the place of the one with its key; ``None`` removes it."""
    rows: Rows = {key: _columns(kept) if kept is not None else None for key, kept in changes.items()}
    write_rows(connection, SUBSCRIPTIONS, ("call_id", "local_tag"), rows)


def _columns(kept: StoredSubscription) -> dict[str, Any]:
    columns: dict[str, Any] = {name: getattr(kept, name) for name in _PLAIN}
    columns["granted_at"] = kept.granted_at.timestamp()
    columns["expires_at"] = kept.expires_at.timestamp()
    columns["routes"] = "\n".join(kept.routes)
    return columns
