"""Text fits its cells and cannot steer the terminal."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from tui.wording import clean, duration, fit


@pytest.mark.parametrize("text", ["Anna Berger", "Bo Chen 陈波", "王小明王小明", "", "a", "Ünsal"])
@pytest.mark.parametrize("width", [0, 1, 2, 5, 9, 20])
def test_text_takes_exactly_its_cells(text: str, width: int) -> None:
    assert cell_len(fit(text, width)) == width
    assert cell_len(fit(text, width, to_right=True)) == width


def test_what_does_not_fit_says_so() -> None:
    assert fit("Anna Berger", 6) == "Anna …"
    assert fit("陈波陈波", 5) == "陈波…"


@pytest.mark.parametrize("evil", ["\x1b[2J", "\r\n", "\x9b31m", "a\u202eb", "\u200b", "\x07", "\ue000"])
def test_control_characters_from_outside_are_replaced(evil: str) -> None:
    assert "\N{REPLACEMENT CHARACTER}" in clean(evil)
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in fit(evil, 10))


def test_durations_read_like_a_clock() -> None:
    assert [duration(s) for s in (0, 7.9, 61, 754, 3723)] == ["0:00", "0:07", "1:01", "12:34", "1:02:03"]
