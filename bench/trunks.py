"""Calls over an outside line, reliable provisional responses on both legs; digest, ports and records as ever."""

from __future__ import annotations

from typing import Any

from bench import calls, sipp
from bench.machine import Cores
from bench.office import CALLER, bench_office
from bench.progress import say
from tests.live.network import Network
from tests.live.office import SIP_PORT

RATES = (100, 200, 300, 400, 500)
SECONDS = 12
SHORT_RATES, SHORT_SECONDS = (20,), 4
MOST_CPU_MS = 1.3
"""A call: 407, 183 and PRACK on each leg, 200, ACK and BYE, 25 messages in all."""
NUMBER = "94711"


def measure(network: Network, cores: Cores, *, is_short: bool) -> dict[str, Any]:
    """One step a rate, up to the first that is not carried."""
    rates, seconds = (SHORT_RATES, SHORT_SECONDS) if is_short else (RATES, SECONDS)
    carrier, caller = network.host(), network.host()
    steps = []
    with bench_office(network, cores, [CALLER]) as bench:
        bench.office.cli("trunk", "add", "carrier", "--host", f"{carrier}:{SIP_PORT}")
        scenario = sipp.fill("reliable_caller", bench.folder, user=CALLER, password=bench.office.passwords[CALLER])
        with sipp.callee(bench.folder, "outside", (carrier, SIP_PORT), cores, scenario="reliable_carrier"):
            for rate in rates:
                say(f"trunks: {rate} calls a second for {seconds} s")
                load = sipp.Load(rate, rate * seconds)
                steps.append(calls.step(bench.pid, scenario, bench.target, caller, cores, load, number=NUMBER))
                if not steps[-1]["is_carried"]:
                    break
    carried = [step for step in steps if step["is_carried"]]
    best = min((step["cpu_ms_per_call"] for step in carried), default=None)
    highest = carried[-1]["cpu_ms_per_call"] if carried else None
    return {
        "steps": steps,
        "cpu_ms_per_call": {"best": best, "at_the_highest_rate": highest},
        "is_met": highest is not None and highest < MOST_CPU_MS,
    }
