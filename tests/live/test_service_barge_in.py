"""Operator barge-in with real phones: who may not hears why, and nobody else anything; who may is heard by both."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.live import audio, spoken
from tests.live.baresip import Baresip
from tests.live.conftest import Phones
from tests.live.office import Office
from tests.live.phone import connect
from tests.live.rtp import assert_relayed_whole, captured
from tests.live.scene import TALK_S, assert_hears, heard_ms, hears_itself, people, shown, silent, states

ANNA, BEN, CARL, BOSS = "201", "202", "203", "204"
BEEP = 1000


@pytest.fixture(scope="module", autouse=True)
def staff(office: Office) -> None:
    for number in (ANNA, BEN):
        office.extension(number)
    office.extension(CARL, "--right", "barge-in")
    office.extension(BOSS, "--right", "overstep")


async def is_refused(carl: Baresip, number: str, why: str) -> None:
    """The operator hears why it cannot, and is hung up on."""
    await carl.dial(f"*75*{number}")
    await carl.talks()
    await carl.ended(10)
    spoken.assert_said(carl.heard, why)


def loudest_beep(recording: Path) -> float:
    """The beep's share of the energy where it is loudest: none of the phones says this tone."""
    samples, rate = audio.read_wav(recording)
    size = rate // 10
    return max(audio.tone_share(samples[at : at + size], rate, BEEP) for at in range(0, len(samples) - size, size))


@pytest.mark.parametrize(
    ("caller", "callee", "operator", "target", "why"),
    [
        (BEN, BOSS, CARL, BOSS, "barge-protected"),
        (BOSS, BEN, CARL, BEN, "barge-protected"),
        (BEN, CARL, ANNA, BEN, "no-right"),
    ],
    ids=["overstep of the dialled one", "overstep of the caller", "no right"],
)
async def test_who_may_not_hears_why_and_the_talkers_lose_no_packet(
    office: Office, phones: Phones, tmp_path: Path, caller: str, callee: str, operator: str, target: str, why: str
) -> None:
    one, other, third = await people(office, phones, caller, callee, operator)
    await connect(one, other)
    await asyncio.sleep(TALK_S)
    async with captured(office, tmp_path / "wire.pcap") as wire:
        await asyncio.sleep(TALK_S)
        await is_refused(third, target, why)
        await asyncio.sleep(TALK_S)
        assert states(office) == ["talking"]
    await one.hang_up()
    await other.ended()
    said, heard = wire.received_by(office.host), wire.sent_by(office.host)
    talkers = [phone for phone, packets in heard.items() if len(packets) > 50 * 3 * TALK_S]
    assert len(talkers) == 2, {phone: len(packets) for phone, packets in heard.items()}
    for place, opposite in zip(talkers, reversed(talkers), strict=True):
        assert_relayed_whole(said[opposite], heard[place])
    for phone in (one, other):
        spoken.assert_not_said(phone.heard, why)
    audio.assert_heard(one.heard, other.tone, 3000)
    audio.assert_heard(other.heard, one.tone, 3000)


@pytest.mark.parametrize("protects", ["either", "dialled"])
async def test_the_site_says_whom_overstep_protects(office: Office, phones: Phones, protects: str) -> None:
    boss, ben, carl = await people(office, phones, BOSS, BEN, CARL)
    office.cli("param", "set", "overstep_protects", protects)
    await connect(boss, ben)
    try:
        if protects == "either":
            await is_refused(carl, BEN, "barge-protected")
        else:
            await carl.dial(f"*75*{BEN}")
            await carl.talks()
            await shown(office, "conference")
    finally:
        office.cli("param", "set", "overstep_protects", "either")


@pytest.mark.parametrize("leaver", [0, 1, 2], ids=["the caller", "the callee", "the operator"])
async def test_all_hear_a_tone_then_each_other_and_whoever_leaves_the_others_go_on(
    office: Office, phones: Phones, leaver: int
) -> None:
    three = await people(office, phones, ANNA, BEN, CARL)
    anna, ben, carl = three
    await connect(anna, ben)
    await asyncio.sleep(TALK_S)
    await carl.dial(f"*75*{BEN}")
    await carl.talks()
    await shown(office, "conference")
    await asyncio.sleep(TALK_S)
    gone = three.pop(leaver)
    await gone.hang_up()
    await shown(office, "talking")
    await asyncio.sleep(TALK_S)
    await three[0].hang_up()
    await silent(office)
    for phone in (anna, ben, carl):
        assert_hears(phone.heard, *({anna.tone, ben.tone, carl.tone} - {phone.tone}))
        assert not hears_itself(phone)
        assert loudest_beep(phone.heard) > 0.1  # over the voices, which go on
    one, other = three
    assert heard_ms(one.heard, other.tone) > heard_ms(gone.heard, other.tone)
    assert heard_ms(other.heard, one.tone) > heard_ms(gone.heard, one.tone)


async def test_the_tone_can_be_turned_off(office: Office, phones: Phones) -> None:
    anna, ben, carl = await people(office, phones, ANNA, BEN, CARL)
    office.cli("param", "set", "barge_in_tone", "0")
    try:
        await connect(anna, ben)
        await carl.dial(f"*75*{ANNA}")
        await carl.talks()
        await shown(office, "conference")
        await asyncio.sleep(TALK_S)
        await anna.hang_up()
        await shown(office, "talking")
        await carl.hang_up()
        await silent(office)
    finally:
        office.cli("param", "set", "barge_in_tone", "1")
    for phone in (anna, ben, carl):
        assert heard_ms(phone.heard, BEEP) == 0


async def test_only_a_call_of_two_that_talk_is_broken_into(office: Office, phones: Phones) -> None:
    """Nobody talks, it rings, it is held, it is a call of three already, it is a service's."""
    anna, ben, carl = await people(office, phones, ANNA, BEN, CARL)
    await is_refused(carl, BEN, "barge-not-talking")
    await anna.dial(BEN)
    await ben.rings()
    await is_refused(carl, BEN, "barge-not-talking")
    await ben.accept()
    await anna.talks()
    await anna.hold()
    await shown(office, "held")
    await is_refused(carl, BEN, "barge-not-talking")
    await anna.resume()
    await shown(office, "talking")
    await anna.hang_up()
    await silent(office)
    await anna.dial("*43")
    await anna.talks()
    await is_refused(carl, ANNA, "barge-not-talking")
    await anna.hang_up()
    await silent(office)


async def test_a_call_of_three_is_not_broken_into(office: Office, phones: Phones) -> None:
    office.extension("205", "--right", "barge-in")
    anna, ben, carl, dora = await people(office, phones, ANNA, BEN, CARL, "205")
    await connect(anna, ben)
    await carl.dial(f"*75*{BEN}")
    await carl.talks()
    await shown(office, "conference")
    await is_refused(dora, BEN, "barge-not-talking")
    assert states(office) == ["conference"]
    for phone in (anna, ben):
        await phone.hang_up()
    await silent(office)
