"""The Services screen on a real desk with real Lua: what leads to services, their text, their errors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import TextArea

from engine.core.events import ServiceFailed
from engine.core.ids import CallId
from engine.desk.services import AddTrigger
from engine.pbx.service import ServiceFile
from engine.store.services import Point, Trigger
from tests.unit.desk.fakes import FakeOffice
from tests.unit.services.host import services_in, write_service
from tests.unit.tui.conftest import MONDAY
from tests.unit.tui.house import VERA, House, Open, house
from tui.screens.lua_editor import LuaEditor, ServiceDiff
from tui.screens.services import ServicesScreen

__all__ = ["house"]

FAILED = ServiceFailed(
    MONDAY, CallId("7f3a"), "clock", "clock.lua:9: attempt to index a nil value (local 'when')",
    "/srv/lua/clock.lua: clock.lua:9: in local 'say' < clock.lua:14: in function 'run'",
)  # fmt: skip


class LuaOffice(FakeOffice):
    """Has the shipped services, and those in ``own``; ``clock`` has failed in a call."""

    def __init__(self, own: Path) -> None:
        super().__init__()
        self.host = services_in(own)

    async def services(self) -> tuple[ServiceFile, ...]:
        return tuple(
            replace(file, failed=FAILED) if file.name == "clock" else file for file in await super().services()
        )


def lua_office(folder: Path) -> LuaOffice:
    """With a service of the office's own that does not compile, and one that does."""
    own = folder / "own"
    own.mkdir()
    write_service(own, "lunch", "call:answer(")
    write_service(own, "echo", "call:answer()")
    return LuaOffice(own)


OpenLua = Callable[..., AbstractAsyncContextManager[House]]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "state" / "lua" / "services"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def lua(house: Open, own: Path) -> OpenLua:
    @asynccontextmanager
    async def opened(**settings: object) -> AsyncIterator[House]:
        async with house(screen="services", office=LuaOffice(own), **settings) as home:  # type: ignore[arg-type]
            await home.shows("forward")
            yield home

    return opened


def source(home: House) -> TextArea:
    return home.app.screen.query_one("#source", TextArea)


async def test_services_show_their_state_and_what_leads_to_them(lua: OpenLua, own: Path) -> None:
    write_service(own, "lunch", "call:answer(")
    async with lua() as home:
        await home.press("slash", *"lunch", "escape")
        await home.shows("broken")
        await home.shows("lunch.lua:")
        await home.press("slash", *"clock", "escape")
        await home.shows("failed in call 7f3a, 2026-03-02 09:41:22")
        await home.shows("clock.lua:14: in function 'run'")


async def test_a_shipped_service_is_read_and_made_the_offices_own(lua: OpenLua, own: Path) -> None:
    async with lua() as home:
        await home.press("slash", *"echo", "enter")
        assert isinstance(home.app.screen, LuaEditor)
        await home.shows("as shipped; F2 makes it the office's own")
        await home.press("x")
        assert source(home).text.count("x") == source(home).text.count("x")
        before = source(home).text
        await home.press("f2", "ctrl+home", *"-- ours", "enter")
        await home.shows("compiles")
        await home.press("f10")
        await home.until(lambda: isinstance(home.app.screen, ServiceDiff))
        await home.shows("+-- ours")
        await home.press("f10")
        await home.until(lambda: (own / "echo.lua").is_file())
        assert (own / "echo.lua").read_text() == "-- ours\n" + before
        await home.shows("every call from now on gets it")
        await home.press("escape", "d")
        await home.shows("Remove it?")
        await home.press("y")
        await home.until(lambda: not (own / "echo.lua").exists())
        await home.press("u")
        await home.until(lambda: (own / "echo.lua").is_file())
        assert (own / "echo.lua").read_text() == "-- ours\n" + before


