"""A verb that takes time: what it does meanwhile with digits and timers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from engine.pbx.in_service import InService


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
