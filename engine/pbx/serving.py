"""A party of a conversation that goes on in a service: parked, sent to a group, to voicemail."""

from __future__ import annotations

import logging

from engine.core.text import may_be_number, shown
from engine.core.views import PartyRole, PartyState
from engine.pbx.call import Begin, Call
from engine.pbx.in_service import InService
from engine.pbx.leg import Leg
from engine.pbx.routing import ToService, route_call
from engine.store.configuration import Extension

log = logging.getLogger(__name__)


def service_of(call: Call, by: Extension, number: str | None) -> ToService | None:
    """The service that a number leads to by the rights of who transfers; ``None`` for any other number."""
    if not number or not may_be_number(number):
        return None
    route = route_call(call.exchange.configuration, by, number, call.exchange.clock.wall()).route
    return route if isinstance(route, ToService) else None


async def hand_to_service(call: Call, by: Leg, party: Leg, route: ToService) -> None:
    """``by`` is done, and the party goes on in the service, which knows who sent it there (``parker``)."""
    exchange, now = call.exchange, call.exchange.clock.now()
    by.dialogue.notify_referral(now, 200, "OK")
    by.dialogue.end(now)
    await call.part(by)
    await exchange.gateway.disconnect(party.media)
    party.role, party.state, party.holds = PartyRole.CALLER, PartyState.TALKING, False
    settings = dict(route.settings)
    settings.setdefault("parker", by.number)
    log.info("call %s: %s hands %s to %s", call.id, shown(by.number), shown(party.number), route.service)
    call.phase = InService(call, b"", route.service, {"argument": route.argument, "settings": settings})
    call.post(Begin())
