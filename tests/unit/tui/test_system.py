"""The System and the Log screen on a real desk: figures, plot, backups with their progress, live lines."""

from __future__ import annotations

import asyncio
import logging
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from engine.backup import writing
from engine.core.errors import RefusedError
from engine.core.log import LogLine, RecentLines
from engine.core.views import HealthView, LampAudit
from engine.desk import machine_commands
from engine.desk.machine import MachineView
from tests.unit.desk.fakes import FakeOffice
from tests.unit.tui.conftest import MONDAY
from tests.unit.tui.house import VERA, Open, house
from tui.screens.ask_fields import AskFields
from tui.screens.question import Question

__all__ = ["house"]

GIB = 1024**3
MACHINE = MachineView(
    4, (0.42, 0.3, 0.21), 12.5, GIB // 8, 8 * GIB, 90 * GIB, 100 * GIB, 3 << 20, 7 << 20, 210, 4096
)


class BusyOffice(FakeOffice):
    """Has an hour behind it, and an alarm."""

    def health(self) -> HealthView:
        history = tuple(1.0 + (place * 7 % 13) / 2 for place in range(60))
        return replace(
            super().health(), loop_history=history, warnings=("cannot keep call records: disk full",),
            gc={"count": 42, "max_ms": 3.2, "total_ms": 80.0}, started_at=MONDAY - timedelta(hours=26, minutes=3),
        )  # fmt: skip


def lines() -> RecentLines:
    """A log that has said a few things."""
    recent = RecentLines()
    told = (
        ("INFO", "engine.app", "Frontdesk 0.1.0 runs on /var/lib/frontdesk"),
        ("INFO", "engine.pbx.registrar", "101 registered from 192.0.2.21:5060"),
        ("WARNING", "engine.pbx.trunks.line", "trunk telekom: 192.0.2.5:5060 does not answer"),
        ("INFO", "engine.desk.dispatch", "boss asked to change a trunk (telekom): done"),
        (
            "ERROR",
            "engine.pbx.in_service",
            "service clock of call 7f3a failed: clock.lua:9\n    at run",
        ),
    )
    for number, (level, source, text) in enumerate(told, 1):
        recent._lines.append(LogLine(number, MONDAY - timedelta(seconds=90 - number * 7.125), level, source, text))
    return recent


@pytest.fixture
def recent(monkeypatch: pytest.MonkeyPatch) -> RecentLines:
    log = lines()
    monkeypatch.setattr(machine_commands, "RECENT", log)
    return log


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_commands, "_look_at_machine", lambda folder: MACHINE)


@pytest.mark.usefixtures("machine")
async def test_engine_machine_and_alarms_are_told(house: Open) -> None:
    async with house(screen="system", office=BusyOffice()) as home:
        await home.shows("cannot keep call records")
        await home.shows("of 4 cores; engine 12 % of one")
        await home.shows("90.0 GiB of 100.0 GiB free; database 3 MiB, recordings 7 MiB")
        await home.shows("128 MiB of 8.0 GiB   42 collections, longest 3 ms")
        await home.shows("42 minutes   worst 7 ms")
        await home.shows("no backups yet")


class WrongLamps(FakeOffice):
    """One lamp did not show what it should."""

    async def audit_lamps(self) -> LampAudit:
        repaired, self.wrong = self.wrong, ()
        return LampAudit(12, 3, repaired, 1)

    wrong: tuple[str, ...] = ("101 showed busy and is idle",)


async def test_the_lamps_are_checked_by_a_key(house: Open) -> None:
    async with house(screen="system", office=WrongLamps()) as home:
        await home.press("a")
        await home.shows("1 lamp was wrong and is mended: 101 showed busy and is idle")
        await home.press("a")
        await home.shows("12 lamps are as they should be")


