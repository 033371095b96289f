"""Routes, inbound numbers, levels, schedules and lists: every mistake is named, every tie is kept."""

from __future__ import annotations

from typing import Any

import pytest

from engine.core.errors import NotAllowedError, RefusedError
from engine.desk import dialling
from engine.desk.commands import (
    AddExtension,
    AddOperator,
    Command,
    ExtensionFields,
    OperatorFields,
    RemoveExtension,
    SetExtension,
)
from engine.desk.dialling import (
    AddInbound,
    AddLevel,
    AddRoute,
    AddSchedule,
    AddScreenRow,
    GetNight,
    InboundFields,
    ListAddresses,
    ListInbound,
    ListLevels,
    ListRoutes,
    ListSchedules,
    ListScreening,
    PutAddress,
    RemoveAddress,
    RemoveInbound,
    RemoveLevel,
    RemoveRoute,
    RemoveSchedule,
    RemoveScreenRow,
    RouteFields,
    SetInbound,
    SetLevel,
    SetNight,
    SetRoute,
    SetSchedule,
    ShowRoute,
    TryRoute,
)
from engine.desk.dispatch import TABLE
from engine.desk.door import Desk
from engine.pbx.rights import OWNER, Asker
from engine.store.configuration import Role
from engine.store.outside import AddressRow, InboundRule, Level, Night, RouteRule, ScreenRow, Trunk
from engine.store.store import Store
from tests.unit.desk.fakes import FakeOffice
from tui.route_words import english_steps


@pytest.fixture
async def office_with_lines(desk: Desk, store: Store) -> Desk:
    """Extensions 101 and 102, the trunks berlin and cheap, two levels and one schedule."""
    for number in ("101", "102"):
        await desk.ask(OWNER, AddExtension(number, ExtensionFields(password="secret")))
    for name in ("berlin", "cheap"):
        trunk = Trunk(name, "127.0.0.9")
        store.submit(lambda rows, trunk=trunk: rows.trunks.put(trunk)).result(5)
    for name, rank in (("local", 1), ("world", 3)):
        await desk.ask(OWNER, AddLevel(name, rank))
    await desk.ask(OWNER, AddSchedule("office", "mo-fr 09:00-17:30"))
    return desk


async def refused(desk: Desk, command: Command) -> RefusedError:
    with pytest.raises(RefusedError) as error:
        await desk.ask(OWNER, command)
    assert error.value.mend
    return error.value


async def test_a_route_lives_its_life(office_with_lines: Desk) -> None:
    desk = office_with_lines
    fields = RouteFields(
        "90", "10", "default", 1, "0", "keep", "local", "office", None, ("cheap", "berlin", "cheap")
    )
    added = await desk.ask(OWNER, AddRoute(fields))
    rule = RouteRule(
        1, "90", "10", "default", 1, "0", "keep", "local", "office", trunks=("cheap", "berlin"), is_emergency=False
    )
    assert (added.id, added.warnings) == (1, ())
    assert await desk.ask(OWNER, ListRoutes()) == (rule,)
    cleared = frozenset({"caller", "strip", "prepend", "caller_as", "level", "when"})
    await desk.ask(OWNER, SetRoute(1, RouteFields(extension="102", clear=cleared)))
    assert await desk.ask(OWNER, ShowRoute(1)) == RouteRule(1, "90", extension="102")
    await desk.ask(OWNER, RemoveRoute(1))
    assert await desk.ask(OWNER, ListRoutes()) == ()
    for command in (ShowRoute(1), RemoveRoute(1), SetRoute(1, RouteFields("9"))):
        assert (await refused(desk, command)).what == "there is no route 1"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"called": "9a"}, "'9a' is no prefix"),
        ({"called": ""}, "the route has no called prefix"),
        ({"called": "9" * 33}, f"'{'9' * 33}' is no prefix"),
        ({"caller": "anna"}, "'anna' is no prefix"),
        ({"plan": "two words"}, "'two words' is no name of a plan"),
        ({"strip": 33}, "33 digits cannot be stripped"),
        ({"prepend": "x"}, "'x' cannot be put before a number"),
        ({"caller_as": "nobody"}, "'nobody' is no number to be shown"),
        ({"level": "gone"}, "there is no level 'gone'"),
        ({"when": "gone"}, "there is no schedule 'gone'"),
        ({"trunks": ("gone",)}, "there is no trunk 'gone'"),
        ({"trunks": None}, "the route leads nowhere"),
        ({"extension": "102"}, "the route leads to more than one place"),
        ({"trunks": None, "extension": "199"}, "there is no extension 199"),
        ({"trunks": None, "group": "200"}, "there is no group 200"),
        ({"trunks": None, "service": "gone"}, "there is no service 'gone'"),
        ({"trunks": None, "extension": "102", "strip": 1}, "strip and prepend change what a trunk is told"),
        ({"is_emergency": True, "level": "local"}, "an emergency route needs no level"),
        ({"clear": frozenset({"called"})}, "'called' cannot be cleared"),
        ({"level": "local", "clear": frozenset({"level"})}, "level is both given and cleared"),
    ],
)
async def test_what_a_route_cannot_be(office_with_lines: Desk, fields: dict[str, Any], wrong: str) -> None:
    command = AddRoute(RouteFields(**{"called": "9", "trunks": ("berlin",), **fields}))
    assert (await refused(office_with_lines, command)).what == wrong
    assert await office_with_lines.ask(OWNER, ListRoutes()) == ()


