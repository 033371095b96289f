"""Ring and hunt groups, forwarding, do not disturb and pickup, as people live them."""

from __future__ import annotations

from random import Random

import pytest

from engine.core.views import CallState, Lamp
from engine.pbx.hunting import Hunting
from engine.store.configuration import Right
from engine.store.services import DEFAULT_TRIGGERS
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.phone import MemoryPhone
from tests.unit.services.scene import GroupKind, HuntOrder, Point, dial, has_group, has_trigger, hears_all, may


def rings(*phones: MemoryPhone) -> list[str]:
    """Which of these phones ring now."""
    return [each.number for each in phones if each.calls and not each.ringing.is_over and not each.ringing.is_up]


# -- groups -----------------------------------------------------------------------------------------------------


def test_in_a_ring_group_all_ring_and_the_first_answer_wins(scene: MemoryOffice) -> None:
    anna, ben, carl = scene.registered("101", "102", "103")
    has_group(scene, "600", GroupKind.RING, "102", "103")
    call = dial(scene, anna, "600")
    assert rings(ben, carl) == ["102", "103"]
    carl.ringing.answer()
    scene.settle()
    assert call.is_up
    assert scene.hears(anna) == "103"
    assert ben.ringing.heard[-1] == "cancelled"
    assert scene.call.state is CallState.TALKING
    carl.ringing.hang_up()
    scene.settle()
    assert call.heard[-1] == "ended"


def test_a_ring_group_fails_only_when_all_refuse(scene: MemoryOffice) -> None:
    anna, ben, carl = scene.registered("101", "102", "103")
    has_group(scene, "600", GroupKind.RING, "102", "103")
    call = dial(scene, anna, "600")
    ben.ringing.refuse(486)
    scene.settle()
    assert rings(carl) == ["103"]
    carl.ringing.refuse(486)
    scene.settle()
    assert call.heard[-1] == "486"


def test_a_ring_group_that_nobody_answers_is_told_so(scene: MemoryOffice) -> None:
    anna, ben = scene.registered("101", "102")
    has_group(scene, "600", GroupKind.RING, "102", "101", timeout=15)
    call = dial(scene, anna, "600")
    scene.advance(16)
    assert call.heard[-1] == "480"
    assert ben.ringing.heard[-1] == "cancelled"


def test_a_caller_who_gives_up_ends_the_ringing(scene: MemoryOffice) -> None:
    anna, ben = scene.registered("101", "102")
    has_group(scene, "600", GroupKind.RING, "102")
    call = dial(scene, anna, "600")
    call.cancel()
    scene.settle()
    assert ben.ringing.heard[-1] == "cancelled"
    assert scene.record.cause.startswith("487")


@pytest.mark.parametrize("order", [HuntOrder.LINEAR, HuntOrder.ROUND_ROBIN, HuntOrder.LONGEST_IDLE])
def test_a_hunt_group_rings_one_after_the_other(scene: MemoryOffice, order: HuntOrder) -> None:
    anna, ben, carl = scene.registered("101", "102", "103")
    has_group(scene, "601", GroupKind.HUNT, "102", "103", order=order, timeout=10)
    call = dial(scene, anna, "601")
    assert rings(ben) == ["102"]
    assert not carl.calls
    scene.advance(10.5)
    assert rings(carl) == ["103"]
    carl.ringing.answer()
    scene.settle()
    assert scene.hears(anna) == "103"
    call.hang_up()
    scene.settle()
    second = dial(scene, anna, "601")
    first_now = {HuntOrder.LINEAR: "102", HuntOrder.ROUND_ROBIN: "103", HuntOrder.LONGEST_IDLE: "102"}[order]
    assert rings(ben, carl) == [first_now]
    second.cancel()


