"""A simulated phone lives its calls as a telephone would, against the real office in memory."""

from __future__ import annotations

import pytest

from engine.core.views import CallState, Lamp
from engine.phones.call import Phase, PhoneCall
from tests.unit.pbx.office import MemoryOffice
from tests.unit.phones.conftest import WiredPhone

Pair = tuple[WiredPhone, WiredPhone]


def talk(office: MemoryOffice, pair: Pair) -> tuple[PhoneCall, PhoneCall]:
    """A call from the first to the second: as each of them lives it."""
    caller, callee = pair
    made = caller.dials("102")
    (taken,) = callee.rung
    taken.ring(office.clock.now())
    office.settle()
    taken.answer(callee.local, office.clock.now())
    office.settle()
    return made, taken


def test_registers_with_digest(office: MemoryOffice, pair: Pair) -> None:
    assert all(phone.phone.is_registered for phone in pair)
    assert office.lamp("101") is Lamp.IDLE


def test_renews_its_registration_before_it_expires(office: MemoryOffice, pair: Pair) -> None:
    expires = office.office.registrations()[0].expires_at
    office.advance(151)
    pair[0].phone.tick(office.clock.now())
    office.settle()
    renewed = {view.extension: view.expires_at for view in office.office.registrations()}
    assert renewed["101"] > expires
    assert renewed["102"] == expires


def test_wrong_password_leaves_it_unregistered(office: MemoryOffice) -> None:
    phone = WiredPhone(office, "101", "192.0.2.11", password="wrong")
    phone.registers()
    assert not phone.phone.is_registered
    assert phone.phone.last_refusal in (401, 403)
    assert office.lamp("101") is Lamp.UNREGISTERED


def test_call_rings_is_answered_and_ended_by_the_caller(office: MemoryOffice, pair: Pair) -> None:
    made, taken = talk(office, pair)
    assert (made.phase, taken.phase) == (Phase.UP, Phase.UP)
    assert taken.number == "101"
    assert made.settled is not None
    assert made.settled.codec == "PCMA"
    made.hang_up(office.clock.now())
    office.settle()
    assert (made.phase, taken.phase) == (Phase.OVER, Phase.OVER)
    assert office.record.released_by == "caller"


@pytest.mark.parametrize("who_holds", ["caller", "callee"])
def test_hold_and_resume_from_either_side(office: MemoryOffice, pair: Pair, who_holds: str) -> None:
    made, taken = talk(office, pair)
    holder = made if who_holds == "caller" else taken
    assert holder.hold(office.clock.now())
    office.settle()
    assert holder.is_holding
    assert holder.settled is not None
    assert not holder.settled.flow.receives
    assert office.call.state is CallState.HELD
    assert holder.resume(office.clock.now())
    office.settle()
    assert not holder.is_holding
    assert office.call.state is CallState.TALKING


def test_declined_call_ends_with_its_status(office: MemoryOffice, pair: Pair) -> None:
    made = pair[0].dials("102")
    pair[1].rung[0].decline(603, office.clock.now())
    office.settle()
    assert (made.phase, made.outcome) == (Phase.OVER, 603)


def test_caller_gives_up_while_it_rings(office: MemoryOffice, pair: Pair) -> None:
    made = pair[0].dials("102")
    (taken,) = pair[1].rung
    taken.ring(office.clock.now())
    office.settle()
    assert made.phase is Phase.ALERTING
    made.hang_up(office.clock.now())
    office.settle()
    assert (made.outcome, taken.outcome) == (487, 487)


def test_audio_that_cannot_be_agreed_on_is_refused(office: MemoryOffice, pair: Pair) -> None:
    office.sets(codecs=("G722",))
    made = pair[0].dials("102")
    assert made.phase is Phase.OVER
    assert made.outcome == 488


def test_unknown_number_is_refused(office: MemoryOffice, pair: Pair) -> None:
    made = pair[0].dials("199")
    assert (made.phase, made.outcome) == (Phase.OVER, 404)
