"""Resource lists (RFC 4662): one subscription for a panel, everything first, then what has changed."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from engine.pbx.telling import GATHER_S
from engine.sip.flow import Flow
from engine.store.configuration import Right
from engine.store.services import Group, GroupKind
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.watcher import LISTS, Watcher
from tests.unit.sip.schemas import check

PANEL = tuple(str(number) for number in range(201, 231))


def takes_large_ones(office: MemoryOffice) -> None:
    """The watcher's phone takes large requests, as one on TCP would."""
    layer = office.office.agent.layer
    layer.stream_beside = lambda flow: flow


def watching(office: MemoryOffice, name: str = "lamps", event: str = "dialog", by: str = "109") -> Watcher:
    (phone,) = office.registered(by)
    office.has(by, rights=frozenset({Right.PICKUP}))
    watcher = Watcher(office, phone, name, event, extra=LISTS if event == "dialog" else LISTS[:1])
    assert watcher.subscribe() == 200
    return watcher


def test_a_panel_is_told_everything_at_once_and_then_what_has_changed(office: MemoryOffice) -> None:
    takes_large_ones(office)
    office.has("102", name="Bo")
    alice, bob = office.registered("101", "102")
    watcher = watching(office)
    assert watcher.phone.last.headers.get("Require") == "eventlist"
    (first,) = watcher.lists
    assert first.is_full
    assert first.uri.startswith("sip:lamps@")
    assert first.states() == {"101": [], "102": [], "109": []}
    assert first.titles["102"] == "Bo"
    call = alice.call("102")
    office.settle()
    assert len(watcher.lists) == 1, "changes gather"
    office.advance(GATHER_S)
    second = watcher.lists[-1]
    assert not second.is_full
    assert second.states() == {"101": ["early"], "102": ["early"]}
    bob.ringing.answer()
    office.settle()
    call.hang_up()
    office.advance(GATHER_S)
    assert watcher.lists[-1].states() == {"101": ["terminated"], "102": ["terminated"]}
    versions = [told.version for told in watcher.lists]
    assert versions == [*range(len(versions))]


def test_many_changes_cost_few_notifies(office: MemoryOffice) -> None:
    takes_large_ones(office)
    (alice,) = office.registered("101")
    office.has("101", max_calls=None)
    office.registered(*PANEL)
    watcher = watching(office)
    before = len(watcher.notified)
    for number in PANEL:
        alice.call(number)
    office.advance(GATHER_S * 2)
    told = watcher.lists[before:]
    assert len(told) <= 3
    assert {user for each in told for user in each.documents} == {"101", *PANEL}


def test_a_phone_that_takes_datagrams_alone_is_told_in_small_ones(office: MemoryOffice) -> None:
    office.registered(*PANEL)
    watcher = watching(office)
    told = watcher.lists
    assert [each.is_full for each in told] == [True, *[False] * (len(told) - 1)]
    assert [user for each in told for user in each.documents] == [*PANEL, "109"]
    assert max(each.size for each in told) <= 1300
    assert [each.version for each in told] == [*range(len(told))]


def test_while_one_is_unanswered_changes_gather(office: MemoryOffice) -> None:
    takes_large_ones(office)
    alice, bob = office.registered("101", "102")
    watcher = watching(office)
    watcher.phone.watches_silently = True
    alice.call("102")
    office.advance(GATHER_S)
    bob.ringing.answer()
    office.advance(GATHER_S)
    assert len({notify.cseq.number for notify in watcher.notified}) == 2
    watcher.phone.watches_silently = False
    office.advance(1)
    assert watcher.lists[-1].states() == {"101": ["confirmed"], "102": ["confirmed"]}


def test_the_number_of_a_group_is_the_list_of_its_members(office: MemoryOffice) -> None:
    takes_large_ones(office)
    office.registered("101", "102", "103")
    office.configure(groups=MappingProxyType({"600": Group("600", GroupKind.RING, ("103", "101", "999"))}))
    watcher = watching(office, "600")
    assert [*watcher.lists[-1].documents] == ["103", "101"]
    office.configure(groups=MappingProxyType({"600": Group("600", GroupKind.RING, ("102",))}))
    office.advance(GATHER_S)
    assert watcher.lists[-1].is_full
    assert [*watcher.lists[-1].documents] == ["102"]
    office.configure(groups=MappingProxyType({}))
    office.settle()
    assert watcher.notified[-1].headers.get("Subscription-State") == "terminated;reason=noresource"
    assert office.office.watchers.count == 0


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("lamps", ["101", "109"]),
        ("groups", ["600"]),
        ("trunks", ["trunk-line"]),
        ("slots", [f"park{slot}" for slot in range(1, 100)]),
        ("panel", ["101", "109", "600", "trunk-line", "night"]),
    ],
)
def test_the_lists_of_an_office(office: MemoryOffice, name: str, members: list[str]) -> None:
    from tests.unit.pbx.outside import connect

    takes_large_ones(office)
    connect(office)
    office.configure(groups=MappingProxyType({"600": Group("600", GroupKind.RING, ("101",))}))
    office.registered("101")
    watcher = watching(office, name)
    assert [*watcher.lists[-1].documents] == members


def test_a_list_of_presence(office: MemoryOffice) -> None:
    takes_large_ones(office)
    office.registered("101")
    watcher = watching(office, event="presence")
    office.has("101", dnd=True)
    office.advance(GATHER_S)
    (document,) = watcher.lists[-1].documents.values()
    check("application/pidf+xml", document)
    assert b"Do not disturb" in document


def test_refreshing_tells_everything_anew_and_asking_once_ends_with_it(office: MemoryOffice) -> None:
    takes_large_ones(office)
    office.registered("101")
    watcher = watching(office)
    assert watcher.subscribe(1800) == 200
    assert [told.is_full for told in watcher.lists] == [True, True]
    assert watcher.subscribe(0) == 200
    assert watcher.notified[-1].headers.get("Subscription-State") == "terminated;reason=timeout"
    once = Watcher(office, watcher.phone, "lamps", call_id="once", extra=LISTS)
    assert once.subscribe(0) == 200
    assert [*once.lists[-1].documents] == ["101", "109"]
    assert office.office.watchers.count == 0


@pytest.mark.parametrize(
    ("name", "extra", "status", "mend"),
    [
        ("lamps", (), 421, ("Require", "eventlist")),
        ("lamps", (("Supported", "eventlist"), ("Accept", "application/dialog-info+xml")), 406, None),
        ("lists", LISTS, 404, None),
        ("101", LISTS, 200, None),
        ("101", (("Require", "eventlist"),), 200, None),
    ],
)
def test_who_knows_no_lists(
    office: MemoryOffice, name: str, extra: Any, status: int, mend: tuple[str, str] | None
) -> None:
    office.registered("101")
    (phone,) = office.registered("109")
    watcher = Watcher(office, phone, name, extra=extra)
    assert watcher.subscribe() == status
    if mend is not None:
        assert phone.last.headers.get(mend[0]) == mend[1]


def test_a_flow_is_what_decides_how_large_a_notify_may_be(office: MemoryOffice) -> None:
    """Over a connection nothing is split; the office in memory has none, so the room is asked for."""
    office.registered(*PANEL)
    watcher = watching(office)
    (subscription,) = office.office.agent.subscriptions.values()
    teller = office.office.watchers.teller
    assert teller._room(subscription) < 1300
    subscription.flow = Flow("TCP", "192.0.2.1", 5060, "192.0.2.9", 40000)
    assert teller._room(subscription) == 60_000
    assert watcher.lists
