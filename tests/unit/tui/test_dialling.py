"""The Dialling and Screening screens on a real desk: every list, its form, its mistakes, and the dry run."""

from __future__ import annotations

from engine.store.outside import AddressRow, InboundRule, Level, Night, RouteRule, Schedule, ScreenRow
from tests.unit.tui.house import VERA, Open, house
from tui.screens.dialling import DiallingScreen
from tui.screens.entity_form import EntityForm
from tui.screens.try_number import TryNumber

__all__ = ["house"]


async def test_a_route_is_typed_checked_and_added(house: Open) -> None:
    async with house() as home:
        await home.shows("berlin")
        await home.press("n")
        assert isinstance(home.app.screen, EntityForm)
        await home.type_in(called="90", trunks="gone")
        await home.shows("there is no trunk 'gone'")
        await home.press(*["backspace"] * 4, *"berlin")
        await home.shows("route 1 has the prefix 90 already")
        await home.type_in(called="0")
        await home.shows("Will be added")
        await home.press("f10")
        await home.until(lambda: len(home.configuration.routes) == 2)
        assert home.configuration.routes[1] == RouteRule(2, "0", trunks=("berlin",))


async def test_a_route_is_changed_and_warned_about(house: Open) -> None:
    async with house() as home:
        await home.shows("berlin")
        await home.press("e")
        await home.type_in(level="")
        await home.type_in(plan="boss")
        await home.shows("no extension uses the dial plan boss")
        await home.press("f10")
        await home.until(lambda: home.configuration.routes[0].plan == "boss")
        assert home.configuration.routes[0] == RouteRule(1, "90", plan="boss", strip=1, trunks=("berlin",))


async def test_a_route_is_removed_after_a_question(house: Open) -> None:
    async with house() as home:
        await home.shows("berlin")
        await home.press("d")
        await home.shows("Remove it?")
        await home.press("n")
        assert len(home.configuration.routes) == 1
        await home.press("d", "y")
        await home.until(lambda: not home.configuration.routes)
        await home.shows("no routes yet")


async def test_an_inbound_number_is_added(house: Open) -> None:
    async with house(at=1) as home:
        await home.shows("no inbound numbers yet")
        await home.press("n")
        await home.type_in(trunk="berlin", called="4930555", extension="199")
        await home.shows("there is no extension 199")
        await home.press(*["backspace"] * 3, *"101", "f10")
        await home.until(lambda: bool(home.configuration.inbound))
        assert home.configuration.inbound == (InboundRule(1, "berlin", "4930555", "101"),)


async def test_a_level_is_added_and_one_in_use_stays(house: Open) -> None:
    async with house(at=2) as home:
        await home.shows("national")
        await home.press("d", "y")
        await home.shows("level national is used by route 1")
        await home.press("n")
        await home.type_in(name="world", rank="x")
        await home.shows("'x' is no whole number")
        await home.press("backspace", "3", "f10")
        await home.until(lambda: "world" in home.configuration.levels)
        assert home.configuration.levels["world"] == Level("world", 3)


async def test_a_schedule_is_typed_with_its_mistakes_named(house: Open) -> None:
    async with house(at=3) as home:
        await home.shows("holds")
        await home.press("n")
        await home.type_in(name="night", when="mo-fr 9-17")
        await home.shows("'9-17' is no span of time")
        await home.press(*["backspace"] * 4, *"18:00-08:00")
        await home.type_in(holidays="12-25, 2026-02-30")
        await home.shows("'2026-02-30' is no holiday")
        await home.press(*["backspace"] * 2, *"28", "f10")
        await home.until(lambda: "night" in home.configuration.schedules)
        expected = Schedule("night", "mo-fr 18:00-08:00", ("12-25", "2026-02-28"))
        assert home.configuration.schedules["night"] == expected


