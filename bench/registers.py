"""Challenged registrations: REGISTER, 401, REGISTER with digest, 200."""

from __future__ import annotations

from typing import Any

from bench import sipp
from bench.control import control_process
from bench.machine import Cores, busy_seconds, cpu_seconds
from bench.office import bench_office
from bench.progress import say
from tests.live.network import Network
from tests.live.office import SIP_PORT

NUMBERS = ("911", "912", "913", "914")
RATES = (400, 800, 1600, 2400, 3200, 4000, 4800)
SECONDS_PER_RATE = 8
SHORT_RATES = (50,)
SHORT_SECONDS = 3


def measure(network: Network, cores: Cores, *, is_short: bool) -> dict[str, Any]:
    """Raise the rate of challenged pairs until some fail or the rate is not attained."""
    steps: list[dict[str, Any]] = []
    with bench_office(network, cores, list(NUMBERS)) as bench:
        source = network.host()
        scenario = sipp.fill("register", bench.folder, contact=f"{source}:{SIP_PORT}")
        users = bench.users_file(list(NUMBERS))
        pid = bench.pid
        for rate in SHORT_RATES if is_short else RATES:
            seconds = SHORT_SECONDS if is_short else SECONDS_PER_RATE
            say(f"registers: {rate} pairs a second for {seconds} s")
            before, busy_before = cpu_seconds(pid), busy_seconds(cores.load)
            with control_process(cores.on_measured) as control:
                counted = sipp.run(
                    scenario, bench.target, (source, SIP_PORT), sipp.Load(rate, rate * seconds), cores,
                    "-inf", str(users),
                )  # fmt: skip
            used = cpu_seconds(pid) - before
            steps.append(
                {
                    "rate": rate,
                    **counted.as_dict(),
                    "cpu_ms_per_pair": round(used / max(counted.successful, 1) * 1000, 3),
                    "load_core_share": round((busy_seconds(cores.load) - busy_before) / counted.seconds, 3),
                    "control": control,
                    "is_carried": counted.failed == 0 and counted.attained_per_s >= 0.95 * rate,
                }
            )
            if not steps[-1]["is_carried"]:
                break
    best = max((step["attained_per_s"] for step in steps if step["is_carried"]), default=0.0)
    return {"steps": steps, "pairs_per_s": best}
