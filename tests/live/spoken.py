"""What the office says, found again in a phone's recording: wave by wave, in the order in which it was said.

A sentence is compared in pieces of at most half a second, because two clocks drift and a phone's jitter buffer may
leave out or repeat a packet. Any other sentence, music and tones stay far below ``SAID``.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul
from pathlib import Path

from engine.media.prompts import Prompts
from engine.pbx.spoken import digits_clips, number_clips, time_clips
from tests.live import audio

RATE = 8000
SAID = 0.8
"""Likeness (correlation of the waves) from which a sentence counts as said; through A-law it is above 0.95."""
_STEP = RATE // 100
_PIECE = RATE // 2
_SLACK = RATE // 25
"""Samples by which a piece may lie beside its place: two packets."""
_CANDIDATES = 12
_COARSE = 4
_HOPELESS = 0.4
"""Of a piece that is looked at roughly."""
_OVERLAP_S = 0.05

__all__ = ["assert_not_said", "assert_said", "digits_clips", "number_clips", "prompt", "said_at", "time_clips"]


@dataclass(frozen=True, slots=True)
class Found:
    """Where something was said, in seconds from the recording's beginning, and how like it is (0 to 1)."""

    at: float
    until: float
    likeness: float


def prompt(name: str, language: str = "en") -> array[int]:
    """The sound of a shipped prompt."""
    clip = Prompts(Path("/nonexistent")).find(name, language)
    assert clip is not None, f"there is no prompt '{name}' in '{language}'"
    return array("h", clip.samples)


