"""Turns rows of triggers and groups into values; each raises ``ValueError`` for words we do not know."""

from __future__ import annotations

import json

from engine.store.row import Row, words
from engine.store.services import Group, GroupKind, HuntOrder, Point, Trigger


def read_trigger(row: Row) -> Trigger:
    return Trigger(
        id=int(row["id"]),
        number=row["number"],
        service=row["service"],
        point=Point(row["point"]),
        plan=row["plan"],
        settings=read_settings(row["settings"]),
    )


def read_settings(text: str) -> tuple[tuple[str, str], ...]:
    """Pairs as they stand in one column."""
    return tuple((str(name), str(value)) for name, value in json.loads(text)) if text else ()


def read_group(row: Row) -> Group:
    return Group(
        number=row["number"],
        kind=GroupKind(row["kind"]),
        members=words(row["members"]),
        order=HuntOrder(row["order"]),
        timeout=int(row["timeout"]),
    )
