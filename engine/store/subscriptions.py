"""Subscriptions of phones as the store keeps them, so that lamps are told on after a restart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

RESERVE = 2000
"""By how much CSeq and version are ahead of what is stored after a restart: more NOTIFYs than may go out before the
next word of a subscription is written."""


@dataclass(frozen=True, slots=True)
class StoredSubscription:
    """One subscription (RFC 6665) and its dialog; ``(call_id, local_tag)`` is its key."""

    call_id: str
    local_tag: str
    """Ours."""
    event: str
    """The event package."""
    event_id: str | None
    watched: str
    """What the watcher is told of, as the office calls it."""
    watcher: str
    """The extension that subscribed."""
    is_list: bool
    """Whether it is told in resource lists (RFC 4662)."""
    local_address: str
    remote_address: str
    """From and To values of our requests, tags included."""
    remote_tag: str | None
    remote_target: str
    routes: tuple[str, ...]
    """The dialog's route set."""
    cseq: int
    """Of our latest request in the dialog."""
    remote_cseq: int | None
    version: int
    """Of the next document."""
    contact: str
    """Our Contact value."""
    transport: str
    local_host: str
    local_port: int
    remote_host: str
    remote_port: int
    granted_at: datetime
    expires_at: datetime
