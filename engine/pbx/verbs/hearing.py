"""Verbs that let the caller hear something, and hear what it presses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.media.gateway import PLAYABLE
from engine.pbx.call import Pressed
from engine.pbx.clips import Clips, UnknownClipError
from engine.pbx.in_service import InService
from engine.pbx.spoken import digits_clips, number_clips, time_clips
from engine.pbx.verbs.activity import SILENCE, Activity, Due

FIRST_S, BETWEEN_S, MOST_DIGITS = 8.0, 4.0, 32
MOST_CLIPS = 100
_NOT_ANSWERED = "the call is not answered"


def why_silent(at: InService) -> str | None:
    """Why nothing can be played to the caller now; ``None`` when it can."""
    leg = at.caller
    settled = leg.negotiation.settled if leg.negotiation else None
    if settled is None or not at.is_answered:
        return _NOT_ANSWERED
    if not PLAYABLE & set(settled.codecs):
        return f"nothing can be played to a phone that speaks {', '.join(settled.codecs)} alone"
    return None


def clips_named(at: InService, names: Any) -> list[str]:
    """Names of clips, each known; raises ``UnknownClipError``. Each is loaded in its turn: some last minutes."""
    wanted = [names] if isinstance(names, str) else [str(name) for name in names]
    if len(wanted) > MOST_CLIPS:
        raise UnknownClipError(f"{len(wanted)} clips are too many at once: use {MOST_CLIPS} at most")
    clips = Clips.of(at.exchange)
    for name in wanted:
        clips.check(name)
    return wanted


async def begin_clip(at: InService, name: str) -> None:
    """Play one clip and let the activity hear of its end; one that is gone meanwhile is the verb's failure."""
    try:
        clip = Clips.of(at.exchange).find(name)
    except UnknownClipError as error:
        at.over(failure=str(error))
        return
    await at.exchange.gateway.play(at.caller.media, clip)
    at.wait(clip.duration_ms / 1000)


class Playing(Activity):
    """Plays clips one after the other; over at the end of the last, or at the first digit where that is wanted."""

    def __init__(self, at: InService, clips: list[str], *, stops_at_digit: bool = False) -> None:
        super().__init__(at)
        self._clips = clips
        self.takes_digits = stops_at_digit

    async def begin(self) -> None:
        if self.takes_digits and self.at.typed:
            self.at.over("digit")
        else:
            await self._next()

    async def _next(self) -> None:
        if not self._clips:
            self.at.speaks_until = self.at.now
            self.at.over()
            return
        await begin_clip(self.at, self._clips.pop(0))

    async def hear(self, cue: Any) -> None:
        if isinstance(cue, Due):
            await self._next()
        elif isinstance(cue, Pressed):
            self.at.typed += cue.digit
            await self.at.exchange.gateway.stop_playing(self.at.caller.media)
            self.at.over("digit")


async def play(at: InService, asked: Mapping[str, Any]) -> None:
    failure = why_silent(at)
    if failure is not None:
        at.over(failure=failure)
        return
    try:
        clips = clips_named(at, asked["clip"])
        endless = Clips.of(at.exchange).find(clips[0]) if asked.get("repeat") else None
    except UnknownClipError as error:
        at.over(failure=str(error))
        return
    if endless is not None:
        await at.exchange.gateway.play(at.caller.media, endless, repeat=True)
        at.over()
    else:
        await at.do(Playing(at, clips, stops_at_digit=bool(asked.get("unless_digit"))))


async def stop(at: InService, asked: Mapping[str, Any]) -> None:
    """Whatever is played ends."""
    if at.caller.has_media:
        await at.exchange.gateway.stop_playing(at.caller.media)
    at.over()


async def say(at: InService, asked: Mapping[str, Any]) -> None:
    """Digits one by one, a number, or a time of day, from the prompts of the office's language."""
    failure = why_silent(at)
    what, kind = asked["what"], asked.get("as") or "digits"
    language = Clips.of(at.exchange).language
    if failure is None:
        try:
            if kind == "digits":
                names = digits_clips(str(what))
            elif kind == "number":
                names = number_clips(int(what), language)
            elif kind == "time":
                names = time_clips(str(what), language)
            else:
                raise ValueError(f"'{kind}' cannot be said: use digits, number or time")
            clips = clips_named(at, names)
        except (ValueError, UnknownClipError) as error:
            failure = str(error)
    if failure is not None:
        at.over(failure=failure)
    else:
        await at.do(Playing(at, clips))


class Collecting(Activity):
    """Takes digits; what is played meanwhile ends at the first."""

    takes_digits = True

    def __init__(self, at: InService, asked: Mapping[str, Any], prompts: list[str]) -> None:
        super().__init__(at)
        self._prompts = prompts
        self._most = min(int(asked.get("most") or MOST_DIGITS), MOST_DIGITS)
        self._stop = asked["stop"] if asked.get("stop") is not None else "#"
        self._first_s = float(asked.get("first", FIRST_S))
        self._between_s = float(asked.get("between", BETWEEN_S))
        self._digits = ""
        self._is_playing = False

    async def begin(self) -> None:
        typed, self.at.typed = self.at.typed, ""
        for place, digit in enumerate(typed):
            if self._add(digit):
                self.at.typed = typed[place + 1 :]
                return
        if self._digits:
            self.at.wait(self._between_s)
        else:
            await self._next()

    async def hear(self, cue: Any) -> None:
        if isinstance(cue, Pressed):
            if self._is_playing:
                self._is_playing = False
                await self.at.exchange.gateway.stop_playing(self.at.caller.media)
            if not self._add(cue.digit):
                self.at.wait(self._between_s)
        elif self._is_playing:
            await self._next()
        else:
            self._end("timeout")

    async def _next(self) -> None:
        has_played, self._is_playing = self._is_playing, bool(self._prompts)
        if not self._prompts:
            if has_played:
                await self.at.exchange.gateway.play(self.at.caller.media, SILENCE)
            self.at.wait(self._first_s)
            return
        await begin_clip(self.at, self._prompts.pop(0))

    def _add(self, digit: str) -> bool:
        """Whether that was the last one."""
        if digit in self._stop:
            self._end("stop")
            return True
        self._digits += digit
        if len(self._digits) >= self._most:
            self._end("most")
            return True
        return False

    def _end(self, why: str) -> None:
        self.at.over({"digits": self._digits, "ended": why})


async def collect(at: InService, asked: Mapping[str, Any]) -> None:
    if not at.is_answered:
        at.over(failure=_NOT_ANSWERED)
        return
    prompts: list[str] = []
    if asked.get("prompt") and why_silent(at) is None:
        try:
            prompts = clips_named(at, asked["prompt"])
        except UnknownClipError as error:
            at.over(failure=str(error))
            return
    await at.do(Collecting(at, asked, prompts))


async def send(at: InService, asked: Mapping[str, Any]) -> None:
    """Digits to the caller."""
    if not at.is_answered:
        at.over(failure=_NOT_ANSWERED)
        return
    digits = "".join(each for each in asked["digits"] if each in "0123456789*#ABCD")
    await at.exchange.gateway.send_digits(at.caller.media, digits)
    at.over()


async def echo(at: InService, asked: Mapping[str, Any]) -> None:
    if not at.is_answered:
        at.over(failure=_NOT_ANSWERED)
        return
    await at.exchange.gateway.connect(at.caller.media, at.caller.media)
    at.over()
