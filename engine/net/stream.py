"""One TCP or TLS address of ours: its listener, the connections that came in, and those that we open."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Coroutine
from typing import Any, Protocol

from engine.core.errors import RefusedError, RemoteError
from engine.core.throttle import Throttle
from engine.net.admission import Admission
from engine.net.connection import Connection
from engine.net.trust import CertificateDemand
from engine.net.udp import SIGNALLING_DSCP
from engine.sip.flow import Flow, host_port
from engine.sip.message import Response, parse_message
from engine.sip.uri import NameAddress, SipUri, parse_uri

log = logging.getLogger(__name__)

HANDSHAKE_S = 10.0
CONNECT_S = 2.0
"""Longest wait for a peer that we call: over TCP a phone in the house answers within milliseconds."""
MOST_OPENING = 256
"""Connections that we try to open at one time."""
_BACKLOG = 512
_ACCEPT_AGAIN_S = 0.2
_KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 15), (socket.TCP_KEEPCNT, 4))
_UNACKNOWLEDGED_MS = 30_000
DEFAULT_PORTS = {"TCP": 5060, "TLS": 5061}


class Contexts(Protocol):
    """Where a TLS listener finds what to show at this moment; it changes when the certificate is renewed.

    ``None`` while there is no certificate that can be used.
    """

    async def settled(self) -> None:
        """Wait until it is known whether there is one."""
        ...

    @property
    def server(self) -> ssl.SSLContext | None: ...
    @property
    def client(self) -> ssl.SSLContext | None: ...


class Owner(Protocol):
    """Whoever takes messages and hears of connections that are gone."""

    def receive(self, data: bytes, flow: Flow, refusal: tuple[int, str] | None = None) -> None: ...
    def lose(self, flow: Flow) -> None:
        """The peer's connection is gone; the peer may be reached over another one."""
        ...

    def fail(self, flow: Flow, *, was_reached: bool, why: str = "") -> None:
        """A connection that we opened is gone, or never stood; ``why`` says so when it is known."""
        ...


