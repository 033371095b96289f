"""Textual's driver for a byte channel: an SSH channel and a terminal of this machine alike."""

from __future__ import annotations

import asyncio
from codecs import getincrementaldecoder
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from textual import events
from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.driver import Driver
from textual.geometry import Size
from textual.message import Message

if TYPE_CHECKING:
    from textual.app import App

ESCAPE_WAIT = 0.12
"""Seconds after which an ESC that nothing followed is the Esc key; longer than the parser's own 0.1 s."""

_SMALLEST, _LARGEST = (20, 6), (400, 150)
_ENTER = (
    "\x1b[?1049h"  # alternate screen
    "\x1b[?1000h\x1b[?1002h\x1b[?1006h"  # clicks, drags and wheel, in SGR coordinates; no idle movement
    "\x1b[?25l\x1b[?7l\x1b[?2004h"  # no cursor, no wrapping, bracketed paste
)
_LEAVE = (
    "\x1b[?2004l\x1b[?7h\x1b[?1006l\x1b[?1002l\x1b[?1000l"
    "\x1b[0m\x1b[H\x1b[2J"  # a terminal without an alternate screen is left clean as well
    "\x1b[?1049l\x1b[?25h"
)
_KEEP_TITLE, _TITLE_BACK = "\x1b[22;2t", "\x1b[23;2t"
_ASK_SYNCHRONIZED = "\x1b[?2026$p"


class Wire(Protocol):
    """Where a terminal's bytes go."""

    @property
    def is_stalled(self) -> bool:
        """The peer does not read; what is written now would only pile up."""
        ...

    def write(self, data: bytes) -> None:
        """Send without waiting; silently nothing once the peer is gone."""
        ...


class Terminal:
    """One terminal that shows a console: its kind, its size, its bytes."""

    def __init__(self, wire: Wire, term: str, size: tuple[int, int], environment: Mapping[str, str]) -> None:
        self.wire = wire
        self.term = term
        self.size = usable_size(*size)
        self.environment = dict(environment)
        self.driver: ChannelDriver | None = None

    def receive(self, data: bytes) -> None:
        """Bytes that were typed, clicked or pasted; before the console is up they are dropped."""
        if self.driver is not None:
            self.driver.receive(data)

    def resize(self, columns: int, rows: int) -> None:
        self.size = usable_size(columns, rows)
        if self.driver is not None:
            self.driver.resize(self.size)

    def resume(self) -> None:
        """The peer reads again: draw what it missed."""
        if self.driver is not None:
            self.driver.repaint_missed()


def usable_size(columns: int, rows: int) -> tuple[int, int]:
    """A size that can be drawn; 0 means unknown and becomes 80 by 24."""
    columns, rows = columns or 80, rows or 24
    return (
        min(max(columns, _SMALLEST[0]), _LARGEST[0]),
        min(max(rows, _SMALLEST[1]), _LARGEST[1]),
    )


class ChannelDriver(Driver):
    """Feeds a terminal's bytes to an App and the App's frames to the terminal, one write per loop turn."""

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        terminal = app.terminal  # type: ignore[attr-defined]
        assert isinstance(terminal, Terminal)
        super().__init__(app, debug=debug, mouse=mouse, size=terminal.size)
        self._terminal = terminal
        self._parser = XTermParser()
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._pending: list[str] = []
        self._escape_timer: asyncio.TimerHandle | None = None
        self._is_listening = False
        self._has_missed = False
        self._has_title = False

    def start_application_mode(self) -> None:
        self._terminal.driver = self
        self._is_listening = True
        self.write(_ENTER)
        if not self._terminal.term.startswith(("linux", "vt")):
            self.write(_ASK_SYNCHRONIZED)
        self.resize(self._terminal.size)

    def disable_input(self) -> None:
        self._is_listening = False
        if self._escape_timer is not None:
            self._escape_timer.cancel()

    def stop_application_mode(self) -> None:
        self.disable_input()
        self._terminal.driver = None
        self._pending.clear()
        last = _TITLE_BACK if self._has_title else ""
        self._terminal.wire.write(f"{last}{_LEAVE}".encode())

    def send_message(self, message: Message) -> None:
        # The base class crosses threads; channel and App share this loop, and order matters for keys.
        self._app.post_message(message)

    def write(self, data: str) -> None:
        if not self._pending:
            self._loop.call_soon(self._send)
        self._pending.append(data)

    def set_title(self, text: str) -> None:
        """Name the terminal's window; what it was called before is put back at the end."""
        if self._terminal.term.startswith(("linux", "vt")):
            return
        if not self._has_title:
            self._has_title = True
            self.write(_KEEP_TITLE)
        self.write(f"\x1b]2;{text}\x07")

    def receive(self, data: bytes) -> None:
        """Turn bytes into keys, clicks and pastes."""
        if not self._is_listening:
            return
        text = self._decode(data)
        if not text:  # half a character; and an empty feed would end the parser
            return
        self._post(self._parser.feed(text))
        if self._escape_timer is not None:
            self._escape_timer.cancel()
        self._escape_timer = self._loop.call_later(ESCAPE_WAIT, self._settle_escape)

    def resize(self, size: tuple[int, int]) -> None:
        """The terminal has this many columns and rows now."""
        self._size = size
        self.send_message(events.Resize(Size(*size), Size(*size)))

    def repaint_missed(self) -> None:
        """Draw the whole screen once more when frames were dropped while the peer did not read."""
        if self._has_missed and self._is_listening:
            self._has_missed = False
            self._app.call_later(self._app.refresh)

    def _send(self) -> None:
        data = "".join(self._pending)
        self._pending.clear()
        if self._terminal.wire.is_stalled:
            self._has_missed = True
        elif data:
            self._terminal.wire.write(data.encode("utf-8", "replace"))

    def _settle_escape(self) -> None:
        if self._is_listening:
            self._post(self._parser.tick())

    def _post(self, messages: Any) -> None:
        try:
            for message in messages:
                self.process_message(message)
        except (ParseError, ValueError, OverflowError):
            # Nonsense from the terminal ends one sequence, never the console.
            self._parser = XTermParser()
