"""Calls that an extension does not take: its forwarding, do not disturb, services at these points, its box."""

from __future__ import annotations

from engine.pbx.boxes import DEPOSIT, has_box
from engine.pbx.call import Begin, Call
from engine.pbx.exchange import Exchange
from engine.pbx.in_service import InService
from engine.pbx.redirection import MOST_REDIRECTIONS
from engine.pbx.routing import Refused, Route, ToService, table_of
from engine.pbx.setup import Setup
from engine.store.configuration import Extension
from engine.store.services import Point

FORWARD = "forward"
"""The service that sends a call on."""
_UNREACHABLE = ("Phone Not Registered", "Phone Not Reachable")


def before_ringing(exchange: Exchange, extension: Extension) -> Route | None:
    """Where a call for the extension goes instead, before anything rings; ``None``: its phones ring."""
    if extension.forward_always is not None:
        return _to_forward(extension, Point.ALWAYS, extension.forward_always)
    trigger = table_of(exchange.configuration).trigger_at(Point.ALWAYS, extension.number)
    if trigger is not None:
        return _to_service(trigger.service, trigger.settings, extension, Point.ALWAYS)
    if extension.dnd:
        return _at(exchange, extension, Point.BUSY) or Refused(486, "Do Not Disturb")
    return None


def divert(setup: Setup, call: Call, extension: Extension, status: int, reason: str) -> bool:
    """Whether somebody else takes the waiting caller, whom the extension has not answered."""
    point = _point_of(status, reason)
    if point is None or len(call.diversions) >= MOST_REDIRECTIONS:
        return False
    route = _at(call.exchange, extension, point)
    if route is None:
        return False
    offer, early, offered, max_forwards = setup.take_over()
    facts = {"argument": route.argument, "settings": dict(route.settings)}
    call.phase = InService(
        call, offer, route.service, facts, max_forwards=max_forwards, early=early, offered=offered
    )
    call.post(Begin())
    return True


def _point_of(status: int, reason: str) -> Point | None:
    if status in (486, 600):
        return Point.BUSY
    if reason == "No Answer":
        return Point.NO_ANSWER
    return Point.UNREACHABLE if status == 480 and reason in _UNREACHABLE else None


def _at(exchange: Exchange, extension: Extension, point: Point) -> ToService | None:
    target = {
        Point.BUSY: extension.forward_busy,
        Point.NO_ANSWER: extension.forward_no_answer,
        Point.UNREACHABLE: extension.forward_unreachable,
    }[point]
    if target is not None:
        return _to_forward(extension, point, target)
    trigger = table_of(exchange.configuration).trigger_at(point, extension.number)
    if trigger is not None:
        return _to_service(trigger.service, trigger.settings, extension, point)
    return _to_service(DEPOSIT, (), extension, point) if has_box(exchange.configuration, extension) else None


def _to_forward(extension: Extension, point: Point, target: str) -> ToService:
    return _to_service(FORWARD, (("target", target),), extension, point)


def _to_service(
    service: str, settings: tuple[tuple[str, str], ...], extension: Extension, point: Point
) -> ToService:
    reason = point.value.replace("-", "_")
    return ToService(service, extension.number, (*settings, ("extension", extension.number), ("reason", reason)))
