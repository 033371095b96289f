"""Verbs of operators: coming into a call of others, pulling a caller out of a service, overriding."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from engine.core.audit import AuditEntry, Outcome
from engine.core.deeds import Deed
from engine.core.ids import CallId
from engine.core.text import shown
from engine.core.views import CallState
from engine.pbx.call import Call, Replaced, Told
from engine.pbx.errands import FREE, WHO, Errand
from engine.pbx.in_service import InService
from engine.pbx.routing import ToExtension, ToTrunks
from engine.pbx.supervising import DeniedError, change_inside, cue_of, wish_of
from engine.pbx.verbs.dialling import PRIORITY, Dialling, Order
from engine.pbx.verbs.reaching import Target, routes_to
from engine.store.configuration import Extension, Right

CAMP_ON_S = 1.0
"""When a camp-on begins to look whether its extension is free."""


async def supervise(at: InService, asked: Mapping[str, Any]) -> None:
    """Come into a call of two; who may not, hears why, and the call hears nothing."""
    try:
        deed = Deed(asked["deed"])
    except ValueError:
        at.over(failure=f"use {', '.join(Deed)}")
        return
    target = asked["target"]
    try:
        wish = wish_of(at.exchange, at.caller.extension, deed, target, asked.get("side"), but=at.call)
    except DeniedError as error:
        note(at, deed.value, target, error.why)
        at.over(failure=error.why)
        return
    told = told_of(at, deed.value, target)
    if wish.inside is not None:
        change_inside(at.exchange, wish, told)
        at.over()
    else:
        await at.give_caller(wish.call, cue_of(at.exchange, wish, told))


async def barge_in(at: InService, asked: Mapping[str, Any]) -> None:
    await supervise(at, {"deed": Deed.BARGE_IN.value, "target": asked["number"]})


async def pull(at: InService, asked: Mapping[str, Any]) -> None:
    """Take a caller out of a menu, a queue or a slot; a call by its id, or a slot by its number."""
    target, by = asked["target"], at.caller.extension
    call = waiting_call(at, target)
    why = None
    if by is None or Right.PULL not in by.rights:
        why = "no_right"
    elif call is None:
        why = "not_waiting"
    if why is not None or call is None:
        note(at, "pull", target, why)
        at.over(failure=why)
        return
    await at.give_caller(call, partial(_taken, call, told_of(at, "pull", target)))


def _taken(call: Call, told: Told, mine: Any, offer: bytes) -> Replaced:
    return Replaced(call.caller, mine, offer, told)


def waiting_call(at: InService, target: str) -> Call | None:
    """The answered call in a service that is meant."""
    call = at.exchange.calls.get(CallId(target)) or at.exchange.rooms.parked.get(target)
    if call is None or call is at.call or call.is_emergency:
        return None
    return call if isinstance(call.phase, InService) and call.phase.is_answered else None


async def override(at: InService, asked: Mapping[str, Any]) -> None:
    """Call an extension through do not disturb and forwarding, or an outside number over a line's limit.

    Who talks is broken into where that is allowed, else rung once it is free (``{ status = "camped" }``).
    """
    number, by = asked["number"], at.caller.extension
    params = at.exchange.configuration.params
    why = None
    target: Target | None = None
    if by is None or Right.OVERRIDE not in by.rights:
        why = "no_right"
    else:
        (target,) = routes_to(at, (number,), None)
        if isinstance(target.route, ToTrunks) and params["override_trunk_limit"] != 1:
            why = "no_right"
        elif not isinstance(target.route, (ToExtension, ToTrunks)) or number == by.number:
            why = "unknown"
    if why is not None or target is None or by is None:
        note(at, "override", number, why)
        at.over(failure=why)
        return
    if isinstance(target.route, ToExtension) and at.exchange.lamps.calls_of(number):
        await _reach_busy(at, by, number)
        return
    note(at, "override", number, None, reason=asked.get("reason"))
    ring_s = float(asked.get("ring") or params["ring_timeout_s"])
    at.call.enter(CallState.SERVICE)
    await at.dial(Dialling(at, Order((target,), ring_s, is_priority=True, headers=PRIORITY)))


async def _reach_busy(at: InService, by: Extension, number: str) -> None:
    """Break into the call, else wait for its end: both are rung then."""
    try:
        wish = wish_of(at.exchange, by, Deed.BARGE_IN, number, but=at.call)
    except DeniedError:
        settings = {"target": number, FREE: number, "service": "override"}
        who = at.facts.get(WHO)
        errand = Errand(by.number, "override", at.exchange.clock.wall().timestamp() + CAMP_ON_S, settings, who)
        if at.exchange.errands is not None:
            at.exchange.errands.put(errand)
        note(at, "override", number, None, reason="camps on until it is free")
        at.over({"status": "camped"})
        return
    if wish.inside is not None:
        at.over(failure="not_talking")
        return
    await at.give_caller(wish.call, cue_of(at.exchange, wish, told_of(at, "override", number)))


# -- the audit log -----------------------------------------------------------------------------------------------


def note(at: InService, action: str, target: str, why: str | None, *, reason: str | None = None) -> None:
    """Keep in the audit log what was asked by this phone, or by the operator it was rung for."""
    mine = at.caller.extension.number if at.caller.extension else at.caller.number
    outcome = Outcome.DONE if why is None else Outcome.REFUSED
    _write(at, mine, action, target, outcome, why or reason)


def told_of(at: InService, action: str, target: str) -> Told:
    """The same once it is known how it ended."""
    mine = at.caller.extension.number if at.caller.extension else at.caller.number

    def told(failure: str | None) -> None:
        outcome = Outcome.DONE if failure is None else Outcome.FAILED
        _write(at, mine, action, target, outcome, failure or at.facts.get("settings", {}).get("reason"))

    return told


def _write(at: InService, mine: str, action: str, target: str, outcome: Outcome, reason: str | None) -> None:
    by, named = at.facts.get(WHO), None
    if by is not None:  # what the operator named it by; settings that anybody else has given tell nothing
        named = (at.facts.get("settings") or {}).get("target")
    at.exchange.audit(
        AuditEntry(
            at.exchange.clock.wall(),
            shown(by or mine, 64),
            mine,
            action,
            shown(named or target, 64),
            outcome,
            reason,
        )
    )
