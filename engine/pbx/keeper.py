"""What services change and remember beyond their call; whoever keeps it is plugged in by the app."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol


class Keeper(Protocol):
    """The office's lasting memory as services need it. Belongs to the engine's loop."""

    @property
    def folder(self) -> Path:
        """Where messages and recordings lie."""
        ...

    def recall(self, service: str, owner: str, key: str) -> Any:
        """What was remembered; ``None`` when nothing was. ``owner`` is an extension, or empty for the service."""
        ...

    def remember(self, service: str, owner: str, key: str, value: Any) -> None:
        """Remember a small value, or forget it (``None``); never waits."""
        ...

    async def change_extension(self, number: str, **fields: Any) -> None:
        """Change fields of an extension; raises ``NotFoundError``."""
        ...

    async def set_night(self, position: str) -> None:
        """Turn the night switch: ``on``, ``off`` or ``auto``."""
        ...
