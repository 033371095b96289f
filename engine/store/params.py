"""The site's parameters and facts, as texts by name."""

from __future__ import annotations

from sqlmodel import Session, select

from engine.store.tables import ParamRow, SiteRow


class ParamRows:
    """Site parameters inside one transaction; what is absent has its default."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, name: str, value: str) -> None:
        """Store a parameter's text, already checked by ``engine.core.params``."""
        self._session.merge(ParamRow(name=name, value=value))

    def all(self) -> dict[str, str]:
        """The texts of those that are stored."""
        return {row.name: row.value for row in self._session.exec(select(ParamRow))}

    def remove(self, name: str) -> None:
        """Let a parameter have its default."""
        row = self._session.get(ParamRow, name)
        if row is not None:
            self._session.delete(row)


class SiteRows:
    """Facts about the office inside one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, name: str) -> str | None:
        row = self._session.get(SiteRow, name)
        return row.value if row else None

    def put(self, name: str, value: str) -> None:
        self._session.merge(SiteRow(name=name, value=value))
