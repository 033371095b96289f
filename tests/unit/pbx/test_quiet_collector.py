"""Old cycles are looked for while nobody is on the phone, and in the end even then."""

from __future__ import annotations

import gc

import pytest

from engine.pbx import vitals
from engine.pbx.vitals import QuietCollector


@pytest.fixture
def collected(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Which generations were collected; nothing really is."""
    generations: list[int] = []

    def collect(generation: int = 2) -> int:
        generations.append(generation)
        return 0

    monkeypatch.setattr(vitals.gc, "collect", collect)
    return generations


def after_rounds(monkeypatch: pytest.MonkeyPatch, rounds: int) -> None:
    """So many collections of the young have been since the last older one."""
    monkeypatch.setattr(gc, "get_count", lambda: (0, rounds, 0))


def test_while_calls_run_nothing_old_is_looked_at(monkeypatch: pytest.MonkeyPatch, collected: list[int]) -> None:
    after_rounds(monkeypatch, 900)
    QuietCollector().look(1.0, is_quiet=False)
    assert not collected


def test_an_office_that_is_never_quiet_is_made_to_wait_in_the_end(
    monkeypatch: pytest.MonkeyPatch, collected: list[int]
) -> None:
    after_rounds(monkeypatch, 1000)
    QuietCollector().look(1.0, is_quiet=False)
    assert collected == [2]


def test_a_quiet_office_is_looked_through_thoroughly_once_an_hour(
    monkeypatch: pytest.MonkeyPatch, collected: list[int]
) -> None:
    collector = QuietCollector()
    after_rounds(monkeypatch, 3)
    for at in (1.0, 3.0, 3600.0, 3601.0):
        collector.look(at, is_quiet=True)
    assert collected == [2, 1, 1, 2]


def test_where_nothing_came_up_nothing_is_looked_at(monkeypatch: pytest.MonkeyPatch, collected: list[int]) -> None:
    collector = QuietCollector()
    after_rounds(monkeypatch, 0)
    collector.look(1.0, is_quiet=True)
    collector.look(3.0, is_quiet=True)
    assert collected == [2]


def test_what_a_storm_has_left_waits_until_the_hour_is_over(
    monkeypatch: pytest.MonkeyPatch, collected: list[int]
) -> None:
    collector = QuietCollector()
    after_rounds(monkeypatch, 40)
    for at in (1.0, 3.0, 3601.0):
        collector.look(at, is_quiet=True)
    assert collected == [2, 2]
