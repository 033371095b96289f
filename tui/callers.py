"""What the office knows of who calls: asked for once, and again when it may have changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from engine.core.errors import RefusedError
from engine.desk.commands import Command
from engine.desk.contacts import CallerView, LookUpCaller

KEPT_S = 60.0
_MOST = 500
UNKNOWN = ("anonymous", "")


class CallerBook:
    """Of one console."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[CallerView, datetime]] = {}
        self._asked: set[str] = set()

    def of(self, number: str) -> CallerView | None:
        """What is known; ``None`` before the answer."""
        known = self._known.get(number)
        return known[0] if known is not None else None

    def lacks(self, number: str, at: datetime) -> bool:
        """Whether the office should be asked."""
        if number in UNKNOWN or number in self._asked:
            return False
        known = self._known.get(number)
        return known is None or not 0 <= (at - known[1]).total_seconds() < KEPT_S

    async def look_up(self, number: str, at: datetime, ask: Callable[[Command], Awaitable[CallerView]]) -> None:
        """Ask for a number; a refusal leaves it unknown for a while."""
        self._asked.add(number)
        try:
            view = await ask(LookUpCaller(number))
        except RefusedError:
            view = CallerView(number)
        finally:
            self._asked.discard(number)
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[number] = view, at

    def forget(self, number: str) -> None:
        """Ask anew when it is needed next."""
        self._known.pop(number, None)
