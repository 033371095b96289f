"""The Extensions screen: the numbers of the office, added, changed and removed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from textual.widget import Widget

from engine.core.errors import RefusedError
from engine.core.views import Lamp, OfficeView, PersonView
from engine.desk.commands import ListExtensions, NewPassword, RemoveExtension, ResetPassword
from engine.store.configuration import Extension, HoldPolicy, Role
from tui.keys import EXTENSIONS, LISTS, NUMBERED, SCREENS, bindings
from tui.refusals import refusal_text
from tui.rows import best_first, lamp_cells
from tui.screens.base import OfficeScreen
from tui.screens.cards import PersonCard
from tui.screens.extension_form import add_extension, edit_extension, forward_extension
from tui.screens.new_phone import NewPhone
from tui.screens.question import Question
from tui.texts import N_, _, plural
from tui.widgets.columns import Column
from tui.widgets.live_list import LiveList, Row
from tui.wording import name_with_number

COLUMNS = (
    Column(6, grow=1, most=15, title=N_("Number")),
    Column(12, usual=20, grow=3, most=80, title=N_("Name")),
    Column(1),
    Column(8, title=N_("Lamp")),
    Column(8, title=N_("Phones")),
    Column(10, title=N_("Calls"), drop=3),
    Column(10, grow=1, most=40, title=N_("Forwarded"), drop=2),
    Column(12, title=N_("Hold"), drop=4),
    Column(12, grow=3, most=80, title=N_("E-mail"), drop=5),
)


class ExtensionsScreen(OfficeScreen, inherit_bindings=False):
    """Every extension with its lamp, one line each."""

    BINDINGS = bindings(EXTENSIONS, NUMBERED, LISTS, SCREENS)

    def __init__(self) -> None:
        super().__init__()
        self._extensions: tuple[Extension, ...] = ()
        self._is_loaded = False
        self._refusal = ""
        self._wanted = ""
        self._seen: tuple[tuple[str, str | None, bool], ...] | None = None

    def compose_panels(self) -> Iterable[Widget]:
        extensions = LiveList(
            COLUMNS,
            id="extensions",
            has_titles=True,
            goes_to_neighbour=True,
            glyphs=self.console_app.glyphs,
        )
        extensions.border_title = _("Extensions")
        yield extensions

    def found_text(self) -> str:
        return plural("{n} extension", "{n} extensions", len(self._list.rows))

    def search_changed(self) -> None:
        self.draw_now()
        if self.search:  # who shows all again stays on what the search found
            self._list.point_first()

    def draw_panels(self, view: OfficeView, now: datetime) -> None:
        seen = tuple((person.number, person.name, person.multi_device) for person in view.people)
        if seen != self._seen:
            self._seen = seen
            self.run_worker(self._load())
        people = {person.number: person for person in view.people}
        words = self.search.casefold().split()
        self._list.empty_text = (
            self._refusal
            if self._refusal or not self._is_loaded
            else _("nothing found; Esc shows all again")
            if self.search
            else _("no extensions yet\nn adds the first one")
            if self.console_app.may(Role.ADMIN)
            else _("no extensions yet")
        )
        found = best_first(
            (extension for extension in self._extensions if _finds(extension, words)),
            self.search,
            lambda extension: (extension.number,),
            lambda extension: (extension.name,),
        )
        self._list.show(tuple(self._row(extension, people.get(extension.number)) for extension in found))
        self._list.count(len(self._extensions), is_searched=bool(self.search))
        self._go_to_wanted()

    def look_at(self, key: str) -> None:
        self._wanted = key

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("edit", "remove", "new_password", "forwarding") and self._has_panels and not self._list.rows:
            return False
        return super().check_action(action, parameters)

    def on_live_list_opened(self, event: LiveList.Opened) -> None:
        self.app.push_screen(PersonCard(event.key))

    async def action_new(self) -> None:
        await add_extension(self.console_app)

    async def action_edit(self) -> None:
        if extension := self._chosen():
            await edit_extension(self.console_app, extension.number)

    def action_remove(self) -> None:
        extension = self._chosen()
        if extension is None:
            return

        async def remove(is_sure: bool | None) -> None:
            if is_sure and await self._do(RemoveExtension(extension.number)) is not _REFUSED:
                self.console_app.say(_("{number} removed").format(number=extension.number))
                await self._load()

        name = name_with_number(extension.number, extension.name)
        text = _(
            "Its phones are logged out at once; running calls go on.\n"
            "Its settings and its password are gone for good: to have it back, "
            "add it anew and give its phones the new password."
        )
        self.app.push_screen(Question(_("Remove this extension?"), f"{name}\n\n{text}", Role.ADMIN), remove)

    def action_new_password(self) -> None:
        extension = self._chosen()
        if extension is None:
            return

        async def renew(is_sure: bool | None) -> None:
            if is_sure:
                answer = await self._do(ResetPassword(extension.number))
                if isinstance(answer, NewPassword):
                    self.app.push_screen(NewPhone(answer))

        name = name_with_number(extension.number, extension.name)
        text = _("Its phones must be given the new one before they can register again.")
        self.app.push_screen(Question(_("Make a new password?"), f"{name}\n\n{text}", Role.ADMIN), renew)

    def action_forwarding(self) -> None:
        extension = self._chosen()
        if extension is not None:
            forward_extension(self.console_app, extension)

    def on_screen_resume(self) -> None:
        self._seen = None
        super().on_screen_resume()

    @property
    def _list(self) -> LiveList:
        return self.query_one("#extensions", LiveList)

    def _go_to_wanted(self) -> None:
        """Put the cursor on what was just added or changed, once the office lists it."""
        if not any(extension.number == self._wanted for extension in self._extensions):
            return
        wanted, self._wanted = self._wanted, ""
        if not any(row.key == wanted for row in self._list.rows):
            self.action_clear_filter()
        self._list.point(wanted)

    def _chosen(self) -> Extension | None:
        cursor = self._list.cursor
        chosen = next((extension for extension in self._extensions if extension.number == cursor), None)
        if chosen is None:
            self.console_app.say(_("choose an extension first"), is_refusal=True)
        return chosen

    async def _do(self, command: RemoveExtension | ResetPassword) -> object:
        try:
            return await self.console_app.ask(command)
        except RefusedError as error:
            self.console_app.say(refusal_text(error), is_refusal=True)
            return _REFUSED

    async def _load(self) -> None:
        try:
            self._extensions = await self.console_app.ask(ListExtensions())
        except RefusedError as error:
            self._refusal = f"{self.console_app.glyphs.refused} {refusal_text(error)}"
            self.console_app.say(refusal_text(error), is_refusal=True)
        else:
            self._refusal, self._is_loaded = "", True
        self.draw_now()

    def _row(self, extension: Extension, person: PersonView | None) -> Row:
        sign, word = lamp_cells(person.lamp if person else Lamp.UNREGISTERED, self.console_app.glyphs)
        phones = f"{person.devices if person else 0}/{extension.max_devices if extension.multi_device else 1}"
        calls = _("unlimited") if extension.max_calls is None else str(extension.max_calls)
        hold = _("music") if extension.hold is HoldPolicy.LOCAL else _("passed on")
        return Row(
            extension.number,
            (
                (extension.number, "strong"),
                (extension.name or "–", "text"),
                sign,
                word,
                (phones, "text"),
                (calls, "text"),
                _diversion(extension),
                (hold, "quiet"),
                (extension.email or "", "quiet"),
            ),
        )


def _finds(extension: Extension, words: list[str]) -> bool:
    text = " ".join((extension.number, extension.name or "", extension.email or "")).casefold()
    return all(word in text for word in words)


def _diversion(extension: Extension) -> tuple[str, str]:
    """Do not disturb, or where its calls go, in short: at once, or only when it does not take them."""
    if extension.dnd:
        return _("do not disturb"), "lamp-dnd"
    if extension.forward_always:
        return f"→ {extension.forward_always}", "lamp-held"
    else_to = dict.fromkeys(
        number
        for number in (extension.forward_busy, extension.forward_no_answer, extension.forward_unreachable)
        if number
    )
    return (_("else {numbers}").format(numbers=", ".join(else_to)), "text") if else_to else ("", "quiet")


_REFUSED = object()
"""What ``_do`` returns for a command that was refused and said so."""
