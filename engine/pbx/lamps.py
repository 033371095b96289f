"""Lamps (BLF): one truth about each extension, from its legs and its phones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING

from engine.core.bus import EventBus
from engine.core.clock import Clock
from engine.core.events import LampChanged
from engine.core.ids import CallId
from engine.core.views import Lamp, PartyRole, PartyState

if TYPE_CHECKING:
    from engine.pbx.leg import Leg


def lamp_key_of_trunk(name: str) -> str:
    """Under which name the board keeps the legs of an outside line; none of an extension's."""
    return f"trunk-{name}"


def lamp_key(leg: Leg) -> str | None:
    """Under which name the board keeps a leg; ``None`` for one that no lamp shows."""
    if leg.extension is not None:
        return leg.extension.number
    return lamp_key_of_trunk(leg.trunk.name) if leg.trunk is not None else None


class _Part(IntEnum):
    """What one leg means for its extension's lamp."""

    CALLING = 0
    RINGING = 1
    HELD = 2
    TALKING = 3


def _part_of(leg: Leg) -> _Part:
    if leg.state is PartyState.TALKING:
        return _Part.TALKING
    if leg.state is PartyState.HELD:
        return _Part.HELD
    return _Part.RINGING if leg.role is PartyRole.CALLEE else _Part.CALLING


class _Legs:
    """The legs of one extension, counted so that a lamp costs the same for any number of them."""

    __slots__ = ("calls", "counts", "parts")

    def __init__(self) -> None:
        self.parts: dict[Leg, _Part] = {}
        self.counts = [0] * len(_Part)
        self.calls: dict[CallId, int] = {}

    def count_again(self) -> None:
        """Make the counts what the parts say."""
        self.counts = [0] * len(_Part)
        self.calls = {}
        for leg, part in self.parts.items():
            self.counts[part] += 1
            self.calls[leg.call_id] = self.calls.get(leg.call_id, 0) + 1

    def put(self, leg: Leg) -> None:
        """Count a leg as what it is now."""
        before, now = self.parts.get(leg), _part_of(leg)
        if before is now:
            return
        if before is None:
            self.calls[leg.call_id] = self.calls.get(leg.call_id, 0) + 1
        else:
            self.counts[before] -= 1
        self.parts[leg] = now
        self.counts[now] += 1

    def drop(self, leg: Leg) -> None:
        part = self.parts.pop(leg, None)
        if part is None:
            return
        self.counts[part] -= 1
        self.calls[leg.call_id] -= 1
        if not self.calls[leg.call_id]:
            del self.calls[leg.call_id]

    @property
    def lamp(self) -> Lamp:
        """Talking outweighs held, held outweighs ringing: a busy person whose second call rings is busy.

        Whoever calls out is busy before the answer.
        """
        if self.counts[_Part.TALKING]:
            return Lamp.BUSY
        if self.counts[_Part.HELD]:
            return Lamp.HELD
        return Lamp.RINGING if self.counts[_Part.RINGING] else Lamp.BUSY


