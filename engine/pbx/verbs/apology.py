"""What a caller hears of a service that broke, before the call ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.pbx.verbs.activity import Activity, Due, LastWord

if TYPE_CHECKING:
    from engine.media.gateway import Clip
    from engine.pbx.in_service import InService

PROMPT = "apology"


class Apologising(Activity):
    """Says that something went wrong, and ends the call."""

    def __init__(self, at: InService, clip: Clip) -> None:
        super().__init__(at)
        self._clip = clip

    async def begin(self) -> None:
        await self.at.exchange.gateway.play(self.at.caller.media, self._clip)
        self.at.wait(self._clip.duration_ms / 1000)

    async def hear(self, cue: Any) -> None:
        if isinstance(cue, Due):
            await self.at.do(LastWord(self.at, PROMPT))
