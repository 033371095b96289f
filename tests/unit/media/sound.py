"""Sound for the gateway's tests: tones, G.711 by its definition, and how much of a tone is in samples."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

RATE = 8000


def tone(frequency: float, seconds: float, level: float = 8000.0, start: int = 0) -> list[int]:
    """A sine as samples of 16 bit, from sample ``start`` of its course on."""
    return [
        round(level * math.sin(2 * math.pi * frequency * index / RATE))
        for index in range(start, start + round(seconds * RATE))
    ]


def together(*voices: Sequence[int]) -> list[int]:
    return [sum(samples) for samples in zip(*voices, strict=True)]


def _value_a(octet: int) -> int:
    octet ^= 0x55
    segment, step = octet >> 4 & 7, octet & 15
    magnitude = (2 * step + 1) << 3 if segment == 0 else (2 * step + 33) << (segment + 2)
    return magnitude if octet & 0x80 else -magnitude


def _value_mu(octet: int) -> int:
    octet ^= 0xFF
    segment, step = octet >> 4 & 7, octet & 15
    magnitude = ((2 * step + 33) << (segment + 2)) - 132
    return -magnitude if octet & 0x80 else magnitude


VALUES = {"PCMA": [_value_a(octet) for octet in range(256)], "PCMU": [_value_mu(octet) for octet in range(256)]}


def decode(payload: Iterable[int], encoding: str = "PCMA") -> list[int]:
    values = VALUES[encoding]
    return [values[octet] for octet in payload]


def encode(samples: Iterable[int], encoding: str = "PCMA") -> bytes:
    """The octet whose value is nearest, looked for among all."""
    values = VALUES[encoding]
    known: dict[int, int] = {}
    for sample in samples:
        if sample not in known:
            known[sample] = min(range(256), key=lambda octet: abs(values[octet] - sample))
    return bytes(known[sample] for sample in samples)


def level_of(samples: Sequence[int], frequency: float) -> float:
    """The amplitude of a frequency in samples."""
    turn = 2 * math.pi * frequency / RATE
    real = sum(sample * math.cos(turn * index) for index, sample in enumerate(samples))
    imaginary = sum(sample * math.sin(turn * index) for index, sample in enumerate(samples))
    return 2 * math.hypot(real, imaginary) / max(1, len(samples))
