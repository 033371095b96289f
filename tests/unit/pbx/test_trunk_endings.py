"""Thousands of calls over outside lines that end in every way: the count is right at every moment."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from random import Random

import pytest

from engine.core.errors import FrontdeskError
from engine.core.peering import ReliableProvisional
from engine.net.resolve import Server
from engine.pbx.trunks.limits import Way
from engine.store.outside import Preset, RouteRule
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.outside import MemoryCarrier, connect
from tests.unit.pbx.phone import MemoryPhone, PhoneCall
from tests.unit.pbx.test_endings import OF_BOTH, OF_CALLEE
from tests.unit.pbx.wire import Weather

ONE, OTHER, SILENT = "198.51.100.1", "198.51.100.2", "198.51.100.3"
PEOPLE, STEPS, ROUNDS = 24, 150, 4
LIMITS = {"one": (4, 6), "other": (None, 3)}
FIRST, *REST = range(8)
ALONE = {"answer twice", "ring twice"}
"""Deeds of phones that share a transaction: here each call has one."""


class Outsiders:
    """An office whose people call outside and are called from there."""

    def __init__(self, office: MemoryOffice, dice: Random) -> None:
        self.office, self.dice = office, dice
        office.has(*(str(100 + place) for place in range(PEOPLE)), max_calls=None)
        office.sets(registration_max_s=86400, ring_timeout_s=15, session_expires_s=90)
        self.people = [office.phone(str(100 + place)) for place in range(PEOPLE)]
        for phone in self.people:
            phone.register(expires=86400)
            phone.reliable = dice.choice([*ReliableProvisional])
        office.resolver.known["one.test"] = (Server(SILENT, 5060, "UDP"), Server(ONE, 5060, "UDP"))
        self.carriers = [MemoryCarrier(office, ONE), MemoryCarrier(office, OTHER)]
        for carrier in self.carriers:
            carrier.reliable = dice.choice([*ReliableProvisional])
        one, other = LIMITS["one"], LIMITS["other"]
        connect(office, "one", "one.test", max_in=one[0], max_out=one[1], preset=Preset.IMS)
        connect(office, "other", OTHER, max_in=other[0], max_out=other[1], reserve_emergency=1)
        office.configure(
            routes=(
                RouteRule(1, "112", is_emergency=True, trunks=("one", "other")),
                RouteRule(2, "9", strip=1, trunks=("one", "other")),
            )
        )
        office.advance(1)

    def play(self) -> None:
        self.office.wire.weather = self.dice.choice(
            [Weather(), Weather(delay=0.05), Weather(loss=0.15, delay=0.02)]
        )
        for _ in range(STEPS):
            deed = self._deed()
            with suppress(FrontdeskError, AssertionError, IndexError):  # asked for what cannot be done
                deed()
            self.office.advance(self.dice.choice([0.0, 0.0, 0.1, 0.5]))
            self.check()

    def _deed(self) -> Callable[[], object]:
        dice = self.dice
        kind = dice.random()
        if kind < 0.35:
            phone = dice.choice(self.people)
            number = dice.choice(["94711", "94712", "94713", "112"])
            return lambda: phone.call(number)
        if kind < 0.5:
            carrier, number = dice.choice(self.carriers), dice.choice(self.people).number
            return lambda: carrier.dials(number)
        if kind < 0.52:
            return self._release
        party: MemoryPhone = dice.choice([*self.people, *self.carriers])
        deeds = {**OF_BOTH, **OF_CALLEE} if dice.random() < 0.6 else OF_BOTH
        deed = deeds[dice.choice(sorted(deeds.keys() - ALONE))]
        return lambda: deed(self._call_of(party))

    def _call_of(self, party: MemoryPhone) -> PhoneCall:
        return self.dice.choice([call for call in party.calls if not call.is_over])

    def _release(self) -> None:
        view = self.dice.choice(self.office.office.calls())  # one that is none of an emergency, or it is refused
        self.office.run(self.office.office.operator.release(view.id, None))

    def check(self) -> None:
        """Each line counts the calls that have its room: no more than its limit, and none that is over."""
        exchange = self.office.office.exchange
        legs = [leg for call in exchange.calls.values() for leg in call.legs if leg.claim is not None]
        for line in exchange.trunks.lines():
            for way in Way:
                mine = [leg for leg in legs if leg.trunk and leg.trunk.name == line.trunk.name and leg.claim]
                counted = line.calls.active(way)
                assert counted == sum(1 for leg in mine if leg.claim and leg.claim.way is way)
                limit = line.trunk.max_in if way is Way.IN else line.trunk.max_out
                assert limit is None or counted <= limit

    def end(self) -> None:
        self.office.wire.weather = Weather(delay=0.02)
        self.office.everyone_hangs_up()
        for view in self.office.office.calls():
            with suppress(FrontdeskError):
                self.office.run(self.office.office.operator.release(view.id, None))
        self.office.linger()
        for phone in self.office.phones:
            phone.calls.clear()
        assert not self.office.office.calls()
        for line in self.office.office.exchange.trunks.lines():
            assert (line.calls.active(Way.IN), line.calls.active(Way.OUT)) == (0, 0)


@pytest.mark.parametrize("seed", [FIRST, *(pytest.param(seed, marks=pytest.mark.thorough) for seed in REST)])
def test_whatever_ends_a_call_its_line_has_room_again(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    office = MemoryOffice(seed)
    outsiders = Outsiders(office, Random(seed))
    for _ in range(ROUNDS):
        outsiders.play()
        outsiders.end()
    assert len(office.records) > ROUNDS * STEPS / 4
    used = {record.trunk_out for record in office.records} | {record.trunk_in for record in office.records}
    assert used == {"one", "other", None}
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert not errors
    office.close()


def test_of_many_that_call_at_once_as_many_get_through_as_there_is_room(office: MemoryOffice) -> None:
    """No caller's wait for the gateway lets another one slip in."""
    phones = office.registered(*(str(100 + place) for place in range(20)))
    carrier = MemoryCarrier(office)
    connect(office, max_out=7, max_in=5)
    office.in_one_breath(*(lambda phone=phone: phone.call("94711") for phone in phones))  # type: ignore[misc]
    line = office.office.exchange.trunks.line("line")
    assert line is not None
    assert (line.calls.active(Way.OUT), line.view().refused_out) == (7, 13)
    office.in_one_breath(*(lambda phone=phone: carrier.dials(phone.number) for phone in phones))  # type: ignore[misc]
    assert (line.calls.active(Way.IN), line.view().refused_in) == (5, 15)
    office.everyone_hangs_up()
    assert (line.calls.active(Way.IN), line.calls.active(Way.OUT)) == (0, 0)
    office.assert_nothing_is_left()
