"""The audio on the wire: every packet that an office receives and sends while a capture runs (dumpcap)."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from tests.live import processes
from tests.live.office import Office
from tests.live.scene import until

_FILE, _PACKET = struct.Struct("<IHHiIII"), struct.Struct("<IIII")
_ETHERNET, _UDP = 14, 17
Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Rtp:
    """One packet."""

    sequence: int
    timestamp: int
    source: int
    payload: bytes


@dataclass(slots=True)
class Wire:
    """What was captured: the packets of each flow (from, to), in their order."""

    file: Path
    flows: dict[tuple[Address, Address], list[Rtp]] = field(default_factory=dict)

    def sent_by(self, host: str) -> dict[Address, list[Rtp]]:
        """By whom they were sent to."""
        return {to: packets for (source, to), packets in self.flows.items() if source[0] == host}

    def received_by(self, host: str) -> dict[Address, list[Rtp]]:
        """By who sent them."""
        return {source: packets for (source, to), packets in self.flows.items() if to[0] == host}


@asynccontextmanager
async def captured(office: Office, file: Path) -> AsyncIterator[Wire]:
    """Capture an office's audio meanwhile; the flows are there afterwards."""
    processes.needs("dumpcap")
    wire, log = Wire(file), file.with_suffix(".log")
    ports = f"portrange {office.media_ports[0]}-{office.media_ports[-1]}"
    process = processes.start(
        ["dumpcap", "-q", "-P", "-i", "lo", "-f", f"udp and host {office.host} and {ports}", "-w", file], log=log
    )
    try:
        await until(lambda: process.poll() is not None or file.exists(), "the capture begins")
        if process.poll() is not None:
            processes.lacks(f"this user may not capture packets: {log.read_text()[-300:]}")
        yield wire
    finally:
        processes.stop(process)
    wire.flows = _read(file.read_bytes())


def _read(data: bytes) -> dict[tuple[Address, Address], list[Rtp]]:
    """The RTP packets of a capture file; RTCP and digits are passed over."""
    assert data[:4] == b"\xd4\xc3\xb2\xa1", "no capture file"
    flows: dict[tuple[Address, Address], list[Rtp]] = {}
    at = _FILE.size
    while at + _PACKET.size <= len(data):
        _, _, length, _ = _PACKET.unpack_from(data, at)
        at += _PACKET.size
        frame, at = data[at + _ETHERNET : at + length], at + length
        if len(frame) < 40 or frame[0] >> 4 != 4 or frame[9] != _UDP:
            continue
        begin = (frame[0] & 15) * 4
        source, target, size = struct.unpack_from("!HHH", frame, begin)
        said = frame[begin + 8 : begin + size]
        if len(said) < 12 or said[0] >> 6 != 2 or said[1] & 127 not in (0, 8):
            continue
        sequence, timestamp, ssrc = struct.unpack_from("!HII", said, 2)
        hosts = [".".join(map(str, frame[place : place + 4])) for place in (12, 16)]
        packet = Rtp(sequence, timestamp, ssrc, said[12 + 4 * (said[0] & 15) :])
        flows.setdefault(((hosts[0], source), (hosts[1], target)), []).append(packet)
    return flows


def assert_gapless(packets: list[Rtp]) -> None:
    """One source, each packet a number and 20 ms behind the last one."""
    assert len({packet.source for packet in packets}) == 1, "more than one source speaks"
    for last, packet in pairwise(packets):
        steps = (packet.sequence - last.sequence) % 65536, (packet.timestamp - last.timestamp) % 2**32
        assert steps == (1, 160), f"after packet {last.sequence} comes {packet.sequence}, {steps[1]} samples later"


def assert_relayed_whole(said: list[Rtp], heard: list[Rtp]) -> None:
    """What one says the other hears, packet by packet, in this order, unchanged; the ends of the capture aside."""
    assert_gapless(heard)
    spoken, received = [each.payload for each in said], [each.payload for each in heard]
    common = min(len(spoken), len(received)) - 10
    assert common > 100, f"only {len(received)} packets were heard of {len(spoken)}"
    for shift in range(-10, 11):
        ours, theirs = spoken[max(0, shift) :], received[max(0, -shift) :]
        if ours[:common] == theirs[:common]:
            return
    raise AssertionError("what was heard is not what was said")
