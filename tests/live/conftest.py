"""Fixtures of the live tests: a network slice for the run, an office for each module, phones for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.live import audio, processes
from tests.live.baresip import Baresip, start_baresip
from tests.live.linphone import Linphone, start_linphone
from tests.live.network import Network, take_network
from tests.live.office import COMMAND, Office, open_office
from tests.live.phone import Account, Phone
from tests.live.sipp import SippPhone, start_sipp_phone

HERE = Path(__file__).parent
LONGEST_TEST_S = 60


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.live)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(LONGEST_TEST_S))


@pytest.fixture(scope="session")
def network() -> Iterator[Network]:
    """Loopback addresses of this run; at its end no process of the run is left."""
    network = take_network()
    yield network
    network.held_by.close()
    left = processes.strays()
    names = [" ".join(_command(process)) for process in left]
    for process in left:
        with suppress(psutil.Error):
            process.kill()
    assert not names, f"left running: {names}"


def _command(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return process.cmdline()
    return [str(process.pid)]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, network: Network) -> Iterator[Office]:
    """An office with an open engine, shared by the tests of a module."""
    assert COMMAND.exists(), f"{COMMAND} is missing: run 'make test', which installs it"
    with open_office(tmp_path_factory.mktemp("office"), network) as office:
        yield office


@pytest.fixture(autouse=True)
def show_engine_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """Print what the engine logged during a test; pytest shows it when the test fails."""
    if "office" not in request.fixturenames:
        yield
        return
    office: Office = request.getfixturevalue("office")
    before = len(office.log())
    yield
    print(f"--- engine log of this test\n{office.log()[before:]}")


@dataclass(slots=True)
class Phones:
    """Starts phones that are switched off when their test ends."""

    folder: Path
    network: Network
    running: list[Phone] = field(default_factory=list)
    scripts: list[SippPhone] = field(default_factory=list)

    async def baresip(self, account: Account, **options: Any) -> Baresip:
        """A baresip; not waited for until it is registered."""
        options.setdefault("tone", self._next_tone())
        phone = await start_baresip(account, self._next_folder("baresip"), self.network, **options)
        self.running.append(phone)
        return phone

    async def linphone(self, account: Account, **options: Any) -> Linphone:
        options.setdefault("tone", self._next_tone())
        phone = await start_linphone(account, self._next_folder("linphone"), self.network, **options)
        self.running.append(phone)
        return phone

    async def scripted(self, account: Account, scenario: str) -> SippPhone:
        """A registered sipp that waits for the one call of its scenario."""
        phone = await start_sipp_phone(account, scenario, self._next_folder("sipp"), self.network)
        self.scripts.append(phone)
        return phone

    async def pair(self, one: Account, other: Account) -> tuple[Baresip, Baresip]:
        """Two registered baresips."""
        first, second = await self.baresip(one), await self.baresip(other)
        await first.registered()
        await second.registered()
        return first, second

    def _next_tone(self) -> int:
        return audio.TONES[len(self.running) % len(audio.TONES)]

    def _next_folder(self, make: str) -> Path:
        return self.folder / f"{make}-{len(self.running) + len(self.scripts)}"


@pytest.fixture
async def phones(tmp_path: Path, network: Network) -> AsyncIterator[Phones]:
    phones = Phones(tmp_path / "phones", network)
    try:
        yield phones
    finally:
        for phone in phones.running:
            await phone.close()
        for script in phones.scripts:
            await script.close()
