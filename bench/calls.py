"""Calls with digest through the engine, media anchored and records on, against a bare user agent server.

Both serve the same sipp scenario from the same core; only the challenge is left out for the bare one.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import sipp
from bench.control import control_process
from bench.machine import Cores, busy_seconds, cpu_by_thread, cpu_seconds
from bench.office import CALLEE, CALLER, BenchOffice, bench_office
from bench.progress import say
from tests.live import processes
from tests.live.network import Network, host_port
from tests.live.office import SIP_PORT

HOLD_S = 1.0
"""How long the scenario's calls last."""
RATES = (50, 100, 200, 300, 400, 500, 600, 700, 800)
SECONDS_PER_RATE = 12
SHORT_RATES = (20,)
SHORT_SECONDS = 4
MAX_FAILED_SHARE = 0.001
MIN_ATTAINED_SHARE = 0.95
MAX_RESENT_SHARE = 0.01
"""Above it the answers come later than 500 ms: a queue grows, and a longer run would fail."""


def measure(network: Network, cores: Cores, *, is_short: bool) -> dict[str, Any]:
    """Raise the rate until calls fail or the rate is not attained, for the engine and for the floor."""
    rates = SHORT_RATES if is_short else RATES
    seconds = SHORT_SECONDS if is_short else SECONDS_PER_RATE
    with bench_office(network, cores, [CALLER, CALLEE]) as bench:
        engine = _measure_engine(bench, rates, seconds)
    with bare_uas(network, cores) as (pid, host, folder):
        scenario = sipp.fill("caller", folder, user=CALLER, password="none", authenticated="", cseq="1")
        floor = _climb("bare UAS", pid, scenario, host_port(host, SIP_PORT), network.host(), cores, rates, seconds)
    return {"engine": engine, "bare_uas": floor, "ratios": _ratios(engine, floor)}


def engine_scenario(bench: BenchOffice) -> Path:
    """The caller's scenario with digest, filled in."""
    return sipp.fill(
        "caller",
        bench.folder,
        authenticated=(sipp.SCENARIOS / "authenticated.xml").read_text(),
        user=CALLER,
        password=bench.office.passwords[CALLER],
        cseq="2",
    )


def _measure_engine(bench: BenchOffice, rates: tuple[int, ...], seconds: int) -> list[dict[str, Any]]:
    phone = bench.network.host()
    bench.register(CALLEE, phone)
    scenario = engine_scenario(bench)
    with sipp.callee(bench.folder, CALLEE, (phone, SIP_PORT), bench.cores):
        steps = _climb(
            "engine", bench.pid, scenario, bench.target, bench.network.host(), bench.cores, rates, seconds
        )
    status = bench.office.json("status")
    steps[-1]["loop_delay_ms"] = status["loop_delay_ms"]
    for name in ("gc", "memory"):
        if name in status:
            steps[-1][name] = status[name]
    return steps


def _climb(
    name: str,
    pid: int,
    scenario: Path,
    target: str,
    source: str,
    cores: Cores,
    rates: tuple[int, ...],
    seconds: int,
) -> list[dict[str, Any]]:
    """One step a rate, up to the first that is not carried."""
    steps = []
    for rate in rates:
        say(f"calls: {name} at {rate} a second for {seconds} s")
        steps.append(step(pid, scenario, target, source, cores, sipp.Load(rate, rate * seconds)))
        if not steps[-1]["is_carried"]:
            break
    return steps


def step(
    pid: int, scenario: Path, target: str, source: str, cores: Cores, load: sipp.Load, number: str = CALLEE
) -> dict[str, Any]:
    """One rate of calls to ``number`` against process ``pid``: what sipp counted, and the CPU it took."""
    busy_before = busy_seconds(cores.load)
    before, threads_before = cpu_seconds(pid), cpu_by_thread(pid)
    with control_process(cores.on_measured) as control:
        counted = sipp.run(scenario, target, (source, SIP_PORT), load, cores, "-s", number, hold_s=HOLD_S)
    used = cpu_seconds(pid) - before
    threads = {name: round(after - threads_before.get(name, 0.0), 3) for name, after in cpu_by_thread(pid).items()}
    calls = max(counted.successful, 1)
    return {
        "rate": load.rate,
        **counted.as_dict(),
        "cpu_ms_per_call": round(used / calls * 1000, 3),
        "core_share": round(used / counted.seconds, 3),
        "cpu_s_by_thread": threads,
        "load_core_share": round((busy_seconds(cores.load) - busy_before) / counted.seconds, 3),
        "control": control,
        "is_carried": counted.failed <= MAX_FAILED_SHARE * counted.created
        and counted.retransmissions <= MAX_RESENT_SHARE * counted.created
        and counted.attained_per_s >= MIN_ATTAINED_SHARE * load.rate,
    }


def _ratios(engine: list[dict[str, Any]], floor: list[dict[str, Any]]) -> dict[str, float | None]:
    """What the engine costs beside the floor: CPU a call at the highest rate both carried, and calls a second."""
    carried = [
        (ours, theirs)
        for ours, theirs in zip(engine, floor, strict=False)
        if ours["is_carried"] and theirs["is_carried"]
    ]
    ours, theirs = carried[-1] if carried else (engine[0], floor[0])
    best = [
        max((step["attained_per_s"] for step in steps if step["is_carried"]), default=0.0)
        for steps in (engine, floor)
    ]
    return {
        "at_calls_per_s": ours["rate"],
        "cpu_per_call": _divided(ours["cpu_ms_per_call"], theirs["cpu_ms_per_call"]),
        "calls_per_s": _divided(best[0], best[1]),
    }


def _divided(one: float, other: float) -> float | None:
    return round(one / other, 3) if other else None


@contextmanager
def bare_uas(network: Network, cores: Cores) -> Iterator[tuple[int, str, Path]]:
    """The floor on the measured core: its process id, its host, and a folder."""
    host = network.host()
    with tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as scratch:
        folder = Path(scratch)
        log = folder / "uas.log"
        command = [*cores.on_measured, sys.executable, "-m", "bench.bare_uas", host, str(SIP_PORT)]
        process = processes.start(command, log=log)
        try:
            processes.wait_until(lambda: "ready" in log.read_text(), 10, "the bare UAS listens")
            yield process.pid, host, folder
        finally:
            processes.stop(process)
