"""The endpoint: sockets and time around the sans-IO user agent."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

from engine.core.clock import Clock
from engine.core.errors import RefusedError
from engine.core.throttle import Throttle
from engine.net.addresses import address_to_tell, address_towards, expand_host
from engine.net.udp import UdpSocket
from engine.sip.agent import AgentOutput, UserAgent
from engine.sip.flow import Flow, host_port
from engine.sip.transaction.outputs import RequestArrived, Send

log = logging.getLogger(__name__)

_TICK_S = 0.05
"""Longest sleep while timers run: a timer set meanwhile is at most this late."""
_SHORTEST_SLEEP_S = 0.01
_SHOWN_BYTES = 200


class SipSocket(Protocol):
    """Anything that carries messages for one local address; it hands what arrives to ``Endpoint.receive``."""

    host: str
    port: int

    def send(self, data: bytes, flow: Flow) -> None:
        """Send one message; raises ``OSError`` when it cannot be sent."""
        ...

    def close(self) -> None: ...


class Endpoint:
    """Feeds datagrams and time to the agent, sends what it says, and hands its events to ``user`` in order.

    Whoever calls the agent outside of ``user`` calls ``flush`` afterwards.
    """

    def __init__(self, agent: UserAgent, clock: Clock, user: Callable[[AgentOutput], None]) -> None:
        self._agent = agent
        self._clock = clock
        self._user = user
        self._sockets: dict[tuple[str, int], SipSocket] = {}
        self._is_flushing = False
        self._refused_sends = Throttle()
        self._tick: asyncio.TimerHandle | None = None

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """The bound addresses, in the order in which they were opened."""
        return list(self._sockets)

    async def open_udp(self, host: str, port: int) -> None:
        """Bind a host (a wildcard binds each of our addresses); raises ``RefusedError`` that says what to do.

        With a wildcard an address that cannot be bound for another reason than a taken port is left out.
        """
        hosts = expand_host(host)
        for address in hosts:
            try:
                udp = await UdpSocket.open(address, port, self.receive)
            except OSError as error:
                if len(hosts) > 1 and error.errno == errno.EADDRNOTAVAIL:
                    log.warning("SIP cannot listen on %s: %s", address, error.strerror)
                    continue
                raise _bind_refused(address, port, error) from None
            self.add_socket(udp)
        if not self._sockets:
            raise RefusedError(f"this machine has no address for '{host}'", "give one of its own with --sip")

    def add_socket(self, socket: SipSocket) -> None:
        """Send through this socket what belongs to its address."""
        self._sockets[socket.host, socket.port] = socket

    @property
    def address_to_tell(self) -> tuple[str, int]:
        """The (host, port) to type into a phone."""
        return address_to_tell(self.addresses)

    def flow_to(self, local: tuple[str, int], remote: tuple[str, int]) -> Flow | None:
        """A UDP flow to a known peer, from the address it knows us by, or from another of its family."""
        socket = self._sockets.get(local)
        if socket is None:
            alike = [udp for udp in self._sockets.values() if (":" in udp.host) == (":" in remote[0])]
            if not alike:
                return None
            nearest = address_towards(remote[0])
            socket = next((udp for udp in alike if udp.host == nearest), alike[0])
        return _udp_flow(socket.host, socket.port, *remote)

    def flush(self) -> None:
        """Carry out what the agent has said so far."""
        if self._is_flushing:
            return
        self._is_flushing = True
        try:
            now = self._clock.now()
            while outputs := self._agent.take_outputs(now):
                for output in outputs:
                    if type(output) is Send:
                        self._send(output)
                    else:
                        self._tell(output)
        finally:
            self._is_flushing = False
        if self._tick is None:
            self._plan_tick()

    def close(self) -> None:
        """Close every socket and stop the timers."""
        if self._tick is not None:
            self._tick.cancel()
        for socket in self._sockets.values():
            socket.close()
        self._sockets.clear()

    def receive(self, data: bytes, flow: Flow) -> None:
        """One whole message from the network."""
        if len(data) <= 4 and not data.strip(b"\r\n\0"):
            return  # a keep-alive
        try:
            self._agent.receive(data, flow, self._clock.now())
        except Exception:
            log.exception("a datagram from %s could not be handled: %r", flow.remote, data[:_SHOWN_BYTES])
        self.flush()

    def _tell(self, output: AgentOutput) -> None:
        """One event that goes wrong must not keep the others from their users."""
        try:
            self._user(output)
        except Exception:
            log.exception("an event could not be handled: %s", type(output).__name__)
            if isinstance(output, RequestArrived) and not output.transaction.is_answered:
                self._agent.respond(output, 500, self._clock.now())

    def _send(self, output: Send) -> None:
        flow, data = output
        socket = self._sockets.get((flow.local_host, flow.local_port))
        try:
            if socket is None:
                raise OSError(errno.EADDRNOTAVAIL, "the socket is closed")
            socket.send(data, flow)
        except OSError as error:
            now = self._clock.now()
            if self._refused_sends.admits(now):
                left_out = self._refused_sends.take_left_out()
                log.warning("cannot send to %s: %s (%d more)", flow.remote, error.strerror or error, left_out)
            self._agent.fail_flow(flow, now)

    def _plan_tick(self) -> None:
        due = self._agent.next_timer()
        if due is None:
            return
        delay = min(max(due - self._clock.now(), _SHORTEST_SLEEP_S), _TICK_S)
        self._tick = asyncio.get_running_loop().call_later(delay, self._advance)

    def _advance(self) -> None:
        self._tick = None
        try:
            self._agent.advance(self._clock.now())
        except Exception:
            log.exception("a timer could not be handled")
        self.flush()


@lru_cache(maxsize=4096)
def _udp_flow(local_host: str, local_port: int, remote_host: str, remote_port: int) -> Flow:
    """The same flow for every call of a phone: there are many calls and few phones."""
    return Flow("UDP", local_host, local_port, remote_host, remote_port)


def _bind_refused(host: str, port: int, error: OSError) -> RefusedError:
    where = host_port(host, port)
    if error.errno == errno.EADDRINUSE:
        return RefusedError(
            f"UDP port {where} is taken by another program",
            "stop that program, or choose another port with --sip HOST:PORT",
        )
    if error.errno == errno.EACCES:
        return RefusedError(f"UDP port {where} needs more privileges", "choose a port above 1023 with --sip")
    return RefusedError(f"cannot listen on UDP {where} ({error.strerror})", "choose another address with --sip")
