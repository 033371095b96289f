"""An engine pinned to the measured core, with a caller, a callee and plain phones for sipp."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import sipp
from bench.machine import Cores
from tests.live.network import Network
from tests.live.office import SIP_PORT, Office, open_office

CALLER, CALLEE = "901", "902"


@dataclass(frozen=True, slots=True)
class BenchOffice:
    """A running engine and a folder for what sipp reads and writes."""

    office: Office
    network: Network
    cores: Cores
    folder: Path

    @property
    def target(self) -> str:
        return self.office.address

    @property
    def pid(self) -> int:
        """The engine itself: what it was started behind has become it by then."""
        return int(self.office.json("status")["pid"])

    def register(self, number: str, host: str) -> None:
        """Register ``number`` with a contact on ``host``; raises ``RuntimeError`` when the engine refuses."""
        scenario = sipp.fill("register", self.folder, contact=f"{host}:{SIP_PORT}")
        users = self.users_file([number])
        done = sipp.run(scenario, self.target, (host, SIP_PORT), sipp.Load(1, 1), self.cores, "-inf", str(users))
        if done.successful != 1:
            raise RuntimeError(f"{number} could not register: {scenario.with_suffix('.log')}")

    def users_file(self, numbers: list[str]) -> Path:
        """Numbers and passwords in the form sipp reads them."""
        path = self.folder / f"users-{'-'.join(numbers)}.csv"
        rows = [
            f"{number};[authentication username={number} password={self.office.passwords[number]}]"
            for number in numbers
        ]
        path.write_text("\n".join(["SEQUENTIAL", *rows, ""]))
        return path


@contextmanager
def bench_office(network: Network, cores: Cores, numbers: list[str]) -> Iterator[BenchOffice]:
    """An engine on the measured core whose extensions ``numbers`` may hold any number of calls."""
    with tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as scratch:
        folder = Path(scratch)
        # calls of one second linger in transactions for 32 s, their ports for less: many may be open at once
        with open_office(folder, network, "--media-ports", "30000-59999", prefix=cores.on_measured) as office:
            for number in numbers:
                office.extension(number, "--max-calls", "unlimited")
            # sipp answers one challenge, the first
            office.cli("param", "set", "digest", "md5")
            yield BenchOffice(office, network, cores, folder)
