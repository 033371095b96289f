"""A text to read: lines in inks, wrapped to the width, scrolled by keys and wheel; only visible lines are drawn."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.keys import TEXT_PANE, bindings
from tui.widgets.ink import Inked
from tui.wording import clean, fit

TextLine = tuple[tuple[str, str], ...]
"""Pieces of one line, each with its ink."""
_INDENT = "  "


class TextPane(ScrollView, Inked, can_focus=True):
    """Shows the lines it was given until it is given others; then it begins at the top."""

    BINDINGS = bindings(TEXT_PANE)

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._lines: tuple[TextLine, ...] = ()
        self._wrapped: list[TextLine] = []

    def read(self, lines: Sequence[TextLine]) -> None:
        """Show ``lines`` from the first on; the same ones again change nothing."""
        if tuple(lines) == self._lines:
            return
        self._lines = tuple(lines)
        self._wrap()
        self.scroll_to(y=0, animate=False)

    def action_move(self, steps: int) -> None:
        self.scroll_to(y=self.scroll_offset.y + steps, animate=False)

    def action_move_page(self, direction: int) -> None:
        self.scroll_to(y=self.scroll_offset.y + direction * max(1, self.size.height - 1), animate=False)

    def action_move_end(self, direction: int) -> None:
        self.scroll_to(y=0 if direction < 0 else len(self._wrapped), animate=False)

    def on_resize(self, event: events.Resize) -> None:
        self._wrap()

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        place = y + self.scroll_offset.y
        if place >= len(self._wrapped):
            return Strip.blank(width, self.ink("text"))
        segments, room = [], width
        for text, ink in self._wrapped[place]:
            shown = fit(text, min(room, cell_len(text)))
            segments.append(Segment(shown, self.ink(ink)))
            room -= cell_len(shown)
        segments.append(Segment(" " * room, self.ink("text")))
        return Strip(segments, width)

    def _wrap(self) -> None:
        width = self.content_region.width - 1  # room for the scrollbar, whether it is there or not
        if width <= len(_INDENT):
            return
        self._wrapped = [piece for line in self._lines for piece in _fold(line, width)]
        self.virtual_size = Size(width, len(self._wrapped))
        self.refresh()


def _fold(line: TextLine, width: int) -> list[TextLine]:
    """The line in as many lines as it needs; what goes on is indented."""
    folded: list[TextLine] = []
    current: list[tuple[str, str]] = []
    room = width
    for text, ink in line:
        rest = clean(text)
        while cell_len(rest) > room:
            head = chop_cells(rest, room)[0] if room > 0 else ""
            if cell_len(head) > room:
                head = ""
            folded.append((*current, (head, ink)))
            rest, current, room = rest[len(head) :], [(_INDENT, ink)], width - len(_INDENT)
        current.append((rest, ink))
        room -= cell_len(rest)
    return [*folded, tuple(current)]
