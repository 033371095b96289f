"""Verbs that bring the caller together with somebody who rings, is parked or waits in a queue."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from engine.core.text import shown
from engine.core.views import CallState, PartyState
from engine.media.gateway import PLAYABLE
from engine.pbx.call import Call, Replaced, Served
from engine.pbx.conversation import Conversation
from engine.pbx.in_service import InService
from engine.pbx.leg import Leg
from engine.pbx.rights import may_pick_up
from engine.pbx.rooms import SLOTS, Stay
from engine.pbx.routing import ToService
from engine.pbx.setup import Setup
from engine.pbx.verbs.activity import Activity

_NOBODY_RINGS = "nobody rings there"
_NO_EXTENSION = "only extensions may do this"
_PLACES_TOLD_S = 30.0


async def pickup(at: InService, asked: Mapping[str, Any]) -> None:
    """Answer what rings at an extension, or the first that rings in the caller's pickup groups."""
    by, number = at.caller.extension, asked.get("number")
    if by is None:
        at.over(failure=_NO_EXTENSION)
        return
    configuration = at.exchange.configuration
    is_refused = False
    for call, leg in _ringing(at):
        if leg.extension is None or (number is not None and leg.extension.number != number):
            continue
        if number is None and leg.extension.number == by.number:
            continue
        if may_pick_up(configuration, by, leg.extension):
            await at.give_caller(call, partial(Replaced, leg))
            return
        is_refused = True
    at.over(failure="no right to pick that up" if is_refused and number is not None else _NOBODY_RINGS)


def _ringing(at: InService) -> list[tuple[Call, Leg]]:
    """Every phone that rings, the oldest call's first."""
    own = at.caller.extension
    found = []
    for call in at.exchange.calls.values():
        if not isinstance(call.phase, Setup) or (
            call.caller.extension is not None and call.caller.extension == own
        ):
            continue
        found += [(call, leg) for leg in call.legs[1:] if leg.state in (PartyState.RINGING, PartyState.EARLY)]
    return found


class Parked(Activity):
    """The caller hears music on a slot, until somebody retrieves it or the time is over."""

    def __init__(self, at: InService, slot: str, timeout_s: float) -> None:
        super().__init__(at)
        self._slot = slot
        self._timeout_s = timeout_s

    async def begin(self) -> None:
        at = self.at
        stay = Stay(at.exchange.clock.wall(), self._timeout_s, self._parker)
        at.exchange.rooms.park(self._slot, at.call, stay)
        at.call.enter(CallState.PARKED)
        await play_music(at)
        at.wait(self._timeout_s)

    async def hear(self, cue: Any) -> None:
        await self.stop()
        call = self.at.call
        call.home, call.returned = self._parker, f"P{self._slot}"
        call.enter(CallState.SERVICE)
        self.at.over({"status": "timeout", "slot": self._slot})

    async def stop(self) -> None:
        self.at.exchange.rooms.leave_slot(self._slot, self.at.call)

    @property
    def _parker(self) -> str | None:
        settings = self.at.facts.get("settings")
        parker = settings.get("parker") if isinstance(settings, Mapping) else None
        return parker if isinstance(parker, str) else None


async def play_music(at: InService) -> None:
    """As long as nothing else is played; a phone that nothing can be played to waits in silence."""
    settled = at.caller.talks.settled
    if settled is not None and PLAYABLE & set(settled.codecs):
        await at.exchange.gateway.play(at.caller.media, at.exchange.hold_music(), repeat=True)


async def park(at: InService, asked: Mapping[str, Any]) -> None:
    """Park the caller; one that dials while it holds another call parks the party of that call instead."""
    rooms = at.exchange.rooms
    slot = asked.get("slot") or rooms.free_slot()
    if slot is None:
        at.over(failure="every slot is taken")
    elif slot not in SLOTS:
        at.over(failure=f"there is no slot {shown(slot, 8)}: use 1 to {SLOTS[-1]}")
    elif rooms.parked.get(slot) not in (None, at.call):
        at.over(failure="the slot is taken")
    else:
        timeout_s = asked.get("timeout") or at.exchange.configuration.params["park_timeout_s"]
        held = _held_call(at)
        if held is not None:
            call, leg = held
            rooms.park(slot, call)
            settings = (*_texts(at.facts.get("settings")), ("parker", leg.number))
            call.post(Served(leg, ToService(at.service, slot, settings)))
            at.over({"status": "done", "slot": slot})
        elif not at.is_answered:
            at.over(failure="the call is not answered")
        else:
            await at.do(Parked(at, slot, float(timeout_s)))


def _texts(settings: Any) -> tuple[tuple[str, str], ...]:
    return tuple((str(key), str(value)) for key, value in settings.items()) if isinstance(settings, dict) else ()


def _held_call(at: InService) -> tuple[Call, Leg] | None:
    """The other call of the caller's extension, which it holds, and its leg in it."""
    by = at.caller.extension
    if by is None:
        return None
    for name in at.exchange.lamps.calls_of(by.number):
        call = at.exchange.calls.get(name)
        if call is None or call is at.call or not isinstance(call.phase, Conversation) or call.is_emergency:
            continue
        for leg in call.legs:
            if leg.extension is not None and leg.extension.number == by.number and leg.holds:
                return call, leg
    return None


async def retrieve(at: InService, asked: Mapping[str, Any]) -> None:
    call = at.exchange.rooms.parked.get(asked["slot"])
    if call is None or not isinstance(call.phase, InService):
        at.over(failure="nobody is parked there")
        return
    await at.give_caller(call, partial(Replaced, call.caller))


class Queued(Activity):
    """The caller waits for its turn."""

    def __init__(self, at: InService, name: str, timeout_s: float) -> None:
        super().__init__(at)
        self._name = name
        self._timeout_s = timeout_s
        self._until = at.now + timeout_s

    async def begin(self) -> None:
        at = self.at
        rooms, name, call = at.exchange.rooms, self._name, at.call
        rooms.stand_in(name, call)
        at.at_end.append(lambda: rooms.step_out(name, call))
        at.call.enter(CallState.QUEUED)
        if not self._tell_if_first():
            await play_music(at)
            at.wait(1.0)

    def _tell_if_first(self) -> bool:
        at = self.at
        place = at.exchange.rooms.stand_in(self._name, at.call)
        if place == 1:
            at.over({"status": "first", "position": 1})
        elif at.now >= self._until:
            at.over({"status": "waiting", "position": place})
        else:
            return False
        return True

    async def hear(self, cue: Any) -> None:
        if not self._tell_if_first():
            self.at.wait(1.0)


async def queue(at: InService, asked: Mapping[str, Any]) -> None:
    """Stand in a queue: over when it is the caller's turn, or after ``timeout`` with its position."""
    if not at.is_answered:
        at.over(failure="the call is not answered")
        return
    await at.do(Queued(at, shown(asked["name"], 32), float(asked.get("timeout") or _PLACES_TOLD_S)))


async def serve(at: InService, asked: Mapping[str, Any]) -> None:
    """Take the first out of a queue."""
    for call in at.exchange.rooms.queues.get(shown(asked["queue"], 32), ()):
        if isinstance(call.phase, InService) and call is not at.call:
            await at.give_caller(call, partial(Replaced, call.caller))
            return
    at.over(failure="nobody waits there")
