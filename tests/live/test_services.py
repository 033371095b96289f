"""Services with real phones: groups, parking, conferences, barge-in and voicemail, by what is heard."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.live import audio
from tests.live.baresip import Baresip
from tests.live.conftest import Phones
from tests.live.office import Office

TALK_S = 1.5
SHARE = 0.15
"""Of a piece's energy: two tones that are mixed have half each."""


async def shown(office: Office, state: str) -> None:
    """Wait until a call is in this state."""
    async with asyncio.timeout(5):
        while state not in [call["state"] for call in office.json("calls")]:
            await asyncio.sleep(0.05)


async def silent(office: Office) -> None:
    """Wait until no call is left."""
    async with asyncio.timeout(5):
        while office.json("calls"):
            await asyncio.sleep(0.05)


def assert_hears(path: Path, *tones: int, at_least_ms: int = 500) -> None:
    """Each of these tones is heard in a recording, at one time or one after the other."""
    samples, rate = audio.read_wav(path)
    size = rate // 10
    pieces = [samples[at : at + size] for at in range(0, len(samples) - size + 1, size)]
    for tone in tones:
        heard = sum(
            audio.level(piece) > audio.SILENCE_RMS and audio.tone_share(piece, rate, tone) > SHARE
            for piece in pieces
        )
        assert heard * 100 >= at_least_ms, f"{tone} Hz is heard for {heard * 100} ms in {path}"


def own_tone(phone: Baresip) -> bool:
    """Whether a phone hears what it says itself."""
    return audio.heard_ms(phone.heard, phone.tone) > 0


async def three(office: Office, phones: Phones, *numbers: str) -> list[Baresip]:
    for number in numbers:
        office.extension(number)
    made = [await phones.baresip(office.account(number)) for number in numbers]
    for phone in made:
        await phone.registered()
    return made


async def test_a_ring_group_rings_all_and_the_first_has_the_call(office: Office, phones: Phones) -> None:
    anna, ben, carl = await three(office, phones, "301", "302", "303")
    office.run("group", "add", "390", "--kind", "ring", "--member", "302", "--member", "303")
    await anna.dial("390")
    await ben.rings()
    await carl.rings()
    await carl.accept()
    await anna.talks()
    await ben.ended()
    await asyncio.sleep(TALK_S)
    await anna.hang_up()
    await carl.ended()
    assert_hears(anna.heard, carl.tone)
    assert_hears(carl.heard, anna.tone)


async def test_three_in_a_conference_hear_the_other_two(office: Office, phones: Phones) -> None:
    people = await three(office, phones, "311", "312", "313")
    for phone in people:
        await phone.dial("*6*77")
        await phone.talks()
    await shown(office, "conference")
    await asyncio.sleep(2 * TALK_S)
    for phone in people:
        await phone.hang_up()
    await silent(office)
    for phone in people:
        assert_hears(phone.heard, *(other.tone for other in people if other is not phone))
        assert not own_tone(phone)


async def test_an_operator_breaks_in_and_who_is_protected_is_not_heard(office: Office, phones: Phones) -> None:
    anna, ben, carl = await three(office, phones, "321", "322", "323")
    office.run("extension", "set", "323", "--right", "barge-in")
    await anna.dial("322")
    await ben.rings()
    await ben.accept()
    await anna.talks()
    await carl.dial("*75*322")
    await carl.talks()
    await shown(office, "conference")
    await asyncio.sleep(TALK_S)
    await anna.hang_up()
    await shown(office, "talking")
    await asyncio.sleep(TALK_S)
    await carl.hang_up()
    await silent(office)
    assert_hears(carl.heard, anna.tone, ben.tone)
    assert_hears(ben.heard, carl.tone, anna.tone)
    assert_hears(anna.heard, carl.tone, ben.tone)
    for phone in (anna, ben, carl):
        assert not own_tone(phone)


async def test_a_message_is_left_and_heard_by_its_owner_after_keys(office: Office, phones: Phones) -> None:
    anna, ben = (await three(office, phones, "331", "332"))[:2]
    await anna.dial("*98*332")
    await anna.talks()
    box = office.state / "voicemail" / "332"
    async with asyncio.timeout(12):
        while not [*box.glob("new-*")]:
            await asyncio.sleep(0.1)
    await asyncio.sleep(2)
    await anna.digits("#")
    await anna.ended(8)
    (file,) = box.iterdir()
    audio.assert_heard(file, anna.tone)
    await ben.dial("*97")
    await ben.talks()
    async with asyncio.timeout(12):
        while not [*box.glob("old-*")]:
            await asyncio.sleep(0.1)
    await ben.digits("3")
    async with asyncio.timeout(5):
        while [*box.iterdir()]:
            await asyncio.sleep(0.1)
    await ben.hang_up()
    await silent(office)
    assert_hears(ben.heard, anna.tone)


async def test_a_parked_call_is_retrieved(office: Office, phones: Phones) -> None:
    anna, ben, carl = await three(office, phones, "341", "342", "343")
    await anna.dial("342")
    await ben.rings()
    await ben.accept()
    await anna.talks()
    await ben.command("transfer", "*70*7")
    await shown(office, "parked")
    await carl.dial("*71*7")
    await carl.talks()
    await shown(office, "talking")
    await asyncio.sleep(TALK_S)
    await carl.hang_up()
    await silent(office)
    assert_hears(anna.heard, carl.tone)
    assert_hears(carl.heard, anna.tone)
