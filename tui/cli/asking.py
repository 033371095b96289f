"""Reaches the office: through the running engine, or its database while none runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.core.errors import NotFoundError, StateFolderError
from engine.core.paths import DATABASE
from engine.desk.client import EngineClient, NoEngineError
from engine.desk.commands import Command, ListLamps
from engine.store.lock import running_pid

Ask = Callable[[Command], Any]

STARTING_S = 5.0
"""How long an engine that holds the folder may take until it answers."""


def ask(folder: Path, command: Command, *, makes_office: bool = False) -> Any:
    """The office's answer to one command; see ``reach``."""
    with reach(folder, makes_office=makes_office) as asked:
        return asked(command)


@contextmanager
def reach(folder: Path, *, makes_office: bool = False) -> Iterator[Ask]:
    """Ask the running engine, else the database; with ``makes_office`` a missing database is made.

    Raises what the desk refuses, and ``StateFolderError`` when there is no office to ask.
    """
    try:
        client = connect(folder)
    except NoEngineError:
        client = None
    if client is not None:
        with client:
            yield client.ask
        return
    if not makes_office and not (folder / DATABASE).exists():
        raise StateFolderError(
            f"there is no office in {folder}", "'frontdesk' sets one up; another folder is named with --state"
        )
    with _closed_office(folder) as asked:
        yield asked


def connect(folder: Path) -> EngineClient:
    """The running engine, waiting for one that is just starting; raises ``NoEngineError`` when none runs."""
    give_up_at = time.monotonic() + STARTING_S
    while True:
        try:
            return EngineClient.connect(folder)
        except NoEngineError:
            pid = running_pid(folder)
            if pid is None:
                raise
            if time.monotonic() > give_up_at:
                raise StateFolderError(
                    f"the engine on {folder} (pid {pid}) does not answer", "see its log, or stop it with kill"
                ) from None
            time.sleep(0.05)


@contextmanager
def _closed_office(folder: Path) -> Iterator[Ask]:
    import asyncio  # only without an engine: this and what follows cost 0.15 s

    from engine.core.clock import SystemClock
    from engine.desk.door import Desk
    from engine.pbx.rights import OWNER
    from engine.store.store import Store

    store = Store.open(folder)
    try:
        with asyncio.Runner() as runner:
            desk = Desk(store, None, SystemClock(), runner.get_loop())
            yield lambda command: runner.run(desk.ask(OWNER, command))
    finally:
        store.close()


def act(folder: Path, command: Command, target: str) -> Any:
    """The running office's answer; an extension without a call is told from a number that nobody has."""
    with connect(folder) as client:
        try:
            return client.ask(command)
        except NotFoundError as error:
            if target in client.ask(ListLamps()) and f"'{target}'" in error.what:
                raise NotFoundError(f"{target} has no call", error.mend) from None
            raise
