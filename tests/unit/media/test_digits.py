"""Digits: events (RFC 4733) heard once whatever the line does to them, tones heard in audio, both sent."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from random import Random

import pytest

from engine.media.gateway import LegPlan, MediaAddress, MediaLegId
from engine.media.native import NativeGateway

from .phones import EVENT, PCMA, PCMU, Phone, Rtp, own_host, rtp, until
from .sound import decode, encode, level_of, together, tone

HOST = own_host(7)
DIGITS = "0123456789*#ABCD"
TONES = {
    digit: (row, column)
    for row, digits in ((697, "123A"), (770, "456B"), (852, "789C"), (941, "*0#D"))
    for column, digit in zip((1209, 1336, 1477, 1633), digits, strict=True)
}


class Line:
    """A phone, its leg, and the digits that the gateway reports."""

    def __init__(self, gateway: NativeGateway, phone: Phone) -> None:
        self.gateway, self.phone = gateway, phone
        self.leg, self.to = MediaLegId(0), MediaAddress("", 0, 0)
        self.heard: list[str] = []
        self.sequence = 0
        gateway.on_digit = lambda leg, digit: self.heard.append(digit)

    async def begin(self, *formats: object) -> None:
        self.leg, self.to = await self.gateway.open_leg(HOST)
        await self.gateway.update_leg(self.leg, LegPlan(self.phone.address, formats or (PCMA, EVENT)))  # type: ignore[arg-type]

    def send(self, payload: bytes, timestamp: int, payload_type: int = 101, marker: bool = False) -> None:
        self.sequence += 1
        packet = bytearray(rtp(self.sequence, payload_type=payload_type, timestamp=timestamp, payload=payload))
        packet[1] |= marker << 7
        self.phone.send(self.to, bytes(packet))

    def press(
        self, digit: str, timestamp: int, packets: int = 5, ends: int = 3, lost: frozenset[int] = frozenset()
    ) -> None:
        """The packets of one press, those left out that ``lost`` numbers."""
        for index in range(packets + ends):
            duration = min(index + 1, packets) * 160
            payload = struct.pack(">BBH", DIGITS.index(digit), (index >= packets) << 7 | 10, duration)
            if index not in lost:
                self.send(payload, timestamp, marker=index == 0)
            else:
                self.sequence += 1

    async def hears(self, digits: str) -> None:
        async def have_come() -> bool:
            return len(self.heard) >= len(digits)

        await until(have_come)
        assert "".join(self.heard) == digits


@pytest.fixture
async def gateway() -> AsyncIterator[NativeGateway]:
    gateway = NativeGateway(37000, 37099)
    await gateway.start()
    yield gateway
    await gateway.stop()


@pytest.fixture
async def line(gateway: NativeGateway) -> AsyncIterator[Line]:
    phone = Phone("127.3.7.1")
    line = Line(gateway, phone)
    await line.begin()
    await gateway.listen_digits(line.leg)
    yield line
    phone.close()


async def test_each_event_is_one_digit(line: Line) -> None:
    for index, digit in enumerate(DIGITS):
        line.press(digit, 2000 * index)
    await line.hears(DIGITS)


async def test_the_same_digit_twice_is_two(line: Line) -> None:
    line.press("5", 1000)
    line.press("5", 3000)
    await line.hears("55")


@pytest.mark.parametrize("lost", [{0}, {0, 1, 2, 3, 4}, {5, 6, 7}, {1, 2, 3, 4, 5, 6}, {0, 1, 2, 3, 4, 5, 6}])
async def test_whatever_is_lost_one_packet_is_enough(line: Line, lost: set[int]) -> None:
    line.press("7", 1000, lost=frozenset(lost))
    line.press("8", 3000)
    await line.hears("78")


async def test_late_news_of_an_earlier_event_are_none(line: Line) -> None:
    line.press("1", 1000)
    line.press("2", 3000)
    line.send(struct.pack(">BBH", 1, 0x8A, 800), 1000)
    line.press("3", 5000)
    await line.hears("123")


async def test_a_press_of_many_seconds_is_one_digit(line: Line) -> None:
    """Its duration is told in segments of at most 65535 units (RFC 4733 section 2.5.1.3)."""
    event = DIGITS.index("#")
    for segment in range(2):
        start = 1000 + segment * 0xFFFF
        for duration in (160, 30000, 0xFFFF):
            line.send(struct.pack(">BBH", event, 10, duration), start, marker=not segment and duration == 160)
    line.send(struct.pack(">BBH", event, 0x8A, 400), 1000 + 2 * 0xFFFF)
    line.press("1", 300000)
    await line.hears("#1")


async def test_another_source_begins_anew(line: Line) -> None:
    line.press("1", 90000)
    for sequence in (500, 501):
        line.phone.send(
            line.to, rtp(sequence, payload_type=101, ssrc=7, timestamp=100, payload=struct.pack(">BBH", 2, 10, 160))
        )
    await line.hears("12")


async def test_events_that_are_no_digits_and_broken_ones_are_left_alone(line: Line) -> None:
    for payload in (struct.pack(">BBH", 36, 10, 160), b"\x01", b"", struct.pack(">BBH", 255, 0xFF, 0xFFFF)):
        line.send(payload, 1000)
    line.press("9", 3000)
    await line.hears("9")


async def test_nothing_is_told_of_legs_that_are_not_listened_to(line: Line) -> None:
    await line.gateway.stop_listening(line.leg)
    line.press("1", 1000)

    async def is_taken() -> bool:
        return (await line.gateway.query(line.leg)).received.packets == 8

    await until(is_taken)
    await line.gateway.listen_digits(line.leg)
    line.press("2", 3000)
    await line.hears("2")


# -- tones ------------------------------------------------------------------------------------------------------


def in_band(digit: str, seconds: float, level: float = 4500.0) -> list[int]:
    low, high = TONES[digit]
    return together(tone(low, seconds, level), tone(high, seconds, level))


async def speak(line: Line, samples: list[int], encoding: str = "PCMA") -> None:
    """Send audio at its pace."""
    octets = encode(samples, encoding)
    kind = {"PCMA": 8, "PCMU": 0}[encoding]
    loop = asyncio.get_running_loop()
    due = loop.time()
    for at in range(0, len(octets) - 159, 160):
        line.sequence += 1
        line.phone.send(line.to, rtp(line.sequence, payload_type=kind, payload=octets[at : at + 160]))
        due += 0.02
        await asyncio.sleep(max(0.0, due - loop.time()))


async def test_digits_are_heard_as_tones(line: Line) -> None:
    await line.gateway.listen_digits(line.leg, in_band=True)
    silence = [0] * 480
    samples = [sample for digit in DIGITS for sample in (*in_band(digit, 0.08), *silence)]
    await speak(line, [*silence, *samples, *silence, *silence])
    await line.hears(DIGITS)


async def test_noise_and_single_tones_are_no_digits(line: Line) -> None:
    await line.gateway.listen_digits(line.leg, in_band=True)
    dice = Random(4)
    noise = [round(dice.gauss(0, 4000)) for _ in range(8000)]
    await speak(line, [*noise, *tone(697, 0.3), *tone(1209, 0.3), *tone(440, 0.3), *[0] * 800])
    await speak(line, [*in_band("5", 0.02), *[0] * 800, *in_band("6", 0.1), *[0] * 800])
    await line.hears("6")


async def test_the_tones_of_a_peer_that_sends_events_are_no_second_presses(line: Line) -> None:
    """Phones let a little of the tone into the audio before they send the event."""
    await line.gateway.listen_digits(line.leg, in_band=True)
    await speak(line, [0] * 1600)
    line.press("5", 2000)
    await speak(line, [*in_band("5", 0.1), *[0] * 1600])
    line.press("6", 8000)
    await line.hears("56")


# -- sending ----------------------------------------------------------------------------------------------------


def events_of(packets: list[Rtp]) -> list[tuple[int, bool, int]]:
    """Event, end bit and duration of each packet."""
    read = [struct.unpack(">BBH", packet.payload) for packet in packets]
    return [(event, bool(flags & 0x80), duration) for event, flags, duration in read]


async def test_events_are_sent_with_three_ends(line: Line) -> None:
    await line.gateway.send_digits(line.leg, "4#", tone_ms=100, gap_ms=40)
    packets = [line.phone.hear() for _ in range(16)]
    first, second = packets[:8], packets[8:]
    assert events_of(first) == [(4, False, 160 * n) for n in range(1, 6)] + [(4, True, 800)] * 3
    assert {event for event, _, _ in events_of(second)} == {11}
    assert [packet.marker for packet in first] == [True] + [False] * 7
    assert second[0].marker
    assert {packet.payload_type for packet in packets} == {101}
    assert len({packet.timestamp for packet in first}) == 1
    assert (second[0].timestamp - first[0].timestamp) & 0xFFFFFFFF >= 800 + 160
    numbers = [packet.sequence for packet in packets]
    assert [(number - numbers[0]) & 0xFFFF for number in numbers] == [*range(16)]


async def test_what_is_relayed_goes_on_after_the_digit(line: Line) -> None:
    other = Phone("127.3.7.2")
    try:
        leg, to = await line.gateway.open_leg(HOST)
        await line.gateway.update_leg(leg, LegPlan(other.address, (PCMA, EVENT)))
        await line.gateway.connect(line.leg, leg)
        other.send(to, rtp(1))
        before = line.phone.hear()
        await line.gateway.send_digits(line.leg, "1", tone_ms=40, gap_ms=40)
        digit = [line.phone.hear() for _ in range(5)]
        other.send(to, rtp(20))
        after = line.phone.hear()
    finally:
        other.close()
    assert after.payload_type == 8
    assert (after.sequence - before.sequence) & 0xFFFF == 6
    assert (after.timestamp - digit[-1].timestamp) & 0xFFFFFFFF >= 320
    assert after.ssrc == before.ssrc


@pytest.mark.parametrize("form", [PCMA, PCMU])
async def test_a_peer_without_events_gets_tones(gateway: NativeGateway, form: object) -> None:
    phone = Phone("127.3.7.3")
    line = Line(gateway, phone)
    try:
        await line.begin(form)
        await gateway.send_digits(line.leg, "0", tone_ms=100, gap_ms=40)
        packets = [phone.hear() for _ in range(5)]
    finally:
        phone.close()
    samples = [sample for packet in packets for sample in decode(packet.payload, form.encoding)]  # type: ignore[attr-defined]
    low, high = TONES["0"]
    assert level_of(samples, low) == pytest.approx(4500, rel=0.1)
    assert level_of(samples, high) == pytest.approx(4500, rel=0.1)
    assert level_of(samples, 697) < 300


@pytest.mark.parametrize("digits", ["1" * 33, "12345678901234567890123456789012345"])
async def test_too_many_digits_are_refused(line: Line, digits: str) -> None:
    with pytest.raises(ValueError, match="at most 32 digits"):
        await line.gateway.send_digits(line.leg, digits)
    with pytest.raises(ValueError, match="ms"):
        await line.gateway.send_digits(line.leg, "1", tone_ms=0)
