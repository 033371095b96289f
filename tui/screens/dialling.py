"""The Dialling screen: routes, inbound numbers, levels, schedules, screening and addresses, one list at a time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from textual.widget import Widget

from engine.core.errors import RefusedError
from engine.core.views import OfficeView
from engine.desk.commands import Command
from engine.desk.dialling import GetNight, SetNight
from engine.store.configuration import Role
from engine.store.outside import Night
from tui.dialling import KINDS, Kind
from tui.keys import DIALLING, LISTS, SCREENS, bindings
from tui.refusals import refusal_text
from tui.screens.base import OfficeScreen
from tui.screens.entity_form import EntityForm
from tui.screens.question import Question
from tui.screens.try_number import TryNumber
from tui.texts import N_, _, plural
from tui.widgets.live_list import LiveList, Row

_REFUSED = object()
_NIGHTS = {Night.ON: N_("night"), Night.OFF: N_("day"), Night.AUTO: N_("by the clock")}
_NEXT_NIGHT = {Night.AUTO: Night.ON, Night.ON: Night.OFF, Night.OFF: Night.AUTO}


class DiallingScreen(OfficeScreen, inherit_bindings=False):
    """Where calls go and who is let in."""

    BINDINGS = bindings(DIALLING, LISTS, SCREENS)
    help_text = N_(
        "The key l shows the next list: routes, inbound numbers, levels, schedules, screening, addresses."
    )
    has_lamps = False

    def __init__(self) -> None:
        super().__init__()
        self._at = 0
        self._items: tuple[Any, ...] = ()
        self._night = Night.AUTO
        self._refusal = ""
        self._is_loaded = False
        self._wanted = ""
        self._loaded_at: int | None = None

    @property
    def kind(self) -> Kind:
        """What is listed now."""
        return KINDS[self._at]

    def compose_panels(self) -> Iterable[Widget]:
        for place, kind in enumerate(KINDS):
            listed = LiveList(
                kind.columns,
                id=f"kind-{place}",
                has_titles=True,
                goes_to_neighbour=True,
                glyphs=self.console_app.glyphs,
            )
            listed.border_title = _(kind.title)
            listed.display = place == self._at
            yield listed

    def found_text(self) -> str:
        return plural("{n} line", "{n} lines", len(self._list.rows))

    def search_changed(self) -> None:
        self.draw_now()
        self._list.point_first()

    def draw_panels(self, view: OfficeView, now: datetime) -> None:
        second = int(now.timestamp()) // 5
        if second != self._loaded_at:  # counts go on, schedules begin, others change them
            self._loaded_at = second
            self.run_worker(self._load())
        words = self.search.casefold().split()
        listed, kind = self._list, self.kind
        listed.border_title = _("{list}   night switch: {night}").format(
            list=_(kind.title), night=_(_NIGHTS[self._night])
        )
        listed.empty_text = (
            self._refusal
            if self._refusal or not self._is_loaded
            else _("nothing found; Esc shows all again")
            if self.search
            else _(kind.empty)
        )
        found = [
            item
            for item in self._items
            if all(any(word in cell.casefold() for cell in kind.cells(item)) for word in words)
        ]
        listed.show(tuple(self._row(item) for item in found))
        listed.count(len(self._items), is_searched=bool(self.search))
        if self._wanted and any(row.key == self._wanted for row in listed.rows):
            wanted, self._wanted = self._wanted, ""
            listed.point(wanted)

    def look_at(self, key: str) -> None:
        self._wanted = key

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("edit", "remove") and self._has_panels and not self._list.rows:
            return False
        return super().check_action(action, parameters)

    def on_screen_resume(self) -> None:
        self._loaded_at = None
        super().on_screen_resume()

    async def on_live_list_opened(self, event: LiveList.Opened) -> None:
        if self.console_app.may(Role.ADMIN):
            await self.action_edit()

    def action_next_list(self, steps: int) -> None:
        self._list.display = False
        self._at = (self._at + steps) % len(KINDS)
        self._items, self._is_loaded, self._loaded_at = (), False, None
        self._list.display = True
        self._list.focus()
        self.action_clear_filter()
        self.draw_now()
        self.refresh_bindings()

    async def action_new(self) -> None:
        self.app.push_screen(EntityForm(self.kind, None), self._after_saving)

    async def action_edit(self) -> None:
        if (item := self._chosen()) is not None:
            self.app.push_screen(EntityForm(self.kind, item), self._after_saving)

    def action_remove(self) -> None:
        item, kind = self._chosen(), self.kind
        if item is None:
            return

        async def remove(is_sure: bool | None) -> None:
            if is_sure and await self._do(kind.remove(item)) is not _REFUSED:
                self.console_app.say(_("{name} removed").format(name=kind.name(item)))
                await self._load()

        self.app.push_screen(Question(_("Remove it?"), kind.name(item), Role.ADMIN), remove)

    def action_try_number(self) -> None:
        self.app.push_screen(TryNumber())

    async def action_turn_night(self) -> None:
        if await self._do(SetNight(_NEXT_NIGHT[self._night])) is not _REFUSED:
            await self._load()
            self.console_app.say(_("night switch: {night}").format(night=_(_NIGHTS[self._night])))

    @property
    def _list(self) -> LiveList:
        return self.query_one(f"#kind-{self._at}", LiveList)

    def _after_saving(self, is_saved: bool | None) -> None:
        if is_saved:
            self.run_worker(self._load())

    def _chosen(self) -> Any:
        cursor, kind = self._list.cursor, self.kind
        chosen = next((item for item in self._items if kind.key(item) == cursor), None)
        if chosen is None:
            self.console_app.say(_("choose a line first"), is_refusal=True)
        return chosen

    async def _do(self, command: Command) -> object:
        try:
            return await self.console_app.ask(command)
        except RefusedError as error:
            self.console_app.say(refusal_text(error), is_refusal=True)
            return _REFUSED

    async def _load(self) -> None:
        place = self._at
        try:
            items = await self.console_app.ask(self.kind.listing())
            night = await self.console_app.ask(GetNight())
        except RefusedError as error:
            self._refusal = f"{self.console_app.glyphs.refused} {refusal_text(error)}"
        else:
            if place != self._at:
                return
            self._items, self._night = items, night
            self._refusal, self._is_loaded = "", True
        self.draw_now()

    def _row(self, item: Any) -> Row:
        first, *others = self.kind.cells(item)
        return Row(self.kind.key(item), ((first, "strong"), *((text or "–", "text") for text in others)))