async def test_a_prefix_that_is_there_already_is_refused(office_with_lines: Desk) -> None:
    desk = office_with_lines
    await desk.ask(OWNER, AddRoute(RouteFields("90", trunks=("berlin",))))
    error = await refused(desk, AddRoute(RouteFields("90", trunks=("cheap",))))
    assert error.what == "route 1 has the prefix 90 already"
    assert "frontdesk route set 1" in error.mend
    for other in ({"caller": "10"}, {"when": "office"}, {"plan": "boss"}):
        await desk.ask(OWNER, AddRoute(RouteFields("90", trunks=("cheap",), **other)))
    assert (await refused(desk, SetRoute(2, RouteFields(clear=frozenset({"caller"}))))).what == error.what


@pytest.mark.parametrize(
    ("fields", "warned"),
    [
        ({"called": "10"}, "extensions that begin with 10 still ring when dialled: 101, 102"),
        ({"called": "102"}, "extension 102 is hidden: who dials its number follows this route"),
        ({"plan": "boss"}, "no extension uses the dial plan boss: give it to one with"),
        ({"caller": "5"}, "no extension's number begins with 5: the route waits for one"),
    ],
)
async def test_its_maker_is_told_what_a_route_does_not_reach(
    office_with_lines: Desk, fields: dict[str, Any], warned: str
) -> None:
    command = AddRoute(RouteFields(**{"called": "9", "trunks": ("berlin",), **fields}))
    (warning,) = (await office_with_lines.ask(OWNER, command)).warnings
    assert warning.startswith(warned)


async def test_a_prefix_that_longer_ones_cover_is_told(office_with_lines: Desk) -> None:
    desk = office_with_lines
    for digit in range(9):
        assert not (await desk.ask(OWNER, AddRoute(RouteFields(f"9{digit}", trunks=("cheap",))))).warnings
    assert not (await desk.ask(OWNER, AddRoute(RouteFields("9", trunks=("berlin",))))).warnings
    last = await desk.ask(OWNER, AddRoute(RouteFields("99", trunks=("cheap",))))
    assert last.warnings[0].startswith("route 10 is never reached any more")
    await desk.ask(OWNER, RemoveRoute(10))
    again = await desk.ask(OWNER, AddRoute(RouteFields("9", trunks=("berlin",))))
    assert again.warnings[0].startswith("it is never reached")


async def test_inbound_numbers_live_their_lives(office_with_lines: Desk) -> None:
    desk = office_with_lines
    assert (await desk.ask(OWNER, AddInbound(InboundFields("berlin", "+4930", "101")))).id == 1
    assert (
        await desk.ask(OWNER, AddInbound(InboundFields("berlin", "line-1", service="echo", when="office")))
    ).id == 2
    await desk.ask(OWNER, SetInbound(2, InboundFields(service="*60")))
    assert (await refused(desk, SetInbound(2, InboundFields(service="*600")))).what == "there is no service '*600'"
    await desk.ask(OWNER, SetInbound(2, InboundFields(extension="102", clear=frozenset({"when"}))))
    expected = (InboundRule(1, "berlin", "+4930", "101"), InboundRule(2, "berlin", "line-1", "102"))
    assert await desk.ask(OWNER, ListInbound()) == expected
    await desk.ask(OWNER, RemoveInbound(1))
    assert await desk.ask(OWNER, ListInbound()) == expected[1:]
    assert (await refused(desk, RemoveInbound(1))).what == "there is no inbound number 1"
    assert (await refused(desk, SetInbound(1, InboundFields("berlin")))).what == "there is no inbound number 1"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"trunk": None}, "the inbound number has no trunk"),
        ({"trunk": "gone"}, "there is no trunk 'gone'"),
        ({"called": None}, "the inbound number has no called prefix"),
        ({"called": "a b"}, "'a b' is no prefix"),
        ({"extension": None}, "the inbound number leads nowhere"),
        ({"service": "echo"}, "the inbound number leads to more than one place"),
        ({"extension": "199"}, "there is no extension 199"),
        ({"when": "gone"}, "there is no schedule 'gone'"),
        ({"called": "1"}, "inbound number 1 has the prefix 1 on this trunk already"),
    ],
)
async def test_what_an_inbound_number_cannot_be(
    office_with_lines: Desk, fields: dict[str, Any], wrong: str
) -> None:
    desk = office_with_lines
    await desk.ask(OWNER, AddInbound(InboundFields("berlin", "1", "101")))
    command = AddInbound(InboundFields(**{"trunk": "berlin", "called": "4930", "extension": "101", **fields}))
    assert (await refused(desk, command)).what == wrong


