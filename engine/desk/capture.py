"""Capture files: SIP messages as the packets that a capture program would have seen (pcap, raw IP).

What came over TLS stands there as plain TCP, for it is the messages that one wants to read.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable

from engine.core.ladder import Address, LadderMessage

_FILE_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101)
"""Microseconds, little-endian, LINKTYPE_RAW: each packet begins with its IP header (draft-ietf-opsawg-pcap)."""
_UDP, _TCP = 17, 6
_PSH_ACK = 0x18
_SEGMENT = 32768
"""A larger TCP message is cut, as an IP packet has 65,535 bytes at most."""
_SIPS_PORT, _SIP_PORT = 5061, 5060


def capture_file(messages: Iterable[LadderMessage]) -> bytes:
    """A whole capture file; every message is one packet, those over TCP and TLS part of a growing stream."""
    written = bytearray(_FILE_HEADER)
    sent: dict[tuple[Address, Address], int] = {}
    for message in messages:
        source, target = _ends(message)
        for packet in _packets(message, source, target, sent):
            micros = int(message.at.timestamp() * 1_000_000)
            written += struct.pack("<IIII", micros // 1_000_000, micros % 1_000_000, len(packet), len(packet))
            written += packet
    return bytes(written)


def _ends(message: LadderMessage) -> tuple[Address, Address]:
    local, remote = message.local, message.remote
    if message.transport == "TLS":  # what is plain at the port of SIPS would be taken for broken TLS
        local, remote = _plain(local), _plain(remote)
    return (local, remote) if message.is_sent else (remote, local)


def _plain(address: Address) -> Address:
    return (address[0], _SIP_PORT) if address[1] == _SIPS_PORT else address


def _packets(
    message: LadderMessage, source: Address, target: Address, sent: dict[tuple[Address, Address], int]
) -> Iterable[bytes]:
    if message.transport == "UDP":
        yield _ip(_UDP, source, target, _udp(source, target, message.data))
        return
    for start in range(0, len(message.data), _SEGMENT):
        piece = message.data[start : start + _SEGMENT]
        at = sent.get((source, target), 1)
        yield _ip(_TCP, source, target, _tcp(source, target, piece, at, sent.get((target, source), 1)))
        sent[source, target] = (at + len(piece)) & 0xFFFFFFFF


def _udp(source: Address, target: Address, data: bytes) -> bytes:
    """RFC 768; a sum of zero is sent as its complement."""
    length = 8 + len(data)
    head = struct.pack("!HHHH", source[1], target[1], length, 0)
    total = _checksum(_pseudo_header(_UDP, source, target, length) + head + data) or 0xFFFF
    return head[:6] + struct.pack("!H", total) + data


def _tcp(source: Address, target: Address, data: bytes, seq: int, ack: int) -> bytes:
    """RFC 9293 section 3.1."""
    head = struct.pack("!HHIIBBHHH", source[1], target[1], seq, ack, 5 << 4, _PSH_ACK, 65535, 0, 0)
    total = _checksum(_pseudo_header(_TCP, source, target, 20 + len(data)) + head + data)
    return head[:16] + struct.pack("!H", total) + head[18:] + data


def _ip(protocol: int, source: Address, target: Address, body: bytes) -> bytes:
    here, there = _packed(source), _packed(target)
    if len(here) == 16:  # RFC 8200 section 3
        return struct.pack("!IHBB", 6 << 28, len(body), protocol, 64) + here + there + body
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, protocol, 0) + here + there  # RFC 791
    return head[:10] + struct.pack("!H", _checksum(head)) + head[12:] + body


def _pseudo_header(protocol: int, source: Address, target: Address, length: int) -> bytes:
    here, there = _packed(source), _packed(target)
    form = "!II" if len(here) == 16 else "!HH"
    return here + there + struct.pack(form, *((length, protocol) if len(here) == 16 else (protocol, length)))


def _packed(address: Address) -> bytes:
    return ipaddress.ip_address(address[0].partition("%")[0]).packed


def _checksum(data: bytes) -> int:
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF
