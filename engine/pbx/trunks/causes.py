"""Why a call ended, in the words of telephone networks (ITU-T Q.850), for the Reason field (RFC 3326)."""

from __future__ import annotations

_UNSPECIFIED = 31
_CAUSES = {
    "nor": 16, "rel": 16, "487": 16, "404": 1, "410": 22, "408": 102, "480": 19, "484": 28, "486": 17, "600": 17,
    "488": 88, "606": 88, "403": 21, "433": 21, "603": 21, "500": 41, "502": 38, "503": 34, "504": 102,
}  # fmt: skip
"""By the first three letters of a cause: a SIP status (RFC 3398 section 8.2.6.1, in reverse), or a word."""


def q850_reason(cause: str) -> str:
    """The Reason value for a call's cause, such as ``normal`` or ``486 Busy Here``."""
    return f"Q.850;cause={_CAUSES.get(cause[:3], _UNSPECIFIED)}"
