"""Whom a caller waits for, as the Switchboard shows it."""

from __future__ import annotations

from datetime import timedelta

from engine.core.views import CallState
from engine.pbx.errands import Errand
from tests.unit.pbx.office import MemoryOffice
from tests.unit.services.scene import GroupKind, has_group
from tests.unit.services.test_waiting import parked


def test_who_rings_is_waited_for_until_somebody_answers(scene: MemoryOffice) -> None:
    alice, bob = scene.registered("101", "102")
    alice.call("102")
    scene.settle()
    view = scene.call
    assert (view.waits_for, view.waits_since, view.group) == (("102",), view.started_at, None)
    bob.ringing.answer()
    scene.settle()
    assert scene.call.waits_for == ()


def test_every_member_of_a_group_is_waited_for(scene: MemoryOffice) -> None:
    has_group(scene, "400", GroupKind.HUNT, "102", "103")
    alice, bob, _carol = scene.registered("101", "102", "103")
    alice.call("400")
    scene.settle()
    assert (scene.call.waits_for, scene.call.group) == (("102", "103"), "400")
    bob.ringing.answer()
    scene.settle()
    assert (scene.call.waits_for, scene.call.group) == ((), None)


def test_a_slot_is_shown_with_who_waits_there_and_until_when(scene: MemoryOffice) -> None:
    parked(scene, "7")
    (view,) = scene.office.parked()
    assert (view.slot, view.number, view.by) == ("7", "101", "102")
    assert view.returns_at - view.since == timedelta(seconds=60)
    assert scene.call.waits_for == ()


def test_a_parked_caller_that_comes_back_waits_for_who_parked_it(scene: MemoryOffice) -> None:
    parked(scene)
    scene.advance(61)
    view = scene.call
    assert scene.office.parked() == ()
    assert (view.waits_for, view.returned) == (("102",), "P5")
    assert view.waits_since is not None
    assert view.waits_since - view.started_at >= timedelta(seconds=60)


def test_a_transfer_that_fails_comes_back_with_where_it_was(scene: MemoryOffice) -> None:
    _alice, bob, _call, other = scene.talking()
    (carol,) = scene.registered("103")
    by = scene.configuration.extensions["102"]
    scene.run(scene.office.operator.transfer(scene.call.id, "103", by, None))
    scene.settle()
    other.hang_up()
    scene.settle()
    carol.ringing.refuse(486)
    scene.settle()
    view = scene.call
    assert bob.ringing
    assert (view.state, view.waits_for, view.returned) == (CallState.RINGING, ("102",), "103")


def test_a_member_takes_what_rings_at_another_one(scene: MemoryOffice) -> None:
    has_group(scene, "400", GroupKind.HUNT, "102", "103")
    alice, bob, carol = scene.registered("101", "102", "103")
    call = alice.call("400")
    scene.settle()
    assert scene.run(scene.office.operator_phone.take(scene.call.id, "103"))
    scene.settle()
    carol.ringing.answer()
    scene.settle()
    assert bob.calls[-1].is_over
    assert call.is_up
    assert (scene.hears(alice), scene.hears(carol)) == ("103", "101")


def test_a_caller_whom_somebody_answers_first_stays_with_that_one(scene: MemoryOffice) -> None:
    has_group(scene, "400", GroupKind.HUNT, "102", "103")
    alice, bob, carol = scene.registered("101", "102", "103")
    alice.call("400")
    scene.settle()
    scene.run(scene.office.operator_phone.take(scene.call.id, "103"))
    scene.settle()
    bob.ringing.answer()
    scene.settle()
    carol.ringing.answer()
    scene.settle()
    assert carol.calls[-1].is_over
    assert (scene.hears(alice), scene.hears(bob)) == ("102", "101")


def test_a_parked_caller_is_fetched_back(scene: MemoryOffice) -> None:
    anna, ben, call, other = scene.talking()
    scene.run(scene.office.operator_phone.hand_on(scene.call.id, "*70*3", "102"))
    scene.settle()
    assert other.is_over
    assert scene.hears(anna) == "music"
    scene.run(scene.office.operator_phone.recall("102"))
    scene.settle()
    ben.ringing.answer()
    scene.settle()
    assert call.is_up
    assert (scene.hears(anna), scene.hears(ben)) == ("102", "101")
    assert scene.office.parked() == ()


def test_who_waits_for_somebody_to_be_free_is_told(scene: MemoryOffice) -> None:
    scene.registered("101", "102")
    before = scene.office.revision
    scene.office.exchange.errands.put(Errand("101", "callback", 9e9, {"free": "102", "target": "102"}))  # type: ignore[union-attr]
    assert scene.office.camps() == (("101", "102"),)
    assert scene.office.revision > before
