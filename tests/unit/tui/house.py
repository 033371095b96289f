"""A console on a real desk, whose office keeps what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC
from pathlib import Path

import pytest

from engine.core.clock import ManualClock
from engine.desk.commands import AddExtension, AddOperator, Command, ExtensionFields, OperatorFields
from engine.desk.dialling import AddLevel, AddRoute, AddSchedule, RouteFields
from engine.desk.door import Desk
from engine.pbx.rights import OWNER, Asker
from engine.store.configuration import Configuration, Role
from engine.store.outside import Trunk
from engine.store.store import Store
from tests.unit.desk.fakes import FakeOffice
from tests.unit.tui.conftest import MONDAY, Office
from tui.console import FrontdeskConsole
from tui.texts import speak

BOSS, VERA = Asker("boss", Role.ADMIN), Asker("vera", Role.VIEWER)


class House:
    """A console on an office that keeps what it is told."""

    def __init__(self, store: Store, app: FrontdeskConsole, office: Office) -> None:
        self.store = store
        self.app = app
        self.office = office

    @property
    def configuration(self) -> Configuration:
        return self.store.configuration

    async def press(self, *keys: str) -> None:
        await self.office.pilot.press(*keys)
        await self.office.pilot.pause()

    async def type_in(self, **fields: str) -> None:
        """Fill fields of the form that is open; what stood in them goes."""
        for name, text in fields.items():
            self.app.screen.query_one(f"#{name}").focus()
            await self.office.pilot.pause()
            await self.press("end", "ctrl+u", *text)

    async def shows(self, text: str) -> None:
        await self.office.shows(text)

    async def until(self, claim: Callable[[], bool]) -> None:
        for _ in range(200):
            if claim():
                return
            await self.office.pilot.pause(0.02)
        raise AssertionError(self.office.text)


Open = Callable[..., AbstractAsyncContextManager[House]]


@pytest.fixture
def house(tmp_path: Path) -> Open:
    @asynccontextmanager
    async def opened(
        asker: Asker = BOSS, language: str = "en", at: int = 0, more: tuple[Command, ...] = (),
        screen: str = "dialling", size: tuple[int, int] = (120, 34), office: FakeOffice | None = None,
    ) -> AsyncIterator[House]:  # fmt: skip
        store = Store.open(tmp_path / "state")
        clock = ManualClock(wall=MONDAY)
        desk = Desk(store, office or FakeOffice(), clock, asyncio.get_running_loop())
        await furnish(desk, store)
        for command in more:
            await desk.ask(OWNER, command)
        app = FrontdeskConsole(desk, asker, clock, zone=UTC, language=language)
        speak(app.tongue)
        try:
            async with app.run_test(size=size) as pilot:
                await pilot.pause()
                home = House(store, app, Office(desk, clock, app, pilot))  # type: ignore[arg-type]
                app.action_show_screen(screen)
                await pilot.pause()
                await home.press(*"l" * at)
                yield home
        finally:
            desk.close()
            store.close()

    return opened


async def furnish(desk: Desk, store: Store) -> None:
    commands: tuple[Command, ...] = (
        AddExtension("101", ExtensionFields(password="secret")),
        AddExtension("102", ExtensionFields(password="secret")),
        AddOperator("boss", OperatorFields(password="secret", role=Role.ADMIN)),
        AddOperator("vera", OperatorFields(password="secret", role=Role.VIEWER)),
        AddLevel("national", 2),
        AddSchedule("office", "mo-fr 09:00-17:30"),
    )
    for command in commands:
        await desk.ask(OWNER, command)
    store.submit(lambda rows: rows.trunks.put(Trunk("berlin", "127.0.0.9"))).result(5)
    await desk.ask(OWNER, AddRoute(RouteFields("90", strip=1, level="national", trunks=("berlin",))))
