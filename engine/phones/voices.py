"""What the people of the demo say: syllables of a hum with pauses, a pitch for each person."""

from __future__ import annotations

import math
import random
from array import array

from engine.media.gateway import Clip
from engine.media.tones import SAMPLE_RATE

SECONDS = 4.0
_PEAK = 7000
_PARTIALS = (1.0, 0.5, 0.3)


def voice(seed: int) -> Clip:
    """A few seconds of somebody's murmur, the same for the same ``seed``; made to be repeated."""
    dice = random.Random(seed)  # noqa: S311 - a voice, no secret
    hertz = 95 + 18 * (seed % 8)
    samples = array("h")
    while len(samples) < SECONDS * SAMPLE_RATE:
        for _ in range(dice.randint(2, 6)):
            samples.extend(_syllable(hertz * dice.uniform(0.9, 1.2), dice.uniform(0.12, 0.3)))
        samples.extend([0] * int(dice.uniform(0.2, 0.7) * SAMPLE_RATE))
    return Clip(f"voice-{seed}", samples.tobytes())


def _syllable(hertz: float, seconds: float) -> list[int]:
    """A hum that swells and fades."""
    count = int(seconds * SAMPLE_RATE)
    step, swell = 2 * math.pi * hertz / SAMPLE_RATE, math.pi / count
    loud = _PEAK / sum(_PARTIALS)
    return [
        round(
            loud
            * math.sin(swell * at)
            * sum(level * math.sin(step * (partial + 1) * at) for partial, level in enumerate(_PARTIALS))
        )
        for at in range(count)
    ]
