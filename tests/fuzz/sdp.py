"""SDP fuzzed: every description is read, written and offered to a negotiation that must agree or refuse."""

from __future__ import annotations

import time
from random import Random

from engine.core.errors import RemoteError
from engine.sip.offer_answer import MediaNegotiation, RtpAddress, read_offer
from engine.sip.sdp import Direction, SessionDescription
from tests.fuzz.campaign import Campaign, corpus
from tests.fuzz.mutation import Mutator

CODECS = ("PCMA", "PCMU", "G722", "OPUS")
LONGEST_S = 1.0

WORDS = tuple(
    word.encode()
    for word in (
        "v=0", "v=1", "o=- 1 1 IN IP4 192.0.2.9", "o=x", "s=-", "s=", "t=0 0", "c=IN IP4 192.0.2.9",
        "c=IN IP6 ::1", "c=IN IP4 0.0.0.0", "c=IN IP4 224.2.1.1/127", "c=IN IP4 host.example",
        "c=IN IP4 999.1.1.1", "c=IN IP6 :::", "b=AS:64", "b=CT:-1", "k=clear:x", "z=0 0", "r=7d 1h 0",
        "m=audio 0 RTP/AVP 0", "m=audio 9 RTP/AVP 8 0 101", "m=audio 65535 RTP/AVP 8",
        "m=audio 65536 RTP/AVP 8", "m=audio 4000/2 RTP/AVP 8", "m=video 9 RTP/AVP 31", "m=audio 9 RTP/SAVP 8",
        "m=audio 9 rtp/avp 8", "m=image 9 udptl t38", "m=audio 9 RTP/AVP", "m=",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=rtpmap:8 PCMA/8000", "a=rtpmap:8 PCMA/0",
        "a=rtpmap:96 opus/48000/2", "a=rtpmap:96 opus/48000/99", "a=rtpmap:101 telephone-event/8000",
        "a=rtpmap:x", "a=rtpmap:0 L16/44100/2", "a=rtpmap:300 PCMU/8000", "a=rtpmap:9 G722/16000",
        "a=rtpmap:-1 PCMU/8000", "a=fmtp:101 0-16", "a=fmtp:", "a=ptime:20", "a=ptime:0", "a=ptime:999999",
        "a=maxptime:20", "a=sendonly", "a=recvonly", "a=inactive", "a=sendrecv", "a=rtcp:9 IN IP4 192.0.2.9",
        "a=rtcp:0", "a=rtcp-mux", "a=", "a=:", "a=candidate:1 1 UDP 1 192.0.2.9 9 typ host",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x", "x=y", "=", "m",
    )
)  # fmt: skip


class Negotiations:
    """What one description can meet: an office that is called, one that called, one that talks already."""

    def __init__(self, seed: int) -> None:
        self._number = seed % 2**40
        self._talking = self._new()
        self._talking.take_offer(_PLAIN)
        self._talking.make_answer(CODECS)

    def check(self, message: bytes) -> None:
        """Raises when the description is misread, takes too long, or an answer breaks the rules of RFC 3264."""
        began = time.thread_time()
        self._check_reading(message)
        self._check_offer(self._new(), message)
        self._check_offer(self._talking, message)
        caller = self._new()
        caller.make_offer(CODECS)
        try:
            settled = caller.take_answer(message)
            assert set(settled.codecs) <= set(CODECS)
        except RemoteError:
            assert caller.is_open
        took = time.thread_time() - began
        assert took < LONGEST_S, f"took {took:.2f} s"

    def close(self) -> None:
        """The session that talked all the time can still be re-negotiated."""
        self._talking.roll_back()
        self._talking.take_offer(_PLAIN)
        _, settled = self._talking.make_answer(CODECS)
        assert settled.codec == "PCMA"

    def _new(self) -> MediaNegotiation:
        return MediaNegotiation(self._number, RtpAddress("192.0.2.1", 4000, 4001))

    def _check_reading(self, message: bytes) -> None:
        try:
            description = SessionDescription.parse(message)
        except RemoteError:
            return
        written = description.encode()
        again = SessionDescription.parse(written)
        assert again.encode() == written, "written anew it is another description"
        assert again.media == description.media
        for line in description.media:
            line.rtp_formats()
            assert 0 <= line.rtcp_port <= 65535
            assert line.packet_ms is None or 0 < line.packet_ms < 1000
        try:
            read_offer(message)
        except RemoteError:
            return

    def _check_offer(self, negotiation: MediaNegotiation, message: bytes) -> None:
        try:
            offered = negotiation.take_offer(message)
        except RemoteError:
            assert not negotiation.is_open
            return
        try:
            body, settled = negotiation.make_answer(CODECS)
        except RemoteError as error:
            negotiation.roll_back()
            if error.status != 488:
                raise AssertionError(f"an offer that was taken is refused with {error}") from error
            return
        offer, answer = SessionDescription.parse(message), SessionDescription.parse(body)
        assert [line.kind for line in answer.media] == [line.kind for line in offer.media], "lines out of order"
        assert sum(line.port > 0 for line in answer.media) == 1, "more than one line is accepted"
        numbers = {int(text) for line in offer.media for text in line.formats if text.isascii() and text.isdigit()}
        assert {form.payload_type for form in settled.formats} <= numbers, "numbers that were not offered"
        allowed = offered.flow
        assert allowed.sends or not settled.flow.sends
        assert allowed.receives or not settled.flow.receives
        assert settled.flow in Direction


_PLAIN = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
)


def campaign() -> Campaign:
    """The SDP campaign."""
    seeds = corpus("sdp")
    mutator = Mutator(seeds, WORDS)

    def change(message: bytes, chance: Random) -> bytes:
        return mutator.mutate(message, chance, most=8)

    return Campaign("sdp", seeds, change, Negotiations)
