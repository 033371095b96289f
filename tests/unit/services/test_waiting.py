"""Parking, queues, conferences, barge-in, voicemail and the attendant, as people live them."""

from __future__ import annotations

import pytest

from engine.core.views import CallState, PartyRole
from engine.pbx.messages import MOST_MESSAGES
from engine.store.configuration import Right
from engine.store.outside import Night, Schedule
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.phone import MemoryPhone, PhoneCall
from tests.unit.pbx.test_blind_transfer import refer, to
from tests.unit.services.scene import (
    GroupKind,
    Point,
    dial,
    has_group,
    has_trigger,
    hears_all,
    in_mix_with,
    may,
    press,
)


def parked(scene: MemoryOffice, slot: str = "5") -> tuple[MemoryPhone, MemoryPhone, PhoneCall]:
    """101 talks with 102, who parks it."""
    anna, ben, call, other = scene.talking()
    refer(other, to(f"*70*{slot}"))
    scene.settle()
    other.hang_up()
    scene.settle()
    assert scene.hears(anna) == "music"
    assert scene.call.state is CallState.PARKED
    return anna, ben, call


def test_a_parked_call_is_retrieved_by_anybody(scene: MemoryOffice) -> None:
    anna, _, call = parked(scene)
    (carl,) = scene.registered("103")
    mine = dial(scene, carl, "*71*5")
    assert mine.is_up
    assert call.is_up
    assert scene.hears(anna) == "103"
    assert scene.hears(carl) == "101"
    assert scene.call.state is CallState.TALKING
    assert not scene.office.exchange.rooms.parked


def test_a_parked_call_comes_back_to_who_parked_it(scene: MemoryOffice) -> None:
    anna, ben, call = parked(scene)
    scene.advance(61)
    ben.ringing.answer()
    scene.settle()
    assert call.is_up
    assert scene.hears(anna) == "102"


def test_a_parked_caller_who_hangs_up_frees_the_slot(scene: MemoryOffice) -> None:
    _, _, call = parked(scene)
    call.hang_up()
    scene.settle()
    assert not scene.office.exchange.rooms.parked
    (carl,) = scene.registered("103")
    mine = dial(scene, carl, "*71*5")
    assert hears_all(scene, carl, mine) == ["park-empty"]


def test_a_slot_that_is_taken_is_refused_in_words(scene: MemoryOffice) -> None:
    parked(scene)
    (carl,) = scene.registered("103")
    mine = dial(scene, carl, "*70*5")
    assert hears_all(scene, carl, mine) == ["park-taken"]


def test_a_caller_who_hangs_up_on_its_way_to_a_slot_leaves_it_free(scene: MemoryOffice) -> None:
    """Whoever parks by dialling has claimed it already."""
    scene.talking()
    rooms, call = scene.office.exchange.rooms, next(iter(scene.office.exchange.calls.values()))
    rooms.park("5", call)
    rooms.stand_in("sales", call)
    scene.everyone_hangs_up()
    assert not rooms.parked
    assert not rooms.queues


def test_who_holds_a_call_parks_it_by_dialling(scene: MemoryOffice) -> None:
    anna, ben, call, other = scene.talking()
    other.hold()
    scene.settle()
    mine = dial(scene, ben, "*70*")
    assert other.heard[-1] == "ended"
    assert hears_all(scene, ben, mine) == ["park-at", "digits/1"] or mine.is_over
    assert scene.hears(anna) == "music"
    assert call.is_up
    again = dial(scene, ben, "*71*1")
    assert again.is_up
    assert scene.hears(anna) == "102"


# -- conference -------------------------------------------------------------------------------------------------


def test_a_conference_of_three_hear_each_other(scene: MemoryOffice) -> None:
    phones = scene.registered("101", "102", "103")
    calls = [dial(scene, phone, "*6*700") for phone in phones[:1]]
    assert scene.hears(phones[0]) == "music"
    calls += [dial(scene, phone, "*6*700") for phone in phones[1:]]
    assert [in_mix_with(scene, phone) for phone in phones] == [{"102", "103"}, {"101", "103"}, {"101", "102"}]
    assert {view.state for view in scene.office.calls()} == {CallState.CONFERENCE}
    calls[0].hang_up()
    scene.settle()
    assert in_mix_with(scene, phones[1]) == {"103"}
    for call in calls[1:]:
        call.hang_up()
    scene.settle()
    assert not scene.gateway.mixes


