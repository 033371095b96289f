"""Who watches what: subscriptions of phones outlive a restart."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_TEXTS = (
    "event", "watched", "watcher", "local_address", "remote_address", "remote_target", "routes", "contact",
    "transport", "local_host", "remote_host",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "subscription",
        *(sa.Column(name, sa.String(), primary_key=True, nullable=False) for name in ("call_id", "local_tag")),
        *(sa.Column(name, sa.String(), nullable=False) for name in _TEXTS),
        *(sa.Column(name, sa.String(), nullable=True) for name in ("event_id", "remote_tag")),
        sa.Column("is_list", sa.Boolean(), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("cseq", "version", "local_port", "remote_port")
        ),
        sa.Column("remote_cseq", sa.Integer(), nullable=True),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("granted_at", "expires_at")),
    )
