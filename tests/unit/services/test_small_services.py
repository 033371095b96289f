"""The smaller services: each dialled, heard and seen to do its work."""

from __future__ import annotations

import pytest

from engine.pbx.errands import Errands
from engine.store.configuration import Right
from engine.store.outside import InboundRule, Night
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.outside import MemoryCarrier, connect
from tests.unit.services.scene import GroupKind, Point, dial, has_group, has_trigger, hears_all, in_mix_with, press


def test_the_clock_tells_the_time(scene: MemoryOffice) -> None:
    (anna,) = scene.registered("101")
    call = dial(scene, anna, "*60")
    heard = hears_all(scene, anna, call)
    assert heard[0] == "time-is"
    assert all(each.startswith("digits/") for each in heard[1:])
    assert len(heard) > 1


def test_callers_hear_their_own_number(scene: MemoryOffice) -> None:
    (anna,) = scene.registered("101")
    call = dial(scene, anna, "*61")
    assert hears_all(scene, anna, call) == ["your-number", "digits/1", "digits/0", "digits/1"]


def test_the_last_number_is_dialled_again(scene: MemoryOffice) -> None:
    anna, ben = scene.registered("101", "102")
    call = dial(scene, anna, "*66")
    assert hears_all(scene, anna, call) == ["nothing-dialled"]
    dial(scene, anna, "102").cancel()
    scene.settle()
    dial(scene, anna, "*66")
    assert len(ben.calls) == 2
    ben.ringing.answer()
    scene.settle()
    assert scene.hears(anna) == "102"


def test_a_number_is_kept_under_a_key_and_dialled(scene: MemoryOffice) -> None:
    anna, ben = scene.registered("101", "102")
    assert hears_all(scene, anna, dial(scene, anna, "*88*3")) == ["speed-empty"]
    assert hears_all(scene, anna, dial(scene, anna, "*88*3*102")) == ["done"]
    dial(scene, anna, "*88*3")
    assert not ben.ringing.is_over


def test_a_wake_up_call_rings_at_its_time(scene: MemoryOffice) -> None:
    (anna,) = scene.registered("101")
    scene.sets(timezone="UTC")
    now = scene.clock.wall()
    then = f"{(now.hour + 1) % 24:02d}{now.minute:02d}"
    assert hears_all(scene, anna, dial(scene, anna, f"*55*{then}"))[0] == "wakeup-at"
    again = Errands(scene.office.exchange)
    assert len(again._waiting) == 1
    scene.advance(1800)
    anna.register()
    scene.advance(1805)
    anna.ringing.answer()
    scene.settle()
    assert hears_all(scene, anna, anna.ringing)[0] == "wakeup-call"
    assert anna.ringing.is_over


def test_a_wake_up_call_is_taken_back(scene: MemoryOffice) -> None:
    (anna,) = scene.registered("101")
    hears_all(scene, anna, dial(scene, anna, "*55*0700"))
    assert hears_all(scene, anna, dial(scene, anna, "*55*#")) == ["wakeup-off"]
    assert not scene.keeper.known["errands", "", "all"]


def test_the_caller_is_called_back_once_the_other_is_free(scene: MemoryOffice) -> None:
    anna, ben, call, _ = scene.talking("103", "102")
    (carl,) = scene.registered("101")
    assert hears_all(scene, carl, dial(scene, carl, "*62*102")) == ["callback-set"]
    scene.advance(10)
    assert not [each for each in carl.calls if each.is_incoming]
    call.hang_up()
    scene.advance(5)
    carl.ringing.answer()
    scene.settle()
    scene.advance(0.2)
    ben.ringing.answer()
    scene.settle()
    assert scene.hears(carl) == "102"
    assert anna.calls[0].is_over


def test_the_intercom_asks_the_other_phone_to_answer_itself(scene: MemoryOffice) -> None:
    anna, ben = scene.registered("101", "102")
    dial(scene, anna, "*80*102")
    invite = ben.ringing.invite
    assert invite is not None
    assert "answer-after=0" in (invite.headers.get("Call-Info") or "")


def test_a_phone_is_rung_to_break_in_by_its_rights(scene: MemoryOffice) -> None:
    """What the command line asks for: the phone answers, and is in the service."""
    anna, _, _, _ = scene.talking()
    (carl,) = scene.registered("103")
    carl.picks_up = True
    scene.run(scene.office.run_service("barge_in", "103", {"argument": "102"}))
    scene.settle()
    assert hears_all(scene, carl, carl.ringing) == ["no-right"]
    scene.has("103", rights=frozenset({Right.BARGE_IN}))
    scene.run(scene.office.run_service("barge_in", "103", {"argument": "102"}))
    scene.settle()
    assert in_mix_with(scene, anna) == {"102", "103"}


def test_a_phone_is_rung_and_its_number_called(scene: MemoryOffice) -> None:
    anna, ben = scene.registered("101", "102")
    anna.picks_up = ben.picks_up = True
    scene.run(scene.office.run_service("originate", "101", {"target": "102"}))
    scene.settle()
    assert scene.hears(anna) == "102"
    assert scene.hears(ben) == "101"


def test_paging_says_when_nobody_is_there(scene: MemoryOffice) -> None:
    (anna,) = scene.registered("101")
    has_group(scene, "600", GroupKind.RING, "101")
    assert hears_all(scene, anna, dial(scene, anna, "*81*600")) == ["paging-nobody"]


def test_strangers_are_screened(scene: MemoryOffice) -> None:
    anna, ben = scene.registered("101", "102")
    carl = scene.registered("103")[0]
    has_trigger(scene, "102", "screening", Point.ALWAYS, block="103")
    assert hears_all(scene, carl, dial(scene, carl, "102")) == ["blocked"]
    dial(scene, anna, "102")
    assert not ben.ringing.is_over


