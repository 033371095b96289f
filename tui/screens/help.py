"""The help page: the keys that work on the screen it was called from, and what the lamps mean."""

from __future__ import annotations

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from engine.core.views import Lamp
from tui.keys import CARD, bindings, face_of
from tui.rows import lamp_cells
from tui.texts import _
from tui.widgets.lines import KeyBar
from tui.wording import RICH_GLYPHS, Glyphs


class HelpScreen(ModalScreen[None]):
    """Made from the live bindings, so it cannot be wrong."""

    BINDINGS = bindings(CARD)

    def __init__(self, about: Screen[object]) -> None:
        super().__init__()
        self._text = _(getattr(about, "help_text", ""))
        self._has_lamps = getattr(about, "has_lamps", True)
        self._keys = [
            (binding.key_display or face_of(binding.key), _(binding.description))
            for _node, binding, is_enabled, _tip in about.active_bindings.values()
            if is_enabled and binding.description and (binding.key_display or binding.id)
        ]

    def compose(self) -> ComposeResult:
        glyphs: Glyphs = getattr(self.app, "glyphs", RICH_GLYPHS)
        lamps = [(sign, word, ink) for (sign, ink), (word, _ink) in (lamp_cells(lamp, glyphs) for lamp in Lamp)]
        with VerticalScroll(classes="dialog", id="help") as page:
            page.border_title = _("Keys of this screen")
            yield Static(Content(_in_two_columns(self._keys)))
            if self._text:
                yield Static(Content("\n" + self._text.format(again=glyphs.again)), classes="quiet")
            if self._has_lamps:
                yield Static(
                    Content.assemble("\n", *((f"{sign} {word}   ", f"${ink}") for sign, word, ink in lamps))
                )
            yield KeyBar()

    def action_close(self) -> None:
        self.dismiss()


def _in_two_columns(keys: list[tuple[str, str]]) -> str:
    half = -(-len(keys) // 2)
    lines = []
    for left, right in zip(keys[:half], [*keys[half:], ("", "")][:half], strict=True):
        lines.append(_entry(left, 32) + _entry(right, 0))
    return "\n".join(lines)


def _entry(key: tuple[str, str], width: int) -> str:
    text = key[0] + " " * max(1, 8 - cell_len(key[0])) + key[1]
    return text + " " * max(0, width - cell_len(text))
