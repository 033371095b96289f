"""Registered phones as the store keeps them, so that a restart forgets nobody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StoredBinding:
    """One registered contact of an extension (RFC 3261 section 10.3); ``(extension, contact)`` is its key."""

    extension: str
    contact: str
    """The Contact URI as the phone gave it."""
    call_id: str
    cseq: int
    transport: str
    local_host: str
    local_port: int
    source_host: str
    source_port: int
    expires_at: datetime
    registered_at: datetime
    q: float = 1.0
    instance: str | None = None
    """The phone's ``+sip.instance`` (RFC 5626), without the angle brackets."""
    user_agent: str | None = None
    path: tuple[str, ...] = ()
    """The Path header values to route through, topmost first (RFC 3327)."""
    reg_id: int | None = None
    """Which of the phone's flows it is (RFC 5626); ``None`` when the phone does not number them."""
