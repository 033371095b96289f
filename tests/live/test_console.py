"""The receptionist watches over ssh: a real client in a real terminal, phones that really call."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import processes
from tests.live.conftest import Phones
from tests.live.console import LOGIN, SWITCHBOARD, add_operator, open_console
from tests.live.office import Office
from tests.live.phone import connect
from tests.live.terminal import Terminal, ssh_command

ANNA, BO = "501", "502"
ROW_STAYS_S = 20
"""An ended call keeps its row for a moment, longer under the cursor: nobody acts on the one that slides in."""


@pytest.fixture(scope="module", autouse=True)
def staff(office: Office) -> None:
    """The people and the operator of this module; ``Bo Chen 陈波`` is wider than he has characters."""
    office.extension(ANNA, "--name", "Anna Berger")
    office.extension(BO, "--name", "Bo Chen 陈波")
    add_operator(office)


@pytest.fixture
def desk(office: Office, tmp_path: Path) -> Iterator[Terminal]:
    """A console that is logged in."""
    terminal = open_console(office, tmp_path / "desk")
    yield terminal
    terminal.close()


async def until(condition: object, within_s: float = 5.0) -> None:
    """Wait until ``condition()`` is true."""
    assert callable(condition)
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.05)


async def test_a_call_refused_at_once_has_a_row_that_says_why(
    office: Office, phones: Phones, desk: Terminal
) -> None:
    anna = await phones.baresip(office.account(ANNA))
    await anna.registered()
    desk.shows("no calls at the moment", ROW_STAYS_S)
    await anna.dial("999")
    assert (await anna.ended()).startswith("404")
    desk.shows("501.*999.*(404|no such)")
    desk.shows("no calls at the moment", ROW_STAYS_S)


async def test_a_call_appears_and_ends_on_the_screen(office: Office, phones: Phones, desk: Terminal) -> None:
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    desk.shows("no calls at the moment", ROW_STAYS_S)
    await anna.dial(BO)
    await bo.rings()
    desk.shows("Anna Berger.*Bo Chen.*ringing")
    await bo.accept()
    await anna.talks()
    desk.shows("Anna Berger.*Bo Chen.*talking")
    await asyncio.sleep(1.2)
    desk.shows("0:0[1-9] +talking|talking.*0:0[1-9]")
    await anna.hang_up()
    await bo.ended()
    desk.shows("Anna Berger.*Bo Chen.*ended")
    desk.shows("no calls at the moment", ROW_STAYS_S)


async def test_the_receptionist_releases_a_call(office: Office, phones: Phones, desk: Terminal) -> None:
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    await connect(anna, bo)
    desk.shows("talking")
    desk.type(ANNA)
    desk.shows("1 person")
    desk.type("-")
    desk.shows("Release this call")
    desk.type("y")
    await anna.ended()
    await bo.ended()
    record = max(office.json("records"), key=lambda record: record["started_at"])
    assert record["released_by"] == "operator"


async def test_saying_no_releases_nothing(office: Office, phones: Phones, desk: Terminal) -> None:
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    await connect(anna, bo)
    desk.shows("talking")
    desk.type(ANNA)
    desk.shows("1 person")
    desk.type("-")
    desk.shows("Release this call")
    desk.type("n")
    desk.hides("Release this call")
    await anna.stays_quiet("CALL_CLOSED", 0.5)
    await anna.hang_up()
    await bo.ended()


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (200, 60), (100, 30), (40, 12)])
def test_the_screen_follows_the_terminal_when_it_is_resized(
    office: Office, desk: Terminal, columns: int, rows: int
) -> None:
    desk.resize(columns, rows)
    screen = desk.shows("Anna Berger|Anna|small") if columns >= 80 else desk.shows(r"\S")
    assert len(screen.splitlines()) <= rows
    desk.resize(120, 34)
    desk.shows(SWITCHBOARD)
    assert not desk.is_dead()


def test_help_and_palette_open_and_close(office: Office, desk: Terminal) -> None:
    desk.press("F1")
    desk.shows("PgDn|next panel")
    desk.press("Escape")
    desk.hides("PgDn|next panel")
    desk.press("C-p")
    desk.shows("Search|command|Extensions")
    desk.press("Escape")
    desk.shows(SWITCHBOARD)


def test_the_mouse_opens_a_person(office: Office, desk: Terminal) -> None:
    lines = desk.shows("Anna Berger").splitlines()
    row = next(number for number, line in enumerate(lines) if "Anna Berger" in line)
    column = lines[row].index("Anna Berger")
    desk.click(column, row)
    desk.click(column, row)
    desk.shows("no phone is registered")


async def test_a_console_torn_away_harms_neither_call_nor_engine(
    office: Office, phones: Phones, tmp_path: Path
) -> None:
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    await connect(anna, bo)
    for how in (signal.SIGKILL, signal.SIGHUP, signal.SIGSTOP):
        terminal = open_console(office, tmp_path / how.name)
        os.kill(terminal.pid(), how)
        await asyncio.sleep(0.3)
        terminal.close()
    assert [call["state"] for call in office.json("calls")] == ["talking"]
    assert "Traceback" not in office.log()
    await anna.hang_up()
    await bo.ended()


async def test_several_consoles_see_the_same_call(office: Office, phones: Phones, tmp_path: Path) -> None:
    desks = [open_console(office, tmp_path / f"desk-{number}", columns=80 + 20 * number) for number in range(3)]
    try:
        anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
        await connect(anna, bo)
        for desk in desks:
            desk.shows("talking")
        desks[0].close()
        await anna.hang_up()
        await bo.ended()
        for desk in desks[1:]:
            desk.shows("ended|no calls at the moment")
    finally:
        for desk in desks:
            desk.close()


def test_a_wrong_password_is_refused(office: Office, tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, ssh_command(office.host, office.ssh_port, LOGIN, tmp_path))
    try:
        for _ in range(2):
            terminal.shows(r"(?m)password:\s*\Z", 10)
            terminal.type("not-it")
            terminal.press("Enter")
            terminal.shows("Permission denied", 10)
    finally:
        terminal.close()


def test_leaving_the_console_keeps_the_office_open(office: Office, desk: Terminal) -> None:
    desk.press("C-q")
    processes.wait_until(desk.is_dead, 5, "ssh ends")
    assert "Live calls" not in desk.screen(), "the terminal is not given back as it was"
    assert office.json("status")["pid"] > 0


async def test_the_keys_answer_while_the_office_is_busy(office: Office, phones: Phones, desk: Terminal) -> None:
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    await connect(anna, bo)
    desk.press("C-Right")
    desk.hides(SWITCHBOARD, 2)
    desk.press("C-Left")
    desk.shows(SWITCHBOARD, 2)
    await anna.hang_up()
    await bo.ended()