async def test_what_does_not_compile_is_named_by_its_line_and_not_saved(lua: OpenLua, own: Path) -> None:
    async with lua() as home:
        await home.press("n")
        await home.shows("New service")
        await home.press(*"echo", "f10")
        await home.shows("there is a service echo already")
        await home.press(*"_X")
        await home.shows("is no name of a service")
        await home.press("backspace", "backspace", *"_too", "f10")
        await home.until(lambda: isinstance(home.app.screen, LuaEditor))
        await home.shows("compiles")
        await home.press("ctrl+home", *"local = 3", "enter")
        await home.shows("echo_too.lua:1:")
        await home.press("f10")
        assert isinstance(home.app.screen, LuaEditor)
        assert not (own / "echo_too.lua").exists()
        await home.press("escape")
        await home.shows("Leave without saving?")
        await home.press("y")
        assert isinstance(home.app.screen, ServicesScreen)


async def test_a_new_service_is_written(lua: OpenLua, own: Path) -> None:
    async with lua() as home:
        await home.press("n", *"lunch", "f10")
        await home.until(lambda: isinstance(home.app.screen, LuaEditor))
        await home.press("f10")
        await home.until(lambda: isinstance(home.app.screen, ServiceDiff))
        await home.press("y")
        await home.until(lambda: (own / "lunch.lua").is_file())
        await home.shows("nothing leads to it")


async def test_two_who_edit_one_service_do_not_write_over_each_other(lua: OpenLua, own: Path) -> None:
    file = write_service(own, "lunch", "call:answer()")
    async with lua() as home:
        await home.press("slash", *"lunch", "escape", "e")
        await home.until(lambda: isinstance(home.app.screen, LuaEditor))
        file.write_text("-- somebody else\n" + file.read_text())
        await home.press("ctrl+home", *"-- me", "enter", "f10")
        await home.until(lambda: isinstance(home.app.screen, ServiceDiff))
        await home.press("y")
        await home.shows("the service lunch has changed meanwhile")
        assert "somebody else" in file.read_text()


async def test_files_are_read_anew(lua: OpenLua, own: Path) -> None:
    async with lua() as home:
        write_service(own, "lunch", "call:answer(")
        await home.press("r")
        await home.shows("do not compile: lunch")


async def test_a_trigger_is_typed_checked_added_and_changed(lua: OpenLua) -> None:
    async with lua(at=1) as home:
        await home.shows("*90*")
        await home.press("n")
        await home.type_in(number="*90*")
        await home.shows("trigger 1 is for *90* already")
        await home.type_in(number="800", service="attendent")
        await home.shows("there is no service 'attendent'")
        await home.type_in(service="attendant", point="sometimes")
        await home.shows("'sometimes' is not known")
        await home.type_in(point="number", settings="hello")
        await home.shows("'hello' is no setting")
        await home.type_in(settings="language=en; again=2")
        await home.press("f10")
        await home.until(lambda: home.configuration.triggers[-1].number == "800")
        made = home.configuration.triggers[-1]
        settings = (("language", "en"), ("again", "2"))
        assert made == Trigger(made.id, "800", "attendant", Point.NUMBER, None, settings)


async def test_a_trigger_is_changed_and_what_was_comes_back(lua: OpenLua) -> None:
    async with lua(at=1, more=(AddTrigger("101", "voicemail_deposit", Point.NO_ANSWER),)) as home:
        await home.press("end", "e")
        await home.type_in(point="busy")
        await home.shows("no-answer → busy")
        await home.press("f10")
        await home.until(lambda: home.configuration.triggers[-1].point is Point.BUSY)
        await home.press("u")
        await home.until(lambda: home.configuration.triggers[-1].point is Point.NO_ANSWER)
        count = len(home.configuration.triggers)
        await home.press("d", "y")
        await home.until(lambda: len(home.configuration.triggers) == count - 1)


async def test_a_viewer_sees_services_and_not_their_text(lua: OpenLua) -> None:
    async with lua(asker=VERA) as home:
        await home.press("enter")
        await home.shows("the text of a service is for administrators")
        await home.press("e", "n", "d")
        assert isinstance(home.app.screen, ServicesScreen)
