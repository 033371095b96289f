"""A terminal of this machine as a console's wire: never blocks, never touches signals."""

from __future__ import annotations

import asyncio
import contextlib
import os
import termios
import tty
from collections.abc import Callable
from typing import Any, Self

from tui.driver import Terminal

_MOST_PENDING = 128 * 1024
"""Bytes a terminal may lag behind before frames are dropped."""


class LocalTerminal:
    """Reads and writes a tty without blocking while in its ``with`` block; restores it afterwards.

    The tty is opened anew where that is allowed, because non-blocking mode belongs to the open file, which
    the shell that lent us its terminal shares.
    """

    def __init__(self, fds: tuple[int, int], term: str, size: tuple[int, int], environment: dict[str, str]) -> None:
        self.terminal = Terminal(self, term, size, environment)
        self.on_gone: Callable[[], None] = lambda: None
        self._lent = fds
        self._in = self._out = -1
        self._loop = asyncio.get_running_loop()
        self._attributes: list[Any] | None = None
        self._pending = bytearray()
        self._is_gone = False
        self._is_drained = asyncio.Event()
        self._is_drained.set()

    def __enter__(self) -> Self:
        self._in, self._out = (_open_anew(fd) for fd in self._lent)
        with contextlib.suppress(termios.error):
            self._attributes = termios.tcgetattr(self._in)
            tty.setraw(self._in, termios.TCSANOW)
        self._loop.add_reader(self._in, self._read)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.remove_reader(self._in)
        self._loop.remove_writer(self._out)
        if self._attributes is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._in, termios.TCSANOW, self._attributes)
        for lent, own in zip(self._lent, (self._in, self._out), strict=True):
            if lent == own:
                with contextlib.suppress(OSError):
                    os.set_blocking(own, True)
            else:
                os.close(own)

    @property
    def is_stalled(self) -> bool:
        return len(self._pending) > _MOST_PENDING

    def write(self, data: bytes) -> None:
        if self._is_gone:
            return
        if self._pending:
            self._pending += data
            return
        self._pending += data
        self._flush()
        if self._pending:
            self._is_drained.clear()
            self._loop.add_writer(self._out, self._flush)

    async def drain(self, limit: float = 1.0) -> None:
        """Wait until everything is written, at most ``limit`` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit):
                await self._is_drained.wait()

    def hang_up(self) -> None:
        """The terminal is gone."""
        if not self._is_gone:
            self._is_gone = True
            self._pending.clear()
            self._is_drained.set()
            self._loop.remove_reader(self._in)
            self._loop.remove_writer(self._out)
            self.on_gone()

    def _read(self) -> None:
        try:
            data = os.read(self._in, 4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.terminal.receive(data)
        else:
            self.hang_up()

    def _flush(self) -> None:
        was_stalled = self.is_stalled
        try:
            while self._pending:
                del self._pending[: os.write(self._out, self._pending)]
        except BlockingIOError:
            pass
        except OSError:
            self.hang_up()
            return
        if not self._pending:
            self._is_drained.set()
            self._loop.remove_writer(self._out)
        if was_stalled and not self.is_stalled:
            self.terminal.resume()


def _open_anew(fd: int) -> int:
    try:
        return os.open(f"/proc/self/fd/{fd}", os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        os.set_blocking(fd, False)
        return fd
