"""What a service takes from its file to its first verb, beside a bare Lua VM that compiles the same file: JSON.

Time is the thread's own on the processor: what others take from a busy machine does not count.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from lupa.lua54 import LuaRuntime

from engine.core.paths import LUA
from engine.pbx.service import ServiceError
from engine.services.machine import Machine

FACTS = {"caller": "101", "own": "101", "dialled": "*43", "argument": "102", "id": "0", "settings": {}}


def figures(turns: int) -> dict[str, Any]:
    """Milliseconds by service; the floor is of the same files."""
    gc.disable()  # as in an office whose calls are short: its collector waits for quiet moments
    rows, floors = {}, []
    for file in sorted((LUA / "services").glob("*.lua")):
        source = file.read_bytes()
        ours, floor = _times(turns, file, source)
        floors.append(floor[len(floor) // 2])
        rows[file.stem] = {
            "p50_ms": round(ours[len(ours) // 2], 4),
            "p99_ms": round(ours[len(ours) * 99 // 100], 4),
        }
        gc.collect()
    median = sorted(row["p50_ms"] for row in rows.values())[len(rows) // 2]
    floor_ms = sorted(floors)[len(floors) // 2]
    return {
        "services": rows,
        "p50_ms": median,
        "worst_p50_ms": max(row["p50_ms"] for row in rows.values()),
        "worst_p99_ms": max(row["p99_ms"] for row in rows.values()),
        "floor_p50_ms": round(floor_ms, 4),
        "ratio": round(median / floor_ms, 3),
    }


def _times(turns: int, file: Path, source: bytes) -> tuple[list[float], list[float]]:
    """Of ours and of the floor, taken in turn, the fastest first."""
    ours, floor = [], []
    for _ in range(turns):
        ours.append(_timed(lambda: _begin(file, source)))
        floor.append(_timed(lambda: LuaRuntime(encoding=None, register_eval=False).execute(source)))
    return sorted(ours), sorted(floor)


def _timed(work: Callable[[], object]) -> float:
    began = time.thread_time()
    kept = work()  # freed outside the time
    took = (time.thread_time() - began) * 1000
    del kept
    return took


def _begin(file: Path, source: bytes) -> Machine:
    machine = Machine(file, source, FACTS)
    with suppress(ServiceError):  # of one that wants settings of its row; it has begun all the same
        machine.resume(None, None)
    return machine


if __name__ == "__main__":
    print(json.dumps(figures(int(sys.argv[1]))))
