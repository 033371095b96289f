"""Routes, inbound numbers, levels, schedules and lists come back as they were put."""

from __future__ import annotations

from pathlib import Path

from engine.store.first_run import set_up
from engine.store.outside import AddressRow, InboundRule, Level, Night, RouteRule, Schedule, ScreenRow
from engine.store.rows import Rows
from engine.store.store import Store

ROUTE = RouteRule(7, "90", "10", "boss", 1, "00", "keep", "world", "office", True, ("a", "b"), None, None, None)
LED = RouteRule(8, "0", extension="101", group="200", service="echo")
INBOUND = InboundRule(3, "a", "+4930", "101", "200", "echo", "office")


def fill(rows: Rows) -> None:
    for rule in (ROUTE, LED):
        rows.routes.put(rule)
    rows.inbound.put(INBOUND)
    rows.levels.put(Level("world", 3))
    rows.levels.put(Level("local", 1))
    rows.schedules.put(Schedule("office", "mo-fr", ("12-25", "2026-01-01")))
    rows.screening.put(ScreenRow(4, "anonymous", "*", 50, is_white=True))
    rows.addresses.put(AddressRow("192.0.2.0/24", True))
    rows.site.put("night", "off")


def test_they_come_back(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store.submit(fill).result(5)
    store.close()
    again = Store.open(tmp_path)
    again.close()
    kept = again.configuration
    assert kept.routes == (ROUTE, LED)
    assert kept.inbound == (INBOUND,)
    assert list(kept.levels.values()) == [Level("local", 1), Level("world", 3)]
    assert kept.schedules["office"] == Schedule("office", "mo-fr", ("12-25", "2026-01-01"))
    assert kept.screening == (ScreenRow(4, "anonymous", "*", 50, is_white=True),)
    assert kept.addresses == (AddressRow("192.0.2.0/24", True),)
    assert kept.night is Night.OFF


def test_what_is_added_gets_the_next_number_and_can_be_found_and_removed(store: Store) -> None:
    store.submit(fill).result(5)
    assert store.submit(lambda rows: rows.routes.add(LED)).result(5) == 9
    assert store.read(lambda rows: rows.routes.find(7)).result(5) == ROUTE
    assert store.read(lambda rows: rows.levels.find("gone")).result(5) is None
    assert store.submit(lambda rows: rows.routes.remove(7)).result(5)
    assert not store.submit(lambda rows: rows.routes.remove(7)).result(5)
    assert [rule.id for rule in store.read(lambda rows: rows.routes.all()).result(5)] == [8, 9]


def test_a_night_switch_that_is_spoilt_follows_the_clock(store: Store) -> None:
    store.submit(lambda rows: rows.site.put("night", "dark")).result(5)
    assert store.configuration.night is Night.AUTO


def test_a_new_office_refuses_callers_without_a_number(store: Store) -> None:
    set_up(store, lambda first: None)
    assert store.configuration.screening == (ScreenRow(1, "anonymous", "*", 100),)
    store.submit(lambda rows: rows.screening.remove(1)).result(5)
    set_up(store, lambda first: None)
    assert store.configuration.screening == ()
