"""A console on a made-up office with a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from textual import _wait
from textual import app as app_module
from textual import pilot as pilot_module
from textual.pilot import Pilot

from engine.core.clock import ManualClock
from engine.pbx.rights import Asker
from tests.unit.tui.fake_desk import ADMIN, FakeDesk
from tui.console import FrontdeskConsole
from tui.texts import speak

# The pilot takes the console for idle after a slice without work; shorter slices make a faster suite.
_wait.SLEEP_GRANULARITY = 0.01
_wait.SLEEP_IDLE = 0.005

_MOST_ROUNDS = 10_000
MOST_LOOKS = 60


async def _wait_until_idle(min_sleep: float = _wait.SLEEP_GRANULARITY, max_sleep: float = 1) -> None:
    """Textual's own wait takes a process that got no time for an idle one: wait for the loop's queue as well."""
    await _wait.wait_for_idle(min_sleep, max_sleep)
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
    for _ in range(_MOST_ROUNDS):
        if not ready:
            return
        await asyncio.sleep(0)


app_module.wait_for_idle = _wait_until_idle  # type: ignore[attr-defined]
pilot_module.wait_for_idle = _wait_until_idle  # type: ignore[attr-defined]

MONDAY = datetime(2026, 3, 2, 9, 41, 22, tzinfo=UTC)


@dataclass
class Office:
    """One running console and everything around it."""

    desk: FakeDesk
    clock: ManualClock
    app: FrontdeskConsole
    pilot: Pilot[None]

    def draw(self, seconds: float = 0.0) -> None:
        """Let time pass and the console look at the office again."""
        self.clock.advance(seconds)
        self.app.draw_screens()

    @property
    def text(self) -> str:
        """The screen as lines of characters."""
        width, _height = self.app.size
        return "\n".join(
            "".join(segment.text for segment in strip).ljust(width).rstrip()
            for strip in self.app.screen._compositor.render_strips(self.app.size)
        )

    async def shows(self, text: str) -> None:
        """Wait until the screen shows ``text``; a busy machine may draw later than the pilot's pause ends."""
        for _ in range(MOST_LOOKS):
            if text in self.text:
                return
            await self.pilot.pause(0.05)
        raise AssertionError(f"{text!r} is not shown:\n{self.text}")


OfficeMaker = Callable[..., AbstractAsyncContextManager[Office]]


@pytest.fixture
def office() -> OfficeMaker:
    @asynccontextmanager
    async def run(
        size: tuple[int, int] = (120, 34), asker: Asker = ADMIN, language: str = "en", furnished: bool = True
    ) -> AsyncIterator[Office]:
        clock = ManualClock(wall=MONDAY)
        desk = FakeDesk(clock)
        if furnished:
            desk.furnish()
        app = FrontdeskConsole(desk, asker, clock, zone=UTC, language=language)
        # What a test draws by itself is drawn in the test's own context: it speaks the console's language, too.
        speak(app.tongue)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            yield Office(desk, clock, app, pilot)

    return run
