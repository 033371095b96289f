"""Two real phones and the office between them: ringing, talking, holding, and every way a call ends."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.live import audio
from tests.live.conftest import Phones
from tests.live.office import Office
from tests.live.phone import connect

TALK_S = 1.5
ANNA, BO, CHEF, DORA, CREW = "201", "202", "203", "204", "205"


@pytest.fixture(scope="module", autouse=True)
def staff(office: Office) -> None:
    """The extensions of this module."""
    for number in (ANNA, BO, CHEF, DORA):
        office.extension(number, "--name", f"Person {number}")
    office.extension(CREW, "--name", "Crew", "--multi-device", "--max-devices", "3")


def last_record(office: Office) -> dict[str, Any]:
    """The newest call record; the store writes it within moments of the call's end."""
    records = office.json("records")
    assert records, "no call record was written"
    return max(records, key=lambda record: record["started_at"])


async def watched(log: Path, last: str) -> list[dict[str, Any]]:
    """The events that ``frontdesk watch`` printed up to one named ``last``."""
    async with asyncio.timeout(5):
        while f'"{last}"' not in log.read_text():
            await asyncio.sleep(0.05)
    return [json.loads(line) for line in log.read_text().splitlines()]


@pytest.mark.parametrize(
    ("caller_family", "callee_family"),
    [("ipv4", "ipv4"), ("ipv6", "ipv6"), ("ipv4", "ipv6"), ("ipv6", "ipv4")],
)
async def test_both_hear_the_other_across_address_families(
    office: Office, phones: Phones, caller_family: str, callee_family: str
) -> None:
    anna, bo = await phones.pair(
        office.account(ANNA, ipv6=caller_family == "ipv6"), office.account(BO, ipv6=callee_family == "ipv6")
    )
    await connect(anna, bo)
    await asyncio.sleep(TALK_S)
    await anna.hang_up()
    await bo.ended()
    audio.assert_heard(anna.heard, bo.tone)
    audio.assert_heard(bo.heard, anna.tone)


async def test_the_command_line_shows_a_call_from_ringing_to_its_record(office: Office, phones: Phones) -> None:
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    assert office.json("lamps")[ANNA] == "idle"
    await anna.dial(BO)
    await bo.rings()
    (ringing,) = office.json("calls")
    assert (ringing["state"], ringing["caller"], ringing["callee"]) == ("ringing", ANNA, BO)
    assert ringing["answered_at"] is None
    assert office.json("lamps")[BO] == "ringing"
    await bo.accept()
    await anna.talks()
    await asyncio.sleep(TALK_S)
    # quality is measured every few seconds
    async with asyncio.timeout(10):
        while not (talking := office.json("calls")[0])["quality"]:
            await asyncio.sleep(0.3)
    assert talking["id"] == ringing["id"]
    assert talking["state"] == "talking"
    assert talking["caller_name"] == f"Person {ANNA}"
    assert {party["role"] for party in talking["parties"]} == {"caller", "callee"}
    assert {party["codec"] for party in talking["parties"]} <= {"PCMA", "PCMU"}
    assert talking["duration_s"] >= TALK_S - 0.5
    assert talking["quality"]["mos"] > 4.0
    assert talking["quality"]["loss_percent"] < 1.0
    for absent in ("trunk_in", "trunk_out", "service", "recording"):
        assert talking[absent] is None
    assert office.json("lamps")[ANNA] == "busy"
    status = office.json("status")
    assert status["calls"] == 1
    assert status["media"]["sessions"] == 2
    assert set(status) >= {"version", "uptime_s", "pid", "calls", "registrations", "trunks", "listeners"}
    assert status["loop_delay_ms"].keys() >= {"p99", "max"}
    await bo.hang_up()
    await anna.ended()
    assert office.json("calls") == []
    record = last_record(office)
    assert (record["id"], record["caller"], record["callee"]) == (talking["id"], ANNA, BO)
    assert record["released_by"] == "callee"
    assert record["codec"] in ("PCMA", "PCMU")
    assert record["mos"] > 4.0
    started, answered, ended = (
        datetime.fromisoformat(record[name]) for name in ("started_at", "answered_at", "ended_at")
    )
    assert started <= answered <= ended
    assert record["duration_s"] == pytest.approx((ended - answered).total_seconds(), abs=0.01)


