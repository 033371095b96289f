"""All outside lines of the office."""

from __future__ import annotations

from engine.core.views import TrunkView
from engine.pbx.trunks.line import TrunkLine
from engine.store.configuration import Configuration


class TrunkBoard:
    """Keeps one ``TrunkLine`` for each configured trunk, through every change of the configuration."""

    def __init__(self) -> None:
        self._lines: dict[str, TrunkLine] = {}
        self.revision = 0
        """Rises with everything that a view shows."""

    def apply(self, configuration: Configuration) -> None:
        """Take over the trunks as they are configured now; a line that stays keeps what it knows."""
        lines = {}
        for name, trunk in configuration.trunks.items():
            line = self._lines.get(name) or TrunkLine(trunk)
            line.trunk = trunk
            lines[name] = line
        self._lines = lines
        self.revision += 1

    def line(self, name: str) -> TrunkLine | None:
        return self._lines.get(name)

    def views(self) -> tuple[TrunkView, ...]:
        return tuple(line.view() for line in self._lines.values())
