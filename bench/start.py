"""From the start of the process to the first accepted REGISTER, and what the idle engine keeps in memory."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from bench.machine import Cores, cpu_seconds
from bench.progress import say
from engine.core.tokens import TokenSource
from engine.phones.phone import Account, Phone
from engine.sip.flow import Flow
from engine.sip.transaction.outputs import Send
from tests.live.network import Network
from tests.live.office import SIP_PORT, Office, new_office

NUMBER = "921"
EXTENSIONS = 20
RUNS, SHORT_RUNS = 5, 1
GIVE_UP_S = 20.0
_KNOCK_S = 0.002
"""How soon a port that refuses is tried again."""
_FLOOR = """
import asyncio, sys, uvloop
class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport): self.transport = transport
    def datagram_received(self, data, peer): self.transport.sendto(data, peer)
async def main():
    await asyncio.get_running_loop().create_datagram_endpoint(Echo, local_addr=(sys.argv[1], int(sys.argv[2])))
    await asyncio.Event().wait()
uvloop.run(main())
"""
"""The least that any such engine does: Python, uvloop, a socket, one answer."""


def measure(network: Network, cores: Cores, *, is_short: bool) -> dict[str, Any]:
    """Start the engine on an existing state, and the floor, in turns; best of them."""
    with tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as scratch:
        office = _existing_office(Path(scratch), network)
        office.prefix = cores.on_measured
        source = network.host()  # the same phone comes back each time: another one would be asked about first
        runs: list[dict[str, Any]] = []
        floors: list[float] = []
        for run in range(SHORT_RUNS if is_short else RUNS):
            say(f"start: {run + 1}")
            floors.append(_start_floor(network.host(), cores))
            runs.append(_start_engine(office, source))
    best, floor = min(run["register_s"] for run in runs), min(floors)
    return {
        "runs": runs,
        "floor_s": [round(each, 3) for each in floors],
        "best_s": best,
        "best_floor_s": round(floor, 3),
        "ratio": round(best / floor, 1),
        "rss_mib": max(run["rss_mib"] for run in runs),
        "pss_mib": max(run["pss_mib"] for run in runs),
        "rss_after_writing_mib": max(run["rss_after_writing_mib"] for run in runs),
    }


def _existing_office(folder: Path, network: Network) -> Office:
    """An office that has been set up and has run before."""
    office = new_office(folder, network)
    office.start()
    try:
        for number in range(int(NUMBER), int(NUMBER) + EXTENSIONS):
            office.extension(str(number))
        office.cli("param", "set", "digest", "md5")
    finally:
        office.stop()
    return office


def _start_engine(office: Office, source: str) -> dict[str, Any]:
    """One start: seconds to the 200 of a REGISTER and to ``ready``, CPU until then, memory once idle."""
    ready, theirs = os.pipe()
    begun = time.monotonic()
    with office.log_file.open("ab") as log:
        process = subprocess.Popen(
            [*office.arguments(), "--ready-fd", str(theirs)], pass_fds=(theirs,), stdout=log, stderr=log
        )
    os.close(theirs)
    try:
        account = Account(NUMBER, office.passwords[NUMBER], (office.host, SIP_PORT))
        register_s = _until_registered(account, source, process) - begun
        with os.fdopen(ready, "rb") as lines:
            readable, _, _ = select.select([lines], [], [], GIVE_UP_S)
            if not readable or lines.readline() != b"ready\n":
                raise RuntimeError(f"the engine is not ready: {office.log()[-2000:]}")
        ready_s, cpu_s = time.monotonic() - begun, cpu_seconds(process.pid)
        idle = psutil.Process(process.pid).memory_full_info()
        office.json("records")  # the database is written and read: what that loads stays
        after = psutil.Process(process.pid).memory_full_info()
    finally:
        process.terminate()
        process.wait(GIVE_UP_S)
    return {
        "register_s": round(register_s, 3),
        "ready_s": round(ready_s, 3),
        "cpu_s": round(cpu_s, 3),
        "rss_mib": round(idle.rss / 2**20, 1),
        "pss_mib": round(idle.pss / 2**20, 1),
        "rss_after_writing_mib": round(after.rss / 2**20, 1),
    }


def _until_registered(account: Account, source: str, process: subprocess.Popen[bytes]) -> float:
    """Register as soon as the port is open; when the 200 came."""
    with _connected((source, SIP_PORT), account.office) as line:
        flow = Flow("UDP", source, SIP_PORT, *account.office)
        phone = Phone(account, flow, TokenSource().hex, lambda call: None)
        give_up_at = time.monotonic() + GIVE_UP_S
        phone.register(time.monotonic())
        while not phone.is_registered:
            now = time.monotonic()
            if now > give_up_at or process.poll() is not None:
                raise RuntimeError("no REGISTER was accepted")
            for output in phone.agent.take_outputs(now):
                if isinstance(output, Send):
                    _knock(line, output.data)
                else:
                    phone.hear(output, now)
            if (answer := _listen(line)) is not None:
                phone.agent.receive(answer, flow, time.monotonic())
        return time.monotonic()


def _start_floor(host: str, cores: Cores) -> float:
    begun = time.monotonic()
    process = subprocess.Popen([*cores.on_measured, sys.executable, "-c", _FLOOR, host, str(SIP_PORT)])
    try:
        with _connected((host, 0), (host, SIP_PORT)) as line:
            _knock(line, b"hello")
            while (answer := _listen(line)) is None and time.monotonic() - begun < GIVE_UP_S:
                """The port is open: the answer is on its way."""
            if answer is None:
                raise RuntimeError("the floor does not answer")
            return time.monotonic() - begun
    finally:
        process.kill()
        process.wait()


def _connected(source: tuple[str, int], to: tuple[str, int]) -> socket.socket:
    """A UDP socket that is told when the port it speaks to is closed."""
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.bind(source)
    line.connect(to)
    return line


def _knock(line: socket.socket, data: bytes) -> None:
    """Send until a port is there to take it."""
    give_up_at = time.monotonic() + GIVE_UP_S
    while time.monotonic() < give_up_at:
        with suppress(ConnectionRefusedError):
            line.send(data)
            readable, _, _ = select.select([line], [], [], _KNOCK_S)
            if not readable:
                return
            line.recv(1, socket.MSG_PEEK)
            return
        time.sleep(_KNOCK_S)


def _listen(line: socket.socket) -> bytes | None:
    readable, _, _ = select.select([line], [], [], 0.05)
    if not readable:
        return None
    with suppress(ConnectionRefusedError):
        return line.recv(65535)
    return None
