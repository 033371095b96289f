"""The lamp auditor: what differs from the calls there are is found, repaired, counted and told."""

from __future__ import annotations

import pytest

from engine.core.events import LampChanged, LampsRepaired
from engine.core.views import Lamp, LampAudit, PartyState
from engine.pbx.lamp_auditor import AUDIT_S, SECOND_LOOK_S
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.test_lamp_lists import takes_large_ones
from tests.unit.pbx.test_lamp_lists import watching as watching_a_list
from tests.unit.pbx.test_watchers import watching


def audit(office: MemoryOffice) -> LampAudit:
    return office.while_time_passes(office.office.audit_lamps(), SECOND_LOOK_S * 2)


def test_where_everything_is_as_it_should_be_nothing_is_done(office: MemoryOffice) -> None:
    office.talking()
    watching(office)
    found = audit(office)
    assert found == LampAudit(lamps=3, subscriptions=1, repaired=())
    assert not office.heard_events(LampsRepaired)


def test_a_stuck_lamp_goes_dark_and_its_watchers_are_told(office: MemoryOffice) -> None:
    _, _, call, _ = office.talking()
    watcher = watching(office)
    board = office.office.lamp_board
    (leg,) = board.legs_of("102")
    call.hang_up()
    office.settle()
    board.put_leg("102", leg)
    office.office.endpoint.flush()
    office.settle()
    assert office.lamp("102") is Lamp.RINGING
    found = audit(office)
    assert [text.partition(" in ")[0] for text in found.repaired] == ["102 was shown"]
    office.settle()
    assert office.lamp("102") is Lamp.IDLE
    assert watcher.last.states == ["terminated"]
    (event,) = office.heard_events(LampsRepaired)
    assert isinstance(event, LampsRepaired)
    assert event.count == 1
    assert office.office.health().lamps_repaired == 1
    assert audit(office).repaired == ()


def test_a_party_that_no_lamp_shows_is_shown(office: MemoryOffice) -> None:
    office.talking()
    board = office.office.lamp_board
    (leg,) = board.legs_of("101")
    board.remove_leg("101", leg)
    assert office.lamp("101") is Lamp.IDLE
    assert len(audit(office).repaired) == 1
    assert office.lamp("101") is Lamp.BUSY


def test_a_lamp_that_shows_another_state_is_put_right(office: MemoryOffice) -> None:
    office.talking()
    board = office.office.lamp_board
    board._lamps["101"] = Lamp.IDLE
    board._legs["102"].counts[3] = 0
    found = audit(office)
    assert found.repaired == ("the lamp of 101 showed idle instead of busy",)
    assert office.lamp("101") is Lamp.BUSY
    assert any(isinstance(event, LampChanged) and event.extension == "101" for event in office.events)


def test_a_watcher_that_was_told_something_else_is_told_again(office: MemoryOffice) -> None:
    takes_large_ones(office)
    office.talking()
    single, panel = watching(office), watching_a_list(office, by="108")
    for subscription in office.office.agent.subscriptions.values():
        if subscription.is_list:
            subscription.user.told["101"] = ()
        else:
            subscription.user.told = ()
    found = audit(office)
    assert sorted(found.repaired) == ["108 was not told how 101 stands", "109 was not told how 102 stands"]
    office.advance(1)
    assert single.last.states == ["confirmed"]
    assert panel.lists[-1].states() == {"101": ["confirmed"]}
    assert audit(office).repaired == ()


def test_what_is_only_on_its_way_is_no_fault(office: MemoryOffice) -> None:
    """A leg that has changed its state and tells the board a moment later."""
    office.talking()
    board = office.office.lamp_board
    (leg,) = board.legs_of("101")
    leg.state = PartyState.HELD

    async def meanwhile() -> LampAudit:
        task = office.create_task(office.office.audit_lamps())  # type: ignore[arg-type]
        await _turn()
        leg.state = PartyState.TALKING
        return await task  # type: ignore[func-returns-value]

    assert office.while_time_passes(meanwhile(), 1.0).repaired == ()


async def _turn() -> None:
    import asyncio

    await asyncio.sleep(0)


def test_the_auditor_goes_round_by_itself(office: MemoryOffice) -> None:
    office.registered("101")
    office.advance(3)
    office.office.lamp_board._lamps["101"] = Lamp.BUSY
    office.advance(AUDIT_S + 3)
    assert office.lamp("101") is Lamp.IDLE
    assert office.office.health().lamps_repaired == 1


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_found_in_a_day_of_calls(seed: int) -> None:
    """The auditor is a second opinion: after what phones really do it has nothing to repair."""
    office = MemoryOffice(seed)
    try:
        alice, bob, carol = office.registered("101", "102", "103")
        watching(office, "101")
        for round_ in range(6):
            call = alice.call("102")
            office.settle()
            if round_ % 3 == 0:
                call.cancel()
                office.settle()
                continue
            bob.ringing.answer()
            office.settle()
            other = carol.call("102")
            office.settle()
            if round_ % 2:
                bob.calls[-2].hold()
            assert audit(office).repaired == ()
            other.cancel()
            call.hang_up()
            office.settle()
            assert audit(office).repaired == ()
    finally:
        office.close()
