"""How soon the phones that watch a lamp know: one change, and a hundred at the same moment, alone and in lists."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.control import control_process
from bench.machine import Cores, cpu_seconds
from bench.office import BenchOffice, bench_office
from bench.progress import say
from tests.live.network import Network

CALLER, LIST = "299", "600"
MANY, FEW = 100, 5
ROUNDS, SHORT_ROUNDS = {"one": 40, "many": 3}, {"one": 3, "many": 1}
MOST_P99_MS, MOST_LISTS_MS, MOST_SINGLES_MS = 250.0, 2000.0, 5000.0
LONGEST_S = 300


def measure(network: Network, cores: Cores, *, is_short: bool) -> dict[str, Any]:
    """Phones are rung and given up; the moment counts at which each watcher has the NOTIFY that says so."""
    many = FEW if is_short else MANY
    watched = [str(300 + each) for each in range(many)]
    watchers = [str(400 + each) for each in range(many)]
    with bench_office(network, cores, []) as bench:
        passwords = _people(bench, [CALLER, *watched, *watchers], watched)
        plan = {
            "passwords": passwords,
            "caller": CALLER,
            "watched": watched,
            "watchers": watchers,
            "list": LIST,
            "rounds": SHORT_ROUNDS if is_short else ROUNDS,
        }
        say(f"lamps: {many} watchers of {many} lamps")
        before = cpu_seconds(bench.pid)
        with control_process(cores.on_measured) as control:
            found = _run(bench, f"{network.host()},{network.host()}", plan)
        found["cpu_s"] = round(cpu_seconds(bench.pid) - before, 1)
        status = bench.office.json("status")
    lists = [*found["lists_tcp"]["all_told_ms"], *found["lists_udp"]["all_told_ms"]]
    return {
        **found,
        "control": control,
        "loop_delay_ms": status["loop_delay_ms"],
        "is_met": found["one_change"]["p99_ms"] < MOST_P99_MS
        and max(lists) < MOST_LISTS_MS
        and max(found["singles"]["all_told_ms"]) < MOST_SINGLES_MS,
    }


def _people(bench: BenchOffice, numbers: list[str], members: list[str]) -> dict[str, str]:
    """Everybody at once; their passwords."""
    passwords = {number: f"pw-{number}-Xy7" for number in numbers}
    tables = [
        f'[extension.{number}]\npassword = "{password}"\nmax_calls = "unlimited"\n'
        for number, password in passwords.items()
    ]
    listed = ", ".join(f'"{number}"' for number in members)
    tables.append(f'[group.{LIST}]\nkind = "pickup"\nmembers = [{listed}]\n')
    file = Path(bench.folder / "office.toml")
    bench.office.cli("export", str(file))
    file.write_text(file.read_text() + "\n" + "\n".join(tables))
    bench.office.cli("import", str(file))
    return passwords


def _run(bench: BenchOffice, hosts: str, plan: dict[str, Any]) -> dict[str, Any]:
    command = [
        "setpriv", "--pdeathsig", "KILL", "--", *bench.cores.on_load, sys.executable, "-m", "bench.lamp_phones",
        bench.target, hosts, json.dumps(plan),
    ]  # fmt: skip
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=LONGEST_S, check=False)
    if done.returncode:
        raise RuntimeError(f"the phones ended with {done.returncode}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
