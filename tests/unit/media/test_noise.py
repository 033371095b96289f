"""Comfort noise (RFC 3389): relayed where both know it, heard as noise of its level by everybody else."""

from __future__ import annotations

import asyncio
import math
import wave
from array import array
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from engine.media.gateway import LegPlan, MediaAddress, MediaLegId, PayloadFormat
from engine.media.native import NativeGateway

from .phones import PCMA, Phone, own_host, rtp
from .sound import decode, encode, level_of, tone

HOST = own_host(12)
NOISE = PayloadFormat(13, "CN", 8000)
LEVEL = 40
RMS = 32768 * 10 ** (-LEVEL / 20)
SAID = encode(tone(700, 0.02))


class Line:
    """A phone and its leg."""

    def __init__(self, gateway: NativeGateway, number: int) -> None:
        self.gateway = gateway
        self.phone = Phone(f"127.3.12.{number}")
        self.leg, self.to = MediaLegId(0), MediaAddress("", 0, 0)
        self.sequence = self.timestamp = 0

    async def begin(self, *formats: PayloadFormat) -> None:
        self.leg, self.to = await self.gateway.open_leg(HOST)
        await self.gateway.update_leg(self.leg, LegPlan(self.phone.address, formats))

    def say(self, payload: bytes = SAID, form: PayloadFormat = PCMA, after_ms: int = 20) -> None:
        self.sequence += 1
        self.timestamp += after_ms * 8
        packet = rtp(self.sequence, payload_type=form.payload_type, payload=payload, timestamp=self.timestamp)
        self.phone.send(self.to, packet)

    def falls_silent(self) -> None:
        self.say(bytes((LEVEL, 128, 128)), NOISE)


@pytest.fixture
async def lines() -> AsyncIterator[list[Line]]:
    gateway = NativeGateway(37700, 37799)
    await gateway.start()
    lines = [Line(gateway, number + 1) for number in range(3)]
    yield lines
    for line in lines:
        line.phone.close()
    await gateway.stop()


def rms(samples: Sequence[int]) -> float:
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples))


async def test_noise_passes_between_two_that_know_it(lines: list[Line]) -> None:
    one, other, _ = lines
    await one.begin(PCMA, NOISE)
    await other.begin(PCMA, PayloadFormat(98, "CN", 8000))
    await one.gateway.connect(one.leg, other.leg)
    one.say()
    one.falls_silent()
    packets = [other.phone.hear() for _ in range(2)]
    assert [packet.payload_type for packet in packets] == [8, 98]
    assert packets[1].payload == bytes((LEVEL, 128, 128))
    await asyncio.sleep(0.1)
    one.say(after_ms=100)
    again = other.phone.hear()
    assert (again.payload_type, again.sequence - packets[1].sequence & 0xFFFF) == (8, 1)


async def test_a_peer_that_knows_none_hears_it_until_somebody_speaks(lines: list[Line]) -> None:
    one, other, _ = lines
    await one.begin(PCMA, NOISE)
    await other.begin(PCMA)
    await one.gateway.connect(one.leg, other.leg)
    one.say()
    first = other.phone.hear()
    one.falls_silent()
    noise = [other.phone.hear() for _ in range(8)]
    assert {packet.payload_type for packet in noise} == {8}
    assert [packet.sequence - first.sequence & 0xFFFF for packet in noise] == list(range(1, 9))
    samples = decode(b"".join(packet.payload for packet in noise))
    assert rms(samples) == pytest.approx(RMS, rel=0.1)
    statistics = await one.gateway.query(one.leg)
    assert (statistics.is_quiet, statistics.received.lost, statistics.unexpected_payload) == (True, 0, 0)
    one.say(after_ms=160)
    while (packet := other.phone.hear()).payload != SAID:
        assert packet.payload_type == 8
    await asyncio.sleep(0.06)
    assert other.phone.hears_nothing_yet()
    statistics = await one.gateway.query(one.leg)
    assert (statistics.is_quiet, statistics.received.lost) == (False, 0)


async def test_in_a_mix_and_a_recording_silence_sounds_as_its_party_says(lines: list[Line], tmp_path: Path) -> None:
    for line in lines:
        await line.begin(PCMA, NOISE)
    gateway = lines[0].gateway
    mix = await gateway.open_mix()
    for line in lines[:2]:
        await gateway.join_mix(mix, line.leg)
    recording = await gateway.start_recording(lines[0].leg, tmp_path / "one.wav")
    for _ in range(5):
        lines[0].say()
        await asyncio.sleep(0.02)
    lines[0].falls_silent()
    await asyncio.sleep(0.2)
    while not lines[1].phone.hears_nothing_yet():
        lines[1].phone.hear()
    heard = decode(b"".join(lines[1].phone.hear().payload for _ in range(10)))
    assert rms(heard) == pytest.approx(RMS, rel=0.1)
    await gateway.stop_recording(recording)
    with wave.open(str(tmp_path / "one.wav")) as file:
        samples = array("h", file.readframes(file.getnframes()))
    assert level_of(samples[: len(samples) // 2], 700) > 500
    assert rms(samples[-1600:]) == pytest.approx(RMS, rel=0.15)


async def test_who_is_alone_in_a_mix_hears_a_line_that_lives(lines: list[Line]) -> None:
    (alone, *_) = lines
    await alone.begin(PCMA)
    await alone.gateway.join_mix(await alone.gateway.open_mix(), alone.leg)
    heard = decode(b"".join(alone.phone.hear().payload for _ in range(10)))
    assert 8 <= rms(heard) < 40
