"""Routes, inbound numbers, levels, schedules and lists go out as text and come in again."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from engine.core.errors import RefusedError
from engine.desk.commands import ExtensionFields, ImportConfiguration, SetExtension
from engine.desk.dialling import (
    AddInbound,
    AddLevel,
    AddRoute,
    AddSchedule,
    AddScreenRow,
    InboundFields,
    PutAddress,
    RouteFields,
    SetNight,
)
from engine.desk.door import Desk
from engine.desk.export import inbound_table, route_table, screen_table
from engine.desk.wanted import read_wanted
from engine.pbx.rights import OWNER
from engine.store.outside import InboundRule, Night, RouteRule, ScreenRow, Trunk
from engine.store.store import Store
from tests.unit.desk.test_transfer import bring_in, export, furnish, lines

OFFICE = 'format = 1\n[extension.101]\n[trunk.berlin]\nhost = "127.0.0.9"\n'


async def furnish_lines(desk: Desk, store: Store) -> None:
    await furnish(desk)
    store.submit(lambda rows: rows.trunks.put(Trunk("berlin", "127.0.0.9"))).result(5)
    route = RouteFields(
        "900", "10", "boss", 1, "00", "+49305550", "world", "office hours", trunks=("berlin",), is_emergency=False
    )
    for command in (
        AddLevel("world", 3),
        AddSchedule("office.hours", "mo-fr 09:00-17:30, sa 10:00-12:00", ("12-25", "2026-05-01")),
        AddRoute(replace(route, when="office.hours")),
        AddRoute(RouteFields("112", trunks=("berlin",), is_emergency=True)),
        AddRoute(RouteFields("0", service="echo")),
        AddInbound(InboundFields("berlin", "+4930555", "101", when="office.hours")),
        AddScreenRow("anonymous", "*"),
        AddScreenRow("030", "10", is_white=True),
        PutAddress("192.0.2.0/24", False),
        PutAddress("2001:db8::1", True),
        SetNight(Night.ON),
        SetExtension("101", ExtensionFields(level="world", plan="boss", from_network="10.0.0.0/8")),
    ):
        await desk.ask(OWNER, command)


async def test_what_was_exported_changes_nothing_when_imported(desk: Desk, store: Store) -> None:
    await furnish_lines(desk, store)
    before = store.configuration
    report = await bring_in(desk, await export(desk))
    assert lines(report) == []
    assert store.configuration == before


async def test_an_empty_file_takes_it_all_away_and_the_export_brings_it_back(desk: Desk, store: Store) -> None:
    await furnish_lines(desk, store)
    text, before = await export(desk, secrets=True), store.configuration
    bare = "\n".join(part for part in text.split("\n\n") if part.startswith(("# The", "[operator.boss]"))).replace(
        'night = "on"\n', ""
    )
    told = lines(
        await bring_in(desk, "format = 1\n" + bare.partition("[operator")[1] + bare.partition("[operator")[2])
    )
    assert "- route 900 for callers 10 in plan boss when office.hours" in told
    assert "- level world" in told
    assert "~ night switch position: on → auto" in told
    left = store.configuration
    assert (left.routes, left.screening, dict(left.levels)) == ((), (), {})
    await bring_in(desk, text)
    after = store.configuration
    for name in ("routes", "inbound", "levels", "schedules", "screening", "addresses", "night"):
        assert getattr(after, name) == getattr(before, name), name


async def test_what_stays_keeps_its_number(desk: Desk, store: Store) -> None:
    await furnish_lines(desk, store)
    text = (await export(desk)).replace('called = "112"', 'called = "110"').replace("world = 3", "world = 4")
    report = lines(await bring_in(desk, text.replace('prepend = "00"', 'prepend = "01"')))
    assert report == [
        "~ level world rank: 3 → 4",
        "- route 112",
        "~ route 900 for callers 10 in plan boss when office.hours prepend: 00 → 01",
        "+ route 110",
    ]
    assert {rule.called: rule.id for rule in store.configuration.routes} == {"900": 1, "0": 3, "110": 4}


async def test_a_dry_run_changes_nothing(desk: Desk, store: Store) -> None:
    await furnish_lines(desk, store)
    before = store.configuration
    text = (await export(desk)).replace("world = 3", "world = 4").replace('night = "on"', 'night = "off"')
    report = await desk.ask(OWNER, ImportConfiguration(text, dry_run=True))
    assert len(report.changes) == 2
    assert store.configuration == before


def test_every_field_is_exported() -> None:
    """A field that somebody adds later must not be lost on the way to another machine."""
    rule = RouteRule(1, "9", "1", "p", 1, "0", "keep", "l", "w", True, ("t",), "e", "g", "s")
    assert len(route_table(rule)) == len(fields(RouteRule)) - 1
    assert len(inbound_table(InboundRule(1, "t", "9", "e", "g", "s", "w"))) == len(fields(InboundRule)) - 1
    assert len(screen_table(ScreenRow(1, "9", "1", 5))) + 1 == len(fields(ScreenRow)) - 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[level]\nworld = 'x'\n", r"line 6, level.world: 'x' cannot be used: give a whole number"),
        ("[level]\nworld = 10000\n", r"line 6, level.world: the rank cannot be 10000"),
        ("[schedule.late]\nwhen = 'mo 25:00-26:00'\n", r"line 6, schedule.late.when: '25:00-26:00' is no span"),
        ("[schedule.late]\nholidays = []\n", r"line 5, schedule.late.when: None cannot be used"),
        ("[[route]]\ncalled = '9'\n", r"line 5, route.1: the route leads nowhere"),
        ("[[route]]\ncalled = '9'\ntrunks = ['paris']\n", r"line 5, route.1: there is no trunk 'paris'"),
        ("[[route]]\ncalled = 9\ntrunks = ['berlin']\n", r"line 6, route.1.called: 9 cannot be used"),
        ("[[route]]\ncaled = '9'\n", r"line 6, route.1.caled: this is not known here"),
        (
            "[[route]]\ncalled = '9'\ntrunks = ['berlin']\n[[route]]\ncalled = '9'\ntrunks = ['berlin']\n",
            r"line 8, route.2: route 1 has the prefix 9 already",
        ),
        ("[[route]]\ncalled = '9'\nservice = 'gone'\n", r"line 5, route.1: there is no service 'gone'"),
        ("[[inbound]]\ntrunk = 'berlin'\ncalled = '9'\nextension = '199'\n", r"line 5, inbound.1: there is no ext"),
        ("[[screen]]\nrate = 200\n", r"line 5, screen.1: the rate cannot be 200"),
        ("[[screen]]\n[[screen]]\n", r"line 6, screen.2.caller: an earlier row is for the same calls"),
        ("[address]\nblock = ['nonsense']\n", r"line 6, address.block: 'nonsense' is no network"),
        ("[address]\nblock = ['192.0.2.1']\nallow = ['192.0.2.1/32']\n", r"line 6, address.block: .* there twice"),
        ("route = 3\n", r"route"),
        ("[extension.102]\nlevel = 'gone'\n", r"line 6, extension.102.level: there is no level 'gone'"),
    ],
)
def test_mistakes_are_named_by_line_and_key(text: str, said: str) -> None:
    with pytest.raises(RefusedError, match=said) as refused:
        read_wanted(OFFICE + text, services=frozenset({"echo"}))
    assert refused.value.mend


def test_the_night_switch_stands_at_the_top() -> None:
    with pytest.raises(RefusedError, match=r"line 2, night: 'dark' is not known: use one of on, off, auto"):
        read_wanted('format = 1\nnight = "dark"\n')
    assert read_wanted('format = 1\nnight = "off"\n').routing.night is Night.OFF
