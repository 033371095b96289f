"""A terminal that a receptionist sits at: tmux with the stock ssh client inside."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import subprocess
import time
from pathlib import Path

import pytest

from tests.live import processes

_names = itertools.count()


class Terminal:
    """A tmux server with one pane of ``columns`` × ``rows`` that runs ``command``."""

    def __init__(self, folder: Path, command: list[str], *, columns: int = 120, rows: int = 34) -> None:
        processes.needs("tmux")
        folder.mkdir(parents=True, exist_ok=True)
        self.socket = folder / f"tmux-{next(_names)}"
        self.log = folder / f"{self.socket.name}.log"
        # in the foreground, so that it dies with the test run and takes what runs in it along
        self.server = processes.start(
            ["tmux", "-S", self.socket, "-f", "/dev/null", "-D"], log=self.log, environment={"LC_ALL": "C.UTF-8"}
        )
        processes.wait_until(self.socket.exists, 5, "tmux opens its socket")
        self._tmux("set", "-g", "default-terminal", "tmux-256color")
        self._tmux("set", "-g", "remain-on-exit", "on")
        self._tmux("set", "-g", "status", "off")
        self._tmux("new-session", "-d", "-x", str(columns), "-y", str(rows), "exec " + shlex.join(command))

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self.socket), *arguments],
            capture_output=True, text=True, timeout=5, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        assert done.returncode == 0, f"tmux {arguments[0]}: {done.stderr}"
        return done.stdout

    def screen(self, *, with_colours: bool = False) -> str:
        """What is on the screen now."""
        return self._tmux("capture-pane", "-p", *(["-e"] if with_colours else []))

    def type(self, text: str) -> None:
        """Type ``text`` as it is."""
        self._tmux("send-keys", "-l", "--", text)

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names: ``Enter``, ``F1``, ``C-p``, ``Down``."""
        self._tmux("send-keys", *keys)

    def click(self, column: int, row: int) -> None:
        """Press and let go the left button at a cell, counted from 0 (SGR mouse reports)."""
        at = f"{column + 1};{row + 1}"
        self._tmux("send-keys", "-l", "--", f"\x1b[<0;{at}M\x1b[<0;{at}m")

    def resize(self, columns: int, rows: int) -> None:
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def shows(self, pattern: str, within_s: float = 5.0) -> str:
        """Wait until ``pattern`` is on the screen; the screen."""
        return self._wait(pattern, within_s, wanted=True)

    def hides(self, pattern: str, within_s: float = 5.0) -> str:
        """Wait until ``pattern`` is no longer on the screen; the screen."""
        return self._wait(pattern, within_s, wanted=False)

    def said(self, pattern: str, within_s: float = 5.0) -> str:
        """Wait until ``pattern`` is on the screen or has been scrolled off it, as tmux does when a program ends."""
        return self._wait(pattern, within_s, wanted=True, with_history=True)

    def _wait(self, pattern: str, within_s: float, *, wanted: bool, with_history: bool = False) -> str:
        deadline = time.monotonic() + within_s
        more = ["-S", "-"] if with_history else []
        while bool(re.search(pattern, screen := self._tmux("capture-pane", "-p", *more))) is not wanted:
            if time.monotonic() > deadline:
                word = "not" if wanted else "still"
                pytest.fail(f"'{pattern}' is {word} on the screen after {within_s:g} s:\n{screen}", pytrace=False)
            time.sleep(0.05)
        return screen

    def pid(self) -> int:
        """The process in the pane."""
        return int(self._tmux("display-message", "-p", "#{pane_pid}"))

    def is_dead(self) -> bool:
        """Whether the program in the pane has ended."""
        return self._tmux("display-message", "-p", "#{pane_dead}").strip() == "1"

    def close(self) -> None:
        """Throw the terminal away, hard: what runs in it gets SIGHUP."""
        processes.stop(self.server)


def ssh_command(host: str, port: int, login: str, folder: Path) -> list[str]:
    """The stock ssh client, with nothing of this machine's own configuration."""
    processes.needs("ssh")
    return [
        "ssh", "-F", "none", "-p", str(port), "-l", login,
        "-o", "StrictHostKeyChecking=accept-new", "-o", f"UserKnownHostsFile={folder}/known_hosts",
        "-o", "IdentitiesOnly=yes", "-o", "IdentityFile=none", "-o", "PreferredAuthentications=password",
        "-o", "LogLevel=ERROR", "-e", "none", host,
    ]  # fmt: skip