def recording(path: Path) -> array[int]:
    """A recording at 8000 Hz."""
    samples, rate = audio.read_wav(path)
    if rate == RATE:
        return samples
    size = rate // RATE
    assert size * RATE == rate, f"{path} has {rate} Hz"
    return array("h", [sum(samples[at : at + size]) // size for at in range(0, len(samples) - size + 1, size)])


def said_at(heard: array[int], wanted: array[int], after_s: float = 0.0) -> Found:
    """The place behind ``after_s`` where ``wanted`` is most likely said."""
    start = round(after_s * RATE)
    wanted = _trim(wanted)
    best, sound = Found(0.0, 0.0, 0.0), _Sound(heard)
    for coarse in _candidates(heard[start:], wanted):
        at, likeness = _compare(sound, wanted, start + coarse)
        if likeness > best.likeness:
            best = Found(at / RATE, (at + len(wanted)) / RATE, likeness)
        if likeness > SAID:
            break
    return best


def assert_said(path: Path, *names: str, language: str = "en", after_s: float = 0.0) -> float:
    """The prompts of these names are said one after the other; when the last one ends, in seconds."""
    return assert_heard(path, *[(name, prompt(name, language)) for name in names], after_s=after_s)


def assert_heard(path: Path, *sounds: tuple[str, array[int]], after_s: float = 0.0) -> float:
    """These sounds (a name for the reader, samples at 8000 Hz) are heard one after the other."""
    heard = recording(path)
    lasts = f"{len(heard) / RATE:.1f} s"
    for name, samples in sounds:
        found = said_at(heard, samples, after_s)
        assert found.likeness > SAID, (
            f"'{name}' is not said after {after_s:.2f} s of {lasts} in {path}: "
            f"likeness {found.likeness:.2f} at {found.at:.2f} s"
        )
        after_s = max(after_s, found.until - _OVERLAP_S)
    return after_s


def assert_not_said(path: Path, *names: str, language: str = "en") -> None:
    """None of the prompts is said anywhere."""
    heard = recording(path)
    for name in names:
        found = said_at(heard, prompt(name, language))
        assert found.likeness < SAID, f"'{name}' is said at {found.at:.2f} s in {path}"


def _trim(samples: array[int]) -> array[int]:
    """Without the silence round it."""
    loud = [at for at, value in enumerate(samples) if abs(value) > 4 * audio.SILENCE_RMS]
    return samples[loud[0] : loud[-1] + 1] if loud else samples


def _candidates(heard: array[int], wanted: array[int]) -> list[int]:
    """Where loudness rises and falls as in ``wanted``, the likeliest first."""
    theirs, ours = _loudness(heard), _loudness(wanted)
    if len(theirs) < len(ours):
        theirs += [0.0] * (len(ours) - len(theirs) + 1)
    mean = sum(ours) / len(ours)
    shape = [value - mean for value in ours]
    size = math.sqrt(sum(map(mul, shape, shape))) or 1.0
    scores = []
    for at in range(len(theirs) - len(ours) + 1):
        part = theirs[at : at + len(ours)]
        total = sum(part)
        spread = sum(map(mul, part, part)) - total * total / len(part)
        scores.append(sum(map(mul, shape, part)) / (size * math.sqrt(spread)) if spread > 1 else 0.0)
    ranked = sorted(range(len(scores)), key=lambda at: -scores[at])
    chosen: list[int] = []
    for at in ranked:
        if all(abs(at - other) > 3 for other in chosen):
            chosen.append(at)
        if len(chosen) == _CANDIDATES:
            break
    return [at * _STEP for at in chosen]


def _loudness(samples: array[int]) -> list[float]:
    return [
        math.sqrt(sum(map(mul, part, part)) / _STEP)
        for at in range(0, len(samples) - _STEP + 1, _STEP)
        for part in (samples[at : at + _STEP],)
    ]


class _Sound:
    """Samples, and the same at a quarter of the rate."""

    def __init__(self, samples: array[int]) -> None:
        self.samples = samples
        starts = range(0, len(samples) - _COARSE + 1, _COARSE)
        self.rough = array("h", [sum(samples[at : at + _COARSE]) // _COARSE for at in starts])


def _compare(heard: _Sound, wanted: array[int], at: int) -> tuple[int, float]:
    """Where near ``at`` the first piece begins, and the likeness of all, weighed by their energy."""
    begin, slack = at, 2 * _STEP + _SLACK
    total = weight = 0.0
    place = at
    for offset in range(0, len(wanted), _PIECE):
        piece = wanted[offset : offset + _PIECE]
        energy = float(sum(map(mul, piece, piece)))
        if len(piece) < _STEP or not energy:
            continue
        found, likeness = _best_shift(heard, _Sound(piece), place, slack)
        total, weight = total + likeness * energy, weight + energy
        if offset == 0:
            begin = found
        if likeness < 0.3 and weight > energy:
            break
        if likeness > SAID / 2:
            place, slack = found, _SLACK
        place += len(piece)
    return begin, total / weight if weight else 0.0


def _best_shift(heard: _Sound, piece: _Sound, near: int, slack: int) -> tuple[int, float]:
    """Roughly first, at a quarter of the rate, and then to the sample."""
    rough, likeness = _match(
        heard.rough, piece.rough, range((near - slack) // _COARSE, (near + slack) // _COARSE + 1)
    )
    if likeness < _HOPELESS:
        return rough * _COARSE, likeness
    return _match(heard.samples, piece.samples, range(rough * _COARSE - _COARSE, rough * _COARSE + _COARSE + 1))


def _match(heard: array[int], piece: array[int], starts: range) -> tuple[int, float]:
    best, where = 0.0, starts[0]
    energy = sum(map(mul, piece, piece))
    for start in starts:
        part = heard[start : start + len(piece)]
        if start < 0 or len(part) < len(piece):
            continue
        theirs = sum(map(mul, part, part))
        likeness = sum(map(mul, part, piece)) / math.sqrt(theirs * energy) if theirs and energy else 0.0
        if likeness > best:
            best, where = likeness, start
    return where, best


def is_said_in(samples: Sequence[int], name: str, language: str = "en") -> bool:
    """Whether a prompt is said somewhere in these samples at 8000 Hz."""
    return said_at(array("h", samples), prompt(name, language)).likeness > SAID
