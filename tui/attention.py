"""A caller that nobody answers becomes louder: colour, then the bell, then title and frame; no sound files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from engine.core.views import CallView
from tui.texts import _
from tui.waiting import BELL_EVERY_S, Loudness, loudness, waiting_s
from tui.widgets.live_list import LiveList
from tui.wording import duration

if TYPE_CHECKING:
    from tui.console import FrontdeskConsole


class Attention:
    """Of one console."""

    def __init__(self) -> None:
        self._known: frozenset[str] = frozenset()
        self._rang_at: datetime | None = None
        self._level = Loudness.CALM

    def ask(self, app: FrontdeskConsole, panel: LiveList, waiting: Sequence[CallView], now: datetime) -> None:
        """Say who waits, as loud as the one that has waited longest; called with each drawing."""
        names = frozenset(call.id for call in waiting)
        has_come = bool(names - self._known)
        self._known = names
        level = max((loudness(call, now) for call in waiting), default=Loudness.CALM)
        rang_ago = (now - self._rang_at).total_seconds() if self._rang_at is not None else BELL_EVERY_S
        if has_come or (level >= Loudness.HEARD and rang_ago >= BELL_EVERY_S):
            self._rang_at = now
            app.bell()
        panel.set_class(level >= Loudness.COLOURED, "-louder")
        is_lit = level is Loudness.FLASHING and int(now.timestamp()) % 2 == 0
        panel.set_class(is_lit, "-flash")
        if level is not self._level or level >= Loudness.COLOURED:
            self._level = level
            panel.border_title = _title(app, waiting, level, now)
        app.tell_title(_("{n} waiting").format(n=len(waiting)) if waiting else "")


def _title(app: FrontdeskConsole, waiting: Sequence[CallView], level: Loudness, now: datetime) -> str:
    title = _("Waiting for you")
    if level < Loudness.COLOURED:
        return title
    longest = max(waiting_s(call, now) for call in waiting)
    return f"{app.glyphs.warning} {title} {duration(longest)}"
