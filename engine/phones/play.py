"""A day at the demo's office, without end: who calls whom, who answers, holds, is busy or lets it ring."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from engine.media.gateway import PortsExhaustedError
from engine.phones.call import Phase
from engine.phones.handset import Handset, HandsetCall

_log = logging.getLogger(__name__)

BUSY_HERE, DECLINE = 486, 603
ECHO_TEST = "*43"
LIVELY, CALM = 4, 6
"""Calls at once: below the first a new one begins soon, at the second none does."""
_SETUP_S = 8.0
"""How long the office may take with a call before the story goes on without it."""


class Reaction(Enum):
    """What the called person does."""

    ANSWER = "answer"
    LET_RING = "let ring"
    DECLINE = "decline"
    BE_BUSY = "be busy"


@dataclass(frozen=True, slots=True)
class Plot:
    """How one call goes; times in seconds."""

    reaction: Reaction
    rings_s: float
    """Until it is answered or declined, or the caller gives up."""
    talks_s: float = 0.0
    holds_s: float = 0.0
    """How long the other party waits in the middle of it; 0: no hold."""
    caller_acts: bool = True
    """Whether the caller is the one who holds and hangs up."""


UNEXPECTED = Plot(Reaction.ANSWER, 3.0)
"""What somebody does with a call that is in no scene."""
FOR_THE_DESK = 0.2
"""How often somebody who calls wants the receptionist; she answers or does not, for a minute at most."""
_DESK_RINGS_S = 60.0


def draw_plot(dice: random.Random) -> Plot:
    """Most calls are answered, and a third of those hold."""
    chance = dice.random()
    if chance < 0.66:
        holds_s = dice.uniform(6, 14) if dice.random() < 0.35 else 0.0
        return Plot(
            Reaction.ANSWER, dice.uniform(1.5, 6), dice.uniform(18, 75), holds_s, caller_acts=dice.random() < 0.5
        )
    if chance < 0.82:
        return Plot(Reaction.LET_RING, dice.uniform(9, 18))
    if chance < 0.92:
        return Plot(Reaction.BE_BUSY, 0.2)
    return Plot(Reaction.DECLINE, dice.uniform(2, 5))


class Person:
    """Somebody with a telephone; what they do with the next call is told them beforehand."""

    def __init__(self, handset: Handset) -> None:
        self.handset = handset
        self.plot: Plot | None = None
        self.is_cast = False
        """Takes part in a scene now."""
        self._tasks: set[asyncio.Task[None]] = set()
        handset.on_ring = self._take

    @property
    def is_free(self) -> bool:
        return not self.is_cast and not self.handset.calls and self.handset.is_registered

    async def leave(self) -> None:
        """Let go of whatever they were about to do, and of the phone."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.handset.cut()

    def _take(self, call: HandsetCall) -> None:
        task = asyncio.get_running_loop().create_task(self._react(call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _react(self, call: HandsetCall) -> None:
        plot = self.plot
        if plot is None and not self.is_cast:
            plot = UNEXPECTED  # from the desk, or transferred by it
        if plot is None or plot.reaction is Reaction.BE_BUSY or len(self.handset.calls) > 1:
            call.decline(BUSY_HERE)
            return
        call.ring()
        if plot.reaction is Reaction.LET_RING:
            return
        if await call.until(limit=plot.rings_s):
            return  # the caller gave up
        if plot.reaction is Reaction.DECLINE:
            call.decline(DECLINE)
        else:
            await call.answer()


class Play:
    """Scenes between people, a few at once, until it is cancelled."""

    def __init__(self, people: Sequence[Person], dice: random.Random, desk: str | None = None) -> None:
        """``desk``: the number of whoever looks on, who is called now and then."""
        self._people = people
        self._desk = desk
        self._dice = dice
        self._scenes: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Begin lively, go on calmly."""
        try:
            while True:
                if len(self._scenes) < CALM and (cast := self._choose()) is not None:
                    self._begin(*cast)
                await asyncio.sleep(self._pause())
        finally:
            scenes = tuple(self._scenes)
            for scene in scenes:
                scene.cancel()
            await asyncio.gather(*scenes, return_exceptions=True)

    def _pause(self) -> float:
        few, many = len(self._scenes) < LIVELY, len(self._scenes) >= CALM
        return (
            self._dice.uniform(0.4, 1.2) if few else self._dice.uniform(2, 4) if many else self._dice.uniform(4, 9)
        )

    def _choose(self) -> tuple[Person, Person | None] | None:
        """A caller and whom they call, somebody who is talking now and then; ``None`` as callee: the echo test."""
        free = [person for person in self._people if person.is_free]
        if len(free) < 2:
            return None
        caller, callee = self._dice.sample(free, 2)
        chance = self._dice.random()
        if chance < 0.04:
            return caller, None
        talking = [person for person in self._people if person.is_cast]
        if chance < 0.12 and talking:
            return caller, self._dice.choice(talking)
        return caller, callee

    def _begin(self, caller: Person, callee: Person | None) -> None:
        scene = asyncio.get_running_loop().create_task(self._scene(caller, callee))
        self._scenes.add(scene)
        scene.add_done_callback(self._scenes.discard)

    async def _scene(self, caller: Person, callee: Person | None) -> None:
        plot = draw_plot(self._dice)
        cast, number = [caller], callee.handset.number if callee else ECHO_TEST
        if self._desk is not None and self._dice.random() < FOR_THE_DESK:
            callee, number = None, self._desk
            plot = Plot(Reaction.ANSWER, _DESK_RINGS_S, self._dice.uniform(60, 120))
        elif callee is None:
            plot = Plot(Reaction.ANSWER, 1.0, self._dice.uniform(8, 15))
        elif not callee.is_cast:
            cast.append(callee)
            callee.plot = plot
        for person in cast:
            person.is_cast = True
        try:
            await play_scene(caller, callee, plot, number)
        except (OSError, PortsExhaustedError) as error:
            _log.warning("a demo phone could not call: %s", error)
        finally:
            for person in cast:
                person.is_cast = False
            if callee in cast and callee is not None:
                callee.plot = None


async def play_scene(caller: Person, callee: Person | None, plot: Plot, number: str) -> None:
    """One call from its first digit to its end; it is over when this returns or is cancelled."""
    call = await caller.handset.call(number)
    try:
        if await call.until(Phase.UP, limit=plot.rings_s + _SETUP_S) and call.phase is Phase.UP:
            await _converse(call, callee, plot)
    finally:
        call.hang_up()


async def _converse(call: HandsetCall, callee: Person | None, plot: Plot) -> None:
    actor = call
    if callee is not None and not plot.caller_acts:
        actor = next((other for other in callee.handset.calls if other.phase is Phase.UP), call)
    if plot.holds_s:
        if await call.until(limit=plot.talks_s / 2):
            return
        actor.hold()
        if await call.until(limit=plot.holds_s):
            return
        actor.resume()
    if not await call.until(limit=plot.talks_s / 2):
        actor.hang_up()
        await call.until(limit=_SETUP_S)
