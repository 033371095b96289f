"""What an operator does from the Switchboard with its own phone: answer, hold, ask back, hand on, fetch back."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from engine.core.errors import NotFoundError, RefusedError, RemoteError
from engine.core.ids import CallId
from engine.core.views import CallState, PartyRole, PartyState
from engine.pbx.call import Call, Complete, GoBack, Manner, SendOn, Served
from engine.pbx.consulting import Consulted, Consulting
from engine.pbx.conversation import Conversation
from engine.pbx.errands import Errand, summon
from engine.pbx.exchange import Handed
from engine.pbx.leg import Leg
from engine.pbx.routing import ToExtension, ToTrunks
from engine.pbx.serving import service_of
from engine.pbx.taking import place_of_waiting, place_opposite, take
from engine.pbx.transfer import target_of_transfer
from engine.pbx.verbs.dialling import AUTO_ANSWER
from engine.sip.identity import Caller
from engine.store.configuration import Extension

if TYPE_CHECKING:
    from engine.pbx.exchange import Exchange

log = logging.getLogger(__name__)

UNDO_S = 20.0
_GRACE_S = 2.0
"""A key that was pressed in time may arrive a little later."""


class OperatorPhone:
    """Each deed is by the phone of an extension; all raise ``RefusedError`` or ``NotFoundError``."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def answer(self, target: str, own: str) -> bool:
        """Let the own phone answer what rings there; ``False``: it takes no orders, its handset must be lifted."""
        call, extension = self._call(target), self._extension(own)
        leg = self._ringing(call, own)
        if leg is None:
            raise _gone(call, extension)
        return self._control(leg, "talk")

    async def take(self, target: str, own: str) -> bool:
        """Answer a caller that waits for the extension, wherever it waits.

        ``False``: the own phone rings and takes no orders, its handset must be lifted.
        """
        call, extension = self._call(target), self._extension(own)
        if self._ringing(call, own) is not None:
            return await self.answer(target, own)
        if place_of_waiting(call) is None or own not in call.waits_for():
            raise _gone(call, extension)

        def find() -> tuple[Call, Leg] | None:
            place = place_of_waiting(call) if self._exchange.calls.get(call.id) is call else None
            return (call, place) if place is not None else None

        await take(self._exchange, extension, Caller(call.caller.number, call.caller.name), find)
        return True

    async def hold(self, target: str, own: str, *, is_on: bool) -> bool:
        """Let the own phone hold its call, or go on with it; ``False``: it takes no such order."""
        call = self._call(target)
        leg, _conversation = self._talking(call, own)
        return self._control(leg, "hold" if is_on else "talk")

    async def hand_on(self, target: str, number: str, own: str) -> CallId:
        """Give the other party to a number; the own phone is free at once, and a failure comes back to it."""
        call, extension = self._call(target), self._extension(own)
        if isinstance(call.phase, (Consulting, Consulted)):
            raise RefusedError(f"call {call.id} is being asked about", "complete it or go back to the caller first")
        leg, conversation = self._talking(call, own)
        party = conversation.opposite(leg)
        service = service_of(call, extension, number)
        if service is not None:
            call.post(Served(leg, service))
        else:
            route = self._route(call, extension, number)
            call.post(SendOn(leg, route, number, Manner.LEAVES))
        self.remember(own, party)
        self._exchange.endpoint.flush()
        return call.id

    async def consult(self, target: str, number: str, own: str) -> CallId:
        """Ask somebody else first; the other party waits with music."""
        call, extension = self._call(target), self._extension(own)
        leg, _conversation = self._talking(call, own)
        call.post(SendOn(leg, self._route(call, extension, number), number, Manner.ASKS))
        self._exchange.endpoint.flush()
        return call.id

    async def complete(self, target: str, own: str) -> CallId:
        """Connect the caller with whom the own phone has asked, or is about to ask."""
        call, leg = self._asking(target, own)
        party = next(each for each in call.legs if each.role is PartyRole.CALLER)
        call.post(Complete(leg))
        self.remember(own, party)
        self._exchange.endpoint.flush()
        return call.id

    async def go_back(self, target: str, own: str) -> CallId:
        """Go on with the caller, and let go whom the own phone has asked."""
        call, leg = self._asking(target, own)
        call.post(GoBack(leg))
        self._exchange.endpoint.flush()
        return call.id

    async def recall(self, own: str) -> CallId:
        """Fetch back whom the own phone has transferred or parked last, within ``UNDO_S`` seconds."""
        exchange, extension = self._exchange, self._extension(own)
        handed = exchange.handed.get(own)
        if handed is None or exchange.clock.now() > handed.until:
            exchange.handed.pop(own, None)
            raise RefusedError("there is nothing to undo any more", f"it can be done for {UNDO_S:.0f} seconds")
        party = handed.party
        found = place_opposite(exchange, party)
        if found is None:
            raise RefusedError(f"{party.number} has hung up meanwhile", "call back")
        call, _place = found
        if call.is_emergency:
            raise RefusedError(f"call {call.id} is an emergency call", "only those who talk may end it")
        del exchange.handed[own]  # before the phone is rung: a second press of the key finds nothing more to do
        try:
            await take(
                exchange, extension, Caller(party.number, party.name), lambda: place_opposite(exchange, party)
            )
        except RefusedError:
            exchange.handed.setdefault(own, handed)
            raise
        return call.id

    async def dial(self, number: str, own: str) -> None:
        """Ring the own phone, which answers by itself where it can, and call a number for it."""
        extension = self._extension(own)
        if not self._exchange.bindings.of(own):
            raise RefusedError(f"extension {own} has no registered phone", "register one, or name another")
        if number == extension.number:
            raise RefusedError(f"{number} is the extension itself", "name another number")
        await summon(self._exchange, Errand(own, "originate", 0.0, {"target": number}), AUTO_ANSWER)

    def party_of(self, target: str, own: str) -> Leg:
        """The other party of the own call."""
        leg, conversation = self._talking(self._call(target), own)
        return conversation.opposite(leg)

    def remember(self, own: str, party: Leg) -> None:
        """The party may be fetched back for a while."""
        self._exchange.handed[own] = Handed(party, self._exchange.clock.now() + UNDO_S + _GRACE_S)

    # -- what is meant ------------------------------------------------------------------------------------------

    def _call(self, target: str) -> Call:
        call = self._exchange.calls.get(CallId(target))
        if call is None or not call.legs:
            raise NotFoundError(f"call {target} has ended", "look at the calls as they are now")
        return call

    def _extension(self, own: str) -> Extension:
        extension = self._exchange.configuration.extensions.get(own)
        if extension is None:
            raise NotFoundError(f"there is no extension {own}", "see 'frontdesk extension list'")
        return extension

    @staticmethod
    def _ringing(call: Call, own: str) -> Leg | None:
        ringing = (PartyState.RINGING, PartyState.EARLY)
        legs = [leg for leg in call.legs[1:] if leg.extension is not None and leg.extension.number == own]
        return next((leg for leg in legs if leg.state in ringing and leg.role is PartyRole.CALLEE), None)

    @staticmethod
    def _talking(call: Call, own: str) -> tuple[Leg, Conversation]:
        """The own leg in a conversation of two."""
        phase = call.phase
        mine = [leg for leg in call.legs if leg.extension is not None and leg.extension.number == own]
        if not mine:
            raise RefusedError(f"{own} is not in call {call.id} any more", "look at the calls as they are now")
        if not isinstance(phase, Conversation):
            raise RefusedError(f"call {call.id} is no conversation of two now", "wait until two parties talk")
        if any(leg.talks.is_open for leg in call.legs):
            raise RefusedError(f"call {call.id} is changing its media right now", "try again in a moment")
        return mine[0], phase

    def _asking(self, target: str, own: str) -> tuple[Call, Leg]:
        call = self._call(target)
        mine = [leg for leg in call.legs if leg.extension is not None and leg.extension.number == own]
        if not mine or not isinstance(call.phase, (Consulting, Consulted)):
            raise RefusedError(f"{own} asks nobody in call {call.id}", "press + with a person chosen first")
        return call, mine[0]

    def _route(self, call: Call, extension: Extension, number: str) -> ToExtension | ToTrunks:
        """Where a number leads by the rights of the extension; one that cannot take the call is told at once."""
        try:
            route = target_of_transfer(call, extension, number)
        except RemoteError as error:
            raise RefusedError(
                f"{number} cannot be reached from {extension.number}: {error.status} {error.reason}",
                f"see 'frontdesk route test --from {extension.number} --to {number}'",
            ) from None
        if isinstance(route, ToExtension):
            self._demand_free(route.extension)
        return route

    def _demand_free(self, wanted: Extension) -> None:
        exchange, number = self._exchange, wanted.number
        if not exchange.bindings.of(number):
            raise RefusedError(f"extension {number} has no registered phone", "register one, or name another")
        if wanted.dnd:
            raise RefusedError(
                f"{number} does not want to be disturbed", "leave a message, or choose somebody else"
            )
        if wanted.max_calls is not None and exchange.lamps.call_count(number) >= wanted.max_calls:
            raise RefusedError(f"{number} is busy", "park the caller, or choose somebody else")

    def _control(self, leg: Leg, event: str) -> bool:
        now = self._exchange.clock.now()
        is_sent = leg.dialogue.send_control(now, event)
        self._exchange.endpoint.flush()
        return is_sent


def _gone(call: Call, extension: Extension) -> RefusedError:
    """Why a caller cannot be taken: it was quicker, or somebody else was."""
    if call.state in (CallState.TALKING, CallState.HELD, CallState.CONFERENCE):
        others = [leg.number for leg in call.legs[1:] if leg.number != extension.number]
        who = others[0] if others else extension.number
        return RefusedError(f"call {call.id} has been answered by {who}", "take the next one")
    return RefusedError(f"call {call.id} does not wait for {extension.number}", "look at the calls as they are now")
