"""Where calls meet or wait: conference rooms, park slots and queues."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from engine.core.views import ParkView
from engine.media.gateway import MediaGateway, MixId

if TYPE_CHECKING:
    from engine.pbx.call import Call
    from engine.pbx.leg import Leg

SLOTS = tuple(str(number) for number in range(1, 100))


@dataclass(slots=True)
class Room:
    """A conference: who is in, and the mix that they hear."""

    mix: MixId
    password: str
    legs: list[Leg] = field(default_factory=list)
    announcer: Leg | None = None
    """Who alone is heard, and with whom it ends."""


@dataclass(frozen=True, slots=True)
class Stay:
    """How long somebody has been on a park slot, and may be."""

    since: datetime
    timeout_s: float
    by: str | None
    """The extension that parked."""


@dataclass(slots=True)
class Rooms:
    """Belongs to the office."""

    parked: dict[str, Call] = field(default_factory=dict)
    """The calls on the park slots."""
    stays: dict[str, Stay] = field(default_factory=dict)
    """By slot."""
    conferences: dict[str, Room] = field(default_factory=dict)
    queues: dict[str, list[Call]] = field(default_factory=dict)
    """Who waits, the first to be served in front."""
    on_slot: Callable[[str], None] = lambda slot: None
    """Called when somebody comes to a park slot or leaves it."""

    def free_slot(self) -> str | None:
        return next((slot for slot in SLOTS if slot not in self.parked), None)

    def parked_views(self) -> tuple[ParkView, ...]:
        """Who waits on which slot."""
        found = []
        for slot in sorted(self.stays, key=int):
            call, stay = self.parked.get(slot), self.stays[slot]
            if call is not None and call.legs:
                who, ends = call.caller, stay.since + timedelta(seconds=stay.timeout_s)
                found.append(ParkView(slot, call.id, who.number, who.name, stay.since, ends, stay.by))
        return tuple(found)

    def park(self, slot: str, call: Call, stay: Stay | None = None) -> None:
        """The call is on a slot, which is free or its own; ``stay`` once it hears music there."""
        self.parked[slot] = call
        if stay is not None:
            self.stays[slot] = stay
        self.on_slot(slot)

    def leave_slot(self, slot: str, call: Call) -> None:
        """The call is on it no more; a slot that has become another's stays as it is."""
        if self.parked.get(slot) is call:
            del self.parked[slot]
            self.stays.pop(slot, None)
            self.on_slot(slot)

    def forget(self, call: Call) -> None:
        """The call is over, wherever on its way to a slot or in a queue it was: nobody finds it there any more."""
        for slot in [slot for slot, parked in self.parked.items() if parked is call]:
            self.leave_slot(slot, call)
        for name in [name for name, waiting in self.queues.items() if call in waiting]:
            self.step_out(name, call)

    async def enter(self, gateway: MediaGateway, name: str, password: str) -> Room | None:
        """The conference, opened by the first who comes and gives it a password; ``None`` for a wrong one."""
        room = self.conferences.get(name)
        if room is None:
            room = Room(await gateway.open_mix(), password)
            self.conferences[name] = room
        return room if room.password == password else None

    async def leave(self, gateway: MediaGateway, name: str, leg: Leg) -> None:
        """The last who leaves closes the conference."""
        room = self.conferences.get(name)
        if room is None or leg not in room.legs:
            return
        room.legs.remove(leg)
        if leg.has_media:
            await gateway.leave_mix(leg.media)
        if not room.legs:
            del self.conferences[name]
            await gateway.close_mix(room.mix)

    def stand_in(self, name: str, call: Call) -> int:
        """The place of a call in a queue, from 1; who is not in it yet comes last."""
        waiting = self.queues.setdefault(name, [])
        if call not in waiting:
            waiting.append(call)
        return waiting.index(call) + 1

    def step_out(self, name: str, call: Call) -> None:
        waiting = self.queues.get(name, [])
        if call in waiting:
            waiting.remove(call)
        if not waiting:
            self.queues.pop(name, None)
