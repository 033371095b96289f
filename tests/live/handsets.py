"""Telephones inside the test's own process: the simulated ones of the demo, on addresses of the run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from engine.core.clock import SystemClock
from engine.media.native import NativeGateway
from engine.phones.call import Phase
from engine.phones.handset import Handset, HandsetCall
from engine.phones.phone import Account
from engine.phones.voices import voice
from tests.live.network import Network
from tests.live.office import SIP_PORT, Office

WAIT_S = 10.0


@asynccontextmanager
async def two_handsets(office: Office, network: Network, *numbers: str) -> AsyncIterator[tuple[Handset, Handset]]:
    """Two registered handsets; the second answers whatever comes."""
    ports = network.ports(40)
    gateway, clock, said = NativeGateway(ports[0], ports[-1]), SystemClock(), voice(1)
    await gateway.start()
    handsets = [
        Handset(
            Account(number, office.passwords[number], (office.host, SIP_PORT)), network.host(), gateway, clock, said
        )
        for number in numbers
    ]
    try:
        for handset in handsets:
            await handset.plug_in()
            await registered(handset)
        caller, callee = handsets
        answering: set[asyncio.Task[None]] = set()
        callee.on_ring = lambda call: answering.add(asyncio.get_running_loop().create_task(call.answer()))
        yield caller, callee
    finally:
        for handset in handsets:
            await handset.cut()
        await gateway.stop()


async def registered(handset: Handset) -> None:
    async with asyncio.timeout(WAIT_S):
        while not handset.is_registered:
            await asyncio.sleep(0.02)


async def talk(caller: Handset, number: str) -> HandsetCall:
    """A call that is up."""
    call = await caller.call(number)
    assert await call.until(Phase.UP, limit=WAIT_S)
    assert call.phase is Phase.UP, f"the call ended with {call.line.outcome}"
    return call
