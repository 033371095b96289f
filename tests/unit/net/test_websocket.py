"""Who may open a WebSocket, and what one connection may ask of us (RFC 7118); real phones are in the live tests."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import WSMsgType

from engine.net.admission import Admission
from engine.net.connection import IDLE_S, MESSAGE_S, MOST_UNSENT, UNREAD_S
from engine.net.websocket import WebSocketConnection, WebSocketListener, why_refused
from engine.sip.flow import Flow

FLOW = Flow("WS", "192.0.2.1", 5062, "192.0.2.9", 40000)
HANDSHAKE = {"Upgrade": "websocket", "Sec-WebSocket-Protocol": "sip"}


@pytest.mark.parametrize(
    ("method", "headers", "origins", "status"),
    [
        ("GET", HANDSHAKE, (), None),
        ("GET", {**HANDSHAKE, "Upgrade": "WebSocket", "Sec-WebSocket-Protocol": "xmpp, sip"}, (), None),
        ("GET", {}, (), 426),
        ("POST", HANDSHAKE, (), 426),
        ("GET", {"Upgrade": "websocket"}, (), 400),
        ("GET", {**HANDSHAKE, "Sec-WebSocket-Protocol": "sips"}, (), 400),
        ("GET", {**HANDSHAKE, "Origin": "https://evil.example"}, (), 403),
        ("GET", {**HANDSHAKE, "Origin": "https://evil.example"}, ("https://phone.example.org",), 403),
        ("GET", {**HANDSHAKE, "Origin": "HTTPS://phone.example.org"}, ("https://phone.example.org",), None),
        ("GET", {**HANDSHAKE, "Origin": "null"}, ("*",), None),
        ("GET", {**HANDSHAKE, "Origin": "null"}, (), 403),
    ],
)
def test_who_may_open_one(
    method: str, headers: dict[str, str], origins: tuple[str, ...], status: int | None
) -> None:
    request: Any = SimpleNamespace(method=method, headers=headers)
    refusal = why_refused(request, origins)
    assert (refusal and refusal[0]) == status


class Socket:
    """The far end: what it was sent, and messages that it sends."""

    def __init__(self) -> None:
        self.sent: list[str | bytes] = []
        self.inbox: asyncio.Queue[SimpleNamespace | None] = asyncio.Queue()
        self.reads = asyncio.Event()
        self.reads.set()

    async def send_str(self, text: str) -> None:
        await self.reads.wait()
        self.sent.append(text)

    async def send_bytes(self, data: bytes) -> None:
        await self.reads.wait()
        self.sent.append(data)

    def __aiter__(self) -> Socket:
        return self

    async def __anext__(self) -> SimpleNamespace:
        message = await self.inbox.get()
        if message is None:
            raise StopAsyncIteration
        return message

    def says(self, data: str | bytes) -> None:
        kind = WSMsgType.TEXT if isinstance(data, str) else WSMsgType.BINARY
        self.inbox.put_nowait(SimpleNamespace(type=kind, data=data))


class Listener:
    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.ended = 0

    def hear(self, data: bytes, flow: Flow, refusal: object) -> None:
        self.heard.append(data)

    def over(self, connection: object) -> None:
        self.ended += 1


async def connected() -> tuple[WebSocketConnection, Socket, Listener, asyncio.Task[None]]:
    listener, socket = Listener(), Socket()
    connection = WebSocketConnection(listener, FLOW, asyncio.get_running_loop())  # type: ignore[arg-type]
    task = asyncio.create_task(connection.serve(socket))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    return connection, socket, listener, task


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_one_message_is_one_frame_in_both_directions() -> None:
    connection, socket, listener, task = await connected()
    socket.says("OPTIONS ü")
    socket.says(b"BYE \xff")
    socket.says("\r\n\r\n")
    await turns()
    assert listener.heard == ["OPTIONS ü".encode(), b"BYE \xff"]
    assert socket.sent == ["\r\n"], "a ping is answered (RFC 5626 section 4.4.1)"
    connection.send("SIP/2.0 200 ü".encode())
    connection.send(b"SIP/2.0 200 \xff")
    await turns()
    assert socket.sent[1:] == ["SIP/2.0 200 ü", b"SIP/2.0 200 \xff"]
    socket.inbox.put_nowait(None)
    await task
    assert listener.ended == 1
    with pytest.raises(OSError, match="closed"):
        connection.send(b"x")


async def test_who_reads_nothing_is_cut() -> None:
    connection, socket, listener, task = await connected()
    socket.reads.clear()
    connection.send(b"x" * (MOST_UNSENT - 10))
    await turns()
    now = asyncio.get_running_loop().time()
    assert connection.overdue(now + UNREAD_S + 1) == f"has not read for {UNREAD_S:g} s"
    with pytest.raises(OSError, match="does not read"):
        connection.send(b"x" * 20)
    assert listener.ended == 1
    task.cancel()


async def test_strangers_may_not_be_silent_and_phones_may() -> None:
    connection, socket, _, task = await connected()
    now = asyncio.get_running_loop().time()
    assert connection.overdue(now + MESSAGE_S + 1) == f"sent no message in {MESSAGE_S:g} s"
    socket.says("REGISTER")
    await turns()
    assert connection.overdue(now + MESSAGE_S + 1) is None
    assert connection.overdue(now + IDLE_S + 1) == f"was silent for {IDLE_S:g} s"
    assert not connection.is_trusted
    connection.vouch(3600)
    assert connection.is_trusted
    assert connection.overdue(now + IDLE_S + 1) is None
    task.cancel()


async def test_who_leaves_while_something_goes_out_is_gone_at_once() -> None:
    connection, socket, listener, task = await connected()

    async def fails(text: str) -> None:
        raise ConnectionResetError("Cannot write to closing transport")

    socket.send_str = fails  # type: ignore[method-assign]
    connection.send(b"NOTIFY")
    await turns()
    assert listener.ended == 1
    with pytest.raises(OSError, match="closed"):
        connection.send(b"NOTIFY")
    task.cancel()


class Owner:
    """Nobody of whom it is asked anything."""

    def lose(self, flow: Flow) -> None: ...


async def answers(*said: bytes) -> list[bytes]:
    """What a listener answers to each, until it closes the connection."""
    listener = await WebSocketListener.listen("127.0.0.1", 0, Owner(), Admission(), lambda: ())  # type: ignore[arg-type]
    heard = []
    try:
        for each in said:
            reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            writer.write(each)
            heard.append(await asyncio.wait_for(reader.read(), 5))
            writer.close()
    finally:
        listener.close()
    return heard


async def test_what_is_refused_is_closed_and_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """Strangers may ask again and again, and say what is no HTTP at all."""
    asked = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    with caplog.at_level(logging.INFO):
        heard = await answers(
            *[asked * 5] * 20, *[b"GET / HTTP/1.1\r\nA: " + b"b" * 10_000] * 5, b"\x16\x03\x01\r\n\r\n"
        )
    assert [each.count(b"HTTP/1.") for each in heard] == [1] * 26
    assert [each[9:12] for each in heard] == [b"426"] * 20 + [b"400"] * 6
    told = [record for record in caplog.records if record.name.startswith(("engine", "aiohttp"))]
    assert len(told) < 15
    assert not [record for record in told if record.levelno >= logging.ERROR]


def test_how_peers_are_told_to_reach_us() -> None:
    assert FLOW.reached_at == "192.0.2.1:5062;transport=ws"
    assert Flow("WSS", "192.0.2.1", 5063, "192.0.2.9", 40000).reached_at == "192.0.2.1:5063;transport=ws"
    assert FLOW.is_reliable
