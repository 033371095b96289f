"""What the command line does with live calls, by what real phones hear; recording on demand; the wake-up call."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.live import spoken
from tests.live.conftest import Phones
from tests.live.network import Network
from tests.live.office import Office, open_office
from tests.live.phone import connect
from tests.live.scene import TALK_S, assert_hears, people, shown, silent, talk, until
from tests.live.test_survival import SetClock


async def test_a_phone_is_rung_to_break_in(office: Office, phones: Phones) -> None:
    office.extension("203", "--right", "barge-in")
    anna, ben, carl = await people(office, phones, "201", "202", "203")
    await connect(anna, ben)
    assert "barge-in" in office.refuses("call", "barge-in", "202", "--as", "201")
    office.cli("call", "barge-in", "202", "--as", "203")
    await carl.rings()
    await carl.accept()
    await shown(office, "conference")
    await asyncio.sleep(TALK_S)
    await anna.hang_up()
    await shown(office, "talking")
    await talk(ben, carl)
    assert_hears(carl.heard, anna.tone, ben.tone)


async def test_a_phone_is_rung_to_pick_up(office: Office, phones: Phones) -> None:
    anna, ben, carl = await people(office, phones, "211", "212", "213")
    office.cli("group", "add", "690", "--kind", "pickup", "--member", "212", "--member", "213")
    await anna.dial("212")
    await ben.rings()
    office.cli("call", "pickup", "212", "--as", "213")
    await carl.rings()
    await carl.accept()
    await ben.ended()
    await shown(office, "talking")
    await talk(anna, carl)


async def test_a_call_is_originated_for_a_phone(office: Office, phones: Phones) -> None:
    anna, ben = await people(office, phones, "221", "222")
    office.cli("call", "originate", "--from", "221", "--to", "222")
    await anna.rings()
    await anna.accept()
    await ben.rings()
    await ben.accept()
    await shown(office, "talking")
    await talk(ben, anna)


async def test_a_service_is_tried_at_a_phone(office: Office, phones: Phones) -> None:
    (anna,) = await people(office, phones, "231")
    office.cli("service", "run", "number_test", "--as", "231")
    await anna.rings()
    await anna.accept()
    await anna.ended(12)
    spoken.assert_said(anna.heard, "your-number")


async def test_a_call_is_recorded_on_demand(office: Office, phones: Phones) -> None:
    """By who has the right; the other one hears nothing of it, and without the right the code does nothing."""
    office.extension("242", "--right", "record")
    anna, ben = await people(office, phones, "241", "242")
    await connect(anna, ben)
    await anna.digits("*1")
    await asyncio.sleep(TALK_S)
    assert office.json("calls")[0]["recording"] is None
    await ben.digits("*1")
    await until(lambda: office.json("calls")[0]["recording"], "the call is recorded")
    await asyncio.sleep(2 * TALK_S)
    await ben.digits("*1")
    await asyncio.sleep(2 * TALK_S)
    await anna.hang_up()
    await ben.ended()
    spoken.assert_said(ben.heard, "recording-on", "recording-off")
    spoken.assert_not_said(anna.heard, "recording-on")
    (recording,) = office.json("recordings", "list")
    (record,) = [each for each in office.json("records") if each["recording"]]
    assert recording["path"] == record["recording"]
    assert_hears(Path(record["recording"]), anna.tone, ben.tone, at_least_ms=2000)


async def test_a_wake_up_call_comes_at_its_time_and_after_a_restart(
    tmp_path: Path, network: Network, phones: Phones, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time of day is moved on instead of waiting for it."""
    clock = SetClock(tmp_path)
    with open_office(tmp_path, network) as office:
        office.cli("param", "set", "timezone", "Europe/Berlin")
        (anna,) = await people(office, phones, "251")
        now = datetime.now().astimezone()
        then = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=2, minutes=35)
        told = then.astimezone(ZoneInfo("Europe/Berlin"))
        await anna.dial(f"*55*{told:%H%M}")
        await anna.ended(12)
        spoken.assert_said(anna.heard, "wakeup-at", *spoken.time_clips(f"{told:%H:%M}", "en"))
        office.kill()
        with monkeypatch.context() as patched:
            for name, value in clock.environment.items():
                patched.setenv(name, value)
            office.start()
        await anna.stays_quiet("CALL_INCOMING", 3)
        clock.set(then - now + timedelta(seconds=5))
        await anna.rings(8)
        await anna.accept()
        await anna.ended(15)
        spoken.assert_said(anna.heard, "wakeup-call")
        await silent(office)
