"""The embedded media gateway: the ``MediaGateway`` that relays on a native thread of this process."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from engine.core.errors import LocalError
from engine.media._native import Clip as NativeClip
from engine.media._native import Relay
from engine.media.gateway import (
    Clip,
    LegPlan,
    LegStatistics,
    MediaAddress,
    MediaLegId,
    PayloadFormat,
    PortsExhaustedError,
    StreamStatistics,
)
from engine.media.quality import BEST_MOS, mos

if TYPE_CHECKING:
    from engine.media._native import Account

FIRST_PORT, LAST_PORT = 30000, 39999
REST_S = 2.0
"""How long a port pair rests between two legs: the old call's peer may send until it has heard of the end."""

_EVENTS_AND_NOISE = frozenset({"telephone-event", "CN"})
_CLIPS_KEPT = 64
_NOTHING = StreamStatistics()


class UnplayableError(LocalError):
    """None of the leg's formats is one the gateway can encode (PCMA, PCMU)."""


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

    async def stop(self) -> None:
        """Say BYE on every leg that sent, close all sockets and end the thread; a later start begins anew."""
        self._relay.stop()
        self._formats.clear()

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

    async def disconnect(self, leg: MediaLegId) -> None:
        self._relay.disconnect(leg)

    async def play(self, leg: MediaLegId, clip: Clip, *, repeat: bool = False) -> None:
        """Begin ``clip`` at the next 20 ms tick; ``UnplayableError`` without PCMA or PCMU on the leg,
        ``ValueError`` for an empty clip."""
        if not self._relay.play(leg, _load(clip.samples), repeat):
            raise UnplayableError(f"'{clip.name}' cannot be played: the leg has neither PCMA nor PCMU")

    async def stop_playing(self, leg: MediaLegId) -> None:
        self._relay.stop_playing(leg)

    def is_playing(self, leg: MediaLegId) -> bool:
        """Whether a clip still plays: a repeated one until it is stopped, another until its end."""
        return self._relay.is_playing(leg)

    async def query(self, leg: MediaLegId) -> LegStatistics:
        return _statistics(self._relay.query(leg), self._formats.get(leg, ()))

    async def close_leg(self, leg: MediaLegId) -> LegStatistics:
        account = self._relay.close_leg(leg)
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
