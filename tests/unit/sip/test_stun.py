"""STUN keep-alives: the phone's address comes back, and nothing else is answered."""

from __future__ import annotations

import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.sip.flow import Flow
from engine.sip.stun import answer_keep_alive

COOKIE = bytes.fromhex("2112a442")
ID = b"transaction."
V4 = Flow("UDP", "192.0.2.1", 5060, "192.0.2.9", 40000)
V6 = Flow("UDP", "2001:db8::1", 5060, "2001:db8::9", 40000)


def request(attributes: bytes = b"", kind: int = 1) -> bytes:
    return struct.pack("!HH", kind, len(attributes)) + COOKIE + ID + attributes


def mapped_address(answer: bytes) -> tuple[str, int]:
    """What XOR-MAPPED-ADDRESS (RFC 8489 section 14.2) says."""
    assert answer[:2] == b"\x01\x01"
    assert answer[4:20] == COOKIE + ID
    kind, length, _, family, port = struct.unpack_from("!HHBBH", answer, 20)
    assert (kind, length) == (0x0020, len(answer) - 24)
    mask = COOKIE + ID
    packed = bytes(byte ^ mask[index] for index, byte in enumerate(answer[28:]))
    assert len(packed) == {1: 4, 2: 16}[family]
    return str(ip_address(packed)), port ^ 0x2112


@pytest.mark.parametrize("flow", [V4, V6])
@pytest.mark.parametrize("attributes", [b"", bytes.fromhex("8028000400000000")])
def test_a_phone_is_told_its_address_as_we_see_it(flow: Flow, attributes: bytes) -> None:
    answer = answer_keep_alive(request(attributes), flow)
    assert answer is not None
    assert mapped_address(answer) == (flow.remote_host, flow.remote_port)


@pytest.mark.parametrize(
    "data",
    [
        request(kind=0x0011),
        request(kind=0x0101),
        request()[:-1],
        request() + b"x",
        request(b"abc"),
        request().replace(COOKIE, b"abcd"),
        b"",
        b"OPTIONS sip:office SIP/2.0",
    ],
)
def test_anything_else_gets_no_answer(data: bytes) -> None:
    assert answer_keep_alive(data, V4) is None


@given(st.binary(max_size=100))
def test_no_bytes_break_it_and_an_answer_is_not_much_larger_than_its_request(data: bytes) -> None:
    answer = answer_keep_alive(b"\x00" + data, V6)
    assert answer is None or len(answer) <= len(data) + 25
