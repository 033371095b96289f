"""SIP over WebSocket (RFC 7118): phones that live in browsers, one message a frame.

Loaded only when such a listener is opened: the HTTP library takes its time.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, cast

from aiohttp import WSMsgType, web
from aiohttp.http_exceptions import HttpProcessingError

from engine.core.text import shown
from engine.net.admission import Admission, source_of
from engine.net.connection import IDLE_S, MESSAGE_S, MOST_UNSENT, UNREAD_S
from engine.net.stream import Contexts, Owner, StreamSocket
from engine.sip.flow import Flow
from engine.sip.message import MAX_MESSAGE_BYTES

log = logging.getLogger(__name__)

PROTOCOL = "sip"
"""The subprotocol that a client must ask for (section 4.1)."""
HEARTBEAT_S = 30.0
"""How often a peer is pinged; one that does not answer within half of it is gone."""
_AT_ONCE = 16
"""Messages of one connection that are handled before the loop may do something else."""
_PING, _PONG = b"\r\n\r\n", b"\r\n"

Origins = Callable[[], tuple[str, ...]]
"""The pages whose scripts may connect, as ``https://host``; ``*`` stands for all."""


class WebSocketConnection:
    """One connection of a listener, before its handshake and after; ``flow`` names it."""

    is_ours = False

    def __init__(self, listener: WebSocketListener, flow: Flow, loop: asyncio.AbstractEventLoop) -> None:
        self.flow = flow
        self.source = source_of(flow.remote_host)
        self.opening: asyncio.Task[None] | None = None
        """Who takes it in."""
        self.protocol: Any = None
        """What speaks HTTP on it."""
        self.has_spoken = False
        self.cut_because = ""
        self._listener: WebSocketListener | None = listener
        self._loop = loop
        self._socket: web.WebSocketResponse | None = None
        self._waiting: deque[bytes] = deque()
        self._unsent = 0
        self._wake = asyncio.Event()
        self._stuck_at: float | None = None
        self._connected_at = self._heard_at = loop.time()
        self._vouched_until = 0.0

    @property
    def has_stood(self) -> bool:
        return self._socket is not None

    @property
    def is_trusted(self) -> bool:
        """Whether somebody has logged in on it."""
        return self._vouched_until > 0.0

    def vouch(self, seconds: float) -> None:
        """Somebody has logged in on it: it may be silent for ``seconds``."""
        self._vouched_until = max(self._vouched_until, self._loop.time() + seconds)

    def overdue(self, now: float) -> str | None:
        """Why this connection has to end, if it has."""
        if self._stuck_at is not None and now - self._stuck_at > UNREAD_S:
            return f"has not read for {UNREAD_S:g} s"
        if not self.has_spoken and now - self._connected_at > MESSAGE_S:
            return f"sent no message in {MESSAGE_S:g} s"
        if now - self._heard_at > IDLE_S and now > self._vouched_until:
            return f"was silent for {IDLE_S:g} s"
        return None

    def cut(self, why: str) -> None:
        """End it at once; what was not sent is lost."""
        self.cut_because = self.cut_because or why
        transport = self._transport
        if transport is not None:
            transport.abort()
        elif self.opening is not None:
            self.opening.cancel()
        self.end()

    def close(self) -> None:
        """End it."""
        transport = self._transport
        if transport is not None:
            transport.close()
        elif self.opening is not None:
            self.opening.cancel()

    def send(self, data: bytes) -> None:
        """Send one message; raises ``OSError`` when the peer reads none."""
        if self._socket is None or self._listener is None:
            raise OSError(errno.EPIPE, "the connection is closed")
        if self._unsent + len(data) > MOST_UNSENT:
            self.cut("does not read")
            raise OSError(errno.ENOBUFS, "the peer does not read")
        self.has_spoken = True
        self._waiting.append(data)
        self._unsent += len(data)
        self._wake.set()

    async def serve(self, socket: web.WebSocketResponse) -> None:
        """Exchange messages until either side ends it."""
        self._socket = socket
        writer = self._loop.create_task(self._write(socket))
        try:
            count = 0
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._hear(message.data.encode())
                elif message.type is WSMsgType.BINARY:
                    self._hear(message.data)
                count += 1
                if count % _AT_ONCE == 0:
                    await asyncio.sleep(0)
        finally:
            writer.cancel()
            self.end()

    def end(self) -> None:
        """It has ended, whoever ended it."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.over(cast("Any", self))

    def _hear(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        if data == _PING:
            if not self._waiting and self._socket is not None:
                self.send(_PONG)
            return
        if self._listener is not None:
            self.has_spoken = True
            self._listener.hear(data, self.flow, None)

    async def _write(self, socket: web.WebSocketResponse) -> None:
        """Send what waits, until the peer is gone."""
        try:
            await self._send_waiting(socket)
        except OSError:  # it is closing while something was to go out
            self.cut("has left")

    async def _send_waiting(self, socket: web.WebSocketResponse) -> None:
        """Messages are text as a rule; what is no UTF-8 goes in a binary frame (section 5)."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                data = self._waiting.popleft()
                self._stuck_at = self._loop.time()
                try:
                    text = data.decode()
                except UnicodeDecodeError:
                    await socket.send_bytes(data)
                else:
                    await socket.send_str(text)
                self._stuck_at = None
                self._unsent -= len(data)

    @property
    def _transport(self) -> Any:
        return getattr(self.protocol, "transport", None)


