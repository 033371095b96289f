"""Sessions: what INVITE makes, one verb a file (RFC 3261 sections 13 to 15)."""

from engine.sip.session.session import Session

__all__ = ["Session"]
