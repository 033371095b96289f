"""The store as services see it: small values, fields of extensions, the night switch, a folder for recordings."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.core.errors import NotFoundError
from engine.store.store import Store

if TYPE_CHECKING:
    from engine.store.rows import Rows


class StoredKeeper:
    """Belongs to the engine's loop. What is remembered is known at once and written soon."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known = store.load_memory()

    @property
    def folder(self) -> Path:
        return self._store.folder

    def recall(self, service: str, owner: str, key: str) -> Any:
        return self._known.get((service, owner, key))

    def remember(self, service: str, owner: str, key: str, value: Any) -> None:
        if value is None:
            self._known.pop((service, owner, key), None)
        else:
            self._known[service, owner, key] = value
        self._store.put_memory(service, owner, key, value)

    async def change_extension(self, number: str, **fields: Any) -> None:
        def change(rows: Rows) -> None:
            current = rows.extensions.find(number)
            if current is None:
                raise NotFoundError(f"there is no extension {number}", "see 'frontdesk extension list'")
            rows.extensions.put(replace(current, **fields))

        await asyncio.wrap_future(self._store.submit(change))

    async def set_night(self, position: str) -> None:
        await asyncio.wrap_future(self._store.submit(lambda rows: rows.site.put("night", position)))
