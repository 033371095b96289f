"""The bench's NG client: bencode there and back."""

from __future__ import annotations

import pytest

from bench.ng import decode, encode


@pytest.mark.parametrize("value", ["", "ü", 0, -7, [], {}, {"a": ["b", 1, {"c": "d"}], "b": ""}])
def test_bencode_comes_back_as_it_was(value: object) -> None:
    assert decode(encode(value) + b"rest") == (value, len(encode(value)))


def test_dictionaries_are_sorted_as_bencode_demands() -> None:
    assert encode({"b": 1, "a": [2]}) == b"d1:ali2ee1:bi1ee"
