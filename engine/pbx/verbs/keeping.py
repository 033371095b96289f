"""Verbs that record what the caller says, and tell and remove what was recorded."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from hmac import compare_digest
from pathlib import Path
from typing import Any

from engine.core.events import AlarmRaised
from engine.core.text import shown
from engine.media.gateway import RecordingId
from engine.pbx.call import Pressed, RecordingFailed
from engine.pbx.in_service import InService
from engine.pbx.messages import mark_heard, messages_of, new_message, remove_message
from engine.pbx.routing.table import table_of
from engine.pbx.verbs.activity import Activity

log = logging.getLogger(__name__)

LONGEST_S, SHORTEST_S = 300.0, 0.5
_MOST_TOLD = 100
GREETING = "greeting"


class Recording(Activity):
    """Records the caller until it presses a key of ``stop``, hangs up, or the time is over."""

    takes_digits = True

    def __init__(self, at: InService, file: Path, most_s: float, stop: str) -> None:
        super().__init__(at)
        self._file = file
        self._most_s = most_s
        self._keys = stop
        self._recording: RecordingId | None = None

    async def begin(self) -> None:
        try:
            self._recording = await self.at.exchange.gateway.start_recording(self.at.caller.media, self._file)
        except OSError as error:
            log.error("%s cannot be recorded: %s", self._file, error)
            self.at.over(failure=f"it cannot be recorded: {error.strerror or error}")
            return
        self.at.exchange.recorders[self._recording] = self.at.call
        self.at.wait(self._most_s)

    async def hear(self, cue: Any) -> None:
        if isinstance(cue, RecordingFailed):
            await self._end()
            self.at.over(failure=f"it cannot be recorded: {cue.reason}")
            return
        if isinstance(cue, Pressed) and cue.digit not in self._keys:
            return
        seconds = await self._end()
        ended = cue.digit if isinstance(cue, Pressed) else "timeout"
        self.at.over({"seconds": round(seconds, 1), "name": self._file.stem, "ended": ended})

    async def stop(self) -> None:
        """Who hangs up has said what it wanted to say."""
        await self._end()

    async def _end(self) -> float:
        recording, self._recording = self._recording, None
        if recording is None:
            return 0.0
        self.at.exchange.recorders.pop(recording, None)
        seconds = await self.at.exchange.gateway.stop_recording(recording)
        if seconds < SHORTEST_S:
            self._file.unlink(missing_ok=True)  # somebody changed their mind
        elif self._file.stem != GREETING:
            self.at.exchange.note_message(self._file.parent.name, self._file.stem)
        self.at.exchange.touch_mailbox(self._file.parent.name)
        return seconds


async def record(at: InService, asked: Mapping[str, Any]) -> None:
    """Record a message into a box, or with the name ``greeting:BOX`` what the box says."""
    if not at.is_answered:
        at.over(failure="the call is not answered")
        return
    name, folder = asked["name"], at.exchange.keeper.folder
    kind, _, box = name.partition(":")
    try:
        if kind == "greeting":
            file = greeting_file(folder, box)
            if file is not None:
                file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        else:
            file = new_message(folder, box or name, at.caller.number, at.exchange.clock.wall())
    except OSError as error:
        at.over(failure=f"it cannot be recorded: {error.strerror}")
        return
    if file is None:
        at.over(failure="the box is full" if box else "there is no such box")
        return
    await at.do(Recording(at, file, float(asked.get("most") or LONGEST_S), asked.get("stop") or "#"))


def greeting_file(folder: Path, box: str) -> Path | None:
    """What a box says to who calls."""
    return folder / "voicemail" / box / f"{GREETING}.wav" if box.isalnum() else None


async def recordings(at: InService, asked: Mapping[str, Any]) -> None:
    """The messages of a box, new ones first."""
    zone = table_of(at.exchange.configuration)
    at.over([
        {
            "name": each.name,
            "caller": each.caller,
            "is_new": each.is_new,
            "seconds": each.seconds,
            "time": f"{zone.local(each.at):%H:%M}",
            "date": f"{zone.local(each.at):%Y-%m-%d}",
        }
        for each in messages_of(at.exchange.keeper.folder, asked["box"])[:_MOST_TOLD]
    ])  # fmt: skip


async def keep(at: InService, asked: Mapping[str, Any]) -> None:
    """The message has been heard."""
    try:
        is_there = mark_heard(at.exchange.keeper.folder, asked["box"], asked["recording"])
    except OSError as error:
        at.over(failure=error.strerror or "it cannot be kept")
        return
    at.exchange.touch_mailbox(asked["box"])
    at.over(failure=None if is_there else "there is no such message")


async def erase(at: InService, asked: Mapping[str, Any]) -> None:
    try:
        is_there = remove_message(at.exchange.keeper.folder, asked["box"], asked["recording"])
    except OSError as error:
        at.over(failure=error.strerror or "it cannot be removed")
        return
    at.exchange.touch_mailbox(asked["box"])
    at.over(failure=None if is_there else "there is no such message")


async def pin(at: InService, asked: Mapping[str, Any]) -> None:
    """Whether this is the PIN of a box; one without a PIN opens to nobody else."""
    owner = at.exchange.configuration.extensions.get(asked["box"])
    known = owner.voicemail_pin if owner is not None else None
    at.over(known is not None and compare_digest(known.encode(), asked["typed"].encode()))


async def mark(at: InService, asked: Mapping[str, Any]) -> None:
    """Tell everybody who watches the office, and the log."""
    text = shown(asked["text"], 200)
    log.warning("service %s of call %s: %s", at.service, at.call.id, text)
    at.exchange.bus.publish(AlarmRaised(at.exchange.clock.wall(), text))
    at.over()
