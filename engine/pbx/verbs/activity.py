"""A verb that takes time: what it does meanwhile with digits and timers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from engine.core.views import ReleasedBy
from engine.media.gateway import Clip

if TYPE_CHECKING:
    from engine.pbx.in_service import InService

LAST_WORD_S = 0.3
"""What a phone has received it plays a moment later; hung up on at once it would swallow the last word."""
SILENCE = Clip("silence", bytes(round(LAST_WORD_S * 16000)))
"""Some phones play what waits in their jitter buffer only as more comes."""


class Due(NamedTuple):
    """The time that an activity waited for is over; one of an earlier ``round`` is stale."""

    round: int


class Activity:
    """What a service's call is doing: it ends by ``self.at.over(...)``, and is stopped when the call ends first."""

    takes_digits = False
    """Whether it hears the caller's digits; else they are kept for the next question."""

    def __init__(self, at: InService) -> None:
        self.at = at

    async def begin(self) -> None: ...

    async def hear(self, cue: Any) -> None:
        """``Due`` or ``Pressed``."""

    async def stop(self) -> None:
        """Whatever was taken is given back."""


class Waiting(Activity):
    """Lets time pass."""

    def __init__(self, at: InService, seconds: float) -> None:
        super().__init__(at)
        self._seconds = seconds

    async def begin(self) -> None:
        self.at.wait(self._seconds)

    async def hear(self, cue: Any) -> None:
        self.at.over()


class LastWord(Activity):
    """Lets the caller hear what was said last, and ends the call."""

    def __init__(self, at: InService, cause: str) -> None:
        super().__init__(at)
        self._cause = cause

    async def begin(self) -> None:
        await self.at.exchange.gateway.play(self.at.caller.media, SILENCE)
        self.at.wait(LAST_WORD_S)

    async def hear(self, cue: Any) -> None:
        if isinstance(cue, Due):
            await self.at.leave(ReleasedBy.SYSTEM, self._cause, hung_up=False)
