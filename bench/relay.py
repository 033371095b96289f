"""Relayed calls through the native gateway beside a bare echo and rtpengine: loss, delay, CPU and the most calls.

Each call is two legs, each with 50 packets of 172 octets a second. The relay has one core to itself, one program
that speaks for all phones the other. ``python -m bench.relay`` measures this section alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

from bench import relay_peers
from bench.machine import Cores, choose_cores
from bench.progress import say
from bench.relay_peers import Relay

MAX_P99_MS = 20.0
MAX_LOSS_PERCENT = 0.1
SHORT_CALLS, CALLS = 20, 100
SHORT_SECONDS, SECONDS = 1.0, 5.0
WARM_MS = 500
ROUNDS = 3
"""How often each relay is measured at the common number of calls; the median by CPU is told."""
BUSY_THREADS = 3
BOTH_VERSIONS = {
    "hosts": (relay_peers.RELAY_HOST, relay_peers.V6_HOST),
    "peers": (relay_peers.PHONE_HOST, relay_peers.V6_HOST),
}
SEARCH_FROM, SEARCH_STEP, SEARCH_TO = 400, 100, 4000
TRIES = 2
"""A number of calls fails only when it fails this often: the machine's own hiccups are no relay's."""

Opener = Callable[[Cores, int, list[int]], AbstractContextManager[Relay]]


@dataclass(frozen=True, slots=True)
class Load:
    """What one run showed."""

    calls: int
    sent: int
    received: int
    loss_percent: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    cpu_percent: float
    cpu_percent_per_100_calls: float
    scheduling: str

    @property
    def is_carried(self) -> bool:
        return self.p99_ms < MAX_P99_MS and self.loss_percent < MAX_LOSS_PERCENT


def measure(options: dict[str, Any]) -> dict[str, Any]:
    """The section's figures. ``options``: ``short``, and perhaps ``calls`` and ``seconds``."""
    is_short = bool(options.get("short"))
    calls = int(options.get("calls") or (SHORT_CALLS if is_short else CALLS))
    seconds = float(options.get("seconds") or (SHORT_SECONDS if is_short else SECONDS))
    cores = choose_cores()
    openers: dict[str, Opener] = {"native": relay_peers.native_relay, "echo": relay_peers.echo_relay}
    figures: dict[str, Any] = {"packet_octets": 172, "packets_per_s_and_call": 100, "seconds": seconds}
    if relay_peers.has_rtpengine():
        openers["rtpengine"] = relay_peers.rtpengine_relay
    else:
        figures["rtpengine"] = None
        figures["note"] = "rtpengine is missing: apt-get install rtpengine-daemon"
    with tempfile.TemporaryDirectory() as folder:
        program = relay_peers.compile_program("rtpload", Path(folder))
        bench = _Bench(program, cores, seconds)
        figures |= bench.compare(openers, calls, rounds=1 if is_short else ROUNDS)
        figures["native"]["v4_to_v6"] = bench.native("IPv4 to IPv6", calls, **BOTH_VERSIONS)
        if not is_short:
            busy = bench.native("busy Python", calls, busy_threads=BUSY_THREADS)
            ordinary = bench.native("the same, no SCHED_RR", calls, busy_threads=BUSY_THREADS, is_real_time=False)
            figures["native"]["p99_ms_while_python_computes"] = busy["p99_ms"]
            figures["native"]["p99_ms_without_real_time"] = ordinary["p99_ms"]
            for name, opener in openers.items():
                figures[name]["most_calls"] = bench.most_calls(name, opener)
    figures["ratios"] = _ratios(figures)
    return figures


class _Bench:
    def __init__(self, program: Path, cores: Cores, seconds: float) -> None:
        self._program = program
        self._cores = cores
        self._seconds = seconds

    def compare(self, openers: dict[str, Opener], calls: int, rounds: int) -> dict[str, dict[str, Any]]:
        """The relays in turn at the same number of calls, so that a noisy minute meets all of them."""
        runs: dict[str, list[Load]] = {name: [] for name in openers}
        for turn in range(rounds):
            for name, opener in openers.items():
                runs[name].append(self.run(opener, calls))
                say(f"relay {turn + 1}/{rounds} {_line(name, runs[name][-1])}")
        return {name: _rounded(_median(loads)) for name, loads in runs.items()}

    def native(self, circumstance: str, calls: int, **options: Any) -> dict[str, Any]:
        """One load on the native gateway under a circumstance of its own, as ``native_relay`` takes it."""
        peers = options.get("peers", (relay_peers.PHONE_HOST,))
        load = self.run(partial(relay_peers.native_relay, **options), calls, peers)
        say(f"relay, {circumstance}: {_line('native', load)}")
        return _rounded(load)

    def most_calls(self, name: str, opener: Opener) -> int:
        """The highest number carried, to SEARCH_STEP: doubling steps up, then halves between."""
        carried, refused = 0, SEARCH_TO + SEARCH_STEP
        calls = SEARCH_FROM
        while refused - carried > SEARCH_STEP and calls <= SEARCH_TO:
            if self._is_carried(name, opener, calls):
                carried = calls
            else:
                refused = calls
            is_open = refused > SEARCH_TO
            calls = carried + 4 * SEARCH_STEP if is_open else (carried + refused) // 2 // SEARCH_STEP * SEARCH_STEP
        return carried

    def _is_carried(self, name: str, opener: Opener, calls: int) -> bool:
        for _ in range(TRIES):
            load = self.run(opener, calls)
            say(f"relay search {_line(name, load)}")
            if load.is_carried:
                return True
        return False

    def run(self, opener: Opener, calls: int, peers: tuple[str, ...] = (relay_peers.PHONE_HOST,)) -> Load:
        """One load on a fresh relay; every other phone is on the second of ``peers``."""
        command = [str(self._program), ",".join(peers), str(2 * calls), str(WARM_MS)]
        command.append(str(round(self._seconds * 1000)))
        with relay_peers.process(relay_peers.pinned(self._cores.load, *command)) as load:
            assert load.stdin
            assert load.stdout
            ports = [int(port) for port in load.stdout.readline().split()]
            with opener(self._cores, calls, ports) as relay:
                hosts = cycle(relay.hosts)
                load.stdin.writelines(f"{host} {port}\n" for host, port in zip(hosts, relay.ports, strict=False))
                load.stdin.flush()
                load.stdout.readline()
                before_ns = run_time_ns(relay.pid)
                load.stdout.readline()
                cpu_percent = (run_time_ns(relay.pid) - before_ns) / self._seconds / 1e7
                figures = load.stdout.readline().split()
        if len(figures) != 5:
            raise RuntimeError("the load generator ended early")
        return _load(calls, [int(figure) for figure in figures], cpu_percent, relay.scheduling)