async def test_the_caller_hangs_up(office: Office, phones: Phones) -> None:
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    await connect(anna, bo)
    await anna.hang_up()
    await bo.ended()
    assert last_record(office)["released_by"] == "caller"


async def test_a_caller_who_gives_up_stops_the_ringing(office: Office, phones: Phones) -> None:
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    await anna.dial(BO)
    await bo.rings()
    await anna.hang_up()
    await bo.ended()
    assert bo.messages("CANCEL")
    record = last_record(office)
    assert (record["answered_at"], record["released_by"], record["duration_s"]) == (None, "caller", 0)


async def test_a_busy_phone_is_told_to_the_caller(office: Office, phones: Phones) -> None:
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    await anna.dial(BO)
    await bo.rings()
    await bo.decline()
    assert (await anna.ended()).startswith("486")
    assert last_record(office)["cause"].startswith("486")


async def test_a_decline_is_told_to_the_caller(office: Office, phones: Phones) -> None:
    anna = await phones.baresip(office.account(ANNA))
    bo = await phones.linphone(office.account(BO))
    await anna.registered()
    await bo.registered()
    await anna.dial(BO)
    await bo.rings()
    await bo.decline()
    assert (await anna.ended()).startswith("603")


async def test_a_phone_that_nobody_answers_stops_ringing(office: Office, phones: Phones) -> None:
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    office.cli("param", "set", "ring_timeout_s", "5")
    try:
        await anna.dial(BO)
        await bo.rings()
        reason = await anna.ended(within_s=9)
        await bo.ended()
    finally:
        office.cli("param", "set", "ring_timeout_s", "60")
    assert reason.startswith(("408", "480"))
    assert last_record(office)["answered_at"] is None


async def test_an_unknown_number_is_not_found(office: Office, phones: Phones) -> None:
    anna = await phones.baresip(office.account(ANNA))
    await anna.registered()
    await anna.dial("999")
    assert (await anna.ended()).startswith("404")


async def test_an_extension_without_a_phone_is_unavailable(office: Office, phones: Phones) -> None:
    anna = await phones.baresip(office.account(ANNA))
    await anna.registered()
    assert office.json("lamps")[CHEF] == "unregistered"
    await anna.dial(CHEF)
    assert (await anna.ended()).startswith("480")


async def test_linphone_calls_baresip_and_is_called_back(office: Office, phones: Phones) -> None:
    anna = await phones.baresip(office.account(ANNA))
    bo = await phones.linphone(office.account(BO))
    await anna.registered()
    await bo.registered()
    await connect(bo, anna)
    await asyncio.sleep(TALK_S)
    await bo.hang_up()
    await anna.ended()
    audio.assert_heard(anna.heard, bo.tone)
    await connect(anna, bo)
    await asyncio.sleep(TALK_S)
    await anna.hang_up()
    await bo.ended()
    audio.assert_heard(bo.heard, anna.tone, at_least_ms=1500)


async def test_a_held_party_hears_our_music_and_then_the_other_again(office: Office, phones: Phones) -> None:
    anna = await phones.baresip(office.account(ANNA))
    bo = await phones.linphone(office.account(BO))
    await anna.registered()
    await bo.registered()
    await connect(anna, bo)
    await asyncio.sleep(1.2)
    await anna.hold()
    await asyncio.sleep(2.0)
    (held,) = office.json("calls")
    assert held["state"] == "held"
    assert "held" in {office.json("lamps")[ANNA], office.json("lamps")[BO]}
    await anna.resume()
    await asyncio.sleep(2.0)
    assert office.json("calls")[0]["state"] == "talking"
    await anna.hang_up()
    await bo.ended()
    heard = audio.profile(bo.heard, *audio.TONES)
    tone = str(anna.tone)
    assert tone in heard[:15]
    assert tone in heard[-15:]
    between = heard[heard.index(tone) : len(heard) - heard[::-1].index(tone)]
    assert between.count("other") >= 10, f"no music in: {between}"
    assert "paused" not in bo.log(), "the held phone was told although the hold policy is local"


