"""Diversion (RFC 5806) and History-Info (RFC 7044), read and written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.sip.diversion import (
    MOST_DIVERSIONS,
    Diversion,
    Why,
    diversion_fields,
    diversions_of,
    history_fields,
)
from engine.sip.headers import Headers

CHAIN = (Diversion("101", Why.BUSY), Diversion("102", Why.NO_ANSWER))


def test_the_latest_diversion_stands_on_top() -> None:
    assert diversion_fields(CHAIN, "office") == (
        ("Diversion", "<sip:102@office>;reason=no-answer;counter=1;privacy=off"),
        ("Diversion", "<sip:101@office>;reason=user-busy;counter=1;privacy=off"),
    )


def test_history_names_every_target_and_why_it_was_reached() -> None:
    assert history_fields(CHAIN, "103", "office") == (
        (
            "History-Info",
            "<sip:101@office>;index=1, <sip:102@office;cause=486>;index=1.1;mp=1, "
            "<sip:103@office;cause=408>;index=1.1.1;mp=1.1",
        ),
    )


def test_no_diversion_makes_no_field() -> None:
    assert diversion_fields((), "office") == history_fields((), "103", "office") == ()


@given(
    st.lists(
        st.builds(
            Diversion,
            st.from_regex(r"\+?[0-9]{1,15}", fullmatch=True),
            st.sampled_from([Why.UNCONDITIONAL, Why.BUSY, Why.NO_ANSWER, Why.UNREACHABLE, Why.DEFLECTION]),
            st.booleans(),
        ),
        max_size=MOST_DIVERSIONS,
    )
)
def test_what_is_written_is_read_again(chain: list[Diversion]) -> None:
    assert diversions_of(Headers(diversion_fields(chain, "office"))) == tuple(chain)
    assert diversions_of(Headers(history_fields(chain, "103", "office"))) == tuple(chain)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<sip:101@x>;reason=follow-me", (Diversion("101", Why.UNKNOWN),)),
        ('<sip:101@x>;reason="user-busy";privacy="full"', (Diversion("101", Why.BUSY, True),)),
        ("<sip:101@x>", (Diversion("101", Why.UNKNOWN),)),
        ("<<", ()),
        ("<sip:x>", ()),
        ("<tel:101>", ()),
    ],
)
def test_diversions_of_others(value: str, expected: tuple[Diversion, ...]) -> None:
    assert diversions_of(Headers([("Diversion", value)])) == expected


def test_an_entry_of_history_without_a_cause_is_no_diversion() -> None:
    headers = Headers([("History-Info", "<sip:101@x>;index=1, <sip:101@10.0.0.9>;index=1.1;rc=1")])
    assert diversions_of(headers) == ()


def test_endless_diversions_are_cut() -> None:
    headers = Headers(diversion_fields([Diversion(str(n), Why.BUSY) for n in range(100)], "x"))
    assert len(diversions_of(headers)) == MOST_DIVERSIONS
