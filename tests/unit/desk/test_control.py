"""The control socket serves its owner, and no client can harm the engine or another client."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from engine.core.clock import ManualClock
from engine.core.errors import NotFoundError, RefusedError
from engine.core.events import LampChanged
from engine.core.views import Lamp
from engine.desk import control, guest
from engine.desk.client import EngineClient, NoEngineError
from engine.desk.commands import AddExtension, ListCalls, ListExtensions, ShowExtension
from engine.desk.control import ControlSocket
from engine.desk.door import Desk
from engine.desk.wire import encode
from engine.pbx.rights import Asker
from engine.store.store import Store
from tests.unit.desk.fakes import FakeOffice

LIMIT_S = 5


class FakeConsoles:
    """Takes terminals and does nothing with them."""

    def __init__(self) -> None:
        self.sizes: list[tuple[int, int]] = []
        self.handles: list[Future[None]] = []
        self.fds: tuple[int, int] = (-1, -1)
        self.told: dict[str, str] = {}
        self.askers: list[Asker] = []
        self.resized = asyncio.Event()
        self.detached = asyncio.Event()

    def attach(
        self, fd_in: int, fd_out: int, term: str, size: tuple[int, int], asker: Asker, environment: dict[str, str]
    ) -> Future[None]:
        self.fds, self.told = (fd_in, fd_out), {"TERM": term, **environment}
        self.sizes.append(size)
        self.askers.append(asker)
        self.handles.append(Future())
        self.handles[-1].set_running_or_notify_cancel()
        return self.handles[-1]

    def resize(self, handle: Future[None], columns: int, rows: int) -> None:
        self.sizes.append((columns, rows))
        self.resized.set()

    def detach(self, handle: Future[None]) -> None:
        self.detached.set()

    def close(self) -> None:
        for fd in self.fds:
            os.close(fd)


@pytest.fixture
def tty() -> Iterator[tuple[int, int]]:
    """The two ends of a terminal: a person's and a program's."""
    ends = os.openpty()
    yield ends
    for end in ends:
        os.close(end)


@pytest.fixture
async def engine(desk: Desk, store: Store) -> AsyncIterator[ControlSocket]:
    opened = ControlSocket(desk, store.folder)
    opened.open()
    yield opened
    await opened.close()


async def talk(folder: Path, *lines: bytes, shut: bool = True) -> list[Any]:
    """What the engine answers to these bytes until it hangs up."""
    reader, writer = await asyncio.open_unix_connection(str(folder / "control.sock"))
    for line in lines:
        writer.write(line)
    if shut:
        writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), LIMIT_S)
    writer.close()
    return [json.loads(line) for line in answer.splitlines()]


async def asks_fine(folder: Path) -> None:
    """A well-behaved client is still served."""
    answer = await asyncio.wait_for(asyncio.to_thread(ask, folder, ListCalls()), LIMIT_S)
    assert [call.id for call in answer] == ["7f3a"]


def ask(folder: Path, command: Any) -> Any:
    with EngineClient.connect(folder) as client:
        return client.ask(command)


async def test_socket_belongs_to_its_owner_alone(engine: ControlSocket, store: Store) -> None:
    assert stat.S_IMODE((store.folder / "control.sock").stat().st_mode) == 0o600


async def test_command_is_carried_out_and_answered(engine: ControlSocket, store: Store) -> None:
    made = await asyncio.to_thread(ask, store.folder, AddExtension("105"))
    assert made.account == "105"
    (listed,) = await asyncio.to_thread(ask, store.folder, ListExtensions())
    assert listed.number == "105"


async def test_refusal_arrives_as_what_it_is(engine: ControlSocket, store: Store) -> None:
    with pytest.raises(NotFoundError, match="no extension 109"):
        await asyncio.to_thread(ask, store.folder, ShowExtension("109"))


async def test_one_connection_carries_many_commands(engine: ControlSocket, store: Store) -> None:
    line = b'{"ask":"ListLamps"}\n'
    answers = await talk(store.folder, line[:5], line[5:] + line, line)
    assert len(answers) == 3
    assert answers[0]["result"]["101"] == "busy"


async def test_a_long_listing_keeps_nobody_waiting(
    engine: ControlSocket, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    writers: list[threading.Thread] = []

    def note_thread(result: Any) -> Any:
        writers.append(threading.current_thread())
        return encode(result)

    monkeypatch.setattr(control, "LONG_LISTING", 1)
    monkeypatch.setattr(control, "encode", note_thread)
    for number in ("105", "106"):
        await asyncio.to_thread(ask, store.folder, AddExtension(number))
    listed = await asyncio.to_thread(ask, store.folder, ListExtensions())
    assert [extension.number for extension in listed] == ["105", "106"]
    assert [thread is threading.main_thread() for thread in writers] == [True, True, False, False]


async def test_garbage_gets_an_error_and_harms_nothing(engine: ControlSocket, store: Store) -> None:
    answers = await talk(store.folder, b"GET / HTTP/1.1\r\n\r\n", b"\x00\xff\n", b'{"ask":"Rm"}\n')
    assert len(answers) == 4
    assert all("error" in answer for answer in answers)
    await asks_fine(store.folder)


async def test_endless_line_ends_its_connection(engine: ControlSocket, store: Store) -> None:
    reader, writer = await asyncio.open_unix_connection(str(store.folder / "control.sock"))
    writer.write(b"x" * (guest.LONGEST_LINE + 60_000))
    answer = json.loads(await asyncio.wait_for(reader.readline(), LIMIT_S))
    assert "too long" in answer["error"]["what"]
    writer.transport.abort()
    await asks_fine(store.folder)


async def test_silent_and_vanishing_clients_harm_nothing(engine: ControlSocket, store: Store) -> None:
    silent = [await asyncio.open_unix_connection(str(store.folder / "control.sock")) for _ in range(5)]
    silent[0][1].write(b'{"ask":"ListCa')
    silent[1][1].write(b'{"watch":true}\n')
    silent[2][1].write(b'{"ask":"ListCalls"}\n' * 50)
    for _, writer in silent[:3]:
        writer.transport.abort()
    await asks_fine(store.folder)
    for _, writer in silent:
        writer.close()


async def test_client_that_takes_nothing_is_hung_up_on(
    engine: ControlSocket, store: Store, office: FakeOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guest, "SEND_LIMIT_S", 0.02)
    reader, writer = await asyncio.open_unix_connection(str(store.folder / "control.sock"), limit=1024)
    writer.write(b'{"ask":"ListCalls"}\n')
    await asyncio.wait_for(reader.readline(), LIMIT_S)
    (task,) = engine._guests
    writer.write(b'{"ask":"ListCalls"}\n' * 5000)
    await asks_fine(store.folder)
    await asyncio.wait_for(task, LIMIT_S)
    writer.transport.abort()


async def test_stranger_is_not_served(engine: ControlSocket, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "_is_owner", lambda connection: False)
    with pytest.raises(NoEngineError):
        await asyncio.to_thread(ask, store.folder, ListCalls())


async def test_watcher_hears_events_as_documents(
    engine: ControlSocket, store: Store, office: FakeOffice, clock: ManualClock
) -> None:
    reader, writer = await asyncio.open_unix_connection(str(store.folder / "control.sock"))
    writer.write(b'{"watch":true}\n')
    assert json.loads(await asyncio.wait_for(reader.readline(), LIMIT_S)) == {"result": None}
    office.bus.publish(LampChanged(clock.wall(), "101", Lamp.RINGING))
    heard = json.loads(await asyncio.wait_for(reader.readline(), LIMIT_S))["event"]
    assert (heard["event"], heard["extension"], heard["lamp"]) == ("lamp.changed", "101", "ringing")
    writer.close()


async def test_console_gets_the_terminal_and_its_sizes(
    engine: ControlSocket, store: Store, tty: tuple[int, int]
) -> None:
    consoles = FakeConsoles()
    engine.console_host = consoles
    client = await asyncio.to_thread(EngineClient.connect, store.folder)
    environment = {"LANG": "de_DE.UTF-8"}
    await asyncio.to_thread(client.open_console, tty[1], tty[1], "xterm-256color", (80, 24), environment)
    client.resize(120, 34)
    await asyncio.wait_for(consoles.resized.wait(), LIMIT_S)
    assert consoles.sizes == [(80, 24), (120, 34)]
    assert consoles.told == {"TERM": "xterm-256color", "LANG": "de_DE.UTF-8"}
    os.write(consoles.fds[1], b"hello")
    assert os.read(tty[0], 10) == b"hello"
    consoles.handles[0].set_result(None)
    await asyncio.to_thread(client.await_end)
    assert [call.id for call in await asyncio.to_thread(client.ask, ListCalls())] == ["7f3a"]
    client.close()
    consoles.close()


async def test_a_console_works_with_the_phone_that_its_owner_names(
    engine: ControlSocket, store: Store, tty: tuple[int, int]
) -> None:
    consoles = FakeConsoles()
    engine.console_host = consoles
    await asyncio.to_thread(ask, store.folder, AddExtension("105"))
    client = await asyncio.to_thread(EngineClient.connect, store.folder)
    with pytest.raises(NotFoundError, match="there is no extension 999"):
        await asyncio.to_thread(client.open_console, tty[1], tty[1], "xterm", (80, 24), {}, "999")
    client.close()
    client = await asyncio.to_thread(EngineClient.connect, store.folder)
    await asyncio.to_thread(client.open_console, tty[1], tty[1], "xterm", (80, 24), {}, "105")
    (asker,) = consoles.askers
    assert (asker.name, asker.extension, asker.is_owner) == ("owner", "105", True)
    client.close()
    await asyncio.wait_for(consoles.detached.wait(), LIMIT_S)
    consoles.close()


async def test_console_of_a_vanished_client_is_detached(
    engine: ControlSocket, store: Store, tty: tuple[int, int]
) -> None:
    consoles = FakeConsoles()
    engine.console_host = consoles
    client = await asyncio.to_thread(EngineClient.connect, store.folder)
    await asyncio.to_thread(client.open_console, tty[1], tty[1], "xterm", (80, 24), {})
    client.close()
    await asyncio.wait_for(consoles.detached.wait(), LIMIT_S)
    consoles.handles[0].set_exception(RefusedError("the console was closed"))
    consoles.close()


async def test_failed_console_says_why(engine: ControlSocket, store: Store, tty: tuple[int, int]) -> None:
    consoles = FakeConsoles()
    engine.console_host = consoles
    client = await asyncio.to_thread(EngineClient.connect, store.folder)
    await asyncio.to_thread(client.open_console, tty[1], tty[1], "xterm", (80, 24), {})
    consoles.handles[0].set_exception(RefusedError("64 consoles are open", "leave one of them first"))
    with pytest.raises(RefusedError, match="64 consoles"):
        await asyncio.to_thread(client.await_end)
    client.close()
    consoles.close()


async def test_console_without_terminal_or_host_is_refused(
    engine: ControlSocket, store: Store, tty: tuple[int, int]
) -> None:
    (answer,) = await talk(store.folder, b'{"console":{"size":[80,24]}}\n')
    assert "descriptors" in answer["error"]["what"]
    with EngineClient.connect(store.folder) as client, pytest.raises(RefusedError, match="no console"):
        await asyncio.to_thread(client.open_console, tty[1], tty[1], "xterm", (80, 24), {})


async def test_descriptors_that_are_no_terminal_are_refused_and_closed(engine: ControlSocket, store: Store) -> None:
    ours, theirs = os.pipe()
    with EngineClient.connect(store.folder) as client, pytest.raises(RefusedError, match="terminal"):
        await asyncio.to_thread(client.open_console, theirs, theirs, "xterm", (80, 24), {})
    os.close(theirs)
    assert os.read(ours, 1) == b"", "the engine still holds the pipe's other end"
    os.close(ours)


async def test_closed_socket_is_gone(engine: ControlSocket, store: Store) -> None:
    client = await asyncio.to_thread(EngineClient.connect, store.folder)
    await asyncio.to_thread(client.ask, ListCalls())
    await engine.close()
    with pytest.raises(NoEngineError, match="has gone"):
        await asyncio.to_thread(client.ask, ListCalls())
    client.close()
    with pytest.raises(NoEngineError, match="frontdesk run"):
        EngineClient.connect(store.folder)


async def test_folder_with_a_long_path_has_a_socket_too(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    opened = ControlSocket(desk, folder)
    opened.open()
    await asks_fine(folder)
    await opened.close()
