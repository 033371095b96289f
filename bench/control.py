"""A process that does nothing but tick: its lateness is the machine's, not the engine's.

``python -m bench.control`` ticks every 5 ms on uvloop until SIGTERM, then prints its figures as JSON.
"""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvloop

TICK_S = 0.005


async def tick() -> list[float]:
    """Milliseconds by which each tick came late."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    late_ms: list[float] = []
    due = time.monotonic() + TICK_S

    def measure() -> None:
        nonlocal due
        late_ms.append(max(0.0, (time.monotonic() - due) * 1000))
        due = time.monotonic() + TICK_S
        loop.call_later(TICK_S, measure)

    gc.freeze()
    loop.call_later(TICK_S, measure)
    await ended.wait()
    return late_ms


def figures(late_ms: list[float]) -> dict[str, Any]:
    """p50, p99 and worst of a list of milliseconds, and how many there are."""
    ordered = sorted(late_ms) or [0.0]
    return {
        "ticks": len(late_ms),
        "p50_ms": round(ordered[len(ordered) // 2], 3),
        "p99_ms": round(ordered[int(len(ordered) * 0.99)], 3),
        "max_ms": round(ordered[-1], 3),
    }


@contextmanager
def control_process(pinned: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Run the control process meanwhile; its figures are in the dictionary afterwards."""
    outcome: dict[str, Any] = {}
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "--", *pinned, sys.executable, "-m", "bench.control"],
        stdout=subprocess.PIPE,
    )
    try:
        yield outcome
    finally:
        process.terminate()
        out, _ = process.communicate(timeout=5)
        outcome.update(json.loads(out) if out else {})


if __name__ == "__main__":
    print(json.dumps(figures(uvloop.run(tick()))))
