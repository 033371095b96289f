"""The binding table: what changed of many phones is written at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, delete

from engine.store.bindings import StoredBinding
from engine.store.keyed_rows import Rows, write_rows
from engine.store.tables import BINDINGS

BindingKey = tuple[str, str]
"""Extension and contact."""

_PLAIN = tuple(
    field.name for field in fields(StoredBinding) if field.name not in ("expires_at", "registered_at", "path")
)


def write_bindings(connection: Connection, changes: Mapping[BindingKey, StoredBinding | None]) -> None:
    """Put each binding in the place of the one with its key; ``None`` removes it."""
    rows: Rows = {key: _columns(binding) if binding is not None else None for key, binding in changes.items()}
    write_rows(connection, BINDINGS, ("extension", "contact"), rows)


def remove_bindings(connection: Connection, extension: str, contact: str | None) -> int:
    """Forget an extension's phones, or the one with this contact; returns how many."""
    gone = delete(BINDINGS).where(BINDINGS.c.extension == extension)
    if contact is not None:
        gone = gone.where(BINDINGS.c.contact == contact)
    return connection.execute(gone).rowcount


def _columns(binding: StoredBinding) -> dict[str, Any]:
    columns: dict[str, Any] = {name: getattr(binding, name) for name in _PLAIN}
    columns["expires_at"] = binding.expires_at.timestamp()
    columns["registered_at"] = binding.registered_at.timestamp()
    columns["path"] = "\n".join(binding.path)
    return columns
