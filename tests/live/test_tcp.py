"""Phones on TCP and TLS: their own connections carry everything, and what becomes of calls when one is cut."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.live import audio
from tests.live.cable import lay_cable
from tests.live.conftest import Phones
from tests.live.network import Network
from tests.live.office import Office, open_office
from tests.live.phone import connect
from tests.live.processes import wait_until

TALK_S = 1.5
ANNA, BO = "201", "202"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, network: Network) -> Iterator[Office]:
    with open_office(tmp_path_factory.mktemp("office"), network, tls=True) as office:
        for number in (ANNA, BO):
            office.extension(number)
        yield office


@pytest.mark.parametrize(
    ("one", "other"),
    [("tcp", "tcp"), ("tcp", "udp"), ("udp", "tcp"), ("tls", "tls"), ("tls", "udp"), ("tcp", "tls")],
)
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


@pytest.mark.parametrize("transport", ["tcp", "tls"])
async def test_phones_talk_over_ipv6(office: Office, phones: Phones, transport: str) -> None:
    anna = await phones.baresip(office.account(ANNA, ipv6=True, transport=transport))
    bo = await phones.baresip(office.account(BO))
    await anna.registered()
    await bo.registered()
    await connect(bo, anna)
    await asyncio.sleep(TALK_S)
    await anna.hang_up()
    await bo.ended()
    audio.assert_heard(anna.heard, bo.tone)
    audio.assert_heard(bo.heard, anna.tone)


@pytest.mark.parametrize("transport", ["tcp", "tls"])
async def test_a_call_outlives_the_connection_it_was_made_on(
    office: Office, phones: Phones, network: Network, transport: str
) -> None:
    bo = await phones.baresip(office.account(BO))
    await bo.registered()
    account = office.account(ANNA, transport=transport)
    async with lay_cable(network, account.office) as cable:
        anna = await phones.baresip(replace(account, office=cable.address))
        await anna.registered()
        await connect(bo, anna)
        await asyncio.sleep(0.5)
        cable.pull()
        await asyncio.sleep(TALK_S)
        assert [call["state"] for call in office.json("calls")] == ["talking"]
        await anna.hang_up()
        await bo.ended()
        wait_until(lambda: office.json("calls") == [], 5, "the call's end")
    (record, *_) = office.json("records")
    assert (record["released_by"], record["cause"]) == ("callee", "normal")
    audio.assert_heard(bo.heard, anna.tone, at_least_ms=1500)
    assert "Traceback" not in office.log()


async def test_the_other_party_hangs_up_while_a_phone_has_no_connection(
    office: Office, phones: Phones, network: Network
) -> None:
    bo = await phones.baresip(office.account(BO))
    await bo.registered()
    account = office.account(ANNA, transport="tcp")
    async with lay_cable(network, account.office) as cable:
        anna = await phones.baresip(replace(account, office=cable.address))
        await anna.registered()
        await connect(anna, bo)
        cable.pull()
        await bo.hang_up()
        wait_until(lambda: office.json("calls") == [], 5, "the call's end")
        (record, *_) = office.json("records")
        assert record["released_by"] == "callee"


async def test_a_phone_whose_connection_is_gone_is_not_reachable_until_it_comes_back(
    office: Office, phones: Phones, network: Network
) -> None:
    bo = await phones.baresip(office.account(BO))
    await bo.registered()
    account = office.account(ANNA, transport="tcp")
    async with lay_cable(network, account.office) as cable:
        anna = await phones.baresip(replace(account, office=cable.address))
        await anna.registered()
        cable.pull()
        await bo.dial(ANNA)
        assert "480" in await bo.ended()
        await anna.close(hard=True)
        again = await phones.baresip(replace(account, office=cable.address))
        await again.registered()
        await bo.dial(ANNA)
        await again.rings()
        await bo.hang_up()
        await bo.ended()


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_a_phone_numbers_its_flow_and_is_called_on_it(office: Office, phones: Phones, transport: str) -> None:
    account = office.account(ANNA, transport=transport)
    proxy = f'"sip:{account.office};transport={transport}"'
    anna = await phones.baresip(account, settings=f";sipnat=outbound;outbound={proxy}")
    bo = await phones.baresip(office.account(BO))
    await anna.registered()
    await bo.registered()
    (*_, asked) = anna.messages("REGISTER")
    (*_, granted) = anna.messages("SIP/2.0 200")
    assert "reg-id=1" in asked
    assert "Require: outbound" in granted
    assert "Flow-Timer: 120" in granted
    await connect(bo, anna)
    await anna.hang_up()
    await bo.ended()
