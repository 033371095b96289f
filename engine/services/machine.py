"""One Lua VM for one running service: sandboxed, limited, and spoken to in strings and numbers alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from lupa.lua54 import LuaError, LuaRuntime

from engine.pbx.service import ServiceError, Verb
from engine.services.packing import MOST_BYTES, pack, unpack

MOST_MEMORY = 16 * 1024 * 1024
"""Bytes that one service may hold."""
BUDGET = 1_000_000
"""VM instructions of one step, all coroutines together: some 10 ms."""
SLICE = 1_000
"""Instructions between two looks at the budget."""

_MOST_LINES = 5
"""Of a Lua traceback."""

_SANDBOX = Path(__file__).with_name("sandbox.lua").read_bytes()


class Machine:
    """A VM with one service file loaded. Every call belongs on a thread of the pool and may take long."""

    def __init__(self, file: Path, source: bytes, facts: Mapping[str, Any]) -> None:
        """Load ``source``, the text of ``file``; raises ``ServiceError`` when it cannot be compiled."""
        # With encoding=None strings cross as bytes; a str would cross as a Python object, which must not happen.
        lua = LuaRuntime(
            encoding=None,
            register_eval=False,
            register_builtins=False,
            attribute_filter=_deny,
            max_memory=MOST_MEMORY,
        )
        try:
            prepare, self._step = lua.execute(_SANDBOX, BUDGET, SLICE, MOST_BYTES, name=b"=sandbox")
            complaint = prepare(source, file.name.encode(), pack(facts))
        except LuaError as error:
            raise ServiceError(f"{file.name}: {error}") from None
        if complaint is not None:
            raise ServiceError(_text(complaint), str(file))
        self._file = file

    def resume(self, value: Any, failure: str | None) -> Verb | None:
        """Go on with the outcome of the last verb; the next verb, or ``None`` when the service is done."""
        return self._take_step(b"go", pack(value), _bytes(failure) if failure else None)

    def end(self, *, hung_up: bool) -> None:
        """Let the service clean up; with ``hung_up`` the verb it waits for raises ``"hangup"``."""
        self._take_step(b"hangup" if hung_up else b"ended", pack(None), None)

    def _take_step(self, event: bytes, value: bytes, failure: bytes | None) -> Verb | None:
        try:
            outcome, first, second = self._step(event, value, failure)
        except LuaError as error:
            raise ServiceError(f"{self._file.name}: {_first_line(str(error))}", str(self._file)) from None
        if outcome == b"verb":
            return Verb(_text(first), unpack(second) or {})
        if outcome == b"failed":
            raise self._error(_first_line(_text(first)), _text(second))
        return None

    def _error(self, why: str, traceback: str) -> ServiceError:
        """What went wrong, with the line of the service even where Lua names none."""
        name = self._file.name
        way = [line.strip() for line in traceback.splitlines() if line.strip().startswith(f"{name}:")]
        if not why.startswith(f"{name}:"):
            why = f"{way[0].partition(': in ')[0] if way else name}: {why}"
        return ServiceError(why, f"{self._file}: {' < '.join(way[:_MOST_LINES])}")


def _deny(obj: object, name: object, is_setting: bool) -> NoReturn:
    raise AttributeError("services reach no Python object")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _first_line(text: str) -> str:
    return text.partition("\n")[0][:300]
