"""Real phones without a codec in common: the gateway converts, and each hears the other."""

from __future__ import annotations

import asyncio

import pytest

from tests.live import audio
from tests.live.baresip import Baresip
from tests.live.conftest import Phones
from tests.live.office import Office

TALK_S = 2.0
ANNA, BO, CHEF = "241", "242", "243"


@pytest.fixture(scope="module", autouse=True)
def staff(office: Office) -> None:
    for number in (ANNA, BO, CHEF):
        office.extension(number, "--name", f"Person {number}")


async def two(phones: Phones, office: Office, one: tuple[str, ...], other: tuple[str, ...]) -> list[Baresip]:
    """Anna's and Bo's phones, registered, with these codecs alone."""
    anna = await phones.baresip(office.account(ANNA), codecs=one)
    bo = await phones.baresip(office.account(BO), codecs=other)
    for phone in (anna, bo):
        await phone.registered()
    return [anna, bo]


async def talk(office: Office, caller: Baresip, callee: Baresip) -> list[str]:
    """They talk for a while; the codec of each as the command line shows it."""
    await caller.dial(callee.account.number)
    await callee.rings()
    await callee.accept()
    await caller.talks()
    await asyncio.sleep(TALK_S)
    (call,) = office.json("calls")
    await caller.hang_up()
    await callee.ended()
    return [party["codec"] for party in call["parties"]]


@pytest.mark.parametrize(
    ("one", "other"),
    [("pcma", "g722"), ("g722", "pcma"), ("pcmu", "pcma"), ("opus", "pcma"), ("pcma", "opus"), ("opus", "g722")],
)
async def test_two_phones_with_one_codec_each_hear_each_other(
    office: Office, phones: Phones, one: str, other: str
) -> None:
    anna, bo = await two(phones, office, (one,), (other,))
    assert await talk(office, anna, bo) == [one.upper(), other.upper()]
    audio.assert_heard(anna.heard, bo.tone)
    audio.assert_heard(bo.heard, anna.tone)


async def test_a_codec_in_common_is_never_converted(office: Office, phones: Phones) -> None:
    anna, bo = await two(phones, office, ("g722", "pcma"), ("pcma",))
    assert await talk(office, anna, bo) == ["PCMA", "PCMA"]
    audio.assert_heard(bo.heard, anna.tone)


async def test_opus_goes_through_untouched_where_both_have_it(office: Office, phones: Phones) -> None:
    anna, bo = await two(phones, office, ("opus",), ("opus", "pcma"))
    assert await talk(office, anna, bo) == ["OPUS", "OPUS"]
    audio.assert_heard(anna.heard, bo.tone)
    audio.assert_heard(bo.heard, anna.tone)


async def test_the_doctor_knows_libopus(office: Office) -> None:
    findings = office.json_whatever_status("doctor")
    (opus,) = [each for each in findings if each["check"] == "opus"]
    assert (opus["state"], opus["says"].partition(" ")[0]) == ("ok", "libopus")


async def test_a_site_without_conversion_refuses_the_call(office: Office, phones: Phones) -> None:
    anna, _ = await two(phones, office, ("pcma",), ("g722",))
    office.cli("param", "set", "transcoding", "off")
    try:
        await anna.dial(BO)
        assert (await anna.ended()).startswith("488")
    finally:
        office.cli("param", "set", "transcoding", "on")
