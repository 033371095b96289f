"""The single lines around the panels: office bar, notice, health and the key bar."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.screen import Screen
from textual.strip import Strip

from tui.keys import WHILE_TYPING, face_of
from tui.texts import _
from tui.widgets.ink import Inked
from tui.wording import clean, fit

Part = tuple[str, str]
"""A piece of a line and its ink."""


class Line(Inked):
    """One line with a left side and a right side; where both do not fit the right side goes first."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._left: tuple[Part, ...] = ()
        self._right: tuple[Part, ...] = ()
        self._extras: tuple[tuple[Part, ...], ...] = ()
        self._is_urgent = False

    def say(
        self,
        left: Sequence[Part],
        right: Sequence[Part] = (),
        extras: Sequence[Sequence[Part]] = (),
        *,
        is_urgent: bool = False,
    ) -> None:
        """Show these parts from now on; after the left side the first of ``extras`` for which there is room.

        What ``is_urgent`` is shown in its last form at least, if need be instead of the right side.
        """
        said = tuple(left), tuple(right), tuple(tuple(extra) for extra in extras), is_urgent
        if said != (self._left, self._right, self._extras, self._is_urgent):
            self._left, self._right, self._extras, self._is_urgent = said
            self.refresh()

    def _chosen_extra(self, width: int) -> tuple[Part, ...]:
        taken = sum(cell_len(clean(text)) for text, _ink in (*self._left, *self._right))
        for extra in self._extras:
            if taken + sum(cell_len(clean(text)) for text, _ink in extra) < width:
                return extra
        return self._extras[-1] if self._extras and self._is_urgent else ()

    @property
    def text(self) -> str:
        """What the line says, without inks."""
        return "".join(part[0] for part in (*self._left, *self._right))

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y:
            return Strip.blank(width, self.ink("text"))
        right = [(clean(text), ink) for text, ink in self._right]
        needed = sum(cell_len(text) for text, _ink in right)
        left = _cut((*self._left, *self._chosen_extra(width)), width)
        used = sum(cell_len(text) for text, _ink in left)
        if used + needed + 1 > width:
            right, needed = [], 0
        segments = [Segment(text, self.ink(ink)) for text, ink in left]
        segments.append(Segment(" " * (width - used - needed), self.ink("text")))
        segments += [Segment(text, self.ink(ink)) for text, ink in right]
        return Strip(segments, width)


class KeyBar(Line):
    """The keys that work now, made from the live bindings; each can be clicked."""

    class Idle(Message):
        """A key was clicked that could act when it was drawn and cannot now."""

        def __init__(self, face: str) -> None:
            super().__init__()
            self.face = face

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._drawn: list[Binding] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._update)
        self.call_after_refresh(self._update, self.screen)

    def on_resize(self) -> None:
        self._update(self.screen)

    def on_click(self, event: events.Click) -> None:
        at = 1
        for binding in self._drawn:
            width = _width(binding)
            if at <= event.x < at + width - 2:
                if binding in self._shown():
                    self.app.simulate_key(binding.key)
                else:
                    self.post_message(self.Idle(_face(binding)))
                return
            at += width

    def _update(self, _screen: Screen[object]) -> None:
        parts: list[Part] = []
        self._drawn = self._shown()
        for binding in self._drawn:
            parts += [
                ("  " if parts else " ", "text"),
                (_face(binding), "key"),
                (f" {_(binding.description)}", "quiet"),
            ]
        self.say(parts)

    def _shown(self) -> list[Binding]:
        shown: list[Binding] = []
        deeds: set[str] = set()
        is_typing = getattr(self.screen, "is_filtering", False)
        for _node, binding, is_enabled, _tip in self.screen.active_bindings.values():
            is_offered = binding.key in WHILE_TYPING if is_typing else binding.show
            if is_offered and is_enabled and binding.action not in deeds:
                deeds.add(binding.action)
                shown.append(binding)
        room = self.size.width + 1
        for binding in [binding for binding in reversed(shown) if binding.action not in _ALWAYS_SHOWN]:
            if sum(_width(each) for each in shown) <= room:
                break
            shown.remove(binding)
        return shown


_ALWAYS_SHOWN = ("app.help", "help", "leave", "clear_filter", "back")
"""Help tells of the keys that have no room."""


def _width(binding: Binding) -> int:
    return cell_len(_face(binding)) + cell_len(_(binding.description)) + 3


def _face(binding: Binding) -> str:
    return binding.key_display or face_of(binding.key)


def _cut(parts: Sequence[Part], width: int) -> list[Part]:
    kept: list[Part] = []
    for text, ink in parts:
        text = clean(text)
        room = width - sum(cell_len(kept_text) for kept_text, _ink in kept)
        if room <= 0:
            break
        kept.append((text if cell_len(text) <= room else fit(text, room), ink))
    return kept
