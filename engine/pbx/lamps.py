"""Lamps (BLF): one truth about each extension, from its legs and its phones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from engine.core.bus import EventBus
from engine.core.clock import Clock
from engine.core.events import LampChanged
from engine.core.ids import CallId
from engine.core.views import Lamp, PartyRole, PartyState

if TYPE_CHECKING:
    from engine.pbx.leg import Leg


def lamp_of(legs: Iterable[Leg], *, is_registered: bool) -> Lamp:
    """The lamp of an extension with these legs.

    Talking outweighs held, held outweighs ringing: a busy person whose second call rings is busy. Whoever calls
    out is busy before the answer.
    """
    states = [(leg.state, leg.role) for leg in legs]
    if not states:
        return Lamp.IDLE if is_registered else Lamp.UNREGISTERED
    if any(state is PartyState.TALKING for state, _ in states):
        return Lamp.BUSY
    if any(state is PartyState.HELD for state, _ in states):
        return Lamp.HELD
    if any(role is PartyRole.CALLEE for _, role in states):
        return Lamp.RINGING
    return Lamp.BUSY


class LampBoard:
    """Who is in which calls, and what every lamp shows; changes are published."""

    def __init__(self, bus: EventBus, clock: Clock, is_registered: Callable[[str], bool]) -> None:
        self._bus = bus
        self._clock = clock
        self._is_registered = is_registered
        self._legs: dict[str, list[Leg]] = {}
        self._lamps: dict[str, Lamp] = {}
        self._since: dict[str, datetime] = {}
        self.revision = 0

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

    def add_leg(self, number: str, leg: Leg) -> None:
        self._legs.setdefault(number, []).append(leg)
        self.refresh(number)

    def remove_leg(self, number: str, leg: Leg) -> None:
        legs = self._legs.get(number, [])
        if leg in legs:
            legs.remove(leg)
            if not legs:
                del self._legs[number]
        self.refresh(number)

    def refresh(self, number: str) -> None:
        """Look again at an extension whose legs or phones have changed."""
        known = self._lamps.get(number)
        if known is None:
            return
        lamp = self._now(number)
        if lamp is known:
            return
        at = self._clock.wall()
        self._lamps[number] = lamp
        self._since[number] = at
        self.revision += 1
        self._bus.publish(LampChanged(at, number, lamp))

    def legs_of(self, number: str) -> tuple[Leg, ...]:
        """The extension's legs, oldest first."""
        return tuple(self._legs.get(number, ()))

    def calls_of(self, number: str) -> list[CallId]:
        """The calls an extension takes part in, oldest first, each once."""
        return list(dict.fromkeys(leg.call_id for leg in self._legs.get(number, ())))

    def lamp(self, number: str) -> Lamp:
        return self._lamps[number]

    def since(self, number: str) -> datetime | None:
        return self._since.get(number)

    def all(self) -> dict[str, Lamp]:
        return dict(self._lamps)

    def _now(self, number: str) -> Lamp:
        return lamp_of(self._legs.get(number, ()), is_registered=self._is_registered(number))
