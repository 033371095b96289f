"""The extension table, one value in and out."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session, col, delete, select

from engine.store.configuration import Extension
from engine.store.reading import read_extension
from engine.store.tables import BindingRow, ExtensionRow


class ExtensionRows:
    """Extensions inside one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, number: str) -> Extension | None:
        """The extension as it is stored now."""
        row = self._session.get(ExtensionRow, number)
        return read_extension(row.model_dump()) if row else None

    def all(self) -> list[Extension]:
        """Every extension."""
        return [read_extension(row.model_dump()) for row in self._session.exec(select(ExtensionRow))]

    def put(self, extension: Extension) -> None:
        """Add the extension, or replace the one of this number."""
        self._session.merge(ExtensionRow(**_columns(extension)))

    def remove(self, number: str) -> bool:
        """Remove the extension and the phones registered for it; ``False`` when there is none."""
        row = self._session.get(ExtensionRow, number)
        if row is None:
            return False
        self._session.delete(row)
        self._session.execute(delete(BindingRow).where(col(BindingRow.extension) == number))
        return True


def _columns(extension: Extension) -> dict[str, Any]:
    previous = extension.previous_secrets
    return {
        "number": extension.number,
        "name": extension.name,
        "md5": extension.secrets.md5,
        "sha256": extension.secrets.sha256,
        "previous_md5": previous.md5 if previous else None,
        "previous_sha256": previous.sha256 if previous else None,
        "multi_device": extension.multi_device,
        "max_devices": extension.max_devices,
        "max_calls": extension.max_calls,
        "rights": ",".join(sorted(extension.rights)),
        "hold": extension.hold.value,
        "codecs": ",".join(extension.codecs),
        "email": extension.email,
        "reliable_provisional": extension.reliable_provisional.value,
        "level": extension.level,
        "max_out": extension.max_out,
        "outside_number": extension.outside_number,
        "plan": extension.plan,
        "from_network": extension.from_network,
        "forward_always": extension.forward_always,
        "forward_busy": extension.forward_busy,
        "forward_no_answer": extension.forward_no_answer,
        "forward_unreachable": extension.forward_unreachable,
        "dnd": extension.dnd,
        "voicemail_pin": extension.voicemail_pin,
    }
