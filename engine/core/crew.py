"""Background tasks that may fail without taking the office along."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any

log = logging.getLogger(__name__)


class Crew:
    """Starts tasks in a group; one that fails is logged and ends alone."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group

    def start(self, work: Coroutine[Any, Any, None], what: str) -> asyncio.Task[None]:
        """Run ``work``; ``what`` names it in the log."""
        return self._group.create_task(_guarded(work, what))

    def run(self, work: Coroutine[Any, Any, None], what: str) -> None:
        """Do ``work`` now, up to where it first waits for something; what is left then goes on as a task.

        Most work waits for nothing: a task would cost another turn of the loop. Up to its first wait it has no
        task of its own, so ``asyncio.timeout`` and the like are not for it.
        """
        try:
            awaited = work.send(None)
        except StopIteration:
            return
        except Exception:
            log.exception("%s failed; the office goes on", what)
            return
        self.start(_resumed(work, awaited), what)


async def _guarded(work: Coroutine[Any, Any, None], what: str) -> None:
    try:
        await work
    except Exception:
        log.exception("%s failed; the office goes on", what)


@coroutine
def _resumed(work: Coroutine[Any, Any, None], awaited: Any) -> Generator[Any, Any, None]:
    """The rest of ``work``, which waits for ``awaited``."""
    while True:
        failure: BaseException | None = None
        value = None
        try:
            value = yield awaited
        except BaseException as error:
            failure = error
        try:
            awaited = work.send(value) if failure is None else work.throw(failure)
        except StopIteration:
            return
