"""The Trunks screen: every outside line with its state, its gauges and why it refused calls."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from textual.widget import Widget

from engine.core.errors import RefusedError
from engine.core.views import OfficeView, TrunkView
from engine.desk.lines import ShowTrunk
from engine.store.configuration import Role
from engine.store.outside import Trunk
from tui.keys import LISTS, NUMBERED, SCREENS, TRUNKS, bindings
from tui.refusals import refusal_text, translated
from tui.screens.base import OfficeScreen
from tui.screens.entity_form import EntityForm
from tui.screens.question import Question
from tui.screens.try_number import TryNumber
from tui.texts import N_, _, plural
from tui.trunk_kind import Lines
from tui.trunk_words import detail_lines, gauge, gauge_ink, state_cell
from tui.widgets.columns import Column
from tui.widgets.live_list import LiveList, Row
from tui.widgets.text_pane import TextPane

COLUMNS = (
    Column(10, usual=12, grow=2, most=32, title=N_("Trunk")),
    Column(1),
    Column(14, grow=1, most=20, title=N_("State")),
    Column(8, title=N_("Calls in"), to_right=True),
    Column(9, title=N_("Calls out"), to_right=True),
    Column(9, title=N_("Refused"), to_right=True, drop=1),
    Column(16, grow=2, most=40, title=N_("Server"), drop=3),
    Column(16, grow=4, most=90, title=N_("Last error"), drop=2),
)
_KIND = Lines()


class TrunksScreen(OfficeScreen, inherit_bindings=False):
    """Outside lines, live; below the list what is known of the one under the cursor."""

    BINDINGS = bindings(TRUNKS, NUMBERED, LISTS, SCREENS)
    help_text = N_("In and out: calls now, and how many there may be; ∞ is unlimited, ✕ a forbidden direction.")
    has_lamps = False

    def __init__(self) -> None:
        super().__init__()
        self._wanted = ""

    def compose_panels(self) -> Iterable[Widget]:
        listed = LiveList(
            COLUMNS, id="trunks", has_titles=True, goes_to_neighbour=True, glyphs=self.console_app.glyphs
        )
        listed.border_title = _("Trunks")
        yield listed
        detail = TextPane(id="trunk")
        detail.border_title = _("Trunk")
        yield detail

    def found_text(self) -> str:
        return plural("{n} trunk", "{n} trunks", len(self._list.rows))

    def search_changed(self) -> None:
        self.draw_now()
        if self.search:  # who shows all again stays on what the search found
            self._list.point_first()

    def draw_panels(self, view: OfficeView, now: datetime) -> None:
        words = self.search.casefold().split()
        found = [trunk for trunk in view.trunks if all(word in trunk.name.casefold() for word in words)]
        self._list.empty_text = (
            _("nothing found; Esc shows all again")
            if self.search
            else _("no trunks yet\nn adds the first one")
            if self.console_app.may(Role.ADMIN)
            else _("no trunks yet")
        )
        self._list.show(tuple(self._row(trunk) for trunk in found))
        self._list.count(len(view.trunks), is_searched=bool(self.search))
        if self._wanted and any(row.key == self._wanted for row in self._list.rows):
            wanted, self._wanted = self._wanted, ""
            self._list.point(wanted)
        self._draw_detail()

    def look_at(self, key: str) -> None:
        self._wanted = key

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("edit", "remove") and self._has_panels and not self._list.rows:
            return False
        return super().check_action(action, parameters)

    def on_live_list_moved(self) -> None:
        self._draw_detail()

    async def on_live_list_opened(self, event: LiveList.Opened) -> None:
        if self.console_app.may(Role.ADMIN):
            await self.action_edit()

    async def action_new(self) -> None:
        self.app.push_screen(EntityForm(_KIND, None), self._after_saving)

    async def action_edit(self) -> None:
        chosen = self._chosen()
        if chosen is None:
            return
        try:
            trunk: Trunk = await self.console_app.ask(ShowTrunk(chosen.name))
        except RefusedError as error:
            self.console_app.say(refusal_text(error), is_refusal=True)
            return
        self.app.push_screen(EntityForm(_KIND, trunk), self._after_saving)

    def action_remove(self) -> None:
        chosen = self._chosen()
        if chosen is None:
            return

        async def remove(is_sure: bool | None) -> None:
            if not is_sure:
                return
            try:
                await self.console_app.ask(_KIND.remove(chosen))
            except RefusedError as error:
                self.console_app.say(refusal_text(error), is_refusal=True)
            else:
                self.console_app.say(_("{name} removed").format(name=chosen.name))
                self.draw_now()

        text = _("Its running calls go on.")
        self.app.push_screen(Question(_("Remove this trunk?"), f"{chosen.name}\n\n{text}", Role.ADMIN), remove)

    def action_try_number(self) -> None:
        cursor = self._list.cursor or ""
        self.app.push_screen(TryNumber(trunk=cursor))

    @property
    def _list(self) -> LiveList:
        return self.query_one("#trunks", LiveList)

    def _after_saving(self, is_saved: bool | None) -> None:
        if is_saved:
            self.draw_now()

    def _under_cursor(self) -> TrunkView | None:
        cursor = self._list.cursor
        return next((trunk for trunk in self.console_app.view.trunks if trunk.name == cursor), None)

    def _chosen(self) -> TrunkView | None:
        chosen = self._under_cursor()
        if chosen is None:
            self.console_app.say(_("choose a line first"), is_refusal=True)
        return chosen

    def _draw_detail(self) -> None:
        pane, trunk = self.query_one("#trunk", TextPane), self._under_cursor()
        pane.border_title = trunk.name if trunk else _("Trunk")
        app = self.console_app
        pane.read(detail_lines(trunk, app.zone, app.glyphs) if trunk else [])

    def _row(self, trunk: TrunkView) -> Row:
        glyphs = self.console_app.glyphs
        sign, word = state_cell(trunk, glyphs)
        refused = trunk.refused_in + trunk.refused_out
        return Row(
            trunk.name,
            (
                (trunk.name, "strong"),
                sign,
                word,
                (gauge(trunk.active_in, trunk.max_in, glyphs), gauge_ink(trunk.active_in, trunk.max_in)),
                (gauge(trunk.active_out, trunk.max_out, glyphs), gauge_ink(trunk.active_out, trunk.max_out)),
                (str(refused) if refused else "–", "text"),
                (trunk.server or "–", "text"),
                (translated(trunk.last_error) if trunk.last_error else "–", "text"),
            ),
        )
