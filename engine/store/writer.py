"""The one thread that writes the database: batches of 50 ms, nothing lost while the database refuses."""

from __future__ import annotations

import contextlib
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.core.errors import StateFolderError
from engine.store.backlog import Backlog, Note
from engine.store.mss_file import stamp_of
from engine.store.trouble import explain, is_lasting_refusal

if TYPE_CHECKING:
    from engine.store.database import Database
    from engine.store.rows import Rows

_log = logging.getLogger(__name__)

BATCH_S, BUSY_BATCH_S = 0.05, 0.25
"""How long a first note waits for company: longer in a flood, for a commit costs more than its notes do."""
_FLOOD = 10
"""Notes in one batch."""
LOOK_S = 1.0
"""How often another program's edits are looked for."""
UPKEEP_FIRST_S, UPKEEP_S = 60.0, 3600.0
"""When old records are pruned: not while an office starts, then every hour."""
_FIRST_RETRY_S, _LAST_RETRY_S = 0.5, 5.0
_CLOSING_S = 5.0
"""How long closing waits for a database that refuses."""


@dataclass(frozen=True, slots=True)
class Job:
    """Work somebody waits for; ``writes`` says whether it may change anything."""

    work: Callable[[Rows], Any]
    writes: bool
    future: Future[Any] = field(default_factory=Future)


