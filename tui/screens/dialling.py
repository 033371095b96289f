"""The Dialling screen: routes, inbound numbers, levels and schedules, one list at a time, and the night switch."""

from __future__ import annotations

from engine.desk.dialling import GetNight, SetNight
from engine.store.outside import Night
from tui.dialling import DIALLING as KINDS
from tui.keys import DIALLING, KIND_LIST, LISTS, NUMBERED, SCREENS, bindings
from tui.screens.kind_screen import REFUSED, KindScreen
from tui.screens.try_number import TryNumber
from tui.texts import N_, _
from tui.wording import NEXT_NIGHT, NIGHT_WORDS


class DiallingScreen(KindScreen, inherit_bindings=False):
    """Where calls go."""

    BINDINGS = bindings(KIND_LIST, DIALLING, NUMBERED, LISTS, SCREENS)
    KINDS = KINDS
    help_text = N_("The key l shows the next list: routes, inbound numbers, levels, schedules.")

    def __init__(self) -> None:
        super().__init__()
        self._night = Night.AUTO

    def list_title(self) -> str:
        return _("{list}   night switch: {night}").format(
            list=_(self.kind.title), night=_(NIGHT_WORDS[self._night])
        )

    async def load_more(self) -> None:
        self._night = await self.console_app.ask(GetNight())

    def action_try_number(self) -> None:
        self.app.push_screen(TryNumber())

    async def action_turn_night(self) -> None:
        if await self.do(SetNight(NEXT_NIGHT[self._night])) is not REFUSED:
            await self._load()
            self.console_app.say(_("night switch: {night}").format(night=_(NIGHT_WORDS[self._night])))
