"""The Calls screen: the calls that were, chosen by who, when and how they went, and calling back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar

from textual.widget import Widget

from engine.core.errors import RefusedError
from engine.core.ids import CallId
from engine.core.text import may_be_number
from engine.core.views import CallRecord, OfficeView
from engine.desk.commands import CountCalls, GetParams, HourOfCalls, ListRecords, SaveRecords
from engine.desk.dialling import Checked, Flaw
from engine.desk.phone import DialNumber
from engine.pbx.routing.numbers import Numbering
from engine.store.configuration import Role
from tui.keys import KIND_LIST, LISTS, NUMBERED, PAST, RECORDS, SCREENS, bindings
from tui.kind import Field, checked
from tui.plot import bar_lines
from tui.record_kind import Records
from tui.screens.ask_fields import AskFields
from tui.screens.call_detail import CallDetail
from tui.screens.history import BEFORE, SINCE, HistoryScreen, not_one_of
from tui.screens.kind_screen import REFUSED
from tui.texts import N_, _, plural
from tui.widgets.text_pane import TextPane

HOURS = 24
_PLOT_LINES = 4
OUTCOMES = {"all": None, "answered": True, "missed": False}
_FIELDS = (
    Field("who", N_("Who"), N_("part of a number or of a name")),
    SINCE,
    BEFORE,
    Field("outcome", N_("Outcome"), "all, answered, missed"),
    Field("trunk", N_("Trunk"), N_("empty: any, and inside")),
)
_NUMBER = Field("number", N_("Number"), N_("as your phone would dial it"))


class CallsScreen(HistoryScreen, inherit_bindings=False):
    """The history of calls, newest first."""

    BINDINGS = bindings(KIND_LIST, PAST, RECORDS, NUMBERED, LISTS, SCREENS)
    CHOICES = _FIELDS
    choose_title = N_("Choose calls")
    plain: ClassVar[Mapping[str, str]] = {"outcome": "all"}
    help_text = N_("Enter shows the messages of a call; c has your phone call who was in it; f chooses calls.")

    def __init__(self) -> None:
        self._records = Records(ListRecords())
        super().__init__(self._records)
        self._hours: tuple[HourOfCalls, ...] = ()
        self._spark = ""
        """The calls of each hour, one sign an hour."""

    def compose_beside(self) -> Iterable[Widget]:
        glyphs = self.console_app.glyphs
        self._records.signs = (glyphs.incoming, glyphs.outgoing, glyphs.both)
        plot = TextPane(id="plot")
        plot.border_title = _("Calls per hour")
        yield plot

    def list_title(self) -> str:
        title = super().list_title()
        if self.has_class("-narrow") and self._spark:  # the plot has no room there
            title += f"   24 h {self._spark}"
        return title

    def draw_panels(self, view: OfficeView, now: datetime) -> None:
        self._records.know(view.people)
        self._draw_plot(now)
        super().draw_panels(view, now)

    async def load_more(self) -> None:
        since = self.console_app.now - timedelta(hours=HOURS)
        self._hours = await self.console_app.ask(CountCalls(since.replace(minute=0, second=0, microsecond=0)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("call_back", "export") and not (self._has_panels and self._list.rows):
            return False
        return super().check_action(action, parameters)

    async def open_item(self, key: str) -> None:
        record = self.chosen()
        if isinstance(record, CallRecord):
            self.app.push_screen(CallDetail(CallId(record.id)))

    async def action_call_back(self) -> None:
        """Let the operator's own phone call who was in the call; the number may be mended first."""
        record = self.chosen()
        if not isinstance(record, CallRecord):
            return
        try:
            params = await self.console_app.ask(GetParams())
        except RefusedError:
            params = None
        own = self.console_app.asker.extension
        number = record.callee if record.caller == own or record.trunk_out else record.caller
        if record.trunk_in and params is not None:
            number = Numbering(params).for_phone(number)

        async def call(typed: dict[str, str] | None) -> None:
            if typed and await self.do(DialNumber(typed["number"])) is not REFUSED:
                self.console_app.say(_("your phone rings, then it calls {number}").format(number=typed["number"]))

        def check(typed: Mapping[str, str]) -> Checked:
            return checked(("number", lambda: _check_dialled(typed["number"])))

        given = {"number": number}
        self.app.push_screen(
            AskFields(_("Call with your phone"), (_NUMBER,), given, check, Role.RECEPTIONIST), call
        )

    async def action_export(self) -> None:
        asked = replace(self._records.asked, limit=None)
        path = await self.do(SaveRecords(asked))
        if path is not REFUSED:
            self.console_app.say(_("saved in {path}").format(path=path))

    def asked(self, typed: Mapping[str, str]) -> ListRecords:
        return ListRecords(
            since=self.moment(typed["since"]),
            before=self.moment(typed["before"]),
            who=typed["who"] or None,
            is_answered=OUTCOMES.get(typed["outcome"]),
            trunk=typed["trunk"] or None,
        )

    def check_more(self, typed: Mapping[str, str]) -> Checked:
        flaws = []
        if typed["outcome"] not in ("", *OUTCOMES):
            wrong = not_one_of(typed["outcome"], tuple(OUTCOMES))
            flaws.append(Flaw("outcome", wrong.what, wrong.mend))
        trunks = [trunk.name for trunk in self.console_app.view.trunks]
        if typed["trunk"] and typed["trunk"] not in trunks:
            flaws.append(Flaw("trunk", f"there is no trunk '{typed['trunk']}'", "see 'frontdesk trunk list'"))
        return Checked(tuple(flaws))

    def _draw_plot(self, now: datetime) -> None:
        first = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
        by_hour = {hour.at: hour for hour in self._hours}
        hours = [first + timedelta(hours=place) for place in range(HOURS)]
        counts = [by_hour.get(hour) for hour in hours]
        values = [hour.answered + hour.missed if hour else 0 for hour in counts]
        bars = bar_lines(values, _PLOT_LINES, self.console_app.glyphs.bars, top=_PLOT_LINES, wide=2)
        zone = self.console_app.zone
        labels = "".join(
            f"{hour.astimezone(zone):%H}" if place % 3 == 0 else "  " for place, hour in enumerate(hours)
        )
        missed = sum(hour.missed for hour in counts if hour)
        busiest = max(values, default=0)
        said = plural("{n} call in 24 hours", "{n} calls in 24 hours", sum(values))
        more = _("{n} not answered").format(n=missed) + "   " + _("at most {n} an hour").format(n=busiest)
        lines = [((bar, "lamp-busy"),) for bar in bars]
        lines += [((labels, "quiet"),), ((said, "text"),), ((more, "quiet"),)]
        self.query_one("#plot", TextPane).read(lines)
        self._spark = bar_lines(values, 1, self.console_app.glyphs.bars)[0].replace(" ", "·")


def _check_dialled(number: str) -> None:
    if not may_be_number(number):
        raise RefusedError(f"'{number}' cannot be dialled", "use digits, * and #, perhaps behind +")
