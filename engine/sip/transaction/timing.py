"""Timer values and a timer book: one queue per duration, cleared lazily (RFC 3261 section 17, table 4)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Timing:
    """The base values, in seconds (RFC 3261 section 17.1.1.2)."""

    t1: float = 0.5
    """Round-trip estimate."""
    t2: float = 4.0
    """Longest interval between resendings."""
    t4: float = 5.0
    """How long a message may live in the network."""
    d: float = 32.0
    """How long an INVITE client waits for resent final responses over UDP."""
    trying_delay: float = 0.2
    """After it an INVITE that the office has not answered gets 100 (section 17.2.1)."""

    @property
    def give_up(self) -> float:
        """64 * T1: timers B, F, H, J, L and M."""
        return 64 * self.t1


class TimerOwner(Protocol):
    """Whoever sets timers; ``timers`` belongs to the book."""

    timers: dict[str, list[object]]

    def on_timer(self, name: str, now: float) -> None: ...


class TimerBook:
    """Named timers of many owners.

    Durations come from a small set, so each duration has its own first-in first-out queue and setting or
    clearing a timer costs the same for any number of them.
    """

    __slots__ = ("_queues",)

    def __init__(self) -> None:
        self._queues: dict[float, deque[list[object]]] = {}

    def set(self, owner: TimerOwner, name: str, duration: float, now: float) -> None:
        """Start (or restart) the owner's timer ``name``, due ``duration`` seconds after ``now``."""
        old = owner.timers.get(name)
        if old is not None:
            old[1] = None
        entry: list[object] = [now + duration, owner, name]
        owner.timers[name] = entry
        queue = self._queues.get(duration)
        if queue is None:
            queue = self._queues[duration] = deque()
        queue.append(entry)

    def clear(self, owner: TimerOwner, name: str) -> None:
        entry = owner.timers.pop(name, None)
        if entry is not None:
            entry[1] = None

    def clear_all(self, owner: TimerOwner) -> None:
        if owner.timers:
            for entry in owner.timers.values():
                entry[1] = None
            owner.timers.clear()

    def next_due(self) -> float | None:
        """When the earliest timer is due, on the clock that ``now`` comes from."""
        earliest: float | None = None
        for queue in self._queues.values():
            while queue and queue[0][1] is None:
                queue.popleft()
            if queue:
                due: float = queue[0][0]  # type: ignore[assignment]
                if earliest is None or due < earliest:
                    earliest = due
        return earliest

    def advance(self, now: float) -> None:
        """Fire what is due, in order of due times within each duration."""
        for queue in list(self._queues.values()):
            while queue and (queue[0][1] is None or queue[0][0] <= now):  # type: ignore[operator]
                _, owner, name = queue.popleft()
                if owner is None:
                    continue
                owner.timers.pop(name, None)  # type: ignore[attr-defined]
                owner.on_timer(name, now)  # type: ignore[attr-defined]

    def __len__(self) -> int:
        """Timers that are running."""
        return sum(1 for queue in self._queues.values() for entry in queue if entry[1] is not None)
