"""Requests too large for a datagram go over TCP, or over UDP where that is refused (RFC 3261 section 18.1.1)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from tests.live.conftest import Phones
from tests.live.network import Network
from tests.live.office import SIP_PORT, Office
from tests.live.scripted import ScriptedPhone

ANNA, BO, CLEO = "201", "202", "203"
"""Anna's phone takes TCP, Cleo's does not: one of each test, so that none must be asked whether it is gone."""


@pytest.fixture(scope="module", autouse=True)
def people(office: Office) -> None:
    for number in (ANNA, BO, CLEO):
        office.extension(number)


@pytest.fixture
def udp(network: Network) -> Iterator[socket.socket]:
    """The phone's UDP port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        handle.bind((network.host(), 0))
        handle.setblocking(False)
        yield handle


async def register(office: Office, udp: socket.socket, number: str) -> ScriptedPhone:
    """A phone on UDP whose Contact alone makes every call to it too large."""
    loop = asyncio.get_running_loop()
    host, port = udp.getsockname()
    phone = ScriptedPhone(office, number, "UDP", host, port, contact_tail=";pad=" + "x" * 700)
    udp.sendto(phone.register(), (office.host, SIP_PORT))
    challenge = await asyncio.wait_for(loop.sock_recv(udp, 65535), 2)
    udp.sendto(phone.register(challenge), (office.host, SIP_PORT))
    assert (await asyncio.wait_for(loop.sock_recv(udp, 65535), 2)).startswith(b"SIP/2.0 200")
    return phone


async def test_a_phone_that_takes_tcp_gets_a_large_call_there(
    office: Office, phones: Phones, udp: socket.socket
) -> None:
    phone = await register(office, udp, ANNA)
    invites: asyncio.Queue[bytes] = asyncio.Queue()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.rpartition(b"Content-Length: ")[2])
        invite = head + await reader.readexactly(length)
        writer.write(phone.refuse(invite, 486))
        ack = await reader.readuntil(b"\r\n\r\n")
        invites.put_nowait(invite)
        invites.put_nowait(ack)
        writer.close()

    server = await asyncio.start_server(listen, phone.host, phone.port)
    bo = await phones.baresip(office.account(BO))
    await bo.registered()
    await bo.dial(ANNA)
    assert "486" in await bo.ended()
    invite, ack = await asyncio.wait_for(invites.get(), 2), await asyncio.wait_for(invites.get(), 2)
    server.close()
    assert len(invite) > 1300
    assert f"Via: SIP/2.0/TCP {office.address};".encode() in invite
    assert ack.startswith(b"ACK ")
    with pytest.raises(BlockingIOError):
        udp.recv(65535)


async def test_a_phone_that_refuses_tcp_gets_a_large_call_over_udp(
    office: Office, phones: Phones, udp: socket.socket
) -> None:
    phone = await register(office, udp, CLEO)
    bo = await phones.baresip(office.account(BO))
    await bo.registered()
    await bo.dial(CLEO)
    invite = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(udp, 65535), 2)
    assert len(invite) > 1300
    assert f"Via: SIP/2.0/UDP {office.address};".encode() in invite
    udp.sendto(phone.refuse(invite, 486), (office.host, SIP_PORT))
    assert "486" in await bo.ended()
