"""A phone on bad wireless: its audio loses packets and comes unevenly, so the demo has a call to worry about."""

from __future__ import annotations

import asyncio
import random
import struct
from array import array
from dataclasses import dataclass, field

from engine.media.gateway import Clip, LegPlan, MediaAddress, MediaLegId

LOSS = 0.09
"""Share of its packets that are never heard of."""
PACKET_S, PACKET_SAMPLES = 0.020, 160
_UNEVEN_S = 0.012
_HEADER = struct.Struct("!BBHII")
_VERSION_2 = 0x80
_BIAS, _LOUDEST = 0x84, 32635


def mu_law(samples: bytes) -> bytes:
    """16-bit samples as PCMU (ITU-T G.711)."""
    return bytes(_mu_law(sample) for sample in array("h", samples))


def _mu_law(sample: int) -> int:
    magnitude = min(abs(sample), _LOUDEST) + _BIAS
    exponent = magnitude.bit_length() - 8
    return ~((sample < 0) << 7 | exponent << 4 | magnitude >> (exponent + 3) & 0x0F) & 0xFF


@dataclass(slots=True)
class Stream:
    """What one side sends (RFC 3550 section 5.1), a packet at a time."""

    source: int
    payload_type: int
    audio: bytes
    sequence: int = 0
    timestamp: int = 0
    _place: int = field(default=0, init=False)

    def next_packet(self) -> bytes:
        """The next 20 ms, over and over; whether it is sent or lost, the next one counts on."""
        payload = self.audio[self._place : self._place + PACKET_SAMPLES]
        header = _HEADER.pack(_VERSION_2, self.payload_type, self.sequence, self.timestamp, self.source)
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.timestamp = (self.timestamp + PACKET_SAMPLES) & 0xFFFFFFFF
        self._place += PACKET_SAMPLES
        if self._place + PACKET_SAMPLES > len(self.audio):
            self._place = 0
        return header + payload


class _Deaf(asyncio.DatagramProtocol):
    """Takes what comes and listens to none of it."""


@dataclass(slots=True)
class _Leg:
    rtp: asyncio.DatagramTransport
    rtcp: asyncio.DatagramTransport
    plan: LegPlan | None = None
    sending: asyncio.Task[None] | None = None
    stream: Stream | None = None


class WirelessAudio:
    """Audio of handsets that speak PCMU over a link that loses some of it; lives on one loop."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._legs: dict[MediaLegId, _Leg] = {}
        self._count = 0

    async def open_leg(self, local_host: str) -> tuple[MediaLegId, MediaAddress]:
        """Two free ports on ``local_host``; raises ``OSError`` when it is none of ours."""
        loop = asyncio.get_running_loop()
        rtp, _ = await loop.create_datagram_endpoint(_Deaf, local_addr=(local_host, 0))
        rtcp, _ = await loop.create_datagram_endpoint(_Deaf, local_addr=(local_host, 0))
        self._count += 1
        leg = MediaLegId(self._count)
        self._legs[leg] = _Leg(rtp, rtcp)
        ports = (transport.get_extra_info("sockname")[1] for transport in (rtp, rtcp))
        return leg, MediaAddress(local_host, *ports)

    async def update_leg(self, leg: MediaLegId, plan: LegPlan) -> None:
        self._legs[leg].plan = plan

    async def play(self, leg: MediaLegId, clip: Clip, *, repeat: bool = False) -> None:
        """Send ``clip`` over and over, as well as this link can."""
        one = self._legs[leg]
        await self.stop_playing(leg)
        number = (
            next((each.payload_type for each in one.plan.formats if each.encoding == "PCMU"), 0) if one.plan else 0
        )
        if one.stream is None:
            one.stream = Stream(self._dice.getrandbits(32), number, mu_law(clip.samples))
        one.sending = asyncio.get_running_loop().create_task(self._send(one, one.stream))

    async def stop_playing(self, leg: MediaLegId) -> None:
        one = self._legs[leg]
        if one.sending is not None:
            one.sending.cancel()
            await asyncio.gather(one.sending, return_exceptions=True)
            one.sending = None

    async def close_leg(self, leg: MediaLegId) -> None:
        await self.stop_playing(leg)
        one = self._legs.pop(leg)
        one.rtp.close()
        one.rtcp.close()

    async def _send(self, leg: _Leg, stream: Stream) -> None:
        loop, dice = asyncio.get_running_loop(), self._dice
        due = loop.time()
        while True:
            packet, plan = stream.next_packet(), leg.plan
            if plan is not None and plan.remote is not None and plan.remote.port and dice.random() >= LOSS:
                leg.rtp.sendto(packet, (plan.remote.host, plan.remote.port))
            due += PACKET_S
            await asyncio.sleep(max(0.0, due + dice.uniform(0, _UNEVEN_S) - loop.time()))
