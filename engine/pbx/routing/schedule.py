"""Office hours: what ``mo-fr 09:00-17:30, sa 10:00-12:00`` and a list of holidays mean at one local time.

    when     = ["not"] part *("," part)
    part     = days *span / 1*span
    days     = day ["-" day]                    ; mo tu we th fr sa su, longer English names too
    span     = HH:MM "-" HH:MM                  ; to 24:00 at most; an end before the start is after midnight
    holiday  = YYYY-MM-DD / MM-DD               ; MM-DD is every year

Several parts add up. What begins on a holiday does not hold, hours after midnight belong to the day before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from engine.core.errors import RefusedError
from engine.store.outside import Night, Schedule

EXAMPLE = "mo-fr 09:00-17:30, sa 10:00-12:00"
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SPAN = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
_HOLIDAY = re.compile(r"(?:(\d{4})-)?(\d{2})-(\d{2})")
_DAY_MIN = 24 * 60
_LEAP_YEAR = 2000
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Hours:
    """A schedule that has been read."""

    days: tuple[tuple[tuple[int, int], ...], ...]
    """Of each weekday, Monday first, the spans in minutes since its midnight; an end may lie beyond the day's."""
    dates: frozenset[date]
    """Holidays of one year."""
    yearly: frozenset[tuple[int, int]]
    """Holidays of every year: month and day."""
    is_inverted: bool = False

    def hold(self, local: datetime, night: Night) -> bool:
        """Whether they hold at a local time; a night switch set by hand closes them, or opens them."""
        is_open = self._are_open(local) if night is Night.AUTO else night is Night.OFF
        return is_open != self.is_inverted

    def _are_open(self, local: datetime) -> bool:
        minute, today = local.hour * 60 + local.minute, local.date()
        if not self._is_holiday(today):
            for start, end in self.days[today.weekday()]:
                if start <= minute < end:
                    return True
        yesterday = today - timedelta(days=1)
        if not self._is_holiday(yesterday):
            for _, end in self.days[yesterday.weekday()]:
                if minute < end - _DAY_MIN:
                    return True
        return False

    def _is_holiday(self, day: date) -> bool:
        return day in self.dates or (day.month, day.day) in self.yearly


def read_hours(schedule: Schedule) -> Hours:
    """What a schedule means; raises ``RefusedError`` that names the part that is wrong."""
    text = schedule.when.strip().lower()
    if len(text) > _LONGEST:
        raise RefusedError("the times are too long", f"use at most {_LONGEST} characters")
    is_inverted = text.startswith("not ")
    days: list[list[tuple[int, int]]] = [[] for _ in _DAYS]
    for part in text.removeprefix("not ").split(","):
        for day, span in _read_part(part.strip()):
            days[day].append(span)
    dates, yearly = _read_holidays(schedule.holidays)
    return Hours(tuple(tuple(sorted(set(spans))) for spans in days), dates, yearly, is_inverted)


def check_holiday(text: str) -> str:
    """A holiday as it is stored; raises ``RefusedError``."""
    text = text.strip()
    _read_holidays((text,))
    return text


def _read_part(part: str) -> list[tuple[int, tuple[int, int]]]:
    words = re.sub(r"\s*-\s*", "-", part).split()
    if not words:
        raise RefusedError("a part of the times is empty", f"write it like '{EXAMPLE}'")
    days: Iterable[int] = range(len(_DAYS))
    if not words[0][0].isdigit():
        days = _read_days(words.pop(0))
    spans = [_read_span(word) for word in words] or [(0, _DAY_MIN)]
    return [(day, span) for day in days for span in spans]


def _read_days(word: str) -> tuple[int, ...]:
    first, dash, last = word.partition("-")
    start = _read_day(first, word)
    end = _read_day(last, word) if dash else start
    return tuple((start + step) % 7 for step in range((end - start) % 7 + 1))


def _read_day(text: str, word: str) -> int:
    for number, name in enumerate(_DAYS):
        if len(text) >= 2 and name.startswith(text):
            return number
    raise RefusedError(f"'{word}' is no day of the week", f"use mo, tu, we, th, fr, sa or su, as in '{EXAMPLE}'")


def _read_span(word: str) -> tuple[int, int]:
    match = _SPAN.fullmatch(word)
    if match is None:
        raise RefusedError(f"'{word}' is no span of time", f"use hours such as 09:00-17:30, as in '{EXAMPLE}'")
    hours, minutes, until_hours, until_minutes = (int(group) for group in match.groups())
    start, end = hours * 60 + minutes, until_hours * 60 + until_minutes
    if max(minutes, until_minutes) > 59 or start >= _DAY_MIN or end > _DAY_MIN:
        raise RefusedError(f"'{word}' is no span of time", "use times from 00:00 to 24:00")
    if start == end:
        raise RefusedError(f"'{word}' begins when it ends", "leave the hours out for the whole day")
    return start, end if end > start else end + _DAY_MIN


def _read_holidays(texts: Iterable[str]) -> tuple[frozenset[date], frozenset[tuple[int, int]]]:
    dates, yearly = set(), set()
    for text in texts:
        match = _HOLIDAY.fullmatch(text)
        try:
            if match is None:
                raise ValueError
            year, month, day = match.groups()
            found = date(int(year or _LEAP_YEAR), int(month), int(day))
        except ValueError:
            raise RefusedError(
                f"'{text}' is no holiday", "use a day such as 2026-12-24, or 12-25 for every year"
            ) from None
        if year:
            dates.add(found)
        else:
            yearly.add((found.month, found.day))
    return frozenset(dates), frozenset(yearly)
