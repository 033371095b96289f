"""What the keys of the Switchboard do with calls, by the operator's own phone."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from engine.core.errors import RefusedError
from engine.core.views import CallState, CallView, PartyRole, PartyState
from engine.desk.commands import Command
from engine.desk.dialling import SetNight
from engine.desk.phone import (
    CompleteConsult,
    Consult,
    DialNumber,
    GoBackToCaller,
    HandOn,
    HoldCall,
    ParkCaller,
    RecallCaller,
    TakeCall,
)
from engine.desk.services import RunService
from engine.store.configuration import Role
from engine.store.outside import Night
from tui.handed import HandedOn
from tui.refusals import refusal_text
from tui.screens.base import OfficeScreen
from tui.texts import _
from tui.wording import NEXT_NIGHT, NIGHT_WORDS, clean, name_with_number

_WITH_SOMEBODY = (PartyState.TALKING, PartyState.HELD)


def own_call(calls: tuple[CallView, ...], own: str | None) -> CallView | None:
    """The call in which the operator's phone talks; of several the newest that is not held."""
    if own is None:
        return None
    mine = [
        (party.state is PartyState.TALKING, place)
        for place, call in enumerate(calls)
        for party in call.parties
        if party.extension == own and party.state in _WITH_SOMEBODY
    ]
    return calls[max(mine)[1]] if mine else None


def is_asking(call: CallView, own: str | None) -> bool:
    """Whether the operator's phone asks somebody while the caller waits."""
    is_aside = any(party.extension == own and party.role is PartyRole.OPERATOR for party in call.parties)
    return is_aside and call.state in (CallState.HELD, CallState.RINGING, CallState.EARLY)


