"""What an operator does with its own phone from the Switchboard: 102 is the operator."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from engine.core.errors import NotFoundError, RefusedError
from engine.core.views import CallState, PartyState
from engine.pbx.operator_phone import OperatorPhone
from engine.store.configuration import Right
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.phone import MemoryPhone, PhoneCall
from tests.unit.pbx.test_replaces import names


def phone_of(office: MemoryOffice) -> OperatorPhone:
    return office.office.operator_phone


def do(office: MemoryOffice, deed: Coroutine[Any, Any, Any]) -> Any:
    result = office.run(deed)
    office.settle()
    return result


def consult(office: MemoryOffice, number: str = "103") -> tuple[MemoryPhone, MemoryPhone, MemoryPhone]:
    """101 talks with 102, which asks 103; the phones of the three."""
    alice, bob, _call, _other = office.talking()
    (carol,) = office.registered("103")
    do(office, phone_of(office).consult(office.call.id, number, "102"))
    assert (office.hears(alice), office.hears(bob)) == ("music", "ringback-de")
    return alice, bob, carol


def end(office: MemoryOffice) -> None:
    office.everyone_hangs_up()
    office.assert_nothing_is_left()


# -- asking back -------------------------------------------------------------------------------------------------


def test_who_asks_talks_with_who_was_asked_while_the_caller_waits(office: MemoryOffice) -> None:
    alice, bob, carol = consult(office)
    carol.ringing.answer()
    office.settle()
    assert (office.hears(alice), office.hears(bob), office.hears(carol)) == ("music", "103", "102")
    assert office.call.state is CallState.HELD
    assert [party.state for party in office.call.parties] == [
        PartyState.HELD, PartyState.TALKING, PartyState.TALKING,
    ]  # fmt: skip
    end(office)


@pytest.mark.parametrize("hangs_up", [False, True])
def test_completing_connects_the_two_others(office: MemoryOffice, hangs_up: bool) -> None:
    alice, bob, carol = consult(office)
    carol.ringing.answer()
    office.settle()
    if hangs_up:
        bob.calls[-1].hang_up()
        office.settle()
    else:
        do(office, phone_of(office).complete(office.call.id, "102"))
    assert bob.calls[-1].is_over
    assert (office.hears(alice), office.hears(carol)) == ("103", "101")
    assert (office.call.state, office.call.callee) == (CallState.TALKING, "103")
    end(office)


def test_completing_before_the_answer_lets_it_ring_for_the_caller(office: MemoryOffice) -> None:
    alice, bob, carol = consult(office)
    do(office, phone_of(office).complete(office.call.id, "102"))
    assert bob.calls[-1].is_over
    assert office.hears(alice) == "ringback-de"
    carol.ringing.answer()
    office.settle()
    assert (office.hears(alice), office.hears(carol)) == ("103", "101")
    end(office)


def test_completed_early_and_refused_comes_back_to_who_asked(office: MemoryOffice) -> None:
    alice, bob, carol = consult(office)
    do(office, phone_of(office).complete(office.call.id, "102"))
    carol.ringing.refuse(486)
    office.settle()
    assert office.call.waits_for == ("102",)
    bob.ringing.answer()
    office.settle()
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")
    end(office)


@pytest.mark.parametrize("is_answered", [False, True])
def test_going_back_lets_the_asked_one_go(office: MemoryOffice, is_answered: bool) -> None:
    alice, bob, carol = consult(office)
    if is_answered:
        carol.ringing.answer()
        office.settle()
    do(office, phone_of(office).go_back(office.call.id, "102"))
    assert carol.calls[-1].is_over
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")
    assert (office.call.state, office.call.callee) == (CallState.TALKING, "102")
    bob.calls[-1].hang_up()  # at once: it is meant
    office.settle()
    assert not office.office.calls()
    end(office)


@pytest.mark.parametrize("status", [486, 603])
def test_who_refuses_gives_the_caller_back_to_who_asked(office: MemoryOffice, status: int) -> None:
    alice, bob, carol = consult(office)
    carol.ringing.refuse(status)
    office.settle()
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")
    end(office)


@pytest.mark.parametrize("leaves", ["caller", "asked"])
def test_whoever_leaves_the_two_others_talk(office: MemoryOffice, leaves: str) -> None:
    alice, bob, carol = consult(office)
    carol.ringing.answer()
    office.settle()
    gone, left = (alice, carol) if leaves == "caller" else (carol, alice)
    gone.calls[-1].hang_up()
    office.settle()
    assert (office.hears(left), office.hears(bob)) == ("102", left.number)
    assert office.call.state is CallState.TALKING
    end(office)


def test_a_caller_who_hangs_up_while_it_rings_ends_it_all(office: MemoryOffice) -> None:
    alice, _bob, carol = consult(office)
    alice.calls[-1].hang_up()
    office.settle()
    assert carol.calls[-1].is_over
    assert not office.office.calls()
    end(office)


def test_a_phone_that_holds_meanwhile_is_answered(office: MemoryOffice) -> None:
    alice, bob, carol = consult(office)
    carol.ringing.answer()
    office.settle()
    alice.calls[-1].hold()
    office.settle()
    alice.calls[-1].resume()
    office.settle()
    do(office, phone_of(office).complete(office.call.id, "102"))
    assert (office.hears(alice), office.hears(carol)) == ("103", "101")
    assert bob.calls[-1].is_over
    end(office)


def test_nobody_asks_in_a_call_of_others(office: MemoryOffice) -> None:
    office.talking()
    office.registered("103")
    for deed in (phone_of(office).complete, phone_of(office).go_back):
        with pytest.raises(RefusedError, match="asks nobody"):
            office.run(deed(office.call.id, "102"))
    with pytest.raises(RefusedError, match="103 is not in call"):
        office.run(phone_of(office).consult(office.call.id, "101", "103"))


def test_who_cannot_take_the_call_is_told_before_anything_happens(office: MemoryOffice) -> None:
    alice, bob, _call, _other = office.talking()
    office.registered("103")
    office.has("104")
    office.has("103", dnd=True)
    for number, why in (
        ("104", "no registered phone"),
        ("103", "disturbed"),
        ("102", "Own Number"),
        ("7777", "404"),
    ):
        for deed in (phone_of(office).consult, phone_of(office).hand_on):
            with pytest.raises(RefusedError, match=why):
                office.run(deed(office.call.id, number, "102"))
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")


# -- handing on, and back ----------------------------------------------------------------------------------------


def handed_on(office: MemoryOffice) -> tuple[MemoryPhone, MemoryPhone, MemoryPhone, PhoneCall]:
    alice, bob, call, other = office.talking()
    (carol,) = office.registered("103")
    do(office, phone_of(office).hand_on(office.call.id, "103", "102"))
    assert other.is_over  # the operator is free at once
    assert office.hears(alice) == "ringback-de"
    return alice, bob, carol, call


def test_a_caller_is_handed_on(office: MemoryOffice) -> None:
    alice, _bob, carol, _call = handed_on(office)
    carol.ringing.answer()
    office.settle()
    assert (office.hears(alice), office.hears(carol)) == ("103", "101")
    end(office)


def test_a_caller_whom_nobody_takes_comes_back(office: MemoryOffice) -> None:
    alice, bob, carol, _call = handed_on(office)
    carol.ringing.refuse(486)
    office.settle()
    assert (office.call.waits_for, office.call.returned) == (("102",), "103")
    bob.ringing.answer()
    office.settle()
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")
    end(office)


@pytest.mark.parametrize("is_answered", [False, True])
def test_undo_brings_the_caller_back(office: MemoryOffice, is_answered: bool) -> None:
    alice, bob, carol, call = handed_on(office)
    if is_answered:
        carol.ringing.answer()
        office.settle()
    do(office, phone_of(office).recall("102"))
    assert not carol.calls[-1].is_over  # until the operator is there
    bob.ringing.answer()
    office.settle()
    assert carol.calls[-1].is_over
    assert call.is_up
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")
    with pytest.raises(RefusedError, match="nothing to undo"):
        office.run(phone_of(office).recall("102"))
    end(office)


def test_undo_asks_the_operators_phone_to_answer_by_itself(office: MemoryOffice) -> None:
    _alice, bob, _carol, _call = handed_on(office)
    do(office, phone_of(office).recall("102"))
    invite = bob.ringing.invite
    assert invite is not None
    assert "answer-after=0" in (invite.headers.get("Call-Info") or "")


def test_a_second_press_of_undo_rings_nobody_twice(office: MemoryOffice) -> None:
    _alice, bob, _carol, _call = handed_on(office)

    async def press_twice() -> list[Any]:
        phone = phone_of(office)
        return await asyncio.gather(phone.recall("102"), phone.recall("102"), return_exceptions=True)

    first, second = office.run(press_twice())
    office.settle()
    assert isinstance(first, str)
    assert isinstance(second, RefusedError)
    assert [call.is_over for call in bob.calls].count(False) == 1


def test_undo_that_could_ring_nobody_may_be_tried_again(office: MemoryOffice) -> None:
    _alice, bob, _carol, _call = handed_on(office)
    bob.register(expires=0)
    office.settle()
    for _ in range(2):
        with pytest.raises(RefusedError, match="no registered phone"):
            office.run(phone_of(office).recall("102"))


def test_who_comes_for_a_place_while_somebody_is_asked_is_refused(office: MemoryOffice) -> None:
    office.has("104", rights=frozenset({Right.TAKE_OVER}))
    alice, bob, carol = consult(office)
    carol.ringing.answer()
    office.settle()
    (dan,) = office.registered("104")
    picked = dan.call("102", extra=names(bob.calls[-1]))
    office.settle()
    assert picked.heard[-1] == "486"
    assert (office.hears(alice), office.hears(bob), office.hears(carol)) == ("music", "103", "102")
    end(office)


def test_undo_is_over_after_a_while(office: MemoryOffice) -> None:
    handed_on(office)
    office.advance(23)
    with pytest.raises(RefusedError, match="nothing to undo any more: it can be done for 20 seconds"):
        office.run(phone_of(office).recall("102"))


def test_undo_of_a_caller_who_has_gone_says_so(office: MemoryOffice) -> None:
    _alice, _bob, _carol, call = handed_on(office)
    call.hang_up()
    office.settle()
    with pytest.raises(RefusedError, match="101 has hung up meanwhile"):
        office.run(phone_of(office).recall("102"))


def test_an_operator_that_does_not_answer_costs_nobody_the_call(office: MemoryOffice) -> None:
    alice, bob, carol, _call = handed_on(office)
    carol.ringing.answer()
    office.settle()
    do(office, phone_of(office).recall("102"))
    office.advance(25)
    assert bob.ringing.is_over
    assert (office.hears(alice), office.hears(carol)) == ("103", "101")
    end(office)


def test_a_caller_who_hangs_up_during_undo_frees_the_operators_phone(office: MemoryOffice) -> None:
    _alice, bob, carol, call = handed_on(office)
    carol.ringing.answer()
    office.settle()
    do(office, phone_of(office).recall("102"))
    call.hang_up()
    office.settle()
    bob.ringing.answer()
    office.settle()
    assert bob.calls[-1].is_over
    end(office)


def test_a_call_that_was_completed_can_be_undone(office: MemoryOffice) -> None:
    alice, bob, carol = consult(office)
    carol.ringing.answer()
    office.settle()
    do(office, phone_of(office).complete(office.call.id, "102"))
    do(office, phone_of(office).recall("102"))
    bob.ringing.answer()
    office.settle()
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")
    end(office)


# -- answering ---------------------------------------------------------------------------------------------------


def ringing(office: MemoryOffice, *events: str) -> tuple[MemoryPhone, MemoryPhone]:
    alice, bob = office.registered("101", "102")
    bob.events = events
    alice.call("102")
    office.settle()
    return alice, bob


def test_a_phone_that_takes_orders_answers(office: MemoryOffice) -> None:
    alice, bob = ringing(office, "talk", "hold")
    assert do(office, phone_of(office).take(office.call.id, "102")) is True
    assert bob.ordered == ["talk"]
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")
    assert do(office, phone_of(office).hold(office.call.id, "102", is_on=True)) is True
    assert bob.ordered == ["talk", "hold"]
    assert office.hears(alice) == "music"
    assert do(office, phone_of(office).hold(office.call.id, "102", is_on=False)) is True
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")
    end(office)


def test_one_that_takes_none_is_left_to_its_user(office: MemoryOffice) -> None:
    _alice, bob = ringing(office)
    assert do(office, phone_of(office).take(office.call.id, "102")) is False
    assert bob.ordered == []
    bob.ringing.answer()
    office.settle()
    assert do(office, phone_of(office).hold(office.call.id, "102", is_on=True)) is False
    end(office)


def test_a_call_that_is_over_or_answered_elsewhere_is_told(office: MemoryOffice) -> None:
    _alice, bob = ringing(office)
    office.registered("103")
    call = office.call.id
    with pytest.raises(RefusedError, match="does not wait for 103"):
        office.run(phone_of(office).take(call, "103"))
    bob.ringing.answer()
    office.settle()
    with pytest.raises(RefusedError, match="has been answered by 102: take the next one"):
        office.run(phone_of(office).take(call, "103"))
    bob.calls[-1].hang_up()
    office.settle()
    with pytest.raises(NotFoundError, match="has ended"):
        office.run(phone_of(office).take(call, "102"))