def test_a_conference_asks_for_its_password(scene: MemoryOffice) -> None:
    anna, ben = scene.registered("101", "102")
    dial(scene, anna, "*6*700*42")
    call = dial(scene, ben, "*6*700")
    assert scene.hears(ben) == "enter-password"
    press(scene, ben, "41#")
    assert scene.hears(ben) == "enter-password"
    press(scene, ben, "42#")
    assert in_mix_with(scene, ben) == {"101"}
    assert call.is_up


# -- barge-in ---------------------------------------------------------------------------------------------------


def test_an_operator_breaks_in_and_whoever_leaves_the_others_go_on(scene: MemoryOffice) -> None:
    anna, ben, call, other = scene.talking()
    (carl,) = scene.registered("103")
    may(scene, "103", Right.BARGE_IN)
    mine = dial(scene, carl, "*75*102")
    assert mine.is_up
    assert [in_mix_with(scene, each) for each in (anna, ben, carl)] == [
        {"102", "103"},
        {"101", "103"},
        {"101", "102"},
    ]
    assert scene.hears(anna) == scene.hears(carl) == "beep"
    assert scene.call.state is CallState.CONFERENCE
    assert [party.role for party in scene.call.parties][-1] is PartyRole.OPERATOR
    call.hang_up()
    scene.settle()
    assert scene.hears(ben) == "103"
    assert scene.call.state is CallState.TALKING
    other.hang_up()
    scene.settle()
    assert mine.heard[-1] == "ended"
    assert not scene.gateway.mixes


@pytest.mark.parametrize("protected", ["101", "102"])
def test_overstep_of_either_party_refuses_and_the_call_hears_nothing(scene: MemoryOffice, protected: str) -> None:
    anna, ben, _, _ = scene.talking()
    (carl,) = scene.registered("103")
    may(scene, "103", Right.BARGE_IN)
    may(scene, protected, Right.OVERSTEP)
    mine = dial(scene, carl, "*75*102")
    assert scene.hears(anna) == "102"
    assert scene.hears(ben) == "101"
    assert hears_all(scene, carl, mine) == ["barge-protected"]


def test_without_the_right_nobody_breaks_in(scene: MemoryOffice) -> None:
    anna, _, _, _ = scene.talking()
    (carl,) = scene.registered("103")
    mine = dial(scene, carl, "*75*102")
    assert scene.hears(anna) == "102"
    assert hears_all(scene, carl, mine) == ["no-right"]


def test_only_a_call_of_two_that_talk_can_be_broken_into(scene: MemoryOffice) -> None:
    anna, ben, carl = scene.registered("101", "102", "103")
    may(scene, "103", Right.BARGE_IN)
    for number in ("101", "999"):
        mine = dial(scene, carl, f"*75*{number}")
        assert hears_all(scene, carl, mine) == ["barge-not-talking"]
    dial(scene, anna, "102")
    mine = dial(scene, carl, "*75*102")
    assert hears_all(scene, carl, mine) == ["barge-not-talking"]
    assert not ben.ringing.is_over


def test_another_phone_of_the_number_joins(scene: MemoryOffice) -> None:
    anna, ben, _, _ = scene.talking()
    scene.has("102", multi_device=True, max_calls=None)
    desk = scene.phone("102")
    desk.register()
    scene.settle()
    mine = dial(scene, desk, "*74")
    assert mine.is_up
    assert in_mix_with(scene, anna) == {"102"}
    assert in_mix_with(scene, ben) == {"101", "102"}


# -- voicemail --------------------------------------------------------------------------------------------------


