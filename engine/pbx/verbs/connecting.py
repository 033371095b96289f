"""Verbs that put the caller on hold, hand it on, or bring it together with the caller of another call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from engine.core.errors import RemoteError
from engine.core.ids import CallId
from engine.core.views import CallState, PartyState
from engine.pbx.boxes import DEPOSIT
from engine.pbx.call import Begin, Call, Replaced
from engine.pbx.diversion import before_ringing
from engine.pbx.in_service import InService
from engine.pbx.leg import Leg
from engine.pbx.rights import may_fetch, may_pick_up
from engine.pbx.routing import Refused, ToService
from engine.pbx.setup import Setup
from engine.pbx.verbs.dialling import Dialling, Order, status_word
from engine.pbx.verbs.hearing import why_silent
from engine.pbx.verbs.reaching import routes_to
from engine.pbx.verbs.taking import play_music

_RINGING = (PartyState.RINGING, PartyState.EARLY)


async def hold(at: InService, asked: Mapping[str, Any]) -> None:
    """The caller hears music and is shown as held, or is taken back."""
    if not at.is_answered:
        at.over(failure="the call is not answered")
        return
    leg, is_on = at.caller, asked.get("is_on") is not False
    if is_on:
        await play_music(at)
    elif leg.state is PartyState.HELD and why_silent(at) is None:
        await at.exchange.gateway.stop_playing(leg.media)
    leg.state = PartyState.HELD if is_on or leg.holds else PartyState.TALKING
    at.call.enter(CallState.HELD if is_on else CallState.SERVICE)
    at.over()


async def transfer(at: InService, asked: Mapping[str, Any]) -> None:
    """The caller goes on with whoever answers, and the service is done; nobody answering is its outcome."""
    if not at.is_answered:
        at.over(failure="the call is not answered")
        return
    acting = asked.get("as")
    try:
        (target,) = routes_to(at, (asked["number"],), acting)
        if target.number == at.caller.number and at.caller.extension is not None:
            raise RemoteError(482, "Own Number")
        route = target.route
        extension = getattr(route, "extension", None)
        if extension is not None:
            route = before_ringing(at.exchange, extension) or route
        if isinstance(route, Refused):
            raise RemoteError(route.status, route.reason)
    except RemoteError as error:
        at.over({"status": status_word(error.status, error.reason), "code": error.status, "reason": error.reason})
        return
    if isinstance(route, ToService):
        await _hand_to(at, route, target.number, acting)
        return
    ring_s = asked.get("ring") or at.exchange.configuration.params["ring_timeout_s"]
    order = Order((target._replace(route=route),), float(ring_s), music=bool(asked.get("music")), is_transfer=True)
    at.call.enter(CallState.SERVICE)
    await at.dial(Dialling(at, order))


async def voicemail(at: InService, asked: Mapping[str, Any]) -> None:
    """The caller leaves a message for an extension, and this service is done."""
    number = asked["number"]
    if number not in at.exchange.configuration.extensions:
        at.over(failure="there is no such extension")
        return
    await _hand_to(at, ToService(DEPOSIT, number, (("extension", number),)), number, None)


async def _hand_to(at: InService, route: ToService, number: str, acting: str | None) -> None:
    """Another service goes on with the caller; it knows who sent it there."""
    if acting is not None and "parker" not in dict(route.settings):
        route = replace(route, settings=(*route.settings, ("parker", acting)))
    call, phase = at.call, at.successor(route)
    call.dialled = number
    await at.hand_out()
    call.phase = phase
    call.post(Begin())


async def bridge(at: InService, asked: Mapping[str, Any]) -> None:
    """The caller and the caller of another call talk; whoever may not, or comes too late, hears why."""
    call = at.exchange.calls.get(CallId(asked["call"]))
    if call is None or call is at.call or not call.legs:
        at.over(failure="there is no such call" if call is not at.call else "that is this call")
        return
    if call.is_emergency:
        at.over(failure="that is an emergency call")
        return
    if isinstance(call.phase, InService):
        await _bridge_with_waiting(at, call, call.phase)
    elif isinstance(call.phase, Setup):
        await _bridge_with_ringing(at, call)
    else:
        at.over(failure="that call does not wait")


async def _bridge_with_waiting(at: InService, call: Call, other: InService) -> None:
    is_parked = call in at.exchange.rooms.parked.values()
    if not may_fetch(at.caller.extension, is_own=other.service == at.service, is_parked=is_parked):
        at.over(failure="no right to that call")
    elif not (other.is_answered or other.may_answer):
        at.over(failure="that call is not answered")
    else:
        await at.give_caller(call, partial(Replaced, call.caller))


async def _bridge_with_ringing(at: InService, call: Call) -> None:
    """What rings is answered by our caller: by the rights to pick up, or where the same service makes it ring."""
    is_own, by = call.owner is not None and call.service == at.service, at.caller.extension
    rings = [leg for leg in call.legs[1:] if leg.state in _RINGING]
    if not rings:
        at.over(failure="that call does not wait")
        return
    place = next((leg for leg in rings if is_own or _may_take(at, leg)), None)
    if place is None or (by is not None and call.caller.extension == by):
        at.over(failure="no right to that call")
    else:
        await at.give_caller(call, partial(Replaced, place))


def _may_take(at: InService, leg: Leg) -> bool:
    by = at.caller.extension
    rung = leg.extension
    return by is not None and rung is not None and may_pick_up(at.exchange.configuration, by, rung)
