"""Processes of a live test: none outlives its test, however the test ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import psutil
import pytest

MARK = "FRONTDESK_LIVE_SESSION"
"""Environment variable that every process of a test session carries, so that a stray one is found."""

PACKAGES = {
    "baresip": "baresip-core",
    "linphonec": "linphone-cli",
    "sipp": "sip-tester",
    "tmux": "tmux",
    "ssh": "openssh-client",
    "openssl": "openssl",
    "rtpengine": "rtpengine-daemon",
    "kamailio": "kamailio-tls-modules",
    "systemd-analyze": "systemd",
    "taskset": "util-linux",
    "tshark": "tshark",
    "dumpcap": "wireshark-common",
    "iptables": "iptables",
    "ip": "iproute2",
    "mount": "mount",
    "umount": "mount",
    "node": "nodejs",
}


def needs(*programs: str) -> None:
    """Skip the test, naming the Debian package, when a program is missing; with ``CI=true`` that fails."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        lacks(f"{', '.join(missing)} missing: apt-get install {' '.join(PACKAGES[name] for name in missing)}")


def lacks(text: str) -> NoReturn:
    """Skip the test for what this machine or user lacks; with ``CI=true`` that fails."""
    if os.environ.get("CI") == "true":
        pytest.fail(text, pytrace=False)
    pytest.skip(text)


def start(
    command: Sequence[str | Path],
    *,
    log: Path,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start ``command`` in a session of its own; the kernel kills it when the test run dies."""
    with log.open("ab") as output:
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", *map(str, command)],
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env={**os.environ, MARK: str(os.getpid()), **(environment or {})},
            pass_fds=pass_fds,
            start_new_session=True,
        )


def stop(process: subprocess.Popen[bytes], *, how: signal.Signals = signal.SIGTERM, within_s: float = 5.0) -> int:
    """End ``process`` and its whole group; the exit status. One that does not listen is killed."""
    if process.poll() is None:
        process.send_signal(how)
    try:
        status = process.wait(within_s)
    except subprocess.TimeoutExpired:
        kill_group(process)
        status = process.wait()
    kill_group(process)
    if process.stdin:
        process.stdin.close()
    return status


def kill_group(process: subprocess.Popen[bytes]) -> bool:
    """Kill what is left of the process group; whether anything was."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def strays() -> list[psutil.Process]:
    """Processes of this test session that still run."""
    found = []
    for process in psutil.process_iter():
        try:
            is_ours = process.environ().get(MARK) == str(os.getpid()) and process.pid != os.getpid()
            if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def wait_until(is_true: object, within_s: float, what: str, *, every_s: float = 0.05) -> None:
    """Ask ``is_true()`` until it is; fails naming ``what`` after ``within_s`` seconds."""
    assert callable(is_true)
    deadline = time.monotonic() + within_s
    while not is_true():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {within_s:g} s in vain: {what}")
        time.sleep(every_s)
