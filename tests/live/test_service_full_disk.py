"""A disk that fills up while somebody speaks: who speaks is told, what fitted is kept, and no call ends of it."""

from __future__ import annotations

import asyncio
import subprocess
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.live import audio, processes, spoken
from tests.live.conftest import Phones
from tests.live.office import Office
from tests.live.phone import connect
from tests.live.scene import TALK_S, people, shown, silent, talk, until

SMALL_KIB = 96
"""Six seconds of a voice."""


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A disk of its own for a folder."""
    processes.needs("mount", "umount")
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_KIB}k,mode=700", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    if done.returncode:
        processes.lacks(f"this user may not mount a small disk: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], timeout=10, check=True)


def seconds_of(file: Path) -> float:
    with wave.open(str(file)) as sound:
        return float(sound.getnframes() / sound.getframerate())


async def test_a_message_ends_where_the_disk_does(office: Office, phones: Phones) -> None:
    office.extension("202")
    (anna,) = await people(office, phones, "201")
    box = office.state / "voicemail" / "202"
    with small_disk(box):
        await anna.dial("*98*202")
        await anna.ended(35)
        spoken.assert_said(anna.heard, "vm-leave", "vm-full")
        (message,) = box.glob("new-*.wav")
        assert 3 < seconds_of(message) < 7
        audio.assert_heard(message, anna.tone, 2000)
    await until(lambda: "space left" in office.log(), "the log says why")
    assert office.json("calls") == []
    assert office.run("status").status == 0


async def test_a_recorded_call_goes_on_without_its_recording(office: Office, phones: Phones) -> None:
    office.extension("212", "--right", "record")
    anna, ben = await people(office, phones, "211", "212")
    with small_disk(office.state / "recordings"):
        await connect(anna, ben)
        await ben.digits("*1")
        await shown(office, "talking")
        await until(lambda: "space left" in office.log().rpartition("is recorded for")[2], "the log says why", 25)
        (file,) = (office.state / "recordings").glob("*/*.wav")
        assert 3 < seconds_of(file) < 7
        await asyncio.sleep(TALK_S)
        assert [call["state"] for call in office.json("calls")] == ["talking"]
        await talk(anna, ben)
        await silent(office)
    audio.assert_heard(anna.heard, ben.tone, 6000)
    spoken.assert_said(ben.heard, "recording-on", "recording-off")
