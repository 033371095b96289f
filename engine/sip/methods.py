"""The methods of SIP: those that exist, and those that we serve."""

from __future__ import annotations

KNOWN_METHODS = frozenset({
    "INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER", "PRACK", "UPDATE", "SUBSCRIBE", "NOTIFY", "PUBLISH",
    "INFO", "REFER", "MESSAGE",
})  # fmt: skip
"""A method beside these is 501, one of these that we do not serve is 405 (RFC 3261 section 8.2.1)."""
SERVED_METHODS = (
    "INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER", "PRACK", "UPDATE", "MESSAGE", "REFER", "INFO",
    "SUBSCRIBE",
)  # fmt: skip
ALLOW = ", ".join(SERVED_METHODS)
"""The value of our Allow header field."""
