"""Conference rooms with passwords, joining one's own number's call, full boxes, and services with mistakes."""

from __future__ import annotations

import asyncio
import shutil
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.media.tones import hold_music
from engine.pbx.messages import MOST_MESSAGES
from tests.live import spoken
from tests.live.conftest import Phones
from tests.live.office import Office
from tests.live.phone import connect
from tests.live.scene import TALK_S, assert_hears, hears_itself, people, shown, silent, until


@pytest.fixture
def own(office: Office) -> Iterator[Path]:
    """The folder of the office's own services, empty again afterwards."""
    folder = office.state / "lua" / "services"
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(office.state / "lua")


async def test_a_room_has_a_password_and_its_first_hears_music(office: Office, phones: Phones) -> None:
    anna, ben = await people(office, phones, "201", "202")
    await anna.dial("*6*88*42")
    await anna.talks()
    await shown(office, "conference")
    await anna.stays_quiet("CALL_CLOSED", 3)
    await ben.dial("*6*88*41")
    await ben.talks()
    await ben.digits("42#")
    await until(lambda: [call["state"] for call in office.json("calls")] == ["conference"] * 2, "both are in")
    await asyncio.sleep(2 * TALK_S)
    for phone in (anna, ben):
        await phone.hang_up()
    await silent(office)
    music = array("h", hold_music().samples)[: 2 * spoken.RATE]
    spoken.assert_heard(anna.heard, ("music", music))
    assert_hears(anna.heard, ben.tone)
    assert_hears(ben.heard, anna.tone)


async def test_a_wrong_password_lets_nobody_in(office: Office, phones: Phones) -> None:
    anna, ben = await people(office, phones, "211", "212")
    await anna.dial("*6*89*42")
    await anna.talks()
    await shown(office, "conference")
    await ben.dial("*6*89*1")
    await ben.talks()
    await ben.digits("2#3#4#")
    await ben.ended(20)
    spoken.assert_said(ben.heard, "wrong-password")
    await anna.hang_up()
    await silent(office)


async def test_another_phone_of_the_number_joins_its_call(office: Office, phones: Phones) -> None:
    office.extension("221", "--multi-device")
    anna, twin, ben = await people(office, phones, "221", "221", "222")
    await twin.dial("*74")
    await twin.ended(10)
    spoken.assert_said(twin.heard, "join-nothing")
    await connect(anna, ben)
    await twin.dial("*74")
    await twin.talks()
    await shown(office, "conference")
    await asyncio.sleep(TALK_S)
    await anna.hang_up()
    await shown(office, "talking")
    await asyncio.sleep(TALK_S)
    await twin.hang_up()
    await silent(office)
    for phone in (anna, twin, ben):
        assert_hears(phone.heard, *({anna.tone, twin.tone, ben.tone} - {phone.tone}))
        assert not hears_itself(phone)


async def test_a_full_box_says_so(office: Office, phones: Phones) -> None:
    (anna,) = await people(office, phones, "231")
    office.extension("232")
    box = office.state / "voicemail" / "232"
    box.mkdir(parents=True, mode=0o700)
    for number in range(MOST_MESSAGES):
        (box / f"old-{1700000000000 + number}-231.wav").write_bytes(b"")
    await anna.dial("*98*232")
    await anna.ended(20)
    spoken.assert_said(anna.heard, "vm-leave", "vm-full")
    assert len([*box.iterdir()]) == MOST_MESSAGES
    assert "the box is full" in office.log()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("call:answer() call:play('no-such-prompt') call:play('done') call:hangup()", ["done"]),
        ("call:answer() call:play({'done', 'no-such-prompt'}) call:play('cleared') call:hangup()", ["cleared"]),
        ("call:answer() call:play('done') call:play(('x'):rep(1e5))", ["done", "apology"]),
        (
            "call:answer() call:play('done') local t = {} for n = 1, 1e5 do t[n] = 'x' end call:play(t)",
            ["done", "apology"],
        ),
        ("call:answer() call:play('done') error('my fault')", ["done", "apology"]),
        ("call:answer() call:play('done') while true do end", ["done", "apology"]),
    ],
    ids=["a missing prompt", "one of several", "an endless name", "an endless list", "an error", "an endless loop"],
)  # fmt: skip
async def test_a_service_with_mistakes_ends_its_own_call_alone(
    office: Office, phones: Phones, own: Path, body: str, said: list[str]
) -> None:
    (anna,) = await people(office, phones, "241")
    (own / "clock.lua").write_text(
        f"local service = {{}}\nfunction service.run(call)\n{body}\nend\nreturn service\n"
    )
    await anna.dial("*60")
    await anna.ended(15)
    spoken.assert_said(anna.heard, *said)
    if "apology" in said:
        await until(lambda: "clock.lua:3: " in office.log(), "the log names the line")
        (listed,) = [each for each in office.json("service", "list") if each["name"] == "clock"]
        assert (listed["last_error"], listed["failed_at"] is None) == (None, False)
        assert listed["last_failure"].startswith("clock.lua:3: ")


async def test_an_edit_counts_from_the_next_call_on_and_a_broken_one_leaves_the_last_good_one(
    office: Office, phones: Phones, own: Path
) -> None:
    (anna,) = await people(office, phones, "251")
    text = "local service = {{}}\nfunction service.run(call)\ncall:answer() call:play('{}')\n{}\nreturn service\n"
    for prompt, end, said in (("done", "end", "done"), ("cleared", "end", "cleared"), ("done", "if", "cleared")):
        (own / "clock.lua").write_text(text.format(prompt, end))
        anna.forget()
        await anna.dial("*60")
        await anna.ended(10)
        spoken.assert_said(anna.heard, said)
        spoken.assert_not_said(anna.heard, *({"done", "cleared"} - {said}))
    (listed,) = [each for each in office.json("service", "list") if each["name"] == "clock"]
    assert "clock.lua:5:" in listed["last_error"]
