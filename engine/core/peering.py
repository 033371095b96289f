"""What a peer is told and asked beyond plain SIP; set per trunk and per extension."""

from __future__ import annotations

from enum import StrEnum


class ReliableProvisional(StrEnum):
    """Reliable provisional responses (RFC 3262) between the office and one peer."""

    OFF = "off"
    """Not offered; an INVITE from the peer that requires it gets 420."""
    SUPPORTED = "supported"
    """Offered on INVITEs to the peer; used towards it only when its INVITE requires it."""
    REQUIRED = "required"
    """INVITEs to the peer require it; its own INVITEs get 421 unless they support it."""


class Identity(StrEnum):
    """Where a trunk's peer looks for the caller's number."""

    PAI = "pai"
    """P-Asserted-Identity (RFC 3325)."""
    PPI = "ppi"
    """P-Preferred-Identity (RFC 3325)."""
    RPID = "rpid"
    """The older Remote-Party-ID."""
    FROM = "from"
    """From alone."""
