"""The audit log: who did what, when, to whom, why, refused deeds too; nothing in it is changed or removed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.store.audit import APPEND_ONLY

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("row", sa.Integer(), primary_key=True),
        sa.Column("at", sa.Float(), nullable=False, index=True),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("acting", sa.String(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
    )
    for statement in APPEND_ONLY:
        op.execute(statement)
