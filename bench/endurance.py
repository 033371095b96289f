"""Three minutes of calls at one rate: failures, stalls of the loop, and whether memory stays flat."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import psutil

from bench import calls, sipp
from bench.machine import Cores
from bench.office import CALLEE, CALLER, bench_office
from bench.progress import say
from tests.live.network import Network
from tests.live.office import SIP_PORT

RATE, SECONDS = 500, 180
SHORT_RATE, SHORT_SECONDS = 20, 6
WATCHED_S = 120
"""The last seconds, in which memory must stay flat: before them transactions and caches still fill."""
FLAT_SHARE = 0.02
MOST_STALL_MS = 50.0
"""Beyond the worst of the control process."""


def measure(network: Network, cores: Cores, *, is_short: bool) -> dict[str, Any]:
    """One long step of the calls section, with the engine's memory sampled every second."""
    rate, seconds = (SHORT_RATE, SHORT_SECONDS) if is_short else (RATE, SECONDS)
    with bench_office(network, cores, [CALLER, CALLEE]) as bench:
        phone = network.host()
        bench.register(CALLEE, phone)
        scenario = calls.engine_scenario(bench)
        say(f"endurance: {rate} calls a second for {seconds} s")
        with sipp.callee(bench.folder, CALLEE, (phone, SIP_PORT), cores), _memory_of(bench.pid) as samples:
            load = sipp.Load(rate, rate * seconds)
            step = calls.step(bench.pid, scenario, bench.target, network.host(), cores, load)
        status = bench.office.json("status")
    stall_ms = max(0.0, status["loop_delay_ms"]["max"] - step["control"].get("max_ms", 0.0))
    return {
        **step,
        "loop_delay_ms": status["loop_delay_ms"],
        "gc": status.get("gc"),
        "stall_beyond_control_ms": round(stall_ms, 1),
        "memory": _judge(samples),
        "is_met": step["failed"] == 0 and stall_ms <= MOST_STALL_MS and _judge(samples)["is_flat"],
    }


@contextmanager
def _memory_of(pid: int) -> Iterator[list[float]]:
    """MiB of resident memory, once a second meanwhile."""
    samples: list[float] = []
    is_over = threading.Event()
    process = psutil.Process(pid)

    def sample() -> None:
        while not is_over.wait(1.0):
            samples.append(round(process.memory_info().rss / 2**20, 1))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        is_over.set()
        thread.join()


def _judge(samples: list[float]) -> dict[str, Any]:
    """The growth from the first ten to the last ten of the watched seconds, the pause after the load left out."""
    watched = samples[-WATCHED_S:] or [0.0]
    first, last = median(watched[:10]), median(watched[-10:])
    return {
        "mib_first": samples[0] if samples else 0.0,
        "mib_watched_from": first,
        "mib_last": last,
        "is_flat": last - first <= FLAT_SHARE * first,
        "mib_each_10_s": samples[::10],
    }