async def test_levels_live_their_lives(office_with_lines: Desk) -> None:
    desk = office_with_lines
    await desk.ask(OWNER, SetLevel("local", 5))
    assert await desk.ask(OWNER, ListLevels()) == (Level("world", 3), Level("local", 5))
    assert (await refused(desk, AddLevel("local", 1))).what == "level local exists already"
    assert (await refused(desk, AddLevel("a,b", 1))).what == "'a,b' is no name of a level"
    assert (await refused(desk, SetLevel("local", 10000))).what == "the rank cannot be 10000"
    assert (await refused(desk, SetLevel("gone", 1))).what == "there is no level 'gone'"
    assert (await refused(desk, RemoveLevel("gone"))).what == "there is no level 'gone'"


async def test_a_level_that_is_used_stays(office_with_lines: Desk) -> None:
    desk = office_with_lines
    await desk.ask(OWNER, SetExtension("101", ExtensionFields(level="world")))
    await desk.ask(OWNER, AddRoute(RouteFields("90", level="world", trunks=("berlin",))))
    assert (await refused(desk, RemoveLevel("world"))).what == "level world is used by extension 101, route 1"
    await desk.ask(OWNER, SetExtension("101", ExtensionFields(clear=frozenset({"level"}))))
    await desk.ask(OWNER, RemoveRoute(1))
    await desk.ask(OWNER, RemoveLevel("world"))
    assert (await refused(desk, SetExtension("101", ExtensionFields(level="world")))).what == (
        "there is no level 'world'"
    )


async def test_schedules_live_their_lives(office_with_lines: Desk, store: Store) -> None:
    desk = office_with_lines
    await desk.ask(OWNER, SetSchedule("office", holidays=("12-25", "12-25", " 2026-01-01")))
    await desk.ask(OWNER, SetSchedule("office", when="sa   10:00-12:00"))
    (view,) = await desk.ask(OWNER, ListSchedules())
    assert (view.schedule.when, view.schedule.holidays) == ("sa 10:00-12:00", ("12-25", "2026-01-01"))
    assert (await refused(desk, AddSchedule("office", "mo"))).what == "schedule office exists already"
    assert (await refused(desk, AddSchedule("late", "mo 25:00-26:00"))).what == "'25:00-26:00' is no span of time"
    assert (await refused(desk, SetSchedule("gone", "mo"))).what == "there is no schedule 'gone'"
    assert (await refused(desk, RemoveSchedule("gone"))).what == "there is no schedule 'gone'"
    many = tuple(f"{year}-01-01" for year in range(2000, 2201))
    assert (await refused(desk, SetSchedule("office", holidays=many))).what == "there are 201 holidays"


async def test_a_schedule_that_is_used_stays(office_with_lines: Desk) -> None:
    desk = office_with_lines
    await desk.ask(OWNER, AddInbound(InboundFields("berlin", "1", "101", when="office")))
    assert (await refused(desk, RemoveSchedule("office"))).what == "schedule office is used by inbound number 1"
    await desk.ask(OWNER, RemoveInbound(1))
    await desk.ask(OWNER, RemoveSchedule("office"))
    assert await desk.ask(OWNER, ListSchedules()) == ()


