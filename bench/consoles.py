"""SIP's round trip while three consoles over ssh redraw a storm of calls, against the same without consoles."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench import calls, sipp
from bench.control import control_process
from bench.machine import Cores, cpu_by_thread
from bench.office import CALLEE, CALLER, BenchOffice, bench_office
from bench.progress import say
from tests.live.console import LOGIN, PASSWORD, add_operator
from tests.live.network import Network
from tests.live.office import SIP_PORT

CONSOLES = 3
RATE, SECONDS = 120, 20
"""Calls of one second: so many are live, and twice as many rows change every second."""
SHORT_RATE, SHORT_SECONDS = 10, 4
MOST_P99_MS = 10.0


def measure(network: Network, cores: Cores, *, is_short: bool) -> dict[str, Any]:
    """Round trips of OPTIONS in the storm, first alone, then with every console reading all it is sent."""
    rate, seconds = (SHORT_RATE, SHORT_SECONDS) if is_short else (RATE, SECONDS)
    with bench_office(network, cores, [CALLER, CALLEE]) as bench:
        add_operator(bench.office)
        phone = network.host()
        bench.register(CALLEE, phone)
        steps = {}
        with sipp.callee(bench.folder, CALLEE, (phone, SIP_PORT), cores):
            say(f"consoles: {rate} calls a second for {seconds} s, nobody looks")
            steps["without"] = _storm(bench, sipp.Load(rate, rate * seconds))
            with _watchers(bench) as watched:
                say(f"consoles: the same with {CONSOLES} consoles")
                steps["with"] = _storm(bench, sipp.Load(rate, rate * seconds))
        status = bench.office.json("status")
    return {
        "consoles": CONSOLES,
        **steps,
        "kib_drawn_per_console": [round(octets / 1024) for octets in watched],
        "loop_delay_ms": status["loop_delay_ms"],
        "is_met": steps["with"]["failed"] == 0 and steps["with"]["round_trip"]["p99_ms"] < MOST_P99_MS,
    }


def _storm(bench: BenchOffice, load: sipp.Load) -> dict[str, Any]:
    threads_before = cpu_by_thread(bench.pid)
    host, port = bench.office.host, str(SIP_PORT)
    with control_process(bench.cores.on_measured) as control:
        probe = subprocess.Popen(
            [
                *bench.cores.on_load,
                sys.executable,
                "-m",
                "bench.round_trip",
                host,
                port,
                str(load.count / load.rate),
            ],
            stdout=subprocess.PIPE,
        )
        counted = sipp.run(
            calls.engine_scenario(bench), bench.target, (bench.network.host(), SIP_PORT), load, bench.cores,
            "-s", CALLEE, hold_s=calls.HOLD_S,
        )  # fmt: skip
        out, _ = probe.communicate(timeout=30)
    threads = cpu_by_thread(bench.pid)
    return {
        **counted.as_dict(),
        "round_trip": json.loads(out),
        "cpu_s_by_thread": {
            name: round(after - threads_before.get(name, 0.0), 3) for name, after in threads.items()
        },
        "control": control,
    }


@contextmanager
def _watchers(bench: BenchOffice) -> Iterator[list[int]]:
    """The consoles meanwhile; afterwards the octets that each of them was sent."""
    octets: list[int] = []
    process = subprocess.Popen(
        [
            "setpriv", "--pdeathsig", "KILL", "--", *bench.cores.on_load, sys.executable, "-m", "bench.watchers",
            bench.office.host, str(bench.office.ssh_port), LOGIN, PASSWORD, str(CONSOLES),
        ],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if line != "ready\n":
            raise RuntimeError(f"the consoles did not open: {line!r}")
        time.sleep(1.0)  # the first drawing is no redrawing
        yield octets
    finally:
        process.terminate()
        out, _ = process.communicate(timeout=10)
        octets.extend(json.loads(out) if out else [])
