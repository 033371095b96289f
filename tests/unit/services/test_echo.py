"""The echo test, from dialling to its record: the shipped service in a whole office."""

from __future__ import annotations

import pytest

from engine.core.events import ServiceFailed
from engine.core.views import CallState, Lamp, PartyState, ReleasedBy
from engine.sip.sdp import Direction
from engine.store.outside import InboundRule
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.outside import CARRIER, MemoryCarrier, connect
from tests.unit.pbx.phone import MemoryPhone, PhoneCall
from tests.unit.pbx.test_nat import MOVED, PUBLIC, advertise, told

CODE = "*43"


def in_echo(office: MemoryOffice, **call: bytes) -> tuple[MemoryPhone, PhoneCall]:
    """A phone that hears itself."""
    (phone,) = office.registered("101")
    made = phone.call(CODE, **call)  # type: ignore[arg-type]
    office.settle()
    office.advance(0.3)
    assert office.hears(phone) == "101"
    return phone, made


def test_the_caller_hears_a_beep_and_then_itself(office: MemoryOffice) -> None:
    (phone,) = office.registered("101")
    call = phone.call(CODE)
    office.settle()
    assert call.is_up
    assert office.hears(phone) == "beep"
    office.advance(0.3)
    assert office.hears(phone) == "101"
    view = office.call
    assert (view.state, view.service, view.callee) == (CallState.SERVICE, "echo", CODE)
    assert view.answered_at is not None
    assert office.lamp("101") is Lamp.BUSY


def test_a_caller_from_outside_hears_itself(office: MemoryOffice) -> None:
    carrier = MemoryCarrier(office)
    connect(office)
    office.configure(inbound=(InboundRule(1, "line", "4930", service="echo"),))
    call = carrier.dials("493043")
    office.settle()
    office.advance(0.3)
    assert call.is_up
    assert office.hears(carrier) == carrier.number
    assert (office.call.service, office.call.trunk_in) == ("echo", "line")


def test_the_caller_who_hangs_up_ends_the_service(office: MemoryOffice) -> None:
    _, call = in_echo(office)
    office.advance(5)
    call.hang_up()
    office.settle()
    record = office.record
    assert (record.released_by, record.cause, record.callee) == (ReleasedBy.CALLER, "normal", CODE)
    assert record.codec == "PCMA"
    assert record.duration_s == pytest.approx(5.3, abs=0.1)
    assert not office.gateway.legs
    assert not office.heard_events(ServiceFailed)


def test_the_echo_ends_after_ten_minutes(office: MemoryOffice) -> None:
    _, call = in_echo(office)
    office.advance(598)
    assert call.is_up
    office.advance(3)
    assert call.heard[-1] == "ended"
    assert (office.record.released_by, office.record.cause) == (ReleasedBy.SYSTEM, "normal")


def test_an_operator_may_release_it(office: MemoryOffice) -> None:
    _, call = in_echo(office)
    office.run(office.office.operator.release("101", None))
    office.settle()
    assert call.heard[-1] == "ended"
    assert office.record.released_by is ReleasedBy.OPERATOR


def test_a_late_offer_is_answered_with_ours(office: MemoryOffice) -> None:
    phone, call = in_echo(office, sdp=b"")
    assert call.codecs[:2] == ["PCMA", "PCMU"]
    assert office.media_of(phone).plan is not None


def test_hold_is_answered_and_the_echo_goes_on_afterwards(office: MemoryOffice) -> None:
    phone, call = in_echo(office)
    call.hold()
    office.settle()
    assert call.was_told is Direction.RECVONLY
    assert office.hears(phone) is None
    assert office.call.parties[0].state is PartyState.HELD
    assert office.call.state is CallState.SERVICE
    assert office.lamp("101") is Lamp.HELD
    call.resume()
    office.settle()
    assert call.was_told is Direction.SENDRECV
    assert office.hears(phone) == "101"
    assert office.lamp("101") is Lamp.BUSY


def test_a_reinvite_without_sdp_gets_our_offer_whose_answer_must_follow(office: MemoryOffice) -> None:
    _, call = in_echo(office)
    call.reoffer(b"")  # this phone's ACK brings no answer
    office.settle()
    assert "reoffer answered" in call.heard
    assert call.codecs[:2] == ["PCMA", "PCMU"]
    assert call.heard[-1] == "ended"
    assert office.record.released_by is ReleasedBy.SYSTEM


def test_a_reinvite_without_a_common_codec_is_refused_and_changes_nothing(office: MemoryOffice) -> None:
    phone, call = in_echo(office)
    phone.codecs = ("G729",)
    call.resume()
    office.settle()
    assert call.heard[-1] == "reoffer refused 488"
    assert office.hears(phone) == "101"


def test_a_phone_without_a_common_codec_is_refused(office: MemoryOffice) -> None:
    (phone,) = office.registered("101")
    phone.codecs = ("G729",)
    call = phone.call(CODE)
    office.settle()
    assert call.heard[-1] == "488"
    assert office.record.cause.startswith("488")
    assert not office.heard_events(ServiceFailed)


def test_a_phone_that_nothing_can_be_played_to_has_its_echo_without_the_beep(office: MemoryOffice) -> None:
    (phone,) = office.registered("101")
    office.sets(codecs=("G729",))
    phone.codecs = ("G729",)
    phone.call(CODE)
    office.settle()
    assert office.hears(phone) == "101"


def test_without_media_ports_the_caller_hears_503(office: MemoryOffice, caplog: pytest.LogCaptureFixture) -> None:
    (phone,) = office.registered("101")
    office.gateway.ports_left = 0
    call = phone.call(CODE)
    office.settle()
    assert call.heard[-1] == "503"
    assert "cannot get media ports" in caplog.text


def test_the_code_can_be_changed_and_turned_off(office: MemoryOffice) -> None:
    (phone,) = office.registered("101")
    office.sets(code_echo_test="777")
    assert [dial(office, phone, number) for number in (CODE, "777")] == ["404", "ended"]
    office.sets(code_echo_test=None)
    assert [dial(office, phone, number) for number in (CODE, "777")] == ["404", "404"]


def dial(office: MemoryOffice, phone: MemoryPhone, number: str) -> str:
    """What the phone heard last of a call that it ends itself when it is up."""
    call = phone.call(number)
    office.settle()
    if call.is_up:
        call.hang_up()
        office.settle()
        return "ended"
    return call.heard[-1]


def test_an_extension_goes_before_a_code(office: MemoryOffice) -> None:
    phone, other = office.registered("101", "102")
    office.sets(code_echo_test="102")
    phone.call("102")
    office.settle()
    assert other.ringing
    assert office.call.service is None


def test_a_caller_from_outside_is_told_the_address_that_the_office_has_now(office: MemoryOffice) -> None:
    nat = advertise(office, "office.test")
    nat.take([PUBLIC])
    carrier = MemoryCarrier(office)
    connect(office)
    office.configure(inbound=(InboundRule(1, "line", "4930", service="echo"),))
    call = carrier.dials("493043")
    office.settle()
    office.advance(0.3)
    assert told(office, CARRIER, "200") == {PUBLIC}
    nat.take([MOVED])
    office.settle()
    assert "reoffered" in call.heard
    assert told(office, CARRIER, "INVITE") == {MOVED}
    office.advance(1)
    assert office.hears(carrier) == carrier.number
