"""Call waiting: how many calls an extension has at once before it is busy."""

from __future__ import annotations

from engine.core.views import Lamp
from tests.unit.pbx.office import MemoryOffice


def test_two_calls_at_once_are_the_default(office: MemoryOffice) -> None:
    _, bob, _, first = office.talking()
    carol, dave = office.registered("103", "104")
    second = carol.call("102")
    office.settle()
    assert second.heard == ["407", "180"]
    waiting = bob.ringing
    first.hold()
    waiting.answer()
    office.settle()
    assert second.is_up
    third = dave.call("102")
    office.settle()
    assert third.heard == ["407", "486"]
    assert office.records[-1].cause == "486 Busy Here"
    assert office.lamp("102") is Lamp.BUSY


def test_a_call_that_goes_out_counts_too(office: MemoryOffice) -> None:
    office.talking("102", "105")
    carol, dave = office.registered("103", "104")
    waiting = carol.call("102")
    office.settle()
    assert waiting.heard == ["407", "180"]
    third = dave.call("102")
    office.settle()
    assert third.heard == ["407", "486"]


def test_a_call_that_still_rings_counts(office: MemoryOffice) -> None:
    office.registered("102")
    callers = office.registered("103", "104", "105")
    calls = [caller.call("102") for caller in callers]
    office.settle()
    assert [call.heard[-1] for call in calls] == ["180", "180", "486"]
    calls[0].cancel()
    office.settle()
    again = callers[2].call("102")
    office.settle()
    assert again.heard[-1] == "180"


def test_a_call_to_several_phones_is_one_call(office: MemoryOffice) -> None:
    office.has("102", multi_device=True)
    office.registered("102", "102", "102")
    callers = office.registered("103", "104", "105")
    calls = [caller.call("102") for caller in callers]
    office.settle()
    assert [call.heard[-1] for call in calls] == ["180", "180", "486"]


def test_one_busy_phone_among_several_does_not_make_the_extension_busy(office: MemoryOffice) -> None:
    office.has("102", multi_device=True)
    one, other = office.registered("102", "102")
    (carol,) = office.registered("103")
    one.rings, one.refuses_with = False, 486
    call = carol.call("102")
    office.settle()
    assert call.heard == ["407", "180"]
    other.ringing.answer()
    office.settle()
    assert call.is_up


def test_unlimited_means_what_it_says(office: MemoryOffice) -> None:
    office.registered("102")
    office.has("102", max_calls=None)
    callers = office.registered(*[str(number) for number in range(201, 209)])
    calls = [caller.call("102") for caller in callers]
    office.settle()
    assert {call.heard[-1] for call in calls} == {"180"}