def test_a_message_is_left_heard_and_removed(scene: MemoryOffice) -> None:
    anna, ben = scene.registered("101", "102")
    has_trigger(scene, "102", "voicemail_deposit", Point.NO_ANSWER)
    call = dial(scene, anna, "102")
    scene.advance(60.05)
    assert scene.hears(anna) == "vm-leave"
    scene.advance(0.5)
    press(scene, anna, "#")
    assert hears_all(scene, anna, call) == ["thank-you"]
    (file,) = (scene.keeper.folder / "voicemail" / "102").iterdir()
    assert file.name.startswith("new-")
    mine = dial(scene, ben, "*97")
    assert scene.hears(ben) == "vm-have"
    scene.advance(0.25)
    assert scene.hears(ben).startswith("box:102/new-")
    scene.advance(4)
    assert [each.name[:4] for each in file.parent.iterdir()] == ["old-"]
    press(scene, ben, "3")
    assert scene.hears(ben) == "vm-deleted"
    assert not [*file.parent.iterdir()]
    mine.hang_up()


def test_pound_ends_the_telling_of_messages(scene: MemoryOffice) -> None:
    anna, ben = scene.registered("101", "102")
    for _ in range(2):
        call = dial(scene, anna, "*98*102")
        scene.advance(1)
        call.hang_up()
        scene.settle()
    mine = dial(scene, ben, "*97")
    scene.advance(1)
    press(scene, ben, "#")
    assert hears_all(scene, ben, mine) == ["goodbye"]
    assert mine.is_over
    assert sorted(each.name[:4] for each in (scene.keeper.folder / "voicemail" / "102").iterdir()) == [
        "new-",
        "old-",
    ]


@pytest.mark.parametrize("fields", [{"voicemail_pin": "4711"}, {"email": "ben@example.org"}])
def test_who_has_a_box_need_not_be_there(scene: MemoryOffice, fields: dict[str, str]) -> None:
    anna, ben = scene.registered("101", "102")
    scene.has("102", **fields)
    dial(scene, anna, "102")
    scene.advance(24)
    assert not ben.ringing.is_over
    scene.advance(1.1)
    assert ben.ringing.is_over
    assert (scene.call.service, scene.hears(anna)) == ("voicemail_deposit", "vm-leave")


@pytest.mark.parametrize("case", ["busy", "dnd", "unreachable"])
def test_a_box_takes_calls_that_cannot_be_taken(scene: MemoryOffice, case: str) -> None:
    (anna,) = scene.registered("101")
    if case == "busy":
        scene.registered("102")[0].refuses_with = 486
    scene.has("102", voicemail_pin="4711", dnd=case == "dnd")
    dial(scene, anna, "102")
    assert (scene.call.service, scene.hears(anna)) == ("voicemail_deposit", "vm-leave")


def test_who_has_no_box_is_rung_as_before(scene: MemoryOffice) -> None:
    anna, ben = scene.registered("101", "102")
    call = dial(scene, anna, "102")
    scene.advance(59)
    assert not ben.ringing.is_over
    scene.advance(1.1)
    assert call.heard[-1] == "480"


def test_the_site_says_who_has_a_box(scene: MemoryOffice) -> None:
    (anna,) = scene.registered("101")
    scene.has("102")
    scene.sets(voicemail="all")
    call = dial(scene, anna, "102")
    assert scene.call.service == "voicemail_deposit"
    call.hang_up()
    scene.settle()
    scene.has("102", voicemail_pin="4711")
    scene.sets(voicemail="off")
    assert dial(scene, anna, "102").heard[-1] == "480"


def test_forwarding_and_rows_go_before_the_box(scene: MemoryOffice) -> None:
    anna, ben, carl = scene.registered("101", "102", "103")
    scene.has("102", voicemail_pin="4711", forward_no_answer="103", rights=frozenset({Right.FORWARD_NO_ANSWER}))
    dial(scene, anna, "102")
    scene.advance(26)
    assert not ben.ringing.is_over
    scene.advance(35)
    carl.ringing.answer()
    scene.settle()
    assert scene.hears(anna) == "103"
    carl.ringing.hang_up()
    scene.settle()
    scene.has("102", forward_no_answer=None)
    has_trigger(scene, "102", "clock", Point.NO_ANSWER)
    dial(scene, anna, "102")
    scene.advance(60.1)
    assert scene.call.service == "clock"


