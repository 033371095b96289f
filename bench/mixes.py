"""Three-way mixes on one core: what they cost, and how many are sent in time.

Each mix takes 150 packets of 20 ms a second and sends as many, each a sum of the two others. The gateway has one
core to itself; a frame that it cannot send at its tick is missing from what was sent. Wide mixes are of
G.722 with both its bands.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import relay_peers
from bench.machine import Cores, choose_cores
from bench.progress import say
from bench.relay import run_time_ns
from tests.live.network import Network

STEPS = (100, 200, 400, 600, 800)
WIDE_STEPS = (50, 100, 150, 200)
SHORT_STEPS = (20,)
SECONDS, SHORT_SECONDS = 5.0, 1.0
WARM_S = 2.0
PACKETS_PER_S = 150
LEAST_SENT = 0.999


def measure(network: Network, cores: Cores, *, is_short: bool) -> dict[str, Any]:
    """The section's figures: one row for each number of mixes, and the most that were sent in time."""
    seconds = SHORT_SECONDS if is_short else SECONDS
    rows, wide = [], []
    with tempfile.TemporaryDirectory() as folder:
        program = relay_peers.compile_program("rtpload", Path(folder))
        for mixes in SHORT_STEPS if is_short else STEPS:
            rows.append(_run(program, cores, mixes, seconds, "PCMA"))
            say(_LINE.format_map(rows[-1]))
        for mixes in () if is_short else WIDE_STEPS:
            wide.append(_run(program, cores, mixes, seconds, "G722"))
            say("wide " + _LINE.format_map(wide[-1]))
    return {
        "parties": 3,
        "seconds": seconds,
        "steps": rows,
        "most_in_time": _most_in_time(rows),
        "wide_steps": wide,
        "most_wide_in_time": _most_in_time(wide),
    }


_LINE = "mixes {mixes:5}  sent {sent_percent:.2f} %  CPU {cpu_percent:.1f} %"


def _most_in_time(rows: list[dict[str, Any]]) -> int:
    return max((row["mixes"] for row in rows if row["sent_percent"] >= 100 * LEAST_SENT), default=0)


def _run(program: Path, cores: Cores, mixes: int, seconds: float, codec: str) -> dict[str, Any]:
    total_ms = round((WARM_S + seconds) * 1000)
    load_command = [str(program), relay_peers.PHONE_HOST, str(3 * mixes), "1000", str(total_ms)]
    native = relay_peers.pinned(cores.measured, sys.executable, "-m", "bench.mixes_native", real_time=False)
    with (
        relay_peers.process(relay_peers.pinned(cores.load, *load_command)) as load,
        relay_peers.process(native) as gateway,
    ):
        assert load.stdin
        assert load.stdout
        assert gateway.stdin
        assert gateway.stdout
        ports = [int(port) for port in load.stdout.readline().split()]
        order = {
            "mixes": mixes,
            "codec": codec,
            "ports": ports,
            "host": relay_peers.RELAY_HOST,
            "peer": relay_peers.PHONE_HOST,
        }
        gateway.stdin.write(json.dumps(order) + "\n")
        gateway.stdin.flush()
        line = gateway.stdout.readline()
        if not line:
            raise RuntimeError("the native gateway did not start")
        opened = json.loads(line)
        load.stdin.writelines(f"{relay_peers.RELAY_HOST} {port}\n" for port in opened["ports"])
        load.stdin.flush()
        load.stdout.readline()
        time.sleep(WARM_S / 2)
        before, began, cpu_ns = _sent(gateway), time.monotonic(), run_time_ns(gateway.pid)
        time.sleep(seconds)
        after, lasted = _sent(gateway), time.monotonic() - began
        cpu_percent = (run_time_ns(gateway.pid) - cpu_ns) / lasted / 1e7
    expected = mixes * PACKETS_PER_S * lasted
    return {
        "mixes": mixes,
        "sent_percent": round(min(100.0, 100 * (after - before) / expected), 3),
        "cpu_percent": round(cpu_percent, 1),
        "cpu_percent_per_100_mixes": round(100 * cpu_percent / mixes, 2),
        "is_real_time": opened["is_real_time"],
    }


def _sent(gateway: Any) -> int:
    gateway.stdin.write("\n")
    gateway.stdin.flush()
    return int(gateway.stdout.readline())


if __name__ == "__main__":
    from tests.live.network import take_network

    print(json.dumps(measure(take_network(), choose_cores(), is_short="--short" in sys.argv), indent=2))
