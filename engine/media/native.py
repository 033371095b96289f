"""The embedded media gateway: the ``MediaGateway`` that relays on a native thread of this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import lru_cache, partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.errors import LocalError
from engine.media._native import Clip as NativeClip
from engine.media._native import Mix, Relay
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
    PayloadFormat,
    PortsExhaustedError,
    RecordingId,
    StreamStatistics,
)
from engine.media.quality import BEST_MOS, mos
from engine.media.recording import WavFile, Writer

if TYPE_CHECKING:
    from engine.media._native import Account, Recording

FIRST_PORT, LAST_PORT = 30000, 39999
REST_S = 2.0
"""How long a port pair rests between two legs: the old call's peer may send until it has heard of the end."""

_EVENTS_AND_NOISE = frozenset({"telephone-event", "CN"})
_CLIPS_KEPT = 64
_NOTHING = StreamStatistics()


class UnplayableError(LocalError):
    """None of the leg's formats is one the gateway can encode."""


class NativeGateway:
    """One native thread that owns every socket; calls hand it commands and never wait for it.

    A command takes effect before any packet that comes after the call. The port pair of a closed leg stays bound
    and deaf for ``rest_s`` and is then the next to be used; after as long again without use it is closed. Only a
    range that is used up cuts the rest short.

    Octets in the statistics are RTP payload. Exact repetitions of a packet are dropped and not counted.
    """

    backend = "native"

    def __init__(self, first_port: int = FIRST_PORT, last_port: int = LAST_PORT, *, rest_s: float = REST_S) -> None:
        """Use the port pairs that lie wholly in ``first_port`` to ``last_port``; ``ValueError`` when none does."""
        self._relay = Relay(first_port, last_port, rest_s)
        self._ports = f"{first_port} to {last_port}"
        self._formats: dict[MediaLegId, tuple[PayloadFormat, ...]] = {}
        self.on_digit: Callable[[MediaLegId, str], None] | None = None
        self.on_played: Callable[[MediaLegId], None] | None = None
        self.on_recording_failed: Callable[[RecordingId, str], None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._numbers = count(1)
        self._mixes: dict[MixId, tuple[Mix, set[MediaLegId]]] = {}
        self._mix_of: dict[MediaLegId, MixId] = {}
        self._recordings: dict[RecordingId, Recording] = {}
        self._writer = Writer()

    @property
    def sessions(self) -> int:
        return self._relay.sessions

    @property
    def is_real_time(self) -> bool:
        """Whether the media thread runs under SCHED_RR: where the system allows it, and while it runs."""
        return self._relay.is_real_time

    async def start(self) -> None:
        """Start the thread; ``OSError`` when the system refuses. Starting twice changes nothing."""
        self._relay.start()
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._loop.add_reader(self._relay.notices_fd, self._hear)

    async def stop(self) -> None:
        """Say BYE on every leg that sent, close all sockets and end the thread; a later start begins anew."""
        for recording in list(self._recordings):
            await self.stop_recording(recording)
        if self._loop is not None:
            self._loop.remove_reader(self._relay.notices_fd)
            self._loop = None
        self._relay.stop()
        self._formats.clear()
        self._mixes.clear()
        self._mix_of.clear()

    def _hear(self) -> None:
        """The thread has something to tell."""
        for leg, digit in self._relay.take_notices():
            if digit and self.on_digit is not None:
                self.on_digit(MediaLegId(leg), digit)
            elif not digit and self.on_played is not None:
                self.on_played(MediaLegId(leg))

    async def open_leg(self, local_host: str) -> tuple[MediaLegId, MediaAddress]:
        opened = self._relay.open_leg(local_host)
        if opened is None:
            raise PortsExhaustedError(
                f"no free media port pair in {self._ports} on {local_host}: widen the range or end calls"
            )
        leg, port = opened
        return MediaLegId(leg), MediaAddress(local_host, port, port + 1)

    async def update_leg(self, leg: MediaLegId, plan: LegPlan) -> None:
        """Apply ``plan``; ``ValueError`` for a host that is no IP literal or a format that cannot be relayed,
        ``OSError`` for a remote of another IP version than the leg's."""
        flow = plan.flow
        self._relay.update_leg(leg, plan, flow.sends, flow.receives)
        self._formats[leg] = plan.formats

    async def connect(self, one: MediaLegId, other: MediaLegId) -> None:
        self._relay.connect(one, other)
        for leg in (one, other):
            self._forget_mix(leg)

    async def disconnect(self, leg: MediaLegId) -> None:
        self._relay.disconnect(leg)
        self._forget_mix(leg)

    async def play(self, leg: MediaLegId, clip: Clip, *, repeat: bool = False) -> None:
        """Begin ``clip`` at the next 20 ms tick; ``UnplayableError`` without one of ``PLAYABLE`` on the leg,
        ``ValueError`` for an empty clip."""
        if not self._relay.play(leg, _load(clip.samples), repeat):
            raise UnplayableError(
                f"'{clip.name}' cannot be played: the leg has none of {', '.join(sorted(PLAYABLE))}"
            )

    async def stop_playing(self, leg: MediaLegId) -> None:
        self._relay.stop_playing(leg)

    def is_playing(self, leg: MediaLegId) -> bool:
        """Whether a clip still plays: a repeated one until it is stopped, another until its end."""
        return self._relay.is_playing(leg)

    async def listen_digits(self, leg: MediaLegId, *, in_band: bool = False) -> None:
        self._relay.listen_digits(leg, True, in_band)

    async def stop_listening(self, leg: MediaLegId) -> None:
        self._relay.listen_digits(leg, False, False)

    async def send_digits(
        self, leg: MediaLegId, digits: str, *, tone_ms: int = TONE_MS, gap_ms: int = GAP_MS
    ) -> None:
        self._relay.send_digits(leg, digits, tone_ms, gap_ms)

    async def open_mix(self) -> MixId:
        mix = MixId(-next(self._numbers))
        self._mixes[mix] = Mix(), set()
        return mix

    async def close_mix(self, mix: MixId) -> None:
        _, members = self._mixes.pop(mix)
        for leg in members:
            self._relay.leave_mix(leg)
            del self._mix_of[leg]

    async def join_mix(self, mix: MixId, leg: MediaLegId, *, hears: frozenset[MediaLegId] | None = None) -> None:
        native, members = self._mixes[mix]
        self._relay.join_mix(native, leg, None if hears is None else tuple(hears))
        if self._mix_of.get(leg) != mix:
            self._forget_mix(leg)
            members.add(leg)
            self._mix_of[leg] = mix

    async def leave_mix(self, leg: MediaLegId) -> None:
        self._relay.leave_mix(leg)
        self._forget_mix(leg)

    def _forget_mix(self, leg: MediaLegId) -> None:
        mix = self._mix_of.pop(leg, None)
        if mix is not None and mix in self._mixes:
            self._mixes[mix][1].discard(leg)

    async def start_recording(
        self,
        target: MediaLegId | tuple[MediaLegId, MediaLegId] | MixId,
        file: Path,
        *,
        stereo: bool = False,
    ) -> RecordingId:
        recording: Recording
        if isinstance(target, tuple):
            recording = self._relay.record_legs(*target, stereo)
        elif target < 0:
            recording = self._relay.record_mix(self._mixes[MixId(target)][0])
        else:
            recording = self._relay.record_legs(target, 0, False)
        number = RecordingId(next(self._numbers))
        try:
            written = await asyncio.to_thread(WavFile, file, 2 if stereo and isinstance(target, tuple) else 1)
        except OSError:
            self._relay.stop_recording(recording)
            raise
        self._recordings[number] = recording
        self._writer.add(number, recording, written, partial(self._tell_failed, number))
        return number

    async def stop_recording(self, recording: RecordingId) -> float:
        running = self._recordings.pop(recording, None)
        if running is not None:
            self._relay.stop_recording(running)
        return await asyncio.to_thread(self._writer.finish, recording)

    def _tell_failed(self, number: RecordingId, reason: str) -> None:
        """From the writer's thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._end_failed, number, reason)

    def _end_failed(self, number: RecordingId, reason: str) -> None:
        recording = self._recordings.pop(number, None)
        if recording is None:
            return
        self._relay.stop_recording(recording)
        if self.on_recording_failed is not None:
            self.on_recording_failed(number, reason)

    async def query(self, leg: MediaLegId) -> LegStatistics:
        return _statistics(self._relay.query(leg), self._formats.get(leg, ()))

    async def close_leg(self, leg: MediaLegId) -> LegStatistics:
        account = self._relay.close_leg(leg)
        self._forget_mix(leg)
        return _statistics(account, self._formats.pop(leg, ()))


@lru_cache(maxsize=_CLIPS_KEPT)
def _load(samples: bytes) -> NativeClip:
    return NativeClip(samples)


def _statistics(account: Account, formats: tuple[PayloadFormat, ...]) -> LegStatistics:
    packets, octets, expected, lost, jitter_ms = account[0]
    sent_packets, sent_octets, sent_lost, sent_jitter_ms = account[1]
    encoding = _speech_encoding(formats) if packets or sent_packets else ""
    round_trip_ms = account[6]
    return LegStatistics(
        _stream(packets, octets, expected, lost, jitter_ms, encoding, round_trip_ms),
        _stream(sent_packets, sent_octets, sent_packets, sent_lost, sent_jitter_ms, encoding, round_trip_ms),
        *account[2:],
    )


def _speech_encoding(formats: tuple[PayloadFormat, ...]) -> str:
    return next((each.encoding for each in formats if each.encoding not in _EVENTS_AND_NOISE), "")


def _stream(
    packets: int,
    octets: int,
    expected: int,
    lost: int,
    jitter_ms: float,
    encoding: str,
    round_trip_ms: float | None,
) -> StreamStatistics:
    if not packets:
        return _NOTHING
    loss_percent = min(100.0, 100.0 * lost / expected)
    score = mos(encoding, loss_percent=loss_percent, jitter_ms=jitter_ms, round_trip_ms=round_trip_ms)
    return StreamStatistics(packets, octets, lost, loss_percent, jitter_ms, min(BEST_MOS, score))
