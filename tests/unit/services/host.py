"""A service host for tests: the real one on files of the test, its steps run at once instead of on threads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from engine.core.paths import LUA
from engine.services import LuaServices
from engine.services.pool import Pool

T = TypeVar("T")


class AtOnce(Pool):
    """Does the work where it is asked for."""

    async def run(self, work: Callable[[], T]) -> T:
        return work()

    def drop(self, machine: object) -> None:
        """Nothing to free."""


def services_in(folder: Path) -> LuaServices:
    """A host whose own files lie in ``folder``; shipped are the shipped ones."""
    return LuaServices(folder, LUA / "services", AtOnce())


def write_service(folder: Path, name: str, body: str) -> Path:
    """A service whose ``run`` is ``body``, which begins on line 3."""
    file = folder / f"{name}.lua"
    file.write_text(f"local service = {{}}\nfunction service.run(call)\n{body}\nend\nreturn service\n")
    return file