def test_members_of_a_group_and_callers_of_services_reach_no_box(scene: MemoryOffice) -> None:
    anna, ben = scene.registered("101", "102")
    scene.has("102", voicemail_pin="4711")
    has_group(scene, "600", GroupKind.RING, "102", timeout=40)
    call = dial(scene, anna, "600")
    scene.advance(39)
    assert not ben.ringing.is_over
    scene.advance(1.1)
    assert call.heard[-1] == "480"


def test_who_is_transferred_to_a_box_comes_back_instead(scene: MemoryOffice) -> None:
    anna, ben, call, other = scene.talking()
    (carl,) = scene.registered("103")
    scene.has("103", voicemail_pin="4711")
    refer(other, to("103"))
    scene.settle()
    scene.advance(59)
    assert not carl.ringing.is_over
    scene.advance(1.5)
    assert (scene.hears(anna), scene.hears(ben)) == ("102", "101")
    assert call.is_up


def test_a_message_that_was_left_is_told_once(scene: MemoryOffice) -> None:
    told: list[tuple[str, str]] = []
    scene.office.exchange.note_message = lambda box, name: told.append((box, name))
    (anna,) = scene.registered("101")
    scene.has("102")
    for ends in ("#", ""):
        call = dial(scene, anna, "*98*102")
        scene.advance(0.5)
        scene.advance(3)
        if ends:
            press(scene, anna, ends)
        else:
            call.hang_up()
        scene.settle()
        scene.advance(2)
    assert [box for box, _ in told] == ["102", "102"]
    assert all(name.endswith("-101") for _, name in told)
    dial(scene, anna, "*98*102").hang_up()  # before the beep
    scene.settle()
    assert len(told) == 2


def test_who_hangs_up_while_speaking_has_left_the_message(scene: MemoryOffice) -> None:
    anna, _ = scene.registered("101", "102")
    call = dial(scene, anna, "*98*102")
    scene.advance(1)
    assert [each.has_ended for each in scene.gateway.recordings.values()] == [False]
    call.hang_up()
    scene.settle()
    assert [each.has_ended for each in scene.gateway.recordings.values()] == [True]
    assert scene.record.cause == "normal"


def test_an_empty_box_says_so(scene: MemoryOffice) -> None:
    (anna,) = scene.registered("101")
    mine = dial(scene, anna, "*97")
    assert hears_all(scene, anna, mine) == ["vm-none", "vm-last", "goodbye"]


def test_another_box_asks_for_its_pin(scene: MemoryOffice) -> None:
    scene.has("102", voicemail_pin="4711")
    (anna,) = scene.registered("101")
    for keys, heard in (("0000#", "wrong-password"), ("4711#", "vm-none")):
        dial(scene, anna, "*97*102")
        assert scene.hears(anna) == "enter-password"
        press(scene, anna, keys)
        assert scene.hears(anna) == heard
        anna.calls[-1].hang_up()
        scene.settle()


def test_a_full_box_says_so(scene: MemoryOffice) -> None:
    anna, _ = scene.registered("101", "102")
    box = scene.keeper.folder / "voicemail" / "102"
    box.mkdir(parents=True)
    for number in range(MOST_MESSAGES):
        (box / f"new-{number}-101.wav").touch()
    call = dial(scene, anna, "*98*102")
    assert hears_all(scene, anna, call) == ["vm-leave", "beep", "vm-full"]
    assert len([*box.iterdir()]) == MOST_MESSAGES


def test_a_disk_that_fills_up_ends_the_message_and_is_told(scene: MemoryOffice) -> None:
    anna, _ = scene.registered("101", "102")
    call = dial(scene, anna, "*98*102")
    scene.advance(1)
    (recording,) = scene.gateway.recordings

    async def fill() -> None:
        assert scene.gateway.on_recording_failed is not None
        scene.gateway.on_recording_failed(recording, "No space left on device")

    scene.run(fill())
    scene.settle()
    assert scene.hears(anna) == "vm-full"
    assert any("No space left" in text for text in scene.office.health().warnings)
    assert hears_all(scene, anna, call) == ["vm-full"]


# -- queue and attendant ----------------------------------------------------------------------------------------


