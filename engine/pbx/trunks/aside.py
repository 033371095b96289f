"""Servers that failed and are left alone for a while (RFC 3263 section 4.3)."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from engine.net.resolve import Server

FIRST_S, LAST_S = 30.0, 900.0
"""How long a server is set aside at its first failure, and at most; each failure in a row doubles it."""
MOST_S = 3600.0
"""However long a server itself wants to be left alone."""


class Aside:
    """Which servers are set aside, until when, and how often in a row they failed."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._until: dict[Server, float] = {}
        self._failures: dict[Server, int] = {}

    def put(self, server: Server, now: float, wanted_s: float | None = None) -> None:
        """It has failed; ``wanted_s`` is what it said with Retry-After."""
        count = self._failures[server] = self._failures.get(server, 0) + 1
        pause = min(LAST_S, FIRST_S * 2.0 ** min(count - 1, 16)) * self._random.uniform(0.8, 1.0)
        self._until[server] = now + max(pause, min(wanted_s or 0.0, MOST_S))

    def clear(self, server: Server) -> None:
        """It has answered."""
        self._until.pop(server, None)
        self._failures.pop(server, None)

    def until(self, server: Server) -> float:
        """When on the clock it is tried again in its turn; 0 when it is not set aside."""
        return self._until.get(server, 0.0)

    def keep(self, servers: Iterable[Server]) -> None:
        """Forget those that are no servers any more."""
        known = set(servers)
        for server in [item for item in self._failures if item not in known]:
            self.clear(server)

    def in_turn(self, servers: Iterable[Server], now: float) -> tuple[Server, ...]:
        """Those that are not set aside in their order, then the others: better a doubtful server than none."""
        servers = tuple(servers)
        fit = [server for server in servers if self.until(server) <= now]
        late = sorted((server for server in servers if self.until(server) > now), key=self.until)
        return (*fit, *late)
