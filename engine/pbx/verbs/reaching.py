"""Where the numbers of a service lead, and how its call goes on there."""

from __future__ import annotations

from typing import NamedTuple

from engine.core.errors import RemoteError
from engine.core.text import may_be_number
from engine.pbx.call import Begin
from engine.pbx.diversion import before_ringing
from engine.pbx.in_service import InService
from engine.pbx.redirection import MOST_REDIRECTIONS
from engine.pbx.routing import Refused, Route, ToExtension, ToService, ToTrunks, route_call
from engine.pbx.setup import Setup
from engine.sip.diversion import Diversion, Why
from engine.store.configuration import Extension

_WHY = {
    "always": Why.UNCONDITIONAL,
    "busy": Why.BUSY,
    "no_answer": Why.NO_ANSWER,
    "unreachable": Why.UNREACHABLE,
    "disturb": Why.DO_NOT_DISTURB,
}


class Target(NamedTuple):
    """A number and where it leads."""

    number: str
    route: Route


def why_of(word: str | None) -> Why:
    return _WHY.get(word or "", Why.DEFLECTION)


def routes_to(at: InService, numbers: tuple[str, ...], acting: str | None) -> tuple[Target, ...]:
    """Where numbers lead by the rights of extension ``acting``, else of the caller; raises ``RemoteError``.

    A caller from outside has no rights: it reaches what is inside, and nothing outside.
    """
    exchange = at.exchange
    extensions = exchange.configuration.extensions
    by = extensions.get(acting) if acting is not None else at.caller.extension
    if acting is not None and by is None:
        raise RemoteError(404, "No Such Extension")
    found = []
    for number in numbers:
        if not may_be_number(number):
            raise RemoteError(404, "No Such Number")
        found.append(Target(number, _route(at, by, number)))
    return tuple(found)


def _route(at: InService, by: Extension | None, number: str) -> Route:
    exchange = at.exchange
    extension = exchange.configuration.extensions.get(number)
    if extension is not None:
        return ToExtension(extension)
    if by is None:
        return Refused(404, "No Such Number")
    return route_call(exchange.configuration, by, number, exchange.clock.wall()).route


async def go_on_to(at: InService, target: Target, acting: str | None, why: Why) -> None:
    """The service is done, its call goes to the target; what cannot be is a failure of the verb."""
    from engine.pbx.verbs.dialling import Dialling, Order  # it leads back here

    call, route = at.call, target.route
    if isinstance(route, Refused):
        at.over(failure=f"{route.status} {route.reason}")
        return
    if acting is not None:
        if len(call.diversions) >= MOST_REDIRECTIONS or any(
            each.number == target.number for each in call.diversions
        ):
            at.over(failure="482 Forwarded Too Often")
            return
        call.diversions += (Diversion(acting, why),)
    call.group = None
    if isinstance(route, ToExtension):
        route = before_ringing(at.exchange, route.extension) or route
    if isinstance(route, Refused):
        at.over(failure=f"{route.status} {route.reason}")
    elif isinstance(route, ToService):
        phase = at.successor(route)
        await at.hand_out()
        call.phase = phase
        call.post(Begin())
    elif at.is_answered:
        order = Order((target,), float(at.exchange.configuration.params["ring_timeout_s"]))
        await at.dial(Dialling(at, order))
    else:
        if acting is not None:
            at.caller.dialogue.ring(at.now, 181)
        call.goes_outside = isinstance(route, ToTrunks)
        setup = Setup(call, at.offer, route, at.max_forwards - 1)
        setup.give(at.early, at.offered)
        await at.hand_out()
        call.phase = setup
        call.post(Begin())
