"""Which prompts say digits, numbers and times, in English and Chinese."""

from __future__ import annotations

_SIGNS = {"*": "digits/star", "#": "digits/pound"}
LARGEST = 9999


def digits_clips(text: str) -> list[str]:
    """Digit by digit; other characters are passed over."""
    return [_SIGNS.get(each, f"digits/{each}") for each in text if each.isdigit() or each in _SIGNS]


def number_clips(number: int, language: str) -> list[str]:
    """A whole number from 0 to 9999; raises ``ValueError`` for another."""
    if not 0 <= number <= LARGEST:
        raise ValueError(f"{number} cannot be said: use 0 to {LARGEST}")
    return _chinese(number) if language.startswith("zh") else _english(number)


def time_clips(text: str, language: str) -> list[str]:
    """A time of day such as ``09:05``; raises ``ValueError`` for another."""
    hour, _, minute = text.partition(":")
    if not (hour.isdigit() and minute.isdigit() and int(hour) < 24 and int(minute) < 60):
        raise ValueError(f"'{text}' is no time of day: use 00:00 to 23:59")
    hours, minutes = int(hour), int(minute)
    if language.startswith("zh"):
        return [*_chinese(hours), "digits/oclock", *([*_chinese(minutes), "minutes"] if minutes else [])]
    if not minutes:
        return [*_english(hours), "digits/oclock"]
    zero = ["digits/oh"] if minutes < 10 else []
    return [*_english(hours), *zero, *_english(minutes)]


def _english(number: int) -> list[str]:
    clips: list[str] = []
    for size, name in ((1000, "thousand"), (100, "hundred")):
        if number >= size:
            clips += [f"digits/{number // size}", f"digits/{name}"]
            number %= size
            if not number:
                return clips
    if number > 20:
        clips.append(f"digits/{number // 10 * 10}")
        number %= 10
        if not number:
            return clips
    return [*clips, f"digits/{number}"]


def _chinese(number: int) -> list[str]:
    if number == 0:
        return ["digits/0"]
    clips: list[str] = []
    gap = False
    for size, name in ((1000, "thousand"), (100, "hundred"), (10, "ten"), (1, "")):
        digit = number // size % 10
        if not digit:
            gap = bool(clips)
            continue
        if gap:
            clips.append("digits/0")
            gap = False
        if not (name == "ten" and digit == 1 and not clips):
            clips.append(f"digits/{digit}")
        if name:
            clips.append("digits/10" if name == "ten" else f"digits/{name}")
    return clips
