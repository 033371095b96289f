"""Blind transfer (RFC 3515, RFC 5589): who is transferred is connected, or comes back; nothing is left behind."""

from __future__ import annotations

from random import Random

import pytest

from engine.core.views import CallState, ReleasedBy
from engine.sip.sdp import Direction
from engine.store.configuration import HoldPolicy
from tests.unit.pbx.office import OFFICE, MemoryOffice
from tests.unit.pbx.outside import MemoryCarrier, connect
from tests.unit.pbx.phone import MemoryPhone, PhoneCall
from tests.unit.pbx.wire import Weather


class Progress:
    """What a phone hears of its transfer by NOTIFY."""

    def __init__(self, phone: MemoryPhone) -> None:
        self.phone = phone

    @property
    def told(self) -> list[str]:
        for notify in self.phone.notified:
            assert notify.headers.get("Event") == "refer"
            assert notify.content_type == "message/sipfrag"
        return [notify.body.decode().strip() for notify in self.phone.notified]

    @property
    def states(self) -> list[str]:
        values = [notify.headers.get("Subscription-State") or "" for notify in self.phone.notified]
        return [value.partition(";")[0] for value in values]


def refer(call: PhoneCall, target: str | None) -> None:
    """Ask the office to connect the other party with ``target``."""
    dialog = call.line.dialog
    assert dialog is not None
    request = dialog.make_request("REFER")
    request.headers.add("Contact", call.line.contact)
    if target is not None:
        request.headers.add("Refer-To", target)
    call.phone.agent.send_request(request, call.phone.flow, call.phone.now, call.phone)


def to(number: str) -> str:
    return f"<sip:{number}@{OFFICE}>"


@pytest.mark.parametrize("by_caller", [False, True])
def test_the_other_party_is_connected_and_the_phone_that_transferred_is_done(
    office: MemoryOffice, by_caller: bool
) -> None:
    alice, bob, call, other = office.talking()
    (carol,) = office.registered("103")
    (mine, party) = (call, bob) if by_caller else (other, alice)
    progress = Progress(mine.phone)
    refer(mine, to("103"))
    office.settle()
    assert mine.phone.last.status == 202
    assert office.hears(party) == "ringback-de"
    invite = carol.ringing.invite
    assert invite is not None
    assert f"sip:{party.number}@" in (invite.headers.get("From") or "")
    assert progress.told == ["SIP/2.0 100 Trying", "SIP/2.0 180 Ringing"]
    carol.ringing.answer()
    office.settle()
    assert progress.told[-1] == "SIP/2.0 200 OK"
    assert progress.states[-1] == "terminated"
    assert mine.is_over
    assert (office.hears(party), office.hears(carol)) == ("103", party.number)
    assert office.call.state is CallState.TALKING
    carol.ringing.hang_up()
    office.settle()
    assert (office.record.callee, office.record.released_by) == ("103", ReleasedBy.CALLEE)
    office.linger()
    office.assert_nothing_is_left()


@pytest.mark.parametrize("status", [486, 603, 500])
def test_a_transfer_that_fails_gives_the_party_back(office: MemoryOffice, status: int) -> None:
    alice, bob, call, other = office.talking()
    (carol,) = office.registered("103")
    progress = Progress(bob)
    other.hold()
    office.settle()
    refer(other, to("103"))
    office.settle()
    carol.ringing.refuse(status)
    office.settle()
    expected = 480 if status == 500 else status
    assert progress.told[-1].startswith(f"SIP/2.0 {expected} ")
    assert office.call.state is CallState.HELD
    assert office.hears(alice) == "music"
    other.resume()
    office.settle()
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")
    assert office.call.callee == "102"
    call.hang_up()
    office.linger()
    office.assert_nothing_is_left()


def test_who_was_told_of_the_hold_is_told_that_it_is_over(office: MemoryOffice) -> None:
    """Phones hold before they transfer; with the policy to pass that on, the party has stopped sending."""
    office.has("102", hold=HoldPolicy.PASS)
    alice, _, call, other = office.talking()
    (carol,) = office.registered("103")
    other.hold()
    office.settle()
    assert call.was_told is Direction.SENDONLY
    refer(other, to("103"))
    office.settle()
    carol.ringing.answer()
    office.settle()
    assert call.was_told is Direction.SENDRECV
    assert (office.hears(alice), office.hears(carol)) == ("103", "101")


def test_nobody_answers_and_the_party_comes_back(office: MemoryOffice) -> None:
    alice, bob, call, other = office.talking()
    (carol,) = office.registered("103")
    progress = Progress(bob)
    refer(other, to("103"))
    office.settle()
    office.advance(61)
    assert progress.told[-1] == "SIP/2.0 480 No Answer"
    assert carol.ringing.is_over
    assert call.is_up
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")


def test_who_hung_up_after_the_transfer_is_rung_once_more_when_it_fails(office: MemoryOffice) -> None:
    alice, bob, call, other = office.talking()
    (carol,) = office.registered("103")
    refer(other, to("103"))
    office.settle()
    other.hang_up()
    office.settle()
    assert call.is_up
    assert office.hears(alice) == "ringback-de"
    carol.ringing.refuse(486)
    office.settle()
    assert bob.ringing is not other
    bob.ringing.answer()
    office.settle()
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")


