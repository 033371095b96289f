"""The Switchboard: who talks, who is free and what is wrong, at one glance."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from textual.containers import Vertical
from textual.widget import Widget

from engine.core.ids import CallId
from engine.core.views import CallView, OfficeView
from tui.keys import LISTS, SCREENS, SEARCH_CHARACTERS, SWITCHBOARD, bindings
from tui.rows import (
    CALL_COLUMNS,
    PERSON_COLUMNS,
    PERSON_WIDTH,
    PHONE_COLUMNS,
    CallBook,
    best_first,
    finds_person,
    finds_phone,
    person_row,
    phone_row,
)
from tui.screens.base import OfficeScreen
from tui.screens.call_detail import CallDetail
from tui.screens.cards import PersonCard
from tui.screens.release import ask_release
from tui.texts import _, plural
from tui.trunk_words import LINE_COLUMNS, line_row
from tui.widgets.live_list import LiveList

MOST_LINES = 5
"""Outside lines on show beside people; the others scroll."""


class SwitchboardScreen(OfficeScreen, inherit_bindings=False):
    """Live calls, people with their lamps, registered phones."""

    BINDINGS = bindings(SWITCHBOARD, LISTS, SCREENS)

    def __init__(self) -> None:
        super().__init__()
        self._book = CallBook()

    def compose_panels(self) -> Iterable[Widget]:
        glyphs = self.console_app.glyphs
        calls = LiveList(CALL_COLUMNS, id="calls", glyphs=glyphs)
        calls.border_title = _("Live calls")
        people = LiveList(PERSON_COLUMNS, id="people", flow=PERSON_WIDTH, glyphs=glyphs)
        people.border_title = _("People")
        phones = LiveList(PHONE_COLUMNS, id="phones", has_titles=True, glyphs=glyphs)
        phones.border_title = _("Registered phones")
        yield Vertical(calls, id="left")
        lines = LiveList(LINE_COLUMNS, id="lines", glyphs=glyphs)
        lines.border_title = _("Trunks")
        yield Vertical(people, lines, phones, id="right")

    def starts_search(self, character: str) -> bool:
        return character.isalnum() or character in SEARCH_CHARACTERS

    def search_changed(self) -> None:
        self.draw_now()
        people, calls = self._list("people"), self._list("calls")
        if not self.search:
            return
        if people.rows:
            people.point_first()
            people.focus()
        elif calls.rows:
            calls.point_first()
            calls.focus()

    def found_text(self) -> str:
        return "  ".join(
            (
                plural("{n} person", "{n} people", len(self._list("people").rows)),
                plural("{n} call", "{n} calls", len(self._list("calls").rows)),
            )
        )

    def draw_panels(self, view: OfficeView, now: datetime) -> None:
        calls, people, phones = self._list("calls"), self._list("people"), self._list("phones")
        glyphs, is_searched = self.console_app.glyphs, bool(self.search)
        nothing_found = _("nothing found; Esc shows all again")
        self._book.update(view.calls, now, calls.cursor, view.ended, view.people)
        calls.empty_text = nothing_found if self.search else _("no calls at the moment")
        calls.show(self._book.rows(now, glyphs, self.search))
        calls.count(len(view.calls), is_searched=is_searched)
        people.empty_text = (
            nothing_found if self.search else _("no extensions yet\nadd the first one: Ctrl+→, then n")
        )
        found = best_first(
            (person for person in view.people if finds_person(person, self.search)),
            self.search,
            lambda person: (person.number,),
            lambda person: (person.name,),
        )
        people.show(tuple(person_row(person, now, glyphs) for person in found))
        people.count(len(view.people), is_searched=is_searched)
        phones.empty_text = nothing_found if self.search else _("no phone is registered")
        registered = best_first(
            (phone for phone in view.registrations if finds_phone(phone, self.search)),
            self.search,
            lambda phone: (phone.extension,),
            lambda phone: (phone.user_agent,),
        )
        phones.show(tuple(phone_row(phone, now) for phone in registered))
        phones.count(len(view.registrations), is_searched=is_searched)

        self._draw_lines_panel(view)

    def _draw_lines_panel(self, view: OfficeView) -> None:
        """The outside lines, where the office has any: as many as fit without crowding out people."""
        lines = self._list("lines")
        lines.set_class(not view.trunks, "-empty")
        if view.trunks:
            lines.styles.height = min(len(view.trunks), MOST_LINES) + 2
            lines.show(tuple(line_row(trunk, self.console_app.glyphs) for trunk in view.trunks))
            lines.count(len(view.trunks))

    def on_live_list_opened(self, event: LiveList.Opened) -> None:
        if event.source.id == "lines":
            self.console_app.action_show_screen("trunks")
            screen = self.console_app.screen
            if isinstance(screen, OfficeScreen):
                screen.look_at(event.key)
            return
        if event.source.id == "calls":
            self.app.push_screen(CallDetail(CallId(event.key)))
            return
        number = event.key if event.source.id == "people" else event.key.partition(" ")[0]
        self.app.push_screen(PersonCard(number))

    def action_release(self) -> None:
        """Ask whether to release the selected call, or the call of the selected person."""
        call = self._selected_call()
        if call is None:
            self.say(_("choose a call, or a person who is in one, and press − again"), is_refusal=True)
        else:
            ask_release(self.console_app, call)

    def _selected_call(self) -> CallView | None:
        people, view = self._list("people"), self.console_app.view
        if people.has_focus and people.cursor:
            wanted = next((person.call for person in view.people if person.number == people.cursor), None)
            # Of the office as it is now: the call may be younger than what is drawn.
            return next((call for call in view.calls if call.id == wanted), None)
        return self._book.call(self._list("calls").cursor)

    def _list(self, name: str) -> LiveList:
        return self.query_one(f"#{name}", LiveList)
