"""Verbs that bring more than two together: conference rooms, joining a call, breaking into one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from engine.core.text import shown
from engine.core.views import CallState, Lamp
from engine.media.gateway import PLAYABLE
from engine.media.tones import beep
from engine.pbx.call import Joined
from engine.pbx.errands import Errand, summon
from engine.pbx.in_service import InService, Stop
from engine.pbx.supervising import conversation_of
from engine.pbx.verbs.activity import Activity
from engine.pbx.verbs.dialling import AUTO_ANSWER
from engine.pbx.verbs.hearing import why_silent
from engine.pbx.verbs.taking import play_music

MOST_PAGED = 50


class InRoom(Activity):
    """The caller is in a conference until it hangs up."""

    def __init__(self, at: InService, name: str, password: str, *, announces: bool = False) -> None:
        super().__init__(at)
        self._name = name
        self._password = password
        self._announces = announces

    async def begin(self) -> None:
        at, gateway = self.at, self.at.exchange.gateway
        room = await at.exchange.rooms.enter(gateway, self._name, self._password)
        if room is None:
            at.over(failure="the password is wrong")
            return
        room.legs.append(at.caller)
        if self._announces:
            room.announcer = at.caller
        heard = room.announcer
        hears = None if heard is None else frozenset({heard.media} - {at.caller.media})
        await gateway.join_mix(room.mix, at.caller.media, hears=hears)
        if heard is not None:
            await self._beep()
        elif len(room.legs) == 1:
            await play_music(at)
        elif len(room.legs) == 2:
            await gateway.stop_playing(room.legs[0].media)
        at.call.enter(CallState.CONFERENCE)

    async def stop(self) -> None:
        at = self.at
        room = at.exchange.rooms.conferences.get(self._name)
        await at.exchange.rooms.leave(at.exchange.gateway, self._name, at.caller)
        if room is not None and room.announcer is not None:
            if room.announcer is at.caller:
                for leg in [*room.legs]:
                    leg.post(Stop())
        elif room is not None and len(room.legs) == 1 and room.legs[0].has_media:
            settled = room.legs[0].talks.settled
            if settled is not None and PLAYABLE & set(settled.codecs):
                await at.exchange.gateway.play(room.legs[0].media, at.exchange.hold_music(), repeat=True)

    async def _beep(self) -> None:
        """Who announces hears that the phones listen now; who listens that somebody speaks."""
        if why_silent(self.at) is None:
            await self.at.exchange.gateway.play(self.at.caller.media, beep())


async def page(at: InService, asked: Mapping[str, Any]) -> None:
    """Let phones that are free answer by themselves, and speak to all of them."""
    if not at.is_answered:
        at.over(failure="the call is not answered")
        return
    numbers = [asked["to"]] if isinstance(asked["to"], str) else [str(each) for each in asked["to"]]
    lamps, room = at.exchange.lamps.all(), f"page {at.call.id}"
    free = [each for each in dict.fromkeys(numbers) if lamps.get(each) is Lamp.IDLE and each != at.caller.number]
    if not free:
        at.over(failure="nobody is free")
        return
    activity = InRoom(at, room, "", announces=True)
    await at.do(activity)
    for number in free[:MOST_PAGED]:
        errand = Errand(number, "paging_member", 0.0, {"room": room, "target": at.caller.number})
        at.exchange.crew.run(summon(at.exchange, errand, AUTO_ANSWER), "paging")


async def conference(at: InService, asked: Mapping[str, Any]) -> None:
    if not at.is_answered:
        at.over(failure="the call is not answered")
        return
    await at.do(InRoom(at, shown(asked["room"], 32), asked.get("password") or ""))


async def join(at: InService, asked: Mapping[str, Any]) -> None:
    """Come into the call of another phone of the same number."""
    by = at.caller.extension
    call = conversation_of(at.exchange, by.number, at.call) if by is not None else None
    if call is None or call.is_emergency:
        at.over(failure="no other phone of this number talks")
        return
    await at.give_caller(call, partial(Joined, beeps=False))
