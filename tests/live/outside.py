"""The outside world of a live office: phones of others, each a sipp that plays one call and knows no password."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.live import processes
from tests.live.network import Network, host_port
from tests.live.sipp import SCENARIOS

SIP_PORT = 5060
LONGEST_S = 90


@dataclass(slots=True)
class OutsidePhone:
    """A sipp at one address that plays one script."""

    host: str
    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        return host_port(self.host, self.port)

    async def plays_to_the_end(self, within_s: float = 10.0) -> str:
        """Wait until every line of the script was played; every message that crossed its wire."""
        try:
            status = await asyncio.to_thread(self.process.wait, within_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the script was not played to its end: {self.messages()[-4000:]}") from None
        assert status == 0, f"the script ended with {status}: {self.log()[-1500:]}{self.messages()[-4000:]}"
        return self.messages()

    def messages(self) -> str:
        path = self.folder / "messages.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


@dataclass(slots=True)
class Outside:
    """Gives addresses to phones outside and starts them; all end with the test."""

    folder: Path
    network: Network
    running: list[OutsidePhone]

    def waits(self, scenario: str, host: str, *, port: int = SIP_PORT, **values: str) -> OutsidePhone:
        """A phone that waits for the one call of its script: the name of one, or its text."""
        return self._start(scenario, host, port, None, values)

    def calls(
        self, scenario: str, host: str, number: str, target: str, *, port: int = SIP_PORT, **values: str
    ) -> OutsidePhone:
        """A phone that calls ``number`` at ``target``."""
        return self._start(scenario, host, port, (number, target), values)

    def _start(
        self, scenario: str, host: str, port: int, call: tuple[str, str] | None, values: dict[str, str]
    ) -> OutsidePhone:
        processes.needs("sipp")
        folder = self.folder / f"outside-{len(self.running)}"
        folder.mkdir(parents=True)
        is_script = scenario.startswith("<?xml")
        text = scenario if is_script else (SCENARIOS / f"{scenario}.xml").read_text()
        for name, value in values.items():
            text = text.replace("{" + name + "}", value)
        path = folder / ("script.xml" if is_script else f"{scenario}.xml")
        path.write_text(text)
        media = self.network.ports(4)
        number, target = call or ("outside", "")
        speaks = "rtp_stream" in text  # with a voice of its own it echoes nothing: two sources would share its port
        shown = f"[{host}]" if ":" in host else host
        command: list[str | Path] = [
            "sipp", *([target] if target else []), "-sf", path, "-i", shown, "-p", str(port), "-mi", shown,
            "-mp", str(media[0]), "-s", number, "-m", "1", "-nostdin", *([] if speaks else ["-rtp_echo"]),
            "-trace_msg", "-message_file", folder / "messages.log", "-timeout", f"{LONGEST_S}s", "-timeout_error",
        ]  # fmt: skip
        process = processes.start(command, log=folder / "log", cwd=folder, environment={"TERM": "dumb"})
        phone = OutsidePhone(host, port, folder, process)
        self.running.append(phone)
        return phone


@contextmanager
def open_outside(folder: Path, network: Network) -> Iterator[Outside]:
    outside = Outside(folder, network, [])
    try:
        yield outside
    finally:
        for phone in outside.running:
            processes.stop(phone.process)