async def test_with_the_pass_policy_the_held_phone_is_told(office: Office, phones: Phones) -> None:
    anna = await phones.baresip(office.account(ANNA))
    bo = await phones.linphone(office.account(BO))
    await anna.registered()
    await bo.registered()
    office.cli("extension", "set", ANNA, "--hold", "pass")
    try:
        await connect(anna, bo)
        await asyncio.sleep(0.5)
        await anna.hold()
        await bo.says("paused by")
        await anna.resume()
        await bo.says("Media streams established")
        await asyncio.sleep(1.2)
        await anna.hang_up()
        await bo.ended()
    finally:
        office.cli("extension", "set", ANNA, "--hold", "local")
    assert str(anna.tone) in audio.profile(bo.heard, *audio.TONES)[-10:]


async def test_the_called_party_holds_and_resumes(office: Office, phones: Phones) -> None:
    anna = await phones.baresip(office.account(ANNA))
    bo = await phones.linphone(office.account(BO))
    await anna.registered()
    await bo.registered()
    await connect(anna, bo)
    await asyncio.sleep(1.0)
    await bo.hold()
    await asyncio.sleep(1.5)
    await bo.resume()
    await asyncio.sleep(1.5)
    await anna.hang_up()
    await bo.ended()
    heard = audio.profile(anna.heard, *audio.TONES)
    tone = str(bo.tone)
    assert tone in heard[-10:], heard
    between = heard[heard.index(tone) : len(heard) - heard[::-1].index(tone)]
    assert between.count("other") >= 7, f"no music in: {between}"


async def test_an_operator_releases_a_call(office: Office, phones: Phones) -> None:
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    await connect(anna, bo)
    (call,) = office.json("calls")
    office.cli("call", "release", call["id"])
    await anna.ended()
    await bo.ended()
    assert last_record(office)["released_by"] == "operator"
    assert call["id"] in office.refuses("call", "release", call["id"])


async def test_watch_tells_a_call_as_it_happens(office: Office, phones: Phones) -> None:
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    with office.watch() as log:
        await connect(anna, bo)
        await anna.hang_up()
        await bo.ended()
        events = await watched(log, "call.ended")
    assert {"call.started", "call.changed", "call.ended", "lamp.changed"} <= {event["event"] for event in events}
    calls = {event["call"] for event in events if event["event"].startswith("call.")}
    assert len(calls) == 1
    assert all(datetime.fromisoformat(event["at"]).tzinfo for event in events)


async def test_early_media_of_one_phone_is_heard_while_another_rings_and_answers(
    office: Office, phones: Phones
) -> None:
    """The first phone of the crew echoes before any answer: the caller hears itself, then who answers."""
    anna, bo = await phones.pair(office.account(ANNA), office.account(CREW))
    echo = await phones.scripted(office.account(CREW), "early_media")
    await anna.dial(CREW)
    await bo.rings()
    async with asyncio.timeout(5):
        while office.json("calls")[0]["state"] != "early":
            await asyncio.sleep(0.1)
    await asyncio.sleep(TALK_S)
    await bo.accept()
    await anna.talks()
    await asyncio.sleep(TALK_S)
    await anna.hang_up()
    await bo.ended()
    heard = [name for name in audio.profile(anna.heard, *audio.TONES) if name in map(str, audio.TONES)]
    own, others = str(anna.tone), str(bo.tone)
    assert heard.count(own) >= 5, heard
    assert heard.count(others) >= 5, heard
    assert own not in heard[heard.index(others) + 1 :], heard
    audio.assert_heard(bo.heard, anna.tone)
    told = await echo.plays_to_the_end()
    assert 'Reason: SIP;cause=200;text="Call completed elsewhere"' in told
    record = last_record(office)
    assert (record["callee"], record["cause"]) == (CREW, "normal")


