"""The Switchboard: who waits, who talks, who is free and what is wrong, at one glance."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from textual.containers import Vertical
from textual.widget import Widget

from engine.core.deeds import Deed
from engine.core.errors import RefusedError
from engine.core.ids import CallId
from engine.core.views import CallView, OfficeView
from engine.desk.contacts import ListContacts, SetNote
from engine.desk.deeds import Override, Supervise
from engine.store.configuration import Role
from engine.store.contacts import Contact
from engine.store.outside import Night
from tui.attention import Attention
from tui.callers import UNKNOWN, CallerBook
from tui.keys import LISTS, SCREENS, SEARCH_CHARACTERS, SWITCHBOARD, bindings
from tui.rows import (
    CALL_COLUMNS,
    PERSON_COLUMNS,
    PERSON_WIDTH,
    PHONE_COLUMNS,
    CallBook,
    best_first,
    dial_row,
    finds_person,
    finds_phone,
    person_row,
    phone_row,
    slot_row,
)
from tui.screens.base import OfficeScreen
from tui.screens.call_detail import CallDetail
from tui.screens.cards import PersonCard
from tui.screens.note import NoteDialog
from tui.screens.operator_deeds import OperatorDeeds, is_asking, own_call
from tui.screens.release import ask_release
from tui.texts import _, plural
from tui.trunk_words import LINE_COLUMNS, line_row
from tui.waiting import WAITING_COLUMNS, WaitingBook
from tui.widgets.lines import Part
from tui.widgets.live_list import LiveList, Row
from tui.widgets.operator_lists import PeopleList, WaitingList
from tui.wording import NIGHT_WORDS, call_text, clean, duration, name_with_number

MOST_LINES = 5
"""Outside lines on show beside people; the others scroll."""
SLOTS_SHOWN = ("1", "2")
"""Park slots that keep their place when they are free."""
LEAST_LETTERS, MOST_CONTACTS = 2, 8
_DIAL = "dial:"
_DIALLABLE = re.compile(r"[0-9*#+][0-9*#]{0,39}")


class SwitchboardScreen(OperatorDeeds, inherit_bindings=False):
    """Callers that wait, live calls, people with their lamps and park slots, outside lines."""

    BINDINGS = bindings(SWITCHBOARD, LISTS, SCREENS)
    AUTO_FOCUS = ""
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall"), (40, "-high")]  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self._book = CallBook()
        self._waiting = WaitingBook()
        self._attention = Attention()
        self._callers = CallerBook()
        self._talked_in: CallId | None = None
        """The call at hand when last looked at."""
        self._contacts: tuple[Contact, ...] = ()
        """Those that the search finds."""

    def on_mount(self) -> None:
        super().on_mount()
        if self._has_panels:
            self._list("waiting" if self.own is not None else "calls").focus()

    def compose_panels(self) -> Iterable[Widget]:
        glyphs = self.console_app.glyphs
        waiting = WaitingList(WAITING_COLUMNS, id="waiting", glyphs=glyphs)
        waiting.border_title = _("Waiting for you")
        waiting.empty_text = _("nobody waits")
        waiting.display = self.own is not None
        calls = LiveList(CALL_COLUMNS, id="calls", glyphs=glyphs)
        calls.border_title = _("Live calls")
        people = PeopleList(PERSON_COLUMNS, id="people", flow=PERSON_WIDTH, glyphs=glyphs)
        people.border_title = _("People")
        phones = LiveList(PHONE_COLUMNS, id="phones", has_titles=True, glyphs=glyphs)
        phones.border_title = _("Registered phones")
        lines = LiveList(LINE_COLUMNS, id="lines", glyphs=glyphs)
        lines.border_title = _("Trunks")
        yield Vertical(waiting, calls, id="left")
        yield Vertical(people, lines, phones, id="right")

    # -- searching ----------------------------------------------------------------------------------------------

    def starts_search(self, character: str) -> bool:
        if character == "U" and self.handed is not None and not self.search:
            return False
        if character == "+":  # the beginning of a number, while there is nobody to ask about
            return self.at_hand is None and not self.search and self.may_act()
        return character.isalnum() or character in SEARCH_CHARACTERS

    def search_changed(self) -> None:
        self._contacts = ()
        if self.may_act() and len(self.search.strip()) >= LEAST_LETTERS:
            self.run_worker(self._find_contacts(self.search), group="contacts", exclusive=True)
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

    async def _find_contacts(self, text: str) -> None:
        """People outside whose name is typed."""
        try:
            found = await self.console_app.ask(ListContacts(text, MOST_CONTACTS))
        except RefusedError:
            return  # people of the office are found all the same
        if text == self.search:
            self._contacts = found
            self.draw_now()

    def found_text(self) -> str:
        return "  ".join(
            (
                plural("{n} person", "{n} people", len(self._list("people").rows)),
                plural("{n} call", "{n} calls", len(self._list("calls").rows)),
            )
        )

    # -- drawing ------------------------------------------------------------------------------------------------

    def draw(self, view: OfficeView, now: datetime) -> None:
        if self.handed is not None and not self.handed.left_s(now):
            self.handed = None
            self.refresh_bindings()
        call = own_call(view.calls, self.own)
        if (
            call is not None and call.id != self._talked_in
        ):  # whom one talks to says more than that it was asked for
            self.hush_good_news()
        self._talked_in = call.id if call is not None else None
        super().draw(view, now)

    def draw_panels(self, view: OfficeView, now: datetime) -> None:
        self._draw_waiting(view, now)
        self._draw_calls(view, now)
        self._draw_people(view, now)
        self._draw_phones(view, now)
        self._draw_lines_panel(view)

    def _draw_waiting(self, view: OfficeView, now: datetime) -> None:
        panel, own = self._list("waiting"), self.own
        panel.display = own is not None
        if own is None:
            return
        self._waiting.update(view.calls, own, now, panel.cursor)
        for call in self._waiting.calls:
            self._look_up(call.caller, now)
        panel.show(self._waiting.rows(now, self.console_app.glyphs, self._about))
        panel.count(len(self._waiting.calls))
        self._attention.ask(self.console_app, panel, self._waiting.calls, now)

    def _about(self, call: CallView) -> tuple[str | None, str]:
        """A caller's name, and whom it talked to last."""
        known = self._callers.of(call.caller)
        if known is None:
            return call.caller_name, ""
        last = _("last: {who}").format(who=known.last_with) if known.last_with else _("first call")
        return call.caller_name or known.name, last

    def _look_up(self, number: str, now: datetime) -> None:
        if self._callers.lacks(number, now):
            self.run_worker(self._look_up_and_draw(number, now))

    async def _look_up_and_draw(self, number: str, now: datetime) -> None:
        await self._callers.look_up(number, now, self.console_app.ask)
        self.draw_now()

    def _draw_calls(self, view: OfficeView, now: datetime) -> None:
        calls = self._list("calls")
        self._book.update(view.calls, now, calls.cursor, view.ended, view.people)
        calls.empty_text = self._nothing_found if self.search else _("no calls at the moment")
        calls.show(self._book.rows(now, self.console_app.glyphs, self.search, self._waiting.names))
        calls.count(len(view.calls) - len(self._waiting.calls), is_searched=bool(self.search))

    def _draw_people(self, view: OfficeView, now: datetime) -> None:
        people, glyphs = self._list("people"), self.console_app.glyphs
        people.empty_text = (
            self._nothing_found if self.search else _("no extensions yet\nadd the first one: Ctrl+→, then n")
        )
        found = best_first(
            (person for person in view.people if finds_person(person, self.search)),
            self.search,
            lambda person: (person.number,),
            lambda person: (person.name,),
        )
        camped = {target for by, target in view.camps if by == self.own}
        rows = [person_row(person, now, glyphs, is_camped_on=person.number in camped) for person in found]
        people.show((*rows, *self._slots(view, now), *self._typed()))
        people.count(len(view.people), is_searched=bool(self.search))

    def _slots(self, view: OfficeView, now: datetime) -> list[Row]:
        """Park slots, which keep their place below the people."""
        parked = {each.slot: each for each in view.parked}
        shown = [*SLOTS_SHOWN] if self.own is not None else []
        slots = sorted({*shown, *parked}, key=int)
        wanted = self.search.casefold().strip()
        found = (
            slot
            for slot in slots
            if not wanted or wanted == f"p{slot}" or (slot in parked and self._is_on(parked[slot].name, wanted))
        )
        return [slot_row(slot, parked.get(slot), now, self.console_app.glyphs) for slot in found]

    @staticmethod
    def _is_on(name: str | None, wanted: str) -> bool:
        return name is not None and wanted in name.casefold()

    def _typed(self) -> list[Row]:
        """People outside, and what was typed as a number to dial, below the people whom it finds."""
        glyphs = self.console_app.glyphs
        rows = [
            dial_row(f"{_DIAL}{each.number}", clean(f"{each.name or ''} {each.number}".strip()), glyphs)
            for each in self._contacts
        ]
        number = self.search.replace(" ", "")
        if self.may_act() and _DIALLABLE.fullmatch(number):
            rows.append(dial_row(f"{_DIAL}{number}", _("dial {number}").format(number=number), glyphs))
        return rows

    def _draw_phones(self, view: OfficeView, now: datetime) -> None:
        phones = self._list("phones")
        phones.empty_text = self._nothing_found if self.search else _("no phone is registered")
        registered = best_first(
            (phone for phone in view.registrations if finds_phone(phone, self.search)),
            self.search,
            lambda phone: (phone.extension,),
            lambda phone: (phone.user_agent,),
        )
        phones.show(tuple(phone_row(phone, now) for phone in registered))
        phones.count(len(view.registrations), is_searched=bool(self.search))

    def _draw_lines_panel(self, view: OfficeView) -> None:
        """The outside lines, where the office has any: as many as fit without crowding out people."""
        lines = self._list("lines")
        lines.set_class(not view.trunks, "-empty")
        if view.trunks:
            lines.styles.height = min(len(view.trunks), MOST_LINES) + 2
            lines.show(tuple(line_row(trunk, self.console_app.glyphs) for trunk in view.trunks))
            lines.count(len(view.trunks))

    @property
    def _nothing_found(self) -> str:
        return _("nothing found; Esc shows all again")

    def office_parts(self, view: OfficeView) -> list[Part]:
        glyphs, night = self.console_app.glyphs, Night(view.night)
        ink = "lamp-held" if night is Night.ON else "quiet"
        return [(f"   {glyphs.night} ", ink), (_("auto") if night is Night.AUTO else _(NIGHT_WORDS[night]), ink)]

    def standing_text(self, now: datetime) -> list[Part]:
        """The call at hand, and what can be undone."""
        glyphs, call = self.console_app.glyphs, self.at_hand
        if call is not None and is_asking(call, self.own):
            asked = self.who_of(call.callee)
            caller = clean(call.caller_name or call.caller)
            keys = _("+ connects them, Esc goes back to {caller}").format(caller=caller)
            return [
                (f" {glyphs.both} ", "key"),
                (_("asking {who}").format(who=asked) + "   ", "strong"),
                (keys, "key"),
            ]
        if self.handed is not None and call is None:
            return self.handed.parts(now, glyphs)
        if call is None:
            chosen = self._waiting.call(self._list("waiting").cursor)
            return self._note_on(chosen.caller) if chosen is not None else self._camped()
        self._look_up(self._outsider(call), now)
        with_whom = _("in a call with {who}").format(who=self.party_of(call))
        return [
            (f" {glyphs.both} ", "lamp-busy"),
            (f"{with_whom}   ", "strong"),
            (duration(call.duration_s(now)), "text"),
            *self._note_on(self._outsider(call)),
            *self.beside_search(now),
        ]

    def _camped(self) -> list[Part]:
        """Whom the operator waits for."""
        numbers = [target for by, target in self.console_app.view.camps if by == self.own]
        if not numbers:
            return []
        who = ", ".join(self.who_of(number) for number in numbers)
        text = _("your phone rings as soon as {who} is free").format(who=who)
        return [(f" {self.console_app.glyphs.camp} ", "key"), (text, "strong")]

    def _outsider(self, call: CallView) -> str:
        """The number of the other party of the call at hand."""
        return call.callee if call.caller == self.own else call.caller

    def _note_on(self, number: str) -> list[Part]:
        known = self._callers.of(number)
        if known is None or not known.note:
            return []
        return [(f"   {self.console_app.glyphs.mark} ", "key"), (clean(known.note), "strong")]

    def beside_search(self, now: datetime) -> list[Part]:
        if self.handed is None:
            return []
        return self.handed.parts(now, self.console_app.glyphs, is_short=True)

    # -- what is chosen -----------------------------------------------------------------------------------------

    def target(self) -> str | None:
        people = self._list("people")
        key = people.cursor if people.has_focus or self.search else None
        if key is None or _is_slot(key):
            return None
        return key.removeprefix(_DIAL)

    def free_slot(self) -> str | None:
        people, taken = self._list("people"), {each.slot for each in self.console_app.view.parked}
        key = people.cursor if people.has_focus else None
        return key[1:] if key is not None and _is_slot(key) and key[1:] not in taken else None

    def done(self) -> None:
        """Show all again, and be ready for the next caller."""
        if self.search or self.is_filtering:
            self.is_filtering = False
            self._search_for("")
        if self.own is not None:
            self._list("waiting").focus()

    def on_live_list_opened(self, event: LiveList.Opened) -> None:
        match event.source.id:
            case "waiting":
                call = self._waiting.call(event.key)
                if call is None:
                    self.say(_("this call has ended or somebody has answered it"), is_refusal=True)
                elif not self.console_app.may(Role.RECEPTIONIST):
                    self.say(_("your role only looks on"), is_refusal=True)
                else:
                    self.start(self.answer(call))
            case "people":
                self._open_person(event.key)
            case "lines":
                self.console_app.action_show_screen("trunks")
                screen = self.console_app.screen
                if isinstance(screen, OfficeScreen):
                    screen.look_at(event.key)
            case "calls":
                self.app.push_screen(CallDetail(CallId(event.key)))
            case _:
                self.app.push_screen(PersonCard(event.key.partition(" ")[0]))

    def _open_person(self, key: str) -> None:
        if _is_slot(key):
            if any(f"P{each.slot}" == key for each in self.console_app.view.parked):
                self.start(self.fetch(key[1:]))
            else:
                self.say(_("nobody is parked on {slot}").format(slot=key), is_refusal=True)
        elif self.may_act():
            self.start(self.connect(key.removeprefix(_DIAL)))
        else:
            self.app.push_screen(PersonCard(key))

    def action_details(self) -> None:
        """What stands behind the chosen row."""
        people, calls, waiting = self._list("people"), self._list("calls"), self._list("waiting")
        if waiting.has_focus and waiting.cursor:
            self.app.push_screen(CallDetail(CallId(waiting.cursor)))
        elif calls.has_focus and calls.cursor:
            self.app.push_screen(CallDetail(CallId(calls.cursor)))
        elif people.cursor and not _is_slot(people.cursor) and not people.cursor.startswith(_DIAL):
            self.app.push_screen(PersonCard(people.cursor))
        else:
            self.say(_("choose a line first"), is_refusal=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "clear_filter":
            call = self.at_hand
            return bool(self.search or self.is_filtering or (call is not None and is_asking(call, self.own)))
        if action == "undo_transfer" and self.handed is None:
            return False
        needs_phone = action in ("consult", "park", "transfer", "barge_in", "override", "next_waiting", "hold")
        if needs_phone and self.own is None:
            return False
        return super().check_action(action, parameters)

    def action_clear_filter(self) -> None:
        """Show all again; with nothing searched, back to the caller."""
        call = self.at_hand
        if self.search or self.is_filtering or call is None:
            super().action_clear_filter()
        elif is_asking(call, self.own):
            self.start(self.go_back(call))

    def action_next_waiting(self) -> None:
        """The next caller, the one that has waited longest first."""
        panel, waiting = self._list("waiting"), [call.id for call in self._waiting.calls]
        if not waiting:
            self.say(_("nobody waits"))
            return
        here = waiting.index(CallId(panel.cursor)) if panel.has_focus and panel.cursor in waiting else -1
        panel.focus()
        panel.point(waiting[(here + 1) % len(waiting)])

    def action_barge_in(self) -> None:
        """Break into the chosen call, or the call of the chosen person."""
        call = self._selected_call()
        if call is None:
            self.say(_("choose a call, or a person who is in one, and press F7 again"), is_refusal=True)
        else:
            self.start(self._barge_in(call))

    async def _barge_in(self, call: CallView) -> None:
        is_done, _answer = await self.ask(Supervise(Deed.BARGE_IN, call.id, revision=call.revision))
        if is_done:
            self.say(_("your phone breaks into {call}").format(call=call_text(call)))
            self.done()

    def action_override(self) -> None:
        """Reach a person through do not disturb and forwarding; who talks is broken into, or rung once free."""
        number = self.target()
        if number is None:
            self.say(_("choose a person, or type a name, and press F8 again"), is_refusal=True)
        else:
            self.start(self._override(number))

    async def _override(self, number: str) -> None:
        is_done, _answer = await self.ask(Override(number))
        if is_done:
            self.say(_("your phone calls {who}, whatever stands in the way").format(who=self.who_of(number)))
            self.done()

    def action_note(self) -> None:
        """Note something on the caller that is chosen, else on the one at hand."""
        waiting, call = self._list("waiting"), self.at_hand
        chosen = self._waiting.call(waiting.cursor) if waiting.has_focus else self._selected_call()
        if call is None or (chosen is not None and not waiting.has_focus):
            call = chosen
        number = self._outsider(call) if call is not None else None
        if call is None or number is None or number in UNKNOWN:
            self.say(_("choose a caller with a number, and press F4 again"), is_refusal=True)
            return
        known = self._callers.of(number)
        name = call.caller_name if number == call.caller else call.callee_name
        who = name_with_number(number, name or (known.name if known is not None else None))

        def save(note: str | None) -> None:
            if note is not None:
                self.start(self._save_note(number, note))

        self.app.push_screen(NoteDialog(who, known.note or "" if known is not None else ""), save)

    async def _save_note(self, number: str, note: str) -> None:
        is_done, _answer = await self.ask(SetNote(number, note))
        if is_done:
            self._callers.forget(number)
            self.say(_("noted on {who}").format(who=clean(number)))
            self.draw_now()

    def action_release(self) -> None:
        """End the call at hand; of others ask first."""
        call = self._selected_call() or self.at_hand
        if call is None:
            self.say(_("choose a call, or a person who is in one, and press − again"), is_refusal=True)
        else:
            ask_release(self.console_app, call)

    def _selected_call(self) -> CallView | None:
        people, view = self._list("people"), self.console_app.view
        if self._list("waiting").has_focus:
            return None
        if people.has_focus and people.cursor:
            wanted = next((person.call for person in view.people if person.number == people.cursor), None)
            # Of the office as it is now: the call may be younger than what is drawn.
            return next((call for call in view.calls if call.id == wanted), None)
        return self._book.call(self._list("calls").cursor)

    def _list(self, name: str) -> LiveList:
        return self.query_one(f"#{name}", LiveList)


def _is_slot(key: str) -> bool:
    return key.startswith("P") and key[1:].isdigit()