def _load(calls: int, figures: list[int], cpu_percent: float, scheduling: str) -> Load:
    sent, received, p50_us, p99_us, max_us = figures
    loss_percent = 100.0 * (1 - received / sent) if sent else 100.0
    return Load(
        calls,
        sent,
        received,
        max(0.0, loss_percent),
        p50_us / 1000,
        p99_us / 1000,
        max_us / 1000,
        cpu_percent,
        cpu_percent * 100 / calls,
        scheduling,
    )


def run_time_ns(pid: int) -> int:
    """Processor time of all threads of a process, to the nanosecond."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)


def _median(loads: list[Load]) -> Load:
    return sorted(loads, key=lambda load: load.cpu_percent)[len(loads) // 2]


def _rounded(load: Load) -> dict[str, Any]:
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(load).items()}


def _ratios(figures: dict[str, Any]) -> dict[str, float]:
    native, ratios = figures["native"], {}
    for name in ("echo", "rtpengine"):
        other = figures.get(name)
        if not other:
            continue
        if other["cpu_percent"]:
            ratios[f"cpu_over_{name}"] = round(native["cpu_percent"] / other["cpu_percent"], 3)
        if other.get("most_calls"):
            ratios[f"most_calls_over_{name}"] = round(native["most_calls"] / other["most_calls"], 3)
    return ratios


def _line(name: str, load: Load) -> str:
    return (
        f"{name:9} {load.calls:5} calls  loss {load.loss_percent:.3f} %  delay p50 {load.p50_ms:.2f} "
        f"p99 {load.p99_ms:.2f} ms  CPU {load.cpu_percent:.1f} % ({load.cpu_percent_per_100_calls:.2f} % per 100)"
    )


def _print_table(figures: dict[str, Any]) -> None:
    print(
        f"{'relay':10}{'calls':>7}{'loss %':>9}{'p50 ms':>9}{'p99 ms':>9}{'CPU %/100 calls':>17}{'most calls':>12}"
    )
    for name in ("native", "echo", "rtpengine"):
        row = figures.get(name)
        if not row:
            print(f"{name:10} not measured: {figures['note']}")
            continue
        print(
            f"{name:10}{row['calls']:>7}{row['loss_percent']:>9.3f}{row['p50_ms']:>9.2f}{row['p99_ms']:>9.2f}"
            f"{row['cpu_percent_per_100_calls']:>17.2f}{row.get('most_calls', '-'):>12}"
        )
    busy = figures["native"].get("p99_ms_while_python_computes")
    if busy is not None:
        ordinary = figures["native"]["p99_ms_without_real_time"]
        print(f"native p99 while {BUSY_THREADS} Python threads compute on its core: {busy} ms")
        print(f"the same without real-time priority: {ordinary} ms")
    both = figures["native"]["v4_to_v6"]
    print(
        f"native IPv4 to IPv6: {both['calls']} calls, loss {both['loss_percent']} %, p99 {both['p99_ms']} ms, "
        f"CPU {both['cpu_percent_per_100_calls']} % per 100 calls"
    )
    for name, ratio in figures["ratios"].items():
        print(f"{name.replace('_', ' ')}: {ratio}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.relay", description=__doc__)
    parser.add_argument("--calls", type=int, help=f"calls at which the relays are compared (default {CALLS})")
    parser.add_argument("--seconds", type=float, help=f"how long each run measures (default {SECONDS:g})")
    parser.add_argument("--short", action="store_true", help="a smoke of under 10 s without the search")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    figures = measure(vars(options))
    if options.json:
        print(json.dumps({"relay": figures}, indent=2))
    else:
        _print_table(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
