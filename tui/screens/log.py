"""The Log screen: what the engine says, live, with a filter, a pause and a file to keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from engine.core.views import OfficeView
from engine.desk.dialling import Checked, Flaw
from engine.desk.machine import ReadLog, SaveLog
from tui.keys import KIND_LIST, LISTS, LOG, NUMBERED, PAST, SCREENS, bindings
from tui.kind import Field
from tui.log_kind import Lines
from tui.screens.history import HistoryScreen, not_one_of
from tui.screens.kind_screen import REFUSED
from tui.texts import N_, _

_LEVELS = ("all", "info", "warning", "error")


class LogScreen(HistoryScreen, inherit_bindings=False):
    """The newest line first; for administrators."""

    BINDINGS = bindings(KIND_LIST, PAST, LOG, NUMBERED, LISTS, SCREENS)
    CHOICES = (
        Field("text", N_("Words"), N_("parts of a line, or of where it comes from")),
        Field("level", N_("Level"), "all, info, warning, error"),
    )
    choose_title = N_("Choose lines")
    plain: ClassVar[Mapping[str, str]] = {"level": "all"}
    help_text = N_("The newest line is the first; p lets the list stand still, f chooses by words and level.")
    look_again_s = 1

    def __init__(self) -> None:
        super().__init__(Lines())
        self._is_paused = False

    def list_title(self) -> str:
        return super().list_title() + ("   " + _("paused: p goes on") if self._is_paused else "")

    def draw_panels(self, view: OfficeView, now: datetime) -> None:
        if self._is_paused:
            self._loaded_at = int(now.timestamp()) // self.look_again_s
        listed = self._list
        was_first = bool(listed.rows) and listed.cursor == listed.rows[0].key
        super().draw_panels(view, now)
        if was_first and not self._is_paused and listed.rows:  # who looks at the newest goes on doing so
            listed.point_first()

    def asked(self, typed: Mapping[str, str]) -> ReadLog:
        level = typed["level"].upper()
        return ReadLog(text=typed["text"] or None, level=None if level in ("", "ALL") else level)

    def check_more(self, typed: Mapping[str, str]) -> Checked:
        if typed["level"] in ("", *_LEVELS):
            return Checked()
        wrong = not_one_of(typed["level"], _LEVELS)
        return Checked((Flaw("level", wrong.what, wrong.mend),))

    def action_pause(self) -> None:
        self._is_paused = not self._is_paused
        self._loaded_at = None
        self.draw_now()

    async def action_export(self) -> None:
        path = await self.do(SaveLog(replace(self._past.asked, limit=None)))
        if path is not REFUSED:
            self.console_app.say(_("saved in {path}").format(path=path))
