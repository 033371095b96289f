"""The keys of the Switchboard with real phones and stock ssh in tmux: transfer and undo, asking back, parking."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.baresip import Baresip
from tests.live.conftest import Phones
from tests.live.office import Office
from tests.live.scene import assert_hears
from tests.live.terminal import Terminal, ssh_command

ANNA, DESK, BO = "501", "502", "503"
LOGIN, PASSWORD = "front", "Front-pw-9k"
TALK_S = 1.5


@pytest.fixture(scope="module", autouse=True)
def people(office: Office) -> None:
    for number, name in ((ANNA, "Anna"), (DESK, "Desk"), (BO, "Bo")):
        office.extension(number, "--name", name)
    office.cli("operator", "add", LOGIN, "--password", PASSWORD, "--role", "receptionist", "--extension", DESK)


@pytest.fixture
def screen(office: Office, tmp_path: Path) -> Iterator[Terminal]:
    folder = tmp_path / "ssh"
    folder.mkdir()
    terminal = Terminal(folder, ssh_command(office.host, office.ssh_port, LOGIN, folder))
    try:
        terminal.shows("[Pp]assword", 10)
        terminal.type(PASSWORD)
        terminal.press("Enter")
        terminal.shows("Waiting for you", 10)
        yield terminal
    finally:
        terminal.close()


async def shows(screen: Terminal, pattern: str) -> str:
    """Wait without keeping the phones waiting."""
    return await asyncio.to_thread(screen.shows, pattern, 10)


async def three(office: Office, phones: Phones) -> tuple[Baresip, Baresip, Baresip]:
    found = [await phones.baresip(office.account(number)) for number in (ANNA, DESK, BO)]
    for phone in found:
        await phone.registered()
    anna, desk, bo = found
    return anna, desk, bo


async def answered(screen: Terminal, anna: Baresip, desk: Baresip) -> None:
    """Anna calls and waits; the phone of the desk takes no orders, so the screen says to lift the handset."""
    await anna.dial(DESK)
    await desk.rings()
    await shows(screen, rf"{ANNA} +Anna +for {DESK}")
    screen.press("Enter")
    await shows(screen, "your phone takes no orders: lift the handset")
    await desk.accept()
    await desk.talks()
    await anna.talks()
    await shows(screen, f"in a call with {ANNA} Anna")


async def test_a_transfer_and_its_undo(office: Office, phones: Phones, screen: Terminal) -> None:
    anna, desk, bo = await three(office, phones)
    await answered(screen, anna, desk)
    screen.type("bo")
    await shows(screen, "search: bo")
    screen.press("Enter")
    await shows(screen, "undo in")
    await desk.ended()
    await bo.rings()
    await bo.accept()
    await bo.talks()
    await asyncio.sleep(TALK_S)
    screen.type("U")
    await shows(screen, f"{ANNA} Anna comes back to your phone")
    await desk.rings()
    await desk.accept()
    await bo.ended()
    await shows(screen, f"in a call with {ANNA} Anna")
    await asyncio.sleep(TALK_S)
    (call,) = office.json("calls")
    assert {party["extension"] for party in call["parties"]} == {ANNA, DESK}
    screen.press("-")
    await shows(screen, "Release this call")
    screen.press("y")
    await anna.ended()
    await desk.ended()
    assert_hears(bo.heard, anna.tone)
    assert_hears(anna.heard, bo.tone, desk.tone)


async def test_somebody_is_asked_first(office: Office, phones: Phones, screen: Terminal) -> None:
    anna, desk, bo = await three(office, phones)
    await answered(screen, anna, desk)
    screen.type("bo")
    await shows(screen, "search: bo")
    screen.press("+")
    await bo.rings()
    await bo.accept()
    await bo.talks()
    await shows(screen, f"asking {BO} Bo")
    await asyncio.sleep(TALK_S)
    screen.press("+")
    await desk.ended()
    await asyncio.sleep(TALK_S)
    (call,) = office.json("calls")
    assert [party["extension"] for party in call["parties"]] == [ANNA, BO]
    await anna.hang_up()
    await bo.ended()
    assert_hears(bo.heard, desk.tone, anna.tone)
    assert_hears(anna.heard, bo.tone)


async def test_a_parked_caller_is_seen_and_fetched_back(office: Office, phones: Phones, screen: Terminal) -> None:
    anna, desk, _bo = await three(office, phones)
    await answered(screen, anna, desk)
    screen.press("F5")
    await shows(screen, r"P1 Anna +‖ P 0:0")
    await desk.ended()
    screen.type("U")
    await desk.rings()
    await desk.accept()
    await shows(screen, f"in a call with {ANNA} Anna")
    await asyncio.sleep(TALK_S)
    await anna.hang_up()
    await desk.ended()
    assert_hears(desk.heard, anna.tone)
