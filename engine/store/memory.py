"""What services remember between calls: small values by service, owner and key."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from engine.store.row import Row

if TYPE_CHECKING:
    from sqlmodel import Session


class MemoryRows:
    """The table inside one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, service: str, owner: str, key: str, value: Any) -> None:
        """Remember ``value``; ``None`` forgets."""
        from engine.store.tables import MemoryRow  # SQLModel takes 0.5 s: only the writer's thread loads it

        if value is None:
            row = self._session.get(MemoryRow, (service, owner, key))
            if row is not None:
                self._session.delete(row)
        else:
            self._session.merge(MemoryRow(service=service, owner=owner, key=key, value=json.dumps(value)))


def read_memory(query: Callable[[str], Iterable[Row]]) -> dict[tuple[str, str, str], Any]:
    """All that is remembered; what cannot be read is left out."""
    found = {}
    for row in query("SELECT service, owner, key, value FROM memory"):
        try:
            found[row["service"], row["owner"], row["key"]] = json.loads(row["value"])
        except ValueError:
            continue
    return found