async def test_a_backup_is_written_with_its_progress(
    house: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()
    write = writing.write_backup

    def slow(folder: Path, file: Path, progress: writing.Progress) -> object:
        progress(30, 100)
        assert goes_on.wait(20)
        return write(folder, file, progress)

    monkeypatch.setattr(writing, "write_backup", slow)
    async with house(screen="system") as home:
        await home.press("b")
        await home.shows("is being written")
        home.office.draw(1)
        await home.shows("30%")
        await home.press("b")
        await home.shows("a backup is being written already")
        goes_on.set()
        folder = tmp_path / "state" / "backups"
        await home.until(lambda: folder.is_dir() and any(folder.glob("frontdesk-*.tar.gz")))
        for _ in range(100):
            home.office.draw(1)
            await asyncio.sleep(0.02)
            if "is written" in home.office.text:
                break
        await home.shows("is written")
        (file,) = folder.iterdir()
        with tarfile.open(file) as archive:
            assert not any(name.startswith("backups") for name in archive.getnames())
            assert "office.db" in archive.getnames()
        home.office.draw(3)
        await home.shows(file.name)
        await home.press("d")
        assert isinstance(home.app.screen, Question)
        await home.press("y")
        await home.until(lambda: not any(folder.iterdir()))


async def test_a_backup_that_fails_says_why(house: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(folder: Path, file: Path, progress: object) -> object:
        raise RefusedError(f"cannot write {file}: No space left on device", "make room, then try again")

    monkeypatch.setattr(writing, "write_backup", fail)
    async with house(screen="system") as home:
        await home.press("b")
        for _ in range(100):
            home.office.draw(1)
            await asyncio.sleep(0.02)
            if "No space left" in home.office.text:
                break
        await home.shows("No space left on device")


@pytest.mark.usefixtures("machine")
async def test_a_viewer_sees_the_machine_and_no_backups(house: Open) -> None:
    async with house(VERA, screen="system") as home:
        await home.shows("of 4 cores")
        await home.shows("backups are for administrators")
        await home.press("b", "d")
        assert not isinstance(home.app.screen, Question)


async def test_the_log_is_live_pauses_and_is_chosen_from(house: Open, recent: RecentLines) -> None:
    async with house(screen="log") as home:
        await home.shows("101 registered from")
        await home.shows("at run")
        recent.emit(logging.LogRecord("engine.test", logging.INFO, "", 0, "a new line", None, None))
        home.office.draw(1)
        await home.shows("a new line")
        await home.press("p")
        await home.shows("paused: p goes on")
        recent.emit(logging.LogRecord("engine.test", logging.INFO, "", 0, "a later line", None, None))
        home.office.draw(1)
        await home.office.pilot.pause(0.2)
        assert "a later line" not in home.office.text
        await home.press("p")
        await home.shows("a later line")
        await home.press("f")
        assert isinstance(home.app.screen, AskFields)
        await home.type_in(level="loud")
        await home.shows("'loud' is not known")
        await home.type_in(level="warning")
        await home.press("f10")
        await home.until(lambda: "101 registered" not in home.office.text)
        await home.shows("does not answer")


async def test_lines_are_saved(house: Open, recent: RecentLines, tmp_path: Path) -> None:
    async with house(screen="log") as home:
        await home.shows("101 registered from")
        await home.press("x")
        await home.shows("saved in")
        (file,) = (tmp_path / "state" / "exports").glob("log-*.txt")
        assert (
            file.read_text().splitlines()[0].endswith("INFO engine.app: Frontdesk 0.1.0 runs on /var/lib/frontdesk")
        )


async def test_the_log_is_for_administrators(house: Open, recent: RecentLines) -> None:
    async with house(VERA, screen="log") as home:
        await home.shows("may not read the log")
        assert "101 registered" not in home.office.text


def test_lines_of_strangers_stay_on_their_line() -> None:
    recent = RecentLines(2)
    for number in range(3):
        recent.emit(logging.LogRecord("x", logging.INFO, "", 0, f"\x1b[2J{number}", None, None))
    assert [(line.number, line.text) for line in recent.newest_first()] == [(3, "\\x1b[2J2"), (2, "\\x1b[2J1")]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """The next test would see the backup of this one."""
    yield
    for thread in threading.enumerate():
        if thread.name == "backup":
            thread.join(20)
