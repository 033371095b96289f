"""Recorded messages: one WAV file each, in a folder for each box, told apart by their names."""

from __future__ import annotations

import re
import wave
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_NAME = re.compile(r"(new|old)-(\d+)-([0-9A-Za-z+*#]*)\.wav")
_BOX = re.compile(r"[0-9A-Za-z_-]{1,32}")
MOST_MESSAGES = 100
"""In one box; who calls then hears that it is full."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a box."""

    name: str
    """Its file's name without the ending."""
    caller: str
    at: datetime
    is_new: bool
    seconds: int


def box_folder(folder: Path, box: str) -> Path | None:
    """Where a box's messages lie; ``None`` for what is no name of a box."""
    return folder / "voicemail" / box if _BOX.fullmatch(box) else None


def messages_of(folder: Path, box: str) -> list[Message]:
    """The messages of a box, new ones first, then by age."""
    place = box_folder(folder, box)
    if place is None or not place.is_dir():
        return []
    found = [_read(file, match) for file in place.iterdir() if (match := _NAME.fullmatch(file.name))]
    return sorted(found, key=lambda each: (not each.is_new, each.at, each.name))


def count_messages(folder: Path, box: str) -> tuple[int, int]:
    """How many messages are new, and how many were heard."""
    place = box_folder(folder, box)
    if place is None or not place.is_dir():
        return 0, 0
    found = [match[1] for file in place.iterdir() if (match := _NAME.fullmatch(file.name))]
    return found.count("new"), found.count("old")


def new_message(folder: Path, box: str, caller: str, at: datetime) -> Path | None:
    """The file for a message that is to be recorded; ``None`` where the box is full or none. Raises ``OSError``."""
    place = box_folder(folder, box)
    if place is None or len(messages_of(folder, box)) >= MOST_MESSAGES:
        return None
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    said = re.sub(r"[^0-9A-Za-z+*#]", "", caller)[:32]
    stamp = int(at.timestamp() * 1000)
    while (place / f"new-{stamp}-{said}.wav").exists():
        stamp += 1
    return place / f"new-{stamp}-{said}.wav"


def message_file(folder: Path, box: str, name: str) -> Path | None:
    """The file of a message; ``None`` when there is none of this name."""
    place = box_folder(folder, box)
    if place is None or not _NAME.fullmatch(f"{name}.wav"):
        return None
    for state in ("new", "old"):  # one that was heard meanwhile has another name
        file = place / f"{state}-{name[4:]}.wav"
        if file.is_file():
            return file
    return None


def mark_heard(folder: Path, box: str, name: str) -> bool:
    """The message is new no longer; whether there was such a one. Raises ``OSError``."""
    file = message_file(folder, box, name)
    if file is None:
        return False
    if file.name.startswith("new-"):
        file.rename(file.with_name("old-" + file.name[4:]))
    return True


def remove_message(folder: Path, box: str, name: str) -> bool:
    """Whether there was such a message. Raises ``OSError``."""
    file = message_file(folder, box, name)
    if file is None:
        return False
    file.unlink()
    return True


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """The recording of a call."""

    path: Path
    call: str
    at: datetime
    seconds: int


def recordings_in(folder: Path) -> list[RecordedCall]:
    """The recordings of calls, newest first."""
    files = (folder / "recordings").glob("*/*.wav")
    found = [
        RecordedCall(
            file, file.stem.partition("-")[2], datetime.fromtimestamp(file.stat().st_mtime, UTC), _seconds(file)
        )
        for file in files
    ]
    return sorted(found, key=lambda each: each.at, reverse=True)


def _seconds(file: Path) -> int:
    try:
        with wave.open(str(file)) as audio:
            return int(audio.getnframes() // max(1, audio.getframerate()))
    except (OSError, EOFError, wave.Error):
        return 0


def _read(file: Path, match: re.Match[str]) -> Message:
    at = datetime.fromtimestamp(int(match[2]) / 1000, UTC)
    return Message(file.stem, match[3], at, match[1] == "new", _seconds(file))
