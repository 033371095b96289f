"""The Lua pool: a few threads that run steps of services; one that hangs is abandoned and replaced."""

from __future__ import annotations

import asyncio
import os
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from functools import partial
from typing import Any, TypeVar

from engine.pbx.service import ServiceError

WORKERS = 4
STEP_LIMIT_S = 1.0
MOST_STUCK = 2
"""Each thread that hangs burns a core: beyond this services are refused until one comes back."""

_LOWEST_PRIORITY = 19

T = TypeVar("T")


class Pool:
    """Belongs to one event loop. Threads start with the first step; the program's exit never waits for them."""

    def __init__(
        self, workers: int = WORKERS, step_limit_s: float = STEP_LIMIT_S, most_stuck: int = MOST_STUCK
    ) -> None:
        self._workers = workers
        self._step_limit_s = step_limit_s
        self._most_stuck = most_stuck
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._stuck: set[_Job] = set()
        self._has_started = False

    @property
    def stuck(self) -> int:
        """Threads that hang in a step that was given up; what they work on is kept and never touched."""
        return len(self._stuck)

    @property
    def has_room(self) -> bool:
        """Whether few enough threads hang for a new service to begin."""
        return len(self._stuck) < self._most_stuck

    async def run(self, work: Callable[[], T]) -> T:
        """Do ``work`` on a thread; what it raises is raised here.

        Raises ``ServiceError`` (``is_stuck``) when it takes longer than the step limit, waiting for a free thread
        not counted; whatever ``work`` uses belongs to the hanging thread from then on.
        """
        if not self._has_started:
            self._has_started = True
            for _ in range(self._workers):
                self._start_thread()
        job = _Job(work)
        self._jobs.put(job)
        while True:
            done, _ = await asyncio.wait({job.outcome}, timeout=max(0.0, job.time_left(self._step_limit_s)))
            if done:
                result: T = job.outcome.result()
                return result
            if job.time_left(self._step_limit_s) <= 0 and job.settle(_State.ABANDONED):
                self._abandon(job)

    def drop(self, machine: object) -> None:
        """Let a thread free what only ``machine`` holds: a full VM takes its time."""
        self._jobs.put(_Job(partial(_forget, machine)))

    def close(self) -> None:
        """End the threads as they become idle."""
        if self._has_started:
            for _ in range(self._workers):
                self._jobs.put(None)

    def _abandon(self, job: _Job) -> None:
        self._stuck.add(job)
        job.outcome.add_done_callback(lambda _: self._stuck.discard(job))
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, job.thread_id, _LOWEST_PRIORITY)
        self._start_thread()
        raise ServiceError(f"hangs: a step took longer than {self._step_limit_s:g} s", is_stuck=True)

    def _start_thread(self) -> None:
        threading.Thread(target=_work, args=(self._jobs,), name="lua", daemon=True).start()


class _State(Enum):
    WAITING = "waiting"
    DONE = "done"
    ABANDONED = "abandoned"


class _Job:
    """One piece of work and its outcome; who settles it first, its thread or the loop, decides."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work: Callable[[], Any] | None = work
        self._loop = asyncio.get_running_loop()
        self._state = _State.WAITING
        self._lock = threading.Lock()
        self._started: float | None = None
        self.outcome: asyncio.Future[Any] = self._loop.create_future()
        self.thread_id = 0

    def time_left(self, limit_s: float) -> float:
        """Seconds until the work takes too long; a job that waits for a thread has them all."""
        return limit_s if self._started is None else self._started + limit_s - time.monotonic()

    def settle(self, state: _State) -> bool:
        """Whether the job was still open, and is ``state`` now."""
        with self._lock:
            is_first = self._state is _State.WAITING
            if is_first:
                self._state = state
            return is_first

    def do(self) -> bool:
        """Work, on a thread of the pool; whether the thread still belongs to it."""
        self.thread_id = threading.get_native_id()
        self._started = time.monotonic()
        work, self._work = self._work, None
        assert work is not None
        result: Any = None
        failure: Exception | None = None
        try:
            result = work()
        except Exception as error:
            failure = error
        del work  # what only the work held is freed here, not on the loop
        is_ours = self.settle(_State.DONE)
        with suppress(RuntimeError):  # the loop has ended meanwhile, and nobody waits
            self._loop.call_soon_threadsafe(self._hand_over, result, failure)
        return is_ours

    def _hand_over(self, result: Any, failure: Exception | None) -> None:
        if self.outcome.done():
            return
        if self._state is _State.ABANDONED or failure is None:
            self.outcome.set_result(result)
        else:
            self.outcome.set_exception(failure)


def _forget(machine: object) -> None:
    """The last to hold ``machine``."""


def _work(jobs: queue.SimpleQueue[_Job | None]) -> None:
    while (job := jobs.get()) is not None:
        if not job.do():
            return  # another thread has taken this one's place
        del job
