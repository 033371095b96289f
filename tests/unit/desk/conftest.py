"""A desk with and without a running office."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from engine.core.clock import ManualClock
from engine.desk.door import Desk
from engine.store import writer
from engine.store.store import Store
from tests.unit.desk.fakes import FakeOffice


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr(writer, "LOOK_S", 0.01)
    opened = Store.open(tmp_path / "state")
    yield opened
    opened.close()


@pytest.fixture
def office() -> FakeOffice:
    return FakeOffice()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def desk(store: Store, office: FakeOffice, clock: ManualClock) -> AsyncIterator[Desk]:
    opened = Desk(store, office, clock, asyncio.get_running_loop())
    yield opened
    opened.close()


@pytest.fixture
async def closed_office(store: Store, clock: ManualClock) -> AsyncIterator[Desk]:
    """A desk while no engine runs."""
    opened = Desk(store, None, clock, asyncio.get_running_loop())
    yield opened
    opened.close()
