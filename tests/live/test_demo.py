"""The demo: simulated phones over real sockets, in a real terminal, and nothing left afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.live import processes
from tests.live.office import COMMAND
from tests.live.terminal import Terminal


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the demo makes its temporary folder, and a state folder of the user that it must not touch."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("FRONTDESK_STATE", str(tmp_path / "mine"))
    return tmp_path


def folders(where: Path) -> list[Path]:
    return list(where.glob("frontdesk-demo-*"))


def demo_processes(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if "demo" in command and str(folder) in command and process.status() != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def ask(folder: Path, *words: str) -> Any:
    done = subprocess.run(
        [str(COMMAND), *words, "--json", "--state", str(folder)],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    return json.loads(done.stdout) if done.returncode == 0 else None


def test_phones_talk_with_real_audio_and_leave_nothing(tmp_path: Path) -> None:
    folder, log = tmp_path / "office", tmp_path / "demo.log"
    ready, theirs = os.pipe()
    process = processes.start(
        [COMMAND, "demo", "--headless", "--state", folder, "--ready-fd", str(theirs)], log=log, pass_fds=(theirs,)
    )
    os.close(theirs)
    try:
        with os.fdopen(ready, "rb") as lines:
            assert lines.readline() == b"ready\n", log.read_text()

        def talk_is_heard() -> bool:
            calls = ask(folder, "calls") or []
            return any(call["state"] == "talking" and (call["quality"] or {"mos": 0})["mos"] > 4 for call in calls)

        # one phone of the demo hears badly on purpose, so not every call will do
        processes.wait_until(talk_is_heard, 30, "a call of the demo talks and is heard well")
        assert all(phone["source"].startswith("127.0.1.") for phone in ask(folder, "registration", "list"))
    finally:
        status = processes.stop(process, within_s=10)
    assert status == 0, log.read_text()
    assert not folder.exists()
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("how", ["key", "hang-up", "kill"])
def test_whichever_way_the_terminal_is_left_the_demo_ends(elsewhere: Path, how: str) -> None:
    terminal = Terminal(elsewhere / "terminal", [str(COMMAND), "demo"])
    try:
        terminal.shows("12/13 phones", 20)
        terminal.shows("Bo Chen 陈波")
        (folder,) = folders(elsewhere)
        assert demo_processes(folder)
        if how == "key":
            terminal.press("C-q")
            terminal.said("The demo is over; nothing of it is left.")
        elif how == "kill":
            os.kill(terminal.pid(), signal.SIGKILL)
    finally:
        terminal.close()
    processes.wait_until(lambda: not demo_processes(folder), 10, "the demo's processes end")
    processes.wait_until(lambda: not folders(elsewhere), 5, "the demo's folder goes")
    assert not (elsewhere / "mine").exists()


def test_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    done = subprocess.run(
        [str(COMMAND), "demo", "--headless", "--state", str(tmp_path)],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "would remove" in done.stderr
    assert (tmp_path / "precious").exists()
