"""Bare ``frontdesk``: needs a terminal, names the engine's last words, asks what becomes of the office."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.core.errors import RefusedError
from engine.core.options import EngineOptions, HostPort
from engine.core.paths import FIRST_RUN, LOG
from engine.desk.client import EngineClient
from tests.unit.cli.conftest import Engine, Frontdesk
from tui.cli import attended, running, terminal
from tui.cli.output import duration, printable


class FakeProcess:
    pid = 4711

    def wait(self, timeout: float) -> int:
        return 1


Launch = Callable[..., tuple[FakeProcess, int]]


def launching(says: bytes, logs: bytes = b"", papers: str = "") -> Launch:
    """An engine that says and writes this and is gone."""

    def launch(folder: Path, arguments: list[str], log: Path) -> tuple[FakeProcess, int]:
        ours, theirs = os.pipe()
        os.write(theirs, says)
        os.close(theirs)
        log.write_bytes((log.read_bytes() if log.exists() else b"") + logs)
        if papers:
            (folder / FIRST_RUN).write_text(papers)
        return FakeProcess(), ours

    return launch


def test_console_needs_a_terminal(frontdesk: Frontdesk, engine: Engine) -> None:
    for arguments in ((), ("run",), ("console",)):
        outcome = frontdesk(*arguments)
        assert outcome.status == 1
        assert "needs a terminal" in outcome.err


def test_engine_that_dies_is_quoted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    (folder / LOG).write_text("old words\n")
    monkeypatch.setattr(attended, "_launch", launching(b"", b"noise\nfrontdesk: port 5060 is taken: use --sip\n"))
    with pytest.raises(RefusedError, match=r"^port 5060 is taken: use --sip"):
        attended.start_engine(folder, [])


def test_engine_that_dies_silently_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attended, "_launch", launching(b""))
    with pytest.raises(RefusedError, match="ended with status 1"):
        attended.start_engine(folder, [])


def test_first_run_shows_what_to_type_and_waits(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("builtins.input", lambda prompt: asked.append(prompt) or "")
    monkeypatch.setattr(attended, "_launch", launching(b"ready\n", papers="password k7mw\n"))
    attended.start_engine(folder, [])
    assert "password k7mw" in capsys.readouterr().out
    assert len(asked) == 1
    attended.start_engine(folder, [])
    assert "k7mw" not in capsys.readouterr().out


@pytest.mark.parametrize(("answer", "stops"), [("", False), ("y", False), ("N", True), ("no", True)])
def test_leaving_asks_and_keeps_the_office_by_default(
    engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch, answer: str, stops: bool
) -> None:
    monkeypatch.setattr("builtins.input", lambda prompt: answer)
    monkeypatch.setattr(attended, "running_pid", lambda folder: None)
    with EngineClient.connect(folder) as client:
        attended._ask_what_next(client, folder)
    assert engine.office.stopped == ([attended._DRAIN_S] if stops else [])


def test_lost_terminal_keeps_the_office(engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", lost)
    with EngineClient.connect(folder) as client:
        attended._ask_what_next(client, folder)
    assert engine.office.stopped == []


def test_options_reach_the_engine_behind_the_console(tmp_path: Path) -> None:
    options = EngineOptions(tmp_path, sip=(HostPort("::1", 5070), HostPort("", 5060)), media_host="::1")
    arguments = running._as_arguments(options, "[::1]")
    again = running._read_options(
        tmp_path, [arguments[1], arguments[3]], arguments[5], arguments[-1], "30000-39999", None, 30
    )
    assert again == options


def test_console_that_failed_leaves_the_terminal_usable(
    engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = os.openpty()
    with open(theirs, "r+b", buffering=0, closefd=False) as tty:
        monkeypatch.setattr(terminal.sys, "stdin", tty)
        monkeypatch.setattr(terminal.sys, "stdout", tty)
        with EngineClient.connect(folder) as client, pytest.raises(RefusedError, match="no console"):
            terminal.show_console(client)
    assert b"\x1b[?1049l" in os.read(ours, 1000)
    os.close(ours)
    os.close(theirs)


def test_words_of_strangers_cannot_move_the_cursor() -> None:
    assert printable("baresip\x1b[2J\n陈") == r"baresip\x1b[2J\n陈"


def test_durations_read_as_clocks() -> None:
    assert (duration(134), duration(3734.9), duration(0)) == ("2:14", "1:02:14", "0:00")
