"""The engine as a service manager sees it: readiness, watchdog and end (sd_notify(3))."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import processes
from tests.live.network import Network
from tests.live.office import COMMAND, new_office


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The socket that systemd would listen on, with a watchdog of a second."""
    path = tmp_path / "notify"
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listening.bind(str(path))
    listening.settimeout(20)
    monkeypatch.setenv("NOTIFY_SOCKET", str(path))
    monkeypatch.setenv("WATCHDOG_USEC", "1000000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    yield listening
    listening.close()


def test_says_when_it_is_ready_that_it_lives_and_that_it_stops(
    tmp_path: Path, network: Network, manager: socket.socket
) -> None:
    office = new_office(tmp_path, network)
    office.start()
    try:
        assert manager.recv(200) == b"READY=1"
        assert [manager.recv(200) for _ in range(3)] == [b"WATCHDOG=1"] * 3
    finally:
        office.stop()
    said = []
    manager.setblocking(False)
    while True:
        try:
            said.append(manager.recv(200))
        except BlockingIOError:
            break
    assert said[-1] == b"STOPPING=1"


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    processes.needs("systemd-analyze")
    unit = tmp_path / "frontdesk.service"
    done = subprocess.run(
        [str(COMMAND), "install-service", "--print", "--sip", ":506"], capture_output=True, timeout=20, check=True
    )
    unit.write_bytes(done.stdout)
    checked = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=20, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")
