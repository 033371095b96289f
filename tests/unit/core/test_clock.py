"""The time of day keeps step with the monotonic clock until somebody asks for what it was set to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.core import clock as clock_module
from engine.core.clock import ManualClock, SystemClock


def test_setting_the_clock_shows_only_when_it_is_followed() -> None:
    clock = ManualClock()
    before = clock.wall()
    clock.set_wall(timedelta(days=-365))
    clock.advance(10)
    assert clock.wall() - before == timedelta(seconds=10)
    assert clock.follow() == timedelta(days=-365)
    assert clock.wall() - before == timedelta(days=-365, seconds=10)
    assert clock.follow() == timedelta()


def test_small_steps_are_taken_over_and_not_told() -> None:
    clock = ManualClock()
    before = clock.wall()
    clock.set_wall(timedelta(milliseconds=400))
    assert clock.follow() == timedelta()
    assert clock.wall() - before == timedelta(milliseconds=400)


def test_system_clock_follows_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SystemClock()
    assert abs(clock.wall() - datetime.now(UTC)) < timedelta(seconds=1)
    real = clock_module._monotonic_zero
    monkeypatch.setattr(clock_module, "_monotonic_zero", lambda: real() + timedelta(days=366))
    assert abs(clock.wall() - datetime.now(UTC)) < timedelta(seconds=1)
    assert abs(clock.follow() - timedelta(days=366)) < timedelta(seconds=1)
    assert clock.wall() > datetime.now(UTC) + timedelta(days=365)
