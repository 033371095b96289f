"""Services with real phones: groups, parking, conferences, barge-in and voicemail, by what is heard."""

from __future__ import annotations

import asyncio

from tests.live import audio
from tests.live.conftest import Phones
from tests.live.office import Office
from tests.live.scene import TALK_S, assert_hears, hears_itself, people, shown, silent


async def test_a_ring_group_rings_all_and_the_first_has_the_call(office: Office, phones: Phones) -> None:
    anna, ben, carl = await people(office, phones, "301", "302", "303")
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
    party = await people(office, phones, "311", "312", "313")
    for phone in party:
        await phone.dial("*6*77")
        await phone.talks()
    await shown(office, "conference")
    await asyncio.sleep(2 * TALK_S)
    for phone in party:
        await phone.hang_up()
    await silent(office)
    for phone in party:
        assert_hears(phone.heard, *(other.tone for other in party if other is not phone))
        assert not hears_itself(phone)


async def test_an_operator_breaks_in_and_who_is_protected_is_not_heard(office: Office, phones: Phones) -> None:
    anna, ben, carl = await people(office, phones, "321", "322", "323")
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
        assert not hears_itself(phone)


async def test_a_message_is_left_and_heard_by_its_owner_after_keys(office: Office, phones: Phones) -> None:
    anna, ben = (await people(office, phones, "331", "332"))[:2]
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
    anna, ben, carl = await people(office, phones, "341", "342", "343")
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
