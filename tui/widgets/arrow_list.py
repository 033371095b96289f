"""The ladder on the screen: a live list whose rows are arrows between the parties."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.strip import Strip

from engine.core.ladder import LadderLeg, LadderMessage
from tui.ladder import Lanes, Piece
from tui.widgets.live_list import LiveList, Row
from tui.wording import Glyphs, fit

_HEADS = 2
"""Lines above the arrows: names and addresses."""
_SIGNS = 2
"""Cells before the time: the cursor, and the mark of the message that others are compared with."""


class ArrowList(LiveList):
    """One line a message; rows are known by the message's number."""

    def __init__(self, *, id: str, glyphs: Glyphs, zone: tzinfo | None) -> None:  # noqa: A002 - Textual's word
        super().__init__((), id=id, glyphs=glyphs)
        self._top = _HEADS
        self._zone = zone
        self._legs: tuple[LadderLeg, ...] = ()
        self._messages: Sequence[LadderMessage] = ()
        self._lanes = Lanes.across((), 0)
        self._told: list[Row] = []
        self.marked: str | None = None

    def tell(self, legs: tuple[LadderLeg, ...], messages: Sequence[LadderMessage]) -> None:
        """Show these messages; those that were there before must be the first of them."""
        self._messages = messages
        if _who(legs) != _who(self._legs) or len(messages) < len(self._told):
            self._told.clear()
        self._legs = legs
        self._draw_arrows()

    def mark(self, key: str | None) -> None:
        """Mark the message that others are compared with, or none."""
        self.marked = key
        self.redraw_all()

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self._draw_arrows()

    def render_line(self, y: int) -> Strip:
        if y >= _HEADS:
            return super().render_line(y)
        pieces = self._lanes.names() if y == 0 else self._lanes.addresses()
        return Strip(self._segments([(" " * _SIGNS, "text"), *pieces], "", self._room), self._room)

    def _draw_arrows(self) -> None:
        lanes = Lanes.across(self._legs, self._room - _SIGNS)
        if (lanes.width, lanes.is_shared, len(lanes.legs)) != (
            self._lanes.width, self._lanes.is_shared, len(self._lanes.legs)
        ):  # fmt: skip
            self._told.clear()
            self.refresh()
        self._lanes = lanes
        for place in range(len(self._told), len(self._messages)):
            before = self._messages[place - 1] if place else None
            message = self._messages[place]
            pieces = lanes.arrow(message, before, self._zone, self._glyphs)
            self._told.append(Row(str(message.number), tuple(pieces)))
        self.show(tuple(self._told))

    def _draw_row(self, row: Row) -> list[Segment]:
        is_here = row.key == self.cursor
        ground = "" if not is_here else "cursor" if self.has_focus else "cursor-idle"
        signs = (self._glyphs.cursor if is_here else " ") + (self._glyphs.mark if row.key == self.marked else " ")
        return self._segments([(signs, "key"), *row.cells], ground, self._cell_width)

    def _segments(self, pieces: Sequence[Piece], ground: str, width: int) -> list[Segment]:
        segments, room = [], width
        for text, ink in pieces:
            shown = text if cell_len(text) <= room else fit(text, room)
            segments.append(Segment(shown, self.ink(ink, ground)))
            room -= cell_len(shown)
            if room <= 0:
                break
        if room > 0:
            segments.append(Segment(" " * room, self.ink("text", ground)))
        return segments


def _who(legs: Sequence[LadderLeg]) -> list[tuple[str, str | None, tuple[str, int]]]:
    return [(leg.number, leg.name, leg.remote) for leg in legs]
