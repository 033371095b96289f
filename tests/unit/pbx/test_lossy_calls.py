"""Whole calls over a network that loses, doubles and reorders: rung, answered, held, resumed and ended as meant."""

from __future__ import annotations

from random import Random

import pytest

from engine.core.views import CallState, ReleasedBy
from tests.unit.pbx.crowd import Pair, open_office
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.phone import MemoryPhone, PhoneCall
from tests.unit.pbx.wire import Weather

CALLS = 30
SEEDS = range(8)
ANSWER_S = 40.0
"""Long enough for an INVITE, its answer and its ACK to get through by being sent again."""


def weather_of(dice: Random) -> Weather:
    return Weather(
        loss=dice.uniform(0, 0.25), doubling=dice.uniform(0, 0.3), overtaking=dice.uniform(0, 0.4), delay=0.02
    )


def the_call_of(phones: list[MemoryPhone]) -> tuple[MemoryPhone, PhoneCall]:
    """The one phone of an extension that talks."""
    ((phone, call),) = [(phone, call) for phone in phones for call in phone.calls if call.is_up]
    return phone, call


def states(office: MemoryOffice) -> set[CallState]:
    return {view.state for view in office.office.calls()}


def assert_all_hear_each_other(office: MemoryOffice, pairs: list[Pair]) -> None:
    for caller, phones in pairs:
        callee, _ = the_call_of(phones)
        assert (office.hears(caller), office.hears(callee)) == (callee.number, caller.number)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_call_through_a_storm_goes_as_its_people_want(seed: int) -> None:
    dice = Random(seed)
    with open_office(seed, CALLS, dice) as (office, pairs):
        office.wire.weather = weather_of(dice)
        for caller, phones in pairs:
            dice.choice(phones).picks_up = True
            caller.call(phones[0].number)
        office.linger(ANSWER_S)
        assert len(office.office.calls()) == CALLS
        assert states(office) == {CallState.TALKING}
        assert_all_hear_each_other(office, pairs)

        holders = [dice.choice([caller.calls[-1], the_call_of(phones)[1]]) for caller, phones in pairs]
        for call in holders:
            call.hold()
        office.linger(2 * ANSWER_S)
        assert states(office) == {CallState.HELD}
        for call in holders:
            call.resume()
        office.linger(2 * ANSWER_S)
        assert states(office) == {CallState.TALKING}
        assert_all_hear_each_other(office, pairs)

        enders = {}
        for caller, phones in pairs:
            ender = enders[caller.number] = dice.choice(list(ReleasedBy)[:2])
            (caller.calls[-1] if ender is ReleasedBy.CALLER else the_call_of(phones)[1]).hang_up()
        office.linger(ANSWER_S)
        assert not office.office.calls()
        for caller, phones in pairs:
            assert caller.calls[-1].is_over
            assert not any(call.is_up for phone in phones for call in phone.calls)
        assert len(office.records) == CALLS
        for record in office.records:
            assert (record.released_by, record.cause) == (enders[record.caller], "normal")
            assert record.codec == "PCMA"
            assert record.duration_s > 4 * ANSWER_S
        office.linger()
        office.assert_nothing_is_left()


@pytest.mark.parametrize("seed", SEEDS)
def test_every_refusal_and_cancel_through_a_storm_is_recorded_as_it_was_meant(seed: int) -> None:
    dice = Random(1000 + seed)
    with open_office(seed, CALLS, dice) as (office, pairs):
        office.wire.weather = weather_of(dice)
        meant = {}
        for caller, phones in pairs:
            status = meant[caller.number] = dice.choice([486, 603, 487])
            for phone in phones:
                phone.refuses_with = status if status != 487 else None
            caller.call(phones[0].number)
        office.linger(ANSWER_S)
        for caller, _ in pairs:
            if meant[caller.number] == 487:
                caller.calls[-1].cancel()
        office.linger(ANSWER_S)
        assert not office.office.calls()
        told = {record.caller: (int(record.cause[:3]), record.released_by) for record in office.records}
        assert told == {
            number: (status, ReleasedBy.CALLER if status == 487 else ReleasedBy.CALLEE)
            for number, status in meant.items()
        }
        for caller, phones in pairs:
            assert caller.calls[-1].heard[-1] == str(meant[caller.number])
            assert all(call.is_over for phone in phones for call in phone.calls)
        office.linger()
        office.assert_nothing_is_left()
