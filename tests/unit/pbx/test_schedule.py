"""When a schedule holds, and what of it is refused."""

from __future__ import annotations

from datetime import datetime

import pytest

from engine.core.errors import RefusedError
from engine.pbx.routing.schedule import read_hours
from engine.store.outside import Night, Schedule

MO, TU, FR, SA, SU = 2, 3, 6, 7, 8
"""Days of March 2026."""


def holds(when: str, day: int, clock: str, *holidays: str, night: Night = Night.AUTO) -> bool:
    hour, minute = map(int, clock.split(":"))
    local = datetime(2026, 3, day, hour, minute)  # noqa: DTZ001 - local time is what is asked for
    return read_hours(Schedule("x", when, holidays)).hold(local, night)


@pytest.mark.parametrize(
    ("when", "day", "clock", "held"),
    [
        ("mo-fr 09:00-17:30", MO, "09:00", True),
        ("mo-fr 09:00-17:30", MO, "08:59", False),
        ("mo-fr 09:00-17:30", FR, "17:29", True),
        ("mo-fr 09:00-17:30", FR, "17:30", False),
        ("mo-fr 09:00-17:30", SA, "10:00", False),
        ("mo-fr 09:00-17:30, sa 10:00-12:00", SA, "10:00", True),
        ("MO - FR 9:00 - 17:30", MO, "09:00", True),
        ("mo 09:00-12:00 13:00-17:00", MO, "12:30", False),
        ("mo 09:00-12:00 13:00-17:00", MO, "13:00", True),
        ("sa-mo", MO, "23:59", True),
        ("sa-mo", TU, "00:00", False),
        ("sunday", SU, "12:00", True),
        ("08:00-20:00", SU, "12:00", True),
        ("mo-su 00:00-24:00", SU, "23:59", True),
        ("fr 22:00-06:00", FR, "22:00", True),
        ("fr 22:00-06:00", SA, "05:59", True),
        ("fr 22:00-06:00", SA, "06:00", False),
        ("fr 22:00-06:00", FR, "05:00", False),
        ("su 22:00-06:00", MO, "05:00", True),
        ("not mo-fr 09:00-17:30", MO, "10:00", False),
        ("not mo-fr 09:00-17:30", SA, "10:00", True),
    ],
)
def test_hours(when: str, day: int, clock: str, held: bool) -> None:
    assert holds(when, day, clock) is held


def test_a_holiday_is_closed_and_so_is_the_night_that_begins_on_it() -> None:
    assert not holds("mo-fr 09:00-17:30", MO, "10:00", "2026-03-02")
    assert not holds("mo-fr 09:00-17:30", MO, "10:00", "03-02")
    assert holds("mo-fr 09:00-17:30", MO, "10:00", "2025-03-02", "12-25")
    assert not holds("fr 22:00-06:00", SA, "05:00", "03-06")
    assert holds("fr 22:00-06:00", SA, "05:00", "03-07")
    assert holds("not mo-fr", MO, "10:00", "03-02")


def test_the_night_switch_closes_and_opens_by_hand() -> None:
    assert not holds("mo-fr", MO, "10:00", night=Night.ON)
    assert holds("mo-fr", SA, "10:00", night=Night.OFF)
    assert holds("not mo-fr", MO, "10:00", night=Night.ON)


@pytest.mark.parametrize(
    ("when", "holidays", "wrong"),
    [
        ("", (), "a part of the times is empty"),
        ("mo-fr 09:00-17:30,", (), "a part of the times is empty"),
        ("mo-xx 09:00-17:30", (), "'mo-xx' is no day of the week"),
        ("m 09:00-17:30", (), "'m' is no day of the week"),
        ("mo-fr 9-17", (), "'9-17' is no span of time"),
        ("mo-fr 09:00-25:00", (), "'09:00-25:00' is no span of time"),
        ("mo-fr 09:60-17:00", (), "'09:60-17:00' is no span of time"),
        ("mo-fr 24:00-06:00", (), "'24:00-06:00' is no span of time"),
        ("mo-fr 09:00-09:00", (), "'09:00-09:00' begins when it ends"),
        ("mo-fr 09:00-17:30 sa 10:00-12:00", (), "'sa' is no span of time"),
        ("mo-fr", ("2026-02-29",), "'2026-02-29' is no holiday"),
        ("mo-fr", ("13-01",), "'13-01' is no holiday"),
        ("mo-fr", ("Christmas",), "'Christmas' is no holiday"),
        ("mo " * 200, (), "the times are too long"),
    ],
)
def test_what_is_wrong_is_named(when: str, holidays: tuple[str, ...], wrong: str) -> None:
    with pytest.raises(RefusedError) as refused:
        read_hours(Schedule("x", when, holidays))
    assert refused.value.what == wrong
    assert refused.value.mend


def test_a_leap_day_may_be_a_yearly_holiday() -> None:
    assert read_hours(Schedule("x", "mo", ("02-29",))).yearly == {(2, 29)}
