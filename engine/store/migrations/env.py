"""What Alembic runs for every command: our connection, one transaction."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

from engine.store import tables as tables  # its import fills SQLModel.metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
