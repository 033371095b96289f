"""Who may hold a connection: shares that keep strangers from taking the place of phones."""

from __future__ import annotations

import ipaddress
from typing import Protocol

from engine.core.networks import AddressList

STRANGERS_PER_SOURCE = 64
"""Connections of one source on which nobody has logged in: an office behind one address may start all at once."""
STRANGERS = 1024
PHONES_PER_SOURCE = 1024
CONNECTIONS = 4096


class Guest(Protocol):
    """A connection as far as its admission is concerned."""

    source: str

    def cut(self, why: str) -> None:
        """End it at once."""
        ...


class Admission:
    """Counts the connections of all listeners. When a share is used up, its longest waiting stranger makes room.

    So a stranger with many connections displaces its own, and a phone that logs in at once is never displaced.
    """

    def __init__(self) -> None:
        self.addresses = AddressList()
        """Networks that are never let in, and those that always are."""
        self._strangers: dict[Guest, None] = {}
        self._by_source: dict[str, dict[Guest, None]] = {}
        self._phones: dict[str, int] = {}
        self._known: dict[Guest, None] = {}

    def __len__(self) -> int:
        return len(self._strangers) + len(self._known)

    def admit(self, guest: Guest) -> bool:
        """Take a new connection in, perhaps in the place of a stranger; false when there is no room at all."""
        of_source = self._by_source.setdefault(guest.source, {})
        if len(of_source) >= STRANGERS_PER_SOURCE:
            self._displace(of_source)
        elif len(self._strangers) >= STRANGERS or len(self) >= CONNECTIONS:
            if not self._strangers:
                self._tidy(guest.source)
                return False
            self._displace(self._strangers)
        self._strangers[guest] = None
        self._by_source.setdefault(guest.source, {})[guest] = None
        return True

    def vouch(self, guest: Guest) -> None:
        """Somebody has logged in on it: it is a stranger's no more, as long as its source has room for phones."""
        count = self._phones.get(guest.source, 0)
        if guest not in self._strangers or count >= PHONES_PER_SOURCE:
            return
        self._forget_stranger(guest)
        self._phones[guest.source] = count + 1
        self._known[guest] = None

    def leave(self, guest: Guest) -> None:
        """It has ended, or was never admitted."""
        if guest in self._strangers:
            self._forget_stranger(guest)
        elif guest in self._known:
            del self._known[guest]
            self._phones[guest.source] -= 1
            if not self._phones[guest.source]:
                del self._phones[guest.source]

    def _displace(self, strangers: dict[Guest, None]) -> None:
        oldest = next(iter(strangers))
        self._forget_stranger(oldest)
        oldest.cut("made room for others")

    def _forget_stranger(self, guest: Guest) -> None:
        del self._strangers[guest]
        del self._by_source[guest.source][guest]
        self._tidy(guest.source)

    def _tidy(self, source: str) -> None:
        if not self._by_source.get(source, True):
            del self._by_source[source]


def source_of(host: str) -> str:
    """What counts as one source: an IPv4 address, or the /64 that one IPv6 customer has to spend."""
    if ":" not in host:
        return host
    return str(ipaddress.ip_network((host.partition("%")[0], 64), strict=False))
