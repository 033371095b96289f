"""One number with many phones: all ring, one answers, the others are told who did."""

from __future__ import annotations

from engine.core.views import CallState, Lamp, ReleasedBy
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.phone import MemoryPhone


def three_phones(office: MemoryOffice) -> tuple[MemoryPhone, list[MemoryPhone]]:
    """A caller, and 102 with three phones."""
    office.has("101")
    office.has("102", multi_device=True)
    caller, *phones = office.registered("101", "102", "102", "102")
    return caller, phones


def test_all_ring_the_first_answer_wins_and_the_others_are_told(office: MemoryOffice) -> None:
    caller, phones = three_phones(office)
    call = caller.call("102")
    office.settle()
    assert call.heard == ["407", "180"]
    assert len(office.call.parties) == 4
    phones[1].ringing.answer()
    office.settle()
    assert call.heard == ["407", "180", "answered"]
    for loser in (phones[0], phones[2]):
        assert loser.ringing.heard == ["cancelled"]
        assert loser.ringing.reason == 'SIP;cause=200;text="Call completed elsewhere"'
    assert (office.hears(caller), office.hears(phones[1])) == ("102", "101")
    assert len(office.call.parties) == len(office.gateway.legs) == 2


def test_two_that_answer_at_once_make_one_call(office: MemoryOffice) -> None:
    caller, phones = three_phones(office)
    call = caller.call("102")
    office.settle()
    office.in_one_breath(phones[0].ringing.answer, phones[1].ringing.answer)
    assert call.heard.count("answered") == 1
    assert office.hears(caller) == "102"
    assert phones[0].ringing.is_up
    assert phones[1].ringing.heard == ["acknowledged", "ended"]
    assert office.call.state == CallState.TALKING


def test_a_loser_that_answers_and_hangs_up_at_once_ends_nothing(office: MemoryOffice) -> None:
    caller, phones = three_phones(office)
    call = caller.call("102")
    office.settle()
    office.in_one_breath(phones[0].ringing.answer, phones[1].ringing.answer, phones[1].ringing.hang_up)
    assert phones[1].ringing.is_over
    assert call.is_up
    assert not office.records


def test_the_call_is_refused_only_when_all_refuse(office: MemoryOffice) -> None:
    caller, phones = three_phones(office)
    call = caller.call("102")
    office.settle()
    phones[0].ringing.refuse(486)
    office.settle()
    assert call.heard == ["407", "180"]
    before = office.call
    phones[1].ringing.refuse(480)
    office.settle()
    assert len(office.call.parties) == 2
    assert office.call.revision > before.revision
    phones[2].ringing.refuse(500)
    office.settle()
    assert call.heard[-1] == "486"
    assert (office.record.released_by, office.record.cause) == (ReleasedBy.CALLEE, "486 Busy Here")


def test_a_decline_outweighs_busy(office: MemoryOffice) -> None:
    caller, phones = three_phones(office)
    call = caller.call("102")
    office.settle()
    for phone, status in zip(phones, (486, 603, 480), strict=True):
        phone.ringing.refuse(status)
        office.settle()
    assert call.heard[-1] == "603"


def test_a_phone_that_is_gone_does_not_keep_the_others_from_answering(office: MemoryOffice) -> None:
    caller, phones = three_phones(office)
    phones[0].vanish()
    call = caller.call("102")
    office.advance(10)
    phones[2].ringing.answer()
    office.settle()
    assert call.is_up


def test_a_caller_that_gives_up_silences_all(office: MemoryOffice) -> None:
    caller, phones = three_phones(office)
    call = caller.call("102")
    office.settle()
    assert office.lamp("102") is Lamp.RINGING
    call.cancel()
    office.settle()
    assert all(phone.ringing.heard == ["cancelled"] for phone in phones)
    assert office.lamp("102") is Lamp.IDLE


def test_a_winner_with_a_garbled_answer_leaves_the_others_ringing(office: MemoryOffice) -> None:
    caller, phones = three_phones(office)
    call = caller.call("102")
    office.settle()
    phones[0].ringing.answer(b"garbage")
    office.settle()
    assert phones[0].ringing.heard[-1] == "ended"
    assert call.heard == ["407", "180"]
    phones[1].ringing.answer()
    office.settle()
    assert call.is_up


def test_a_caller_whose_media_cannot_be_reached_silences_all(office: MemoryOffice) -> None:
    caller, phones = three_phones(office)
    caller.media_host = "2001:db8::99"
    call = caller.call("102")
    office.settle()
    phones[0].ringing.answer()
    office.settle()
    assert call.heard[-1] == "488"
    assert phones[0].ringing.heard[-1] == "ended"
    assert [phone.ringing.heard for phone in phones[1:]] == [["cancelled"], ["cancelled"]]


def test_phones_that_get_ports_ring_where_others_get_none(office: MemoryOffice) -> None:
    caller, phones = three_phones(office)
    office.gateway.ports_left = 2
    call = caller.call("102")
    office.advance(1)
    assert call.heard[-1] == "180"
    (ringing,) = (phone for phone in phones if phone.calls)
    ringing.ringing.answer()
    office.settle()
    assert call.heard[-1] == "answered"
    call.hang_up()


def test_without_ports_for_any_phone_the_caller_hears_503(office: MemoryOffice, logged_errors: list[str]) -> None:
    caller, phones = three_phones(office)
    office.gateway.ports_left = 1
    call = caller.call("102")
    office.advance(1)
    assert call.heard[-1] == "503"
    assert not office.gateway.legs
    assert not any(phone.calls for phone in phones)
    assert logged_errors