def test_own_phones_ring_first_then_the_other_numbers(scene: MemoryOffice) -> None:
    anna, ben, carl = scene.registered("101", "102", "103")
    has_trigger(scene, "102", "follow_me", Point.ALWAYS, numbers="103", ring="10")
    dial(scene, anna, "102")
    assert not ben.ringing.is_over
    scene.advance(11)
    assert ben.ringing.is_over
    carl.ringing.answer()
    scene.settle()
    assert scene.hears(anna) == "103"


def test_who_follows_in_vain_finds_the_box(scene: MemoryOffice) -> None:
    anna, ben, carl = scene.registered("101", "102", "103")
    has_trigger(scene, "102", "follow_me", Point.ALWAYS, numbers="103", ring="5", box="yes")
    dial(scene, anna, "102")
    scene.advance(5.1)
    assert ben.ringing.is_over
    scene.advance(5.1)
    assert carl.ringing.is_over
    assert scene.call.service == "voicemail_deposit"
    assert scene.hears(anna) in ("vm-leave", "beep")


def test_only_who_is_allowed_gets_through(scene: MemoryOffice) -> None:
    anna, ben, carl = scene.registered("101", "102", "103")
    has_trigger(scene, "102", "screening", Point.ALWAYS, allow="101", to="102")
    assert hears_all(scene, carl, dial(scene, carl, "102")) == ["blocked"]
    dial(scene, anna, "102")
    assert not ben.ringing.is_over


def test_a_wake_up_call_is_asked_for_by_phone(scene: MemoryOffice) -> None:
    (anna,) = scene.registered("101")
    call = dial(scene, anna, "*55*")
    assert scene.hears(anna) == "wakeup-enter"
    press(scene, anna, "0700")
    assert "wakeup-at" in hears_all(scene, anna, call)
    call = dial(scene, anna, "*55*2575")
    assert hears_all(scene, anna, call) == ["invalid"]


def test_a_key_may_be_kept_by_the_row(scene: MemoryOffice) -> None:
    anna, ben = scene.registered("101", "102")
    has_trigger(scene, "*89*", "speed_dial", **{"1": "102"})
    dial(scene, anna, "*89*1")
    assert not ben.ringing.is_over


def test_the_last_caller_is_marked(scene: MemoryOffice) -> None:
    anna, ben, call, _ = scene.talking()
    call.hang_up()
    scene.settle()
    assert hears_all(scene, ben, dial(scene, ben, "*33")) == ["marked"]
    assert any("from 101 to 102 is marked as malicious" in text for text in scene.office.health().warnings)
    assert hears_all(scene, anna, dial(scene, anna, "*33")) == ["nothing-dialled"]


def test_the_night_switch_is_turned(scene: MemoryOffice) -> None:
    (anna,) = scene.registered("101")
    for position in (Night.ON, Night.OFF, Night.AUTO):
        assert hears_all(scene, anna, dial(scene, anna, "*26")) == [f"night-{position.value}"]
        assert scene.configuration.night is position


def test_an_inbound_number_leads_to_a_group(scene: MemoryOffice) -> None:
    carrier = MemoryCarrier(scene)
    connect(scene)
    (ben,) = scene.registered("102")
    has_group(scene, "600", GroupKind.RING, "102")
    scene.configure(inbound=(InboundRule(1, "line", "4930", group="600"),))
    call = carrier.dials("493043")
    scene.settle()
    ben.ringing.answer()
    scene.settle()
    assert call.is_up
    assert scene.hears(ben) == carrier.number


def test_a_caller_from_outside_reaches_no_outside_through_a_service(scene: MemoryOffice) -> None:
    carrier = MemoryCarrier(scene)
    connect(scene)
    has_trigger(scene, "800", "attendant", **{"1": "90301234"})
    scene.configure(inbound=(InboundRule(1, "line", "4930", service="attendant"),))
    call = carrier.dials("493043")
    scene.settle()
    scene.advance(0.2)
    press(scene, carrier, "1")  # the row's settings are of the code, not of the inbound number
    scene.advance(3)
    assert len(scene.office.calls()) == 1
    assert len(scene.office.calls()[0].parties) == 1
    call.hang_up()


@pytest.mark.parametrize("keys", ["42#", "42"])
def test_digits_end_at_the_hash_or_after_a_while(scene: MemoryOffice, keys: str) -> None:
    anna, ben = scene.registered("101", "102")
    dial(scene, anna, "*6*42")
    dial(scene, ben, "*6*")
    scene.advance(0.2)
    press(scene, ben, keys)
    scene.advance(4.5)
    assert scene.gateway.mixes
    assert len(scene.office.exchange.rooms.conferences["42"].legs) == 2


def test_paging_speaks_to_all_free_phones_of_a_group(scene: MemoryOffice) -> None:
    anna, ben, carl = scene.registered("101", "102", "103")
    has_group(scene, "600", GroupKind.RING, "101", "102", "103")
    ben.picks_up = carl.picks_up = True
    call = dial(scene, anna, "*81*600")
    assert in_mix_with(scene, ben) == {"101", "103"}
    speaker = scene.media_of(anna)
    for phone in (ben, carl):
        hears = scene.media_of(phone).hears
        assert hears is not None
        assert [scene.gateway.legs[each] for each in hears] == [speaker]
    assert speaker.hears == frozenset()
    call.hang_up()
    scene.settle()
    assert ben.ringing.is_over
    assert carl.ringing.is_over
