"""The command line as a person sees it: arguments in, status and both outputs out."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.core.clock import ManualClock
from engine.desk.control import ControlSocket
from engine.desk.door import Desk
from engine.store.lock import EngineLock
from engine.store.store import Store
from tests.unit.desk.fakes import FakeOffice
from tui.cli import run


@dataclass(frozen=True, slots=True)
class Outcome:
    status: int
    out: str
    err: str


Frontdesk = Callable[..., Outcome]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("FRONTDESK_STATE", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    return tmp_path / "state"


@pytest.fixture
def frontdesk(folder: Path, capfd: pytest.CaptureFixture[str]) -> Frontdesk:
    """Run one command on the test's state folder."""

    def call(*arguments: str) -> Outcome:
        capfd.readouterr()
        status = run([*arguments, "--state", str(folder)])
        out, err = capfd.readouterr()
        return Outcome(status, out, err)

    return call


@pytest.fixture
def office() -> FakeOffice:
    return FakeOffice()


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine without phones, on a thread of its own."""

    loop: asyncio.AbstractEventLoop
    office: FakeOffice
    control: ControlSocket


@pytest.fixture
def engine(folder: Path, office: FakeOffice) -> Iterator[Engine]:
    store = Store.open(folder)
    lock = EngineLock.take(folder)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def open_up() -> tuple[Desk, ControlSocket]:
        desk = Desk(store, office, ManualClock(), loop)
        control = ControlSocket(desk, folder)
        control.open()
        return desk, control

    async def close_down() -> None:
        desk.close()
        await control.close()

    desk, control = asyncio.run_coroutine_threadsafe(open_up(), loop).result(5)
    yield Engine(loop, office, control)
    asyncio.run_coroutine_threadsafe(close_down(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()
    lock.release()
    store.close()
