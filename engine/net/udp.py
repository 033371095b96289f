"""One UDP socket: datagrams to flows and back."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Any

from engine.sip.flow import Flow

_FLOW_CACHE_LIMIT = 8192
SIGNALLING_DSCP = 0x60
"""CS3, as RFC 4594 has it for signalling."""
_RECEIVE_BUFFER = 4 << 20

Receiver = Callable[[bytes, Flow], None]


class UdpSocket(asyncio.DatagramProtocol):
    """A bound UDP socket; ``receiver`` gets every datagram with its flow."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._flows: dict[tuple[Any, ...], Flow] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self._handle: socket.socket | None = None
        self.host = ""
        self.port = 0

    @classmethod
    async def open(cls, host: str, port: int, receiver: Receiver) -> UdpSocket:
        """Bind ``host`` (a literal address) and ``port``; raises ``OSError`` when the port is taken."""
        handle = bind_udp(host, port)
        udp = cls(receiver)
        udp.host, udp.port = host, handle.getsockname()[1]
        udp._handle = handle
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: udp, sock=handle)
        return udp

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        flow = self._flows.get(addr)
        if flow is None:
            if len(self._flows) >= _FLOW_CACHE_LIMIT:
                self._flows.clear()
            flow = self._flows[addr] = Flow("UDP", self.host, self.port, addr[0], addr[1])
        self._receiver(data, flow)

    def error_received(self, exc: Exception) -> None:
        """An ICMP error of some earlier datagram: which one is not told, the transaction timers find out."""

    def send(self, data: bytes, flow: Flow) -> None:
        """Send one datagram; raises ``OSError`` when the system refuses it.

        The transport would only tell such an error to ``error_received``, without saying whose it was.
        """
        if self._handle is None or self._transport is None:
            raise OSError(errno.EBADF, "the socket is closed")
        to = (flow.remote_host, flow.remote_port)
        try:
            self._handle.sendto(data, to)
        except BlockingIOError:
            self._transport.sendto(data, to)  # its queue waits until the system has room

    def close(self) -> None:
        self._handle = None
        if self._transport is not None:
            self._transport.close()


def bind_udp(host: str, port: int) -> socket.socket:
    """A non-blocking UDP socket on one address: IPv6 never takes IPv4, ports are never shared."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    handle = socket.socket(family, socket.SOCK_DGRAM)
    try:
        handle.setblocking(False)
        if family == socket.AF_INET6:
            handle.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            handle.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, SIGNALLING_DSCP)
        else:
            handle.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, SIGNALLING_DSCP)
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        handle.bind((host, port))
    except BaseException:
        handle.close()
        raise
    return handle
