"""The engine's own pulse: how late its loop is, and how long the garbage collector stops it."""

from __future__ import annotations

import asyncio
import gc
import time
from collections import deque
from typing import Any

TICK_S = 0.02
_KEPT = 3000
"""A minute of ticks."""
MINUTES = 60
"""How many minutes are remembered by their worst tick."""


class LoopPulse:
    """Measures how late a periodic callback runs."""

    def __init__(self) -> None:
        self._delays: deque[float] = deque(maxlen=_KEPT)
        self._due = 0.0
        self._handle: asyncio.TimerHandle | None = None
        self.max_ms = 0.0
        """The worst since the start."""
        self._worst: deque[float] = deque(maxlen=MINUTES)
        self._minute_ends = 0.0

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._due = loop.time() + TICK_S
        self._minute_ends = loop.time() + 60.0
        self._worst.append(0.0)
        self._handle = loop.call_at(self._due, self._beat)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

    @property
    def p99_ms(self) -> float:
        """Of the last minute."""
        if not self._delays:
            return 0.0
        ordered = sorted(self._delays)
        return ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]

    @property
    def history(self) -> tuple[float, ...]:
        """The worst of each of the last minutes, ms; the last one is not over yet."""
        return tuple(round(worst, 2) for worst in self._worst)

    def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        # uvloop keeps time in whole milliseconds: a callback may run that much early.
        late_ms = max(0.0, now - self._due) * 1000
        self._delays.append(late_ms)
        self.max_ms = max(self.max_ms, late_ms)
        if now >= self._minute_ends:
            self._minute_ends = now + 60.0
            self._worst.append(0.0)
        if late_ms > self._worst[-1]:
            self._worst[-1] = late_ms
        self._due = now + TICK_S
        self._handle = loop.call_at(self._due, self._beat)


class QuietCollector:
    """Looks for cycles only while nobody is on the phone: among what a storm of calls leaves it takes long.

    Calls leave no cycles; consoles do. While calls run, whatever has come up is set aside, which costs nothing:
    old objects that go would else hide from the collector how many young ones there are, until a look at all of
    them stops the office for a third of a second.
    """

    def __init__(self) -> None:
        self._thorough_at: float | None = None
        """At the start everything has just been looked through."""
        self._busy_until: float | None = None
        """When calls that never stop have to wait for a thorough look."""

    def look(self, now: float, *, is_quiet: bool) -> None:
        """Collect or set aside what is due; an office that is never quiet is made to wait in the end."""
        if self._thorough_at is None:
            self._thorough_at = now + _THOROUGH_EACH_S
        if is_quiet:
            self._busy_until = None
        elif self._busy_until is None:
            self._busy_until = now + _LONGEST_BUSY_S
        if self._busy_until is not None and now < self._busy_until:
            gc.freeze()
        elif self._busy_until is not None or now >= self._thorough_at:
            self._busy_until, self._thorough_at = None, now + _THOROUGH_EACH_S
            gc.unfreeze()
            gc.collect()
            gc.freeze()
        elif 0 < gc.get_count()[1] <= _FEW_ROUNDS:
            gc.collect(1)


_LONGEST_BUSY_S = 12 * 3600.0
_FEW_ROUNDS = 12
"""What more rounds have left would stop the office for a tenth of a second: it has time until the hour is over."""
_THOROUGH_EACH_S = 3600.0


class CollectorPulse:
    """Counts and times the garbage collector's runs, on whichever thread they happen."""

    def __init__(self) -> None:
        self._started = 0.0
        self.count = 0
        self.max_ms = 0.0
        self.total_ms = 0.0

    def start(self) -> None:
        gc.callbacks.append(self._note)

    def stop(self) -> None:
        if self._note in gc.callbacks:
            gc.callbacks.remove(self._note)

    def figures(self) -> dict[str, float]:
        return {"count": self.count, "max_ms": round(self.max_ms, 3), "total_ms": round(self.total_ms, 3)}

    def _note(self, phase: str, info: dict[str, Any]) -> None:
        if phase == "start":
            self._started = time.perf_counter()
            return
        pause_ms = (time.perf_counter() - self._started) * 1000
        self.count += 1
        self.total_ms += pause_ms
        self.max_ms = max(self.max_ms, pause_ms)
