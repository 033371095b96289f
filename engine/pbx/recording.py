"""Recording on demand: a party with the right to presses a code in its call, and once more to end it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import NamedTuple

from engine.core.errors import RefusedError
from engine.core.text import shown
from engine.media.gateway import PLAYABLE, MediaLegId, MixId, RecordingId
from engine.pbx.bridge import Bridge
from engine.pbx.call import Call, ToggleRecording
from engine.pbx.leg import Leg
from engine.store.configuration import Right

log = logging.getLogger(__name__)


Recorded = tuple[MediaLegId, MediaLegId] | MixId
"""What a recording is of."""


class Running(NamedTuple):
    """A recording that runs."""

    id: RecordingId
    file: Path


def may_record(leg: Leg) -> bool:
    """Whether this party may have its calls recorded."""
    return leg.extension is not None and Right.RECORD in leg.extension.rights


async def toggle_recording(call: Call, bridge: Bridge, by: Leg) -> None:
    """Begin to record both parties, or end it; who pressed hears which. A full disk is told and ends no call."""
    if call.recorder is not None:
        await stop_recording(call)
        await _tell(call, by, "recording-off")
        return
    try:
        await start_recording(call, (bridge.one.media, bridge.other.media), by.number)
    except OSError as error:
        log.error("call %s cannot be recorded: %s", call.id, error)
        await _tell(call, by, "cannot-complete")
    else:
        await _tell(call, by, "recording-on")


async def answer_recording(call: Call, target: Recorded, cue: ToggleRecording) -> None:
    """The same for somebody who is no party: what became of it is told to who asked, and to no phone."""
    if cue.file.done():
        return
    if call.recorder is not None:
        await stop_recording(call)
        cue.file.set_result(None)
        return
    try:
        cue.file.set_result(str(await start_recording(call, target, cue.by)))
    except OSError as error:
        log.error("call %s cannot be recorded: %s", call.id, error)
        cue.file.set_exception(RefusedError(f"call {call.id} cannot be recorded: {error}", "free some space"))


async def start_recording(call: Call, target: Recorded, by: str) -> Path:
    """Record two parties or a mix; gives the file, raises ``OSError``."""
    at = call.exchange.clock.wall()
    file = call.exchange.keeper.folder / "recordings" / f"{at:%Y-%m-%d}" / f"{at:%H%M%S}-{call.id}.wav"
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    recording = await call.exchange.gateway.start_recording(target, file)
    call.recorder = Running(recording, file)
    call.recording = str(file)
    call.touch()
    log.info("call %s is recorded for %s", call.id, shown(by))
    return file


async def stop_recording(call: Call) -> None:
    """The recording is over; its file stays."""
    running, call.recorder = call.recorder, None
    if running is not None:
        seconds = await call.exchange.gateway.stop_recording(running.id)
        log.info("call %s was recorded for %.0f s: %s", call.id, seconds, running.file)


async def lose_recording(call: Call) -> None:
    """The recording has ended by itself: its file keeps what there was, and who may record hears of it."""
    await stop_recording(call)
    call.touch()
    for leg in call.legs:
        if may_record(leg) and leg.has_media:
            await _tell(call, leg, "recording-off")


async def _tell(call: Call, leg: Leg, prompt: str) -> None:
    clip = call.exchange.prompts(prompt, str(call.exchange.configuration.params["language"]))
    settled = leg.talks.settled
    if clip is not None and settled is not None and PLAYABLE & set(settled.codecs):
        await call.exchange.gateway.play(leg.media, clip)
