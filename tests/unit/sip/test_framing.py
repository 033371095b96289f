"""Messages out of a stream: wherever it is cut, whatever stands between them, and what ends it."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.sip.framing import MAX_HEAD_BYTES, Framed, Ping, StreamFramer
from engine.sip.message import MAX_MESSAGE_BYTES

FOLDER = Path(__file__).parents[2] / "data" / "torture" / "rfc4475"

OPTIONS = b"OPTIONS sip:office SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n"
INVITE = b"INVITE sip:101@office SIP/2.0\r\nCall-ID: 2\r\nl: 4\r\n\r\nv=0\n"


def framed(*parts: bytes) -> list[Framed | Ping]:
    """What comes out when ``parts`` arrive one after the other."""
    framer, items = StreamFramer(), []
    for part in parts:
        framer.feed(part)
        while (item := framer.take()) is not None:
            items.append(item)
    return items


def refusal(data: bytes) -> tuple[int, str]:
    """Why the stream ends with ``data``."""
    (item,) = framed(data)
    assert isinstance(item, Framed)
    assert item.refusal is not None
    return item.refusal


@given(st.lists(st.sampled_from((OPTIONS, INVITE)), max_size=5), st.integers(1, 40))
def test_messages_come_out_whole_however_the_stream_is_cut(messages: list[bytes], size: int) -> None:
    stream = b"".join(messages)
    parts = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert framed(*parts) == [Framed(message) for message in messages]


@pytest.mark.parametrize("spelled", [b"l:4", b"L : 4", b"content-length:\r\n 4", b"Content-Length: 4\r\nl: 4"])
def test_the_length_is_found_however_it_is_written(spelled: bytes) -> None:
    message = b"INFO sip:a SIP/2.0\r\n" + spelled + b"\r\n\r\nbody"
    assert framed(message + OPTIONS) == [Framed(message), Framed(OPTIONS)]


def test_a_length_inside_a_folded_line_or_the_body_is_none() -> None:
    message = b"INFO sip:a SIP/2.0\r\nSubject: x\r\n l: 99\r\nl: 13\r\n\r\n\r\nl: 7\r\n\r\nabc"
    assert framed(message) == [Framed(message)]


def test_a_double_line_end_is_a_ping_and_a_single_one_is_nothing() -> None:
    assert framed(b"\r\n" + OPTIONS + b"\r\n\r\n" + OPTIONS) == [Framed(OPTIONS), Ping(), Framed(OPTIONS)]
    assert framed(b"\r\n") == []
    assert framed(b"\r", b"\n", b"\r", b"\n") == [Ping()]
    assert framed(b"\r\n\r\n\r\n\r\n") == [Ping(), Ping()]
    assert framed(b"\r\n\r\n\r\n" + OPTIONS) == [Ping(), Framed(OPTIONS)]


def test_line_ends_alone_begin_no_message() -> None:
    framer = StreamFramer()
    framer.feed(b"\r\n")
    assert framer.take() is None
    assert not framer.is_amid_message
    framer.feed(b"O")
    assert framer.take() is None
    assert framer.is_amid_message


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (b"", "Missing Content-Length"),
        (b"Content-Length: -999\r\n", "Bad Content-Length"),
        (b"Content-Length: 0x10\r\n", "Bad Content-Length"),
        (b"Content-Length: 1 2\r\n", "Bad Content-Length"),
        (b"Content-Length:\r\n", "Bad Content-Length"),
        (b"Content-Length: 4\r\nl: 5\r\n", "Bad Content-Length"),
        (b"Content-Length: 1234567890\r\n", "Bad Content-Length"),
    ],
)
def test_a_message_without_a_clear_length_ends_the_stream(fields: bytes, reason: str) -> None:
    head = b"INVITE sip:101@office SIP/2.0\r\nCall-ID: 2\r\n" + fields + b"\r\n"
    framer = StreamFramer()
    framer.feed(head + b"v=0\r\n" + OPTIONS)
    assert framer.take() == Framed(head, (400, reason))
    framer.feed(OPTIONS)
    assert framer.take() is None


@pytest.mark.parametrize("name", ["ncl.dat", "mcl01.dat"])
def test_torture_messages_with_a_bad_length_end_the_stream(name: str) -> None:
    assert refusal((FOLDER / name).read_bytes()) == (400, "Bad Content-Length")


def test_a_message_shorter_than_its_length_is_waited_for() -> None:
    framer = StreamFramer()
    framer.feed((FOLDER / "clerr.dat").read_bytes())
    assert framer.take() is None
    assert framer.is_amid_message


def test_what_is_too_large_is_refused_before_it_has_arrived() -> None:
    large = b"INVITE sip:a SIP/2.0\r\nContent-Length: %d\r\n\r\n" % MAX_MESSAGE_BYTES
    assert refusal(large) == (513, "Message Too Large")
    assert refusal(b"INVITE sip:a SIP/2.0\r\nSubject: " + b"x" * MAX_HEAD_BYTES) == (513, "Header Too Large")


@pytest.mark.parametrize("data", [b"\x16\x03\x01\x02\x00\x01", b"\0\0", b" OPTIONS", b"\n", b"\rX", b"{}"])
def test_what_can_be_no_message_ends_the_stream_at_its_first_byte(data: bytes) -> None:
    assert refusal(data) == (400, "No SIP Message")


def test_no_bytes_break_the_framer() -> None:
    random = Random(4475)
    pieces = (b"\r\n", b"l:", b"Content-Length: ", b"3", b" ", b"INVITE", b"\xff", OPTIONS, INVITE, b"\r\n\r\n")
    for _ in range(2000):
        stream = b"".join(random.choice(pieces) for _ in range(random.randrange(12)))
        cut = random.randrange(len(stream) + 1)
        whole, parts = framed(stream), framed(stream[:cut], stream[cut:])
        assert [item for item in whole if item != Ping()][:1] == [item for item in parts if item != Ping()][:1] or (
            isinstance(whole[-1], Framed) and whole[-1].refusal is not None
        )
