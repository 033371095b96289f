"""What services say to real phones: each sentence is found again in what the phone heard."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.live import spoken
from tests.live.conftest import Phones
from tests.live.office import Office

ANNA, BO, CHEF = "201", "202", "203"
ZONE = "Asia/Shanghai"


@pytest.fixture(scope="module", autouse=True)
def people(office: Office) -> None:
    office.cli("param", "set", "timezone", ZONE)
    for number in (ANNA, BO, CHEF):
        office.extension(number)


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_clock_tells_the_office_s_time(office: Office, phones: Phones, language: str) -> None:
    anna = await phones.baresip(office.account(ANNA))
    await anna.registered()
    office.cli("param", "set", "language", language)
    before = datetime.now(ZoneInfo(ZONE))
    try:
        await anna.dial("*60")
        await anna.ended(15)
    finally:
        office.cli("param", "set", "language", "en")
    after = datetime.now(ZoneInfo(ZONE))
    told = {time.strftime("%H:%M") for time in (before, after)}
    heard = []
    for text in told:
        try:
            spoken.assert_said(anna.heard, "time-is", *spoken.time_clips(text, language), language=language)
        except AssertionError as error:
            heard.append(str(error))
    assert len(heard) < len(told), heard


async def test_the_number_test_says_each_digit(office: Office, phones: Phones) -> None:
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    for phone in (anna, bo):
        await phone.dial("*61")
    for phone in (anna, bo):
        await phone.ended(15)
        spoken.assert_said(phone.heard, "your-number", *spoken.digits_clips(phone.account.number))
    spoken.assert_not_said(anna.heard, "time-is", "welcome", "not-allowed")
