"""INVITE with Replaces (RFC 3891): a ringing call is picked up, a party's place is taken, by rights alone."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from engine.core.views import CallState
from engine.store.configuration import Right
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.outside import MemoryCarrier, connect
from tests.unit.pbx.phone import MemoryPhone, PhoneCall
from tests.unit.pbx.test_attended_transfer import replacing
from tests.unit.pbx.test_blind_transfer import Progress, refer


def names(
    call: PhoneCall, changes: dict[str, str] | None = None, *, early_only: bool = False
) -> tuple[tuple[str, str], ...]:
    """The Replaces field that names a call of a phone as the office knows it."""
    dialog = call.line.dialog
    assert dialog is not None
    named = {"call_id": dialog.call_id, "to": dialog.remote_tag or "", "from_": dialog.local_tag} | (changes or {})
    tail = ";early-only" if early_only else ""
    return (("Replaces", f"{named['call_id']};to-tag={named['to']};from-tag={named['from_']}{tail}"),)


def ringing(office: MemoryOffice) -> tuple[MemoryPhone, MemoryPhone, MemoryPhone, PhoneCall]:
    """Alice calls Bob, whose phone rings; Carol may pick it up."""
    office.has("103", rights=frozenset({Right.PICKUP}))
    alice, bob, carol = office.registered("101", "102", "103")
    call = alice.call("102")
    office.settle()
    return alice, bob, carol, call


@pytest.mark.parametrize("early_only", [False, True])
@pytest.mark.parametrize("late", [False, True])
def test_a_ringing_call_is_picked_up(office: MemoryOffice, early_only: bool, late: bool) -> None:
    alice, bob, carol, call = ringing(office)
    picked = carol.call("102", extra=names(bob.ringing, early_only=early_only), sdp=b"" if late else None)
    office.settle()
    assert picked.is_up
    assert call.is_up
    assert bob.ringing.is_over
    assert "call completed elsewhere" in (bob.ringing.reason or "").lower()
    assert (office.hears(alice), office.hears(carol)) == ("103", "101")
    view = office.call
    assert view.state is CallState.TALKING
    assert [party.extension for party in view.parties] == ["101", "103"]
    assert office.lamp("102").value == "idle"
    picked.hang_up()
    office.settle()
    assert call.is_over
    assert office.record.callee == "102"
    office.linger()
    office.assert_nothing_is_left()


def test_who_has_no_right_hears_so_and_the_phone_rings_on(office: MemoryOffice) -> None:
    office.has("103", rights=frozenset())
    _, bob, carol = office.registered("101", "102", "103")
    call = _.call("102")
    office.settle()
    picked = carol.call("102", extra=names(bob.ringing))
    office.settle()
    assert picked.heard[-1] == "403"
    bob.ringing.answer()
    office.settle()
    assert call.is_up


def test_another_phone_of_the_same_number_needs_no_right(office: MemoryOffice) -> None:
    office.has("102", multi_device=True)
    alice, bob = office.registered("101", "102")
    second = office.phone("102", host="192.0.2.77")
    second.register()
    office.settle()
    call = alice.call("102")
    office.settle()
    picked = second.call("102", extra=names(bob.ringing))
    office.settle()
    assert picked.is_up
    assert call.is_up
    assert office.hears(alice) == "102"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"call_id": "nothing@all"}, "481"),
        ({"to": "0815"}, "481"),
        ({"from_": "0815"}, "481"),
    ],
)
def test_a_dialog_that_is_not_there(office: MemoryOffice, changes: dict[str, str], status: str) -> None:
    alice, bob, carol, call = ringing(office)
    picked = carol.call("102", extra=names(bob.ringing, changes))
    office.settle()
    assert picked.heard[-1] == status
    assert not call.is_over
    assert not bob.ringing.is_over
    assert alice.calls == [call]


@pytest.mark.parametrize(
    "value", ["", "x", "x;to-tag=1", "x;from-tag=1;to-tag=", ";to-tag=1;from-tag=2", "x;to-tag;from-tag"]
)
def test_a_value_that_cannot_be_read(office: MemoryOffice, value: str) -> None:
    _, bob, carol, call = ringing(office)
    picked = carol.call("102", extra=(("Replaces", value),))
    office.settle()
    assert picked.heard[-1] == "400"
    assert not bob.ringing.is_over
    assert not call.is_over


def test_two_values_name_nothing(office: MemoryOffice) -> None:
    _, bob, carol, _ = ringing(office)
    field = names(bob.ringing)
    picked = carol.call("102", extra=field + field)
    office.settle()
    assert picked.heard[-1] == "400"


def test_the_callers_own_dialog_is_not_ours_to_give_before_the_answer(office: MemoryOffice) -> None:
    _, _, carol, call = ringing(office)
    of_caller = next(
        (session.call_id, session.local_tag, session.dialog.remote_tag)
        for session in office.office.agent.sessions.values()
        if session.dialog is not None and session.user.number == "101"
    )
    picked = carol.call(
        "102",
        extra=(("Replaces", f"{of_caller[0]};to-tag={of_caller[1]};from-tag={of_caller[2]}"),),
    )
    office.settle()
    assert picked.heard[-1] == "481"
    assert not call.is_over


def test_who_speaks_no_codec_of_the_caller_leaves_it_ringing(office: MemoryOffice) -> None:
    alice, bob, carol, call = ringing(office)
    carol.codecs = ("G729",)
    picked = carol.call("102", extra=names(bob.ringing))
    office.settle()
    assert picked.heard[-1] == "488"
    bob.ringing.answer()
    office.settle()
    assert call.is_up
    assert office.hears(alice) == "102"


def test_an_answered_call_is_not_picked_up_early_only(office: MemoryOffice) -> None:
    office.has("103", rights=frozenset({Right.PICKUP, Right.TAKE_OVER}))
    alice, bob, call, other = office.talking()
    (carol,) = office.registered("103")
    picked = carol.call("102", extra=names(other, early_only=True))
    office.settle()
    assert picked.heard[-1] == "486"
    assert call.is_up
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")


@pytest.mark.parametrize("of_caller", [False, True])
@pytest.mark.parametrize("codecs", [("PCMA", "PCMU"), ("PCMU",)])
def test_a_party_is_replaced_by_right(office: MemoryOffice, of_caller: bool, codecs: tuple[str, ...]) -> None:
    office.has("103", rights=frozenset({Right.TAKE_OVER}))
    alice, bob, call, other = office.talking()
    (carol,) = office.registered("103")
    carol.codecs = codecs
    place, stays = (call, bob) if of_caller else (other, alice)
    picked = carol.call("102", extra=names(place))
    office.settle()
    assert picked.is_up
    assert place.is_over
    assert (office.hears(stays), office.hears(carol)) == ("103", stays.number)
    assert len({party.codec for party in office.call.parties}) == 1
    assert [party.role.value for party in office.call.parties] == ["caller", "callee"]
    assert office.lamp(place.phone.number).value == "idle"
    office.everyone_hangs_up()
    office.linger()
    office.assert_nothing_is_left()


@pytest.mark.parametrize("protected", ["101", "102"])
def test_overstep_of_either_party_protects_both(office: MemoryOffice, protected: str) -> None:
    office.has("103", rights=frozenset({Right.TAKE_OVER}))
    office.has(protected, rights=frozenset({Right.OVERSTEP}))
    _, _, call, other = office.talking()
    (carol,) = office.registered("103")
    picked = carol.call("102", extra=names(other))
    office.settle()
    assert picked.heard[-1] == "403"
    assert call.is_up
    assert other.is_up


def test_a_call_moves_to_another_phone_of_its_number(office: MemoryOffice) -> None:
    office.has("102", multi_device=True)
    alice, _, call, other = office.talking()
    second = office.phone("102", host="192.0.2.77")
    second.register()
    office.settle()
    moved = second.call("101", extra=names(other))
    office.settle()
    assert moved.is_up
    assert other.is_over
    assert call.is_up
    assert office.hears(alice) == "102"


def test_a_carrier_replaces_its_own_call_and_keeps_its_room(office: MemoryOffice) -> None:
    (alice,) = office.registered("101")
    carrier = MemoryCarrier(office)
    connect(office, max_out=1)
    call = alice.call("94711")
    office.settle()
    carrier.ringing.answer()
    office.settle()
    first = carrier.ringing
    again = carrier.call("101", extra=names(first))
    office.settle()
    line = office.office.exchange.trunks.line("line")
    assert line is not None
    assert again.is_up
    assert call.is_up
    assert first.is_over
    assert line.view().active_out == 1
    again.hang_up()
    office.settle()
    assert line.view().active_out == 0


def test_whom_a_phone_asks_about_a_transfer_rings_for_the_other_party(office: MemoryOffice) -> None:
    """The phone gives its party away before its second call is answered."""
    alice, bob, call, first = office.talking()
    (carol,) = office.registered("103")
    first.hold()
    office.settle()
    second = bob.call("103")
    office.settle()
    asked = carol.ringing
    progress = Progress(bob)
    refer(first, replacing(second))
    office.settle()
    assert second.is_over
    assert asked.is_over
    carol.ringing.answer()
    office.settle()
    assert progress.told[-1] == "SIP/2.0 200 OK"
    assert first.is_over
    assert call.is_up
    assert (office.hears(alice), office.hears(carol)) == ("103", "101")
    office.everyone_hangs_up()
    office.linger()
    office.assert_nothing_is_left()


def test_many_endings_leave_nothing(office: MemoryOffice) -> None:
    office.has("103", rights=frozenset({Right.PICKUP, Right.TAKE_OVER}))
    alice, bob, carol = office.registered("101", "102", "103")
    for seed in range(30):
        dice = Random(seed)
        call = alice.call("102")
        office.settle()
        place = bob.ringing
        if dice.random() < 0.5:
            place.answer()
            office.settle()
        field = names(place)
        deeds: list[Any] = [
            lambda field=field: carol.call("102", extra=field),
            place.hang_up,
            call.hang_up,
        ]
        dice.shuffle(deeds)
        for deed in deeds[: dice.randint(1, 3)]:
            deed()
            if dice.random() < 0.5:
                office.settle()
        office.settle()
        office.everyone_hangs_up()
        office.settle()
        assert not office.office.calls(), seed
    office.linger()
    office.assert_nothing_is_left()
