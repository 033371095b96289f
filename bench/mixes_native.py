"""The native gateway with three-way mixes in a process of its own: opens what is ordered, tells what was sent.

The order is a line of JSON, ``{"mixes", "codec", "ports", "host", "peer"}``, with phone n at port n of ``peer``;
the answer ``{"ports"}`` has three RTP ports a mix. Each further line asks for the packets sent by all legs so far.
"""

from __future__ import annotations

import asyncio
import json
import sys

from engine.media.gateway import LegPlan, MediaAddress, MediaLegId, PayloadFormat
from engine.media.native import NativeGateway

PAYLOAD_TYPE = 8
"""What the load numbers its packets with, whatever they are taken for."""


async def serve() -> None:
    order = json.loads(sys.stdin.readline())
    formats = (PayloadFormat(PAYLOAD_TYPE, order["codec"], 8000),)
    gateway = NativeGateway(10000, 65535)
    await gateway.start()
    legs: list[MediaLegId] = []
    ports: list[int] = []
    for _ in range(order["mixes"]):
        mix = await gateway.open_mix()
        for _ in range(3):
            leg, address = await gateway.open_leg(order["host"])
            peer = MediaAddress(order["peer"], order["ports"][len(legs) % len(order["ports"])], 9)
            await gateway.update_leg(leg, LegPlan(peer, formats))
            await gateway.join_mix(mix, leg)
            legs.append(leg)
            ports.append(address.port)
    print(json.dumps({"ports": ports, "is_real_time": gateway.is_real_time}), flush=True)
    while sys.stdin.readline():
        sent = 0
        for leg in legs:
            sent += (await gateway.query(leg)).sent.packets
        print(sent, flush=True)
    await gateway.stop()


if __name__ == "__main__":
    asyncio.run(serve())
