"""Its disk fills, its clock jumps, a key is spoilt, terminals are torn away: the office goes on answering."""

from __future__ import annotations

import asyncio
import os
import pty
import random
import signal
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

import psutil
import pytest

from tests.live import processes
from tests.live.handsets import talk, two_handsets
from tests.live.network import Network
from tests.live.office import COMMAND, Office, new_office, open_office

YEAR = timedelta(days=366)


@contextmanager
def small_disk(folder: Path, kib: int) -> Iterator[Path]:
    """A disk of this size; skipped where it cannot be mounted."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        if os.environ.get("CI") == "true" and os.geteuid() == 0:
            pytest.fail(f"no disk can be mounted: {mounted.stderr!r}")
        pytest.skip("only root may mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Take the last byte that is free."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    with ballast.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x")
    return ballast


async def test_full_disk_costs_no_call_and_no_record(tmp_path: Path, network: Network) -> None:
    with small_disk(tmp_path / "disk", 4096) as disk, open_office(disk, network) as office:
        office.extension("501")
        office.extension("502")
        async with two_handsets(office, network, "501", "502") as (anna, _):
            ballast = fill(disk)
            for _ in range(3):
                call = await talk(anna, "502")
                call.hang_up()
                await call.closed
            assert "disk" in office.refuses("extension", "add", "503")
            assert "cannot write" in office.refuses("backup", str(disk / "backup.tar.gz"))
            assert "cannot write" in office.refuses("export", str(disk / "office.toml"))
            assert sorted(path.name for path in disk.iterdir() if "toml" in path.name or "tar" in path.name) == []
            assert office.run("doctor", "--json").status == 1
            ballast.unlink()
            processes.wait_until(
                lambda: len(office.json("records")) == 3, 20, "the records are written once there is room"
            )


def test_full_disk_at_the_first_run_is_named_and_a_later_start_sets_up(tmp_path: Path, network: Network) -> None:
    with small_disk(tmp_path / "disk", 1024) as disk:
        ballast = fill(disk)
        office = new_office(disk, network)
        log = tmp_path / "refused.log"
        process = processes.start(office.arguments(), log=log)
        assert process.wait(20) == 1
        (line,) = [line for line in log.read_text().splitlines() if line.startswith("frontdesk:")]
        assert "disk is full" in line or "No space left" in line
        assert "Traceback" not in log.read_text()
        ballast.unlink()
        office.start()
        assert (office.state / "first-run.txt").stat().st_size > 0
        office.stop()


def test_log_that_takes_nothing_stops_nobody(tmp_path: Path, network: Network) -> None:
    office = new_office(tmp_path, network)
    with open("/dev/full", "wb") as full:
        process = subprocess.Popen(office.arguments(), stderr=full, stdout=full)
    try:
        processes.wait_until(lambda: office.run("status").status == 0, 20, "the engine answers")
        office.cli("param", "set", "office_name", "Still here")
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0


async def test_clock_that_is_set_ends_no_call_and_no_registration(
    tmp_path: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SetClock(tmp_path)
    with open_office(tmp_path, network) as office:
        office.extension("501")
        office.extension("502")
        office.stop()
        with monkeypatch.context() as patched:
            for name, value in clock.environment.items():
                patched.setenv(name, value)
            office.start()
        async with two_handsets(office, network, "501", "502") as (anna, _):
            call = await talk(anna, "502")
            for jump in (-YEAR, YEAR):
                clock.set(jump)
                said = "set back by" if jump < timedelta() else "set forward by"
                async with asyncio.timeout(20):
                    while said not in office.log():
                        await asyncio.sleep(0.1)
                lamps = await asyncio.to_thread(office.json, "lamps")
                assert (lamps["501"], lamps["502"]) == ("busy", "busy")
                assert (await asyncio.to_thread(office.json, "status"))["registrations"] == 2
            call.hang_up()
            await call.closed
            again = await talk(anna, "502")
            again.hang_up()
            await again.closed
        records = office.json("records")
        assert len(records) == 2
        assert all(0 <= record["duration_s"] < 60 for record in records)
        newest = max(datetime.fromisoformat(record["ended_at"]) for record in records)
        assert newest > datetime.now(newest.tzinfo) + YEAR / 2


class SetClock:
    """A time of day that a test sets for one process, by a library that is loaded before all others."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "offset"
        self._file.write_bytes(struct.pack("q", 0))
        library = folder / "wall_clock.so"
        source = Path(__file__).with_name("native") / "wall_clock.c"
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, source], check=True, timeout=30)
        self.environment = {"LD_PRELOAD": str(library), "FRONTDESK_TEST_CLOCK": str(self._file)}

    def set(self, offset: timedelta) -> None:
        with self._file.open("r+b") as file:
            file.write(struct.pack("q", int(offset.total_seconds())))


