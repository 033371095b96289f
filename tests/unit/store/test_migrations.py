"""The migrations make exactly the tables that the program works with."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlmodel import SQLModel

from engine.store import migrations
from engine.store.folder import SCHEMA_VERSIONS
from engine.store.store import Store


def test_migrated_database_has_the_tables_of_the_models(store: Store) -> None:
    difference = store.read(
        lambda rows: compare_metadata(MigrationContext.configure(rows.session.connection()), SQLModel.metadata)
    ).result(5)
    assert difference == []


def test_every_known_version_has_its_migration() -> None:
    scripts = ScriptDirectory(str(migrations.__path__[0]))
    known = [script.revision for script in scripts.walk_revisions()]
    assert tuple(reversed(known)) == SCHEMA_VERSIONS