@pytest.mark.parametrize("target", ["103", "999"])
def test_a_phone_that_hangs_up_because_its_transfer_failed_is_rung_once_more(
    office: MemoryOffice, target: str
) -> None:
    """baresip does so, and its user would have lost the caller."""
    alice, bob, call, other = office.talking()
    (carol,) = office.registered("103")
    refer(other, to(target))
    office.settle()
    if target == "103":
        carol.ringing.refuse(486)
        office.settle()
    other.hang_up()
    office.settle()
    assert call.is_up
    assert office.hears(alice) == "ringback-de"
    assert bob.ringing is not other
    bob.ringing.answer()
    office.settle()
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")
    bob.ringing.hang_up()
    office.settle()
    assert call.is_over


def test_who_hangs_up_later_has_meant_it(office: MemoryOffice) -> None:
    _, _, call, other = office.talking()
    refer(other, to("999"))
    office.settle()
    office.advance(4)
    other.hang_up()
    office.settle()
    assert call.is_over


def test_a_recall_that_fails_too_ends_the_call(office: MemoryOffice) -> None:
    _, bob, call, other = office.talking()
    (carol,) = office.registered("103")
    refer(other, to("103"))
    office.settle()
    other.hang_up()
    office.settle()
    carol.ringing.refuse(486)
    office.settle()
    bob.ringing.refuse(486)
    office.settle()
    assert call.is_over
    assert not office.office.calls()
    office.linger()
    office.assert_nothing_is_left()


def test_it_may_go_outside_and_come_from_there(office: MemoryOffice) -> None:
    (bob,) = office.registered("102")
    carrier, other = MemoryCarrier(office), MemoryCarrier(office, "198.51.100.2")
    connect(office, "in", max_out=0)
    connect(office, "out", other.host)
    call = carrier.dials("102")
    office.settle()
    bob.ringing.answer()
    office.settle()
    refer(bob.ringing, to("94711"))
    office.settle()
    other.ringing.answer()
    office.settle()
    assert call.is_up
    assert bob.ringing.is_over
    assert office.hears(carrier) == other.number
    assert (office.call.trunk_in, office.call.trunk_out) == ("in", "out")


@pytest.mark.parametrize(
    ("target", "status"),
    [(to("999"), 404), (to("102"), 486), ("<sip:x>", 404), ("<tel:999>", 404)],
)
def test_what_leads_nowhere_is_told_and_changes_nothing(office: MemoryOffice, target: str, status: int) -> None:
    alice, bob, _, other = office.talking()
    progress = Progress(bob)
    refer(other, target)
    office.settle()
    assert bob.last.status == 202
    assert progress.told[-1].startswith(f"SIP/2.0 {status} ")
    assert progress.states == ["active", "terminated"]
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")
    refer(other, target)
    office.settle()
    assert bob.last.status == 202


@pytest.mark.parametrize("target", [None, "<<", f"{to('103')}, {to('104')}"])
def test_a_referral_that_cannot_be_read_is_refused(office: MemoryOffice, target: str | None) -> None:
    _, bob, _, other = office.talking()
    refer(other, target)
    office.settle()
    assert bob.last.status == 400
    assert other.is_up


def test_one_outside_transfers_nobody(office: MemoryOffice) -> None:
    bob, carol = office.registered("102", "103")
    carrier = MemoryCarrier(office)
    connect(office)
    call = carrier.dials("102")
    office.settle()
    bob.ringing.answer()
    office.settle()
    refer(call, to("103"))
    office.settle()
    assert carrier.last.status == 403
    assert not carol.calls


def test_a_stranger_refers_to_nothing(office: MemoryOffice) -> None:
    (bob,) = office.registered("102")
    bob.send("REFER", f"sip:102@{OFFICE}", (("Refer-To", to("103")),))
    office.settle()
    assert bob.last.status == 481


def test_the_party_hangs_up_while_somebody_else_rings(office: MemoryOffice) -> None:
    _, _, call, other = office.talking()
    (carol,) = office.registered("103")
    refer(other, to("103"))
    office.settle()
    call.hang_up()
    office.settle()
    assert carol.ringing.is_over
    assert other.is_over
    assert office.record.released_by is ReleasedBy.CALLER
    office.linger()
    office.assert_nothing_is_left()


@pytest.mark.parametrize("seed", range(12))
def test_however_a_transfer_ends_nothing_is_left(seed: int) -> None:
    dice = Random(seed)
    office = MemoryOffice(seed)
    phones = office.registered("101", "102", "103", "104")
    for _ in range(25):
        office.wire.weather = dice.choice([Weather(), Weather(delay=0.02), Weather(loss=0.15, delay=0.02)])
        phones[0].call("102")
        office.advance(1)
        for _ in range(dice.randint(2, 8)):
            phone = dice.choice(phones)
            calls = [call for call in phone.calls if not call.is_over]
            if not calls:
                continue
            call = dice.choice(calls)
            deed = dice.choice(["refer", "refer", "answer", "answer", "refuse", "hang up", "hold", "resume"])
            try:
                if deed == "refer":
                    refer(call, to(dice.choice(["101", "102", "103", "104"])))
                elif deed == "answer":
                    call.answer()
                elif deed == "refuse":
                    call.refuse(486)
                elif deed == "hang up":
                    call.hang_up()
                elif deed == "hold":
                    call.hold()
                else:
                    call.resume()
            except Exception:
                pass
            office.advance(dice.choice([0.0, 0.1, 1.0, 5.0]))
        office.wire.weather = Weather(delay=0.02)
        office.everyone_hangs_up()
        for view in office.office.calls():
            office.run(office.office.operator.release(view.id, None))
        office.linger()
        for phone in phones:
            phone.calls.clear()
        office.assert_nothing_is_left()
    office.close()