@pytest.mark.parametrize("spoilt", ["garbage", "folder"])
async def test_spoilt_ssh_key_is_named_and_the_phones_ring(tmp_path: Path, network: Network, spoilt: str) -> None:
    office = new_office(tmp_path, network)
    office.start()
    office.extension("501")
    office.extension("502")
    office.stop()
    key = office.state / "ssh_host_key"
    key.unlink()
    if spoilt == "garbage":
        key.write_text("this is no key")
    else:
        key.mkdir()
    office.start()
    try:
        assert not [door for door in office.json("status")["listeners"] if door["kind"] == "ssh"]
        (line,) = [line for line in office.log().splitlines() if "no console over SSH" in line]
        assert "remove it to have a new one made" in line
        async with two_handsets(office, network, "501", "502") as (anna, _):
            (await talk(anna, "502")).hang_up()
        findings = {each["check"]: each for each in office.json_whatever_status("doctor")}
        assert findings["SSH host key"]["state"] == "failed"
        assert "backup" in findings["SSH host key"]["mend"]
    finally:
        office.stop()


def test_terminals_torn_away_at_any_moment_leave_nothing(tmp_path: Path, network: Network) -> None:
    dice = random.Random(5)
    with open_office(tmp_path, network) as office:
        office.extension("501")
        engine = psutil.Process(office.json("status")["pid"])
        tear_away(office, 1.5)  # what the first console loads stays
        before = engine.num_fds()
        for _ in range(12):
            tear_away(office, dice.uniform(0.0, 1.2))
        processes.wait_until(lambda: engine.num_fds() <= before, 10, "the engine lets the terminals go")
        assert office.json("status")["loop_delay_ms"]["max"] < 2000
        assert "Traceback" not in office.log()


def tear_away(office: Office, after_s: float) -> None:
    """Open a console on a terminal that is never read, and close it hard."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(COMMAND, [str(COMMAND), "console", "--state", str(office.state)])
    try:
        ioctl(terminal, TIOCSWINSZ, struct.pack("HHHH", 40, 160, 0, 0))
        time.sleep(after_s)  # the moment is what is tried
    finally:
        os.close(terminal)
        deadline = time.monotonic() + 10
        while os.waitpid(pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                pytest.fail("the console command outlives its terminal")
            time.sleep(0.02)


def test_terminal_that_nobody_reads_stalls_nobody(tmp_path: Path, network: Network) -> None:
    with open_office(tmp_path, network) as office:
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(COMMAND, [str(COMMAND), "console", "--state", str(office.state)])
        try:
            for turn in range(10):
                ioctl(terminal, TIOCSWINSZ, struct.pack("HHHH", 30 + turn, 100 + turn, 0, 0))
                office.cli("param", "set", "office_name", f"Office {turn}")
            assert office.json("status")["loop_delay_ms"]["p99"] < 500
        finally:
            os.close(terminal)
            os.waitpid(pid, 0)


async def test_console_over_ssh_is_killed_while_it_draws(tmp_path: Path, network: Network) -> None:
    import asyncssh

    with open_office(tmp_path, network) as office:
        office.cli("operator", "add", "boss", "--role", "admin", "--password", "open sesame")
        engine = psutil.Process(office.json("status")["pid"])
        before = 0
        for turn in range(6):
            connection = await asyncssh.connect(
                office.host, office.ssh_port, username="boss", password="open sesame", known_hosts=None,
                config=None, agent_path=None, client_keys=None,
            )  # fmt: skip
            session = await connection.create_process(
                term_type="xterm-256color", term_size=(160, 50), encoding=None
            )
            await asyncio.wait_for(session.stdout.read(100), 10)
            await asyncio.sleep(0.1 * turn)
            connection.abort()
            await connection.wait_closed()
            if turn == 0:
                processes.wait_until(lambda: sockets_of(engine) == 0, 10, "the first connection is let go")
                before = engine.num_fds()
        processes.wait_until(lambda: engine.num_fds() <= before, 10, "the engine lets the connections go")
        assert "Traceback" not in office.log()


def sockets_of(engine: psutil.Process) -> int:
    return sum(each.status == psutil.CONN_ESTABLISHED for each in engine.net_connections("tcp"))
