"""Voicemail with real phones: left by one, heard by another after the engine was killed; the lamp of its owner."""

from __future__ import annotations

import re
from array import array
from pathlib import Path

from tests.live import audio, spoken
from tests.live.conftest import Phones
from tests.live.office import Office
from tests.live.scene import people, silent, until
from tests.live.sipp import SCENARIOS, SippPhone

SENTENCE, GREETING = "join-nothing", "conference-first"
"""What somebody says; no service here says the same."""


def over_and_over(path: Path, name: str) -> Path:
    """A sentence with pauses, for a minute."""
    one = spoken.prompt(name) + array("h", bytes(8000))
    audio.write_wav(path, one * (60 * spoken.RATE // len(one)))
    return path


async def watch_box(office: Office, phones: Phones, number: str) -> SippPhone:
    """A phone of its owner that has a lamp for the messages (RFC 3842), and has been told how they stand."""
    script = (SCENARIOS / "watcher.xml").read_text().replace("{watched}", number)
    script = script.replace("Event: dialog", "Event: message-summary")
    script = script.replace("application/dialog-info+xml", "application/simple-message-summary")
    watcher = await phones.scripted(office.account(number), script)
    await until(lambda: lamp(watcher), "the phone is told of its messages")
    return watcher


def lamp(watcher: SippPhone) -> tuple[str, str] | None:
    """What its phone was told last: whether messages wait, and how many are new and old."""
    found = re.findall(r"Messages-Waiting: (\w+)\r?\n(?:.*\r?\n)*?Voice-Message: (\d+/\d+)", watcher.messages())
    return found[-1] if found else None


def box(office: Office, number: str, state: str) -> list[Path]:
    return [*(office.state / "voicemail" / number).glob(f"{state}-*.wav")]


def seconds_in(files: list[Path]) -> float:
    return max((file.stat().st_size / 16000 for file in files), default=0.0)


async def test_a_message_outlives_the_engine_and_lights_its_owner_s_lamp(
    office: Office, phones: Phones, tmp_path: Path
) -> None:
    office.extension("232", "--multi-device")
    anna, ben = await people(office, phones, "231", "232")
    watcher = await watch_box(office, phones, "232")
    assert lamp(watcher) == ("no", "0/0")
    await anna.dial("*98*232")
    await anna.talks()
    await anna.speak(over_and_over(tmp_path / "said.wav", SENTENCE))
    await until(lambda: seconds_in(box(office, "232", "new")) > 6, "the message is recorded", 25)
    await anna.digits("#")
    await anna.ended(8)
    spoken.assert_said(anna.heard, "vm-leave", "thank-you")
    await until(lambda: lamp(watcher) == ("yes", "1/0"), "the lamp is lit")
    (message,) = office.json("voicemail", "list", "232")
    assert (message["caller"], message["new"]) == ("231", True)

    office.kill()
    office.start()
    again = await watch_box(office, phones, "232")
    assert lamp(again) == ("yes", "1/0")
    await ben.dial("*97")
    await ben.talks()
    await until(lambda: box(office, "232", "old"), "the message was heard", 30)
    await until(lambda: lamp(again) == ("no", "0/1"), "the lamp goes out")
    await ben.digits("3")
    await until(lambda: not box(office, "232", "old"), "the message is removed")
    await until(lambda: lamp(again) == ("no", "0/0"), "nothing is left to tell")
    await ben.hang_up()
    await silent(office)
    spoken.assert_said(ben.heard, "vm-have", "digits/1", SENTENCE)


async def test_what_was_said_before_the_engine_was_killed_is_kept(
    office: Office, phones: Phones, tmp_path: Path
) -> None:
    anna, ben = await people(office, phones, "233", "234")
    await anna.dial("*98*234")
    await anna.talks()
    await anna.speak(over_and_over(tmp_path / "said.wav", SENTENCE))
    await until(lambda: seconds_in(box(office, "234", "new")) > 6, "the message is recorded", 25)
    office.kill()
    await anna.hang_up()
    office.start()
    await ben.dial("*97")
    await ben.talks()
    await until(lambda: box(office, "234", "old"), "the message was heard", 30)
    await ben.hang_up()
    await silent(office)
    spoken.assert_said(ben.heard, "vm-have", "digits/1", SENTENCE)


async def test_a_box_greets_with_its_owner_s_words(office: Office, phones: Phones, tmp_path: Path) -> None:
    anna, ben = await people(office, phones, "235", "236")
    greeting = office.state / "voicemail" / "236" / "greeting.wav"
    await ben.dial("*97")
    await ben.talks()
    await ben.speak(over_and_over(tmp_path / "said.wav", GREETING))
    await ben.digits("5")
    await until(lambda: seconds_in([greeting] if greeting.exists() else []) > 6, "the greeting is recorded", 30)
    await ben.digits("#")
    await ben.ended(15)
    spoken.assert_said(ben.heard, "vm-say-greeting", "vm-saved", "goodbye")
    await anna.dial("*98*236")
    await anna.talks()
    await until(lambda: box(office, "236", "new"), "the message begins", 30)
    await anna.hang_up()
    await silent(office)
    spoken.assert_said(anna.heard, GREETING)
    spoken.assert_not_said(anna.heard, "vm-leave")


async def test_who_calls_in_vain_is_led_to_the_box(office: Office, phones: Phones) -> None:
    """By the points busy, no answer and unreachable; the call that is not taken rings before."""
    anna, ben = await people(office, phones, "237", "238")
    for point in ("busy", "unreachable"):
        office.cli(
            "service", "trigger", "add", "--point", point, "--number", "238", "--service", "voicemail_deposit"
        )
    await anna.dial("238")
    await ben.rings()
    await ben.decline()
    await anna.talks()
    await until(lambda: seconds_in(box(office, "238", "new")) > 1, "the message is recorded", 20)
    await anna.hang_up()
    await silent(office)
    spoken.assert_said(anna.heard, "vm-leave")
    await ben.close()
    await anna.dial("238")
    await anna.talks()
    await until(lambda: len(box(office, "238", "new")) == 2, "another message begins", 20)
    await anna.hang_up()
    await silent(office)
    spoken.assert_said(anna.heard, "vm-leave")
