"""Phones on TCP: their own connections carry everything, and what becomes of calls when one is cut."""

from __future__ import annotations

import asyncio

import pytest

from tests.live import audio
from tests.live.conftest import Phones
from tests.live.office import Office
from tests.live.phone import connect

TALK_S = 1.5
ANNA, BO = "201", "202"


@pytest.fixture(scope="module", autouse=True)
def people(office: Office) -> None:
    for number in (ANNA, BO):
        office.extension(number)


@pytest.mark.parametrize(("one", "other"), [("tcp", "tcp"), ("tcp", "udp"), ("udp", "tcp")])
async def test_phones_talk_whatever_transport_each_has(
    office: Office, phones: Phones, one: str, other: str
) -> None:
    anna, bo = await phones.pair(office.account(ANNA, transport=one), office.account(BO, transport=other))
    transports = {item["extension"]: item["transport"] for item in office.json("registration", "list")}
    assert transports == {ANNA: one, BO: other}
    await connect(anna, bo)
    await asyncio.sleep(TALK_S)
    await bo.hang_up()
    await anna.ended()
    audio.assert_heard(anna.heard, bo.tone)
    audio.assert_heard(bo.heard, anna.tone)
