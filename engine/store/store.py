"""The office's memory: configuration snapshots to read, and one writer thread for everything that changes."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from engine.core.audit import AuditEntry
from engine.core.clock import Clock, SystemClock
from engine.core.tokens import TokenSource
from engine.core.views import CallRecord
from engine.store.backlog import DropBinding, DropSubscription
from engine.store.bindings import StoredBinding
from engine.store.configuration import Configuration
from engine.store.contacts import ContactBook, contacts_revision, read_contacts
from engine.store.folder import SCHEMA_VERSIONS, open_database, prepare_folder, schema_version
from engine.store.line_memory import SECRET, StoredLineMemory
from engine.store.memory import read_memory
from engine.store.mss_file import read_mss_file
from engine.store.passwords import make_realm
from engine.store.reading import read_bindings, read_configuration, read_site, read_subscriptions
from engine.store.record_query import AuditQuery, RecordQuery
from engine.store.row import Row
from engine.store.subscriptions import RESERVE, StoredSubscription
from engine.store.trouble import explain
from engine.store.writer import Job, Writer

if TYPE_CHECKING:
    from engine.store.database import Database
    from engine.store.rows import Rows

T = TypeVar("T")
_LONGEST_QUIET = timedelta(days=30)
"""No office is without a single call for longer: then it is the clock that errs."""
_log = logging.getLogger(__name__)


class Store:
    """One open state folder. Every method may be called from any thread."""

    def __init__(self, folder: Path, raw: sqlite3.Connection, database: Database | None, clock: Clock) -> None:
        self.folder = folder
        self._raw = raw
        self._clock = clock
        self._on_change: list[Callable[[Configuration], None]] = []
        self._on_alarm: list[Callable[[str], None]] = []
        self._is_new = True
        self._configuration = self._read(1)
        self._bindings = read_bindings(self._query)
        self._subscriptions = self._take_subscriptions()
        self._memory = read_memory(self._query)
        self._contacts, self._contacts_revision = read_contacts(self._query), ""
        self.line_memory = StoredLineMemory(read_site(self._query), self._keep_fact)
        self._writer = Writer(raw, database, folder, self._reload, self._alarm, self.prune_records)
        self._writer.start()

    @classmethod
    def open(cls, folder: Path, *, patience_s: float = 3.0, clock: Clock | None = None) -> Store:
        """Open the folder's database, made or brought up to date when needed.

        Raises ``StateFolderError`` with one clear line when the folder is none or not writable, or the database is
        damaged (left untouched), locked by another program for ``patience_s`` seconds, written by a newer
        Frontdesk, or the disk is full.
        """
        prepare_folder(folder)
        raw = open_database(folder, patience_s)
        try:
            database = _bring_up_to_date(raw, folder)
            raw.execute("INSERT OR IGNORE INTO site (name, value) VALUES ('realm', ?)", (make_realm(),))
            raw.execute("INSERT OR IGNORE INTO site (name, value) VALUES (?, ?)", (SECRET, TokenSource().hex(16)))
            return cls(folder, raw, database, clock or SystemClock())
        except sqlite3.Error as error:
            raw.close()
            raise explain(error, folder) from None
        except BaseException:
            raw.close()
            raise

    @property
    def configuration(self) -> Configuration:
        """The newest committed configuration."""
        return self._configuration

    @property
    def contacts(self) -> ContactBook:
        """The newest committed contacts."""
        return self._contacts

    @property
    def is_new(self) -> bool:
        """Whether the first run is still to come."""
        return self._is_new

    @property
    def trouble(self) -> str | None:
        """Why writing does not work at present, in one line for the office; else ``None``."""
        return self._writer.trouble

    def on_change(self, listener: Callable[[Configuration], None]) -> None:
        """Call ``listener`` with each new configuration, on the writer's thread; it must neither wait nor raise."""
        self._on_change.append(listener)

    def on_alarm(self, listener: Callable[[str], None]) -> None:
        """Call ``listener`` once when writing stops working, on the writer's thread."""
        self._on_alarm.append(listener)

    def submit(self, work: Callable[[Rows], T]) -> Future[T]:
        """Run ``work`` in a transaction on the writer's thread.

        The future is done when it is committed and ``configuration`` shows it. What ``work`` raises comes back and
        undoes only its own changes; a database that refuses gives ``StateFolderError``.
        """
        job = Job(work, writes=True)
        self._writer.submit(job)
        return job.future

    def read(self, work: Callable[[Rows], T]) -> Future[T]:
        """Run ``work``, which changes nothing, on the writer's thread after what was noted so far."""
        job = Job(work, writes=False)
        self._writer.submit(job)
        return job.future

    def put_binding(self, binding: StoredBinding) -> None:
        """Remember a registered phone; never waits, never raises."""
        self._writer.note(binding)

    def drop_binding(self, extension: str, contact: str) -> None:
        """Forget a registered phone; never waits, never raises."""
        self._writer.note(DropBinding(extension, contact))

    def load_bindings(self) -> list[StoredBinding]:
        """The phones that were registered when the store was opened, the expired ones too."""
        return self._bindings

    def put_subscription(self, kept: StoredSubscription) -> None:
        """Remember who watches what; never waits, never raises."""
        self._writer.note(kept)

    def drop_subscription(self, call_id: str, local_tag: str) -> None:
        """Forget a subscription; never waits, never raises."""
        self._writer.note(DropSubscription(call_id, local_tag))

    def load_subscriptions(self) -> list[StoredSubscription]:
        """Who watched what when the store was opened, the expired ones too.

        CSeq and version are higher than any that was used: a crash loses what had not been written.
        """
        return self._subscriptions

    def _take_subscriptions(self) -> list[StoredSubscription]:
        """Move every subscription on before anybody uses it: not even a crash at the start uses a number twice."""
        self._raw.execute("UPDATE subscription SET cseq = cseq + ?, version = version + ?", (RESERVE, RESERVE))
        return read_subscriptions(self._query)

    def _keep_fact(self, name: str, value: str) -> None:
        self.submit(lambda rows: rows.site.put(name, value))

    def load_memory(self) -> dict[tuple[str, str, str], Any]:
        """What services remembered when the store was opened, by service, owner and key."""
        return self._memory

    def put_memory(self, service: str, owner: str, key: str, value: Any) -> None:
        """Remember a value of a service, or forget it (``None``); never waits, never raises."""
        self.submit(lambda rows: rows.memory.put(service, owner, key, value))

    def put_record(self, record: CallRecord) -> None:
        """Keep a finished call; never waits, never raises."""
        self._writer.note(record)

    def list_records(
        self, since: datetime | None = None, before: datetime | None = None, limit: int | None = None
    ) -> Future[tuple[CallRecord, ...]]:
        """Calls that started in [since, before), newest first."""
        return self.read(lambda rows: rows.records(RecordQuery(since, before, limit)))

    def put_audit(self, entry: AuditEntry) -> None:
        """Keep a deed in the audit log; never waits, never raises."""
        self._writer.note(entry)

    def list_audit(
        self, since: datetime | None = None, before: datetime | None = None, limit: int | None = None
    ) -> Future[tuple[AuditEntry, ...]]:
        """Deeds in [since, before), newest first."""
        return self.read(lambda rows: rows.audit(AuditQuery(since, before, limit)))

    def prune_records(self) -> Future[int]:
        """Remove call records older than the parameter ``record_keep_days``; gives how many went."""
        kept = timedelta(days=self._configuration.params["record_keep_days"])

        def prune(rows: Rows) -> int:
            newest = rows.newest_record_at()
            if newest is None:
                return 0
            # a clock that is years ahead must not cost the office its records
            return rows.prune_records(min(self._clock.wall(), newest + _LONGEST_QUIET) - kept)

        return self.submit(prune)

    def flush(self) -> Future[None]:
        """Done when everything noted so far is committed; fails when the database refuses."""
        return self.submit(lambda rows: None)

    def close(self) -> None:
        """Write what waits and close the database; a second close does nothing."""
        self._writer.close()

    def _query(self, sql: str) -> list[Row]:
        cursor = self._raw.cursor()
        cursor.row_factory = sqlite3.Row
        return list(cursor.execute(sql))

    def _read(self, revision: int) -> Configuration:
        self._is_new = "set_up_at" not in read_site(self._query)
        return read_configuration(self._query, revision, read_mss_file(self.folder))

    def _reload(self) -> None:
        """Swap in what is stored now, when it differs."""
        try:
            fresh = self._read(self._configuration.revision)
            self._reload_contacts()
        except sqlite3.Error as error:
            _log.error("the configuration stays as it was: %s", explain(error, self.folder))
            return
        if fresh == self._configuration:
            return
        self._configuration = replace(fresh, revision=fresh.revision + 1)
        for listener in self._on_change:
            listener(self._configuration)

    def _reload_contacts(self) -> None:
        revision = contacts_revision(read_site(self._query))
        if revision != self._contacts_revision:
            self._contacts, self._contacts_revision = read_contacts(self._query), revision

    def _alarm(self, text: str) -> None:
        for listener in self._on_alarm:
            listener(text)


def _bring_up_to_date(raw: sqlite3.Connection, folder: Path) -> Database | None:
    if schema_version(raw, folder) == SCHEMA_VERSIONS[-1]:
        return None
    from engine.store.database import Database  # SQLModel takes 0.5 s: only when there is something to change

    database = Database(raw)
    try:
        database.upgrade()
    except Exception as error:
        if isinstance(getattr(error, "orig", None), sqlite3.Error):
            raise explain(error, folder) from None
        raise
    return database
