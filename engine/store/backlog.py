"""What waits to be written: the last word on each binding and subscription, and finished calls.

It is kept while the database refuses.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field

from engine.core.audit import AuditEntry
from engine.core.views import CallRecord
from engine.store.bindings import StoredBinding
from engine.store.subscriptions import StoredSubscription

_log = logging.getLogger(__name__)

MOST_RECORDS = 200_000
"""About 100 MiB: what a day-long outage of a busy office needs."""


@dataclass(frozen=True, slots=True)
class DropBinding:
    """A phone that is gone."""

    extension: str
    contact: str


@dataclass(frozen=True, slots=True)
class DropSubscription:
    """A phone watches no more."""

    call_id: str
    local_tag: str


Note = CallRecord | AuditEntry | StoredBinding | DropBinding | StoredSubscription | DropSubscription
"""Something to write that nobody waits for."""


@dataclass(slots=True)
class Backlog:
    """Notes in the order they came, as little as must be written; bindings are bounded by the phones there are."""

    bindings: dict[tuple[str, str], StoredBinding | None] = field(default_factory=dict)
    subscriptions: dict[tuple[str, str], StoredSubscription | None] = field(default_factory=dict)
    records: deque[CallRecord] = field(default_factory=lambda: deque(maxlen=MOST_RECORDS))
    audit: deque[AuditEntry] = field(default_factory=lambda: deque(maxlen=MOST_RECORDS))
    lost: int = 0

    def __bool__(self) -> bool:
        return bool(self.bindings or self.subscriptions or self.records or self.audit)

    def __len__(self) -> int:
        return len(self.bindings) + len(self.subscriptions) + len(self.records) + len(self.audit)

    def add(self, note: Note) -> None:
        """Keep ``note``; when too many records wait the oldest goes and ``lost`` rises."""
        match note:
            case CallRecord():
                if len(self.records) == self.records.maxlen:
                    self._lose()
                self.records.append(note)
            case AuditEntry():
                self.audit.append(note)
            case StoredBinding():
                self.bindings[note.extension, note.contact] = note
            case DropBinding():
                self.bindings[note.extension, note.contact] = None
            case StoredSubscription():
                self.subscriptions[note.call_id, note.local_tag] = note
            case DropSubscription():
                self.subscriptions[note.call_id, note.local_tag] = None

    def take(self, other: Backlog) -> None:
        """Take over what waits elsewhere; what comes later says more."""
        self.bindings.update(other.bindings)
        self.subscriptions.update(other.subscriptions)
        self.records.extend(other.records)
        self.audit.extend(other.audit)

    def clear(self) -> None:
        self.bindings.clear()
        self.subscriptions.clear()
        self.records.clear()
        self.audit.clear()

    def take_all(self) -> list[Backlog]:
        """Everything as backlogs of a single note each, and an empty backlog left behind."""
        single = [Backlog(bindings={key: binding}) for key, binding in self.bindings.items()]
        single += [Backlog(subscriptions={key: kept}) for key, kept in self.subscriptions.items()]
        single += [Backlog(records=deque([record])) for record in self.records]
        single += [Backlog(audit=deque([entry])) for entry in self.audit]
        self.clear()
        return single

    def _lose(self) -> None:
        if not self.lost:
            _log.error("more than %d call records wait for the database: the oldest are lost", MOST_RECORDS)
        self.lost += 1
