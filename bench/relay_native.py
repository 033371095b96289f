"""The native gateway in a process of its own, for the bench: reads one line, opens the calls, waits for the end.

The line is JSON: ``{"hosts", "calls", "ports", "peers", "busy_threads", "is_real_time"}``, where the phone n sends
from ``ports[n % len(ports)]`` of ``peers[n % len(peers)]`` to ``hosts[n % len(hosts)]``, so many Python threads
compute meanwhile and the media thread may have real-time priority or not. The answer is JSON too:
``{"ports", "scheduling"}`` with two RTP ports a call.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import threading
from collections.abc import Sequence
from typing import TypeVar

from engine.media.gateway import LegPlan, MediaAddress, PayloadFormat
from engine.media.native import NativeGateway

NOBODY = 65534
FORMATS = (PayloadFormat(8, "PCMA", 8000), PayloadFormat(101, "telephone-event", 8000))


async def serve() -> None:
    order = json.loads(sys.stdin.readline())
    if not order["is_real_time"]:
        _renounce_real_time()
    gateway = NativeGateway(10000, 65535)
    await gateway.start()
    opened = []
    for phone in range(2 * order["calls"]):
        leg, address = await gateway.open_leg(_nth(order["hosts"], phone))
        port = _nth(order["ports"], phone)
        # Nobody listens for the bench's RTCP: the discard port takes it.
        await gateway.update_leg(leg, LegPlan(MediaAddress(_nth(order["peers"], phone), port, 9), FORMATS))
        opened.append((leg, address.port))
    for (one, _), (other, _) in zip(opened[::2], opened[1::2], strict=True):
        await gateway.connect(one, other)
    scheduling = "SCHED_RR" if gateway.is_real_time else "SCHED_OTHER"
    print(json.dumps({"ports": [port for _, port in opened], "scheduling": scheduling}), flush=True)
    for _ in range(order["busy_threads"]):
        threading.Thread(target=_compute, daemon=True).start()
    sys.stdin.readline()
    await gateway.stop()


T = TypeVar("T")


def _nth(values: Sequence[T], number: int) -> T:
    return values[number % len(values)]


def _renounce_real_time() -> None:
    """Give up the right to it, as a process of an ordinary user has none: no limit above 0 and no CAP_SYS_NICE."""
    resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def _compute() -> None:
    while True:
        sum(range(1_000_000))  # holds the interpreter lock for about 10 ms at a time


if __name__ == "__main__":
    asyncio.run(serve())