class StreamSocket:
    """A bound TCP address. ``contexts`` makes it one of TLS."""

    def __init__(self, owner: Owner, admission: Admission, contexts: Contexts | None = None) -> None:
        self.host = ""
        self.port = 0
        self.transport = "TCP" if contexts is None else "TLS"
        self.connections: dict[Flow, Connection] = {}
        self._owner = owner
        self._admission = admission
        self._contexts = contexts
        self._loop = asyncio.get_running_loop()
        self._handle: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.demands: dict[Flow, CertificateDemand] = {}
        """Peers that must show a certificate of their name; the others are phones, for which nobody vouches."""
        self._opening = 0
        self._told = Throttle(most=5, each_s=60.0)

    @classmethod
    async def open(
        cls, host: str, port: int, owner: Owner, admission: Admission, contexts: Contexts | None = None
    ) -> StreamSocket:
        """Bind ``host`` (a literal address) and ``port``; raises ``OSError`` when the port is taken."""
        stream = cls(owner, admission, contexts)
        stream.bind(host, port)
        return stream

    def bind(self, host: str, port: int) -> None:
        """Begin to take connections; raises ``OSError`` when the port is taken."""
        handle = bind_tcp(host, port)
        self.host, self.port = host, handle.getsockname()[1]
        self._handle = handle
        self._start(self._accept(handle))

    def close(self) -> None:
        for connection in list(self.connections.values()):
            connection.close()
        for task in self._tasks:
            task.cancel()
        if self._handle is not None:
            self._handle.close()
            self._handle = None

    # -- what goes out ------------------------------------------------------------------------------------------

    def send(self, data: bytes, flow: Flow) -> None:
        """Send one message on the flow's connection; raises ``OSError`` when it cannot be sent.

        Without a connection one is opened towards the peer; ``Owner.fail`` tells when that fails.
        """
        connection = self.connections.get(flow)
        if connection is None:
            connection = self._connect(flow, port_to_reach(data, flow))
        connection.send(data)

    def _connect(self, flow: Flow, port: int) -> Connection:
        if self._opening >= MOST_OPENING or self._handle is None:
            raise OSError(errno.EAGAIN, "too many connections are being opened")
        connection = self.connections[flow] = Connection(self, flow, self._loop, is_ours=True)
        connection.opening = task = self._start(self._open(connection, port))
        self._opening += 1
        task.add_done_callback(self._opened)
        return connection

    def _opened(self, task: asyncio.Task[None]) -> None:
        self._opening -= 1

    async def _open(self, connection: Connection, port: int) -> None:
        host = connection.flow.remote_host
        demand = self.demands.get(connection.flow)
        try:
            tls = await self._context_towards(demand)
            async with asyncio.timeout(CONNECT_S):
                handle = await self._reach(host, port)
            if tls is None:
                await self._loop.create_connection(lambda: connection, sock=handle)
            else:
                connection.demand = demand
                name = demand.server_name if demand is not None else ""
                await self._loop.create_connection(
                    lambda: connection,
                    sock=handle,
                    ssl=tls,
                    server_hostname=name,
                    ssl_handshake_timeout=HANDSHAKE_S,
                )
        except RefusedError as error:
            connection.cut(str(error))
        except OSError as error:
            self._say(f"{host_port(host, port)} cannot be reached over {self.transport}", error)
            connection.cut(demand.explain(error) if demand is not None else _words_of(error))
        finally:
            connection.opening = None

    async def _context_towards(self, demand: CertificateDemand | None) -> ssl.SSLContext | None:
        if self._contexts is None:
            return None
        return await demand.context() if demand is not None else _in_force(self._contexts.client)

    async def _reach(self, host: str, port: int) -> socket.socket:
        handle = open_tcp(host)
        try:
            handle.bind((self.host, 0))
            await self._loop.sock_connect(handle, (host, port))
        except BaseException:
            handle.close()
            raise
        return handle

    # -- what comes in ------------------------------------------------------------------------------------------

    async def _accept(self, handle: socket.socket) -> None:
        while True:
            try:
                accepted, address = await self._loop.sock_accept(handle)
            except OSError as error:
                self._say(f"connections to {host_port(self.host, self.port)} cannot be taken", error)
                await asyncio.sleep(_ACCEPT_AGAIN_S)
                continue
            self._admit(accepted, address)

    def turn_away(self) -> None:
        """Cut the connections of those whom the address list does not let in any more."""
        for connection in list(self.connections.values()):
            if self._admission.addresses.verdict(connection.flow.remote_host) is False:
                connection.cut("its address is blocked")

    def _admit(self, accepted: socket.socket, address: tuple[Any, ...]) -> None:
        if self._admission.addresses.verdict(address[0]) is False:
            accepted.close()
            return
        flow = Flow(self.transport, self.host, self.port, address[0], address[1])
        connection = self.greet(flow)
        if not self._admission.admit(connection):
            accepted.close()
            self._say(f"no room for {flow.remote}", OSError("every connection is in use"))
            return
        older = self.connections.get(flow)
        if older is not None:
            older.cut("its peer connected anew")
        self.connections[flow] = connection
        connection.opening = self._start(self._take_in(connection, accepted))

    def greet(self, flow: Flow) -> Connection:
        """Whoever has connected."""
        return Connection(self, flow, self._loop)

    def protocol_of(self, connection: Connection) -> asyncio.BaseProtocol:
        """Who speaks with it."""
        return connection

    async def _take_in(self, connection: Connection, accepted: socket.socket) -> None:
        """The handshake; scanners that fail it are counted, not listed."""
        try:
            if self._contexts is None:
                await self._loop.connect_accepted_socket(lambda: self.protocol_of(connection), accepted)
            else:
                tls = await self._context_for(accepted, self._contexts)
                await self._loop.connect_accepted_socket(
                    lambda: self.protocol_of(connection), accepted, ssl=tls, ssl_handshake_timeout=HANDSHAKE_S
                )
        except ConnectionResetError:  # it has left again, as whoever only looks which ports are open
            connection.cut("left amid its TLS handshake")
        except OSError as error:
            self._say(f"no {self.transport} with {connection.flow.remote}", error)
            connection.cut("failed its TLS handshake")
        finally:
            connection.opening = None

    async def _context_for(self, accepted: socket.socket, contexts: Contexts) -> ssl.SSLContext:
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                await contexts.settled()
            return _in_force(contexts.server)
        except BaseException:
            accepted.close()
            raise

    def hear(self, data: bytes, flow: Flow, refusal: tuple[int, str] | None) -> None:
        self._owner.receive(data, flow, refusal)

    def over(self, connection: Connection) -> None:
        """A connection has ended, whoever ended it."""
        self._admission.leave(connection)
        if self.connections.get(connection.flow) is connection:
            del self.connections[connection.flow]
        if connection.is_ours:
            self._owner.fail(connection.flow, was_reached=connection.has_stood, why=connection.cut_because)
        elif connection.has_spoken:
            self._owner.lose(connection.flow)

    def may_open(self, flow: Flow) -> bool:
        """Whether a connection there would be, or is, one of ours: one that came from that port may be another's,
        such as of a second phone behind the same NAT."""
        connection = self.connections.get(flow)
        return connection is None or connection.is_ours

    def is_connected(self, flow: Flow) -> bool:
        """Whether the flow's connection stands, or is being opened, and is that of who logged in on it.

        Behind a NAT another machine may have come by the port of a phone that has gone.
        """
        connection = self.connections.get(flow)
        return connection is not None and connection.is_trusted

    def vouch(self, flow: Flow, seconds: float) -> None:
        """Somebody has logged in on this flow: it is no stranger's, and may be silent for ``seconds``."""
        connection = self.connections.get(flow)
        if connection is not None:
            connection.vouch(seconds)
            self._admission.vouch(connection)

    def sweep(self, now: float) -> None:
        """Cut who is too slow, too silent or does not read; called every second."""
        for connection in [item for item in self.connections.values() if item.overdue(now)]:
            connection.cut(connection.overdue(now) or "")

    # -- the rest -----------------------------------------------------------------------------------------------

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _say(self, what: str, error: OSError) -> None:
        if self._told.admits(self._loop.time()):
            log.info("%s: %s (%d more)", what, _words_of(error), self._told.take_left_out())


