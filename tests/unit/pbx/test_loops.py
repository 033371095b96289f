"""Calls that come back are known again."""

from __future__ import annotations

import pytest

from engine.core.errors import RemoteError
from engine.pbx.loops import FIELD, MOST_OFFICES, LoopGuard
from engine.sip.headers import Headers

BERLIN, PARIS, ROME = LoopGuard(b"berlin"), LoopGuard(b"paris"), LoopGuard(b"rome")


def sent(guard: LoopGuard, headers: Headers, number: str) -> Headers:
    """What leaves an office for a call that came in with these fields for a number."""
    return Headers([guard.field(guard.check(headers, number), number)])


def test_a_call_without_a_trail_is_new() -> None:
    assert BERLIN.check(Headers(), "9200") == ()


def test_a_call_that_comes_back_for_the_same_number_is_a_loop() -> None:
    headers = sent(PARIS, sent(BERLIN, Headers(), "9200"), "200")
    with pytest.raises(RemoteError) as refused:
        BERLIN.check(headers, "9200")
    assert (refused.value.status, refused.value.reason) == (482, "Loop Detected")


def test_a_call_that_comes_back_for_another_number_is_none() -> None:
    headers = sent(PARIS, sent(BERLIN, Headers(), "9200"), "200")
    assert len(BERLIN.check(headers, "101")) == 2


def test_three_offices_in_a_ring_end_it_where_it_began() -> None:
    headers = sent(BERLIN, Headers(), "100")
    headers = sent(ROME, sent(PARIS, headers, "200"), "300")
    with pytest.raises(RemoteError):
        BERLIN.check(headers, "100")


def test_a_trail_tells_nobody_the_number() -> None:
    assert "4930555" not in str(sent(BERLIN, Headers(), "4930555").get(FIELD))


def test_another_office_has_other_marks() -> None:
    assert BERLIN.field((), "100") != PARIS.field((), "100")


def test_too_long_a_trail_is_refused() -> None:
    headers = Headers([(FIELD, ", ".join(f"{number:016x}" for number in range(MOST_OFFICES)))])
    with pytest.raises(RemoteError) as refused:
        BERLIN.check(headers, "100")
    assert refused.value.status == 483


@pytest.mark.parametrize("value", ["", ",,,", '"', "x" * 5000, "a\tb", "é"])
def test_what_is_no_mark_is_left_out(value: str) -> None:
    assert BERLIN.check(Headers([(FIELD, value)]), "100") == ()
