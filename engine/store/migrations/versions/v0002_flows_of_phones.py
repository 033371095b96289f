"""Bindings remember which of a phone's flows they are (``reg-id``, RFC 5626)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("binding", sa.Column("reg_id", sa.Integer(), nullable=True))
