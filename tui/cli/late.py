"""The console host, loaded in a thread when the engine is up: Textual takes 0.5 s that no phone should wait for."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.clock import Clock
from engine.core.errors import RefusedError
from engine.desk.door import Desk
from engine.pbx.rights import Asker

if TYPE_CHECKING:
    from tui.host import ConsoleHost


class LateConsoleHost:
    """``tui.host.ConsoleHost``, made by ``start``; the engine calls that off its loop."""

    def __init__(self, desk: Desk, ssh_listen: tuple[str, int] | None, folder: Path, clock: Clock) -> None:
        self._desk = desk
        self._ssh_listen = ssh_listen
        self._folder = folder
        self._clock = clock
        self._host: ConsoleHost | None = None

    def start(self) -> tuple[tuple[str, int], ...]:
        """See ``tui.host.ConsoleHost.start``; takes half a second longer."""
        from tui.host import ConsoleHost

        self._host = ConsoleHost(self._desk, self._ssh_listen, self._folder, self._clock)
        return self._host.start()

    def attach(
        self, fd_in: int, fd_out: int, term: str, size: tuple[int, int], asker: Asker, environment: dict[str, str]
    ) -> Future[None]:
        return self._started().attach(fd_in, fd_out, term, size, asker, environment)

    def resize(self, handle: Future[None], columns: int, rows: int) -> None:
        self._started().resize(handle, columns, rows)

    def detach(self, handle: Future[None]) -> None:
        self._started().detach(handle)

    def stop(self) -> None:
        if self._host is not None:
            self._host.stop()

    def _started(self) -> ConsoleHost:
        if self._host is None:
            raise RefusedError("the console is not ready yet", "try again in a second")
        return self._host
