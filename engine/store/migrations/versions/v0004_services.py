"""Services: what leads to them, groups, forwarding, do not disturb, and what services remember."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

from engine.store.services import DEFAULT_TRIGGERS

revision = "0004"
down_revision = "0003"

_FORWARDS = ("forward_always", "forward_busy", "forward_no_answer", "forward_unreachable")


def _text(name: str, *, key: bool = False, may_miss: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), primary_key=key, nullable=may_miss)


def upgrade() -> None:
    for name in (*_FORWARDS, "voicemail_pin"):
        op.add_column("extension", _text(name, may_miss=True))
    op.add_column("extension", sa.Column("dnd", sa.Boolean(), nullable=False, server_default=sa.false()))
    triggers = op.create_table(
        "trigger",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        _text("number"),
        _text("service"),
        _text("point"),
        _text("plan", may_miss=True),
        _text("settings"),
    )
    op.create_table(
        "group",
        _text("number", key=True),
        _text("kind"),
        _text("members"),
        _text("order"),
        sa.Column("timeout", sa.Integer(), nullable=False),
    )
    op.create_table(
        "memory", _text("service", key=True), _text("owner", key=True), _text("key", key=True), _text("value")
    )
    op.bulk_insert(
        triggers,
        [
            {
                "number": each.number,
                "service": each.service,
                "point": each.point.value,
                "plan": each.plan,
                "settings": json.dumps(each.settings) if each.settings else "",
            }
            for each in DEFAULT_TRIGGERS
        ],
    )
