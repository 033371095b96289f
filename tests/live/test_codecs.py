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
HIGH = 5600
"""Hertz that no telephone of 8000 samples a second knows."""


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
    codecs = [party["codec"] for party in call["parties"]]
    assert "/".join(dict.fromkeys(codecs)) in office.cli("calls")
    await caller.hang_up()
    await callee.ended()
    return codecs


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


async def test_a_service_dials_a_phone_of_another_codec_for_an_answered_caller(
    office: Office, phones: Phones
) -> None:
    """A queue answers, and calls its member."""
    anna, bo = await two(phones, office, ("pcma",), ("g722",))
    office.cli("group", "add", "249", "--kind", "ring", "--member", BO)
    office.cli("service", "trigger", "add", "--number", "*889*", "--service", "queue")
    await anna.dial("*889*249")
    await anna.talks()
    await bo.rings(15)
    await bo.accept()
    await bo.talks()
    await asyncio.sleep(TALK_S)
    (call,) = office.json("calls")
    assert [party["codec"] for party in call["parties"]] == ["PCMA", "G722"]
    await bo.hang_up()
    await anna.ended()
    audio.assert_heard(bo.heard, anna.tone)
    assert audio.heard_ms(anna.heard, bo.tone) >= 1000


async def test_a_transfer_reaches_a_phone_of_another_codec(office: Office, phones: Phones) -> None:
    anna, bo = await two(phones, office, ("pcma",), ("pcma",))
    chef = await phones.baresip(office.account(CHEF), codecs=("opus",))
    await chef.registered()
    await anna.dial(BO)
    await bo.rings()
    await bo.accept()
    await anna.talks()
    await bo.command("transfer", f"sip:{CHEF}@{office.address}")
    await chef.rings()
    await chef.accept()
    await chef.talks()
    await asyncio.sleep(TALK_S)
    (call,) = office.json("calls")
    assert sorted(party["codec"] for party in call["parties"]) == ["OPUS", "PCMA"]
    await chef.hang_up()
    await anna.ended()
    audio.assert_heard(chef.heard, anna.tone)


@pytest.mark.parametrize("codec", ["g722", "opus"])
async def test_a_conference_of_wide_phones_has_what_no_narrow_one_hears(
    office: Office, phones: Phones, codec: str
) -> None:
    party = [
        await phones.baresip(office.account(number), codecs=(codec,), tone=tone)
        for number, tone in ((ANNA, HIGH), (BO, 700), (CHEF, 1130))
    ]
    for phone in party:
        await phone.registered()
        await phone.dial("*6*78")
        await phone.talks()
    await asyncio.sleep(2 * TALK_S)
    for phone in party:
        await phone.hang_up()
        await phone.ended()
    for phone in party[1:]:
        samples, rate = audio.read_wav(phone.heard)
        assert rate >= 16000
        late = samples[len(samples) // 2 :]
        assert audio.tone_share(late, rate, HIGH) > 0.15
        other = next(each.tone for each in party[1:] if each is not phone)
        assert audio.tone_share(late, rate, other) > 0.15
        assert audio.tone_share(late, rate, phone.tone) < 0.05
