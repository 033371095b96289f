"""Mixing: everybody hears the others and never itself, or exactly whom it may hear; loss is smoothed."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import AsyncIterator
from random import Random

import pytest

from engine.media.gateway import Clip, LegPlan, MediaAddress, MediaLegId, PayloadFormat
from engine.media.native import NativeGateway

from .phones import PCMA, PCMU, Phone, own_host, rtp, until
from .sound import decode, encode, level_of, tone

HOST = own_host(8)
VOICES = (440, 700, 1000, 1500)


class Talker:
    """A phone that says one tone."""

    def __init__(self, gateway: NativeGateway, number: int, form: PayloadFormat = PCMA) -> None:
        self.gateway, self.form = gateway, form
        self.phone = Phone(f"127.3.8.{number + 1}")
        self.voice = VOICES[number]
        self.said = encode(tone(self.voice, 1.0), form.encoding)
        self.leg, self.to = MediaLegId(0), MediaAddress("", 0, 0)
        self.sequence = 0

    async def begin(self) -> None:
        self.leg, self.to = await self.gateway.open_leg(HOST)
        await self.gateway.update_leg(self.leg, LegPlan(self.phone.address, (self.form,)))

    def say(self, *, skip: bool = False) -> None:
        """One packet of the tone, or its loss."""
        at = self.sequence * 160 % 8000
        self.sequence += 1
        if not skip:
            kind = self.form.payload_type
            self.phone.send(self.to, rtp(self.sequence, payload_type=kind, payload=self.said[at : at + 160]))

    def heard(self) -> list[int]:
        """What has come since the last time."""
        samples: list[int] = []
        while not self.phone.hears_nothing_yet():
            packet = self.phone.hear()
            samples += decode(packet.payload, self.form.encoding)
        return samples


async def talk(talkers: list[Talker], ticks: int, loss: float = 0.0, seed: int = 1) -> dict[int, list[int]]:
    """Everybody says its tone at its pace; what each heard, by its voice."""
    dice = Random(seed)
    loop = asyncio.get_running_loop()
    due = loop.time()
    heard: dict[int, list[int]] = {talker.voice: [] for talker in talkers}
    for _ in range(ticks):
        for talker in talkers:
            talker.say(skip=dice.random() < loss)
        due += 0.02
        await asyncio.sleep(max(0.0, due - loop.time()))
        for talker in talkers:
            heard[talker.voice] += talker.heard()
    return heard


def voices_in(samples: list[int]) -> set[int]:
    """Whose tones can be made out, in the latter half of what was heard."""
    late = samples[len(samples) // 2 :]
    assert len(late) > 1600
    return {voice for voice in VOICES if level_of(late, voice) > 2000}


@pytest.fixture
async def gateway() -> AsyncIterator[NativeGateway]:
    gateway = NativeGateway(37100, 37199)
    await gateway.start()
    yield gateway
    await gateway.stop()


@pytest.fixture
async def talkers(gateway: NativeGateway) -> AsyncIterator[list[Talker]]:
    talkers = [Talker(gateway, number, PCMU if number == 1 else PCMA) for number in range(4)]
    for talker in talkers:
        await talker.begin()
    yield talkers
    for talker in talkers:
        talker.phone.close()


async def test_everybody_hears_the_others_and_not_itself(gateway: NativeGateway, talkers: list[Talker]) -> None:
    mix = await gateway.open_mix()
    for talker in talkers[:3]:
        await gateway.join_mix(mix, talker.leg)
    heard = await talk(talkers[:3], 50)
    everybody = {talker.voice for talker in talkers[:3]}
    for talker in talkers[:3]:
        assert voices_in(heard[talker.voice]) == everybody - {talker.voice}
    for voice, samples in heard.items():
        level = level_of(samples[-1600:], next(iter(everybody - {voice})))
        assert level == pytest.approx(8000, rel=0.1)


async def test_whoever_may_hear_some_alone_hears_no_others(gateway: NativeGateway, talkers: list[Talker]) -> None:
    """A whisperer is heard by one side, a listener by nobody."""
    one, other, whisperer, listener = talkers
    mix = await gateway.open_mix()
    await gateway.join_mix(mix, one.leg, hears=frozenset({other.leg, whisperer.leg}))
    await gateway.join_mix(mix, other.leg, hears=frozenset({one.leg}))
    await gateway.join_mix(mix, whisperer.leg, hears=frozenset({one.leg, other.leg}))
    await gateway.join_mix(mix, listener.leg, hears=frozenset({one.leg, other.leg}))
    heard = await talk(talkers, 50)
    assert voices_in(heard[one.voice]) == {other.voice, whisperer.voice}
    assert voices_in(heard[other.voice]) == {one.voice}
    assert voices_in(heard[whisperer.voice]) == {one.voice, other.voice}
    assert voices_in(heard[listener.voice]) == {one.voice, other.voice}


async def test_joining_and_leaving_change_who_is_heard(gateway: NativeGateway, talkers: list[Talker]) -> None:
    one, other, third, _ = talkers
    await gateway.connect(one.leg, third.leg)
    mix = await gateway.open_mix()
    for talker in (one, other, third):
        await gateway.join_mix(mix, talker.leg)
    await talk([one, other, third], 20)
    await gateway.leave_mix(other.leg)
    heard = await talk([one, other, third], 40)
    assert voices_in(heard[one.voice]) == {third.voice}
    assert len(heard[other.voice]) <= 2 * 160
    await gateway.connect(one.leg, third.leg)
    heard = await talk([one, other, third], 40)
    assert voices_in(heard[third.voice]) == {one.voice}


@pytest.mark.parametrize("is_kept", [False, True])
async def test_no_more_than_a_frame_is_lost_when_a_third_comes_and_goes(
    gateway: NativeGateway, talkers: list[Talker], is_kept: bool
) -> None:
    """Every packet of one is known by its only sample, so that what the other hears can be counted.

    ``is_kept``: a recording needs what is said, too.
    """
    one, other, third = talkers[0], talkers[2], talkers[3]
    await gateway.connect(one.leg, other.leg)
    if is_kept:
        await gateway.listen_digits(one.leg, in_band=True)
    loop, heard = asyncio.get_running_loop(), bytearray()
    due, mix = loop.time(), await gateway.open_mix()
    for number in range(60):
        if number == 20:
            for talker in (one, other, third):
                await gateway.join_mix(mix, talker.leg)
        elif number == 40:
            await gateway.leave_mix(third.leg)
            await gateway.connect(one.leg, other.leg)
            await gateway.close_mix(mix)
        said = rtp(number + 1, payload_type=PCMA.payload_type, timestamp=160 * number, payload=_KNOWN[number] * 160)
        one.phone.send(one.to, said)
        due += 0.02
        await asyncio.sleep(max(0.0, due - loop.time()))
        while not other.phone.hears_nothing_yet():
            packet = other.phone.hear()
            heard += packet.payload[80:81]
    came = [place for place in range(60) if _KNOWN[place] in heard]
    assert came[0] == 0
    lost = set(range(came[-1])) - set(came)
    assert len(lost & set(range(15, 35))) <= 1
    assert len(lost & set(range(35, 58))) <= 1
    order = [heard.index(_KNOWN[place]) for place in came]
    assert order == sorted(order)


_KNOWN = [bytes([0xD5 ^ (0x30 + number)]) for number in range(60)]
"""A-law octets that are loud enough to be told from noise, each of them once."""


async def test_who_was_not_to_be_heard_stays_unheard_when_the_mix_ends(
    gateway: NativeGateway, talkers: list[Talker]
) -> None:
    """An operator that listened takes over: what waits of it from before is not said to the other."""
    one, listener = talkers[0], talkers[2]
    mix = await gateway.open_mix()
    await gateway.join_mix(mix, one.leg, hears=frozenset())
    await gateway.join_mix(mix, listener.leg, hears=frozenset({one.leg}))
    await talk([one, listener], 20)
    for _ in range(5):
        listener.say()  # waits in the ear

    async def has_come() -> bool:
        return (await gateway.query(listener.leg)).received.packets == 25

    await until(has_come)  # what comes after the connection may be heard
    await gateway.connect(one.leg, listener.leg)
    await asyncio.sleep(0.1)
    assert max(map(abs, one.heard()), default=0) < 500


async def test_a_clip_is_heard_over_the_mix_and_nobody_is_missed_meanwhile(
    gateway: NativeGateway, talkers: list[Talker]
) -> None:
    one, other = talkers[:2]
    mix = await gateway.open_mix()
    for talker in (one, other):
        await gateway.join_mix(mix, talker.leg)
    await talk([one, other], 10)
    ended: list[MediaLegId] = []
    gateway.on_played = ended.append
    await gateway.play(one.leg, Clip("beep", array("h", tone(1500, 0.3)).tobytes()))
    heard = await talk([one, other], 12)
    assert level_of(heard[one.voice][480:], 1500) > 6000
    assert level_of(heard[one.voice][480:], other.voice) > 6000
    heard = await talk([one, other], 40)
    assert ended == [one.leg]
    assert level_of(heard[one.voice][480:], 1500) < 500
    assert voices_in(heard[one.voice]) == {other.voice}


async def test_loss_is_smoothed(gateway: NativeGateway, talkers: list[Talker]) -> None:
    """One packet in twenty is missing: no gap is heard, only a softer moment."""
    one, other = talkers[:2]
    mix = await gateway.open_mix()
    for talker in (one, other):
        await gateway.join_mix(mix, talker.leg)
    heard = (await talk([one, other], 100, loss=0.05))[other.voice][1600:]
    pieces = [heard[at : at + 160] for at in range(0, len(heard) - 159, 160)]
    silent = [piece for piece in pieces if max(map(abs, piece)) < 500]
    assert len(pieces) > 70
    assert len(silent) <= 1


async def test_a_closed_leg_leaves_and_a_closed_mix_lets_go(gateway: NativeGateway, talkers: list[Talker]) -> None:
    one, other, third, _ = talkers
    mix = await gateway.open_mix()
    for talker in (one, other, third):
        await gateway.join_mix(mix, talker.leg)
    await gateway.close_leg(third.leg)
    heard = await talk([one, other], 40)
    assert voices_in(heard[one.voice]) == {other.voice}
    await gateway.close_mix(mix)
    heard = await talk([one, other], 20)
    assert len(heard[one.voice]) <= 2 * 160
    with pytest.raises(KeyError):
        await gateway.join_mix(mix, one.leg)
