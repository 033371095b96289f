"""Named colours of the theme as Rich styles, for widgets that draw their own lines."""

from __future__ import annotations

from typing import Any

from rich.style import Style
from textual.color import Color, ColorParseError
from textual.widget import Widget

_BOLD = frozenset({"title", "key", "strong", "alarm"})
_COLOUR_OF = {
    "title": "primary",
    "key": "accent",
    "strong": "foreground",
    "alarm": "error",
    "good": "success",
    "text": "foreground",
}


class Inked(Widget):
    """A widget that draws lines with named inks, each remembered until the theme changes."""

    def __init__(self, *children: Widget, **settings: Any) -> None:
        super().__init__(*children, **settings)
        self._inks: dict[tuple[str, str], Style] = {}

    def ink(self, name: str, ground: str = "") -> Style:
        """The style of ink ``name`` on the widget's own ground, or on the theme colour ``ground``."""
        style = self._inks.get((name, ground))
        if style is None:
            style = self._inks[name, ground] = self._mix(name, ground)
        return style

    def notify_style_update(self) -> None:
        self._inks.clear()
        super().notify_style_update()

    def _mix(self, name: str, ground: str) -> Style:
        variables = self.app.theme_variables
        base = self.rich_style
        colour = variables.get(_COLOUR_OF.get(name, name), "")
        if ground == "cursor":
            colour = variables["cursor-text"]
        style = base + Style(bold=name in _BOLD, color=_rich(colour))
        if ground:
            style += Style(bgcolor=_rich(variables[ground]))
        return style


def _rich(colour: str) -> str | None:
    try:
        return Color.parse(colour).hex6
    except ColorParseError:
        return None
