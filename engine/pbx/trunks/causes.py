"""Why a call ended, in the words of telephone networks (ITU-T Q.850), for the Reason field (RFC 3326)."""

from __future__ import annotations

from engine.sip.message import Response

_UNSPECIFIED = 31
_CAUSES = {
    "nor": 16, "rel": 16, "487": 16, "404": 1, "410": 22, "408": 102, "480": 19, "484": 28, "486": 17, "600": 17,
    "488": 88, "606": 88, "403": 21, "433": 21, "603": 21, "500": 41, "502": 38, "503": 34, "504": 102,
}  # fmt: skip
"""By the first three letters of a cause: a SIP status (RFC 3398 section 8.2.6.1, in reverse), or a word."""


def q850_reason(cause: str) -> str:
    """The Reason value for a call's cause, such as ``normal`` or ``486 Busy Here``."""
    return f"Q.850;cause={_CAUSES.get(cause[:3], _UNSPECIFIED)}"


def told_reason(response: Response | None) -> str | None:
    """What a network says itself of a call that it refuses (RFC 6432), to be told on as it is."""
    if response is None:
        return None
    values = response.headers.list_of("Reason")
    return next((value for value in values if value[:5].upper() == "Q.850"), None)
