"""A box to tick: its mark says what it is, not its colour."""

from __future__ import annotations

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from tui.keys import TICK, bindings
from tui.widgets.ink import Inked
from tui.wording import fit


class Tick(Inked, can_focus=True):
    """Space, Enter or a click turns it."""

    BINDINGS = bindings(TICK)

    value = reactive(False)

    class Changed(Message):
        """The box was turned."""

    def __init__(self, value: bool, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.set_reactive(Tick.value, value)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        ground = "cursor" if self.has_focus else ""
        mark = "[x]" if self.value else "[ ]"
        return Strip(
            [
                Segment(mark, self.ink("strong", ground)),
                Segment(fit("", max(0, width - 3)), self.ink("text")),
            ],
            width,
        )

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        self.action_turn()

    def action_turn(self) -> None:
        self.value = not self.value
        self.post_message(self.Changed())