class Writer:
    """Owns the connection from ``start`` on. ``after_change`` runs on its thread after a commit of jobs and after
    another program's edit, ``on_trouble`` once when waiting notes cannot be written, ``upkeep`` every hour."""

    def __init__(
        self,
        raw: sqlite3.Connection,
        database: Database | None,
        folder: Path,
        after_change: Callable[[], None],
        on_trouble: Callable[[str], None],
        upkeep: Callable[[], object],
    ) -> None:
        self._raw = raw
        self._database = database
        self._folder = folder
        self._after_change = after_change
        self._on_trouble = on_trouble
        self._upkeep = upkeep
        self._upkeep_at = time.monotonic() + UPKEEP_FIRST_S
        self._queue: queue.SimpleQueue[Note | Job | None] = queue.SimpleQueue()
        self._urgent = threading.Event()
        self._backlog = Backlog()
        self._batch_s = BATCH_S
        self._failures = 0
        self._retry_at = 0.0
        self._look_at = 0.0
        self._close_by: float | None = None
        self._is_over = False
        self._version = self._state_of_things()
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)
        self.trouble: str | None = None
        """Why notes wait; ``None`` while the database takes what it is given."""

    def start(self) -> None:
        self._thread.start()

    def note(self, note: Note) -> None:
        """Write this soon; costs a few microseconds, never waits, never raises."""
        self._queue.put(note)

    def submit(self, job: Job) -> None:
        """Do this now, with everything noted before it."""
        self._queue.put(job)
        self._urgent.set()
        if self._is_over:
            self._refuse_rest()

    def close(self) -> None:
        """Write what waits (for at most a few seconds) and end the thread."""
        self._queue.put(None)
        self._urgent.set()
        self._thread.join(_CLOSING_S + 10)

    def _run(self) -> None:
        while self._close_by is None or (self._backlog and time.monotonic() < self._close_by):
            jobs = self._gather()
            if jobs or (self._backlog and time.monotonic() >= self._retry_at):
                self._serve(jobs)
            if time.monotonic() >= self._look_at:
                self._look_for_edits()
            if time.monotonic() >= self._upkeep_at:
                self._upkeep_at = time.monotonic() + UPKEEP_S
                self._upkeep()
        self._end()

    def _gather(self) -> list[Job]:
        """Take what is queued: notes into the backlog, jobs as the answer; after a first note, wait for company."""
        jobs: list[Job] = []
        try:
            first = self._queue.get(timeout=self._patience())
        except queue.Empty:
            return jobs
        self._sort(first, jobs)
        if not jobs and self._close_by is None:
            self._urgent.wait(self._batch_s)
        self._urgent.clear()
        count = 1
        while not self._queue.empty():
            self._sort(self._queue.get(), jobs)
            count += 1
        self._batch_s = BUSY_BATCH_S if count >= _FLOOD else BATCH_S
        return jobs

    def _patience(self) -> float:
        now = time.monotonic()
        until = min(self._look_at, self._retry_at) if self._backlog else self._look_at
        return max(0.001, until - now)

    def _sort(self, item: Note | Job | None, jobs: list[Job]) -> None:
        if item is None:
            self._close_by = time.monotonic() + _CLOSING_S
            self._retry_at = 0.0
        elif isinstance(item, Job):
            jobs.append(item)
        else:
            self._backlog.add(item)

    def _serve(self, jobs: list[Job]) -> None:
        changes = [job for job in jobs if job.writes and job.future.set_running_or_notify_cancel()]
        if changes or self._backlog:
            self._write(changes)
        for job in jobs:
            if not job.writes and job.future.set_running_or_notify_cancel():
                self._read(job)

    def _write(self, jobs: list[Job]) -> None:
        try:
            outcomes = self._commit(self._backlog, jobs)
        except Exception as error:  # whatever it is, this thread must live on
            self._fail(error, jobs)
            return
        self._backlog.clear()
        self._recover()
        if jobs:
            self._show_change()
        for job, (result, failure) in zip(jobs, outcomes, strict=True):
            if failure is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(failure)

    def _commit(self, backlog: Backlog, jobs: list[Job]) -> list[tuple[Any, Exception | None]]:
        from engine.store.database import run_work, write_backlog  # SQLModel takes 0.5 s: not before it is needed

        outcomes: list[tuple[Any, Exception | None]] = []
        with self._opened().transaction() as connection:
            write_backlog(connection, backlog)
            for job in jobs:
                try:
                    outcomes.append((run_work(connection, job.work), None))
                except Exception as error:
                    if is_lasting_refusal(error):
                        raise
                    outcomes.append((None, error))
        return outcomes

    def _fail(self, error: Exception, jobs: list[Job]) -> None:
        if is_lasting_refusal(error):
            refusal = explain(error, self._folder)
            for job in jobs:
                job.future.set_exception(refusal)
            if self._backlog:
                self._postpone(refusal)
        elif self._backlog:
            self._sift()
            self._write(jobs)
        else:
            for job in jobs:
                job.future.set_exception(error)

    def _sift(self) -> None:
        """One note spoils the batch: write each alone and leave the one behind that can never be written."""
        singles = self._backlog.take_all()
        for place, single in enumerate(singles):
            try:
                self._commit(single, [])
            except Exception as error:
                if is_lasting_refusal(error):
                    for rest in singles[place:]:
                        self._backlog.take(rest)
                    return
                _log.error("left out, the database cannot take it: %r (%s)", single, error)

    def _postpone(self, refusal: StateFolderError) -> None:
        self._failures += 1
        self._retry_at = time.monotonic() + min(_LAST_RETRY_S, _FIRST_RETRY_S * 2 ** (self._failures - 1))
        # A single refusal is another program's short transaction: only what lasts is worth an alarm.
        if self._failures >= 2 and self.trouble is None:
            self.trouble = str(refusal)
            _log.error("%s; what happens is kept in memory until it is mended", refusal)
            self._on_trouble(self.trouble)

    def _recover(self) -> None:
        if self.trouble is not None:
            _log.warning("the database takes what it is given again")
        self._failures, self._retry_at, self.trouble = 0, 0.0, None

    def _read(self, job: Job) -> None:
        from engine.store.database import run_work

        try:
            with self._opened().transaction(writes=False) as connection:
                result = run_work(connection, job.work)
        except Exception as error:
            job.future.set_exception(explain(error, self._folder) if is_lasting_refusal(error) else error)
        else:
            job.future.set_result(result)

    def _look_for_edits(self) -> None:
        self._look_at = time.monotonic() + LOOK_S
        try:
            version = self._state_of_things()
            if version != self._version:
                self._version = version
                self._show_change()
        except sqlite3.Error as error:
            _log.error("cannot look for edits of other programs: %s", explain(error, self._folder))

    def _show_change(self) -> None:
        try:
            self._after_change()
        except Exception:  # whatever it is, this thread must live on
            _log.exception("a change of the configuration could not be shown; it is stored")

    def _state_of_things(self) -> object:
        """Another whenever somebody else has changed the database, or the parameter file beside it."""
        return self._raw.execute("PRAGMA data_version").fetchone()[0], stamp_of(self._folder)

    def _opened(self) -> Database:
        if self._database is None:
            from engine.store.database import Database

            self._database = Database(self._raw)
        return self._database

    def _end(self) -> None:
        if self._backlog or self._backlog.lost:
            _log.error("%d notes could not be written and are lost", len(self._backlog) + self._backlog.lost)
        self._is_over = True
        self._refuse_rest()
        if self._database is not None:
            self._database.close()
        self._raw.close()

    def _refuse_rest(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                item = self._queue.get_nowait()
                if isinstance(item, Job):
                    item.future.set_exception(StateFolderError("the office's database is closed"))
