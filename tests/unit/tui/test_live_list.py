"""Columns share what there is."""

from __future__ import annotations

import pytest

from tui.rows import CALL_COLUMNS, PERSON_COLUMNS, PHONE_COLUMNS
from tui.screens.extensions import COLUMNS
from tui.widgets.columns import Column, share_width


@pytest.mark.parametrize("columns", [CALL_COLUMNS, PERSON_COLUMNS, PHONE_COLUMNS, COLUMNS])
@pytest.mark.parametrize("width", [24, 40, 49, 58, 76, 120, 196])
def test_columns_never_take_more_than_there_is_once_they_fit(columns: tuple[Column, ...], width: int) -> None:
    widths = share_width(columns, width)
    shown = [share for share in widths if share]
    least = sum(column.width for column in columns if not column.drop)
    if least + len(columns) <= width:
        assert sum(shown) + len(shown) - 1 <= width
    assert all(
        share == 0 or column.width <= share <= column.most for column, share in zip(columns, widths, strict=True)
    )


def test_the_least_needed_column_goes_first() -> None:
    columns = (Column(10), Column(10, drop=1), Column(10, drop=2))
    assert share_width(columns, 32) == (10, 10, 10)
    assert share_width(columns, 31) == (10, 10, 0)
    assert share_width(columns, 20) == (10, 0, 0)


def test_a_column_that_may_go_goes_before_names_are_cut() -> None:
    columns = (Column(5, usual=10, grow=1), Column(5, drop=1), Column(5, drop=2))
    assert share_width(columns, 22) == (10, 5, 5)
    assert share_width(columns, 21) == (15, 5, 0)
    assert share_width(columns, 11) == (5, 5, 0)
    assert share_width(columns, 10) == (10, 0, 0)


def test_a_column_grows_to_its_widest_text_and_no_further() -> None:
    columns = (Column(5, usual=8, grow=1), Column(5, grow=1), Column(5))
    assert share_width(columns, 60, (12, 20, 0)) == (12, 20, 5)
    assert share_width(columns, 60, (3, 3, 0)) == (8, 5, 5)


def test_what_is_left_goes_to_those_that_grow() -> None:
    assert share_width((Column(5, grow=1, most=8), Column(5, grow=3), Column(5)), 40) == (8, 25, 5)