async def test_an_extension_that_a_route_leads_to_stays(office_with_lines: Desk) -> None:
    desk = office_with_lines
    await desk.ask(OWNER, AddRoute(RouteFields("0", extension="102")))
    assert (await refused(desk, RemoveExtension("102"))).what == "extension 102 is led to by route 1"
    await desk.ask(OWNER, RemoveRoute(1))
    await desk.ask(OWNER, RemoveExtension("102"))


async def test_the_night_switch_is_turned_and_applied(office_with_lines: Desk, office: FakeOffice) -> None:
    desk = office_with_lines
    assert await desk.ask(OWNER, GetNight()) is Night.AUTO
    await desk.ask(OWNER, AddOperator("rita", OperatorFields(password="secret", role=Role.RECEPTIONIST)))
    await desk.ask(Asker("rita", Role.RECEPTIONIST), SetNight(Night.OFF))
    assert await desk.ask(OWNER, GetNight()) is Night.OFF
    (view,) = await desk.ask(OWNER, ListSchedules())
    assert view.holds
    assert office.applied[-1].night is Night.OFF


async def test_screening_rows_are_counted_and_removed(office_with_lines: Desk, office: FakeOffice) -> None:
    desk = office_with_lines
    assert await desk.ask(OWNER, AddScreenRow("anonymous", "*")) == 1
    assert await desk.ask(OWNER, AddScreenRow("+4930", "10", 100, True)) == 2
    office.hits = {1: 7}
    first, second = await desk.ask(OWNER, ListScreening())
    assert (first.row, first.hits) == (ScreenRow(1, "anonymous", "*", 100), 7)
    assert (second.row, second.hits) == (ScreenRow(2, "+4930", "10", 0, is_white=True), 0)
    assert (await refused(desk, AddScreenRow("anonymous", "*", 50))).what == "row 1 is for the same calls"
    assert (await refused(desk, AddScreenRow("1", "*", 101))).what == "the rate cannot be 101"
    assert (await refused(desk, AddScreenRow("a b", "*"))).what == "'a b' is no prefix"
    await desk.ask(OWNER, RemoveScreenRow(1))
    assert (await refused(desk, RemoveScreenRow(1))).what == "there is no screening row 1"


async def test_networks_are_kept_in_their_usual_spelling(office_with_lines: Desk) -> None:
    desk = office_with_lines
    assert await desk.ask(OWNER, PutAddress("192.0.2.7", False)) == "192.0.2.7/32"
    assert await desk.ask(OWNER, PutAddress("2001:DB8::/32", False)) == "2001:db8::/32"
    await desk.ask(OWNER, PutAddress("192.0.2.7", True))
    expected = (AddressRow("192.0.2.7/32", True), AddressRow("2001:db8::/32", False))
    assert await desk.ask(OWNER, ListAddresses()) == expected
    await desk.ask(OWNER, RemoveAddress("192.0.2.7"))
    assert (await refused(desk, RemoveAddress("192.0.2.7"))).what == "192.0.2.7/32 is not in the list"


@pytest.mark.parametrize(
    ("network", "mend"),
    [("192.0.2.7/24", "use 192.0.2.0/24"), ("office", "use an address such as"), ("0.0.0.0/0", "use a smaller")],
)
async def test_what_is_no_network_is_named(desk: Desk, network: str, mend: str) -> None:
    assert (await refused(desk, PutAddress(network, False))).mend.startswith(mend)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"level": "gone"}, "there is no level 'gone'"),
        ({"max_out": 1001}, "max-out cannot be 1001"),
        ({"outside_number": "anna"}, "'anna' is no outside number"),
        ({"plan": "a,b"}, "'a,b' is no name of a plan"),
        ({"from_network": "10.0.0.1/8"}, "'10.0.0.1/8' is no network"),
    ],
)
async def test_what_an_extension_cannot_have(office_with_lines: Desk, fields: dict[str, Any], wrong: str) -> None:
    assert (await refused(office_with_lines, SetExtension("101", ExtensionFields(**fields)))).what == wrong


async def test_an_extensions_way_outside_is_set_and_emptied(office_with_lines: Desk, store: Store) -> None:
    desk = office_with_lines
    given = {
        "level": "world",
        "max_out": 0,
        "outside_number": "+4930555",
        "plan": "boss",
        "from_network": "10.0.0.0/8",
    }
    await desk.ask(OWNER, SetExtension("101", ExtensionFields(**given)))
    stored = store.configuration.extensions["101"]
    assert {name: getattr(stored, name) for name in given} == given
    await desk.ask(OWNER, SetExtension("101", ExtensionFields(clear=frozenset(given))))
    stored = store.configuration.extensions["101"]
    assert (stored.level, stored.max_out, stored.outside_number, stored.plan) == (None, None, None, "default")


