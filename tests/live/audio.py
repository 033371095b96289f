"""Tones as WAV files, and what of them is heard in a recording."""

from __future__ import annotations

import math
import wave
from array import array
from pathlib import Path

TONES = (440, 620, 850, 1130, 1490)
"""Hertz; far apart, and none a multiple of another, so that one is never taken for another."""

HEARD = 0.25
"""Share of a stretch's energy from which a tone counts as heard; a pure tone through A-law has 0.99."""

SAID = 0.9
"""Likeness from which a sentence counts as heard; another sentence of a second or more has less than 0.85."""

SILENCE_RMS = 40
"""Below this level (16-bit samples) nothing is heard: comfort noise of a codec stays under it."""

_KEYPAD = ("123A", "456B", "789C", "*0#D")
_ROWS, _COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)


def write_tone(path: Path, hertz: int, seconds: float = 30.0, rate: int = 8000) -> Path:
    """A sine as 16-bit mono WAV."""
    period = [round(9000 * math.sin(2 * math.pi * hertz * n / rate)) for n in range(rate)]
    samples = array("h", period) * math.ceil(seconds)
    write_wav(path, samples[: round(seconds * rate)], rate)
    return path


def write_keys(path: Path, keys: str, pressed_ms: int = 100, pause_ms: int = 100) -> Path:
    """Keys as tones (ITU-T Q.23) as 16-bit mono WAV, a second of silence before and ten after them."""
    samples = array("h", bytes(16000))
    for key in keys:
        row, column = next((row, line.index(key)) for row, line in enumerate(_KEYPAD) if key in line)
        low, high = 2 * math.pi * _ROWS[row] / 8000, 2 * math.pi * _COLUMNS[column] / 8000
        samples.extend(round(6000 * (math.sin(low * n) + math.sin(high * n))) for n in range(8 * pressed_ms))
        samples.extend(0 for _ in range(8 * pause_ms))
    samples.extend(0 for _ in range(80000))
    write_wav(path, samples)
    return path


def write_wav(path: Path, samples: array[int], rate: int = 8000) -> None:
    """16-bit mono WAV."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())


def read_wav(path: Path) -> tuple[array[int], int]:
    """Samples of the first channel and their rate, also of a file whose header was never finished."""
    with wave.open(str(path), "rb") as file:
        if file.getsampwidth() != 2:
            raise ValueError(f"{path} holds {8 * file.getsampwidth()}-bit samples, expected 16")
        samples = array("h", file.readframes(file.getnframes()))
        return samples[:: file.getnchannels()], file.getframerate()


def tone_share(samples: array[int], rate: int, hertz: float) -> float:
    """Share (0 to 1) of the energy of ``samples`` that lies at ``hertz`` (Goertzel)."""
    energy = sum(value * value for value in samples)
    if not energy:
        return 0.0
    turn = 2 * math.cos(2 * math.pi * hertz / rate)
    before = last = 0.0
    for value in samples:
        before, last = last, value + turn * last - before
    power = before * before + last * last - turn * before * last
    return min(1.0, 2 * power / (len(samples) * energy))


def level(samples: array[int]) -> float:
    """Root mean square of 16-bit samples."""
    return math.sqrt(sum(value * value for value in samples) / len(samples)) if samples else 0.0


def profile(path: Path, *tones: int, piece_ms: int = 100) -> list[str]:
    """What is heard, piece by piece: a tone's hertz, ``other`` or ``silence``."""
    samples, rate = read_wav(path)
    size = rate * piece_ms // 1000
    pieces = (samples[at : at + size] for at in range(0, len(samples) - size + 1, size))
    return [_name(piece, rate, tones) for piece in pieces]


def _name(piece: array[int], rate: int, tones: tuple[int, ...]) -> str:
    if level(piece) < SILENCE_RMS:
        return "silence"
    loudest = max(tones, key=lambda hertz: tone_share(piece, rate, hertz))
    return str(loudest) if tone_share(piece, rate, loudest) >= HEARD else "other"


def heard_ms(path: Path, hertz: int, piece_ms: int = 100) -> int:
    """Milliseconds for which ``hertz`` is heard in the recording."""
    return profile(path, *TONES, piece_ms=piece_ms).count(str(hertz)) * piece_ms


def assert_heard(path: Path, hertz: int, at_least_ms: int = 500) -> None:
    """The tone is heard, and no other of ``TONES``."""
    heard = profile(path, *TONES)
    assert heard.count(str(hertz)) * 100 >= at_least_ms, f"{hertz} Hz not heard in {path}: {_brief(heard)}"
    strange = {name for name in heard if name in map(str, TONES)} - {str(hertz)}
    assert not strange, f"heard {strange} Hz beside {hertz} Hz in {path}: {_brief(heard)}"


def likeness(recording: array[int], rate: int, said: array[int], said_rate: int = 8000) -> float:
    """How much some part of a recording rises and falls as ``said`` does: 1 is the same, 0 is nothing of it.

    Its first and last moments do not count: a phone may begin to hear, or to record, a little late.
    """
    heard, wanted = _loudness(recording, rate), _loudness(said, said_rate)
    edge = len(wanted) // 6
    wanted = wanted[edge : len(wanted) - edge]
    return max(
        (_correlation(heard[at : at + len(wanted)], wanted) for at in range(len(heard) - len(wanted) + 1)),
        default=0.0,
    )


def assert_said(path: Path, said: bytes) -> None:
    """A sentence (16-bit samples at 8000 Hz) is heard in a recording."""
    recording, rate = read_wav(path)
    found = likeness(recording, rate, array("h", said))
    assert found > SAID, (
        f"the sentence is not heard in {path}: likeness {found:.2f}, {_brief(profile(path, *TONES))}"
    )


def _loudness(samples: array[int], rate: int, piece_ms: int = 20) -> list[float]:
    size = rate * piece_ms // 1000
    return [level(samples[at : at + size]) for at in range(0, len(samples) - size + 1, size)]


def _correlation(one: list[float], other: list[float]) -> float:
    mean_one, mean_other = sum(one) / len(one), sum(other) / len(other)
    pairs = [(first - mean_one, second - mean_other) for first, second in zip(one, other, strict=True)]
    size = math.sqrt(sum(first * first for first, _ in pairs) * sum(second * second for _, second in pairs))
    return sum(first * second for first, second in pairs) / size if size else 0.0


def _brief(names: list[str]) -> str:
    """Runs of equal pieces, as ``440x12 silence x3``."""
    runs: list[tuple[str, int]] = []
    for name in names:
        if runs and runs[-1][0] == name:
            runs[-1] = (name, runs[-1][1] + 1)
        else:
            runs.append((name, 1))
    return " ".join(f"{name}×{count}" for name, count in runs) or "nothing at all"
