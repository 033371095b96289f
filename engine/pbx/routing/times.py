"""When a service begins by itself: what ``at``, ``every``, ``days`` and ``schedule`` of its row mean.

at        = HH:MM *("," HH:MM)          ; of the office's own time
every     = 1 to 1440                   ; minutes, counted from midnight
days      = as the times of a schedule  ; "mo-fr", "mo-fr 09:00-17:30"
schedule  = the name of one             ; holidays and the night switch count
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from engine.core.errors import RefusedError
from engine.pbx.routing.schedule import Hours, read_hours
from engine.store.outside import Night, Schedule
from engine.store.services import Settings

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_EXAMPLE = "use --set at=08:00, or --set every=15, and --set days=mo-fr"
_MOST_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Times:
    """The times of one row, read."""

    minutes: frozenset[int] = frozenset()
    """Of the day."""
    every: int = 0
    """Minutes; 0: at ``minutes`` alone."""
    hours: Hours | None = None
    schedule: str | None = None

    def name(self, local: datetime, *, is_skipped: bool = False) -> bool:
        """Whether a local minute is one of them; ``is_skipped`` says that the clock was put forward over it."""
        minute = local.hour * 60 + local.minute
        is_time = minute in self.minutes or (self.every > 0 and not is_skipped and minute % self.every == 0)
        return is_time and (self.hours is None or self.hours.hold(local, Night.AUTO))


@lru_cache(maxsize=1024)
def read_times(settings: Settings) -> Times:
    """What the settings of a row mean; raises ``RefusedError`` that says what may be said."""
    said = dict(settings)
    minutes = frozenset(_minute(part) for part in said["at"].split(",")) if "at" in said else frozenset()
    every = _every(said["every"]) if "every" in said else 0
    if not minutes and not every:
        raise RefusedError("the service has no time at which it begins", _EXAMPLE)
    hours = read_hours(Schedule("", said["days"])) if "days" in said else None
    return Times(minutes, every, hours, said.get("schedule"))


def _minute(text: str) -> int:
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise RefusedError(f"'{text}' is no time of day", "use times from 00:00 to 23:59, parted by commas")
    return int(match[1]) * 60 + int(match[2])


def _every(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_MINUTES):
        raise RefusedError(f"a service cannot begin every '{text}' minutes", f"use 1 to {_MOST_MINUTES}")
    return int(text)
