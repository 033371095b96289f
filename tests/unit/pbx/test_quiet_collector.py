"""Old cycles are looked for while nobody is on the phone, and in the end even then."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from engine.pbx import vitals
from engine.pbx.vitals import QuietCollector


@pytest.fixture(autouse=True)
def _set_nothing_aside_for_others() -> Iterator[None]:
    yield
    gc.unfreeze()


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


def test_while_calls_run_nothing_is_looked_at_and_what_came_up_is_set_aside(collected: list[int]) -> None:
    young = [[]]
    before = gc.get_freeze_count()
    QuietCollector().look(1.0, is_quiet=False)
    assert not collected
    assert gc.get_freeze_count() > before
    assert not any(item is young for item in gc.get_objects())


def test_an_office_that_is_never_quiet_is_made_to_wait_in_the_end(collected: list[int]) -> None:
    collector = QuietCollector()
    for hours in range(13):
        collector.look(2.0 + hours * 3600.0, is_quiet=False)
    assert collected == [2]


def test_a_quiet_moment_ends_the_wait_of_a_busy_office(
    monkeypatch: pytest.MonkeyPatch, collected: list[int]
) -> None:
    collector = QuietCollector()
    after_rounds(monkeypatch, 0)
    for hours in (0, 11, 23):
        collector.look(1.0 + hours * 3600.0, is_quiet=False)
        collector.look(2.0 + hours * 3600.0, is_quiet=True)
    assert collected == [2, 2]


def test_a_cycle_that_was_set_aside_is_found_by_the_thorough_look() -> None:
    class Knot:
        pass

    collector = QuietCollector()
    collector.look(1.0, is_quiet=True)
    knot = Knot()
    knot.itself = knot  # type: ignore[attr-defined]
    seen = weakref.ref(knot)
    del knot
    collector.look(2.0, is_quiet=False)
    collector.look(3.0, is_quiet=True)
    assert seen() is not None
    collector.look(3602.0, is_quiet=True)
    assert seen() is None


def test_a_quiet_office_is_looked_through_thoroughly_once_an_hour(
    monkeypatch: pytest.MonkeyPatch, collected: list[int]
) -> None:
    collector = QuietCollector()
    after_rounds(monkeypatch, 3)
    for at in (1.0, 3.0, 3600.0, 3601.0):
        collector.look(at, is_quiet=True)
    assert collected == [1, 1, 1, 2]


def test_where_nothing_came_up_nothing_is_looked_at(monkeypatch: pytest.MonkeyPatch, collected: list[int]) -> None:
    collector = QuietCollector()
    after_rounds(monkeypatch, 0)
    collector.look(1.0, is_quiet=True)
    collector.look(3.0, is_quiet=True)
    assert not collected


def test_what_a_storm_has_left_waits_until_the_hour_is_over(
    monkeypatch: pytest.MonkeyPatch, collected: list[int]
) -> None:
    collector = QuietCollector()
    after_rounds(monkeypatch, 40)
    for at in (1.0, 3.0, 3601.0):
        collector.look(at, is_quiet=True)
    assert collected == [2]
