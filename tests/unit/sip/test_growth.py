"""No message costs more than its length: eight times the bytes take about eight times the time, not sixty-four."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from engine.core.errors import RemoteError
from engine.sip.agent import UserAgent
from engine.sip.digest import credentials_for
from engine.sip.flow import Flow
from engine.sip.framing import StreamFramer
from engine.sip.message import parse_message
from engine.sip.offer_answer import MediaNegotiation, RtpAddress
from engine.sip.sdp import SessionDescription
from engine.sip.uri import NameAddress, parse_uri, split_list
from tests.fuzz.sip import check_reading

SMALL, LARGE = 7_500, 60_000
MOST_GROWTH = 24.0
"""Far above the 8 of what is linear, far below the 64 of what is quadratic."""
NO_MATTER_S = 0.004
"""Of thread time: what takes less for 60 KB is no concern, and too short to be compared."""

UDP = Flow("UDP", "192.0.2.1", 5060, "192.0.2.9", 5060)
SDP_HEAD = b"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"


def a_message(field: bytes, method: bytes = b"REGISTER", body: bytes = b"") -> bytes:
    """A request with ``field`` before all the others, so that the first of its name is this one."""
    return (
        method + b" sip:102@office SIP/2.0\r\n" + field + b"\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKx\r\n"
        b"From: <sip:101@office>;tag=a\r\nTo: <sip:101@office>\r\nCall-ID: x\r\nCSeq: 1 " + method + b"\r\n"
        b"Contact: <sip:101@192.0.2.9>\r\nContent-Type: application/sdp\r\nContent-Length: "
        + str(len(body)).encode() + b"\r\n\r\n" + body
    )  # fmt: skip


FIELDS: dict[str, Callable[[int], bytes]] = {
    "spaces-in-via": lambda size: b"Via: SIP/2.0/UDP host" + b" " * size + b"x",
    "spaces-before-a-fold": lambda size: b"Subject: x\r\n y" + b" " * size + b"z",
    "folds": lambda size: b"Subject: x" + b"\r\n " * (size // 3),
    "folded-spaces": lambda size: b"Subject: x" + (b" " * 50 + b"\r\n" + b" " * 50) * (size // 102),
    "semicolons-in-via": lambda size: b"Via: SIP/2.0/UDP host" + b";a" * (size // 2),
    "commas-in-via": lambda size: b"Via: " + b"SIP/2.0/UDP a;branch=x, " * (size // 24),
    "open-quotes": lambda size: b'From: "' + b'\\"' * (size // 2),
    "quotes": lambda size: b"From: " + b'"a"' * (size // 3) + b"<sip:a@b>;tag=x",
    "open-brackets": lambda size: b"To: " + b"<" * size,
    "brackets": lambda size: b"Contact: " + b"<sip:a>," * (size // 8),
    "tags": lambda size: b"To: <sip:a@b>" + b";tag" * (size // 4),
    "spaced-tags": lambda size: b"To: <sip:a@b>" + b"; tag " * (size // 6),
    "spaces-before-a-tag": lambda size: b"To: <sip:a@b>;" + b" " * size + b"x",
    "ats": lambda size: b"Contact: <sip:" + b"a@" * (size // 2) + b">",
    "colons": lambda size: b"Contact: <sip:" + b":" * size + b">",
    "percents": lambda size: b"Contact: <sip:" + b"%41" * (size // 3) + b"@b>",
    "uri-params": lambda size: b"Contact: <sip:a@b" + b";a=b" * (size // 4) + b">",
    "header-params": lambda size: b"Contact: <sip:a@b>" + b" ; a = b" * (size // 8),
    "ipv6": lambda size: b"Contact: <sip:a@[" + b":" * size + b"]>",
    "digits": lambda size: b"CSeq: " + b"1" * size + b" REGISTER",
    "spaces-in-cseq": lambda size: b"CSeq: 1" + b" " * size + b"x y",
    "contact-stars": lambda size: b"Contact: " + b"*," * (size // 2),
    "require": lambda size: b"Require: " + b"a," * (size // 2),
    "accept": lambda size: b"Accept: " + b"a/b;q=0," * (size // 8),
    "digest": lambda size: b"Authorization: Digest " + b'a="b",' * (size // 6),
    "open-digest": lambda size: b'Authorization: Digest a="' + b"\\" * size,
    "spaced-digest": lambda size: b"Authorization: Digest " + b" ," * (size // 2) + b"\x01",
    "one-long-name": lambda size: b"X" * size + b": y",
    "bare-line-feeds": lambda size: b"X: " + b"\n" * size,
    "path": lambda size: b"Path: " + b"<sip:a;lr>," * (size // 11),
    "record-route": lambda size: b"Record-Route: " + b"<sip:a;lr>," * (size // 11),
}
BODIES: dict[str, Callable[[int], bytes]] = {
    "media-lines": lambda size: b"m=audio 9 RTP/AVP 8\r\n" * (size // 21),
    "refused-lines": lambda size: b"m=x 0 x 0\r\n" * (size // 11) + b"m=audio 9 RTP/AVP 8\r\n",
    "formats": lambda size: b"m=audio 9 RTP/AVP" + b" 8" * (size // 2) + b"\r\n",
    "formats-and-junk": lambda size: b"m=audio 9 RTP/AVP" + b" 8" * (size // 2) + b"\x0b\r\n",
    "rtpmaps": lambda size: b"m=audio 9 RTP/AVP 96\r\n" + b"a=rtpmap:96 PCMA/8000\r\n" * (size // 23),
    "attributes": lambda size: b"m=audio 9 RTP/AVP 8\r\n" + b"a=x\r\n" * (size // 5),
    "connections": lambda size: b"m=audio 9 RTP/AVP 8\r\n" + b"c=IN IP4 192.0.2.9\r\n" * (size // 20),
    "bandwidths": lambda size: b"b=AS:64\r\n" * (size // 9) + b"m=audio 9 RTP/AVP 8\r\n",
    "spaces": lambda size: b"m=audio" + b" " * size + b"9 RTP/AVP 8\r\n",
    "empty-lines": lambda size: b"\r\n" * (size // 2) + b"m=audio 9 RTP/AVP 8\r\n",
    "one-line": lambda size: b"a=" + b":" * size + b"\r\nm=audio 9 RTP/AVP 8\r\n",
    "carriage-returns": lambda size: b"\r" * size + b"m=audio 9 RTP/AVP 8\r\n",
}


def handle_message(data: bytes) -> None:
    """Everything that happens to a message before a call or a registration does."""
    check_reading(data)
    agent = UserAgent(lambda size: "0" * 2 * size, "test")
    agent.receive(data, UDP, 1000.0)
    agent.take_outputs(1000.0)
    with suppress(RemoteError):
        headers = parse_message(data).headers
        credentials_for("office", headers.all("Authorization"))
        for name in ("Contact", "Path", "Record-Route", "Via"):
            with suppress(RemoteError):
                headers.list_of(name)


def negotiate(body: bytes) -> None:
    with suppress(RemoteError):
        SessionDescription.parse(SessionDescription.parse(body).encode())
    for act in (MediaNegotiation.take_offer, answer_ours):
        with suppress(RemoteError):
            negotiation = MediaNegotiation(1, RtpAddress("192.0.2.1", 4000, 4001))
            act(negotiation, body)
            negotiation.make_answer(("PCMA", "PCMU"))


def answer_ours(negotiation: MediaNegotiation, body: bytes) -> None:
    negotiation.make_offer(("PCMA", "PCMU"))
    negotiation.take_answer(body)
    negotiation.take_offer(body)


def frame(data: bytes) -> None:
    """A stream that brings a message in pieces of a packet."""
    framer = StreamFramer()
    for start in range(0, len(data), 500):
        framer.feed(data[start : start + 500])
        while framer.take() is not None:
            """Whatever has arrived."""


def best_s(handle: Callable[[bytes], None], data: bytes) -> float:
    """The least thread time of three."""
    times = []
    for _ in range(3):
        began = time.thread_time()
        handle(data)
        times.append(time.thread_time() - began)
    return min(times)


def check_growth(handle: Callable[[bytes], None], make: Callable[[int], bytes]) -> None:
    large = best_s(handle, make(LARGE))
    if large > NO_MATTER_S:
        small = best_s(handle, make(SMALL))
        assert large < small * MOST_GROWTH, f"{LARGE} bytes take {large:.3f} s, {SMALL} take {small:.3f} s"


@pytest.mark.parametrize("name", FIELDS)
def test_a_long_header_field_costs_its_length(name: str) -> None:
    check_growth(handle_message, lambda size: a_message(FIELDS[name](size)))


@pytest.mark.parametrize("name", BODIES)
def test_a_long_description_costs_its_length(name: str) -> None:
    check_growth(negotiate, lambda size: SDP_HEAD + BODIES[name](size))


@pytest.mark.parametrize("name", ["folds", "one-long-name", "bare-line-feeds", "spaces-in-via"])
def test_a_long_message_in_a_stream_costs_its_length(name: str) -> None:
    check_growth(frame, lambda size: a_message(FIELDS[name](size // 2)))


@pytest.mark.parametrize("text", ["<sip:a@b>,", '"a" <sip:a@b>;x="y",', "a@b;", " ", "%41", "<", '"', "\\"])
@pytest.mark.parametrize("read", [NameAddress.parse, parse_uri, split_list])
def test_a_long_value_costs_its_length(read: Callable[[str], object], text: str) -> None:
    def handle(data: bytes) -> None:
        with suppress(RemoteError):
            read(data.decode())

    check_growth(handle, lambda size: (text * (size // len(text))).encode())
