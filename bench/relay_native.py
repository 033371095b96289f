"""The native gateway in a process of its own, for the bench: reads one line, opens the calls, waits for the end.

The line is JSON: ``{"host", "calls", "ports", "peer", "busy_threads"}``, where the phone n sends from
``ports[n % len(ports)]`` of ``peer`` and so many Python threads compute meanwhile. The answer is JSON too:
``{"ports", "scheduling"}`` with two RTP ports a call.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading

from engine.media.gateway import LegPlan, MediaAddress, PayloadFormat
from engine.media.native import NativeGateway

FORMATS = (PayloadFormat(8, "PCMA", 8000), PayloadFormat(101, "telephone-event", 8000))


async def serve() -> None:
    order = json.loads(sys.stdin.readline())
    gateway = NativeGateway(10000, 65535)
    await gateway.start()
    opened = []
    for phone in range(2 * order["calls"]):
        leg, address = await gateway.open_leg(order["host"])
        port = order["ports"][phone % len(order["ports"])]
        # Nobody listens for the bench's RTCP: the discard port takes it.
        await gateway.update_leg(leg, LegPlan(MediaAddress(order["peer"], port, 9), FORMATS))
        opened.append((leg, address.port))
    for (one, _), (other, _) in zip(opened[::2], opened[1::2], strict=True):
        await gateway.connect(one, other)
    scheduling = "SCHED_RR" if gateway.is_real_time else "SCHED_OTHER"
    print(json.dumps({"ports": [port for _, port in opened], "scheduling": scheduling}), flush=True)
    for _ in range(order["busy_threads"]):
        threading.Thread(target=_compute, daemon=True).start()
    sys.stdin.readline()
    await gateway.stop()


def _compute() -> None:
    while True:
        sum(range(1_000_000))  # holds the interpreter lock for about 10 ms at a time


if __name__ == "__main__":
    asyncio.run(serve())
