"""Random tokens."""

from __future__ import annotations

import pytest

from engine.core.tokens import TokenSource


@pytest.mark.parametrize("size", [0, 1, 8, 4096])
def test_a_token_has_two_hex_digits_for_each_byte(size: int) -> None:
    token = TokenSource().hex(size)
    assert len(token) == 2 * size
    assert set(token) <= set("0123456789abcdef")


def test_no_token_comes_twice_however_often_the_well_is_filled() -> None:
    source = TokenSource()
    tokens = [source.hex(size) for size in (8, 16, 7, 8) * 1000]
    assert len(set(tokens)) == len(tokens)


def test_two_sources_share_nothing() -> None:
    one, other = TokenSource(), TokenSource()
    assert {one.hex(8) for _ in range(1000)}.isdisjoint({other.hex(8) for _ in range(1000)})


def test_a_token_longer_than_the_well_is_refused() -> None:
    with pytest.raises(ValueError, match="4097"):
        TokenSource().hex(4097)
