"""Time as an argument: the real clock for the engine, a manual one for tests."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where the engine reads time; nothing below floor 2 holds one."""

    def now(self) -> float:
        """Monotonic seconds; never jumps when the wall clock is set."""
        ...

    def wall(self) -> datetime:
        """The time of day, aware, in UTC; it keeps step with ``now`` from one ``follow`` to the next."""
        ...

    def follow(self) -> timedelta:
        """Take over what the machine's clock has been set to; how far it jumped, zero for less than a second.

        Whoever calls this moves every moment that it still compares with ``wall``.
        """
        ...


_SMALLEST_JUMP = timedelta(seconds=1)


class SystemClock:
    """The machine's clocks; setting the time of day shows in ``wall`` only when somebody says ``follow``."""

    def __init__(self) -> None:
        self._anchor = _monotonic_zero()

    def now(self) -> float:
        return time.monotonic()

    def wall(self) -> datetime:
        return self._anchor + timedelta(seconds=time.monotonic())

    def follow(self) -> timedelta:
        before, self._anchor = self._anchor, _monotonic_zero()
        return _jump(self._anchor - before)


class ManualClock:
    """A clock that moves only when told to, for tests."""

    def __init__(self, now: float = 1000.0, wall: datetime | None = None) -> None:
        self._now = now
        self._anchor = self._set = (wall or datetime(2026, 1, 1, tzinfo=UTC)) - timedelta(seconds=now)

    def now(self) -> float:
        return self._now

    def wall(self) -> datetime:
        return self._anchor + timedelta(seconds=self._now)

    def follow(self) -> timedelta:
        before, self._anchor = self._anchor, self._set
        return _jump(self._anchor - before)

    def set_wall(self, jump: timedelta) -> None:
        """Somebody sets the machine's clock by ``jump``."""
        self._set += jump

    def advance(self, seconds: float) -> None:
        """Move time forward by ``seconds`` (>= 0)."""
        if seconds < 0:
            raise ValueError("time does not run backwards")
        self._now += seconds


def _monotonic_zero() -> datetime:
    """What the time of day was when the monotonic clock began."""
    return datetime.now(UTC) - timedelta(seconds=time.monotonic())


def _jump(change: timedelta) -> timedelta:
    return change if abs(change) >= _SMALLEST_JUMP else timedelta()
