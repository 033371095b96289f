"""The writer's side of the database: SQLAlchemy around the one SQLite connection of a store.

Importing this loads SQLModel (0.5 s): only the writer thread does, when there is something to write.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import StaticPool
from sqlmodel import Session

from engine.store.audit import insert_audit
from engine.store.backlog import Backlog
from engine.store.binding_rows import write_bindings
from engine.store.records import insert_records
from engine.store.rows import Rows
from engine.store.subscription_rows import write_subscriptions

T = TypeVar("T")


class Database:
    """Transactions on a connection that ``open_database`` made; belongs to one thread."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)
        self._begin = ""
        event.listen(self._engine, "begin", lambda connection: connection.exec_driver_sql(self._begin))

    def upgrade(self) -> None:
        """Bring the schema up to date."""
        logging.getLogger("alembic").setLevel(logging.WARNING)  # its import already tells of every plug-in
        from engine.store.migrations import upgrade  # Alembic costs 0.2 s that an up-to-date database need not pay

        with self.transaction() as connection:
            upgrade(connection)

    @contextmanager
    def transaction(self, writes: bool = True) -> Iterator[Connection]:
        """Everything done inside is kept, or nothing when it raises; reading asks for no lock of others."""
        self._begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
        with self._engine.begin() as connection:
            yield connection

    def close(self) -> None:
        self._engine.dispose()


def write_backlog(connection: Connection, backlog: Backlog) -> None:
    """Write what waits."""
    write_bindings(connection, backlog.bindings)
    write_subscriptions(connection, backlog.subscriptions)
    insert_records(connection, backlog.records)
    insert_audit(connection, backlog.audit)


def run_work(connection: Connection, work: Callable[[Rows], T]) -> T:
    """Run ``work`` so that its failure undoes its own changes alone."""
    with Session(bind=connection, join_transaction_mode="create_savepoint") as session:
        result = work(Rows(session, connection))
        session.commit()
        return result
