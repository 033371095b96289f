"""A list that lives: only visible lines are drawn, only changed ones again, and the cursor never jumps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.keys import LIVE_LIST, bindings
from tui.texts import _
from tui.widgets.columns import Column, share_width
from tui.widgets.ink import Inked
from tui.wording import RICH_GLYPHS, Glyphs, fit

Cell = tuple[str, str]
"""What a cell says and the ink it says it in."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line (or one cell of a flowing list), known by its key for as long as it lives."""

    key: str
    cells: tuple[Cell, ...]


class LiveList(ScrollView, Inked, can_focus=True):
    """Rows in columns; with ``flow`` cells in as many columns of rows as fit, each at least ``flow`` wide.

    When the row under the cursor goes the cursor stands on none, or with ``goes_to_neighbour`` on the one beside.
    """

    BINDINGS = bindings(LIVE_LIST)

    class Opened(Message):
        """Enter or a double click on a row."""

        def __init__(self, source: LiveList, key: str) -> None:
            super().__init__()
            self.source = source
            self.key = key

        @property
        def control(self) -> LiveList:
            return self.source

    class NothingChosen(Message):
        """Enter while the cursor stands on no row."""

    class Moved(Message):
        """The cursor stands on another row."""

        def __init__(self, source: LiveList) -> None:
            super().__init__()
            self.source = source

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        id: str,  # noqa: A002 - Textual's word
        flow: int = 0,
        has_titles: bool = False,
        goes_to_neighbour: bool = False,
        glyphs: Glyphs = RICH_GLYPHS,
    ) -> None:
        super().__init__(id=id)
        self.columns = tuple(columns)
        self.empty_text = ""
        self._flow = flow
        self._goes_to_neighbour = goes_to_neighbour
        self._top = 1 if has_titles else 0
        self._glyphs = glyphs
        self._rows: tuple[Row, ...] = ()
        self._places: dict[str, int] = {}
        self._cursor: str | None = None
        self._last_place = 0
        self._across = 1
        self._lines = 0
        self._strips: dict[int, Strip] = {}
        self._widths: tuple[int, ...] = (0,) * len(self.columns)
        self._widest = [0] * len(self.columns)
        self._shared = 0
        self._page = 1

    @property
    def cursor(self) -> str | None:
        """The key of the row under the cursor; ``None`` when that row is gone."""
        return self._cursor

    @property
    def rows(self) -> tuple[Row, ...]:
        return self._rows

    def show(self, rows: tuple[Row, ...]) -> None:
        """Draw these rows from now on; the cursor stays on its row as long as that is there."""
        if rows == self._rows:
            return
        before, self._rows = self._rows, rows
        was_on = self._cursor
        is_same_shape = len(before) == len(rows)
        self._places = {row.key: place for place, row in enumerate(rows)}
        if self._cursor is not None:
            self._last_place = self._places.get(self._cursor, self._last_place)
            if self._cursor not in self._places:
                beside = min(self._last_place, len(rows) - 1)
                self._cursor = rows[beside].key if rows and self._goes_to_neighbour else None
        elif not before and rows:
            self._cursor = rows[0].key
        if self._cursor != was_on or not before or not rows:
            self.screen.refresh_bindings()  # what can be opened has changed, and so has the key bar
        has_wider = self._measure(rows)
        if has_wider or not is_same_shape or not self._lines:
            self._lay_out()
            return
        changed = {
            self._line_of(place)
            for place, (old, new) in enumerate(zip(before, rows, strict=True))
            if old is not new and old != new
        }
        for line in changed:
            self._strips.pop(line, None)
        top = self.scroll_offset.y
        visible = sorted(line for line in changed if top <= line < top + self.size.height)
        # Neighbours are drawn as one region: fewer bytes than all, less work than each.
        for _run, group in groupby(enumerate(visible), lambda pair: pair[1] - pair[0]):
            lines = [line for _place, line in group]
            self.refresh_lines(lines[0] + self._top, len(lines))

    def count(self, number: int, *, is_searched: bool = False) -> None:
        """Show how many there are in all, in the frame; of a search also how many it found."""
        text = f"{len(self._rows)}/{number}" if is_searched else str(number) if number else ""
        if text != self.border_subtitle:  # setting it draws the whole widget again
            self.border_subtitle = text

    def point(self, key: str | None) -> None:
        """Move the cursor to a row, or to none."""
        if key is not None and key not in self._places:
            return
        for touched in (self._cursor, key):
            if touched is not None and touched in self._places:
                self._redraw(self._line_of(self._places[touched]))
        has_moved = key != self._cursor
        self._cursor = key
        if key is not None:
            self._last_place = self._places[key]
            self._bring_into_view(self._last_place)
        if has_moved:
            self.post_message(self.Moved(self))

    def point_first(self) -> None:
        self.point(self._rows[0].key if self._rows else None)

    def redraw_all(self) -> None:
        """Forget every drawn line: colours, language or columns have changed."""
        self._strips.clear()
        self.refresh()

    def action_open(self) -> None:
        if self._cursor is not None:
            self.post_message(self.Opened(self, self._cursor))
        else:
            self.post_message(self.NothingChosen())

    def action_move(self, steps: int) -> None:
        self._step(steps)

    def action_move_across(self, steps: int) -> None:
        place = self._last_place + steps * self._page
        if 0 <= place < len(self._rows):
            self._step(steps * self._page)

    def action_move_page(self, direction: int) -> None:
        page = self._page * self._across if self._across > 1 else self.size.height - self._top - 1
        self._step(direction * max(1, page))

    def action_move_end(self, direction: int) -> None:
        if self._rows:
            self.point(self._rows[0 if direction < 0 else -1].key)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "move_across":
            return self._across > 1
        if action == "open":
            return bool(self._rows)
        return True

    def on_resize(self, event: events.Resize) -> None:
        self._lay_out()

    def on_focus(self) -> None:
        self.redraw_all()

    def on_blur(self) -> None:
        self.redraw_all()

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        line = offset.y + self.scroll_offset.y - self._top
        width = self._cell_width + 3
        column = offset.x // width if self._across > 1 else 0
        place = self._place_at(line, column)
        if 0 <= line < self._lines and column < self._across and place < len(self._rows):
            self.point(self._rows[place].key)
            if event.chain == 2:
                self.action_open()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._turn_page(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._turn_page(event, -1)

    def notify_style_update(self) -> None:
        self._strips.clear()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        width = self._room
        if width != self._shared:  # a scrollbar has come or gone since
            self._share()
        if y < self._top:
            return self._title_line(width)
        if not self._rows:
            return self._empty_line(y - self._top, width)
        line = y - self._top + self.scroll_offset.y
        if line >= self._lines:
            return Strip.blank(width, self.ink("text"))
        strip = self._strips.get(line)
        if strip is None:
            strip = self._strips[line] = self._draw(line, width)
        return strip

    @property
    def _room(self) -> int:
        """Cells a line has beside the scrollbar."""
        return self.scrollable_content_region.width

    @property
    def _cell_width(self) -> int:
        return (self._room - 3 * (self._across - 1)) // self._across

    def _step(self, steps: int) -> None:
        if not self._rows:
            return
        place = self._last_place if self._cursor is None else self._places[self._cursor] + steps
        self.point(self._rows[min(max(place, 0), len(self._rows) - 1)].key)

    def _turn_page(self, event: events.MouseEvent, pages: int) -> None:
        """The wheel turns whole pages where columns are read downwards within one."""
        if self._across > 1:
            event.prevent_default()
            event.stop()
            self.scroll_to(y=self.scroll_offset.y + pages * self._page, animate=False)

    def _line_of(self, place: int) -> int:
        """The line a row stands in: columns are read downwards, one page after the other."""
        return place // (self._page * self._across) * self._page + place % self._page

    def _place_at(self, line: int, column: int) -> int:
        page, below = divmod(line, self._page)
        return (page * self._across + column) * self._page + below

    def _bring_into_view(self, place: int) -> None:
        line = self._line_of(place)
        height = self.size.height - self._top
        top = self.scroll_offset.y
        if self._across > 1:
            self.scroll_to(y=line - line % self._page, animate=False)
        elif line < top:
            self.scroll_to(y=line, animate=False)
        elif height > 0 and line >= top + height:
            self.scroll_to(y=line - height + 1, animate=False)

    def _redraw(self, line: int) -> None:
        self._strips.pop(line, None)
        self.refresh_line(line + self._top)

    def _lay_out(self) -> None:
        width, height = self._room, self.size.height - self._top
        if width <= 0:
            return
        count = len(self._rows)
        if self._flow:
            most = max(1, (width + 3) // (self._flow + 3))
            self._across = min(most, max(1, -(-count // max(1, height))))
            # Columns are read downwards within what is seen at once; what has no room is on the next page.
            self._page = max(1, min(height, count))
            self._lines = -(-count // (self._page * self._across)) * self._page
        else:
            self._lines = count
            self._page = max(1, count)
        self._share()
        self.virtual_size = Size(width, self._lines + self._top)
        self.refresh()

    def _share(self) -> None:
        self._shared = self._room
        self._measure(())  # the titles, which need their room in an empty list, too
        self._widths = share_width(self.columns, self._cell_width - 2, self._widest)
        self._strips.clear()

    def _measure(self, rows: tuple[Row, ...]) -> bool:
        """Note the widest text of each column that grows; never narrower again, so that nothing sways."""
        has_wider = False
        for place, column in enumerate(self.columns):
            if column.grow:
                title = cell_len(_(column.title)) if column.title and self._top else 0
                widest = max((cell_len(row.cells[place][0]) for row in rows), default=0)
                widest = max(widest, title)
                if widest > self._widest[place]:
                    self._widest[place] = widest
                    has_wider = True
        return has_wider

    def _draw(self, line: int, width: int) -> Strip:
        segments: list[Segment] = []
        used = 0
        for column in range(self._across):
            if column:
                segments.append(Segment(f" {self._glyphs.rule} ", self.ink("frame")))
                used += 3
            place = self._place_at(line, column)
            if place < len(self._rows):
                segments += self._draw_row(self._rows[place])
            else:
                segments.append(Segment(" " * self._cell_width, self.ink("text")))
            used += self._cell_width
        if used < width:
            segments.append(Segment(" " * (width - used), self.ink("text")))
        return Strip(segments, width)

    def _draw_row(self, row: Row) -> list[Segment]:
        is_here = row.key == self._cursor
        ground = "" if not is_here else "cursor" if self.has_focus else "cursor-idle"
        segments = [Segment(f"{self._glyphs.cursor if is_here else ' '} ", self.ink("strong", ground))]
        rest = self._cell_width - 2
        for column, width, (text, ink) in zip(self.columns, self._widths, row.cells, strict=True):
            if not width or not rest:
                continue
            width = min(width, rest)
            gap = min(1, rest - width)
            segments.append(Segment(fit(text, width, to_right=column.to_right) + " " * gap, self.ink(ink, ground)))
            rest -= width + gap
        if rest:
            segments.append(Segment(" " * rest, self.ink("text", ground)))
        return segments

    def _title_line(self, width: int) -> Strip:
        text = "  " + " ".join(
            fit(_(column.title) if column.title else "", share, to_right=column.to_right)
            for column, share in zip(self.columns, self._widths, strict=True)
            if share
        )
        return Strip([Segment(fit(text, width), self.ink("quiet"))], width)

    def _empty_line(self, y: int, width: int) -> Strip:
        lines = self.empty_text.splitlines()
        text = lines[y] if y < len(lines) else ""
        return Strip([Segment(fit("  " + text, width), self.ink("quiet"))], width)
