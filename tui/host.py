"""The consoles' own thread and loop, so that a redraw never delays a call."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import os
import sys
import threading
from concurrent.futures import Future
from pathlib import Path

import asyncssh
import uvloop

from engine.core.clock import Clock
from engine.core.errors import RefusedError
from engine.pbx.rights import Asker
from tui.console import FrontdeskConsole
from tui.door import DeskDoor
from tui.driver import Terminal
from tui.local import LocalTerminal
from tui.preferences import Preferences
from tui.ssh import SshDoor

log = logging.getLogger(__name__)

MAX_CONSOLES = 64
NICENESS = 10
STOP_WAIT = 5.0
"""Seconds the consoles get to leave their terminals clean when the engine stops."""


class ConsoleHost:
    """Runs every console of this engine: those over SSH and those on this machine's terminals.

    ``ssh_listen`` is where SSH is offered, (host, port) with host "" for every address and port 0 for a free
    one; ``None`` offers none. All public methods may be called from any thread but the consoles' own.
    """

    def __init__(
        self, desk: DeskDoor, ssh_listen: tuple[str, int] | None, state_folder: Path, clock: Clock
    ) -> None:
        self._desk = desk
        self._ssh_listen = ssh_listen
        self._state_folder = state_folder
        self._preferences = Preferences(state_folder)
        self._clock = clock
        # Each App redirects the process's print to itself while it runs; redirected to what it was,
        # prints go on to their old place and consoles may end in any order.
        self._prints = (sys.stdout, sys.stderr)
        self._loop = _ConsoleLoop()
        self._thread = threading.Thread(target=self._run, name="consoles", daemon=True)
        self._consoles: dict[FrontdeskConsole, asyncio.Task[None]] = {}
        self._locals: dict[Future[None], LocalTerminal] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ssh: SshDoor | None = None

    def start(self) -> tuple[tuple[str, int], ...]:
        """Start the thread and listen; returns the (host, port) of each SSH listener.

        Raises ``OSError`` when the port is taken or not ours to use, ``StateFolderError`` when the host key
        cannot be used. After an error nothing is left running.
        """
        self._thread.start()
        try:
            return asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        except BaseException:
            self.stop()
            raise

    def attach(
        self,
        fd_in: int,
        fd_out: int,
        term: str,
        size: tuple[int, int],
        asker: Asker,
        environment: dict[str, str] | None = None,
    ) -> Future[None]:
        """Show a console on a terminal of this machine; the future is done when it is left.

        ``fd_in`` and ``fd_out`` are the terminal's descriptors and belong to the host from now on, which
        closes them. ``size`` is (columns, rows); of ``environment`` LANG, LC_ALL, COLORTERM and NO_COLOR are
        heeded. The future is also the handle for ``resize`` and ``detach``.
        """
        done: Future[None] = Future()
        self._loop.call_soon_threadsafe(self._attach, done, (fd_in, fd_out), term, size, asker, environment or {})
        return done

    def resize(self, handle: Future[None], columns: int, rows: int) -> None:
        """The terminal of an attached console changed its size."""

        def change() -> None:
            if local := self._locals.get(handle):
                local.terminal.resize(columns, rows)

        self._loop.call_soon_threadsafe(change)

    def detach(self, handle: Future[None]) -> None:
        """Whoever lent the terminal is gone: end its console and nothing else."""

        def leave() -> None:
            if local := self._locals.get(handle):
                local.hang_up()

        self._loop.call_soon_threadsafe(leave)

    def stop(self) -> None:
        """Leave every terminal clean, close the listeners and end the thread; safe to call twice."""
        if self._loop.is_closed():
            return
        if self._thread.is_alive():
            closing = asyncio.run_coroutine_threadsafe(self._close(), self._loop)
            with contextlib.suppress(TimeoutError):
                closing.result(STOP_WAIT + 2)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(STOP_WAIT)

    async def run_console(self, terminal: Terminal, asker: Asker) -> bool:
        """Show a console until it is left; ``False`` when it failed. Only on the consoles' loop."""
        console = FrontdeskConsole(
            self._desk, asker, self._clock, terminal=terminal, prints=self._prints, preferences=self._preferences
        )
        # A context of its own: language, active App and its kin never leak from one console to another.
        task = self._loop.create_task(console.run_session(), context=contextvars.Context())
        self._consoles[console] = task
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await self._end(console, task)
            raise
        finally:
            self._consoles.pop(console, None)
        return not console.has_failed

    def leave_console(self, terminal: Terminal) -> None:
        """The terminal is gone: end the console on it. Only on the consoles' loop."""
        for console, task in list(self._consoles.items()):
            if console.terminal is terminal:
                self._keep(self._loop.create_task(self._end(console, task)))

    def chosen_language(self, login: str) -> str | None:
        """What an operator has chosen for its console."""
        return self._preferences.of(login).language

    @property
    def is_full(self) -> bool:
        return len(self._consoles) >= MAX_CONSOLES

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        self._loop.set_exception_handler(_log_stray_error)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    async def _listen(self) -> tuple[tuple[str, int], ...]:
        if self._ssh_listen is None:
            return ()
        self._ssh = SshDoor(self._desk, self, self._state_folder, self._clock)
        return await self._ssh.open(*self._ssh_listen)

    async def _close(self) -> None:
        if self._ssh is not None:
            self._ssh.stop_listening()
        await asyncio.gather(
            *(self._end(console, task) for console, task in list(self._consoles.items())), return_exceptions=True
        )
        if self._tasks:  # local terminals are put right before the loop ends
            await asyncio.wait(self._tasks, timeout=STOP_WAIT / 2)
        if self._ssh is not None:
            await self._ssh.close()

    def _keep(self, task: asyncio.Task[None]) -> None:
        """Hold a task that nobody awaits: the loop itself knows its tasks only weakly."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end(self, console: FrontdeskConsole, task: asyncio.Task[None]) -> None:
        console.exit()
        _, unfinished = await asyncio.wait({task}, timeout=STOP_WAIT / 2)
        for hanging in unfinished:
            hanging.cancel()
            await asyncio.wait({hanging}, timeout=STOP_WAIT / 2)

    def _attach(
        self,
        done: Future[None],
        fds: tuple[int, int],
        term: str,
        size: tuple[int, int],
        asker: Asker,
        environment: dict[str, str],
    ) -> None:
        self._keep(self._loop.create_task(self._serve_local(done, fds, term, size, asker, environment)))

    async def _serve_local(
        self,
        done: Future[None],
        fds: tuple[int, int],
        term: str,
        size: tuple[int, int],
        asker: Asker,
        environment: dict[str, str],
    ) -> None:
        done.set_running_or_notify_cancel()
        try:
            if self.is_full:
                raise RefusedError(f"{MAX_CONSOLES} consoles are open", "leave one of them first")
            local = LocalTerminal(fds, term, size, environment)
            local.on_gone = lambda: self.leave_console(local.terminal)
            self._locals[done] = local
            with local:
                is_fine = await self.run_console(local.terminal, asker)
                await local.drain()
            if not is_fine:
                raise RefusedError("the console failed", "the office goes on; the log says why")
        except Exception as error:
            done.set_exception(error)
        except asyncio.CancelledError:
            done.set_exception(RefusedError("the console was closed"))
            raise
        else:
            done.set_result(None)
        finally:
            self._locals.pop(done, None)
            for fd in set(fds):
                with contextlib.suppress(OSError):
                    os.close(fd)


class _ConsoleLoop(uvloop.Loop):
    """Keeps ordinary tasks: Textual would make every task of the loop an eager one, asyncssh's among them."""

    def set_task_factory(self, factory: object) -> None:
        """Ignored."""


def _log_stray_error(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    error = context.get("exception")
    if isinstance(error, (ConnectionError, asyncssh.ConnectionLost)):
        return
    log.error(
        "console thread: %s", context.get("message"), exc_info=error if isinstance(error, BaseException) else None
    )
