"""The Lua host: finds a service's file and gives every call that runs it a VM of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from engine.pbx.service import SERVICE_NAME, ServiceError, ServiceFile, Verb
from engine.services.machine import Machine
from engine.services.pool import Pool
from engine.services.shelf import Shelf

T = TypeVar("T")


class LuaServices:
    """Runs services as ``engine.pbx.service.ServiceHost`` asks. Every call gets the newest text that compiles."""

    def __init__(self, own: Path, shipped: Path, pool: Pool | None = None) -> None:
        """``own``: the folder of the office's files, which go before those in ``shipped``."""
        self._shelf = Shelf(own, shipped)
        self._pool = pool or Pool()

    async def open(self, service: str, facts: Mapping[str, Any]) -> LuaInstance:
        """A VM with the service loaded, not begun; raises ``ServiceError``."""
        if not self._pool.has_room:
            raise ServiceError(f"no service is begun while {self._pool.stuck} others hang: restart the engine")
        if not SERVICE_NAME.fullmatch(service):
            raise ServiceError(f"'{service}' is no name of a service: use letters, digits and _")
        machine = await self._pool.run(lambda: self._shelf.load(service, facts))
        return LuaInstance(self._pool, machine)

    async def look(self) -> tuple[ServiceFile, ...]:
        """Every service there is, by name, each file read anew."""
        return await self._pool.run(self._shelf.look)

    async def check(self, service: str, source: bytes) -> str | None:
        """Why ``source`` would not compile as this service; ``None`` when it does."""
        try:
            await self._pool.run(lambda: Machine(Path(f"{service}.lua"), source, {}))
        except ServiceError as error:
            return error.reason
        return None

    def close(self) -> None:
        """End the threads; one that hangs is left behind."""
        self._pool.close()


class LuaInstance:
    """One running service: its VM, stepped on the pool."""

    def __init__(self, pool: Pool, machine: Machine) -> None:
        self._pool = pool
        self._machine: Machine | None = machine

    async def resume(self, value: Any = None, failure: str | None = None) -> Verb | None:
        machine = self._machine
        return await self._run(lambda: machine.resume(value, failure)) if machine else None

    async def end(self, *, hung_up: bool) -> None:
        machine = self._machine
        if machine is not None:
            await self._run(lambda: machine.end(hung_up=hung_up))

    def close(self) -> None:
        machine, self._machine = self._machine, None
        if machine is not None:
            self._pool.drop(machine)

    async def _run(self, step: Callable[[], T]) -> T:
        try:
            return await self._pool.run(step)
        except ServiceError as error:
            if error.is_stuck:
                self._machine = None  # it belongs to the thread that hangs in it
            raise
