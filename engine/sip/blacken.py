"""Blackens what in a SIP message is as good as a password: digests and media keys; every length stays."""

from __future__ import annotations

import re

_SECRETS = re.compile(
    rb"""
      (?<=[\s,])(?P<digest>(?:response|rspauth)\s*=\s*"?)(?P<d>[^",;\s\r\n]+)   # RFC 3261 section 20.7, RFC 7616
    | (?<=[\s;])(?P<crypto>inline:)(?P<c>[^|;\s\r\n]+)                         # RFC 4568: one line may have several
    | ^(?P<key>(?:k=(?:clear|base64):|a=ice-pwd:|a=key-mgmt:\S+\s+))(?P<k>[^\r\n]+)  # RFC 4566, 8839, 4567
    | ^(?P<scheme>(?:proxy-)?authorization[ \t]*:[ \t]*(?!digest\b)[^\s,]+[ \t]+)(?P<s>[^\r\n]+)  # RFC 7617
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)


def blacken(message: bytes) -> bytes:
    """``message`` with digest responses and SDP keys as rows of ``*``, so that lengths in it stay true."""
    return _SECRETS.sub(_cover, message)


def _cover(found: re.Match[bytes]) -> bytes:
    said = found["digest"] or found["crypto"] or found["key"] or found["scheme"]
    secret = found["d"] or found["c"] or found["k"] or found["s"]
    return said + b"*" * len(secret)
