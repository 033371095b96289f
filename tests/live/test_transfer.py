"""Blind transfer by a real phone: its peer takes no part in it, and both sides hear each other afterwards."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.live import audio
from tests.live.conftest import Phones
from tests.live.network import Network
from tests.live.office import Office
from tests.live.outside import open_outside
from tests.live.phone import connect
from tests.live.processes import wait_until

ANNA, BO, CHEF = "201", "202", "203"
TALK_S = 1.5


@pytest.fixture(scope="module", autouse=True)
def people(office: Office) -> None:
    for number in (ANNA, BO, CHEF):
        office.extension(number)


async def test_who_is_transferred_talks_to_the_new_party(office: Office, phones: Phones) -> None:
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    chef = await phones.baresip(office.account(CHEF))
    await chef.registered()
    await connect(anna, bo)
    await bo.command("transfer", f"sip:{CHEF}@{office.address}")
    await chef.rings()
    await chef.accept()
    await chef.talks()
    await bo.ended()
    (call,) = office.json("calls")
    assert [party["extension"] for party in call["parties"]] == [ANNA, CHEF]
    await asyncio.sleep(TALK_S)
    await anna.hang_up()
    await chef.ended()
    audio.assert_heard(chef.heard, anna.tone)


async def test_a_phone_joins_its_two_calls(office: Office, phones: Phones) -> None:
    """Attended transfer by a real phone: linphone asks with REFER and Replaces (RFC 5589 section 7)."""
    anna = await phones.baresip(office.account(ANNA))
    chef = await phones.baresip(office.account(CHEF))
    bo = await phones.linphone(office.account(BO))
    for phone in (anna, chef, bo):
        await phone.registered()
    await anna.dial(BO)
    await bo.rings()
    await bo.accept()
    await anna.talks()
    bo.command("pause")
    await bo.says(r"Call 1 with .* paused")
    await bo.dial(CHEF)
    await chef.rings()
    await chef.accept()
    await chef.talks()
    bo.command("transfer 1 --to-call 2")
    wait_until(lambda: len(office.json("calls")) == 1, 8, "the two calls are one")
    (call,) = office.json("calls")
    assert {party["extension"] for party in call["parties"]} == {ANNA, CHEF}
    await asyncio.sleep(TALK_S)
    await anna.hang_up()
    await chef.ended()
    audio.assert_heard(chef.heard, anna.tone)
    audio.assert_heard(anna.heard, chef.tone)


async def test_an_outside_number_is_joined_too(
    office: Office, phones: Phones, network: Network, tmp_path: Path
) -> None:
    """The line keeps its room while the outside party changes its call, and gives it back at the end."""
    host = network.host()
    office.cli("trunk", "add", "line", "--host", f"{host}:5060", "--max-out", "1")
    with open_outside(tmp_path, network) as outside:
        weber = outside.waits("outside_callee", host)
        anna, bo = await phones.baresip(office.account(ANNA)), await phones.linphone(office.account(BO))
        for phone in (anna, bo):
            await phone.registered()
        await anna.dial(BO)
        await bo.rings()
        await bo.accept()
        await anna.talks()
        bo.command("pause")
        await bo.says(r"Call 1 with .* paused")
        await bo.dial("94711")
        await bo.talks()
        bo.command("transfer 1 --to-call 2")
        wait_until(lambda: len(office.json("calls")) == 1, 8, "the two calls are one")
        (call,) = office.json("calls")
        assert call["trunk_out"] == "line"
        assert ANNA in {party["extension"] for party in call["parties"]}
        assert office.json("trunk", "list")[0]["active_out"] == 1
        await anna.hang_up()
        await weber.plays_to_the_end()
    assert office.json("trunk", "list")[0]["active_out"] == 0
    office.cli("trunk", "remove", "line")


async def test_the_command_line_transfers_for_a_phone(office: Office, phones: Phones) -> None:
    """Neither phone takes part in it; a number that is none is refused and changes nothing."""
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    chef = await phones.baresip(office.account(CHEF))
    await chef.registered()
    await connect(anna, bo)
    assert "999 cannot be reached" in office.refuses("call", "transfer", BO, "999")
    office.cli("call", "transfer", BO, CHEF, "--as", BO)
    await chef.rings()
    await chef.accept()
    await chef.talks()
    await bo.ended()
    await asyncio.sleep(TALK_S)
    await anna.hang_up()
    await chef.ended()
    audio.assert_heard(chef.heard, anna.tone)


async def test_a_transfer_to_nobody_gives_the_caller_back(office: Office, phones: Phones) -> None:
    """baresip hangs up when its transfer fails: it rings again, and nobody is lost."""
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    await connect(anna, bo)
    await bo.command("transfer", f"sip:999@{office.address}")
    await bo.rings()
    await bo.accept()
    await bo.talks()
    (call,) = office.json("calls")
    assert [party["extension"] for party in call["parties"]] == [ANNA, BO]
    await asyncio.sleep(TALK_S)
    await anna.hang_up()
    await bo.ended()
    audio.assert_heard(anna.heard, bo.tone)
