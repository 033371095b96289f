"""Bare ``frontdesk``: needs a terminal, names the engine's last words, asks what becomes of the office."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.core.errors import RefusedError
from engine.core.options import EngineOptions, HostPort
from engine.core.paths import FIRST_RUN, LOG
from engine.core.text import printable
from engine.desk.client import EngineClient
from engine.store.first_run import FAREWELL, Account, FirstRun
from tests.unit.cli.conftest import Engine, Frontdesk
from tui.cli import attended, itself, run, running, stopping, terminal
from tui.cli.output import duration
from tui.cli.welcome import welcome


class FakeProcess:
    pid = 4711

    def wait(self, timeout: float) -> int:
        return 1


Launch = Callable[..., tuple[FakeProcess, int]]


def launching(says: bytes, logs: bytes = b"", papers: str = "") -> Launch:
    """An engine that says and writes this and is gone."""

    def launch(words: list[str], log: Path) -> tuple[FakeProcess, int]:
        ours, theirs = os.pipe()
        os.write(theirs, says)
        os.close(theirs)
        log.write_bytes((log.read_bytes() if log.exists() else b"") + logs)
        if papers:
            (log.parent / FIRST_RUN).write_text(papers)
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
    monkeypatch.setattr(attended, "launch", launching(b"", b"noise\nfrontdesk: port 5060 is taken: use --sip\n"))
    with pytest.raises(RefusedError, match=r"^port 5060 is taken: use --sip"):
        attended.start_engine(folder, [])


def test_engine_that_dies_silently_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attended, "launch", launching(b""))
    with pytest.raises(RefusedError, match="ended with status 1"):
        attended.start_engine(folder, [])


def test_first_run_shows_what_to_type_and_waits(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("builtins.input", lambda prompt: asked.append(prompt) or "")
    monkeypatch.setattr(attended, "launch", launching(b"ready\n", papers=f"password k7mw\n\n{FAREWELL}\n"))
    attended.start_engine(folder, [])
    assert capsys.readouterr().out == "password k7mw\n\n"
    assert len(asked) == 1
    attended.start_engine(folder, [])
    assert "k7mw" not in capsys.readouterr().out


def test_first_run_speaks_the_language_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    first = FirstRun("frontdesk-1", (Account("100", "k7mw"),), Account("admin", "m3qp"))
    text = first.as_text("server:5060", "ssh -p 8022 admin@server", "server:5061")
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.setenv(name, "C")
    assert welcome(text) == text
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    lines = welcome(text).splitlines()
    assert lines[2:7] == [
        "  服务器      server:5060  （UDP 或 TCP）",
        "  经 TLS      server:5061  （证书位于状态文件夹的 tls/ 中）",
        "  认证域      frontdesk-1  （仅在话机要求时填写）",
        "",
        "  分机        100       用户名    100       密码     k7mw",
    ]
    assert "控制台：ssh -p 8022 admin@server" in lines


@pytest.mark.parametrize(("answer", "stops"), [("", False), ("y", False), ("N", True), ("no", True)])
def test_leaving_asks_and_keeps_the_office_by_default(
    engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch, answer: str, stops: bool
) -> None:
    monkeypatch.setattr("builtins.input", lambda prompt: answer)
    monkeypatch.setattr(stopping, "running_pid", lambda folder: None)
    with EngineClient.connect(folder) as client:
        attended._ask_what_next(client, folder)
    assert engine.office.stopped == ([stopping.DRAIN_S] if stops else [])


def test_lost_terminal_keeps_the_office(engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", lost)
    with EngineClient.connect(folder) as client:
        attended._ask_what_next(client, folder)
    assert engine.office.stopped == []


def test_interrupt_while_the_passwords_are_shown_says_that_the_office_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(prompt: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("builtins.input", interrupted)
    monkeypatch.setattr(attended, "demand_terminal", lambda: None)
    monkeypatch.setattr(attended, "launch", launching(b"ready\n", papers="password k7mw\n"))
    monkeypatch.setattr("sys.argv", ["bin/frontdesk"])
    assert attended.attend(folder, []) == 0
    out = capsys.readouterr().out
    assert f"keeps running. Back to its console:  bin/frontdesk --state {folder}\n" in out
    assert f"Stop it:  bin/frontdesk stop --state {folder}\n" in out


def test_options_for_an_engine_that_runs_already_are_refused(
    engine: Engine, frontdesk: Frontdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attended, "demand_terminal", lambda: None)
    shown: list[EngineClient] = []
    monkeypatch.setattr(attended, "show_console", shown.append)
    monkeypatch.setattr("builtins.input", lambda prompt: "")
    outcome = frontdesk("--sip", "127.11.0.1:5070")
    assert outcome.status == 1
    assert "already, with options of its own: leave them out" in outcome.err
    assert frontdesk().status == 0
    assert len(shown) == 1


def test_command_is_named_as_it_was_used(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "frontdesk"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("FRONTDESK_STATE", str(folder))
    monkeypatch.setattr("sys.argv", [str(program)])
    assert itself.own_command(folder) == str(program)
    assert itself.own_command(tmp_path, "stop") == f"{program} stop --state {tmp_path}"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert itself.own_command(folder) == "frontdesk"


def test_options_reach_the_engine_behind_the_console(tmp_path: Path) -> None:
    listens = (HostPort("::1", 5070), HostPort("", 5060))
    options = EngineOptions(
        tmp_path, sip=listens, tls=(HostPort("::1", 5061),), media_host="::1", resolver=HostPort("::1", 5353),
        advertise="office.example.org", local_nets=("10.0.0.0/8", "fd00::/8"), ws=(HostPort("", 5062),),
        wss=(HostPort("::1", 5063), HostPort("192.0.2.1", 443)),
    )  # fmt: skip
    arguments = running.as_arguments(options, "[::1]")
    resolver = arguments[arguments.index("--resolver") + 1]

    def typed(name: str) -> list[str]:
        return [arguments[at + 1] for at, word in enumerate(arguments) if word == name]

    again = running.read_options(
        tmp_path, [arguments[1], arguments[3]], [arguments[5]], arguments[7], arguments[-1], "30000-39999",
        None, 30, resolver, arguments[arguments.index("--advertise") + 1],
        typed("--local-net"), ws=typed("--ws"), wss=typed("--wss"),
    )  # fmt: skip
    assert again == options


@pytest.mark.parametrize(
    ("typed", "means"),
    [(None, None), (["off"], ()), ([":5071", "[::1]"], (HostPort("", 5071), HostPort("::1", 5061)))],
)
def test_tls_may_be_left_open_switched_off_or_put_anywhere(
    tmp_path: Path, typed: list[str] | None, means: tuple[HostPort, ...] | None
) -> None:
    options = running.read_options(tmp_path, [], typed, None, None, "30000-39999", None, 30)
    assert options.tls == means
    arguments = running.as_arguments(options, None)
    again = [arguments[at + 1] for at, word in enumerate(arguments) if word == "--tls"] or None
    assert running.read_options(tmp_path, [], again, None, None, "30000-39999", None, 30).tls == means


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


def test_stop_waits_until_the_engine_has_ended(
    frontdesk: Frontdesk, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter([4711, 4711, None, None])
    monkeypatch.setattr(stopping, "running_pid", lambda folder: next(looks))
    monkeypatch.setattr(stopping.time, "sleep", lambda seconds: None)
    outcome = frontdesk("stop", "--drain", "7")
    assert (outcome.status, outcome.out, outcome.err) == (0, "The office is closed.\n", "")
    assert engine.office.stopped == [7.0]
    engine.office.live_calls = ()
    monkeypatch.setattr(stopping, "running_pid", lambda folder: None)
    assert frontdesk("stop").status == 0
    assert engine.office.stopped == [7.0, 0.0]


def test_stop_says_when_the_engine_does_not_end(
    frontdesk: Frontdesk, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "running_pid", lambda folder: 4711)
    monkeypatch.setattr(stopping, "_ENDING_S", 0.0)
    outcome = frontdesk("stop", "--drain", "0")
    assert outcome.status == 1
    assert "the engine (pid 4711) has not ended yet" in outcome.err


def test_bare_command_takes_the_options_of_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    given: list[list[str]] = []
    monkeypatch.setattr(attended, "attend", lambda folder, arguments: given.append(arguments) or 0)
    assert run(["--state", str(folder), "--sip", "127.11.0.1:5070", "--drain", "3"]) == 0
    assert given[0][:2] == ["--sip", "127.11.0.1:5070"]
    assert given[0][given[0].index("--drain") + 1] == "3.0"
    assert run(["--sip", "127.11.0.1:5070", "status", "--state", str(folder)]) == 2
    assert "--sip belongs behind 'run'" in capfd.readouterr().err
