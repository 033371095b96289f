"""Parking and queueing with real phones: music while one waits, where one comes back to, and what is said."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.media.tones import hold_music
from tests.live import spoken
from tests.live.conftest import Phones
from tests.live.office import Office
from tests.live.phone import connect
from tests.live.scene import people, shown, silent, talk, until

BACK_AFTER_S = 5


@pytest.fixture(scope="module", autouse=True)
def short_parking(office: Office) -> Iterator[None]:
    office.cli("param", "set", "park_timeout_s", str(BACK_AFTER_S))
    yield
    office.cli("param", "set", "park_timeout_s", "60")


def assert_music(path: Path, seconds: float = 2.0) -> None:
    """The music's beginning is heard."""
    music = array("h", hold_music().samples)
    spoken.assert_heard(path, ("music", music[: round(seconds * spoken.RATE)]))


async def test_a_parked_call_comes_back_to_who_parked_it(office: Office, phones: Phones) -> None:
    anna, ben = await people(office, phones, "201", "202")
    await connect(anna, ben)
    await ben.command("transfer", "*70*7")
    await shown(office, "parked")
    await ben.ended()
    await ben.rings(BACK_AFTER_S + 3)
    await ben.accept()
    await shown(office, "talking")
    await talk(anna, ben)
    assert_music(anna.heard)


async def test_whoever_holds_a_call_parks_it_by_dialling_and_a_console_retrieves_it(
    office: Office, phones: Phones
) -> None:
    """The first free slot is told; then the command line rings a phone and takes the call there."""
    office.cli("param", "set", "park_timeout_s", "60")
    anna, ben, carl = await people(office, phones, "211", "212", "213")
    await connect(anna, ben)
    await ben.hold()
    await shown(office, "held")
    await ben.dial("*70*")
    await shown(office, "parked")
    await ben.ended(10)
    await ben.ended(10)
    spoken.assert_said(ben.heard, "park-at", "digits/1")
    office.cli("call", "unpark", "1", "--as", "213")
    await carl.rings()
    await carl.accept()
    await shown(office, "talking")
    await talk(carl, anna)
    assert_music(anna.heard)
    office.cli("param", "set", "park_timeout_s", str(BACK_AFTER_S))


async def test_a_slot_that_is_taken_or_empty_is_told(office: Office, phones: Phones) -> None:
    anna, ben, carl = await people(office, phones, "221", "222", "223")
    await anna.dial("*70*9")
    await anna.talks()
    await shown(office, "parked")
    await ben.dial("*70*9")
    await ben.ended(10)
    spoken.assert_said(ben.heard, "park-taken")
    await carl.dial("*71*8")
    await carl.ended(10)
    spoken.assert_said(carl.heard, "park-empty")
    await carl.dial("*71*9")
    await shown(office, "talking")
    await talk(carl, anna)


async def test_a_queue_tells_places_and_serves_in_order(office: Office, phones: Phones) -> None:
    """Ben, the only one who serves, talks with somebody else first."""
    anna, ben, carl, dora = await people(office, phones, "231", "232", "233", "234")
    office.cli("group", "add", "691", "--kind", "hunt", "--member", "232")
    settings = ("--set", "group=691", "--set", "told=8")
    office.cli("service", "trigger", "add", "--number", "800", "--service", "queue", *settings)
    await connect(dora, ben)
    for phone in (anna, carl):
        await phone.dial("800")
        await phone.talks()
        await shown(office, "queued" if phone is carl else "service")
    await until(lambda: "queued" in [call["state"] for call in office.json("calls")], "carl waits")
    await carl.stays_quiet("CALL_CLOSED", 12)
    await dora.hang_up()
    await ben.ended()
    await ben.rings(10)
    await ben.accept()
    await talk(ben, anna)
    spoken.assert_said(anna.heard, "queue-wait")
    await ben.rings(10)
    await ben.accept()
    await talk(ben, carl)
    spoken.assert_said(carl.heard, "queue-wait", "queue-position", "digits/2")
    assert_music(carl.heard)
    await silent(office)


async def test_who_has_waited_long_enough_goes_elsewhere(office: Office, phones: Phones) -> None:
    anna, ben = await people(office, phones, "241", "242")
    office.extension("243")
    office.cli("group", "add", "692", "--kind", "hunt", "--member", "243")
    settings = ("--set", "group=692", "--set", "most=8", "--set", "overflow=242")
    office.cli("service", "trigger", "add", "--number", "801", "--service", "queue", *settings)
    await anna.dial("801")
    await ben.rings(30)
    await ben.accept()
    await shown(office, "talking")
    await talk(anna, ben)
    spoken.assert_said(anna.heard, "queue-wait", "queue-over")
    assert_music(anna.heard)
