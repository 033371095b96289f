"""What can be played by name: tones, music, prompts of the office's language, and what the office has recorded."""

from __future__ import annotations

import re
import wave
from pathlib import Path
from typing import TYPE_CHECKING

from engine.media.gateway import Clip
from engine.media.tones import KINDS, beep, tone
from engine.pbx.messages import message_file

if TYPE_CHECKING:
    from engine.pbx.exchange import Exchange

_TONES = ("beep", *KINDS)
_RECORDED = re.compile(r"([a-z]+):([0-9A-Za-z*#._/-]+)")
_LONGEST_S = 600
_SAMPLES_PER_S = 8000


class UnknownClipError(Exception):
    """Nothing has this name, or its file cannot be used."""


class Clips:
    """Finds clips for an office."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    @classmethod
    def of(cls, exchange: Exchange) -> Clips:
        return cls(exchange)

    @property
    def language(self) -> str:
        """``en`` or ``zh``."""
        return str(self._exchange.configuration.params["language"])

    def find(self, name: str) -> Clip:
        """The clip: ``prompt:busy`` is the sentence, not the tone; ``box:101/name`` a message, ``greeting:101``
        what a box says.

        Raises ``UnknownClipError``.
        """
        if name == "beep":
            return beep()
        if name in KINDS:
            return tone(name, self._exchange.configuration.params["tones"])
        if name == "music":
            return self._exchange.hold_music()
        recorded = _RECORDED.fullmatch(name)
        if recorded is not None and recorded[1] == "prompt":
            name = recorded[2]
        elif recorded is not None:
            return self._recorded(recorded[1], recorded[2], name)
        clip = self._exchange.prompts(name, self.language)
        if clip is None:
            raise UnknownClipError(f"there is no clip '{name}': use one of {', '.join(_TONES)}, or a prompt's name")
        return clip

    def check(self, name: str) -> None:
        """Raise ``UnknownClipError`` for a name that stands for nothing; of what was recorded nothing is loaded."""
        recorded = _RECORDED.fullmatch(name)
        if recorded is None or recorded[1] == "prompt":
            self.find(name)
        else:
            self._path(recorded[1], recorded[2], name)

    def _path(self, kind: str, name: str, said: str) -> Path:
        folder = self._exchange.keeper.folder
        box, _, message = name.partition("/")
        path = message_file(folder, box, message) if kind == "box" else None
        if kind == "greeting" and box.isalnum():
            path = folder / "voicemail" / box / "greeting.wav"
        if path is None or not path.is_file():
            raise UnknownClipError(f"there is no recording '{said}'")
        return path

    def _recorded(self, kind: str, name: str, said: str) -> Clip:
        path = self._path(kind, name, said)
        try:
            with wave.open(str(path)) as file:
                if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (1, 2, _SAMPLES_PER_S):
                    raise UnknownClipError(f"{path} is no WAV of 8000 Hz, 16 bit, mono")
                return Clip(said, file.readframes(_LONGEST_S * _SAMPLES_PER_S))
        except (OSError, EOFError, wave.Error) as error:
            raise UnknownClipError(f"{path} cannot be played: {error}") from None
