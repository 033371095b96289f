"""The Lua host: finds a service's file and gives every call that runs it a VM of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from engine.pbx.service import SERVICE_NAME, ServiceError, Verb
from engine.services.machine import Machine
from engine.services.pool import Pool

T = TypeVar("T")


class LuaServices:
    """Runs services as ``engine.pbx.service.ServiceHost`` asks. A file is read anew for every call."""

    def __init__(self, own: Path, shipped: Path, pool: Pool | None = None) -> None:
        """``own``: the folder of the office's files, which go before those in ``shipped``."""
        self._folders = (own, shipped)
        self._pool = pool or Pool()

    async def open(self, service: str, caller: str, dialled: str) -> LuaInstance:
        """A VM with the service loaded, not begun; raises ``ServiceError``."""
        if not self._pool.has_room:
            raise ServiceError(f"no service is begun while {self._pool.stuck} others hang: restart the engine")
        machine = await self._pool.run(lambda: Machine(self._find(service), caller, dialled))
        return LuaInstance(self._pool, machine)

    def close(self) -> None:
        """End the threads; one that hangs is left behind."""
        self._pool.close()

    def _find(self, service: str) -> Path:
        if not SERVICE_NAME.fullmatch(service):
            raise ServiceError(f"'{service}' is no name of a service: use letters, digits and _")
        for folder in self._folders:
            file = folder / f"{service}.lua"
            if file.is_file():
                return file
        own, shipped = self._folders
        raise ServiceError(f"there is no service '{service}', neither in {own} nor in {shipped}")


class LuaInstance:
    """One running service: its VM, stepped on the pool."""

    def __init__(self, pool: Pool, machine: Machine) -> None:
        self._pool = pool
        self._machine: Machine | None = machine

    async def resume(self, value: bool | None = None, failure: str | None = None) -> Verb | None:
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
