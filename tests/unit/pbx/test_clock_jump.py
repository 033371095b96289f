"""The machine's clock is set, by an hour or by years: nobody's registration, nonce or call notices."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from engine.core.views import CallState, Lamp
from engine.pbx.office import SWEEP_S
from engine.store.bindings import StoredBinding
from tests.unit.pbx.office import MemoryOffice

JUMPS = pytest.mark.parametrize(
    "jump", [timedelta(days=-366), timedelta(hours=-1), timedelta(hours=1), timedelta(days=5 * 366)], ids=str
)


def expiries(office: MemoryOffice) -> dict[str, datetime]:
    return {view.extension: view.expires_at for view in office.office.registrations()}


@JUMPS
def test_registrations_keep_the_time_they_have_left(office: MemoryOffice, jump: timedelta) -> None:
    (phone,) = office.registered("101")
    before = expiries(office)["101"]
    office.clock.set_wall(jump)
    office.advance(SWEEP_S)
    assert expiries(office) == {"101": before + jump}
    assert [binding.expires_at for binding in office.stored.values()] == [before + jump]
    office.advance(3600 - SWEEP_S - 5)
    assert office.lamp("101") is Lamp.IDLE
    office.advance(10)
    assert office.lamp("101") is Lamp.UNREGISTERED
    assert phone.last.status == 200


@JUMPS
def test_a_refresh_right_after_the_jump_is_granted_as_always(office: MemoryOffice, jump: timedelta) -> None:
    (phone,) = office.registered("101")
    office.clock.set_wall(jump)
    phone.register()  # before anybody has noticed
    office.settle()
    assert phone.last.status == 200
    assert "expires=3600" in (phone.last.headers.get("Contact") or "")
    office.advance(SWEEP_S)
    left = expiries(office)["101"] - office.clock.wall()
    assert timedelta(seconds=3590) < left <= timedelta(seconds=3600)


@JUMPS
def test_a_call_lasts_as_long_as_it_lasts(office: MemoryOffice, jump: timedelta) -> None:
    _, _, made, _ = office.talking()
    office.advance(30)
    office.clock.set_wall(jump)
    office.advance(10)
    assert office.call.state is CallState.TALKING
    assert office.call.duration_s(office.clock.wall()) == pytest.approx(40, abs=1)
    made.hang_up()
    office.settle()
    assert office.record.duration_s == pytest.approx(40, abs=1)
    assert office.record.ended_at == office.clock.wall()


@JUMPS
def test_a_phone_that_rings_is_given_up_after_its_time(office: MemoryOffice, jump: timedelta) -> None:
    caller, callee = office.registered("101", "102")
    made = caller.call("102")
    office.settle()
    office.clock.set_wall(jump)
    office.advance(55)
    assert office.call.state is CallState.RINGING
    office.advance(10)
    assert made.is_over
    assert callee.ringing.is_over


def test_the_log_tells_once_how_far_it_jumped(office: MemoryOffice, caplog: pytest.LogCaptureFixture) -> None:
    office.clock.set_wall(timedelta(days=-365))
    with caplog.at_level("WARNING"):
        office.advance(10 * SWEEP_S)
    (line,) = [record.getMessage() for record in caplog.records if "clock" in record.getMessage()]
    assert "back by 365 days" in line


def test_small_corrections_are_followed_without_a_word(
    office: MemoryOffice, caplog: pytest.LogCaptureFixture
) -> None:
    before = office.clock.wall()
    office.clock.set_wall(timedelta(milliseconds=300))
    with caplog.at_level("WARNING"):
        office.advance(SWEEP_S)
    assert office.clock.wall() - before == timedelta(seconds=SWEEP_S, milliseconds=300)
    assert not caplog.records


def test_a_clock_set_back_between_two_runs_lets_nobody_live_longer_than_granted(office: MemoryOffice) -> None:
    office.registered("101")
    (stored,) = office.stored.values()
    ahead = timedelta(days=400)
    later = StoredBinding(**{
        **{name: getattr(stored, name) for name in StoredBinding.__slots__},
        "registered_at": stored.registered_at + ahead,
        "expires_at": stored.expires_at + ahead,
    })  # fmt: skip
    other = MemoryOffice(stored=[later], extensions=("101",))
    try:
        assert expiries(other)["101"] - other.clock.wall() == timedelta(seconds=3600)
    finally:
        other.close()
