"""Bare ``frontdesk``: starts the office behind this terminal, shows its console, asks what becomes of it."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

from engine.core.errors import RefusedError
from engine.core.paths import FIRST_RUN, LOG, SHIPPED
from engine.desk.client import EngineClient, NoEngineError
from engine.store.folder import prepare_folder
from tui.cli.asking import connect
from tui.cli.itself import own_command
from tui.cli.stopping import DRAIN_S, progress, say, stop_engine
from tui.cli.terminal import demand_terminal, show_console
from tui.cli.welcome import welcome
from tui.texts import N_

STARTING_S = 60.0


def attend(folder: Path, run_arguments: list[str]) -> int:
    """Start the engine if none runs on ``folder``, show its console, ask; returns the exit status.

    Refused when one runs already and ``run_arguments`` ask for something: it would go unheard.
    """
    demand_terminal()
    try:
        client = connect(folder)
    except NoEngineError:
        try:
            start_engine(folder, run_arguments)
        except (EOFError, KeyboardInterrupt):
            print()
            _say_that_it_runs(folder)
            return 0
        client = connect(folder)
    else:
        if run_arguments:
            client.close()
            raise RefusedError(
                f"an engine runs on {folder} already, with options of its own",
                f"leave them out to see its console, or stop it first: {own_command(folder, 'stop')}",
            )
    with client:
        show_console(client)
        _ask_what_next(client, folder)
    return 0


def start_engine(folder: Path, run_arguments: list[str]) -> None:
    """Start an engine of its own session and wait until phones can register; on a first run show what was made.

    Raises ``RefusedError`` with the engine's last words when it ends instead.
    """
    prepare_folder(folder)
    log = folder / LOG
    before = log.stat().st_size if log.exists() else 0
    paper = folder / FIRST_RUN
    had_paper = paper.exists()
    process, ready = launch(["run", "--headless", "--state", str(folder), *run_arguments], log)
    with os.fdopen(ready, "rb") as lines, progress(say(N_("Starting the office"))):
        readable, _, _ = select.select([lines], [], [], STARTING_S)
        line = lines.readline() if readable else b""
    if not readable:
        raise RefusedError(f"the engine (pid {process.pid}) is not ready after {STARTING_S:g} s", f"see {log}")
    if line != b"ready\n":
        status = process.wait(STARTING_S)
        raise RefusedError(last_words(log, before) or f"the engine ended with status {status}", f"see {log}")
    if paper.exists() and not had_paper:
        from engine.store.first_run import FAREWELL  # with the whole store, which only a first run pays for

        print(welcome(paper.read_text(encoding="utf-8").replace(FAREWELL, "").rstrip()) + "\n")
        input(say(N_("Press Enter to open the console. ")))


def launch(words: list[str], log: Path) -> tuple[subprocess.Popen[bytes], int]:
    """A command of ours as a child in a session of its own, and the pipe it says ``ready`` on."""
    ready, theirs = os.pipe()
    paths = [str(SHIPPED), *filter(None, [os.environ.get("PYTHONPATH")])]
    try:
        file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            process = subprocess.Popen(  # noqa: S603 - our own program with options already checked
                [sys.executable, "-P", "-m", "tui.cli", *words, "--ready-fd", str(theirs)],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                pass_fds=(theirs,),
                start_new_session=True,
                cwd="/",
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            )
        finally:
            os.close(file)
    except OSError as error:
        os.close(ready)
        raise RefusedError(f"cannot start the engine: {error.strerror}", f"check the folder {log.parent}") from None
    finally:
        os.close(theirs)
    return process, ready


def last_words(log: Path, offset: int) -> str:
    """The last line the engine wrote, without its name in front."""
    with log.open("rb") as file:
        file.seek(offset)
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1].removeprefix("frontdesk: ") if lines else ""


def _ask_what_next(client: EngineClient, folder: Path) -> None:
    """Keep the office running, which is the default, or stop it."""
    try:
        answer = input(say(N_("Keep the office running? [Y/n] "))).strip().lower()
    except (EOFError, KeyboardInterrupt):
        print()
        answer = ""
    if answer not in ("n", "no", "否", "不"):
        _say_that_it_runs(folder)
        return
    stop_engine(client, folder, DRAIN_S)
    print(say(N_("The office is closed.")))


def _say_that_it_runs(folder: Path) -> None:
    print(say(N_("The office keeps running. Back to its console:  {command}")).format(command=own_command(folder)))
    print(say(N_("Stop it:  {command}")).format(command=own_command(folder, "stop")))
