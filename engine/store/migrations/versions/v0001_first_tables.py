"""The first tables: site, extensions, operators, parameters, bindings and call records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _make_configuration()
    _make_bindings()
    _make_records()


def _text(name: str, *, key: bool = False, may_miss: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), primary_key=key, nullable=may_miss)


def _whole(name: str, *, may_miss: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=may_miss)


def _real(name: str, *, may_miss: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Float(), nullable=may_miss)


def _make_configuration() -> None:
    op.create_table("site", _text("name", key=True), _text("value"))
    op.create_table("param", _text("name", key=True), _text("value"))
    op.create_table(
        "extension",
        _text("number", key=True),
        _text("name", may_miss=True),
        _text("md5"),
        _text("sha256"),
        _text("previous_md5", may_miss=True),
        _text("previous_sha256", may_miss=True),
        sa.Column("multi_device", sa.Boolean(), nullable=False),
        _whole("max_devices"),
        _whole("max_calls", may_miss=True),
        _text("rights"),
        _text("hold"),
        _text("codecs"),
        _text("email", may_miss=True),
    )
    op.create_table(
        "operator",
        _text("login", key=True),
        _text("role"),
        _text("password_hash", may_miss=True),
        _text("keys"),
        _text("extension", may_miss=True),
    )


def _make_bindings() -> None:
    op.create_table(
        "binding",
        _text("extension", key=True),
        _text("contact", key=True),
        _text("call_id"),
        _whole("cseq"),
        _text("transport"),
        _text("local_host"),
        _whole("local_port"),
        _text("source_host"),
        _whole("source_port"),
        _real("expires_at"),
        _real("registered_at"),
        _real("q"),
        _text("instance", may_miss=True),
        _text("user_agent", may_miss=True),
        _text("path"),
    )


def _make_records() -> None:
    op.create_table(
        "record",
        sa.Column("row", sa.Integer(), primary_key=True),
        _text("id"),
        _text("linked_id"),
        _text("caller"),
        _text("callee"),
        _real("started_at"),
        _real("answered_at", may_miss=True),
        _real("ended_at"),
        _text("released_by"),
        _text("cause"),
        _text("trunk_in", may_miss=True),
        _text("trunk_out", may_miss=True),
        _text("codec", may_miss=True),
        _real("mos", may_miss=True),
        _text("recording", may_miss=True),
    )
    for column in ("id", "linked_id", "started_at"):
        op.create_index(f"ix_record_{column}", "record", [column])
