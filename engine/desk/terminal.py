"""Who plays a console on a terminal that a client lends to the engine."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Protocol

from engine.pbx.rights import Asker


class ConsoleHost(Protocol):
    """Plays consoles in a thread of its own; ``tui`` has one, the engine knows none by itself. From any thread."""

    def attach(
        self, fd_in: int, fd_out: int, term: str, size: tuple[int, int], asker: Asker, environment: dict[str, str]
    ) -> Future[None]:
        """Show a console on a terminal, whose descriptors the host owns from now on and closes.

        ``size`` is (columns, rows), ``environment`` what the client's says of its terminal and language. The
        future is done when the console is left, and is the handle for ``resize`` and ``detach``.
        """
        ...

    def resize(self, handle: Future[None], columns: int, rows: int) -> None:
        """The terminal changed its size."""
        ...

    def detach(self, handle: Future[None]) -> None:
        """Whoever lent the terminal is gone: end its console and nothing else."""
        ...
