"""Calls that come back are known again."""

from __future__ import annotations

import pytest

from engine.core.errors import RemoteError
from engine.pbx.loops import FIELD, MOST_OFFICES, LoopGuard
from engine.sip.headers import Headers
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.outside import MemoryCarrier, connect

BERLIN, PARIS, ROME = LoopGuard(b"berlin"), LoopGuard(b"paris"), LoopGuard(b"rome")


def sent(guard: LoopGuard, headers: Headers, number: str, origin: str = "line") -> Headers:
    """What leaves an office for a call that came in with these fields for a number."""
    return Headers([guard.field(guard.check(headers, number, origin), number, origin)])


def test_a_call_without_a_trail_is_new() -> None:
    assert BERLIN.check(Headers(), "9200", "") == ()


def test_a_call_that_comes_back_for_the_same_number_is_a_loop() -> None:
    headers = sent(PARIS, sent(BERLIN, Headers(), "100"), "200")
    with pytest.raises(RemoteError) as refused:
        BERLIN.check(headers, "100", "line")
    assert (refused.value.status, refused.value.reason) == (482, "Loop Detected")


def test_a_call_that_comes_back_for_another_number_is_none() -> None:
    headers = sent(PARIS, sent(BERLIN, Headers(), "100"), "200")
    assert len(BERLIN.check(headers, "101", "line")) == 2


def test_somebody_may_dial_a_number_of_the_own_office_over_the_carrier() -> None:
    headers = sent(BERLIN, Headers(), "4930555", origin="")
    assert len(BERLIN.check(headers, "4930555", "line")) == 1


@pytest.mark.parametrize("offices", [[BERLIN, PARIS], [BERLIN, PARIS, ROME]])
def test_offices_that_send_a_number_on_to_each_other_end_it(offices: list[LoopGuard]) -> None:
    """Somebody of the first office calls; from then on each sends what comes in for its number on to the next."""
    headers = sent(offices[0], Headers(), "9200", origin="")
    for hop in range(1, len(offices) + 1):
        headers = sent(offices[hop % len(offices)], headers, f"{hop % len(offices)}00")
    with pytest.raises(RemoteError) as refused:
        sent(offices[1], headers, "100")
    assert refused.value.status == 482


def test_a_trail_tells_nobody_the_number() -> None:
    assert "4930555" not in str(sent(BERLIN, Headers(), "4930555").get(FIELD))


def test_another_office_has_other_marks() -> None:
    assert BERLIN.field((), "100", "") != PARIS.field((), "100", "")


def test_too_long_a_trail_is_refused() -> None:
    headers = Headers([(FIELD, ", ".join(f"{number:016x}" for number in range(MOST_OFFICES)))])
    with pytest.raises(RemoteError) as refused:
        BERLIN.check(headers, "100", "line")
    assert refused.value.status == 483


@pytest.mark.parametrize("value", ["", ",,,", '"', "x" * 5000, "a\tb", "é" * 16])
def test_what_is_no_mark_is_left_out(value: str) -> None:
    assert BERLIN.check(Headers([(FIELD, value)]), "100", "line") == ()


def test_a_call_of_ours_that_a_carrier_sends_back_again_and_again_is_cut(office: MemoryOffice) -> None:
    (alice,) = office.registered("101")
    carrier = MemoryCarrier(office)
    connect(office)
    alice.call("94711")
    office.settle()
    trail = carrier.requests[-1].headers.get(FIELD)
    assert trail is not None
    back = carrier.dials("101", extra=((FIELD, trail),))
    office.settle()
    assert back.heard[-1] == "180"
    mark = office.office.exchange.loops.field((), "101", "line")[1]
    again = carrier.dials("101", extra=((FIELD, f"{trail}, {mark}"),))
    office.settle()
    assert again.failure is not None
    assert (again.failure.status, again.failure.reason) == (482, "Loop Detected")
