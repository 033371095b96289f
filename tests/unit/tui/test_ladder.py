"""The ladder's lines: who stands where, what an arrow says, and that every line is as wide as the next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import pytest
from rich.cells import cell_len

from engine.core.ladder import LadderLeg, LadderMessage
from tests.unit.desk.fakes import a_ladder
from tui.ladder import TIME_WIDTH, Lanes, Piece, ink_of, label, line_of
from tui.wording import PLAIN_GLYPHS, RICH_GLYPHS

LADDER = a_ladder()
INVITE, CHALLENGE, _ACK, LOGIN, _TRYING, OUT, AGAIN = LADDER.messages[:7]


def legs(count: int) -> tuple[LadderLeg, ...]:
    """The caller and ``count`` phones that were called."""
    return (LADDER.legs[0], *(replace(LADDER.legs[1], remote=("192.0.2.3", 5060 + n)) for n in range(count)))


def drawn(lanes: Lanes, message: LadderMessage, before: LadderMessage | None = None) -> str:
    return line_of(lanes.arrow(message, before, UTC, RICH_GLYPHS))


def width(pieces: list[Piece]) -> int:
    return sum(cell_len(text) for text, _ink in pieces)


@pytest.mark.parametrize("room", [40, 60, 78, 100, 120, 200])
@pytest.mark.parametrize("phones", [0, 1, 2, 3, 5])
def test_heads_and_arrows_are_equally_wide_and_fit(room: int, phones: int) -> None:
    lanes = Lanes.across(legs(phones), room)
    whole = TIME_WIDTH + 2 + lanes.right + lanes.width * (1 + lanes.right)
    assert whole <= max(room, 30)
    assert width(lanes.names()) == width(lanes.addresses()) == whole
    for message in LADDER.messages:
        for leg in range(1 + phones) if message.leg else (0,):
            if leg or not message.leg:
                assert width(lanes.arrow(replace(message, leg=leg), None, UTC, RICH_GLYPHS)) == whole


def test_an_arrow_goes_from_who_speaks_to_who_hears() -> None:
    lanes = Lanes.across(legs(1), 80)
    lane = " " * lanes.width
    assert drawn(lanes, INVITE).endswith(f"▶│{lane}│")
    assert "│◀─── 407 Proxy Authentication… ─" in drawn(lanes, CHALLENGE)
    assert f"│{lane}│─── INVITE SDP ─" in drawn(lanes, OUT)
    assert drawn(lanes, OUT).endswith("▶│")


def test_an_arrow_to_a_further_phone_crosses_the_lines_between() -> None:
    lanes = Lanes.across(legs(3), 120)
    line = drawn(lanes, replace(OUT, leg=3))
    assert line.count("┼") == 2
    assert line.endswith("▶│")
    assert drawn(lanes, replace(OUT, leg=1)).count("│") == 5


def test_where_lanes_would_be_too_narrow_the_phones_share_one() -> None:
    lanes = Lanes.across(legs(5), 78)
    assert (lanes.is_shared, lanes.right) == (True, 1)
    assert "102/4 INVITE SDP" in drawn(lanes, replace(OUT, leg=4))


def test_the_time_is_whole_where_the_second_is_another() -> None:
    lanes = Lanes.across(legs(1), 80)
    assert drawn(lanes, INVITE).startswith("00:00:00.000 ")
    assert drawn(lanes, CHALLENGE, INVITE).startswith("        .137 ")
    assert drawn(lanes, LADDER.messages[8], LADDER.messages[7]).startswith("00:00:01.096 ")


@pytest.mark.parametrize(
    ("message", "room", "says"),
    [
        (LOGIN, 40, "INVITE (auth) SDP"),
        (LOGIN, 12, "INVITE SDP"),
        (AGAIN, 40, "↻ INVITE SDP"),
        (replace(CHALLENGE, title="200 OK", method="BYE"), 40, "200 OK (BYE)"),
        (replace(CHALLENGE, title="200 OK", method="BYE"), 10, "200 (BYE)"),
        (CHALLENGE, 40, "407 Proxy Authentication Required"),
        (CHALLENGE, 20, "407 Proxy Authen…"),
        (CHALLENGE, 12, "407"),
    ],
)
def test_labels_lose_what_tells_least_first(message: LadderMessage, room: int, says: str) -> None:
    assert label(message, RICH_GLYPHS, "", room) == says
    assert label(message, RICH_GLYPHS, "102/1 ", 60) == f"102/1 {label(message, RICH_GLYPHS, '', 60)}"


def test_a_plain_terminal_gets_plain_signs() -> None:
    line = line_of(Lanes.across(legs(1), 80).arrow(AGAIN, None, UTC, PLAIN_GLYPHS))
    assert line.isascii()
    assert "% INVITE SDP" in line


def test_refusals_are_loud_and_challenges_are_not() -> None:
    assert ink_of(replace(CHALLENGE, title="486 Busy Here")) == "alarm"
    assert ink_of(CHALLENGE) == "text"
    assert ink_of(replace(CHALLENGE, title="200 OK")) == "good"
    assert ink_of(AGAIN) == "quiet"


def test_a_name_too_long_for_its_lane_leaves_the_number() -> None:
    lanes = Lanes.across(legs(3), 82)
    names = line_of(lanes.names())
    assert (names.count("102"), names.count("102 Bo Chen 陈波")) == (3, 2)
    assert line_of(lanes.addresses()).count(" 192.0.2.3:506") == 2
