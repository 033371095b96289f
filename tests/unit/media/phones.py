"""A bare RTP phone on loopback for the gateway's tests."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from engine.media.gateway import MediaAddress, PayloadFormat

PCMA = PayloadFormat(8, "PCMA", 8000)
PCMU = PayloadFormat(0, "PCMU", 8000)
EVENT = PayloadFormat(101, "telephone-event", 8000)
WAIT_S = 5.0


def own_host(number: int) -> str:
    """A loopback address on which no other worker, and no other test run on this machine, binds media ports."""
    process = os.getpid()
    return f"127.{64 + process // 256 % 64}.{process % 256}.{number}"


@dataclass(frozen=True, slots=True)
class Rtp:
    """A received packet's header and payload."""

    marker: bool
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def rtp(
    sequence: int,
    *,
    payload_type: int = 8,
    timestamp: int | None = None,
    ssrc: int = 1,
    payload: bytes = b"\xd5" * 160,
) -> bytes:
    stamp = (sequence * 160 if timestamp is None else timestamp) & 0xFFFFFFFF
    return struct.pack(">BBHII", 0x80, payload_type, sequence & 0xFFFF, stamp, ssrc) + payload


def read_rtp(packet: bytes) -> Rtp:
    first, second, sequence, timestamp, ssrc = struct.unpack(">BBHII", packet[:12])
    assert first == 0x80
    return Rtp(second >= 128, second & 127, sequence, timestamp, ssrc, packet[12:])


def sender_report(ssrc: int, ntp_middle: int = 0, block: bytes = b"") -> bytes:
    count = len(block) // 24
    body = struct.pack(">IQIII", ssrc, ntp_middle << 16, 0, 1, 160) + block
    return struct.pack(">BBH", 0x80 | count, 200, len(body) // 4) + body


def report_block(ssrc: int, *, lost: int = 0, jitter: int = 0, last_report: int = 0, delay: int = 0) -> bytes:
    return struct.pack(">IIIIII", ssrc, lost, 0, jitter, last_report, delay)


class Phone:
    """Two sockets, RTP and RTCP, on one host; receiving waits at most ``WAIT_S``."""

    def __init__(self, host: str = "127.3.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.rtp = socket.socket(family, socket.SOCK_DGRAM)
        self.rtcp = socket.socket(family, socket.SOCK_DGRAM)
        for each in (self.rtp, self.rtcp):
            each.bind((host, 0))
            each.settimeout(WAIT_S)
        self.address = MediaAddress(host, self.rtp.getsockname()[1], self.rtcp.getsockname()[1])

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()

    def send(self, to: MediaAddress, packet: bytes) -> None:
        self.rtp.sendto(packet, (to.host, to.port))

    def report(self, to: MediaAddress, packet: bytes) -> None:
        self.rtcp.sendto(packet, (to.host, to.rtcp_port))

    def hear(self) -> Rtp:
        return read_rtp(self.rtp.recv(2048))

    def hear_raw(self) -> bytes:
        """A datagram that is no RTP."""
        return self.rtp.recv(2048)

    def hear_report(self) -> bytes:
        return self.rtcp.recv(2048)

    def hears_nothing_yet(self) -> bool:
        """Whether nothing waits now."""
        self.rtp.setblocking(False)
        try:
            self.rtp.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        finally:
            self.rtp.settimeout(WAIT_S)
        return False

    def hears_nothing(self) -> bool:
        """Whether nothing waits; meaningful once something sent later has arrived elsewhere."""
        self.rtp.setblocking(False)
        try:
            self.rtp.recv(2048)
        except BlockingIOError:
            return True
        finally:
            self.rtp.settimeout(WAIT_S)
        return False


async def until(claim: Callable[[], Awaitable[bool]]) -> None:
    """Wait until the media thread has made ``claim`` true; fails after ``WAIT_S``."""
    end = time.monotonic() + WAIT_S
    while not await claim():
        assert time.monotonic() < end, "the media thread did not get there"
        await asyncio.sleep(0.001)
