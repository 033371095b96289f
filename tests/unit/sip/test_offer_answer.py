"""Offer and answer between the PBX and one phone, as RFC 3264 and real phones have it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import LocalError, RemoteError
from engine.sip.codecs import CODECS
from engine.sip.offer_answer import MediaNegotiation, RtpAddress, Settled, read_offer
from engine.sip.sdp import Direction, Format, SessionDescription

HEAD = b"v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
AUDIO = b"m=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
BOTH, TO_PEER, FROM_PEER, NONE = Direction.SENDRECV, Direction.SENDONLY, Direction.RECVONLY, Direction.INACTIVE


def a_leg(host: str = "192.0.2.1", port: int = 20000, rtcp_port: int = 20001) -> MediaNegotiation:
    return MediaNegotiation(7, RtpAddress(host, port, rtcp_port))


def lines_of(body: bytes) -> list[str]:
    return body.decode().split("\r\n")


def version_of(body: bytes) -> str:
    origin = SessionDescription.parse(body).origin
    assert origin is not None
    return origin.version


def direction_in(body: bytes) -> Direction:
    sdp = SessionDescription.parse(body)
    return sdp.direction_of(sdp.media[0])


def a_called_leg() -> MediaNegotiation:
    leg = a_leg()
    leg.take_offer(HEAD + AUDIO)
    leg.make_answer(["PCMA", "PCMU"])
    return leg


def test_an_offer_names_our_address_our_codecs_and_digits_at_each_clock_rate() -> None:
    assert lines_of(a_leg().make_offer(["OPUS", "PCMA", "G722"])) == [
        "v=0",
        "o=- 7 7 IN IP4 192.0.2.1",
        "s=-",
        "c=IN IP4 192.0.2.1",
        "t=0 0",
        "m=audio 20000 RTP/AVP 96 8 9 101 102",
        "a=rtpmap:96 opus/48000/2",
        "a=fmtp:96 useinbandfec=1;usedtx=0;stereo=0",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:9 G722/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-16",
        "a=rtpmap:102 telephone-event/48000",
        "a=fmtp:102 0-16",
        "a=ptime:20",
        "a=sendrecv",
        "",
    ]


def test_ipv6_and_an_odd_rtcp_port_are_announced() -> None:
    lines = lines_of(a_leg("2001:db8::1", 20000, 20005).make_offer(["PCMA"], TO_PEER))
    assert {"o=- 7 7 IN IP6 2001:db8::1", "c=IN IP6 2001:db8::1", "a=rtcp:20005", "a=sendonly"} <= set(lines)


def test_multiplexed_rtcp_is_not_taken_up_and_keeps_a_port_of_its_own() -> None:
    """RFC 5761 5.1.1: an answer without ``rtcp-mux`` has the offerer send RTCP apart, as RFC 3605 tells it."""
    leg = a_leg()
    offered = leg.take_offer(HEAD + AUDIO + b"a=rtcp:4017\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=rtcp-fb:* nack\r\n")
    assert offered.remote == RtpAddress("192.0.2.10", 4000, 4017)
    body, _ = leg.make_answer(["PCMA", "PCMU"])
    assert not [line for line in lines_of(body) if line.startswith("a=rtcp")]


def test_an_answer_settles_address_formats_and_flow() -> None:
    leg = a_leg()
    leg.make_offer(["PCMA", "PCMU", "G722"])
    assert leg.is_open
    settled = leg.take_answer(HEAD + b"a=rtcp:4009\r\na=ptime:30\r\n" + AUDIO + b"a=ptime:40\r\na=rtcp:4007\r\n")
    assert settled == Settled(
        remote=RtpAddress("192.0.2.10", 4000, 4007),
        formats=(
            Format(8, "PCMA", 8000),
            Format(0, "PCMU", 8000),
            Format(101, "telephone-event", 8000, "0-15"),
        ),
        flow=BOTH,
        packet_ms=40,
        held=False,
    )
    assert settled.codecs == ("PCMA", "PCMU")
    assert not leg.is_open


def test_a_later_answer_to_the_same_offer_replaces_the_first() -> None:
    leg = a_leg()
    leg.make_offer(["PCMA"])
    leg.take_answer(HEAD + AUDIO)
    moved = leg.take_answer((HEAD + AUDIO).replace(b"4000", b"5000"))
    assert moved.remote == RtpAddress("192.0.2.10", 5000, 5001)
    assert leg.settled == moved


def test_an_answer_that_numbers_a_format_its_own_way_is_heard_at_both_numbers() -> None:
    leg = a_leg()
    leg.make_offer(["PCMA"])
    settled = leg.take_answer(HEAD + b"m=audio 4000 RTP/AVP 8 96\r\na=rtpmap:96 telephone-event/8000\r\n")
    assert [(form.payload_type, form.encoding) for form in settled.formats] == [
        (8, "PCMA"),
        (96, "telephone-event"),
        (101, "telephone-event"),
    ]


def test_digits_are_agreed_only_at_the_clock_rate_of_an_agreed_codec() -> None:
    leg = a_leg()
    leg.take_offer(
        HEAD + b"m=audio 4000 RTP/AVP 111 8 126 110\r\na=rtpmap:111 opus/48000/2\r\n"
        b"a=rtpmap:126 telephone-event/8000\r\na=rtpmap:110 telephone-event/48000\r\n"
    )
    body, settled = leg.make_answer(["PCMA"])
    assert "m=audio 20000 RTP/AVP 8 126" in lines_of(body)
    assert [form.payload_type for form in settled.formats] == [8, 126]


def test_an_answer_uses_the_offerers_numbers_and_our_order() -> None:
    leg = a_leg()
    leg.take_offer(
        HEAD + b"m=audio 4000 RTP/AVP 0 8 111 110\r\na=rtpmap:111 opus/48000\r\na=fmtp:111 useinbandfec=1\r\n"
        b"a=rtpmap:110 telephone-event/48000\r\na=ptime:60\r\n"
    )
    body, settled = leg.make_answer(["OPUS", "PCMA"])
    lines = lines_of(body)
    assert "m=audio 20000 RTP/AVP 111 8 110" in lines
    assert "a=rtpmap:111 opus/48000/2" in lines
    assert "a=fmtp:111 useinbandfec=1;usedtx=0;stereo=0" in lines
    assert "a=ptime:60" in lines
    assert settled.formats[0] == Format(111, "OPUS", 48000, "useinbandfec=1", 1)
    again = lines_of(leg.make_offer(["G729", "OPUS", "PCMA", "ILBC"]))
    assert "m=audio 20000 RTP/AVP 18 111 8 97 101 110" in again
    assert "a=fmtp:18 annexb=no" in again


def test_a_number_the_peer_gave_another_meaning_is_not_reused() -> None:
    leg = a_leg()
    leg.take_offer(
        HEAD + b"m=audio 4000 RTP/AVP 8 96 101\r\na=rtpmap:96 telephone-event/8000\r\na=rtpmap:101 AMR/8000\r\n"
    )
    leg.make_answer(["PCMA"])
    offer = lines_of(leg.make_offer(["PCMA", "OPUS"]))
    assert "m=audio 20000 RTP/AVP 8 97 96 102" in offer


def test_every_media_line_is_answered_in_its_place_and_unwanted_ones_with_port_0() -> None:
    leg = a_leg()
    body, _ = answer(
        leg,
        b"m=video 4010 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\nm=audio 4020 RTP/SAVP 8\r\n"
        + AUDIO
        + b"m=audio 4030 RTP/AVP 8\r\nm=image 4040 udptl t38\r\n",
    )
    expected = [
        "video 0 RTP/AVP 97",
        "audio 0 RTP/SAVP 8",
        "audio 20000 RTP/AVP 8 0 101",
        "audio 0 RTP/AVP 8",
        "image 0 udptl t38",
    ]
    assert [line[2:] for line in lines_of(body) if line[:2] == "m="] == expected
    offer = leg.make_offer(["PCMA", "PCMU"])
    assert [line[2:] for line in lines_of(offer) if line[:2] == "m="] == expected
    leg.roll_back()
    leg.take_offer(HEAD + b"m=audio 0 RTP/AVP 97\r\nm=audio 4030 RTP/AVP 8\r\n")
    moved, settled = leg.make_answer(["PCMA"])
    assert [line[2:] for line in lines_of(moved) if line[:2] == "m="] == [
        "audio 0 RTP/AVP 97",
        "audio 20000 RTP/AVP 8",
    ]
    assert settled.remote == RtpAddress("192.0.2.10", 4030, 4031)


def answer(leg: MediaNegotiation, media: bytes, flow: Direction = BOTH) -> tuple[bytes, Settled]:
    leg.take_offer(HEAD + media)
    return leg.make_answer(["PCMA", "PCMU"], flow)


@pytest.mark.parametrize(
    ("offered", "wanted", "answered", "held"),
    [
        (BOTH, BOTH, BOTH, False),
        (BOTH, TO_PEER, TO_PEER, False),
        (BOTH, NONE, NONE, False),
        (TO_PEER, BOTH, FROM_PEER, True),
        (TO_PEER, TO_PEER, NONE, True),
        (FROM_PEER, BOTH, TO_PEER, False),
        (FROM_PEER, FROM_PEER, NONE, False),
        (NONE, BOTH, NONE, True),
    ],
)
def test_an_answer_allows_no_more_than_the_offer(
    offered: Direction, wanted: Direction, answered: Direction, held: bool
) -> None:
    body, settled = answer(a_leg(), AUDIO + f"a={offered.value}\r\n".encode(), wanted)
    assert (direction_in(body), settled.flow, settled.held) == (answered, answered, held)
    assert settled.remote is not None


@pytest.mark.parametrize("address", [b"IN IP4 0.0.0.0", b"IN IP6 ::"])
def test_a_hold_by_address_sends_nothing_and_is_answered_recvonly(address: bytes) -> None:
    leg = a_called_leg()
    offered = leg.take_offer(HEAD + AUDIO.replace(b"a=fmtp", b"c=" + address + b"\r\na=fmtp", 1))
    assert (offered.held, offered.remote, offered.flow) == (True, None, FROM_PEER)
    body, settled = leg.make_answer(["PCMA"])
    assert (direction_in(body), settled.flow, settled.held, settled.remote) == (FROM_PEER, FROM_PEER, True, None)
    leg.take_offer(HEAD + AUDIO)
    _, resumed = leg.make_answer(["PCMA"])
    assert (resumed.flow, resumed.held) == (BOTH, False)


@pytest.mark.parametrize(
    ("wanted", "answered", "flow", "held"),
    [
        (BOTH, BOTH, BOTH, False),
        (BOTH, TO_PEER, FROM_PEER, True),
        (BOTH, NONE, NONE, True),
        (TO_PEER, FROM_PEER, TO_PEER, False),
        (TO_PEER, BOTH, TO_PEER, False),
        (NONE, NONE, NONE, False),
        (FROM_PEER, TO_PEER, FROM_PEER, False),
    ],
)
def test_our_own_hold_is_not_taken_for_the_peers(
    wanted: Direction, answered: Direction, flow: Direction, held: bool
) -> None:
    leg = a_called_leg()
    leg.make_offer(["PCMA"], wanted)
    settled = leg.take_answer(HEAD + AUDIO + f"a={answered.value}\r\n".encode())
    assert (settled.flow, settled.held) == (flow, held)


def test_the_version_rises_by_one_when_something_changed_and_only_then() -> None:
    leg = a_leg()
    first, settled = answer(leg, AUDIO)
    second, again = answer(leg, AUDIO)
    assert (first, settled) == (second, again)
    assert version_of(second) == "7"
    third, _ = answer(leg, AUDIO, TO_PEER)
    assert version_of(third) == "8"
    leg.local = RtpAddress("192.0.2.2", 20000, 20001)
    fourth, _ = answer(leg, AUDIO, TO_PEER)
    assert version_of(fourth) == "9"


def test_a_session_is_refreshed_from_either_side_without_a_new_version() -> None:
    leg = a_called_leg()
    held, _ = answer(leg, AUDIO + b"a=sendonly\r\n")
    assert leg.repeat_offer() == held
    assert leg.take_answer(HEAD + AUDIO + b"a=sendonly\r\n").flow is FROM_PEER
    offered = leg.take_offer(HEAD + AUDIO + b"a=sendonly\r\n")
    assert offered.is_repeated
    assert leg.repeat_answer()[0] == held
    assert not leg.take_offer((HEAD + AUDIO).replace(b"1 1 IN", b"1 2 IN")).is_repeated


def test_a_refused_offer_of_ours_leaves_what_was_settled() -> None:
    leg = a_called_leg()
    settled = leg.settled
    refused = leg.make_offer(["PCMA"], TO_PEER)
    assert leg.roll_back() == settled
    assert not leg.is_open
    refreshed = leg.repeat_offer()
    assert direction_in(refreshed) is BOTH
    assert int(version_of(refreshed)) == int(version_of(refused)) + 1
    assert leg.take_answer(HEAD + AUDIO) == settled


def test_an_offer_of_the_peer_we_refuse_leaves_what_was_settled() -> None:
    leg = a_called_leg()
    settled = leg.settled
    leg.take_offer(HEAD + b"m=audio 4000 RTP/AVP 18\r\n")
    with pytest.raises(RemoteError):
        leg.make_answer(["PCMA"])
    assert leg.is_open
    assert leg.roll_back() == settled
    leg.make_offer(["PCMA"])


def test_only_one_offer_is_open_and_answers_need_one() -> None:
    leg = a_leg()
    for premature in (lambda: leg.take_answer(HEAD + AUDIO), lambda: leg.make_answer(["PCMA"]), leg.repeat_offer):
        with pytest.raises(LocalError):
            premature()
    leg.make_offer(["PCMA"])
    for second in (lambda: leg.make_offer(["PCMA"]), lambda: leg.take_offer(HEAD + AUDIO), leg.repeat_offer):
        with pytest.raises(LocalError):
            second()
    leg.take_answer(HEAD + AUDIO)
    leg.take_offer(HEAD + AUDIO)
    with pytest.raises(LocalError):
        leg.take_answer(HEAD + AUDIO)


def test_an_offer_of_ours_needs_codecs_we_know() -> None:
    for codecs in ([], ["PCMA", "MP3"]):
        with pytest.raises(LocalError):
            a_leg().make_offer(codecs)


def test_a_refusal_for_want_of_a_codec_names_both_lists() -> None:
    leg = a_leg()
    leg.take_offer(HEAD + b"m=audio 4000 RTP/AVP 18 4 101\r\na=rtpmap:101 telephone-event/8000\r\n")
    with pytest.raises(RemoteError, match="offered G729, G723, telephone-event; allowed PCMA, PCMU") as refusal:
        leg.make_answer(["PCMA", "PCMU"])
    assert refusal.value.status == 488
    calling = a_leg()
    calling.make_offer(["PCMA"])
    with pytest.raises(RemoteError, match="offered GSM; allowed PCMA"):
        calling.take_answer(HEAD + b"m=audio 4000 RTP/AVP 3\r\n")
    assert calling.is_open


@pytest.mark.parametrize(
    ("media", "status"),
    [
        (b"", 488),
        (b"m=audio 0 RTP/AVP 8\r\n", 488),
        (b"m=video 4000 RTP/AVP 31\r\n", 488),
        (b"m=audio 4000 RTP/SAVP 8\r\n", 488),
        (b"m=audio 4000 RTP/AVPF 8\r\n", 488),
        (b"m=audio 4000 RTP/AVP 8\r\nc=IN IP4 224.2.1.1/127\r\n", 488),
        (b"m=audio 4000 RTP/AVP 8\r\nc=IN IP4 255.255.255.255\r\n", 488),
        (b"m=audio 4000 RTP/AVP 8\r\nc=IN IP6 ff02::1\r\n", 488),
        (b"m=audio 4000 RTP/AVP 8\r\nc=IN IP4 phone.example.com\r\n", 488),
        (b"m=audio 4000 RTP/AVP 8\r\nc=IN IP4 999.0.2.1\r\n", 400),
        (b"m=audio\r\n", 400),
    ],
)
def test_media_we_cannot_serve_is_refused(media: bytes, status: int) -> None:
    leg = a_leg()
    with pytest.raises(RemoteError) as refusal:
        leg.take_offer(HEAD + media)
    assert refusal.value.status == status
    assert not leg.is_open
    leg.make_offer(["PCMA"])
    with pytest.raises(RemoteError):
        leg.take_answer(HEAD + media)


def test_a_refused_line_names_a_format_even_where_the_offer_named_none() -> None:
    body, _ = answer(a_leg(), b"m=video 4010 RTP/AVP\r\n" + AUDIO)
    assert "m=video 0 RTP/AVP 0" in lines_of(body)


def test_a_connection_of_the_media_line_counts_before_that_of_the_session() -> None:
    leg = a_leg()
    _, settled = answer(leg, AUDIO + b"c=IN IP4 192.0.2.77\r\nb=AS:64\r\nm=video 9 RTP/AVP 97\r\nc=IN IP6 ::1\r\n")
    assert settled.remote is not None
    assert settled.remote.host == "192.0.2.77"


def test_media_without_any_connection_is_refused() -> None:
    with pytest.raises(RemoteError) as refusal:
        read_offer(b"v=0\r\n" + AUDIO)
    assert refusal.value.status == 400


def test_an_offer_can_be_read_before_anything_of_ours_exists() -> None:
    offered = read_offer(HEAD + AUDIO.replace(b"8 0 101", b"8 0 13 99 101") + b"a=rtpmap:99 AMR-WB/16000\r\n")
    assert offered.codecs == ("PCMA", "PCMU", "AMR-WB")
    assert (offered.flow, offered.held, offered.packet_ms) == (BOTH, False, 20)


def test_a_late_offer_is_ours_and_its_answer_comes_with_the_ack() -> None:
    called, caller = a_leg(), a_leg("192.0.2.2", 30000, 30001)
    caller.take_offer(called.make_offer(["G722", "PCMA"]))
    body, theirs = caller.make_answer(["PCMA", "G722"])
    ours = called.take_answer(body)
    assert ours.formats == theirs.formats
    assert ours.codecs == ("PCMA", "G722")


def test_a_peer_that_uses_up_every_number_does_not_stop_our_offers() -> None:
    leg = a_leg()
    numbers = " ".join(str(number) for number in range(128))
    maps = "".join(f"a=rtpmap:{number} X{number}/8000\r\n" for number in range(128) if number != 8)
    leg.take_offer(HEAD + f"m=audio 4000 RTP/AVP {numbers}\r\n{maps}".encode())
    leg.make_answer(["PCMA"])
    assert leg.make_offer(list(CODECS))


NAMES = st.lists(st.sampled_from(list(CODECS)), min_size=1, unique=True)
FLOWS = st.sampled_from(list(Direction))


@given(NAMES, NAMES, FLOWS, FLOWS, st.lists(st.tuples(NAMES, FLOWS, st.booleans()), max_size=4))
def test_two_sides_always_settle_the_same_or_neither_does(
    ours: list[str], theirs: list[str], we_want: Direction, they_want: Direction,
    later: list[tuple[list[str], Direction, bool]],
) -> None:  # fmt: skip
    office, phone = a_leg(), a_leg("2001:db8::2", 30000, 30005)
    rounds = [(ours, we_want, True), *later]
    for codecs, flow, is_ours in rounds:
        offering, answering = (office, phone) if is_ours else (phone, office)
        before = offering.settled, answering.settled
        answering.take_offer(offering.make_offer(codecs, flow))
        try:
            body, answered = answering.make_answer(theirs, they_want)
        except RemoteError:
            assert not set(codecs) & set(theirs)
            assert (offering.roll_back(), answering.roll_back()) == before
            continue
        taken = offering.take_answer(body)
        assert [(form.payload_type, form.encoding) for form in taken.formats] == [
            (form.payload_type, form.encoding) for form in answered.formats
        ]
        assert taken.flow is answered.flow.reversed
        assert taken.remote == answering.local
        assert answered.remote == offering.local


IMAGE = st.lists(st.sampled_from(("T38FaxVersion:0", "T38MaxBitRate:9600", "T38FaxFillBitRemoval")), unique=True)


@given(st.lists(st.tuples(st.none() | IMAGE, st.booleans(), st.booleans()), min_size=1, max_size=8))
def test_audio_and_fax_follow_each_other_in_any_order(rounds: list[tuple[list[str] | None, bool, bool]]) -> None:
    """What each side says of T.38 reaches the other as it is, and no media line is ever lost."""
    office, machine = a_leg(), a_leg("192.0.2.2", 30000, 30001)
    lines = 0
    for image, is_ours, is_taken in rounds:
        offering, answering = (office, machine) if is_ours else (machine, office)
        said = tuple(_attribute(text) for text in image) if image is not None else None
        body = offering.make_offer(["PCMA"]) if said is None else offering.make_image_offer(said)
        offered = answering.take_offer(body)
        assert offered.image == said
        if not is_taken:
            before = offering.settled, answering.settled
            assert (offering.roll_back(), answering.roll_back()) == before
            continue
        back = (("T38FaxVersion", "3"),)
        if said is None:
            answer, answered = answering.make_answer(["PCMA"])
        else:
            answer, answered = answering.make_image_answer(back)
        taken = offering.take_answer(answer)
        assert (taken.image, answered.image) == ((None, None) if said is None else (back, said))
        assert taken.codec == answered.codec == ("PCMA" if said is None else "T38")
        media = SessionDescription.parse(answer).media
        assert len(media) >= lines
        assert sum(line.port > 0 for line in media) == 1
        lines = len(media)


def _attribute(text: str) -> tuple[str, str | None]:
    name, colon, value = text.partition(":")
    return name, value if colon else None


FAX = b"m=image 4000 udptl t38\r\na=T38FaxVersion:0"


@given(
    st.binary()
    | st.lists(
        st.sampled_from(AUDIO.split(b"\r\n") + HEAD.split(b"\r\n") + FAX.split(b"\r\n")) | st.binary(max_size=9)
    ).map(b"\n".join)
)
def test_random_bytes_raise_nothing_but_remote_errors(body: bytes) -> None:
    leg = a_leg()
    with suppress(RemoteError):
        offered = leg.take_offer(body)
        if offered.image is not None:
            leg.make_image_answer(offered.image)
        else:
            leg.make_answer(["PCMA", "PCMU"])
    leg.roll_back()
    leg.make_offer(["PCMA", "PCMU"])
    with suppress(RemoteError):
        leg.take_answer(body)


NOISE_OFFER = (
    HEAD + b"m=audio 4000 RTP/AVP 8 13 101\r\na=rtpmap:13 CN/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
)


def test_comfort_noise_is_taken_from_who_offers_it_and_stands_before_the_digits() -> None:
    leg = a_leg()
    offered = leg.take_offer(NOISE_OFFER)
    assert (offered.codecs, offered.knows_noise, leg.peer_knows_noise) == (("PCMA",), True, True)
    body, settled = leg.make_answer(["PCMA"])
    assert "m=audio 20000 RTP/AVP 8 13 101" in lines_of(body)
    assert "a=rtpmap:13 CN/8000" in lines_of(body)
    assert settled.codecs == ("PCMA",)
    assert "m=audio 20000 RTP/AVP 0 13 101" in lines_of(leg.make_offer(["PCMU"]))


def test_comfort_noise_is_offered_only_where_it_is_asked_for_and_of_use() -> None:
    assert "m=audio 20000 RTP/AVP 8 101" in lines_of(a_leg().make_offer(["PCMA"]))
    assert "m=audio 20000 RTP/AVP 8 13 101" in lines_of(a_leg().make_offer(["PCMA"], noise=True))
    assert "m=audio 20000 RTP/AVP 18 101" in lines_of(a_leg().make_offer(["G729"], noise=True))


def test_an_answer_may_leave_comfort_noise_out() -> None:
    leg = a_leg()
    leg.make_offer(["PCMA"], noise=True)
    settled = leg.take_answer(HEAD + b"m=audio 4000 RTP/AVP 8\r\n")
    assert [form.encoding for form in settled.formats] == ["PCMA"]


def test_comfort_noise_alone_is_no_audio() -> None:
    leg = a_leg()
    leg.take_offer(HEAD + b"m=audio 4000 RTP/AVP 13 18\r\na=rtpmap:13 CN/8000\r\n")
    with pytest.raises(RemoteError):
        leg.make_answer(["PCMA"])