async def test_when_the_early_media_ends_the_gateway_rings_back_until_another_answers(
    office: Office, phones: Phones
) -> None:
    ringback = 425
    anna, bo = await phones.pair(office.account(ANNA), office.account(CREW))
    echo = await phones.scripted(office.account(CREW), "early_media_refused")
    await anna.dial(CREW)
    await bo.rings()
    await echo.plays_to_the_end()
    await asyncio.sleep(2.5)
    await bo.accept()
    await anna.talks()
    await asyncio.sleep(TALK_S)
    await anna.hang_up()
    await bo.ended()
    heard = audio.profile(anna.heard, ringback, *audio.TONES)
    own, tone, other = str(anna.tone), str(ringback), str(bo.tone)
    assert heard.count(own) >= 5, heard
    assert heard.count(tone) >= 5, heard
    assert heard.count(other) >= 5, heard
    assert heard.index(own) < heard.index(tone) < heard.index(other), heard
    assert tone not in heard[heard.index(other) :], heard


async def test_two_phones_of_one_number_ring_and_the_loser_is_told_who_answered(
    office: Office, phones: Phones
) -> None:
    anna, bo = await phones.pair(office.account(ANNA), office.account(CREW))
    chef = await phones.baresip(office.account(CREW))
    await chef.registered()
    await anna.dial(CREW)
    await bo.rings()
    await chef.rings()
    await chef.accept()
    await anna.talks()
    await bo.ended()
    assert "Call completed elsewhere" in bo.messages("CANCEL")[-1]
    await asyncio.sleep(TALK_S)
    await chef.hang_up()
    await anna.ended()
    audio.assert_heard(chef.heard, anna.tone)
    audio.assert_heard(anna.heard, chef.tone)


async def test_a_phone_answered_just_as_the_caller_gives_up_is_let_go(office: Office, phones: Phones) -> None:
    anna = await phones.baresip(office.account(ANNA))
    await anna.registered()
    late = await phones.scripted(office.account(CHEF), "answers_after_cancel")
    await anna.dial(CHEF)
    await anna.wait_for("CALL_RINGING", 5)
    await anna.hang_up()
    told = await late.plays_to_the_end()
    assert "Reason:" not in told[told.index("CANCEL sip:") :].split("\r\n\r\n")[0]
    assert told.index("ACK sip:") < told.index("BYE sip:")
    record = last_record(office)
    assert (record["released_by"], record["cause"]) == ("caller", "487 Request Terminated")
    async with asyncio.timeout(5):
        while office.json("status")["media"]["sessions"]:
            await asyncio.sleep(0.1)


async def test_a_busy_person_hears_a_second_call_knock_and_a_third_is_refused(
    office: Office, phones: Phones
) -> None:
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    chef, dora = await phones.pair(office.account(CHEF), office.account(DORA))
    await connect(anna, bo)
    await chef.dial(BO)
    await bo.rings()
    await chef.wait_for("CALL_RINGING", 5)
    assert office.json("lamps")[BO] == "busy"
    await dora.dial(BO)
    assert (await dora.ended()).startswith("486")
    assert len(office.json("calls")) == 2
    await chef.hang_up()
    await bo.ended()
    await anna.hang_up()
    await bo.ended()


async def test_a_caller_that_claims_to_be_another_is_shown_as_who_it_is(office: Office, phones: Phones) -> None:
    bo = await phones.baresip(office.account(BO))
    await bo.registered()
    forger = await phones.scripted(office.account(ANNA), "forged_caller")
    await bo.rings()
    (call,) = office.json("calls")
    assert (call["caller"], call["caller_name"]) == (ANNA, f"Person {ANNA}")
    await bo.accept()
    await bo.ended()
    await forger.plays_to_the_end()
    invite = bo.messages("INVITE sip:")[-1]
    assert f'From: "Person {ANNA}" <sip:{ANNA}@' in invite
    for told in (invite, bo.messages("BYE sip:")[-1]):
        assert "Boss" not in told
        assert f"sip:{CHEF}@" not in told
        assert "Identity" not in told
        assert "Remote-Party-ID" not in told
    assert last_record(office)["caller"] == ANNA
