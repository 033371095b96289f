"""Guessing passwords gets slower and slower."""

from __future__ import annotations

from tui.guard import FIRST_WAIT, FORGET_AFTER, FREE_FAILURES, LONGEST_WAIT, LoginGuard


def _guard(failures: int, source: str = "192.0.2.1") -> LoginGuard:
    guard = LoginGuard()
    for _ in range(failures):
        guard.count_failure(source, 0.0)
    return guard


def test_a_few_typing_errors_cost_nothing() -> None:
    assert _guard(FREE_FAILURES - 1).wait_for("192.0.2.1", 0.0) == 0


def test_waiting_doubles_up_to_a_limit() -> None:
    assert _guard(FREE_FAILURES).wait_for("192.0.2.1", 0.0) == FIRST_WAIT
    assert _guard(FREE_FAILURES + 2).wait_for("192.0.2.1", 0.0) == 4 * FIRST_WAIT
    assert _guard(FREE_FAILURES + 500).wait_for("192.0.2.1", 0.0) == LONGEST_WAIT


def test_others_do_not_wait() -> None:
    assert _guard(50).wait_for("192.0.2.2", 0.0) == 0


def test_a_whole_v6_network_waits_together() -> None:
    assert _guard(50, "2001:db8::1").wait_for("2001:db8::ffff", 0.0) > 0


def test_success_and_time_forgive() -> None:
    guard = _guard(50)
    guard.forget("192.0.2.1")
    assert guard.wait_for("192.0.2.1", 0.0) == 0
    guard = _guard(50)
    guard.count_failure("192.0.2.1", FORGET_AFTER + 1)
    assert guard.wait_for("192.0.2.1", FORGET_AFTER + 1) == 0


def test_memory_is_bounded() -> None:
    guard = LoginGuard()
    for n in range(6000):
        guard.count_failure(f"10.0.{n // 250}.{n % 250}", 0.0)
    assert len(guard._records) <= 4096