def test_callers_are_served_in_their_order(scene: MemoryOffice) -> None:
    anna, ben, carl = scene.registered("101", "102", "103")
    has_group(scene, "602", GroupKind.HUNT, "103")
    has_trigger(scene, "800", "queue", group="602")
    first = dial(scene, anna, "800")
    second = dial(scene, ben, "800")
    scene.advance(0.5)
    assert not carl.ringing.is_over
    assert scene.hears(ben) == "music"
    assert {view.state for view in scene.office.calls()} >= {CallState.QUEUED}
    carl.ringing.answer()
    scene.settle()
    assert scene.hears(anna) == "103"
    first.hang_up()
    scene.advance(2)
    carl.ringing.answer()
    scene.settle()
    assert scene.hears(ben) == "103"
    assert second.is_up


def test_who_waits_too_long_in_a_queue_goes_on_elsewhere(scene: MemoryOffice) -> None:
    anna, ben, carl, dora = scene.registered("101", "102", "103", "104")
    has_group(scene, "602", GroupKind.HUNT, "103")
    has_trigger(scene, "800", "queue", group="602", most="40", overflow="104")
    dial(scene, carl, "102")
    ben.ringing.answer()
    scene.settle()
    dial(scene, anna, "800")
    scene.advance(20)
    assert not dora.calls
    scene.advance(40)
    dora.ringing.answer()
    scene.settle()
    assert scene.hears(anna) == "104"


def test_who_waits_hears_its_place(scene: MemoryOffice) -> None:
    anna, ben, carl = scene.registered("101", "102", "103")
    has_group(scene, "602", GroupKind.HUNT, "103", timeout=60)
    has_trigger(scene, "800", "queue", group="602")
    dial(scene, anna, "800")
    second = dial(scene, ben, "800")
    scene.advance(0.5)
    assert not carl.ringing.is_over
    heard = hears_all(scene, ben, second, most_s=34)
    assert [each for each in heard if each not in ("queue-wait", "music")][:2] == ["queue-position", "digits/2"]


def test_a_caller_hears_the_greeting_that_was_recorded(scene: MemoryOffice) -> None:
    anna, ben = scene.registered("101", "102")
    call = dial(scene, ben, "*97")
    scene.advance(0.3)
    press(scene, ben, "5")
    scene.advance(3)
    press(scene, ben, "#")
    scene.advance(0.1)
    assert scene.hears(ben) in ("vm-saved", "goodbye")
    call.hang_up()
    scene.settle()
    dial(scene, anna, "*98*102")
    assert scene.hears(anna) == "greeting:102"


def test_an_attendant_keeps_its_hours(scene: MemoryOffice) -> None:
    anna, ben = scene.registered("101", "102")
    scene.configure(schedules={"open": Schedule("open", "mo-su")})
    has_trigger(scene, "800", "attendant", open="open", closed="102")
    first = dial(scene, anna, "800")
    assert scene.hears(anna) == "welcome"
    first.hang_up()
    scene.settle()
    scene.configure(night=Night.ON)
    dial(scene, anna, "800")
    assert scene.hears(anna) == "attendant-closed"
    scene.advance(0.3)
    assert not ben.ringing.is_over


def test_a_caller_chooses_by_key_or_dials_an_extension(scene: MemoryOffice) -> None:
    anna, ben, carl = scene.registered("101", "102", "103")
    has_trigger(scene, "800", "attendant", **{"1": "102", "operator": "103"})
    call = dial(scene, anna, "800")
    assert scene.hears(anna) == "welcome"
    scene.advance(0.1)
    press(scene, anna, "1")
    scene.advance(2.2)
    assert not ben.ringing.is_over
    ben.ringing.refuse(486)
    scene.settle()
    assert scene.hears(anna) == "busy"
    scene.advance(0.1)
    press(scene, anna, "103")
    scene.advance(2.2)
    carl.ringing.answer()
    scene.settle()
    assert scene.hears(anna) == "103"
    assert call.is_up


def test_who_presses_nothing_reaches_the_operator(scene: MemoryOffice) -> None:
    anna, carl = scene.registered("101", "103")
    has_trigger(scene, "800", "attendant", operator="103")
    dial(scene, anna, "800")
    scene.advance(17)
    assert not carl.ringing.is_over