def test_a_hunt_group_rings_in_a_random_order(scene: MemoryOffice) -> None:
    """The order is drawn anew for each call, everybody is rung, and nobody twice."""
    anna, ben, carl, dora = scene.registered("101", "102", "103", "104")
    scene.office.exchange.hunting = Hunting(Random(7).shuffle)
    has_group(scene, "601", GroupKind.HUNT, "102", "103", "104", order=HuntOrder.RANDOM, timeout=10)
    orders = []
    for _ in range(8):
        call = dial(scene, anna, "601")
        rung: list[str] = []
        for _ in range(3):
            rung += [number for number in rings(ben, carl, dora) if number not in rung]
            scene.advance(10.1)
        orders.append(tuple(rung))
        assert call.heard[-1] == "480"
    assert all(sorted(order) == ["102", "103", "104"] for order in orders)
    assert len({order[0] for order in orders}) == 3
    assert len(set(orders)) > 3


def test_every_member_of_a_hunt_group_may_be_busy(scene: MemoryOffice) -> None:
    anna, ben, carl = scene.registered("101", "102", "103")
    ben.refuses_with = carl.refuses_with = 486
    has_group(scene, "601", GroupKind.HUNT, "102", "103")
    assert dial(scene, anna, "601").heard[-1] == "486"


def test_a_hunt_group_passes_over_who_is_busy_or_has_no_phone(scene: MemoryOffice) -> None:
    anna, ben, carl = scene.registered("101", "102", "103")
    scene.has("104")
    has_group(scene, "601", GroupKind.HUNT, "104", "102", "103")
    dial(scene, anna, "601")
    ben.ringing.refuse(486)
    scene.settle()
    assert rings(carl) == ["103"]


# -- forwarding and do not disturb ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "field", "right"),
    [
        ("90", "forward_busy", Right.FORWARD_BUSY),
        ("91", "forward_unreachable", Right.FORWARD_UNREACHABLE),
        ("92", "forward_no_answer", Right.FORWARD_NO_ANSWER),
        ("93", "forward_always", Right.FORWARD_ALWAYS),
    ],
)
def test_forwarding_is_set_and_cleared_by_code(scene: MemoryOffice, code: str, field: str, right: Right) -> None:
    (anna,) = scene.registered("101")
    call = dial(scene, anna, f"*{code}*102")
    assert hears_all(scene, anna, call) == ["not-allowed"]
    may(scene, "101", right)
    call = dial(scene, anna, f"*{code}*102")
    assert hears_all(scene, anna, call)[0] == "forward-on"
    assert getattr(scene.configuration.extensions["101"], field) == "102"
    call = dial(scene, anna, f"*{code}#")
    assert hears_all(scene, anna, call) == ["forward-off"]
    assert getattr(scene.configuration.extensions["101"], field) is None


def test_a_call_is_forwarded_always(scene: MemoryOffice) -> None:
    anna, ben, carl = scene.registered("101", "102", "103")
    scene.has("102", forward_always="103")
    call = dial(scene, anna, "102")
    assert not ben.calls
    assert rings(carl) == ["103"]
    assert "181" in call.heard
    carl.ringing.answer()
    scene.settle()
    assert scene.hears(anna) == "103"


def test_a_call_is_forwarded_when_busy(scene: MemoryOffice) -> None:
    anna, ben, carl = scene.registered("101", "102", "103")
    scene.has("102", forward_busy="103")
    call = dial(scene, anna, "102")
    ben.ringing.refuse(486)
    scene.settle()
    carl.ringing.answer()
    scene.settle()
    assert call.is_up
    assert scene.hears(carl) == "101"


def test_a_call_is_forwarded_when_not_answered(scene: MemoryOffice) -> None:
    anna, ben, carl = scene.registered("101", "102", "103")
    scene.has("102", forward_no_answer="103")
    scene.sets(ring_timeout_s=20)
    dial(scene, anna, "102")
    scene.advance(21)
    assert ben.ringing.heard[-1] == "cancelled"
    carl.ringing.answer()
    scene.settle()
    assert scene.hears(anna) == "103"


def test_a_call_is_forwarded_when_unreachable(scene: MemoryOffice) -> None:
    anna, carl = scene.registered("101", "103")
    scene.has("102", forward_unreachable="103")
    dial(scene, anna, "102")
    assert rings(carl) == ["103"]


def test_forwarding_in_a_circle_ends(scene: MemoryOffice) -> None:
    (anna,) = scene.registered("101")
    scene.has("102", forward_always="103")
    scene.has("103", forward_always="102")
    call = dial(scene, anna, "102")
    assert call.heard[-1] == "480"


