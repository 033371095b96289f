"""Outside lines, routes, levels, schedules and screening; what extensions need of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _widen_extensions()
    _make_trunks()
    _make_routing()
    _make_screening()


def _text(name: str, *, key: bool = False, may_miss: bool = False, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.String(), primary_key=key, nullable=may_miss, server_default=default)


def _whole(name: str, *, may_miss: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=may_miss)


def _flag(name: str, *, may_miss: bool = False) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=may_miss)


def _row_number() -> sa.Column[int]:
    return sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True)


def _widen_extensions() -> None:
    for column in (
        _text("reliable_provisional", default="supported"),
        _text("level", may_miss=True),
        _whole("max_out", may_miss=True),
        _text("outside_number", may_miss=True),
        _text("plan", default="default"),
        _text("from_network", may_miss=True),
    ):
        op.add_column("extension", column)


def _make_trunks() -> None:
    op.create_table(
        "trunk",
        _text("name", key=True),
        _text("host"),
        _whole("port", may_miss=True),
        _text("transport"),
        _flag("registers"),
        _text("username", may_miss=True),
        _text("password", may_miss=True),
        _text("proxy", may_miss=True),
        _text("addresses"),
        _whole("max_in", may_miss=True),
        _whole("max_out", may_miss=True),
        _whole("reserve_emergency"),
        _text("reliable_provisional"),
        _flag("new_call_id", may_miss=True),
        _text("identity"),
        _text("preset"),
        _text("srtp"),
        _whole("over_limit"),
        _text("codecs"),
        _flag("is_trusted"),
    )


def _make_routing() -> None:
    targets = ("extension", "group", "service")
    op.create_table(
        "route",
        _row_number(),
        _text("called"),
        _text("caller"),
        _text("plan"),
        _whole("strip"),
        _text("prepend"),
        _text("caller_as"),
        _text("level", may_miss=True),
        _text("when", may_miss=True),
        _flag("is_emergency"),
        _text("trunks"),
        *[_text(name, may_miss=True) for name in targets],
    )
    op.create_table(
        "inbound",
        _row_number(),
        _text("trunk"),
        _text("called"),
        _text("when", may_miss=True),
        *[_text(name, may_miss=True) for name in targets],
    )
    op.create_table("level", _text("name", key=True), _whole("rank"))
    op.create_table("schedule", _text("name", key=True), _text("when"), _text("holidays"))


def _make_screening() -> None:
    op.create_table("screen", _row_number(), _text("caller"), _text("called"), _whole("rate"), _flag("is_white"))
    op.create_table("address", _text("network", key=True), _flag("is_white"))
