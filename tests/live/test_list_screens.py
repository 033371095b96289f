"""The list screens over the stock ssh client in a real terminal, on a real engine: all by keys alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.conftest import Phones
from tests.live.console import add_operator, open_console
from tests.live.office import Office
from tests.live.terminal import Terminal

ANNA, BO = "511", "512"
LOOK = os.environ.get("FRONTDESK_LOOK")
"""Where to keep what each screen looks like, for who wants to see it."""


@pytest.fixture(scope="module", autouse=True)
def staff(office: Office) -> None:
    office.extension(ANNA, "--name", "Anna Berger", "--right", "forward-busy")
    office.extension(BO, "--name", "Bo Chen 陈波")
    add_operator(office)
    office.cli("operator", "set", "reception", "--extension", ANNA)


@pytest.fixture
def desk(office: Office, tmp_path: Path) -> Iterator[Terminal]:
    terminal = open_console(office, tmp_path / "desk")
    yield terminal
    terminal.close()


def keep(desk: Terminal, name: str) -> None:
    if LOOK:
        Path(LOOK, f"{name}.txt").write_text(desk.screen(), encoding="utf-8")


def go_to(desk: Terminal, digit: str, title: str) -> None:
    """From the Switchboard, whose digits search, to another screen."""
    desk.press("C-Right")
    desk.shows("Extensions")
    desk.type(digit)
    desk.shows(title)


def test_a_group_is_made_changed_removed_and_brought_back(office: Office, desk: Terminal) -> None:
    go_to(desk, "5", "no groups yet")
    keep(desk, "groups-empty")
    desk.type("n")
    desk.shows("New group")
    desk.type("650")
    desk.press("Tab")
    desk.type("hunt")
    desk.press("Tab")
    desk.type(f"{ANNA}, 999")
    desk.shows("there is no extension 999")
    keep(desk, "group-form")
    desk.press("BSpace", "BSpace", "BSpace")
    desk.type(BO)
    desk.press("F10")
    desk.shows("650.*one after the other.*511, 512")
    (group,) = office.json("group", "list")
    assert (group["number"], group["members"]) == ("650", [ANNA, BO])
    desk.type("d")
    desk.shows("Remove it")
    desk.type("y")
    desk.shows("u brings it back")
    assert office.json("group", "list") == []
    desk.type("u")
    desk.shows("650.*one after the other")
    assert office.json("group", "list")[0]["members"] == [ANNA, BO]
    office.cli("group", "remove", "650")


def test_calls_are_forwarded_and_disturbed_no_more(office: Office, desk: Terminal) -> None:
    desk.press("C-Right")
    desk.shows("─ Extensions ─")
    desk.type("/")
    desk.shows("filter:")
    desk.type(ANNA)
    desk.shows("1/")
    desk.press("Escape")
    desk.shows("512 ")
    desk.type("f")
    desk.shows("Calls for 511")
    desk.press("Tab")
    desk.type(BO)
    desk.shows("Will change")
    keep(desk, "forwarding")
    desk.press("F10")
    desk.shows("else 512")
    assert office.json("extension", "show", ANNA)["forward_busy"] == BO
    office.cli("forward", ANNA, "--clear")


def test_a_service_is_edited_compiled_and_taken_back(office: Office, desk: Terminal) -> None:
    go_to(desk, "6", "attendant")
    desk.type("/")
    desk.type("echo")
    desk.press("Enter")
    desk.shows("as shipped; F2")
    keep(desk, "service")
    desk.press("F2")
    desk.press("Home")
    desk.type("local = 1 ")
    desk.shows("echo.lua:1:")
    desk.press("F10")
    desk.shows("echo.lua:1:")
    desk.press(*["DC"] * 10)
    desk.type("-- ours ")
    desk.shows("compiles")
    desk.press("F10")
    desk.shows("What changes in echo")
    keep(desk, "service-diff")
    desk.press("F10")
    desk.shows("every call from now on gets it")
    own = office.state / "lua" / "services" / "echo.lua"
    assert own.read_text(encoding="utf-8").startswith("-- ours ")
    assert next(each for each in office.json("service", "list") if each["name"] == "echo")["own"]
    desk.press("Escape")
    desk.shows("attendant")
    desk.type("d")
    desk.shows("Remove it")
    desk.type("y")
    desk.shows("service echo removed")
    assert not own.exists()
    keep(desk, "services")


async def test_a_call_that_was_is_found_and_called_back(office: Office, phones: Phones, desk: Terminal) -> None:
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    await bo.dial(ANNA)
    await anna.rings()
    await anna.accept()
    await bo.talks()
    await bo.hang_up()
    await anna.ended()
    go_to(desk, "7", "Call history")
    desk.shows("512 Bo Chen.*511 Anna.*answered", 10)
    keep(desk, "calls")
    desk.type("c")
    desk.shows("Call with your phone")
    desk.press("Enter")
    desk.shows("your phone rings, then it calls 512")
    await anna.rings()
    await anna.accept()
    await bo.rings()
    await bo.accept()
    await anna.talks()
    desk.type("x")
    desk.shows("saved in .*calls-")
    await anna.hang_up()


def test_a_network_is_blocked_and_lifted(office: Office, desk: Terminal) -> None:
    go_to(desk, "8", "anonymous")
    desk.type("l")
    desk.shows("no network is blocked")
    desk.type("n")
    desk.shows("New network")
    desk.type("198.51.100.0/24")
    desk.press("F10")
    desk.shows("198.51.100.0/24.*blocked")
    keep(desk, "addresses")
    desk.type("d")
    desk.shows("Remove it")
    desk.type("y")
    desk.shows("no network is blocked")
    assert office.json("address", "list") == []


def test_an_operator_is_added_and_gets_a_password(office: Office, desk: Terminal) -> None:
    go_to(desk, "9", "Operators")
    desk.type("n")
    desk.shows("New operator")
    desk.type("vera")
    desk.press("Tab")
    desk.type("viewer")
    desk.press("F10")
    desk.shows("Give this to the operator")
    desk.press("Escape")
    desk.shows("vera .*viewer")
    keep(desk, "operators")
    office.cli("operator", "remove", "vera")


def test_a_backup_is_written(office: Office, desk: Terminal) -> None:
    go_to(desk, "0", "Engine and machine")
    desk.shows(r"version \d")
    desk.type("b")
    desk.shows(r"is written|frontdesk-\d{8}-\d{6}\.tar\.gz .*(KiB|MiB)", 20)
    keep(desk, "system")
    (backup,) = (office.state / "backups").glob("*.tar.gz")
    assert backup.stat().st_mode & 0o777 == 0o600


def test_the_log_and_the_audit_log_tell_what_was_done(office: Office, desk: Terminal) -> None:
    go_to(desk, "0", "Engine and machine")
    desk.press("C-Right")
    desk.shows("desk.dispatch .*reception asked to")
    keep(desk, "log")
    desk.type("p")
    desk.shows("paused")
    desk.press("C-Right")
    desk.shows("Audit.*")
    desk.shows("reception.*(add|remove|write)", 10)
    keep(desk, "audit")
    desk.type("f")
    desk.shows("Choose deeds")
    desk.press("Tab")
    desk.type("write-service")
    desk.press("F10")
    desk.shows("reception.*write a service.*echo")
    desk.hides("add an operator")
