"""Services: how fast one starts; what 200 calls cost that each play, collect and say, and how late their audio is.

The floor of a start is a bare Lua VM that compiles the same file; that of the calls the native gateway alone, which
says the same words to as many phones.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import relay_peers, sipp
from bench.calls import HOLD_S
from bench.control import control_process
from bench.machine import Cores, cpu_by_thread, cpu_seconds
from bench.office import CALLER, BenchOffice, bench_office
from bench.progress import say
from bench.services_native import KEYS, PROMPT, words
from tests.live import processes
from tests.live.network import Network
from tests.live.office import SIP_PORT

CALLS, RATE, ROUNDS, WINDOW_S = 200, 40, 7, 15.0
SHORT_CALLS, SHORT_ROUNDS, SHORT_WINDOW_S = 10, 3, 4.0
TURNS, SHORT_TURNS = 200, 20
MOST_START_MS, MOST_LATE_MS = 1.0, 20.0
NUMBER = "700"
SERVICE = f"""
local service = {{}}
function service.run(call)
    call:answer()
    for _ = 1, tonumber(call.settings.rounds) do
        call:play("{PROMPT}")
        local typed = call:collect({{ most = {len(KEYS)}, first = 10 }}).digits
        if typed ~= "{KEYS}" then
            error("heard " .. typed)
        end
        call:say(typed)
    end
    call:hangup()
end
return service
"""


def measure(network: Network, cores: Cores, *, is_short: bool) -> dict[str, Any]:
    """The section's figures."""
    calls, rounds, window_s = (SHORT_CALLS, SHORT_ROUNDS, SHORT_WINDOW_S) if is_short else (CALLS, ROUNDS, WINDOW_S)
    start = _measure_start(cores, SHORT_TURNS if is_short else TURNS)
    say(f"services: a start takes {start['p50_ms']} ms, {start['ratio']} × a bare VM")
    with bench_office(network, cores, [CALLER]) as bench:
        engine = _measure_calls(bench, calls, rounds, window_s)
    floor = _measure_floor(network, cores, calls, window_s)
    say(
        f"services: {calls} calls take {engine['cpu_percent']} % of a core, "
        f"the gateway alone {floor['cpu_percent']} %"
    )
    return {
        "start": start,
        "calls": calls,
        "engine": engine,
        "gateway_alone": floor,
        "ratios": {
            "start": start["ratio"],
            "cpu_per_packet": round(engine["cpu_us_per_packet"] / max(floor["cpu_us_per_packet"], 0.001), 3),
            "late_p99": round(engine["audio"]["late_p99_ms"] / max(floor["audio"]["late_p99_ms"], 0.001), 3),
        },
        "is_met": start["worst_p99_ms"] < MOST_START_MS
        and engine["failed"] == 0
        and engine["audio"]["lost"] == 0
        and engine["audio"]["late_p999_ms"] < MOST_LATE_MS,
    }


def _measure_start(cores: Cores, turns: int) -> dict[str, Any]:
    command = relay_peers.pinned(
        cores.measured, sys.executable, "-m", "bench.services_start", str(turns), real_time=False
    )
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def _measure_calls(bench: BenchOffice, calls: int, rounds: int, window_s: float) -> dict[str, Any]:
    own = bench.office.state / "lua" / "services"
    own.mkdir(parents=True, exist_ok=True)
    (own / "bench.lua").write_text(SERVICE)
    bench.office.cli(
        "service", "trigger", "add", "--number", NUMBER, "--service", "bench", "--set", f"rounds={rounds}"
    )
    peer = bench.network.host()
    with _ear(peer, bench.cores) as ear:
        scenario = _scenario(bench, peer, ear.port, rounds)
        outcome: list[sipp.Counted] = []
        load = sipp.Load(min(RATE, calls), calls)
        driving = threading.Thread(target=lambda: outcome.append(_drive(bench, scenario, load)))
        say(f"services: {calls} calls of {rounds} rounds")
        driving.start()
        processes.wait_until(lambda: bench.office.json("status")["calls"] == calls, 30, "all calls stand")
        engine = _window(bench.pid, ear, bench.cores, window_s)
        stands = bench.office.json("status")
        driving.join(120)
    if not outcome:
        raise RuntimeError("sipp did not end")
    counted = outcome[0]
    return {
        **engine,
        "failed": counted.failed + (calls - counted.successful - counted.failed),
        "retransmissions": counted.retransmissions,
        "answer_ms": counted.response_ms,
        "calls_at_the_end": stands["calls"],
        "loop_delay_ms": stands["loop_delay_ms"],
    }


