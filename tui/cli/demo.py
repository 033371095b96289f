"""``frontdesk demo``: a throw-away office with simulated phones, in the console on this terminal."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from engine.core.errors import RefusedError
from engine.desk.client import EngineClient, NoEngineError
from engine.desk.commands import StopEngine
from tui.cli.attended import STARTING_S, last_words, launch
from tui.cli.options import seconds, whole_number
from tui.cli.running import open_fd
from tui.cli.stopping import progress, say
from tui.texts import N_

ENDING_S = 10.0


def demo(
    headless: Annotated[bool, typer.Option("--headless", help="Without the console, until it is stopped.")] = False,
    run_seconds: Annotated[
        float | None,
        typer.Option("--seconds", metavar="S", parser=seconds, help="End after S seconds; with --headless."),
    ] = None,
    ready_fd: Annotated[
        int | None,
        typer.Option(
            "--ready-fd", metavar="N", parser=whole_number(0), help="Write 'ready' here once the phones registered."
        ),
    ] = None,
    state: Annotated[
        str | None,
        typer.Option("--state", metavar="DIR", help="A folder that does not exist yet [default: a temporary one]."),
    ] = None,
) -> None:
    """Show a throw-away office whose simulated phones call each other; leaving ends it and removes it.

    It uses loopback addresses and free ports alone and touches no state folder of yours.
    """
    if not headless and (run_seconds is not None or ready_fd is not None):
        raise typer.BadParameter("--seconds and --ready-fd need --headless")
    folder = _new_folder(state)
    try:
        if headless:
            raise typer.Exit(_run_headless(folder, run_seconds, open_fd(ready_fd)))
        _attend(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(say(N_("The demo is over; nothing of it is left.")))


def _new_folder(state: str | None) -> Path:
    """An empty folder for this run alone, whatever ``$FRONTDESK_STATE`` says."""
    if state is None:
        try:
            return Path(tempfile.mkdtemp(prefix="frontdesk-demo-"))
        except OSError as error:
            raise RefusedError(
                f"cannot make a temporary folder: {error.strerror}", "free some space, or set TMPDIR"
            ) from None
    from engine.demo import demand_empty

    folder = Path(state).expanduser().absolute()
    demand_empty(folder)
    return folder


def _run_headless(folder: Path, run_seconds: float | None, ready_fd: int | None) -> int:
    from engine.core.log import open_log
    from engine.demo import run_demo
    from tui.cli.late import LateConsoleHost

    log = open_log()
    try:
        return run_demo(folder, LateConsoleHost, seconds=run_seconds, ready_fd=ready_fd)
    finally:
        log.close()


def _attend(folder: Path) -> None:
    """The demo behind a console on this terminal. However this process ends, the demo ends with it."""
    from engine.demo import DESK
    from tui.cli.terminal import demand_terminal, show_console

    demand_terminal()
    folder.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryFile() as log:  # has no name: it goes with this process, however that ends
        process = _start(folder, Path(f"/proc/self/fd/{log.fileno()}"))
        try:
            with EngineClient.connect(folder) as client:
                show_console(client, DESK)
        finally:
            _end(process, folder)


def _start(folder: Path, log: Path) -> subprocess.Popen[bytes]:
    """The demo as a child, once its phones are registered; raises ``RefusedError`` with its last words."""
    process, ready = launch(["demo", "--headless", "--state", str(folder)], log)
    try:
        with os.fdopen(ready, "rb") as lines, progress(say(N_("Starting the demo"))):
            readable, _, _ = select.select([lines], [], [], STARTING_S)
            line = lines.readline() if readable else b""
        if line != b"ready\n":
            raise RefusedError(
                last_words(log, 0) or "the demo did not start", "try again, or see 'frontdesk doctor'"
            )
    except BaseException:
        _end(process, folder)
        raise
    return process


def _end(process: subprocess.Popen[bytes], folder: Path) -> None:
    try:
        with EngineClient.connect(folder) as client:
            client.ask(StopEngine(0.0))
    except (NoEngineError, RefusedError):
        process.terminate()
    try:
        process.wait(ENDING_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
