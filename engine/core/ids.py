"""Names of things that travel between rooms."""

from __future__ import annotations

from typing import NewType

CallId = NewType("CallId", str)
"""A call's short id, the same through transfers; not the SIP Call-ID."""
