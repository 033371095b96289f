"""Keys that real phones press at services: as events (RFC 4733), as INFO, and as tones in the audio."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live import audio, spoken
from tests.live.conftest import Phones
from tests.live.office import Office
from tests.live.outside import open_outside
from tests.live.scene import people
from tests.live.script import SDP, Caller
from tests.unit.media.sound import encode

ANNA, BO, CHEF = "201", "202", "203"
PIN = "4711"
MENU = "800"


@pytest.fixture(scope="module", autouse=True)
def staff(office: Office) -> None:
    for number in (ANNA, CHEF):
        office.extension(number)
    office.extension(BO, "--voicemail-pin", PIN)
    office.cli(
        "service", "trigger", "add", "--number", MENU, "--service", "attendant", "--set", f"1={CHEF}", "--set",
        f"operator={BO}",
    )  # fmt: skip


async def test_a_pin_as_events(office: Office, phones: Phones) -> None:
    (anna,) = await people(office, phones, ANNA)
    await anna.dial(f"*97*{BO}")
    await anna.talks()
    await anna.digits(f"{PIN}#")
    await anna.ended(20)
    assert PIN not in office.log()
    spoken.assert_said(anna.heard, "vm-none", "vm-last", "goodbye")
    spoken.assert_not_said(anna.heard, "wrong-password")


async def test_a_wrong_pin_as_events(office: Office, phones: Phones) -> None:
    (anna,) = await people(office, phones, ANNA)
    await anna.dial(f"*97*{BO}")
    await anna.talks()
    await anna.digits("4712#")
    await anna.ended(20)
    spoken.assert_said(anna.heard, "wrong-password")
    spoken.assert_not_said(anna.heard, "vm-none")


async def test_a_pin_as_tones(office: Office, phones: Phones, tmp_path: Path) -> None:
    """The phone has agreed on events and sends tones all the same, as some adapters do."""
    (anna,) = await people(office, phones, ANNA)
    keys = audio.write_keys(tmp_path / "keys.wav", f"{PIN}#")
    await anna.speak(keys)
    await anna.dial(f"*97*{BO}")
    await anna.talks()
    await anna.speak(keys)
    await anna.ended(25)
    spoken.assert_said(anna.heard, "vm-none", "vm-last", "goodbye")


@pytest.mark.parametrize("says_keys_by_info", [True, False])
async def test_a_pin_as_info_and_as_events_of_another_make(
    office: Office, phones: Phones, says_keys_by_info: bool
) -> None:
    anna = await phones.linphone(office.account(ANNA), says_keys_by_info=says_keys_by_info)
    await anna.registered()
    await anna.dial(f"*97*{BO}")
    await anna.talks()
    await anna.digits(f"{PIN}#")
    await anna.ended(25)
    assert says_keys_by_info == ("INFO sip:" in anna.sip_log())
    spoken.assert_said(anna.heard, "vm-none", "vm-last", "goodbye")


async def test_tones_of_a_phone_that_knows_no_events(office: Office, phones: Phones, tmp_path: Path) -> None:
    """An outside caller (sipp) whose SDP names A-law alone presses 1 at the attendant's menu."""
    samples, _ = audio.read_wav(audio.write_keys(tmp_path / "keys.wav", "1"))
    (tmp_path / "keys.alaw").write_bytes(encode(samples))
    (chef,) = await people(office, phones, CHEF)
    host = phones.network.host()
    office.cli("trunk", "add", "line", "--host", f"{host}:5060")
    office.cli("inbound", "add", "--trunk", "line", "--called", "4930800", "--service", MENU)
    caller = Caller().invite(
        body=SDP.format(version=1, direction="sendrecv").replace("[media_port]", "[rtpstream_audio_port]")
    )
    caller.hears(100, optional=True).hears(200, rrs=True).ack()
    caller.steps.append(f'<nop><action><exec rtp_stream="{tmp_path}/keys.alaw,1,8"/></action></nop>')
    with open_outside(tmp_path, phones.network) as outside:
        weber = outside.calls(caller.is_hung_up_on(), host, "4930800", office.address)
        await chef.rings(15)
        await chef.accept()
        await chef.talks()
        await chef.hang_up()
        await weber.plays_to_the_end()
