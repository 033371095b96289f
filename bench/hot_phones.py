"""Scripted phones for the in-memory bench: what they do is not measured; every call differs as real ones do."""

from __future__ import annotations

import re
from hashlib import md5

OFFICE_HOST, OFFICE_PORT = "127.0.0.1", 5060

_NONCE = re.compile(rb'nonce="([^"]+)"')
_TO = re.compile(rb"\r\nTo: ([^\r]+)")
_VIA = re.compile(rb"\r\n(Via: [^\r]+\r\n)")
_COPIED = re.compile(rb"\r\n(?:From|Call-ID|CSeq): [^\r]+(?=\r\n)")
_CONTACT = re.compile(rb"\r\nContact: <([^>]+)>")


def _sdp(host: str, serial: int) -> str:
    """What a desk phone describes: several codecs, digits, an origin and a port of its own."""
    return (
        f"v=0\r\no=- {1_700_000_000 + serial} {1_700_000_000 + serial} IN IP4 {host}\r\ns=-\r\n"
        f"c=IN IP4 {host}\r\nt=0 0\r\nm=audio {10000 + serial % 20000 * 2} RTP/AVP 8 0 9 101\r\n"
        "a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:9 G722/8000\r\n"
        "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    )


def digest(secret_md5: str, realm: str, user: str, uri: str, method: str, challenge: bytes) -> str:
    """The credentials that answer a 401 or 407; ``secret_md5`` is H(user:realm:password)."""
    found = _NONCE.search(challenge)
    assert found, challenge
    nonce = found[1].decode()
    cnonce = nonce[:16]
    ha2 = md5(f"{method}:{uri}".encode(), usedforsecurity=False).hexdigest()
    answer = md5(f"{secret_md5}:{nonce}:00000001:{cnonce}:auth:{ha2}".encode(), usedforsecurity=False).hexdigest()
    return (
        f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{answer}", '
        f'algorithm=MD5, cnonce="{cnonce}", qop=auth, nc=00000001'
    )


class CallingPhone:
    """The caller of one call: a challenged INVITE, the ACKs and the BYE."""

    def __init__(self, user: str, secret_md5: str, realm: str, host: str, callee: str, serial: int) -> None:
        self.user, self.secret_md5, self.realm, self.host, self.serial = user, secret_md5, realm, host, serial
        self.uri = f"sip:{callee}@{OFFICE_HOST}:{OFFICE_PORT}"
        self.call_id = f"{serial:08x}-4d2f-{serial * 7919 % 65536:04x}@{host}"
        self.sdp = _sdp(host, serial)
        self.to = f"<{self.uri}>"
        self.target = self.uri

    def _request(self, method: str, cseq: str, branch: str, tail: str, body: str = "") -> bytes:
        uri = self.uri if method == "INVITE" else self.target
        return (
            f"{method} {uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self.host}:5060;branch=z9hG4bK{self.serial:x}{branch};rport\r\n"
            f'Max-Forwards: 70\r\nFrom: "Room {self.user}" <sip:{self.user}@{OFFICE_HOST}>;tag={self.serial:x}f\r\n'
            f"To: {self.to}\r\nCall-ID: {self.call_id}\r\nCSeq: {cseq} {method}\r\n{tail}"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    def invite(self, credentials: str = "") -> bytes:
        tail = (
            f"Contact: <sip:{self.user}@{self.host}:5060>\r\n"
            "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY\r\n"
            "Supported: replaces, timer\r\nUser-Agent: Deskphone 46S 66.85.0.5\r\nContent-Type: application/sdp\r\n"
        )
        if credentials:
            tail = f"Proxy-Authorization: {credentials}\r\n{tail}"
        return self._request("INVITE", "2" if credentials else "1", "b" if credentials else "a", tail, self.sdp)

    def answer_challenge(self, response: bytes) -> list[bytes]:
        """The ACK of the 407 and the INVITE with credentials."""
        tag = _TO.search(response)
        assert tag, response
        self.to = tag[1].decode()
        ack = self._request("ACK", "1", "a", "")
        self.to = f"<{self.uri}>"
        return [ack, self.invite(digest(self.secret_md5, self.realm, self.user, self.uri, "INVITE", response))]

    def acknowledge(self, response: bytes) -> bytes:
        to, contact = _TO.search(response), _CONTACT.search(response)
        assert to, response
        assert contact, response
        self.to, self.target = to[1].decode(), contact[1].decode()
        return self._request("ACK", "2", "c", "")

    def hang_up(self) -> bytes:
        return self._request("BYE", "3", "d", "User-Agent: Deskphone 46S 66.85.0.5\r\n")


class RegisteringPhone:
    """One phone that refreshes its binding, challenged each time."""

    def __init__(self, user: str, secret_md5: str, realm: str, host: str) -> None:
        self.user, self.secret_md5, self.realm, self.host = user, secret_md5, realm, host
        self.cseq = 0

    def register(self, challenge: bytes = b"") -> bytes:
        self.cseq += 1
        uri = f"sip:{OFFICE_HOST}:{OFFICE_PORT}"
        credentials = ""
        if challenge:
            answer = digest(self.secret_md5, self.realm, self.user, uri, "REGISTER", challenge)
            credentials = f"Authorization: {answer}\r\n"
        return (
            f"REGISTER {uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self.host}:5060;branch=z9hG4bK{self.cseq:x}r{self.user};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:{self.user}@{OFFICE_HOST}>;tag={self.cseq:x}r\r\n"
            f"To: <sip:{self.user}@{OFFICE_HOST}>\r\nCall-ID: 8f1e-{self.user}@{self.host}\r\n"
            f"CSeq: {self.cseq} REGISTER\r\n{credentials}"
            f"Contact: <sip:{self.user}@{self.host}:5060>;expires=3600\r\n"
            "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY\r\nUser-Agent: Deskphone 46S 66.85.0.5\r\n"
            "Content-Length: 0\r\n\r\n"
        ).encode()


def answered(request: bytes, status: str, user: str, host: str, serial: int, *, with_sdp: bool = False) -> bytes:
    """The callee's response to a request of the office."""
    via, to = _VIA.search(request), _TO.search(request)
    assert via, request
    assert to, request
    tag = b"" if b";tag=" in to[1] else b";tag=%xt" % serial
    body = _sdp(host, serial).encode() if with_sdp else b""
    kind = b"Content-Type: application/sdp\r\n" if body else b""
    copied = b"".join(_COPIED.findall(request)).removeprefix(b"\r\n")
    return (
        b"SIP/2.0 %s\r\n%sTo: %s%s\r\n%s\r\nContact: <sip:%s@%s:5060>\r\n"
        b"Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY\r\nUser-Agent: Deskphone 46S 66.85.0.5\r\n"
        b"%sContent-Length: %d\r\n\r\n%s"
    ) % (status.encode(), via[1], to[1], tag, copied, user.encode(), host.encode(), kind, len(body), body)
