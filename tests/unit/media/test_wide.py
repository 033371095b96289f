"""Wide-band sound: what two phones of G.722 or Opus have of each other, of a mix, of a prompt."""

from __future__ import annotations

import asyncio
import os
from array import array
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from engine.media._native import opus_version
from engine.media.gateway import Clip, LegPlan, MediaAddress, MediaLegId, PayloadFormat
from engine.media.native import NativeGateway

from .phones import EVENT, PCMA, Phone, own_host, rtp
from .sound import decode, encode, level_of, tone
from .wide import decode_g722, encode_g722, wide_level, wide_tone

HOST = own_host(11)
G722 = PayloadFormat(9, "G722", 8000)
OPUS = PayloadFormat(111, "OPUS", 48000)
OPUS_EVENT = PayloadFormat(112, "telephone-event", 48000)
HIGH = 5600
"""A tone that no telephone of 8000 samples a second knows."""
LOW = (440, 700, 1000)
needs_opus = pytest.mark.skipif(
    opus_version() is None and os.environ.get("CI") != "true", reason="libopus is missing: install libopus0"
)


class Phones:
    """Phones of a codec each, on a gateway of their own."""

    def __init__(self, gateway: NativeGateway) -> None:
        self.gateway = gateway
        self.phones: list[Phone] = []
        self.legs: list[MediaLegId] = []
        self.to: list[MediaAddress] = []

    async def add(self, *formats: PayloadFormat) -> int:
        phone = Phone(f"127.3.11.{len(self.phones) + 1}")
        leg, address = await self.gateway.open_leg(HOST)
        await self.gateway.update_leg(leg, LegPlan(phone.address, formats))
        self.phones.append(phone)
        self.legs.append(leg)
        self.to.append(address)
        return len(self.phones) - 1

    async def mix(self) -> None:
        mix = await self.gateway.open_mix()
        for leg in self.legs:
            await self.gateway.join_mix(mix, leg)

    def say(self, number: int, sequence: int, payload: bytes, form: PayloadFormat, at: int | None = None) -> None:
        packet = rtp(sequence, payload_type=form.payload_type, payload=payload, timestamp=at)
        self.phones[number].send(self.to[number], packet)

    def heard(self, number: int) -> bytes:
        """The payloads that have come."""
        payloads = b""
        while not self.phones[number].hears_nothing_yet():
            payloads += self.phones[number].hear().payload
        return payloads


@pytest.fixture
async def phones() -> AsyncIterator[Phones]:
    gateway = NativeGateway(37600, 37699)
    await gateway.start()
    phones = Phones(gateway)
    yield phones
    for phone in phones.phones:
        phone.close()
    await gateway.stop()


