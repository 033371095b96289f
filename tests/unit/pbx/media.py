"""A media gateway in memory: it remembers what it was told and carries no sound."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from engine.media.gateway import (
    GAP_MS,
    PLAYABLE,
    TONE_MS,
    Clip,
    LegPlan,
    LegStatistics,
    MediaAddress,
    MediaLegId,
    MixId,
    PortsExhaustedError,
    RecordingId,
    StreamStatistics,
)

FIRST_PORT = 30000
SILENCE = LegStatistics(StreamStatistics(), StreamStatistics())


@dataclass
class MemoryMedia:
    """One leg as the gateway knows it."""

    address: MediaAddress
    plan: LegPlan | None = None
    opposite: MediaLegId | None = None
    playing: Clip | None = None
    statistics: LegStatistics = SILENCE
    repeats: bool = False
    listens: str = ""
    """How digits are listened for: ``events``, ``tones`` (and events), or not."""
    digits: str = ""
    """What was sent to the peer."""
    mix: MixId | None = None
    hears: frozenset[MediaLegId] | None = None
    """Whom the peer hears in its mix; ``None`` is everybody else."""


@dataclass
class MemoryRecording:
    """What is recorded, and where."""

    target: MediaLegId | tuple[MediaLegId, MediaLegId] | MixId
    file: Path
    stereo: bool
    has_ended: bool = False


SECONDS_RECORDED = 3.0
"""How long every recording is."""


class MemoryGateway:
    """Implements ``MediaGateway``; ``ports_left`` limits how many more legs may open."""

    backend = "memory"
    is_real_time = False

    def __init__(self) -> None:
        self.legs: dict[MediaLegId, MemoryMedia] = {}
        self.ports_left: int | None = None
        self.hesitates = False
        """Answers like a gateway elsewhere: not before the loop has turned."""
        self.on_digit: Callable[[MediaLegId, str], None] | None = None
        self.on_played: Callable[[MediaLegId], None] | None = None
        self.on_recording_failed: Callable[[RecordingId, str], None] | None = None
        self.mixes: set[MixId] = set()
        self.recordings: dict[RecordingId, MemoryRecording] = {}
        self._numbers = count(1)

    @property
    def sessions(self) -> int:
        return len(self.legs)

    async def start(self) -> None:
        """There is nothing to start."""

    async def stop(self) -> None:
        self.legs.clear()

    async def _think(self) -> None:
        if self.hesitates:
            await asyncio.sleep(0)

    async def open_leg(self, local_host: str) -> tuple[MediaLegId, MediaAddress]:
        await self._think()
        if self.ports_left is not None:
            if not self.ports_left:
                raise PortsExhaustedError("no port is left")
            self.ports_left -= 1
        number = next(self._numbers)
        port = FIRST_PORT + 2 * number
        address = MediaAddress(local_host, port, port + 1)
        self.legs[MediaLegId(number)] = MemoryMedia(address)
        return MediaLegId(number), address

    async def update_leg(self, leg: MediaLegId, plan: LegPlan) -> None:
        await self._think()
        media = self.legs[leg]
        if plan.remote is not None and (":" in plan.remote.host) != (":" in media.address.host):
            raise OSError("the peer's address is of another family")
        media.plan = plan

    async def connect(self, one: MediaLegId, other: MediaLegId) -> None:
        await self._think()
        for leg, opposite in ((one, other), (other, one)):
            await self.disconnect(leg)
            self.legs[leg].opposite = opposite

    async def disconnect(self, leg: MediaLegId) -> None:
        media = self.legs[leg]
        media.playing = media.mix = None
        if media.opposite is not None and media.opposite in self.legs:
            self.legs[media.opposite].opposite = None
        media.opposite = None

    async def play(self, leg: MediaLegId, clip: Clip, *, repeat: bool = False) -> None:
        await self._think()
        media = self.legs[leg]
        if media.plan is None or not PLAYABLE & {each.encoding for each in media.plan.formats}:
            raise ValueError(f"'{clip.name}' cannot be played: the leg has none of PCMA, PCMU and G722")
        media.playing, media.repeats = clip, repeat

    async def stop_playing(self, leg: MediaLegId) -> None:
        self.legs[leg].playing = None

    async def listen_digits(self, leg: MediaLegId, *, in_band: bool = False) -> None:
        self.legs[leg].listens = "tones" if in_band else "events"

    async def stop_listening(self, leg: MediaLegId) -> None:
        self.legs[leg].listens = ""

    async def send_digits(
        self, leg: MediaLegId, digits: str, *, tone_ms: int = TONE_MS, gap_ms: int = GAP_MS
    ) -> None:
        self.legs[leg].digits += digits

    async def open_mix(self) -> MixId:
        mix = MixId(-next(self._numbers))
        self.mixes.add(mix)
        return mix

    async def close_mix(self, mix: MixId) -> None:
        self.mixes.remove(mix)
        for media in self.legs.values():
            media.mix = None if media.mix == mix else media.mix

    async def join_mix(self, mix: MixId, leg: MediaLegId, *, hears: frozenset[MediaLegId] | None = None) -> None:
        await self._think()
        if mix not in self.mixes:
            raise KeyError(mix)
        if self.legs[leg].mix != mix:
            await self.disconnect(leg)
        self.legs[leg].mix, self.legs[leg].hears = mix, hears

    async def leave_mix(self, leg: MediaLegId) -> None:
        self.legs[leg].mix = None

    async def start_recording(
        self,
        target: MediaLegId | tuple[MediaLegId, MediaLegId] | MixId,
        file: Path,
        *,
        stereo: bool = False,
    ) -> RecordingId:
        number = RecordingId(next(self._numbers))
        with wave.open(str(file), "wb") as audio:
            audio.setparams((1, 2, 8000, 0, "NONE", ""))
            audio.writeframes(bytes(int(16000 * SECONDS_RECORDED)))
        self.recordings[number] = MemoryRecording(target, file, stereo)
        return number

    async def stop_recording(self, recording: RecordingId) -> float:
        known = self.recordings[recording]
        seconds, known.has_ended = 0.0 if known.has_ended else SECONDS_RECORDED, True
        return seconds

    # -- what tests do ------------------------------------------------------------------------------------------

    def press(self, leg: MediaLegId, digits: str) -> None:
        """The peer presses keys; the office hears of them where it listens."""
        for digit in digits:
            if self.legs[leg].listens and self.on_digit is not None:
                self.on_digit(leg, digit)

    def end_clip(self, leg: MediaLegId) -> None:
        """What plays on a leg ends by itself."""
        assert self.legs[leg].playing is not None
        self.legs[leg].playing = None
        if self.on_played is not None:
            self.on_played(leg)

    async def query(self, leg: MediaLegId) -> LegStatistics:
        return self.legs[leg].statistics

    async def close_leg(self, leg: MediaLegId) -> LegStatistics:
        await self._think()
        await self.disconnect(leg)
        return self.legs.pop(leg).statistics
