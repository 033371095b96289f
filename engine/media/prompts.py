"""What the office says, by name and language: its own recordings, those of people, or the shipped ones."""

from __future__ import annotations

import wave
from array import array
from functools import lru_cache
from pathlib import Path

from engine.core.paths import DATA
from engine.media.gateway import Clip

RATE = 8000
LONGEST_S = 120
ENGLISH = "en"
HUMAN = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
"""Where Debian's asterisk-core-sounds-en-wav puts its recordings."""
HUMAN_NAMES = {
    "invalid": "pbx-invalid",
    "goodbye": "vm-goodbye",
    "thank-you": "auth-thankyou",
    "conference-first": "conf-onlyperson",
    "conference-full": "conf-full",
    "conference-none": "conf-invalid",
    "vm-have": "vm-youhave",
    "vm-none": "vm-nomore",
    "vm-message": "vm-message",
    "vm-deleted": "vm-deleted",
    "vm-saved": "vm-msgsaved",
    "queue-position": "queue-thereare",
    "digits/star": "digits/star",
    "digits/pound": "digits/pound",
    "digits/oclock": "digits/oclock",
    "digits/oh": "digits/oh",
}
"""Our names of sentences that those recordings have, too; numbers are named alike."""


class Prompts:
    """Finds prompts. A missing one is missing, never an error: the service goes on without it."""

    def __init__(self, own: Path, shipped: Path = DATA / "prompts", human: Path = HUMAN) -> None:
        """``own``: the office's recordings, ``LANGUAGE/NAME.wav`` of 8000 Hz, 16 bit, mono; they go first."""
        self._own, self._shipped, self._human = own, shipped, human

    def find(self, name: str, language: str) -> Clip | None:
        """The prompt in a language, else in English, else ``None``."""
        for spoken in dict.fromkeys((language, ENGLISH)):
            clip = self._find(name, spoken)
            if clip is not None:
                return clip
        return None

    def _find(self, name: str, language: str) -> Clip | None:
        if not all(part.replace("-", "").isalnum() for part in (*name.split("/"), language)):
            return None
        candidates = [self._own / language / f"{name}.wav"]
        if language == ENGLISH and (name in HUMAN_NAMES or name.startswith("digits/")):
            candidates.append(self._human / f"{HUMAN_NAMES.get(name, name)}.wav")
        candidates.append(self._shipped / language / f"{name}.ulaw")
        for file in candidates:
            try:
                changed = file.stat().st_mtime_ns
            except OSError:
                continue
            clip = _load(file, changed)
            if clip is not None:
                return clip
        return None


@lru_cache(maxsize=128)
def _load(file: Path, changed: int) -> Clip | None:
    """The sound of a file as it was at ``changed``; ``None`` when it cannot be used."""
    try:
        samples = _read_ulaw(file) if file.suffix == ".ulaw" else _read_wav(file)
    except (OSError, EOFError, wave.Error):
        return None
    return Clip(file.stem, samples) if samples else None


def _read_wav(file: Path) -> bytes:
    with wave.open(str(file)) as sound:
        if (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) != (1, 2, RATE):
            return b""
        samples: bytes = sound.readframes(LONGEST_S * RATE)
        return samples


def _read_ulaw(file: Path) -> bytes:
    with file.open("rb") as sound:
        octets = sound.read(LONGEST_S * RATE)
    values = _values()
    return array("h", [values[octet] for octet in octets]).tobytes()


@lru_cache(maxsize=1)
def _values() -> list[int]:
    """The sample that each octet of G.711 µ-law means."""
    values = []
    for octet in range(256):
        inverted = octet ^ 0xFF
        magnitude = ((((inverted & 15) << 3) + 132) << (inverted >> 4 & 7)) - 132
        values.append(-magnitude if inverted & 0x80 else magnitude)
    return values
