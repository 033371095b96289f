"""How a call begins: with phones that ring, with a service, or with one that is asked before either."""

from __future__ import annotations

from collections.abc import Callable

from engine.pbx.call import Begin, Call, Phase
from engine.pbx.diversion import before_ringing
from engine.pbx.early_media import EarlyMedia
from engine.pbx.in_service import InService
from engine.pbx.routing import Route, ToExtension, ToService, ToTrunks
from engine.pbx.setup import Setup
from engine.store.services import Trigger


def phase_of(
    call: Call,
    offer: bytes,
    route: Route,
    max_forwards: int,
    early: EarlyMedia | None = None,
    offered: tuple[str, ...] | None = None,
) -> Phase:
    """The phase in which a call goes where its route leads.

    ``early`` and ``offered`` are what a caller that waits was told and asked before.
    """
    if isinstance(route, ToExtension):
        route = before_ringing(call.exchange, route.extension) or route
    if isinstance(route, ToService):
        facts = {"argument": route.argument, "settings": dict(route.settings)}
        return InService(call, offer, route.service, facts, max_forwards=max_forwards, early=early, offered=offered)
    call.goes_outside = isinstance(route, ToTrunks)
    call.is_emergency = isinstance(route, ToTrunks) and route.is_emergency
    setup = Setup(call, offer, route, max_forwards - 1)
    setup.give(early, offered)
    return setup


def first_phase(
    call: Call, offer: bytes, trigger: Trigger, max_forwards: int, decide: Callable[[], Route]
) -> Phase:
    """A service that the call meets first; one that it does not take goes where ``decide`` says then."""

    async def go_on(at: InService) -> None:
        await at.hand_out()
        call.phase = phase_of(call, at.offer, decide(), at.max_forwards, at.early, at.offered)
        call.post(Begin())

    settings = {**dict(trigger.settings), "reason": "call_start"}
    return InService(
        call, offer, trigger.service, {"settings": settings}, max_forwards=max_forwards, on_return=go_on
    )