async def test_a_screening_row_is_added_and_changed(house: Open) -> None:
    async with house(screen="screening") as home:
        await home.shows("no calls are screened")
        await home.press("n")
        await home.type_in(caller="0900")
        await home.press("f10")
        await home.until(lambda: bool(home.configuration.screening))
        assert home.configuration.screening == (ScreenRow(1, "0900", "*", 100),)
        await home.shows("0900")
        await home.press("e")
        home.app.screen.query_one("#is_white").focus()
        await home.press("space", "f10")
        await home.until(lambda: home.configuration.screening[0].is_white)


async def test_a_network_is_blocked(house: Open) -> None:
    async with house(screen="screening", at=1) as home:
        await home.press("n")
        await home.type_in(network="192.0.2.1/24")
        await home.shows("use 192.0.2.0/24")
        await home.press(*["backspace"] * 4, *"0/24", "f10")
        await home.until(lambda: bool(home.configuration.addresses))
        assert home.configuration.addresses == (AddressRow("192.0.2.0/24", False),)


async def test_the_lists_are_walked_both_ways_and_searched(house: Open) -> None:
    async with house() as home:
        await home.press("k")
        await home.shows("mo-fr 09:00-17:30")
        await home.press("l")
        await home.shows("berlin")
        await home.press("slash", *"paris")
        await home.shows("nothing found")
        await home.press("escape")
        await home.shows("berlin")


async def test_what_was_removed_or_changed_comes_back(house: Open) -> None:
    async with house() as home:
        await home.shows("berlin")
        await home.press("d", "y")
        await home.shows("u brings it back")
        await home.press("u")
        await home.until(lambda: len(home.configuration.routes) == 1)
        await home.shows("is as it was before")
        assert home.configuration.routes[0].level == "national"
        await home.shows("berlin")
        await home.press("e")
        await home.type_in(called="91")
        await home.press("f10")
        await home.until(lambda: home.configuration.routes[0].called == "91")
        await home.shows("undo")
        await home.press("u")
        await home.until(lambda: home.configuration.routes[0].called == "90")
        await home.press("u")
        assert home.configuration.routes[0].called == "90"


async def test_leaving_a_form_with_something_typed_asks(house: Open) -> None:
    async with house() as home:
        await home.press("n", "9", "escape")
        await home.shows("Leave without saving?")
        await home.press("y")
        assert isinstance(home.app.screen, DiallingScreen)
        await home.press("n", "escape")
        assert isinstance(home.app.screen, DiallingScreen)


async def test_the_night_switch_is_turned(house: Open) -> None:
    async with house() as home:
        await home.shows("night switch: by the clock")
        await home.press("m")
        await home.shows("night switch: night")
        await home.press("m")
        await home.until(lambda: home.configuration.night is Night.OFF)


async def test_the_dry_run_tells_every_step_while_one_types(house: Open) -> None:
    async with house() as home:
        await home.press("t")
        assert isinstance(home.app.screen, TryNumber)
        await home.shows("nothing is called")
        await home.type_in(caller="101", dialled="9030")
        await home.shows("the level national is needed, and the caller has none")
        await home.shows("403 Call Level National Needed")
        await home.press(*["backspace"] * 4, *"102")
        await home.shows("rings at extension 102")
        await home.type_in(trunk="berlin")
        await home.shows("trunk berlin brings a call for 102 from 101")
        await home.press("escape")
        assert isinstance(home.app.screen, DiallingScreen)


async def test_a_viewer_looks_and_tries_and_changes_nothing(house: Open) -> None:
    async with house(VERA) as home:
        await home.shows("berlin")
        await home.press("n", "enter")
        assert isinstance(home.app.screen, DiallingScreen)
        await home.press("t")
        assert isinstance(home.app.screen, TryNumber)


async def test_it_speaks_chinese(house: Open) -> None:
    async with house(language="zh_CN") as home:
        await home.shows("路由")
        await home.press("n")
        await home.type_in(called="9a")
        await home.shows("不是有效的字头")