async def test_viewers_look_and_admins_change(office_with_lines: Desk) -> None:
    await office_with_lines.ask(OWNER, AddOperator("vera", OperatorFields(password="secret", role=Role.VIEWER)))
    viewer = Asker("vera", Role.VIEWER)
    for command, entry in TABLE.items():
        if command.__module__ == dialling.__name__ and entry.is_change:
            assert entry.role is (Role.RECEPTIONIST if command is SetNight else Role.ADMIN), command
    await office_with_lines.ask(viewer, ListRoutes())
    await office_with_lines.ask(viewer, TryRoute("102", "101"))
    with pytest.raises(NotAllowedError):
        await office_with_lines.ask(viewer, AddRoute(RouteFields("9", trunks=("berlin",))))


# -- the dry run ------------------------------------------------------------------------------------------------


async def tried(desk: Desk, *arguments: Any) -> tuple[str, str | None, str, str | None, int | None]:
    found = await desk.ask(OWNER, TryRoute(*arguments))
    assert english_steps(found.steps)
    return found.outcome, found.target, found.number, found.caller, found.status


async def test_where_a_call_would_go(office_with_lines: Desk, store: Store) -> None:
    desk = office_with_lines
    await desk.ask(OWNER, SetExtension("101", ExtensionFields(outside_number="4930555101", level="local")))
    await desk.ask(OWNER, AddRoute(RouteFields("900", strip=1, level="world", trunks=("berlin",))))
    await desk.ask(OWNER, AddRoute(RouteFields("90", strip=1, when="office", trunks=("cheap", "berlin"))))
    await desk.ask(OWNER, AddRoute(RouteFields("112", is_emergency=True, trunks=("berlin",))))
    await desk.ask(OWNER, AddScreenRow("101", "*"))
    monday, sunday = "2026-03-02T12:00", "2026-03-01T12:00"
    assert await tried(desk, "112", "101") == ("trunk", "berlin", "112", "4930555101", None)
    assert await tried(desk, "102", "101") == ("refused", None, "102", "101", 403)
    await desk.ask(OWNER, RemoveScreenRow(1))
    assert await tried(desk, "102", "101") == ("extension", "102", "102", "101", None)
    assert await tried(desk, "*43", "101") == ("service", "echo", "*43", "101", None)
    assert await tried(desk, "9030123", "101", None, monday) == ("trunk", "cheap", "030123", "4930555101", None)
    assert await tried(desk, "9030123", "101", None, sunday) == ("trunk", "berlin", "030123", "4930555101", None)
    assert await tried(desk, "90049", "101") == ("refused", None, "90049", "101", 403)
    assert await tried(desk, "555", "101") == ("refused", None, "555", "101", 404)


async def test_what_if_this_number_calls(office_with_lines: Desk) -> None:
    desk = office_with_lines
    await desk.ask(OWNER, AddInbound(InboundFields("berlin", "4930", "102")))
    await desk.ask(OWNER, AddScreenRow("anonymous", "*"))
    await desk.ask(OWNER, AddScreenRow("0900", "*", 50))
    assert await tried(desk, "4930555", "030123", "berlin") == ("extension", "102", "102", "030123", None)
    assert await tried(desk, "4930555", "0900123", "berlin") == ("extension", "102", "102", "0900123", None)
    assert await tried(desk, "4930555", "anonymous", "berlin") == ("refused", None, "4930555", None, 433)
    assert await tried(desk, "4930555", None, "berlin") == ("refused", None, "4930555", None, 433)


async def test_a_trunk_that_takes_nothing_out_is_told(office_with_lines: Desk, store: Store) -> None:
    for name in ("berlin", "cheap"):
        trunk = Trunk(name, "127.0.0.9", max_out=0)
        store.submit(lambda rows, trunk=trunk: rows.trunks.put(trunk)).result(5)
    assert await tried(office_with_lines, "9123", "101") == ("refused", None, "9123", "101", 403)


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (("102", "199"), "there is no extension 199"),
        (("102",), "there is no extension None"),
        (("102", "1", "gone"), "there is no trunk 'gone'"),
        (("", "101"), "'' cannot be dialled"),
        (("102", "101", None, "noon"), "'noon' is no time"),
    ],
)
async def test_what_cannot_be_tried(office_with_lines: Desk, arguments: tuple[Any, ...], wrong: str) -> None:
    assert (await refused(office_with_lines, TryRoute(*arguments))).what == wrong
