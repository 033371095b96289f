"""Coming into a call from the screen: the side that is meant is asked for, and a take-over confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.core.deeds import Deed
from engine.core.errors import RefusedError
from engine.core.views import CallView, PartyRole, PartyView
from engine.desk.deeds import Record, Supervise
from engine.store.configuration import Role
from tui.keys import SIDES, bindings
from tui.refusals import refusal_text
from tui.screens.question import Question
from tui.texts import N_, _
from tui.widgets.lines import KeyBar
from tui.wording import call_text, clean, name_with_number

if TYPE_CHECKING:
    from tui.console import FrontdeskConsole

_ASKED = {
    Deed.WHISPER: N_("Who hears you?"),
    Deed.TAKE_OVER: N_("Whose place do you take?"),
}
_BEGUN = {
    Deed.LISTEN: N_("your phone {number} listens once it answers: nobody hears you"),
    Deed.WHISPER: N_("your phone {number} whispers once it answers: one side hears you"),
    Deed.BARGE_IN: N_("your phone {number} is in the call once it answers: all hear you"),
    Deed.TAKE_OVER: N_("your phone {number} takes the call over once it answers"),
}
_CHANGED = {
    Deed.LISTEN: N_("you listen: nobody hears you"),
    Deed.WHISPER: N_("you whisper: one side hears you"),
    Deed.BARGE_IN: N_("you are in the call: all hear you"),
    Deed.TAKE_OVER: N_("you have taken the call over"),
}


def talkers(call: CallView) -> list[PartyView]:
    """The parties of the conversation: who listens or whispers is none."""
    silent = (PartyRole.LISTENER, PartyRole.WHISPERER, PartyRole.OPERATOR)
    return [party for party in call.parties if party.role not in silent]


def supervise(app: FrontdeskConsole, call: CallView, deed: Deed) -> None:
    """Do it, after asking for the side it is about."""
    if deed not in _ASKED:
        _begin(app, call, deed, None)
        return
    parties = [party.extension for party in talkers(call) if party.extension]
    parties = [number for number in parties if number != app.asker.extension]

    def chosen(side: str | None) -> None:
        if side is None:
            return
        if deed is Deed.TAKE_OVER:
            _ask_to_take_over(app, call, side)
        else:
            _begin(app, call, deed, side)

    if len(parties) > 1:
        names = [name_with_number(number, _name_of(app, number)) for number in parties]
        app.push_screen(SideChoice(_(_ASKED[deed]), parties, names), chosen)
    else:
        chosen(parties[0] if parties else "")


def _ask_to_take_over(app: FrontdeskConsole, call: CallView, side: str) -> None:
    def answered(is_sure: bool | None) -> None:
        if is_sure:
            _begin(app, call, Deed.TAKE_OVER, side)

    who = name_with_number(side, _name_of(app, side)) if side else call_text(call)
    text = _("{who} is hung up on, and you go on with the other party.").format(who=who)
    app.push_screen(
        Question(_("Take this call over?"), f"{call_text(call)}\n\n{text}", Role.RECEPTIONIST), answered
    )


def _begin(app: FrontdeskConsole, call: CallView, deed: Deed, side: str | None) -> None:
    own = app.asker.extension
    is_inside = any(party.extension == own for party in call.parties if own is not None)

    async def ask() -> None:
        try:
            await app.ask(Supervise(deed, call.id, side=side or None))
        except RefusedError as error:
            app.say(refusal_text(error), is_refusal=True)
        else:
            said = _CHANGED[deed] if is_inside else _BEGUN[deed]
            app.say(_(said).format(number=own))

    app.run_worker(ask())


def record(app: FrontdeskConsole, call: CallView) -> None:
    """Begin to record the call, or end that."""

    async def ask() -> None:
        try:
            file = await app.ask(Record(call.id))
        except RefusedError as error:
            app.say(refusal_text(error), is_refusal=True)
        else:
            app.say(_("recorded to {file}").format(file=file) if file else _("the recording has ended"))

    app.run_worker(ask())


def _name_of(app: FrontdeskConsole, number: str) -> str | None:
    return next((person.name for person in app.view.people if person.number == number), None)


class SideChoice(ModalScreen[str | None]):
    """One of the two parties, by a key."""

    BINDINGS = bindings(SIDES)
    needs = Role.RECEPTIONIST

    def __init__(self, title: str, sides: list[str], names: list[str]) -> None:
        super().__init__()
        self._title = title
        self._sides = sides[:2]
        self._names = names[:2]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(self._title)
            lines = [f"{place}  {clean(name)}" for place, name in enumerate(self._names, 1)]
            yield Static(Content("\n".join(lines)))
            yield KeyBar()

    def action_choose(self, place: int) -> None:
        self.dismiss(self._sides[place])

    def action_back(self) -> None:
        self.dismiss(None)
