"""What the office needs of whoever hosts services: instances that ask for one verb at a time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from engine.core.errors import FrontdeskError
from engine.core.events import ServiceFailed

SERVICE_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


def service_names(*folders: Path) -> frozenset[str]:
    """The names of the services that stand in these folders."""
    files = [file for folder in folders if folder.is_dir() for file in folder.glob("*.lua")]
    return frozenset(file.stem for file in files if SERVICE_NAME.fullmatch(file.stem))


class Verb(NamedTuple):
    """What a service asks of the office: texts, numbers, truths, and flat tables of those, by name."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ServiceFile:
    """One service as it stands now."""

    name: str
    path: str
    is_own: bool
    """The office's own file, which goes before a shipped one."""
    error: str | None = None
    """Why its newest text does not compile; the one before it runs meanwhile, if there was one."""
    failed: ServiceFailed | None = None
    """How it failed the last time in a call, since the engine started."""


class ServiceError(FrontdeskError):
    """A service failed and must not be touched again: ``reason`` names file and line, ``trace`` the way there."""

    def __init__(self, reason: str, trace: str = "", *, is_stuck: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.trace = trace
        self.is_stuck = is_stuck
        """It hangs and keeps a thread busy: somebody should look at it."""


MOST_VERBS_A_S = 500
"""A service that asks on and on without waiting for anything would keep the office busy."""


class Pace:
    """Counts the verbs of one running service."""

    __slots__ = ("_count", "_second")

    def __init__(self) -> None:
        self._second = 0
        self._count = 0

    def check(self, service: str, now: float) -> None:
        """One more verb; raises ``ServiceError`` when these are too many within a second."""
        second = int(now)
        if second != self._second:
            self._second, self._count = second, 0
        self._count += 1
        if self._count > MOST_VERBS_A_S:
            raise ServiceError(f"{service}: asked for more than {MOST_VERBS_A_S} verbs within a second")


class ServiceInstance(Protocol):
    """One running service. Each method raises ``ServiceError`` when the service fails."""

    async def resume(self, value: Any = None, failure: str | None = None) -> Verb | None:
        """Begin, or go on with the outcome of its last verb; the next verb, or ``None`` when it is done."""
        ...

    async def end(self, *, hung_up: bool) -> None:
        """The call is over: let the service clean up. ``hung_up`` interrupts the verb that it waits for."""
        ...

    def close(self) -> None:
        """Give everything back; never waits."""
        ...


class ServiceHost(Protocol):
    """Whoever runs services."""

    async def open(self, service: str, facts: Mapping[str, Any]) -> ServiceInstance:
        """An instance of its own for one call, not begun; raises ``ServiceError``.

        ``facts`` are what the service finds as fields of its call: texts, numbers, truths and flat tables.
        """
        ...

    async def look(self) -> tuple[ServiceFile, ...]:
        """Every service there is, by name, each file read anew."""
        ...

    async def check(self, service: str, source: bytes) -> str | None:
        """Why ``source`` would not compile as this service; ``None`` when it does."""
        ...