class LampBoard:
    """Who is in which calls, and what every lamp shows; changes are published."""

    def __init__(self, bus: EventBus, clock: Clock, lamp_of_phones: Callable[[str], Lamp]) -> None:
        self._bus = bus
        self._clock = clock
        self._lamp_of_phones = lamp_of_phones
        self._legs: dict[str, _Legs] = {}
        self._lamps: dict[str, Lamp] = {}
        self._since: dict[str, datetime] = {}
        self._idle_since: dict[str, float] = {}
        self.revision = 0
        self.on_change: Callable[[str], None] | None = None
        """Told of each extension whose legs or phones may have changed, and of each trunk whose legs have."""

    def set_extensions(self, numbers: Iterable[str]) -> None:
        """Show these extensions and no others."""
        known = dict.fromkeys(numbers)
        for number in [number for number in self._lamps if number not in known]:
            del self._lamps[number]
            self._since.pop(number, None)
        for number in known:
            if number not in self._lamps:
                self._lamps[number] = self._now(number)
        self.revision += 1

    def __contains__(self, number: str) -> bool:
        return number in self._lamps

    def put(self, leg: Leg) -> None:
        """A leg came, or changed its state."""
        key = lamp_key(leg)
        if key is not None:
            self.put_leg(key, leg)

    def remove(self, leg: Leg) -> None:
        """A leg is gone."""
        key = lamp_key(leg)
        if key is not None:
            self.remove_leg(key, leg)

    def put_leg(self, number: str, leg: Leg) -> None:
        """A leg of an extension, or of what ``lamp_key_of_trunk`` names, came or changed its state."""
        legs = self._legs.get(number)
        if legs is None:
            legs = self._legs[number] = _Legs()
        legs.put(leg)
        self.refresh(number)

    def remove_leg(self, number: str, leg: Leg) -> None:
        legs = self._legs.get(number)
        if legs is not None:
            legs.drop(leg)
            if not legs.parts:
                del self._legs[number]
                self._idle_since[number] = self._clock.now()
        self.refresh(number)

    def refresh(self, number: str) -> None:
        """Look again at an extension whose legs or phones have changed."""
        known = self._lamps.get(number)
        lamp = self._now(number) if known is not None else None
        if lamp is not None and lamp is not known:
            at = self._clock.wall()
            self._lamps[number] = lamp
            self._since[number] = at
            self.revision += 1
            self._bus.publish(LampChanged(at, number, lamp))
        if self.on_change is not None:
            self.on_change(number)

    def shift(self, jump: timedelta) -> None:
        """The wall clock was set: lamps have been as they are for as long as before."""
        self._since = {number: since + jump for number, since in self._since.items()}
        self.revision += 1

    def every_leg(self) -> list[tuple[str, Leg]]:
        """Every leg that is shown, and under which name."""
        return [(number, leg) for number, legs in self._legs.items() for leg in legs.parts]

    def shows(self, number: str, leg: Leg) -> bool:
        """Whether a leg is shown there as it stands."""
        legs = self._legs.get(number)
        return legs is not None and legs.parts.get(leg) is _part_of(leg)

    def wrong(self) -> dict[str, tuple[Lamp, Lamp]]:
        """The extensions whose lamp is not what their legs and phones say: what it shows, and what they say."""
        for legs in self._legs.values():
            legs.count_again()
        found: dict[str, tuple[Lamp, Lamp]] = {}
        for number, lamp in self._lamps.items():
            truth = self._now(number)
            if truth is not lamp:
                found[number] = (lamp, truth)
        return found

    def calls_of(self, number: str) -> list[CallId]:
        """The calls an extension takes part in, oldest first, each once."""
        legs = self._legs.get(number)
        return list(legs.calls) if legs is not None else []

    def legs_of(self, number: str) -> list[Leg]:
        """The legs of an extension, oldest first."""
        legs = self._legs.get(number)
        return [*legs.parts] if legs is not None else []

    def call_count(self, number: str) -> int:
        """How many calls an extension takes part in."""
        legs = self._legs.get(number)
        return len(legs.calls) if legs is not None else 0

    def idle_since(self, number: str) -> float | None:
        """When the extension's last call was over, on the clock; ``None`` when it has had none."""
        return self._idle_since.get(number)

    def newest_call(self, number: str) -> CallId | None:
        legs = self._legs.get(number)
        return next(reversed(legs.calls)) if legs is not None else None

    def lamp(self, number: str) -> Lamp:
        return self._lamps[number]

    def since(self, number: str) -> datetime | None:
        return self._since.get(number)

    def all(self) -> dict[str, Lamp]:
        return dict(self._lamps)

    def _now(self, number: str) -> Lamp:
        legs = self._legs.get(number)
        if legs is not None:
            return legs.lamp
        return self._lamp_of_phones(number)