def open_tcp(host: str) -> socket.socket:
    """A non-blocking TCP socket of the family of ``host`` that notices a peer that is gone."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    handle = socket.socket(family, socket.SOCK_STREAM)
    handle.setblocking(False)
    if family == socket.AF_INET6:
        handle.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        handle.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, SIGNALLING_DSCP)
    else:
        handle.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, SIGNALLING_DSCP)
    handle.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEP_ALIVE:
        handle.setsockopt(socket.IPPROTO_TCP, option, value)
    handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED_MS)
    handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return handle


def bind_tcp(host: str, port: int) -> socket.socket:
    """A socket to listen with: connections take its options over. Raises ``OSError``."""
    handle = open_tcp(host)
    try:
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of an earlier run may linger
        handle.bind((host, port))
        handle.listen(_BACKLOG)
    except BaseException:
        handle.close()
        raise
    return handle


def _words_of(error: OSError) -> str:
    return str(getattr(error, "reason", None) or error.strerror or error) or "no answer"


def _in_force(context: ssl.SSLContext | None) -> ssl.SSLContext:
    if context is None:
        raise OSError(errno.ENOENT, "there is no certificate that can be used")
    return context


def port_to_reach(data: bytes, flow: Flow) -> int:
    """The port to connect to when the flow's connection is gone: where the message says that its receiver is.

    A response goes to the port in its Via (RFC 3261 section 18.2.2), a request to that of its Route or Request-URI
    when this names the flow's peer. The host is always the flow's: nobody makes us connect to another's machine.
    """
    try:
        message = parse_message(data)
        if isinstance(message, Response):
            return message.via.port or DEFAULT_PORTS[flow.transport]
        routes = message.headers.list_of("Route")
        uri = NameAddress.parse(routes[0]).uri if routes else parse_uri(message.uri)
    except RemoteError:
        return flow.remote_port
    if isinstance(uri, SipUri) and uri.host == flow.remote_host:
        return uri.port or DEFAULT_PORTS[flow.transport]
    return flow.remote_port
