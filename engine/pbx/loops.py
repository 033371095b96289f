"""Calls that come back: each office puts a mark on what it sends on, and knows its own again.

The mark is a digest of the office, of where the call came from and the number it was asked for, so that a call that
merely passes twice is none: somebody who dials a number of the own office over the carrier, for one. The marks of
other offices are kept, or a loop of three would not be seen. Nothing can be read from a mark.
"""

from __future__ import annotations

from hashlib import blake2s

from engine.core.errors import RemoteError
from engine.sip.headers import Headers

FIELD = "X-Frontdesk-Trail"
MOST_OFFICES = 10
"""Longer trails are refused: whoever sends them means no good, or a call that nobody meant."""
_MARK_BYTES = 8
_LONGEST = 2 * _MARK_BYTES


class LoopGuard:
    """Knows the calls that this office has sent on. ``secret`` is the office's alone, of any length up to 32."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def check(self, headers: Headers, number: str, origin: str) -> tuple[str, ...]:
        """The trail of a call that comes in for ``number``; ``origin`` is its trunk, or empty for one of the house.

        Raises ``RemoteError`` 482 when it came from there for it before, 483 when it has seen too many offices.
        """
        if FIELD not in headers:
            return ()
        trail = tuple(mark for mark in headers.list_of(FIELD) if len(mark) == _LONGEST and mark.isascii())
        if self._mark(number, origin) in trail:
            raise RemoteError(482, "Loop Detected")
        if len(trail) >= MOST_OFFICES:
            raise RemoteError(483, "Too Many Offices")
        return trail

    def field(self, trail: tuple[str, ...], number: str, origin: str) -> tuple[str, str]:
        """The header field for a call from ``origin`` that was asked for as ``number`` and goes on to a trunk."""
        return FIELD, ", ".join((*trail, self._mark(number, origin)))

    def _mark(self, number: str, origin: str) -> str:
        asked = f"{origin}\0{number}".encode("utf-8", "surrogateescape")
        return blake2s(asked, digest_size=_MARK_BYTES, key=self._secret).hexdigest()
