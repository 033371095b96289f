"""Session descriptions as the RFC writes them and as phones do."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import RemoteError
from engine.sip.sdp import Direction, Format, MediaLine, Origin, SessionDescription

PHONE = b"""v=0\r
o=- 3890 3891 IN IP4 192.0.2.10\r
s=call\r
i=about\r
c=IN IP4 192.0.2.10\r
b=AS:84\r
t=0 0\r
a=X-odd:1\r
m=audio 4000 RTP/AVP 98 9 8 101\r
c=IN IP6 2001:DB8:0::7\r
b=TIAS:64000\r
a=rtcp:4005 IN IP4 192.0.2.10\r
a=rtpmap:98 opus/48000/2\r
a=fmtp:98 useinbandfec=1; stereo=0\r
a=rtpmap:9 G722/16000\r
a=rtpmap:101 telephone-event/8000\r
a=fmtp:101 0-15\r
a=ptime:30\r
a=sendonly\r
m=video 4010 RTP/AVP 97\r
a=rtpmap:97 H264/90000\r
"""


def test_a_phones_description_is_understood() -> None:
    sdp = SessionDescription.parse(PHONE)
    audio, video = sdp.media
    assert sdp.origin == Origin("3890", "3891", "192.0.2.10")
    assert (sdp.name, sdp.host, sdp.others) == (
        "call",
        "192.0.2.10",
        (("i", "about"), ("b", "AS:84"), ("t", "0 0")),
    )
    assert sdp.attributes == (("X-odd", "1"),)
    assert audio.rtp_formats() == (
        Format(98, "OPUS", 48000, "useinbandfec=1; stereo=0", 2),
        Format(9, "G722", 8000),
        Format(8, "PCMA", 8000),
        Format(101, "telephone-event", 8000, "0-15"),
    )
    assert (sdp.host_of(audio), sdp.host_of(video)) == ("2001:db8::7", "192.0.2.10")
    assert (audio.rtcp_port, video.rtcp_port, audio.packet_ms, video.packet_ms) == (4005, 4011, 30, None)
    assert (sdp.direction_of(audio), sdp.direction_of(video)) == (Direction.SENDONLY, Direction.SENDRECV)
    assert video.refused() == MediaLine("video", 0, "RTP/AVP", ("97",))


def test_it_is_written_in_the_order_of_the_rfc() -> None:
    assert SessionDescription.parse(PHONE).encode() == PHONE.replace(b"2001:DB8:0::7", b"2001:db8::7")
    shuffled = b"v=0\nt=0 0\na=x\nc=IN IP4 192.0.2.1\ns=-\no=u 1 2 IN IP4 192.0.2.1\nb=AS:1\nm=audio 2 RTP/AVP 0\n"
    written = SessionDescription.parse(shuffled).encode().split(b"\r\n")
    assert b"".join(line[:1] for line in written) == b"voscbtam"


def test_sloppy_descriptions_are_understood() -> None:
    sdp = SessionDescription.parse(
        b"v=0\no=some one 1 2 IN IP4 192.0.2.1\nc=IN IP4 192.0.2.1 \n\nm=audio 4000 rtp/avp 0  8 \n"
    )
    assert sdp.origin == Origin("1", "2", "192.0.2.1", "some one")
    assert sdp.media == (MediaLine("audio", 4000, "RTP/AVP", ("0", "8")),)
    late = SessionDescription.parse(b"m=audio 4000 RTP/AVP 0\r\nv=0\r\ns=\r\nc=IN IP6 [::1]\r\no=broken\r\n\0\0")
    assert (late.origin, late.host_of(late.media[0]), late.name) == (None, "::1", "-")


def test_the_direction_of_the_session_holds_where_the_media_line_says_none() -> None:
    sdp = SessionDescription.parse(
        b"v=0\r\na=inactive\r\nm=audio 2 RTP/AVP 0\r\nm=audio 4 RTP/AVP 0\r\na=recvonly\r\n"
    )
    assert [sdp.direction_of(line) for line in sdp.media] == [Direction.INACTIVE, Direction.RECVONLY]


def test_formats_that_nothing_describes_are_left_out() -> None:
    line = MediaLine(
        "audio",
        2,
        "RTP/AVP",
        ("0", "96", "x", "200", "0", "97", "98", "99"),
        attributes=(("rtpmap", "97"), ("rtpmap", "98 PCMA"), ("rtpmap", "99 iLBC/0"), ("rtpmap", None)),
    )
    assert line.rtp_formats() == (Format(0, "PCMU", 8000), Format(98, "PCMA", 8000))


@pytest.mark.parametrize("value", ["", "0", "x", "70000", "²"])
def test_a_senseless_rtcp_port_is_ignored(value: str) -> None:
    assert MediaLine("audio", 4000, "RTP/AVP", ("0",), attributes=(("rtcp", value),)).rtcp_port == 4001


@pytest.mark.parametrize("value", [None, "", "0", "x", "-20", "²", "99999"])
def test_a_senseless_ptime_is_ignored(value: str | None) -> None:
    assert MediaLine("audio", 4000, "RTP/AVP", ("0",), attributes=(("ptime", value),)).packet_ms is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\r\n",
        b"hello",
        b"v=1\r\no=- 1 1 IN IP4 192.0.2.1\r\n",
        b"s=-\r\nt=0 0\r\n",
        b"v=0\r\nm=audio x RTP/AVP 0\r\n",
        b"v=0\r\nm=audio 65536 RTP/AVP 0\r\n",
        b"v=0\r\nm=audio 4000\r\n",
        b"v=0\r\nm=\r\n",
        b"v=0\r\nc=IN IP4\r\n",
        b"v=0\r\nc=IN IP4 300.1.1.1\r\n",
        b"v=0\r\nc=IN IP6 2001:db8:::1\r\n",
        b"v=0\r\nc=IN IP4 /127\r\n",
        b"\x80\x00\x01\xff",
    ],
)
def test_what_is_no_description_is_refused_with_400(body: bytes) -> None:
    with pytest.raises(RemoteError) as refusal:
        SessionDescription.parse(body)
    assert refusal.value.status == 400


@pytest.mark.parametrize("direction", list(Direction))
def test_a_direction_seen_from_the_other_side(direction: Direction) -> None:
    assert (direction.reversed.sends, direction.reversed.receives) == (direction.receives, direction.sends)
    assert direction.reversed.reversed is direction


WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=["Cc", "Zs"]), min_size=1)
TOKENS = st.from_regex(r"[A-Za-z0-9.+-]{1,8}", fullmatch=True)
HOSTS = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6).filter(lambda ip: ip.ipv4_mapped is None)).map(str)
ATTRIBUTES = st.lists(st.tuples(TOKENS, st.none() | WORDS), max_size=3).map(tuple)
MEDIA = st.builds(
    MediaLine,
    kind=TOKENS.map(str.lower),
    port=st.integers(0, 65535),
    protocol=st.sampled_from(["RTP/AVP", "RTP/SAVPF", "udptl"]),
    formats=st.lists(WORDS, max_size=4).map(tuple),
    host=st.none() | HOSTS,
    attributes=ATTRIBUTES,
    others=st.lists(st.tuples(st.just("b"), WORDS), max_size=2).map(tuple),
    port_count=st.integers(1, 99),
)
DESCRIPTIONS = st.builds(
    SessionDescription,
    origin=st.builds(Origin, session_id=TOKENS, version=TOKENS, host=HOSTS, user=WORDS),
    media=st.lists(MEDIA, max_size=3).map(tuple),
    host=st.none() | HOSTS,
    attributes=ATTRIBUTES,
    others=st.lists(st.tuples(st.just("t"), WORDS), max_size=2).map(tuple),
    name=WORDS,
)


@given(DESCRIPTIONS)
def test_what_a_description_writes_it_reads_back(sdp: SessionDescription) -> None:
    assert SessionDescription.parse(sdp.encode()) == sdp


LINES = st.lists(
    st.sampled_from(
        [b"v=0", b"m=audio 4 RTP/AVP 0", b"c=IN IP4 1.2.3.4", b"a=rtpmap:", b"o=", b"a=", b"t=", b"=", b"m="]
    )
    | st.binary(max_size=12)
)


@given(st.binary() | LINES.map(b"\n".join))
def test_random_bytes_raise_nothing_but_remote_errors(body: bytes) -> None:
    with suppress(RemoteError):
        sdp = SessionDescription.parse(body)
        for line in sdp.media:
            line.rtp_formats()
            assert line.rtcp_port <= 65535
        sdp.encode()


def test_a_description_of_too_many_media_lines_is_refused_and_one_less_is_not() -> None:
    head = b"v=0\r\nc=IN IP4 192.0.2.9\r\n"
    assert len(SessionDescription.parse(head + b"m=audio 0 RTP/AVP 8\r\n" * 64).media) == 64
    with pytest.raises(RemoteError, match="More Than 64 SDP Media Lines"):
        SessionDescription.parse(head + b"m=audio 0 RTP/AVP 8\r\n" * 65)


@pytest.mark.parametrize(
    ("rtpmap", "expected"),
    [
        (b"96 opus/48000/2", [("OPUS", 48000, 2)]),
        (b"96  OPUS / 48000 / 2 ", [("OPUS", 48000, 2)]),
        (b"96 opus", [("OPUS", 8000, 1)]),
        (b"96 opus/0", []),
        (b"96 opus/48000/0", [("OPUS", 48000, 1)]),
        (b"96", []),
        (b"96 ", []),
        (b"96 /8000", []),
        (b"096 opus/48000/2", []),
        (b"300 opus/48000/2", []),
        (b"96 telephone-event/8000", [("telephone-event", 8000, 1)]),
        (b"96 Telephone-Event/8000", [("telephone-event", 8000, 1)]),
        (b"96 opus/48000/2\r\na=rtpmap:96 PCMA/8000", [("OPUS", 48000, 2)]),
    ],
)
def test_odd_rtpmaps_are_read_or_left_out(rtpmap: bytes, expected: list[tuple[str, int, int]]) -> None:
    line = SessionDescription.parse(b"v=0\r\nm=audio 9 RTP/AVP 96\r\na=rtpmap:" + rtpmap + b"\r\n").media[0]
    assert [(form.encoding, form.clock_rate, form.channels) for form in line.rtp_formats()] == expected


def test_bandwidth_and_what_nobody_asked_for_are_kept_at_their_level() -> None:
    text = (
        b"v=0\r\no=- 1 1 IN IP6 2001:db8::9\r\ns=-\r\nc=IN IP6 2001:db8::9\r\nb=AS:380\r\nt=0 0\r\n"
        b"m=audio 9 RTP/AVP 8\r\nc=IN IP4 192.0.2.9\r\nb=TIAS:64000\r\nb=RR:0\r\na=x\r\n"
    )
    sdp = SessionDescription.parse(text)
    assert sdp.others == (("b", "AS:380"), ("t", "0 0"))
    assert sdp.media[0].others == (("b", "TIAS:64000"), ("b", "RR:0"))
    assert sdp.host_of(sdp.media[0]) == "192.0.2.9"
    assert sdp.encode() == text