async def talk(phones: Phones, said: list[tuple[bytes, PayloadFormat]], ticks: int) -> list[bytes]:
    """Everybody says its octets, 160 each 20 ms; what each heard."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    heard = [b"" for _ in said]
    for tick in range(ticks):
        for number, (octets, form) in enumerate(said):
            at = tick * 160 % (len(octets) - 159)
            phones.say(number, tick + 1, octets[at : at + 160], form)
        due += 0.02
        await asyncio.sleep(max(0.0, due - loop.time()))
        for number in range(len(said)):
            heard[number] += phones.heard(number)
    return heard


async def test_three_phones_of_g722_mixed_keep_both_bands(phones: Phones) -> None:
    said = []
    for low in LOW:
        await phones.add(G722)
        high = wide_tone(HIGH, 1.2, 3000) if low == LOW[0] else [0] * 19200
        said.append((encode_g722([a + b for a, b in zip(wide_tone(low, 1.2, 5000), high, strict=True)]), G722))
    await phones.mix()
    heard = [decode_g722(each)[8000:] for each in await talk(phones, said, 55)]
    for number, samples in enumerate(heard):
        assert len(samples) > 4000
        levels = [wide_level(samples, low) for low in LOW]
        assert [level > 3500 for level in levels] == [other != number for other in range(3)], levels
    assert wide_level(heard[1], HIGH) > 1800
    assert wide_level(heard[2], HIGH) > 1800
    assert wide_level(heard[0], HIGH) < 300


async def test_a_narrow_phone_among_wide_ones_hears_and_is_heard(phones: Phones) -> None:
    await phones.add(G722)
    await phones.add(G722)
    await phones.add(PCMA)
    said = [(encode_g722(wide_tone(low, 1.2, 5000)), G722) for low in LOW[:2]]
    said.append((encode(tone(LOW[2], 1.2, 5000)), PCMA))
    await phones.mix()
    heard = await talk(phones, said, 55)
    wide = decode_g722(heard[0])[8000:]
    assert wide_level(wide, LOW[1]) > 4000
    assert wide_level(wide, LOW[2]) > 4000
    assert wide_level(wide, LOW[0]) < 300
    narrow = decode(heard[2])[4000:]
    assert level_of(narrow, LOW[0]) > 4000
    assert level_of(narrow, LOW[1]) > 4000
    assert level_of(narrow, LOW[2]) < 300


async def test_a_single_wide_phone_leaves_a_mix_narrow_and_whole(phones: Phones) -> None:
    await phones.add(G722)
    await phones.add(PCMA)
    said = [(encode_g722(wide_tone(LOW[0], 1.2, 5000)), G722), (encode(tone(LOW[1], 1.2, 5000)), PCMA)]
    await phones.mix()
    heard = await talk(phones, said, 50)
    assert wide_level(decode_g722(heard[0])[8000:], LOW[1]) > 4000
    assert level_of(decode(heard[1])[4000:], LOW[0]) > 4000


@needs_opus
async def test_opus_and_pcma_hear_each_other_and_digits_change_their_clock(phones: Phones) -> None:
    """What the gateway makes of PCMA goes back into it as Opus."""
    opus = await phones.add(OPUS, OPUS_EVENT)
    narrow = await phones.add(PCMA, EVENT)
    await phones.gateway.connect(*phones.legs)
    said = encode(tone(LOW[0], 1.0))
    packets = []
    for tick in range(50):
        phones.say(narrow, tick + 1, said[tick * 160 : tick * 160 + 160], PCMA)
        packets.append(phones.phones[opus].hear())
    assert {packet.payload_type for packet in packets} == {111}
    assert {after.timestamp - before.timestamp & 0xFFFFFFFF for before, after in pairwise(packets)} == {960}
    back = b""
    stamps = []
    for tick, packet in enumerate(packets):
        phones.say(opus, tick + 1, packet.payload, OPUS, at=0xFFFFC000 + 960 * tick)
        heard = phones.phones[narrow].hear()
        stamps.append(heard.timestamp)
        back += heard.payload
    assert {after - before & 0xFFFFFFFF for before, after in pairwise(stamps)} == {160}
    assert level_of(decode(back)[2400:], LOW[0]) == pytest.approx(8000, rel=0.15)
    phones.say(opus, 51, bytes((5, 10)) + (4800).to_bytes(2, "big"), OPUS_EVENT, at=0xFFFFC000 + 960 * 50)
    event = phones.phones[narrow].hear()
    assert (event.payload_type, event.payload) == (101, bytes((5, 10)) + (800).to_bytes(2, "big"))
    assert event.timestamp - stamps[-1] & 0xFFFFFFFF == 160


@needs_opus
async def test_opus_and_g722_have_both_bands_of_each_other(phones: Phones) -> None:
    opus, wide = await phones.add(OPUS), await phones.add(G722)
    await phones.gateway.connect(*phones.legs)
    said = encode_g722([a + b for a, b in zip(wide_tone(700, 1, 4000), wide_tone(HIGH, 1, 4000), strict=True)])
    back = b""
    for tick in range(50):
        phones.say(wide, tick + 1, said[tick * 160 : tick * 160 + 160], G722)
        phones.say(opus, tick + 1, phones.phones[opus].hear().payload, OPUS, at=960 * tick)
        back += phones.phones[wide].hear().payload
    samples = decode_g722(back)[6000:]
    assert wide_level(samples, 700) == pytest.approx(4000, rel=0.2)
    assert wide_level(samples, HIGH) > 2000


@needs_opus
async def test_a_lost_opus_packet_is_made_of_its_successor(phones: Phones) -> None:
    opus, narrow = await phones.add(OPUS), await phones.add(PCMA)
    await phones.gateway.connect(*phones.legs)
    said = encode(tone(LOW[0], 1.0))
    for tick in range(50):
        phones.say(narrow, tick + 1, said[tick * 160 : tick * 160 + 160], PCMA)
    packets = [phones.phones[opus].hear().payload for _ in range(50)]
    for tick, payload in enumerate(packets):
        if tick % 10 != 5:
            phones.say(opus, tick + 1, payload, OPUS, at=960 * tick)
    phones.say(opus, 47, packets[46], OPUS, at=960 * 46)  # late, and known
    heard = [phones.phones[narrow].hear() for _ in range(50)]
    first = heard[0].sequence
    assert [packet.sequence - first & 0xFFFF for packet in heard] == list(range(50))
    assert {len(packet.payload) for packet in heard} == {160}
    samples = decode(b"".join(packet.payload for packet in heard))[2400:]
    assert level_of(samples, LOW[0]) == pytest.approx(8000, rel=0.2)
    assert phones.phones[narrow].hears_nothing_yet()


@needs_opus
async def test_a_prompt_is_heard_in_opus_and_what_is_said_is_mixed(phones: Phones) -> None:
    """A clip to a phone of Opus, said back into a mix with one of PCMA."""
    opus, narrow = await phones.add(OPUS), await phones.add(PCMA)
    await phones.gateway.play(phones.legs[opus], Clip("tone", array("h", tone(LOW[1], 1.0)).tobytes()))
    packets = [phones.phones[opus].hear() for _ in range(50)]
    assert {after.timestamp - before.timestamp & 0xFFFFFFFF for before, after in pairwise(packets)} == {960}
    await phones.mix()
    loop = asyncio.get_running_loop()
    due, heard = loop.time(), b""
    for tick, packet in enumerate(packets):
        phones.say(opus, tick + 1, packet.payload, OPUS, at=960 * tick)
        due += 0.02
        await asyncio.sleep(max(0.0, due - loop.time()))
        heard += phones.heard(narrow)
    assert level_of(decode(heard)[3200:], LOW[1]) > 5000
