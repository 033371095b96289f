"""The driver turns a terminal's bytes into keys and frames into bytes, and leaves the terminal clean."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Label

from tui.driver import ChannelDriver, Terminal, usable_size


class FakeWire:
    """Keeps what was written."""

    def __init__(self) -> None:
        self.data = b""
        self.is_stalled = False

        self._written = asyncio.Event()

    def write(self, data: bytes) -> None:
        self.data += data
        self._written.set()

    async def wrote(self, part: bytes) -> None:
        """Wait until these bytes were written."""
        async with asyncio.timeout(5):
            while part not in self.data:
                self._written.clear()
                await self._written.wait()

    def take(self) -> bytes:
        data, self.data = self.data, b""
        return data


class Probe(App[None]):
    """Keeps the events it gets and wakes who waits for them."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__(driver_class=ChannelDriver)
        self.terminal = terminal
        self.got: asyncio.Queue[events.Event] = asyncio.Queue()

    def compose(self) -> ComposeResult:
        yield Label("hello 陈波")

    def on_ready(self) -> None:
        self.got.put_nowait(events.Ready())

    async def on_event(self, event: events.Event) -> None:
        if (
            isinstance(event, events.Key | events.MouseDown | events.Paste | events.Resize)
            and not event.is_forwarded
        ):
            self.got.put_nowait(event)
        await super().on_event(event)

    async def next(self, kind: type[events.Event]) -> events.Event:
        async with asyncio.timeout(5):
            while True:
                event = await self.got.get()
                if isinstance(event, kind):
                    return event


@asynccontextmanager
async def running(wire: FakeWire, term: str = "xterm-256color") -> AsyncIterator[Probe]:
    probe = Probe(Terminal(wire, term, (80, 24), {}))
    task = asyncio.create_task(probe.run_async(size=(80, 24)))
    await probe.next(events.Ready)
    try:
        yield probe
    finally:
        probe.exit()
        async with asyncio.timeout(5):
            await task


async def test_screen_is_entered_drawn_and_left_clean() -> None:
    wire = FakeWire()
    async with running(wire):
        started = wire.take()
        assert b"\x1b[?1049h" in started
        assert b"\x1b[?1006h" in started
        assert "hello 陈波".encode() in started
        assert b"\x1b[?1003h" not in started
    left = wire.take()
    for restored in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l", b"\x1b[?2004l", b"\x1b[?7h"):
        assert restored in left


async def test_keys_of_every_kind_arrive() -> None:
    async with running(FakeWire()) as probe:
        for typed, key in (
            (b"a", "a"), ("陈".encode(), "陈"), (b"\r", "enter"), (b"\x1b[A", "up"), (b"\x1bOP", "f1"),
            (b"\x1b[21~", "f10"), (b"\x1b[1;5C", "ctrl+right"), (b"\x10", "ctrl+p"), (b"\x7f", "backspace"),
        ):  # fmt: skip
            probe.terminal.receive(typed)
            event = await probe.next(events.Key)
            assert isinstance(event, events.Key)
            assert event.key == key


async def test_a_lone_escape_is_a_key() -> None:
    async with running(FakeWire()) as probe:
        probe.terminal.receive(b"\x1b")
        event = await probe.next(events.Key)
        assert isinstance(event, events.Key)
        assert event.key == "escape"


async def test_characters_split_between_packets_are_joined() -> None:
    async with running(FakeWire()) as probe:
        for byte in "波".encode():
            probe.terminal.receive(bytes([byte]))
        event = await probe.next(events.Key)
        assert isinstance(event, events.Key)
        assert event.character == "波"


async def test_mouse_and_paste_arrive() -> None:
    async with running(FakeWire()) as probe:
        probe.terminal.receive(b"\x1b[<0;11;6M")
        click = await probe.next(events.MouseDown)
        assert isinstance(click, events.MouseDown)
        assert (click.screen_x, click.screen_y) == (10, 5)
        probe.terminal.receive(b"\x1b[200~+49 30\x1b[201~x")
        paste = await probe.next(events.Paste)
        assert isinstance(paste, events.Paste)
        assert paste.text == "+49 30"


async def test_garbage_ends_nothing() -> None:
    async with running(FakeWire()) as probe:
        for garbage in (
            b"\xff\xfe\x00",
            b"\x1b[<999999999999;1;1M",
            b"\x1b[;;;;;~",
            b"\x1b[48;0;0;0;0t",
            b"\x1b]0;x",
        ):
            probe.terminal.receive(garbage)
        probe.terminal.receive(b"\x1b[B")
        while True:
            event = await probe.next(events.Key)
            assert isinstance(event, events.Key)
            if event.key == "down":
                break


async def test_frames_for_a_stalled_peer_are_dropped_and_drawn_when_it_reads_again() -> None:
    wire = FakeWire()
    async with running(wire) as probe:
        wire.take()
        wire.is_stalled = True
        probe.query_one(Label).update("changed")
        probe.terminal.resize(100, 30)
        await probe.next(events.Resize)
        for _ in range(20):
            await asyncio.sleep(0)
        assert wire.take() == b""
        wire.is_stalled = False
        probe.terminal.resume()
        await wire.wrote(b"changed")


async def test_plain_consoles_are_not_asked_what_they_do_not_know() -> None:
    wire = FakeWire()
    async with running(wire, "linux"):
        assert b"?2026$p" not in wire.take()


def test_unknown_and_absurd_sizes_become_usable() -> None:
    assert usable_size(0, 0) == (80, 24)
    assert usable_size(1, 1) == (20, 6)
    assert usable_size(65535, 65535) == (400, 150)
