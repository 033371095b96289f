"""A phone that follows a script: sipp registers, then plays one call of a scenario exactly as written."""

from __future__ import annotations

import asyncio
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.live import processes
from tests.live.network import Network
from tests.live.phone import Account

SCENARIOS = Path(__file__).with_name("scenarios")
LONGEST_S = 40


@dataclass(slots=True)
class SippPhone:
    """One sipp that waits for its call; its script ends when the last line was played."""

    account: Account
    folder: Path
    process: subprocess.Popen[bytes]

    async def plays_to_the_end(self, within_s: float = 10.0) -> str:
        """Wait until every line of the script was played; every message that crossed its wire."""
        try:
            status = await asyncio.to_thread(self.process.wait, within_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the script was not played to its end: {self.messages()[-3000:]}") from None
        assert status == 0, f"the script ended with {status}: {self.log()[-1500:]}{self.messages()[-3000:]}"
        return self.messages()

    def messages(self) -> str:
        path = self.folder / "messages.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    async def close(self) -> None:
        processes.stop(self.process)


async def start_sipp_phone(account: Account, scenario: str, folder: Path, network: Network) -> SippPhone:
    """Register ``account`` from an address of its own and wait for the call that ``scenario`` plays."""
    processes.needs("sipp")
    folder.mkdir(parents=True)
    host, ports = network.host(), network.ports(12)
    register = _command(account, "register", folder, host, ports)
    done = processes.start(register, log=folder / "log", cwd=folder, environment={"TERM": "dumb"})
    try:
        status = await asyncio.to_thread(done.wait, 8)
    finally:
        processes.stop(done)
    assert status == 0, (
        f"{account.number} is not registered: {(folder / 'log').read_text(errors='replace')[-2000:]}"
    )
    command = _command(account, scenario, folder, host, ports)
    process = processes.start(command, log=folder / "log", cwd=folder, environment={"TERM": "dumb"})
    return SippPhone(account, folder, process)


def _command(account: Account, scenario: str, folder: Path, host: str, ports: range) -> list[str | Path]:
    is_script = scenario.startswith("<?xml")
    text = scenario if is_script else (SCENARIOS / f"{scenario}.xml").read_text()
    text = text.replace("{user}", account.number).replace("{password}", account.password)
    path = folder / ("script.xml" if is_script else f"{scenario}.xml")
    path.write_text(text)
    return [
        "sipp", account.office, "-sf", path, "-i", host, "-p", str(ports[0]), "-mi", host, "-mp", str(ports[2]),
        "-s", account.number, "-m", "1", "-nostdin", "-rtp_echo", "-trace_msg", "-message_file",
        folder / "messages.log", "-timeout", f"{LONGEST_S}s", "-timeout_error",
    ]  # fmt: skip
