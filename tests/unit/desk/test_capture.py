"""Capture files: headers, checksums and streams, read back byte by byte."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest

from engine.core.ladder import Address, LadderMessage
from engine.desk.capture import capture_file

AT = datetime(2026, 3, 2, 9, 30, 0, 123456, tzinfo=UTC)
V4: tuple[Address, Address] = (("192.0.2.1", 5060), ("192.0.2.9", 5080))
V6: tuple[Address, Address] = (("2001:db8::1", 5060), ("2001:db8::9", 5080))


def a_message(
    data: bytes = b"OPTIONS sip:x SIP/2.0\r\n\r\n",
    *,
    ends: tuple[Address, Address] = V4,
    transport: str = "UDP",
    is_sent: bool = True,
    number: int = 0,
) -> LadderMessage:
    return LadderMessage(
        number=number, at=AT, leg=0, is_sent=is_sent, transport=transport, local=ends[0], remote=ends[1], data=data,
        title="OPTIONS", method="OPTIONS", has_sdp=False, has_credentials=False, is_resent=False,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet as a reader sees it; making it checks lengths and checksums."""

    at: float
    source: Address
    target: Address
    protocol: int
    seq: int
    ack: int
    data: bytes


def read(file: bytes) -> list[Packet]:
    magic, _, _, _, _, longest, link = struct.unpack("<IHHiIII", file[:24])
    assert (magic, link) == (0xA1B2C3D4, 101)
    rest, packets = file[24:], []
    while rest:
        seconds, micros, kept, length = struct.unpack("<IIII", rest[:16])
        assert kept == length <= longest
        packets.append(parse(seconds + micros / 1e6, rest[16 : 16 + kept]))
        rest = rest[16 + kept :]
    return packets


def parse(at: float, packet: bytes) -> Packet:
    if packet[0] >> 4 == 4:
        assert ones_sum(packet[:20]) == 0xFFFF
        length, protocol, head, cut = struct.unpack("!H", packet[2:4])[0], packet[9], 20, (12, 16, 20)
    else:
        length, protocol, head, cut = 40 + struct.unpack("!H", packet[4:6])[0], packet[6], 40, (8, 24, 40)
    assert length == len(packet)
    source, target, body = packet[cut[0] : cut[1]], packet[cut[1] : cut[2]], packet[head:]
    assert ones_sum(source + target + struct.pack("!II", len(body), protocol) + body) == 0xFFFF
    ports = struct.unpack("!HH", body[:4])
    if protocol == 17:
        assert struct.unpack("!H", body[4:6])[0] == len(body)
        seq, ack, data = 0, 0, body[8:]
    else:
        seq, ack = struct.unpack("!II", body[4:12])
        data = body[20:]
    return Packet(
        at, (str(ip_address(source)), ports[0]), (str(ip_address(target)), ports[1]), protocol, seq, ack, data
    )


def ones_sum(data: bytes) -> int:
    """RFC 1071: what a receiver adds up is all ones."""
    padded = data + b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@pytest.mark.parametrize("ends", [V4, V6], ids=["ipv4", "ipv6"])
@pytest.mark.parametrize("length", [1, 2, 1300, 60_000])
@pytest.mark.parametrize("is_sent", [True, False])
def test_a_datagram_is_one_packet(ends: tuple[Address, Address], length: int, is_sent: bool) -> None:
    data = bytes(place * 7 % 256 for place in range(length))
    (packet,) = read(capture_file([a_message(data, ends=ends, is_sent=is_sent)]))
    assert (packet.source, packet.target) == (ends if is_sent else ends[::-1])
    assert (packet.protocol, packet.data) == (17, data)
    assert packet.at == pytest.approx(AT.timestamp(), abs=1e-6)


@pytest.mark.parametrize("ends", [V4, V6], ids=["ipv4", "ipv6"])
def test_a_stream_grows_by_what_was_said(ends: tuple[Address, Address]) -> None:
    said = [(True, b"a" * 100), (False, b"b" * 50), (False, b"c" * 7), (True, b"d" * 3)]
    messages = [a_message(data, ends=ends, transport="TCP", is_sent=is_sent) for is_sent, data in said]
    packets = read(capture_file(messages))
    assert {packet.protocol for packet in packets} == {6}
    assert [(packet.seq, packet.ack) for packet in packets] == [(1, 1), (1, 101), (51, 101), (101, 58)]


def test_a_message_larger_than_a_packet_goes_on_in_the_next() -> None:
    data = b"x" * 100_000
    packets = read(capture_file([a_message(data, transport="TCP")]))
    assert b"".join(packet.data for packet in packets) == data
    assert [packet.seq for packet in packets] == [1, 32769, 65537, 98305]


def test_two_connections_of_one_phone_are_two_streams() -> None:
    other = (V4[0], ("192.0.2.9", 5081))
    packets = read(capture_file([a_message(transport="TCP"), a_message(transport="TCP", ends=other)]))
    assert [packet.seq for packet in packets] == [1, 1]


def test_tls_is_written_as_plain_tcp_at_the_plain_port() -> None:
    ends = (("192.0.2.1", 5061), ("192.0.2.9", 40001))
    (packet,) = read(capture_file([a_message(transport="TLS", ends=ends)]))
    assert (packet.protocol, packet.source, packet.target) == (6, ("192.0.2.1", 5060), ("192.0.2.9", 40001))


def test_the_scope_of_a_link_local_address_is_left_out() -> None:
    (packet,) = read(capture_file([a_message(ends=(("fe80::1%eth0", 5060), ("fe80::2%eth0", 5060)))]))
    assert packet.source == ("fe80::1", 5060)