class WebSocketListener(StreamSocket):
    """A bound TCP address on which WebSockets are taken; ``contexts`` makes it one of WSS. It opens none itself."""

    def __init__(
        self, owner: Owner, admission: Admission, origins: Origins, contexts: Contexts | None = None
    ) -> None:
        super().__init__(owner, admission, contexts)
        self.transport = "WS" if contexts is None else "WSS"
        self._origins = origins
        self._guests: dict[Any, WebSocketConnection] = {}
        """Who speaks HTTP for whom."""
        self._server = _Server(self)

    @classmethod
    async def listen(
        cls,
        host: str,
        port: int,
        owner: Owner,
        admission: Admission,
        origins: Origins,
        contexts: Contexts | None = None,
    ) -> WebSocketListener:
        """Bind ``host`` (a literal address) and ``port``; raises ``OSError`` when the port is taken."""
        listener = cls(owner, admission, origins, contexts)
        listener.bind(host, port)
        return listener

    def send(self, data: bytes, flow: Flow) -> None:
        """Send one message on the flow's connection; raises ``OSError`` when there is none."""
        connection = self.connections.get(flow)
        if connection is None:
            raise OSError(errno.ENOTCONN, "the phone's WebSocket is closed")
        connection.send(data)

    def greet(self, flow: Flow) -> Any:
        """Whoever has connected."""
        return WebSocketConnection(self, flow, self._loop)

    def protocol_of(self, connection: Any) -> asyncio.BaseProtocol:
        """Who speaks with it: HTTP at first."""
        connection.protocol = protocol = self._server()
        self._guests[protocol] = connection
        return protocol

    def forget(self, protocol: Any) -> None:
        """The connection is gone, whatever it was."""
        connection = self._guests.pop(protocol, None)
        if connection is not None:
            connection.end()

    async def take(self, request: web.BaseRequest) -> web.StreamResponse:
        """One HTTP request: a handshake, or what gets a word on what is wrong."""
        connection = self._guests.get(request.protocol)
        refusal = why_refused(request, self._origins())
        if refusal is not None or connection is None:
            status, reason = refusal or (503, "The connection is gone.")
            self._say(f"no WebSocket with {shown(str(request.remote))}", OSError(reason))
            response = web.Response(status=status, text=f"{reason}\n")
            response.force_close()  # else whoever asks may ask again and again
            return response
        socket = web.WebSocketResponse(
            protocols=(PROTOCOL,), max_msg_size=MAX_MESSAGE_BYTES, heartbeat=HEARTBEAT_S, compress=False
        )
        await socket.prepare(request)
        await connection.serve(socket)
        return socket


def why_refused(request: web.BaseRequest, origins: tuple[str, ...]) -> tuple[int, str] | None:
    """Status and reason for a request that opens no WebSocket of ours; ``None`` for one that may.

    A browser says whose page it is that connects; other clients say nothing, and log in as every phone does.
    """
    headers = request.headers
    if request.method != "GET" or headers.get("Upgrade", "").lower() != "websocket":
        return 426, "SIP over WebSocket is spoken here (RFC 7118)."
    offered = {word.strip() for word in headers.get("Sec-WebSocket-Protocol", "").split(",")}
    if PROTOCOL not in offered:
        return 400, f"Ask for the subprotocol '{PROTOCOL}'."
    origin = headers.get("Origin")
    if origin is not None and origin.lower() not in origins and "*" not in origins:
        return 403, f"Pages of {shown(origin, 100)} may not connect: see the parameter ws_origins."
    return None


def _is_our_fault(record: logging.LogRecord) -> bool:
    """Whether a line is more than that a stranger speaks no HTTP: anybody could fill the log with these."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


_http_log = logging.getLogger(f"{__name__}.http")
_http_log.addFilter(_is_our_fault)


class _Server(web.Server):
    """Tells its listener of connections that are gone."""

    def __init__(self, listener: WebSocketListener) -> None:
        super().__init__(listener.take, access_log=None, lingering_time=0.0, logger=_http_log)
        self._listener = listener

    def connection_lost(self, handler: Any, exc: BaseException | None = None) -> None:
        """From a connection of ours."""
        super().connection_lost(handler, exc)
        self._listener.forget(handler)
