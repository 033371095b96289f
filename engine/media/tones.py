"""What the gateway plays when nobody speaks: call progress tones per country, a beep, and music on hold."""

from __future__ import annotations

import math
import tomllib
from array import array
from collections.abc import Iterable
from functools import cache
from operator import add
from pathlib import Path

from engine.core.paths import DATA
from engine.media.gateway import Clip

SAMPLE_RATE = 8000
KINDS = ("ringback", "busy", "congestion")

_TONE_PEAK = 5200  # about -16 dBm0, where exchanges put their tones
_FADE_SAMPLES = 40  # 5 ms: a hard edge clicks
_MUSIC_PEAK = 9000


@cache
def countries(path: Path = DATA / "tones.toml") -> tuple[str, ...]:
    """The countries whose tones are known, as lower-case ISO 3166 codes."""
    return tuple(_tables(path))


@cache
def tone(kind: str, country: str = "de", path: Path = DATA / "tones.toml") -> Clip:
    """One period of a country's ``ringback``, ``busy`` or ``congestion``, to be repeated (ITU-T E.180).

    ``country`` in any case. Raises ``KeyError`` for an unknown country or kind.
    """
    table = _tables(path)[country.lower()][kind]
    hertz, cadence_ms = table["hertz"], table["cadence_ms"]
    samples = array("h")
    for index, duration_ms in enumerate(cadence_ms):
        count = duration_ms * SAMPLE_RATE // 1000
        samples.extend(_chord(hertz, count, _TONE_PEAK) if index % 2 == 0 else [0] * count)
    return Clip(f"{kind}-{country.lower()}", samples.tobytes())


@cache
def beep(hertz: int = 1000, duration_ms: int = 200) -> Clip:
    """One short tone."""
    return Clip("beep", array("h", _chord([hertz], duration_ms * SAMPLE_RATE // 1000, _TONE_PEAK)).tobytes())


@cache
def hold_music() -> Clip:
    """Our own music box: 24 s whose end flows into its beginning, to be repeated."""
    eighth = 3000
    mix = [0.0] * (len(_HARMONY) * 8 * eighth)
    for bar, (bass, chord) in enumerate(_HARMONY):
        start = bar * 8 * eighth
        _mix_in(mix, start, _pluck(bass, 4 * eighth, 0.6))
        for step, degree in enumerate(_FIGURE):
            _mix_in(mix, start + step * eighth, _pluck(chord[degree], 3 * eighth, 0.35))
    for position, pitch in _MELODY:
        _mix_in(mix, position * eighth, _pluck(pitch, 4 * eighth, 0.7))
    scale = _MUSIC_PEAK / max(map(abs, mix))
    return Clip("hold music", array("h", [int(value * scale) for value in mix]).tobytes())


# Pitches are MIDI numbers: 60 is the middle C.
_HARMONY = (
    (48, (60, 64, 67, 71)),
    (45, (57, 60, 64, 67)),
    (50, (57, 60, 62, 65)),
    (43, (55, 59, 62, 65)),
    (52, (59, 62, 64, 67)),
    (45, (57, 60, 64, 69)),
    (41, (57, 60, 65, 67)),
    (43, (55, 59, 62, 67)),
)
_FIGURE = (0, 2, 1, 3, 2, 1, 3, 2)
_MELODY = (
    (0, 76), (3, 79), (6, 74), (8, 72), (12, 76), (16, 77), (19, 76), (22, 72), (24, 74), (28, 71),
    (32, 79), (35, 76), (38, 74), (40, 72), (43, 69), (46, 72), (48, 77), (51, 76), (54, 74), (56, 74), (60, 79),
)  # fmt: skip
"""Eighths from the beginning, and the pitch that sounds there."""


@cache
def _tables(path: Path) -> dict[str, dict[str, dict[str, list[int]]]]:
    return tomllib.loads(path.read_text("utf-8"))


def _chord(hertz: Iterable[int], count: int, peak: int) -> list[int]:
    """Sines that sound together, faded at both ends."""
    steps = [2 * math.pi * each / SAMPLE_RATE for each in hertz]
    level = peak / len(steps)
    values = [level * sum([math.sin(step * at) for step in steps]) for at in range(count)]
    for at in range(min(_FADE_SAMPLES, count // 2)):
        values[at] *= at / _FADE_SAMPLES
        values[-1 - at] *= at / _FADE_SAMPLES
    return [round(value) for value in values]


@cache
def _pluck(pitch: int, count: int, level: float) -> tuple[float, ...]:
    """A plucked note: a fundamental and its octave, which dies sooner, as damped oscillators."""
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    note = _damped(hertz, count, level, 0.55)
    note[: count // 2] = map(add, note, _damped(2 * hertz, count // 2, level * 0.4, 0.2))
    return tuple(note)


def _damped(hertz: float, count: int, level: float, half_life_s: float) -> list[float]:
    """A sine that loses half its level every ``half_life_s``, by the recursion of its two-pole resonator."""
    step = 2 * math.pi * hertz / SAMPLE_RATE
    damping = 0.5 ** (1 / (half_life_s * SAMPLE_RATE))
    forward, back = 2 * damping * math.cos(step), -damping * damping
    before, now = 0.0, level * math.sin(step)
    values = []
    for _ in range(count):
        values.append(before)
        before, now = now, forward * now + back * before
    for at in range(1, min(200, count) + 1):
        values[-at] *= at / 200
    return values


def _mix_in(mix: list[float], start: int, note: tuple[float, ...]) -> None:
    """Add a note; what rings beyond the end rings on at the beginning."""
    end = min(start + len(note), len(mix))
    kept = end - start
    mix[start:end] = map(add, mix[start:end], note)
    if kept < len(note):
        rest = note[kept:]
        mix[: len(rest)] = map(add, mix[: len(rest)], rest)
