"""Lends this terminal to the engine's console, and puts it right again afterwards."""

from __future__ import annotations

import os
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from engine.core.errors import RefusedError
from engine.desk.client import EngineClient, terminal_environment

_LEAVE = "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[<u\x1b[?25h\x1b[?1049l\x1b[0m\r\n"
"""Mouse, focus, paste and key reporting off, cursor on, main screen: for a console that died on the terminal."""


def demand_terminal() -> None:
    """Raise ``RefusedError`` unless there is a terminal to show a console on."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise RefusedError(
            "the console needs a terminal", "run this in one, or use 'frontdesk run --headless' for a service"
        )


def show_console(client: EngineClient, acting: str | None = None) -> None:
    """Show the engine's console here until it is left; raises ``RefusedError`` when it or the engine fails."""
    demand_terminal()
    fd_in, fd_out = sys.stdin.fileno(), sys.stdout.fileno()
    sys.stdout.flush()
    with _terminal_kept(fd_in), _size_followed(client, fd_out):
        try:
            client.open_console(
                fd_in, fd_out, os.environ.get("TERM", "xterm"), _size(fd_out), terminal_environment(), acting
            )
            client.await_end()
        except RefusedError:
            with suppress(OSError):
                os.write(fd_out, _LEAVE.encode())
            raise


@contextmanager
def _terminal_kept(fd: int) -> Iterator[None]:
    """Whatever happens inside, the terminal's modes are afterwards what they were."""
    modes = termios.tcgetattr(fd)
    was_blocking = os.get_blocking(fd)
    try:
        yield
    finally:
        with suppress(OSError, termios.error):
            os.set_blocking(fd, was_blocking)
            termios.tcsetattr(fd, termios.TCSADRAIN, modes)


@contextmanager
def _size_followed(client: EngineClient, fd: int) -> Iterator[None]:
    def tell(number: int, frame: FrameType | None) -> None:
        with suppress(RefusedError):
            client.resize(*_size(fd))

    before = signal.signal(signal.SIGWINCH, tell)
    # Ctrl+C reaches the console as a key; only its first moments could still make a signal of it.
    interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)
        signal.signal(signal.SIGINT, interrupt)


def _size(fd: int) -> tuple[int, int]:
    try:
        size = os.get_terminal_size(fd)
    except OSError:
        return 80, 24
    return size.columns or 80, size.lines or 24
