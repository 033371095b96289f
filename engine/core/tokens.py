"""Random tokens: tags, branches, Call-IDs and nonces from one well of the system's randomness."""

from __future__ import annotations

import os

_WELL_BYTES = 4096


class TokenSource:
    """Unpredictable bytes, drawn from the system many tokens at a time; no byte is given out twice.

    Belongs to one thread.
    """

    __slots__ = ("_position", "_well")

    def __init__(self) -> None:
        self._well = ""
        self._position = 0

    def hex(self, size: int) -> str:
        """``size`` fresh random bytes, as ``2 * size`` lower-case hex digits."""
        start = self._position
        end = self._position = start + 2 * size
        if end <= len(self._well):
            return self._well[start:end]
        if size > _WELL_BYTES:
            raise ValueError(f"a token of {size} bytes is longer than the well is deep")
        self._well = os.urandom(_WELL_BYTES).hex()
        self._position = 2 * size
        return self._well[: 2 * size]
