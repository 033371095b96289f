"""The operator table, one value in and out."""

from __future__ import annotations

from sqlmodel import Session, select

from engine.store.configuration import Operator
from engine.store.reading import read_operator
from engine.store.tables import OperatorRow


class OperatorRows:
    """Operators inside one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, login: str) -> Operator | None:
        """The operator as it is stored now."""
        row = self._session.get(OperatorRow, login)
        return read_operator(row.model_dump()) if row else None

    def all(self) -> list[Operator]:
        """Every operator."""
        return [read_operator(row.model_dump()) for row in self._session.exec(select(OperatorRow))]

    def put(self, operator: Operator) -> None:
        """Add the operator, or replace the one of this login."""
        row = OperatorRow(
            login=operator.login,
            role=operator.role.value,
            password_hash=operator.password_hash,
            keys="\n".join(operator.keys),
            extension=operator.extension,
        )
        self._session.merge(row)

    def remove(self, login: str) -> bool:
        """Remove the operator; ``False`` when there is none."""
        row = self._session.get(OperatorRow, login)
        if row is not None:
            self._session.delete(row)
        return row is not None
