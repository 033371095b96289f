"""The UDP socket against the real system."""

from __future__ import annotations

import asyncio

import pytest
import uvloop

from engine.net.udp import UdpSocket
from engine.sip.flow import Flow
from tests.live.network import Network


def test_a_datagram_that_the_system_refuses_raises_at_once(network: Network) -> None:
    host = network.host()

    async def send() -> None:
        socket = await UdpSocket.open(host, 0, lambda data, flow: None)
        try:
            with pytest.raises(OSError, match=r"denied|unreachable"):
                socket.send(b"x", Flow("UDP", host, socket.port, "255.255.255.255", 5060))
            with pytest.raises(OSError, match="too long"):
                socket.send(bytes(70_000), Flow("UDP", host, socket.port, host, 5060))
        finally:
            socket.close()

    uvloop.run(send())


def test_a_datagram_arrives_with_the_flow_to_answer_on(network: Network) -> None:
    host = network.host()

    async def send() -> list[tuple[bytes, Flow]]:
        arrived: asyncio.Queue[tuple[bytes, Flow]] = asyncio.Queue()
        one = await UdpSocket.open(host, 0, lambda data, flow: arrived.put_nowait((data, flow)))
        other = await UdpSocket.open(host, 0, lambda data, flow: None)
        other.send(b"hello", Flow("UDP", host, other.port, host, one.port))
        try:
            got = await asyncio.wait_for(arrived.get(), 2)
            return [got, (b"", Flow("UDP", host, one.port, host, other.port))]
        finally:
            one.close()
            other.close()

    (data, flow), (_, expected) = uvloop.run(send())
    assert data == b"hello"
    assert flow == expected
