"""A storm of people at services: whatever they dial, press, hold, transfer and hang up, nothing is left."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from engine.core.events import ServiceFailed
from engine.store.configuration import Right
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.phone import PhoneCall
from tests.unit.pbx.test_blind_transfer import refer, to
from tests.unit.services.host import write_service
from tests.unit.services.scene import GroupKind, HuntOrder, Point, has_group, has_trigger

PEOPLE = tuple(f"10{number}" for number in range(1, 8))
STEPS = 120
CODES = (
    "600", "601", "800", "801", "*60", "*6*77", "*6*77*1", "*70*", "*70*3", "*71*3", "*71*1", "*40*102", "*50*",
    "*75*101", "*75*103", "*74", "*97", "*98*101", "*97*102", "*78", "*79", "*93*102", "*93#", "*66", "*62*103",
    "*80*104", "*81*600", "*88*1*102", "*88*1", "*33", "*43",
)  # fmt: skip


def live_calls(office: MemoryOffice) -> list[PhoneCall]:
    return [call for phone in office.phones for call in phone.calls if not call.is_over]


def one_step(office: MemoryOffice, dice: Random, numbers: tuple[str, ...]) -> None:
    """Somebody does something."""
    phone = dice.choice(office.phones)
    calls = live_calls(office)
    deed = dice.randrange(8)
    if deed <= 2 or not calls:
        phone.call(dice.choice(numbers))
        return
    call = dice.choice(calls)
    if deed == 3:
        call.hang_up()
    elif deed == 4 and call.is_incoming and call.line.is_waiting:
        dice.choice((call.answer, lambda: call.refuse(486)))()
    elif deed == 5 and call.is_up and call.line.may_reoffer:
        dice.choice((call.hold, call.resume))()
    elif deed == 6 and call.is_up:
        refer(call, to(dice.choice(numbers)))
    else:
        keys = dice.choice(("1", "#", "102#", "*1", "3"))
        listening = [leg for leg, media in office.gateway.legs.items() if media.listens]
        if listening:
            leg = dice.choice(listening)

            async def press() -> None:
                office.gateway.press(leg, keys)

            office.run(press())


OWN = {
    "mixes": """
        call:answer()
        local other = call:get("waiting")
        call:set("waiting", call.id)
        if #call.id % 2 == 0 and other then
            call:bridge(other)
        end
        call:hold()
        call:wait(2)
        call:hold(false)
        call:transfer(call.argument == "" and "102" or "10" .. call.argument:sub(-1), { ring = 4, music = true })
        call:transfer("600", { as = "101" })
        call:bridge(call:get("waiting"))
        call:wait(20)
    """,
    "before": """
        if call.dialled == "103" then
            call:wait(3)
        elseif call.dialled == "104" then
            call:ringing()
            call:dial("105", { ring = 2 })
        elseif call.dialled == "106" then
            call:redirect("107")
        end
    """,
    "after": """
        if call.settings.cause:find("^48") and call:extension(call.caller) then
            local result = call:dial({ call.caller, "107" }, { ring = 6 })
            if result.status == "answered" then
                call:play("callback-ready")
                call:dial(call.dialled, { ring = 3 })
            end
        end
    """,
    "timed": """
        if call:dial("101", { ring = 5 }).status == "answered" then
            call:transfer("102")
        end
    """,
}
"""Services of an office that does everything."""


@pytest.mark.parametrize("seed", range(16))
def test_nothing_is_left_of_a_storm(scene: MemoryOffice, seed: int) -> None:
    storm(scene, Random(seed))


@pytest.mark.parametrize("seed", range(100, 112))
def test_nothing_is_left_of_a_storm_with_services_around_each_call(
    scene: MemoryOffice, own: Path, seed: int
) -> None:
    for name, body in OWN.items():
        write_service(own, name, body)
    has_trigger(scene, "*1*", "mixes")
    has_trigger(scene, "*", "before", Point.CALL_START)
    has_trigger(scene, "*", "after", Point.CALL_END)
    has_trigger(scene, "*", "timed", Point.SCHEDULE, every="1")
    scene.has("106", voicemail_pin="4711")
    storm(scene, Random(seed), ("*1*", "*1*3", "*1*4", "*1*6") * 5)
    assert not scene.office.exchange.unattended
    assert not scene.office._backstage._running


def storm(scene: MemoryOffice, dice: Random, more: tuple[str, ...] = ()) -> None:
    for phone in scene.registered(*PEOPLE)[::2]:
        phone.picks_up = True
    rights = frozenset({Right.BARGE_IN, Right.PICKUP, Right.RECORD, Right.FORWARD_ALWAYS})
    scene.has(*PEOPLE[:4], rights=rights, max_calls=None)
    has_group(scene, "600", GroupKind.RING, *PEOPLE[1:5])
    has_group(scene, "601", GroupKind.HUNT, *PEOPLE[2:6], order=HuntOrder.ROUND_ROBIN, timeout=5)
    has_group(scene, "690", GroupKind.PICKUP, *PEOPLE)
    has_trigger(scene, "800", "attendant", operator="103", **{"1": "600"})
    has_trigger(scene, "801", "queue", group="601", most="30")
    has_trigger(scene, "105", "voicemail_deposit", Point.BUSY)
    for _ in range(STEPS):
        one_step(scene, dice, (*CODES, *PEOPLE, *more))
        if dice.random() < 0.6:
            scene.settle()
        if dice.random() < 0.4:
            scene.advance(dice.choice((0.05, 0.5, 3, 12)))
    for phone in scene.phones:
        phone.picks_up, phone.refuses_with = False, 486  # those whom a callback rings
    rows = scene.configuration.triggers
    scene.configure(triggers=tuple(row for row in rows if row.point is not Point.SCHEDULE))
    scene.everyone_hangs_up()
    scene.everyone_hangs_up()
    assert not [event for event in scene.events if isinstance(event, ServiceFailed)]
    assert not [record.cause for record in scene.records if record.cause == "500 Internal Error"]
    assert not scene.gateway.mixes
    rooms = scene.office.exchange.rooms
    assert (rooms.parked, rooms.conferences, rooms.queues) == ({}, {}, {})
    assert not scene.office.exchange.listened
    assert all(each.has_ended for each in scene.gateway.recordings.values())
