"""What a phone on bad wireless says is RTP all the same."""

from __future__ import annotations

import struct
from array import array

import pytest

from engine.phones.voices import voice
from engine.phones.wireless import PACKET_SAMPLES, Stream, mu_law


@pytest.mark.parametrize(
    ("sample", "code"), [(0, 0xFF), (-1, 0x7F), (32767, 0x80), (-32768, 0x00), (1000, 0xCE), (-1000, 0x4E)]
)
def test_mu_law_is_that_of_g711(sample: int, code: int) -> None:
    assert mu_law(array("h", [sample]).tobytes()) == bytes([code])


def test_packets_count_on_and_the_clip_begins_again() -> None:
    stream = Stream(0x1234, 0, bytes(range(256)) * 2, sequence=0xFFFE, timestamp=0xFFFFFFFF - 159)
    packets = [stream.next_packet() for _ in range(4)]
    heads = [struct.unpack("!BBHII", packet[:12]) for packet in packets]
    assert [head[2] for head in heads] == [0xFFFE, 0xFFFF, 0, 1]
    assert [head[3] for head in heads] == [0xFFFFFF60, 0, 160, 320]
    assert {(head[0], head[1], head[4]) for head in heads} == {(0x80, 0, 0x1234)}
    assert all(len(packet) == 12 + PACKET_SAMPLES for packet in packets)
    assert packets[3][12:] == packets[0][12:]


def test_voices_are_the_same_for_the_same_person_and_never_too_loud() -> None:
    one, again, other = voice(1), voice(1), voice(2)
    assert one == again != other
    assert 1000 < max(map(abs, array("h", one.samples))) < 10_000
