"""Slows down who guesses passwords: failures per source address, with time as an argument."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

FREE_FAILURES = 5
"""Failures a source may have before it must wait."""
FIRST_WAIT, LONGEST_WAIT = 30.0, 900.0
FORGET_AFTER = 1800.0
_MOST_SOURCES = 4096


@dataclass(slots=True)
class _Record:
    failures: int = 0
    last: float = 0.0


class LoginGuard:
    """Counts failed logins per source (IPv6: per /64) and says how long a source must wait."""

    def __init__(self) -> None:
        self._records: dict[str, _Record] = {}

    def count_failure(self, source: str, now: float) -> None:
        """One more failed login from ``source``."""
        key = _network_of(source)
        record = self._records.pop(key, None)
        if record is None or now - record.last > FORGET_AFTER:
            record = _Record()
        record.failures += 1
        record.last = now
        self._records[key] = record  # newest last, so that the first is the one to drop
        if len(self._records) > _MOST_SOURCES:
            del self._records[next(iter(self._records))]

    def wait_for(self, source: str, now: float) -> float:
        """Seconds ``source`` must wait before it may try again; 0 when it may try now."""
        record = self._records.get(_network_of(source))
        if record is None or record.failures < FREE_FAILURES:
            return 0.0
        wait = min(FIRST_WAIT * 2.0 ** (record.failures - FREE_FAILURES), LONGEST_WAIT)
        return max(0.0, record.last + wait - now)

    def forget(self, source: str) -> None:
        """``source`` has logged in."""
        self._records.pop(_network_of(source), None)


def _network_of(source: str) -> str:
    try:
        address = ipaddress.ip_address(source.partition("%")[0])
    except ValueError:
        return source
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
