"""Wide-band sound for the gateway's tests: samples at 16000 Hz, and other people's codecs (ffmpeg)."""

from __future__ import annotations

import math
import shutil
import subprocess
from array import array
from collections.abc import Sequence

WIDE_RATE = 16000


def ffmpeg() -> str:
    program = shutil.which("ffmpeg")
    assert program is not None, "ffmpeg is missing: install the Debian package ffmpeg"
    return program


def convert(data: bytes, source: Sequence[str], target: Sequence[str]) -> bytes:
    """``data`` by ffmpeg, whose options ``source`` and ``target`` say what it is and what it shall be."""
    command = [ffmpeg(), "-v", "error", *source, "-i", "-", *target, "-"]
    return subprocess.run(command, check=True, capture_output=True, input=data, timeout=20).stdout


def encode_g722(samples: Sequence[int]) -> bytes:
    raw = array("h", samples).tobytes()
    return convert(raw, ("-f", "s16le", "-ar", "16000"), ("-c:a", "g722", "-f", "g722"))


def decode_g722(octets: bytes) -> list[int]:
    return list(array("h", convert(octets, ("-f", "g722"), ("-ar", "16000", "-f", "s16le"))))


def wide_tone(frequency: float, seconds: float, level: float = 8000.0) -> list[int]:
    turn = 2 * math.pi * frequency / WIDE_RATE
    return [round(level * math.sin(turn * index)) for index in range(round(WIDE_RATE * seconds))]


def wide_level(samples: Sequence[int], frequency: float) -> float:
    """The amplitude of a frequency in samples at 16000 Hz."""
    turn = 2 * math.pi * frequency / WIDE_RATE
    real = sum(sample * math.cos(turn * index) for index, sample in enumerate(samples))
    imaginary = sum(sample * math.sin(turn * index) for index, sample in enumerate(samples))
    return 2 * math.hypot(real, imaginary) / max(1, len(samples))
