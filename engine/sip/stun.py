"""Answers the STUN keep-alives of phones on UDP (RFC 5626 section 4.4.2, RFC 8489)."""

from __future__ import annotations

import struct
from ipaddress import ip_address

from engine.sip.flow import Flow

LONGEST = 100
"""Bytes of a request that is looked at: a keep-alive is a header and a few attributes, and SIP is longer."""
_HEADER = struct.Struct("!HHI12s")
_COOKIE = 0x2112A442
_BINDING_REQUEST, _BINDING_SUCCESS = 0x0001, 0x0101
_XOR_MAPPED_ADDRESS = 0x0020


def answer_keep_alive(data: bytes, flow: Flow) -> bytes | None:
    """The Binding success response that tells a phone its address as we see it; ``None`` for anything else."""
    if len(data) < _HEADER.size or data[0] != 0:
        return None
    kind, length, cookie, transaction = _HEADER.unpack_from(data)
    if kind != _BINDING_REQUEST or cookie != _COOKIE or length % 4 or length != len(data) - _HEADER.size:
        return None
    address = ip_address(flow.remote_host)
    mask = _COOKIE.to_bytes(4, "big") + transaction
    hidden = bytes(byte ^ key for byte, key in zip(address.packed, mask, strict=False))
    family = 1 if address.version == 4 else 2
    value = struct.pack("!BBH", 0, family, flow.remote_port ^ _COOKIE >> 16) + hidden
    attribute = struct.pack("!HH", _XOR_MAPPED_ADDRESS, len(value)) + value
    return _HEADER.pack(_BINDING_SUCCESS, len(attribute), _COOKIE, transaction) + attribute