class OperatorDeeds(OfficeScreen, inherit_bindings=False):
    """The actions; what is chosen and what is drawn is the Switchboard's."""

    def __init__(self) -> None:
        super().__init__()
        self.handed: HandedOn | None = None

    @property
    def own(self) -> str | None:
        """The extension that this operator acts with."""
        return self.console_app.asker.extension

    @property
    def at_hand(self) -> CallView | None:
        """The call that this operator is in, as the office is now."""
        return own_call(self.console_app.view.calls, self.own)

    def target(self) -> str | None:
        """The number that is chosen or typed."""
        raise NotImplementedError

    def done(self) -> None:
        """What was chosen has been acted on."""
        raise NotImplementedError

    def who_of(self, number: str) -> str:
        """A number with its name, for a person to read."""
        known = next((person.name for person in self.console_app.view.people if person.number == number), None)
        return clean(name_with_number(number, known))

    def party_of(self, call: CallView) -> str:
        """The other one of the operator's call."""
        if call.caller == self.own:
            return clean(name_with_number(call.callee, call.callee_name))
        return clean(name_with_number(call.caller, call.caller_name))

    async def ask(self, command: Command) -> tuple[bool, Any]:
        """Whether the office did it, and its answer; a refusal is told."""
        try:
            return True, await self.console_app.ask(command)
        except RefusedError as error:
            self.say(refusal_text(error), is_refusal=True)
            return False, None

    def start(self, deed: Awaitable[None]) -> None:
        """Do it without keeping the keys waiting."""
        self.run_worker(deed, exit_on_error=False)

    # -- one key each -------------------------------------------------------------------------------------------

    async def answer(self, call: CallView) -> None:
        """Answer a caller that waits."""
        is_done, is_by_itself = await self.ask(TakeCall(call.id))
        if not is_done:
            return
        if is_by_itself:
            self.say(_("answering {who}").format(who=clean(name_with_number(call.caller, call.caller_name))))
        else:
            self.say(_("your phone takes no orders: lift the handset"))

    async def connect(self, number: str) -> None:
        """Give the call at hand to a number, or call it when there is none."""
        call = self.at_hand
        if call is None:
            is_done, _answer = await self.ask(DialNumber(number))
            if is_done:
                self.say(_("your phone calls {who}").format(who=self.who_of(number)))
                self.done()
        elif is_asking(call, self.own):
            await self.complete(call)
        else:
            await self.hand_on(call, number)

    async def hand_on(self, call: CallView, number: str) -> None:
        who, where = self.party_of(call), self.who_of(number)
        is_done, _answer = await self.ask(HandOn(call.id, number))
        if is_done:
            self.hand(HandedOn.now(who, where, self.console_app.now))

    async def complete(self, call: CallView) -> None:
        """Connect the caller with whom the operator asks."""
        where = self.who_of(call.callee)
        who = clean(name_with_number(call.caller, call.caller_name))
        is_done, _answer = await self.ask(CompleteConsult(call.id))
        if is_done:
            self.hand(HandedOn.now(who, where, self.console_app.now))

    def hand(self, handed: HandedOn) -> None:
        """Show that it can be undone."""
        self.handed = handed
        self.hush()
        self.done()
        self.refresh_bindings()
        self.draw_now()

    async def action_consult(self) -> None:
        """Ask first; pressed again, connect the two."""
        call, number = self.at_hand, self.target()
        if call is None:
            self.say(_("you are in no call: answer one first"), is_refusal=True)
        elif is_asking(call, self.own):
            self.start(self.complete(call))
        elif number is None:
            self.say(_("type a name or number, then press + again"), is_refusal=True)
        else:
            self.start(self._consult(call, number))

    async def _consult(self, call: CallView, number: str) -> None:
        is_done, _answer = await self.ask(Consult(call.id, number))
        if is_done:
            self.hush()
            self.done()
            self.draw_now()

    def action_transfer(self) -> None:
        call, number = self.at_hand, self.target()
        if call is None:
            self.say(_("you are in no call: answer one first"), is_refusal=True)
        elif is_asking(call, self.own):
            self.start(self.complete(call))
        elif number is None:
            self.say(_("type a name or number, then press F6 again"), is_refusal=True)
        else:
            self.start(self.hand_on(call, number))

    def action_park(self) -> None:
        call = self.at_hand
        if call is None:
            self.say(_("you are in no call: answer one first"), is_refusal=True)
        else:
            self.start(self._park(call))

    async def _park(self, call: CallView) -> None:
        who = self.party_of(call)
        is_done, slot = await self.ask(ParkCaller(call.id, self.free_slot()))
        if is_done:
            self.hand(HandedOn.now(who, f"P{slot}", self.console_app.now, is_parked=True))

    def free_slot(self) -> str | None:
        """The free park slot that is chosen."""
        return None

    async def fetch(self, slot: str) -> None:
        """Take the caller from a park slot."""
        own = self.own
        if own is None:
            self.say(_("your login has no phone of its own"), is_refusal=True)
            return
        is_done, _answer = await self.ask(RunService("retrieve", own, (f"argument={slot}",)))
        if is_done:
            self.say(_("your phone takes the caller from P{slot}").format(slot=slot))

    def action_undo_transfer(self) -> None:
        if self.handed is not None:
            self.start(self._undo())

    async def _undo(self) -> None:
        handed, self.handed = self.handed, None
        self.refresh_bindings()
        is_done, _answer = await self.ask(RecallCaller())
        if is_done and handed is not None:
            self.say(_("{who} comes back to your phone").format(who=handed.who))
        self.draw_now()

    def action_hold(self) -> None:
        call = self.at_hand
        if call is None:
            self.say(_("you are in no call: answer one first"), is_refusal=True)
            return
        mine = next(party for party in call.parties if party.extension == self.own)
        self.start(self._hold(call, is_on=mine.state is not PartyState.HELD))

    async def _hold(self, call: CallView, *, is_on: bool) -> None:
        is_done, is_by_itself = await self.ask(HoldCall(call.id, is_on))
        if is_done and not is_by_itself:
            self.say(_("your phone takes no orders: press its hold key"), is_refusal=True)

    async def go_back(self, call: CallView) -> None:
        """Go on with the caller."""
        is_done, _answer = await self.ask(GoBackToCaller(call.id))
        if is_done:
            self.say(_("back to {who}").format(who=clean(name_with_number(call.caller, call.caller_name))))

    async def action_turn_night(self) -> None:
        turned = NEXT_NIGHT[Night(self.console_app.view.night)]
        is_done, _answer = await self.ask(SetNight(turned))
        if is_done:
            self.say(_("night switch: {night}").format(night=_(NIGHT_WORDS[turned])))

    def may_act(self) -> bool:
        """Whether Enter does something with a phone here, rather than only showing."""
        return self.own is not None and self.console_app.may(Role.RECEPTIONIST)
