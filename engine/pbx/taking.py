"""An operator's phone takes a caller: it is rung, answers by itself where it can, and talks with the caller then.

Whoever waits goes on waiting until the phone has answered. One that does not answer, or too late, changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.core.errors import RefusedError
from engine.core.text import shown
from engine.core.views import PartyRole, PartyState, ReleasedBy
from engine.media.gateway import PortsExhaustedError
from engine.pbx.call import NORMAL, Call, Replaced
from engine.pbx.conversation import Conversation
from engine.pbx.errands import Errand, Summons
from engine.pbx.in_service import InService
from engine.pbx.leg import Leg
from engine.pbx.reach import one_flow_each
from engine.pbx.setup import Setup
from engine.pbx.verbs.dialling import AUTO_ANSWER
from engine.sip.identity import Caller
from engine.store.configuration import Extension

if TYPE_CHECKING:
    from engine.pbx.exchange import Exchange

log = logging.getLogger(__name__)

RING_S = 20.0
"""A phone that does not answer by itself rings so long."""
_WORD = "taking"

Find = Callable[[], tuple[Call, Leg] | None]
"""The call to go into and the place in it, as things stand when it is asked."""


class Taking(Summons):
    """The phase in which the operator's phone rings."""

    def __init__(self, call: Call, extension: Extension, find: Find) -> None:
        super().__init__(call, Errand(extension.number, _WORD, 0.0, {}), AUTO_ANSWER)
        self._find = find

    async def _go_on(self, leg: Leg) -> None:
        call, found = self._call, self._find()
        if found is None:
            log.info("call %s: %s answers too late, nobody is there", call.id, leg.number)
            call.end(ReleasedBy.SYSTEM, "480 Caller Gone")
            return
        other, place = found
        leg.role = PartyRole.CALLEE
        call.linked_id = other.id
        call.hand_over(leg, other)
        call.end(ReleasedBy.SYSTEM, NORMAL)
        log.info("call %s: %s takes %s", other.id, leg.number, shown(other.caller.number))
        other.post(Replaced(place, leg, b""))


async def take(exchange: Exchange, extension: Extension, who: Caller, find: Find) -> None:
    """Ring the phones of an extension for whoever ``find`` finds; raises ``RefusedError`` when none can be rung."""
    call = Call(exchange, exchange.new_call_id(), extension.number)
    call.identity = who
    phase = Taking(call, extension, find)
    for phone in one_flow_each(exchange.endpoint, exchange.bindings.of(extension.number)):
        try:
            await phase.ring(extension, phone)
        except (PortsExhaustedError, OSError) as error:
            log.error("call %s cannot get media ports: %s", call.id, error)
    if not call.legs:
        raise RefusedError(f"extension {extension.number} has no registered phone", "register one, or name another")
    call.service = _WORD
    call.start(phase)
    call.set_ring_timeout(RING_S)
    exchange.endpoint.flush()


def place_of_waiting(call: Call) -> Leg | None:
    """The place in which whoever takes the caller of ``call`` comes; ``None`` when it does not wait any more."""
    if isinstance(call.phase, InService):
        return call.caller if call.phase.is_answered else None
    if not isinstance(call.phase, Setup):
        return None
    ringing = (PartyState.RINGING, PartyState.EARLY)
    return next((leg for leg in call.legs[1:] if leg.role is PartyRole.CALLEE and leg.state in ringing), None)


def place_opposite(exchange: Exchange, party: Leg) -> tuple[Call, Leg] | None:
    """Whom to replace so that ``party`` talks with somebody else, wherever it is by now."""
    call = exchange.calls.get(party.call_id)
    if call is None or party not in call.legs:
        return None
    if isinstance(call.phase, Conversation):
        return call, call.phase.opposite(party)
    place = place_of_waiting(call)
    return (call, place) if place is not None else None