def _measure_floor(network: Network, cores: Cores, calls: int, window_s: float) -> dict[str, Any]:
    host, peer = network.host(), network.host()
    with _ear(peer, cores) as ear:
        command = ["-m", "bench.services_native", str(calls), host, peer, str(ear.port)]
        native = relay_peers.pinned(cores.measured, sys.executable, *command, real_time=False)
        with relay_peers.process(native) as gateway:
            assert gateway.stdout
            if gateway.stdout.readline() != "ready\n":
                raise RuntimeError("the native gateway did not start")
            return _window(gateway.pid, ear, cores, window_s)


class _Ear:
    """A process that hears every call, on the load's core."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout
        self.port = int(process.stdout.readline())

    def figures(self) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return told


@contextmanager
def _ear(host: str, cores: Cores) -> Iterator[_Ear]:
    command = relay_peers.pinned(cores.load, sys.executable, "-m", "bench.listener", host, real_time=False)
    with relay_peers.process(command) as process:
        yield _Ear(process)


def _window(pid: int, ear: _Ear, cores: Cores, seconds: float) -> dict[str, Any]:
    """CPU and audio while everything stands."""
    ear.figures()
    before, threads_before, began = cpu_seconds(pid), cpu_by_thread(pid), time.monotonic()
    with control_process(cores.on_measured) as control:
        time.sleep(seconds)
        lasted = time.monotonic() - began
        used, threads = cpu_seconds(pid) - before, cpu_by_thread(pid)
        audio = ear.figures()
    return {
        "seconds": round(lasted, 2),
        "cpu_percent": round(100 * used / lasted, 1),
        "cpu_us_per_packet": round(1e6 * used / max(audio["packets"], 1), 2),
        "cpu_percent_by_thread": {
            name: round(100 * (after - threads_before.get(name, 0.0)) / lasted, 1)
            for name, after in threads.items()
        },
        "audio": audio,
        "control": control,
    }


def _scenario(bench: BenchOffice, peer: str, port: int, rounds: int) -> Path:
    key = (sipp.SCENARIOS / "key.xml").read_text()
    round_ms = round(words().duration_ms)
    steps, cseq = [], 10
    for place in range(rounds):
        steps.append(f'  <pause milliseconds="{round_ms if place else 1000}"/>')
        for digit in KEYS:
            cseq += 1
            steps.append(key.replace("{key}", digit).replace("{cseq}", str(cseq)))
    authenticated = (sipp.SCENARIOS / "authenticated.xml").read_text()
    for theirs in ("IP[local_ip_type] [local_ip]", "IP[media_ip_type] [media_ip]"):
        authenticated = authenticated.replace(theirs, f"IP4 {peer}")
    authenticated = authenticated.replace("[media_port]", str(port))
    return sipp.fill(
        "service_caller", bench.folder, authenticated=authenticated, rounds="\n".join(steps), host=peer,
        port=str(port), user=CALLER, password=bench.office.passwords[CALLER],
    )  # fmt: skip


def _drive(bench: BenchOffice, scenario: Path, load: sipp.Load) -> sipp.Counted:
    source = (bench.network.host(), SIP_PORT)
    return sipp.run(scenario, bench.target, source, load, bench.cores, "-s", NUMBER, hold_s=HOLD_S)
