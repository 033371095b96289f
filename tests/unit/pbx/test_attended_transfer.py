"""Attended transfer (RFC 3891 in a Refer-To): two calls of one phone become one call of the two others."""

from __future__ import annotations

from random import Random
from urllib.parse import quote

import pytest

from engine.core.views import CallState
from engine.sip.sdp import Direction
from engine.store.configuration import HoldPolicy
from tests.unit.pbx.office import OFFICE, MemoryOffice
from tests.unit.pbx.outside import MemoryCarrier, connect
from tests.unit.pbx.phone import MemoryPhone, PhoneCall
from tests.unit.pbx.test_blind_transfer import Progress, refer


def replacing(call: PhoneCall, **changes: str) -> str:
    """A Refer-To that names the dialog of another call of the same phone."""
    session = call.line
    theirs = session.dialog.remote_tag if session.dialog is not None else session._early[0]
    named = {"call_id": session.call_id, "to": theirs or "", "from_": session.local_tag} | changes
    value = quote(f"{named['call_id']};to-tag={named['to']};from-tag={named['from_']}", safe="")
    return f"<sip:103@{OFFICE}?Replaces={value}>"


def two_calls(
    office: MemoryOffice,
) -> tuple[MemoryPhone, MemoryPhone, MemoryPhone, PhoneCall, PhoneCall, PhoneCall]:
    """Alice has called Bob, who holds her and has called Carol: the phones, Alice's call, and both of Bob's."""
    alice, bob, call, first = office.talking()
    (carol,) = office.registered("103")
    first.hold()
    office.settle()
    second = bob.call("103")
    office.settle()
    carol.ringing.answer()
    office.settle()
    assert second.is_up
    return alice, bob, carol, call, first, second


@pytest.mark.parametrize("by_second", [False, True])
def test_the_two_others_talk_and_the_phone_between_is_free(office: MemoryOffice, by_second: bool) -> None:
    alice, bob, carol, call, first, second = two_calls(office)
    progress = Progress(bob)
    refer(*((second, replacing(first)) if by_second else (first, replacing(second))))
    office.settle()
    assert bob.last.status == 202
    assert progress.told[-1] == "SIP/2.0 200 OK"
    assert first.is_over
    assert second.is_over
    assert call.is_up
    assert (office.hears(alice), office.hears(carol)) == ("103", "101")
    view = office.call
    assert view.state is CallState.TALKING
    assert {party.extension for party in view.parties} == {"101", "103"}
    assert office.lamp("102").value == "idle"
    assert office.lamp("103").value == "busy"
    alice.calls[-1].hang_up()
    office.settle()
    assert carol.ringing.is_over
    one, other = office.records
    assert one.linked_id == other.linked_id == other.id
    office.linger()
    office.assert_nothing_is_left()


def test_who_was_told_of_the_hold_is_told_that_it_is_over(office: MemoryOffice) -> None:
    office.has("102", hold=HoldPolicy.PASS)
    alice, _, carol, call, first, second = two_calls(office)
    assert call.was_told is Direction.SENDONLY
    refer(first, replacing(second))
    office.settle()
    assert call.was_told is Direction.SENDRECV
    assert (office.hears(alice), office.hears(carol)) == ("103", "101")


def test_an_outside_number_is_joined_with_its_room_on_the_line(office: MemoryOffice) -> None:
    alice, bob, _, first = office.talking()
    carrier = MemoryCarrier(office)
    connect(office, max_out=1)
    first.hold()
    office.settle()
    second = bob.call("94711")
    office.settle()
    carrier.ringing.answer()
    office.settle()
    refer(first, replacing(second))
    office.settle()
    assert (office.hears(alice), office.hears(carrier)) == (carrier.number, "101")
    assert office.call.trunk_out == "line"
    line = office.office.exchange.trunks.line("line")
    assert line is not None
    assert line.view().active_out == 1
    carrier.ringing.hang_up()
    office.settle()
    assert line.view().active_out == 0
    assert not office.office.calls()


def test_who_speaks_another_codec_is_asked_for_the_common_one(office: MemoryOffice) -> None:
    alice, bob, carol = office.registered("101", "102", "103")
    alice.codecs, carol.codecs = ("PCMA",), ("PCMU", "PCMA")
    call = alice.call("102")
    office.settle()
    bob.ringing.answer()
    office.settle()
    first = bob.ringing
    bob.codecs = ("PCMU",)
    second = bob.call("103")
    office.settle()
    carol.ringing.answer()
    office.settle()
    refer(first, replacing(second))
    office.settle()
    assert call.is_up
    assert carol.ringing.is_up
    assert {party.codec for party in office.call.parties} == {"PCMA"}


@pytest.mark.parametrize("wrong", [{"call_id": "x"}, {"to": "x"}, {"from_": "x"}])
def test_a_dialog_that_is_not_there_changes_nothing(office: MemoryOffice, wrong: dict[str, str]) -> None:
    alice, bob, carol, _, first, second = two_calls(office)
    progress = Progress(bob)
    refer(first, replacing(second, **wrong))
    office.settle()
    assert progress.told[-1].startswith("SIP/2.0 481 ")
    assert second.is_up
    assert (office.hears(alice), office.hears(carol)) == ("music", "102")


def test_nobody_joins_calls_of_others(office: MemoryOffice) -> None:
    """Dave knows the dialog of a call that is not his."""
    _, _, carol, _, _, second = two_calls(office)
    (dave, eve) = office.registered("104", "105")
    call = dave.call("105")
    office.settle()
    eve.ringing.answer()
    office.settle()
    progress = Progress(dave)
    refer(call, replacing(second))
    office.settle()
    assert progress.told[-1].startswith("SIP/2.0 481 ")
    assert second.is_up
    assert office.hears(carol) == "102"


@pytest.mark.parametrize("seed", range(10))
def test_however_joined_calls_end_nothing_is_left(seed: int) -> None:
    dice = Random(seed)
    office = MemoryOffice(seed)
    phones = office.registered("101", "102", "103", "104")
    office.has("101", "102", "103", "104", max_calls=None)
    for phone in phones:
        phone.picks_up = True
    for _ in range(30):
        for _ in range(dice.randint(3, 10)):
            phone = dice.choice(phones)
            mine = [call for call in phone.calls if call.is_up]
            deed = dice.choice(["call", "join", "join", "hold", "resume", "hang up"])
            if deed == "call" or not mine:
                phone.call(dice.choice(["101", "102", "103", "104"]))
            elif deed == "join":
                refer(dice.choice(mine), replacing(dice.choice(mine)))
            elif deed == "hang up":
                dice.choice(mine).hang_up()
            else:
                call = dice.choice(mine)
                if call.line.may_reoffer:
                    call.hold() if deed == "hold" else call.resume()
            office.advance(dice.choice([0.0, 0.1, 1.0]))
        office.everyone_hangs_up()
        office.linger()
        for phone in phones:
            phone.calls.clear()
        office.assert_nothing_is_left()
    office.close()
