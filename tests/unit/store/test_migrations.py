"""The migrations make exactly the tables that the program works with."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlmodel import SQLModel

from engine.store import migrations
from engine.store.folder import SCHEMA_VERSIONS
from engine.store.store import Store
from tests.unit.store.samples import a_binding, a_record, an_extension

NEW_COLUMNS = (
    "reliable_provisional", "level", "max_out", "outside_number", "plan", "from_network", "forward_always",
    "forward_busy", "forward_no_answer", "forward_unreachable", "dnd", "voicemail_pin",
)  # fmt: skip
NEW_TABLES = (
    "trunk", "route", "inbound", "level", "schedule", "screen", "address", "trigger", '"group"', "memory",
    "subscription",
    "audit", "contact",
)  # fmt: skip


def test_migrated_database_has_the_tables_of_the_models(store: Store) -> None:
    difference = store.read(
        lambda rows: compare_metadata(MigrationContext.configure(rows.session.connection()), SQLModel.metadata)
    ).result(5)
    assert difference == []


def test_every_known_version_has_its_migration() -> None:
    scripts = ScriptDirectory(str(migrations.__path__[0]))
    known = [script.revision for script in scripts.walk_revisions()]
    assert tuple(reversed(known)) == SCHEMA_VERSIONS


def test_database_of_the_first_version_keeps_all_it_holds(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    before = Store.open(folder)
    before.submit(lambda rows: rows.extensions.put(an_extension("101", name="Anna"))).result(5)
    before.put_binding(a_binding())
    before.put_record(a_record("beef"))
    before.flush().result(5)
    before.close()
    with closing(sqlite3.connect(folder / "office.db")) as database, database:
        database.execute("ALTER TABLE binding DROP COLUMN reg_id")
        for column in NEW_COLUMNS:
            database.execute(f"ALTER TABLE extension DROP COLUMN {column}")
        for table in NEW_TABLES:
            database.execute(f"DROP TABLE {table}")
        database.execute("UPDATE alembic_version SET version_num = '0001'")
    after = Store.open(folder)
    try:
        assert after.configuration.extensions == {"101": an_extension("101", name="Anna")}
        assert after.load_bindings() == [a_binding()]
        assert after.read(lambda rows: rows.record("beef")).result(5) == a_record("beef")
    finally:
        after.close()
    with closing(sqlite3.connect(folder / "office.db")) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchone() == (SCHEMA_VERSIONS[-1],)
