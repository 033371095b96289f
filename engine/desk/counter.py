"""What a command's handler works with: the store, the running office if there is one, and who asks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from engine.core.clock import Clock
from engine.core.errors import RefusedError
from engine.desk.live import LiveOffice
from engine.pbx.rights import Asker
from engine.store.configuration import Configuration
from engine.store.store import Store

if TYPE_CHECKING:
    from engine.desk.machine_commands import BackupJob
    from engine.store.rows import Rows

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Counter:
    """One asker's side of the desk."""

    store: Store
    office: LiveOffice | None
    clock: Clock
    asker: Asker
    configured: Callable[[str], Awaitable[None]]
    """Makes the running office work by the newest configuration; takes what changed, such as ``extension 101``."""
    backup: BackupJob

    @property
    def configuration(self) -> Configuration:
        return self.store.configuration

    def running_office(self) -> LiveOffice:
        """The running office; raises ``RefusedError`` when none runs."""
        if self.office is None:
            raise no_engine(self.store)
        return self.office

    async def change(self, work: Callable[[Rows], T], what: str) -> T:
        """Commit ``work`` and make it count at once."""
        result = await asyncio.wrap_future(self.store.submit(work))
        await self.configured(what)
        return result


def no_engine(store: Store) -> RefusedError:
    """The refusal for what only a running engine can do."""
    return RefusedError(f"no engine runs on {store.folder}", "start it with 'frontdesk run'")
