"""Subscriptions outlive the engine: CSeq and version go on rising, and everybody is told how things stand now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.pbx.watchers import RESTORED_AT_ONCE
from engine.store.subscriptions import RESERVE, StoredSubscription
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.watcher import LISTS, Watcher

NUMBERS = ("101", "102", "109")


Opener = Callable[..., MemoryOffice]


@pytest.fixture
def opened() -> Iterator[Opener]:
    """Opens other offices, which are closed at the end."""
    offices: list[MemoryOffice] = []

    def open_one(**fields: Any) -> MemoryOffice:
        offices.append(MemoryOffice(**fields))
        return offices[-1]

    yield open_one
    for office in offices:
        office.close()


def moved_on(kept: Iterable[StoredSubscription]) -> list[StoredSubscription]:
    """What the store does when it opens."""
    return [replace(each, cseq=each.cseq + RESERVE, version=each.version + RESERVE) for each in kept]


def reopened(
    opened: Opener, office: MemoryOffice, watcher: Watcher, numbers: tuple[str, ...] = NUMBERS
) -> tuple[MemoryOffice, Watcher]:
    """The next run of an office that was killed, and the same phone there, which noticed nothing."""
    again = opened(stored=office.stored.values(), extensions=numbers, watching=moved_on(office.watching.values()))
    phone = again.phone(watcher.phone.number, host=watcher.phone.host)
    phone.watches = True
    known = replace(watcher, office=again, phone=phone)
    again.settle()
    return again, known


def watching(office: MemoryOffice, number: str = "102", extra: tuple[tuple[str, str], ...] = ()) -> Watcher:
    (phone,) = office.registered("109")
    watcher = Watcher(office, phone, number, extra=extra)
    assert watcher.subscribe() == 200
    return watcher


def test_a_watcher_is_told_on_after_a_restart(office: MemoryOffice, opened: Opener) -> None:
    alice, bob = office.registered("101", "102")
    watcher = watching(office)
    alice.call("102")
    office.settle()
    bob.ringing.answer()
    office.settle()
    before = watcher.notified[-1]
    again, known = reopened(opened, office, watcher)
    again.advance(0.2)
    (notify,) = known.notified
    assert notify.cseq.number > before.cseq.number
    assert known.last.version > watcher.last.version
    assert (known.last.state, known.last.dialogs) == ("full", [])
    assert notify.headers.get("From") == before.headers.get("From")
    assert notify.headers.get("To") == before.headers.get("To")
    alice = again.phone("101", host=alice.host)
    bob = again.phone("102", host=bob.host)
    call = alice.call("102")
    again.settle()
    assert known.last.states == ["early"]
    versions = [told.version for told in known.told]
    assert versions == [*range(versions[0], versions[0] + len(versions))]
    call.cancel()
    again.settle()
    assert known.subscribe() == 200, "the phone refreshes as if nothing had been"


def test_numbers_that_were_not_written_are_never_used_again(office: MemoryOffice) -> None:
    """Whatever went out since the store last heard of it is less than what the next run begins with."""
    office.registered("102")
    watcher = watching(office)
    stored_first = next(iter(office.watching.values()))
    seen = []
    for _ in range(RESERVE // 2 + 20):
        office.office.watchers.teller.tell(
            next(iter(office.office.agent.subscriptions.values())), office.clock.now()
        )
        office.office.endpoint.flush()
        office.settle()
        stored = next(iter(office.watching.values()))
        seen.append(watcher.phone.notified[-1].cseq.number)
        assert seen[-1] < stored.cseq + RESERVE
        watcher.phone.notified.clear()
    assert seen == sorted(set(seen))
    assert next(iter(office.watching.values())).cseq > stored_first.cseq


def test_what_has_ended_or_belongs_to_nobody_is_dropped(office: MemoryOffice, opened: Opener) -> None:
    office.registered("101", "102")
    watcher = watching(office)
    (kept,) = office.watching.values()
    over = replace(kept, local_tag="over", expires_at=kept.granted_at - timedelta(seconds=1))
    gone = replace(kept, local_tag="gone", watched="777")
    stranger = replace(kept, local_tag="stranger", watcher="778")
    again = opened(extensions=NUMBERS, watching=[over, gone, stranger])
    assert again.office.watchers.count == 0
    assert not again.watching
    assert watcher.subscribe(0) == 200
    assert not office.watching


def test_a_peer_that_knows_nothing_of_it_any_more_is_dropped(office: MemoryOffice, opened: Opener) -> None:
    office.registered("102")
    watcher = watching(office)
    again, known = reopened(opened, office, watcher)
    known.phone.answers_notify = 481
    again.advance(0.2)
    assert again.office.watchers.count == 0
    assert not again.watching


def test_a_clock_that_was_set_back_lets_none_live_longer(office: MemoryOffice, opened: Opener) -> None:
    office.registered("102")
    watching(office)
    (kept,) = office.watching.values()
    ahead = timedelta(days=30)
    later = replace(kept, granted_at=kept.granted_at + ahead, expires_at=kept.expires_at + ahead)
    again = opened(extensions=NUMBERS, watching=[later])
    again.office.watchers.sweep()
    assert again.office.watchers.count == 1
    again.clock.advance(3601)
    again.run(_sweep(again))
    assert again.office.watchers.count == 0


async def _sweep(office: MemoryOffice) -> None:
    office.office.watchers.sweep()


def test_many_are_told_a_few_at_a_time(office: MemoryOffice, opened: Opener) -> None:
    numbers = tuple(str(number) for number in range(300, 300 + 3 * RESTORED_AT_ONCE))
    office.has(*numbers)
    (phone,) = office.registered("109")
    for number in numbers:
        assert Watcher(office, phone, number).subscribe() == 200
    again = opened(extensions=(*numbers, "109"), watching=moved_on(office.watching.values()))
    there = again.phone("109", host=phone.host)
    there.watches = True
    again.settle()
    counts = []
    for _ in range(5):
        again.advance(0.05)
        counts.append(len(there.notified))
    assert counts[0] <= RESTORED_AT_ONCE
    assert counts[-1] == len(numbers)


def test_a_list_is_told_from_the_start_again(office: MemoryOffice, opened: Opener) -> None:
    office.registered("101", "102")
    watcher = watching(office, "lamps", LISTS)
    again, known = reopened(opened, office, watcher)
    again.advance(0.2)
    assert [told.is_full for told in known.lists] == [True, False, False]
    assert known.lists[0].version > watcher.lists[-1].version
    assert [user for told in known.lists for user in told.documents] == ["101", "102", "109"]


def on_tcp(office: MemoryOffice) -> StoredSubscription:
    """What is stored of a phone that subscribed over a connection."""
    office.registered("102")
    watching(office)
    (kept,) = office.watching.values()
    return replace(kept, transport="TCP", remote_port=40000, remote_target="sip:109@10.0.0.9:5060;transport=tcp")


@pytest.mark.parametrize("contact", ["sip:109@10.0.0.9:5060;transport=tcp", "sip:109@10.9.9.9:1;transport=tcp"])
def test_a_phone_whose_connection_is_gone_is_told_when_it_comes_back(
    office: MemoryOffice, opened: Opener, contact: str
) -> None:
    kept = on_tcp(office)
    again = opened(extensions=NUMBERS)
    sent: list[bytes] = []
    again.office.endpoint.add_listener(Listener(sent), "TCP")
    again.office.watchers.restore([kept])
    again.advance(0.2)
    assert not sent, "nobody is there"
    assert again.office.watchers.count == 1
    phone = replace(
        next(iter(office.stored.values())),
        extension="109", contact=contact, transport="TCP", source_host=kept.remote_host, source_port=41111,
    )  # fmt: skip
    again.office.endpoint._listeners["TCP", "192.0.2.1", 5060].connected.add(41111)  # type: ignore[attr-defined]
    again.run(_put(again, phone))
    again.advance(0.2)
    assert sent
    assert sent[0].startswith(b"NOTIFY sip:109@10.0.0.9:5060;transport=tcp SIP/2.0\r\nVia: SIP/2.0/TCP")


async def _put(office: MemoryOffice, phone: object) -> None:
    office.office.bindings.put(phone)  # type: ignore[arg-type]


class Listener:
    """A TCP listener with connections from the ports in ``connected``."""

    host, port = "192.0.2.1", 5060

    def __init__(self, sent: list[bytes]) -> None:
        self._sent = sent
        self.connected: set[int] = set()

    def send(self, data: bytes, flow: object) -> None:
        self._sent.append(data)

    def close(self) -> None: ...
    def is_connected(self, flow: object) -> bool:
        return getattr(flow, "remote_port", 0) in self.connected

    def vouch(self, flow: object, seconds: float) -> None: ...
    def sweep(self, now: float) -> None: ...
    def turn_away(self) -> None: ...
