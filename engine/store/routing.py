"""The tables of routes, inbound numbers, levels, schedules and screening, one value in and out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Generic, TypeVar

from sqlmodel import Session, SQLModel, select

from engine.store.outside import AddressRow, InboundRule, Level, RouteRule, Schedule, ScreenRow
from engine.store.outside_reading import (
    read_address,
    read_inbound,
    read_level,
    read_route,
    read_schedule,
    read_screen,
)
from engine.store.row import Row, joined
from engine.store.services import Group, Trigger
from engine.store.services_reading import read_group, read_trigger
from engine.store.tables import (
    AddressTableRow,
    GroupRow,
    InboundRow,
    LevelRow,
    RouteRow,
    ScheduleRow,
    ScreenTableRow,
    TriggerRow,
)

T = TypeVar("T")


class _Values(Generic[T]):
    """One table inside one transaction."""

    def __init__(self, session: Session, table: type[SQLModel], read: Callable[[Row], T]) -> None:
        self._session = session
        self._table = table
        self._read = read

    def all(self) -> list[T]:
        """Every value in the order of its key."""
        rows = self._session.exec(select(self._table).order_by(*self._table.__table__.primary_key))  # type: ignore[attr-defined]
        return [self._read(row.model_dump()) for row in rows]

    def find(self, key: str | int) -> T | None:
        """The value with this name or number."""
        row = self._session.get(self._table, key)
        return self._read(row.model_dump()) if row else None

    def put(self, value: T) -> None:
        """Add the value, or replace the one with its key."""
        self._session.merge(self._table(**_columns(value)))

    def remove(self, key: str | int) -> bool:
        """Remove the value; ``False`` when there is none."""
        row = self._session.get(self._table, key)
        if row is not None:
            self._session.delete(row)
        return row is not None


class NumberedRows(_Values[T]):
    """A table whose values have numbers."""

    def add(self, value: T) -> int:
        """Add the value under a new number, whatever number it has; returns the number."""
        row = self._table(**{**_columns(value), "id": None})
        self._session.add(row)
        self._session.flush()
        return int(row.id)  # type: ignore[attr-defined]


class NamedRows(_Values[T]):
    """A table whose values have names, or keys of another kind that people choose."""


class RoutingRows:
    """Everything about where calls go, inside one transaction."""

    def __init__(self, session: Session) -> None:
        self.routes: NumberedRows[RouteRule] = NumberedRows(session, RouteRow, read_route)
        self.inbound: NumberedRows[InboundRule] = NumberedRows(session, InboundRow, read_inbound)
        self.levels: NamedRows[Level] = NamedRows(session, LevelRow, read_level)
        self.schedules: NamedRows[Schedule] = NamedRows(session, ScheduleRow, read_schedule)
        self.screening: NumberedRows[ScreenRow] = NumberedRows(session, ScreenTableRow, read_screen)
        self.triggers: NumberedRows[Trigger] = NumberedRows(session, TriggerRow, read_trigger)
        self.groups: NamedRows[Group] = NamedRows(session, GroupRow, read_group)
        self.addresses: NamedRows[AddressRow] = NamedRows(session, AddressTableRow, read_address)


def _columns(value: Any) -> Mapping[str, Any]:
    return {name: _column(item) for name, item in asdict(value).items()}


def _column(item: Any) -> Any:
    if not isinstance(item, tuple):
        return item
    return json.dumps(item) if item and isinstance(item[0], tuple) else joined(item)
