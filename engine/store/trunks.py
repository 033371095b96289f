"""The trunk table, one value in and out."""

from __future__ import annotations

from dataclasses import asdict

from sqlmodel import Session, select

from engine.store.outside import Trunk
from engine.store.outside_reading import read_trunk
from engine.store.row import joined
from engine.store.tables import TrunkRow


class TrunkRows:
    """Outside lines inside one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, name: str) -> Trunk | None:
        """The trunk as it is stored now."""
        row = self._session.get(TrunkRow, name)
        return read_trunk(row.model_dump()) if row else None

    def all(self) -> list[Trunk]:
        """Every trunk."""
        return [read_trunk(row.model_dump()) for row in self._session.exec(select(TrunkRow))]

    def put(self, trunk: Trunk) -> None:
        """Add the trunk, or replace the one of this name."""
        columns = asdict(trunk) | {"addresses": joined(trunk.addresses), "codecs": joined(trunk.codecs)}
        self._session.merge(TrunkRow(**columns))

    def remove(self, name: str) -> bool:
        """Remove the trunk; ``False`` when there is none."""
        row = self._session.get(TrunkRow, name)
        if row is not None:
            self._session.delete(row)
        return row is not None
