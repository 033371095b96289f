"""Times as people type them, in the zone of the office."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo

from engine.core.errors import RefusedError

_AGO = re.compile(r"(\d{1,6})([mhd])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def read_moment(text: str, now: datetime, zone: tzinfo | None) -> datetime | None:
    """``2026-03-02``, ``2026-03-02 09:30``, ``09:30`` of today, or ``2h`` ago; ``None`` for an empty text."""
    text = text.strip()
    if not text:
        return None
    if ago := _AGO.fullmatch(text):
        return now - int(ago[1]) * _UNITS[ago[2]]
    here = now.astimezone(zone)
    if re.fullmatch(r"\d{1,2}:\d{2}", text):
        text = f"{here:%Y-%m-%d} {text:0>5}"
    try:
        typed = datetime.fromisoformat(text)
        return (typed if typed.tzinfo else typed.replace(tzinfo=here.tzinfo)).astimezone(now.tzinfo)
    except (ValueError, OverflowError):
        raise RefusedError(f"'{text}' is no time", "use 2026-03-02, 2026-03-02 09:30, 09:30, 2h or 7d") from None