def test_early_media_of_who_does_not_answer_ends_before_the_next_rings(scene: MemoryOffice) -> None:
    anna, ben, carl = scene.registered("101", "102", "103")
    ben.early_sdp = True
    scene.has("102", forward_no_answer="103")
    call = dial(scene, anna, "102")
    assert scene.hears(anna) == "102"
    scene.advance(61)
    carl.ringing.answer()
    scene.settle()
    assert call.is_up
    assert scene.hears(anna) == "103"


def test_do_not_disturb_refuses_calls_and_shows(scene: MemoryOffice) -> None:
    anna, ben = scene.registered("101", "102")
    call = dial(scene, ben, "*78")
    assert hears_all(scene, ben, call) == ["dnd-on"]
    assert scene.lamp("102") is Lamp.DND
    assert dial(scene, anna, "102").heard[-1] == "486"
    call = dial(scene, ben, "*79")
    assert hears_all(scene, ben, call) == ["dnd-off"]
    assert scene.lamp("102") is Lamp.IDLE
    dial(scene, anna, "102")
    assert rings(ben) == ["102"]


def test_a_member_who_is_not_to_be_disturbed_does_not_ring(scene: MemoryOffice) -> None:
    anna, ben, carl = scene.registered("101", "102", "103")
    scene.has("102", dnd=True)
    has_group(scene, "600", GroupKind.RING, "102", "103")
    dial(scene, anna, "600")
    assert not ben.calls
    assert rings(carl) == ["103"]


# -- pickup -----------------------------------------------------------------------------------------------------


def test_who_is_in_the_pickup_group_answers_what_rings(scene: MemoryOffice) -> None:
    anna, ben, carl = scene.registered("101", "102", "103")
    has_group(scene, "690", GroupKind.PICKUP, "102", "103")
    call = dial(scene, anna, "102")
    mine = dial(scene, carl, "*40*102")
    assert mine.is_up
    assert call.is_up
    assert scene.hears(anna) == "103"
    assert ben.ringing.heard[-1] == "cancelled"
    assert len(scene.office.calls()) == 1


def test_group_pickup_takes_the_first_that_rings(scene: MemoryOffice) -> None:
    anna, _, carl, dora = scene.registered("101", "102", "103", "104")
    has_group(scene, "690", GroupKind.PICKUP, "102", "103")
    first = dial(scene, anna, "102")
    dial(scene, dora, "102")
    assert dial(scene, carl, "*50*").is_up
    assert first.is_up
    assert scene.hears(carl) == "101"


def test_pickup_outside_of_the_group_is_refused_in_words(scene: MemoryOffice) -> None:
    anna, ben, carl = scene.registered("101", "102", "103")
    dial(scene, anna, "102")
    mine = dial(scene, carl, "*40*102")
    assert hears_all(scene, carl, mine) == ["no-right"]
    assert rings(ben) == ["102"]
    mine = dial(scene, carl, "*50*")
    assert hears_all(scene, carl, mine) == ["pickup-nothing"]


# -- triggers ---------------------------------------------------------------------------------------------------


def test_a_code_of_its_own_plan_goes_before_one_of_all(scene: MemoryOffice) -> None:
    (anna,) = scene.registered("101")
    scene.configure(triggers=tuple(each for each in DEFAULT_TRIGGERS if each.number != "*60"))
    assert dial(scene, anna, "*60").heard[-1] == "404"
    has_trigger(scene, "*60", "number_test")
    call = dial(scene, anna, "*60")
    assert hears_all(scene, anna, call)[0] == "your-number"


def test_a_service_takes_what_an_extension_does_not_answer(scene: MemoryOffice) -> None:
    anna, ben = scene.registered("101", "102")
    has_trigger(scene, "*", "voicemail_deposit", Point.BUSY)
    call = dial(scene, anna, "102")
    ben.ringing.refuse(486)
    scene.settle()
    assert hears_all(scene, anna, call, 0.4)[:2] == ["vm-leave", "beep"]
