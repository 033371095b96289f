"""An outside line as it is now: where it stands, which servers serve it, how many calls it carries."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from engine.core.views import TrunkState, TrunkView
from engine.store.outside import Trunk


class Server(NamedTuple):
    """One address of a carrier, as the name service or the configuration gave it."""

    host: str
    """An IP address without brackets."""
    port: int
    transport: str
    """``UDP``, ``TCP`` or ``TLS``."""


class TrunkLine:
    """What the office knows of one trunk while it runs; ``trunk`` is swapped when its configuration changes."""

    def __init__(self, trunk: Trunk) -> None:
        self.trunk = trunk
        self.state = TrunkState.UNREGISTERED if trunk.registers else TrunkState.STATIC
        self.state_since: datetime | None = None
        self.last_error: str | None = None
        self.last_error_at: datetime | None = None
        self.servers: tuple[Server, ...] = ()
        """Whom requests are sent to, the one to try first in front; empty while the name is not resolved."""
        self.service_route: tuple[str, ...] = ()
        """Route values that a registrar wants on requests of ours (RFC 3608)."""

    def view(self) -> TrunkView:
        """The line as faces see it."""
        first = self.servers[0] if self.servers else None
        return TrunkView(
            name=self.trunk.name,
            state=self.state,
            max_in=self.trunk.max_in,
            max_out=self.trunk.max_out,
            last_error=self.last_error,
            last_error_at=self.last_error_at,
            state_since=self.state_since,
            server=f"{first.host}:{first.port}" if first else None,
        )
