"""The tables inside one transaction, as work handed to the store sees them.

Importing this loads SQLModel (0.5 s): only the writer thread does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection
from sqlmodel import Session

from engine.core.audit import AuditEntry
from engine.core.views import CallRecord
from engine.store.audit import list_audit
from engine.store.binding_rows import remove_bindings
from engine.store.contacts import CHANGED as CONTACTS_CHANGED
from engine.store.contacts import ContactRows
from engine.store.extensions import ExtensionRows
from engine.store.memory import MemoryRows
from engine.store.operators import OperatorRows
from engine.store.params import ParamRows, SiteRows
from engine.store.record_query import AuditQuery, RecordQuery
from engine.store.records import (
    count_records,
    find_record,
    last_talk,
    list_records,
    newest_record_at,
    prune_records,
)
from engine.store.routing import RoutingRows
from engine.store.trunks import TrunkRows


class Rows:
    """What a piece of work may read and write; all of it is kept, or nothing when the work raises."""

    def __init__(self, session: Session, connection: Connection) -> None:
        self.session = session
        self.extensions = ExtensionRows(session)
        self.operators = OperatorRows(session)
        self.trunks = TrunkRows(session)
        routing = RoutingRows(session)
        self.routes, self.inbound = routing.routes, routing.inbound
        self.levels, self.schedules = routing.levels, routing.schedules
        self.screening, self.addresses = routing.screening, routing.addresses
        self.triggers, self.groups = routing.triggers, routing.groups
        self.memory = MemoryRows(session)
        self.params = ParamRows(session)
        self.site = SiteRows(session)
        self.contacts = ContactRows(session, self._note_contacts)
        self._connection = connection

    def _note_contacts(self) -> None:
        """The book of contacts is another one."""
        self.site.put(CONTACTS_CHANGED, str(int(self.site.find(CONTACTS_CHANGED) or 0) + 1))

    def last_talk(self, numbers: Sequence[str]) -> CallRecord | None:
        """The latest conversation with a number that is written in one of these ways."""
        return last_talk(self._connection, numbers)

    def records(self, query: RecordQuery) -> tuple[CallRecord, ...]:
        """Call records, newest first."""
        return list_records(self._connection, query)

    def record_counts(self, query: RecordQuery) -> tuple[tuple[datetime, int, int], ...]:
        """(hour, answered, missed) of every hour in which calls began."""
        return count_records(self._connection, query)

    def audit(self, query: AuditQuery) -> tuple[AuditEntry, ...]:
        """The audit log, newest first."""
        return list_audit(self._connection, query)

    def newest_record_at(self) -> datetime | None:
        """When the newest recorded call started."""
        return newest_record_at(self._connection)

    def record(self, call: str) -> CallRecord | None:
        """The record of the call with this id; of several the newest."""
        return find_record(self._connection, call)

    def prune_records(self, started_before: datetime) -> int:
        """Remove records of calls that started before this moment; returns how many."""
        return prune_records(self._connection, started_before)

    def forget_bindings(self, extension: str, contact: str | None = None) -> int:
        """Forget an extension's phones, or the one with this contact; returns how many."""
        return remove_bindings(self._connection, extension, contact)
