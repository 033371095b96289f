"""Ends the engine, and waits until it has ended: ``frontdesk stop`` and the question on leaving the console."""

from __future__ import annotations

import os
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from engine.core.errors import RefusedError
from engine.core.paths import LOG
from engine.desk.client import EngineClient, NoEngineError
from engine.desk.commands import GetStatus, StopEngine
from engine.store.lock import running_pid
from tui.cli.asking import connect
from tui.cli.options import StateOption, folder_of, seconds
from tui.texts import N_, translate

DRAIN_S = 30.0
"""How long calls may go on when nobody says otherwise."""

_ENDING_S = 10.0


def stop(
    ctx: typer.Context,
    drain: Annotated[
        float, typer.Option("--drain", metavar="S", parser=seconds, help="Seconds the calls may go on.")
    ] = DRAIN_S,
    state: StateOption = None,
) -> None:
    """Stop the running engine and wait until it has ended; calls may go on for --drain seconds."""
    folder = folder_of(ctx, state)
    try:
        client = connect(folder)
    except NoEngineError as error:
        raise RefusedError(error.what, "there is nothing to stop") from None
    with client:
        stop_engine(client, folder, drain)
    print(say(N_("The office is closed.")))


def stop_engine(client: EngineClient, folder: Path, drain_s: float) -> None:
    """Let calls end for at most ``drain_s`` seconds and wait for the engine's end.

    Raises ``RefusedError`` when it has not ended some seconds later.
    """
    calls = client.ask(GetStatus()).calls
    client.ask(StopEngine(drain_s if calls else 0.0))
    waits_for_calls = bool(calls and drain_s)
    with progress(say(N_("Waiting for the calls to end")) if waits_for_calls else say(N_("Stopping the office"))):
        give_up_at = time.monotonic() + drain_s + _ENDING_S
        while running_pid(folder) is not None and time.monotonic() < give_up_at:
            time.sleep(0.1)
    if (pid := running_pid(folder)) is not None:
        raise RefusedError(f"the engine (pid {pid}) has not ended yet", f"see {folder / LOG}")


def progress(words: str) -> AbstractContextManager[object]:
    """Show on the terminal that something goes on; a program that reads us gets nothing of it."""
    if not sys.stdout.isatty():
        return nullcontext()
    from rich.console import Console  # 0.1 s that only a person who waits pays

    return Console().status(words)


def say(message: str) -> str:
    """``message`` in the language of this terminal."""
    return translate(message, os.environ)
