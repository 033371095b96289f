"""The endpoint: sockets and time around the sans-IO user agent."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Awaitable, Callable, Set
from contextlib import suppress
from functools import lru_cache
from typing import Protocol

from engine.core.clock import Clock
from engine.core.errors import RefusedError
from engine.core.networks import AddressList
from engine.core.throttle import Throttle
from engine.net.addresses import address_to_tell, address_towards, expand_host
from engine.net.admission import Admission
from engine.net.nat import Nat
from engine.net.stream import Contexts, StreamSocket
from engine.net.trust import CertificateDemand
from engine.net.udp import UdpSocket
from engine.sip.agent import AgentOutput, UserAgent
from engine.sip.flow import Flow, host_port
from engine.sip.stun import LONGEST, answer_keep_alive
from engine.sip.transaction.outputs import RequestArrived, Send

log = logging.getLogger(__name__)

_TICK_S = 0.05
"""Longest sleep while timers run: a timer set meanwhile is at most this late."""
_SHORTEST_SLEEP_S = 0.01
_SWEEP_S = 1.0
_SHOWN_BYTES = 200
_WITHOUT_TCP_S = 600.0
_MOST_REMEMBERED = 4096

_OPTIONS = {"TLS": "--tls", "WS": "--ws", "WSS": "--wss"}
"""Where to listen for what."""
Origins = Callable[[], tuple[str, ...]]
Local = tuple[str, str, int]
"""Transport, host and port of one of our sockets."""


class SipSocket(Protocol):
    """Anything that carries messages for one local address; it hands what arrives to ``Endpoint.receive``."""

    host: str
    port: int

    def send(self, data: bytes, flow: Flow) -> None:
        """Send one message; raises ``OSError`` when it cannot be sent."""
        ...

    def close(self) -> None: ...


class SipListener(SipSocket, Protocol):
    """A socket of a transport with connections."""

    def is_connected(self, flow: Flow) -> bool:
        """Whether the flow's connection stands, or is being opened, and is that of who logged in on it."""
        ...

    def vouch(self, flow: Flow, seconds: float) -> None: ...
    def sweep(self, now: float) -> None: ...
    def turn_away(self) -> None:
        """Cut the connections of those who are not let in any more."""
        ...


Crossing = tuple[float, bool, Flow, bytes]
"""When on the monotonic clock, whether it was sent from here, on which flow, and the bytes of one message."""


class Endpoint:
    """Feeds datagrams and time to the agent, sends what it says, and hands its events to ``user`` in order.

    Whoever calls the agent outside of ``user`` calls ``flush`` afterwards.
    """

    def __init__(self, agent: UserAgent, clock: Clock, user: Callable[[AgentOutput], None]) -> None:
        self._agent = agent
        self._clock = clock
        self._user = user
        self.on_crossing: Callable[[Crossing], object] = _overlook
        """Called for every message that comes in or has gone out; it must be quick and never raise."""
        self._sockets: dict[Local, SipSocket] = {}
        self._listeners: dict[Local, SipListener] = {}
        self._admission = Admission()
        self._bars_some = False
        self._is_flushing = False
        self._refused_sends = Throttle()
        self._tick: asyncio.TimerHandle | None = None
        self._sweep: asyncio.TimerHandle | None = None
        self._lost: set[Flow] = set()
        self._failed: set[Flow] = set()
        self._without_tcp: dict[tuple[str, int], float] = {}
        """Peers on UDP that refused TCP, and when on the clock they may be asked again."""
        self.on_lost: Callable[[Set[Flow]], None] = lambda lost: None
        """Called with the flows of peers whose connections are gone."""
        self.on_failed: Callable[[Set[Flow]], None] = lambda failed: None
        """Called with the flows whose connections we had opened, or tried to, and that are gone."""
        self._troubles: dict[Flow, str] = {}
        self.nat = Nat()
        """What peers are told of our address."""
        agent.layer.stream_beside = self._stream_beside

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """The addresses bound for UDP, in the order in which they were opened."""
        return [(host, port) for transport, host, port in self._sockets if transport == "UDP"]

    @property
    def listeners(self) -> list[Local]:
        """Everything that is bound: transport, host and port."""
        return list(self._sockets)

    async def open_udp(self, host: str, port: int) -> None:
        """Bind a host (a wildcard binds each of our addresses); raises ``RefusedError`` that says what to do.

        With a wildcard an address that cannot be bound for another reason than a taken port is left out.
        """
        await self._open("UDP", host, port, lambda address: UdpSocket.open(address, port, self.receive))

    async def open_tcp(self, host: str, port: int) -> None:
        """Listen for TCP connections, as ``open_udp`` does for datagrams."""
        await self._open("TCP", host, port, lambda address: StreamSocket.open(address, port, self, self._admission))

    async def open_tls(self, host: str, port: int, contexts: Contexts) -> None:
        """Listen for TLS connections, as ``open_udp`` does for datagrams."""
        await self._open(
            "TLS", host, port, lambda address: StreamSocket.open(address, port, self, self._admission, contexts)
        )

    async def open_ws(self, host: str, port: int, origins: Origins, contexts: Contexts | None = None) -> None:
        """Listen for SIP over WebSocket, with ``contexts`` over TLS, as ``open_udp`` does for datagrams.

        ``origins`` gives the pages whose scripts may connect (RFC 7118 section 7.1: whoever they are, they log in).
        """
        from engine.net.websocket import WebSocketListener  # its library takes a while: few offices want it

        await self._open(
            "WS" if contexts is None else "WSS",
            host,
            port,
            lambda address: WebSocketListener.listen(address, port, self, self._admission, origins, contexts),
        )

    async def _open(
        self, transport: str, host: str, port: int, bind: Callable[[str], Awaitable[UdpSocket | StreamSocket]]
    ) -> None:
        option = _OPTIONS.get(transport, "--sip")
        hosts = expand_host(host)
        for address in hosts:
            try:
                socket = await bind(address)
            except OSError as error:
                if len(hosts) > 1 and error.errno == errno.EADDRNOTAVAIL:
                    log.warning("SIP cannot listen on %s: %s", address, error.strerror)
                    continue
                raise _bind_refused(transport, address, port, error, option) from None
            if isinstance(socket, StreamSocket):
                self.add_listener(socket, transport)
            else:
                self.add_socket(socket)
        if not self._sockets:
            raise RefusedError(f"this machine has no address for '{host}'", f"give one of its own with {option}")
        if self._listeners and self._sweep is None:
            self._plan_sweep()

    def add_socket(self, socket: SipSocket) -> None:
        """Send through this UDP socket what belongs to its address."""
        self._sockets["UDP", socket.host, socket.port] = socket

    def add_listener(self, socket: SipListener, transport: str) -> None:
        """Send through connections of this listener what belongs to its address and ``transport``."""
        local = (transport, socket.host, socket.port)
        self._sockets[local] = self._listeners[local] = socket

    @property
    def address_to_tell(self) -> tuple[str, int]:
        """The (host, port) to type into a phone."""
        return address_to_tell(self.addresses)

    def flow_to(self, local: tuple[str, int], remote: tuple[str, int], transport: str = "UDP") -> Flow | None:
        """A flow to a known peer, from the address it knows us by, or from another of its family.

        Over TCP and TLS a connection is opened when something is sent and there is none.
        """
        socket = self._sockets.get((transport, *local))
        if socket is None:
            family = ":" in remote[0]
            alike = [
                item
                for (kind, host, _), item in self._sockets.items()
                if kind == transport and (":" in host) == family
            ]
            if not alike:
                return None
            nearest = address_towards(remote[0])
            socket = next((item for item in alike if item.host == nearest), alike[0])
        return self.nat.see(_flow(transport, socket.host, socket.port, *remote))

    def demand(self, flow: Flow, demand: CertificateDemand) -> None:
        """Open the TLS connection of this flow only to a peer whose certificate is as demanded."""
        listener = self._sockets.get(flow.local)
        if isinstance(listener, StreamSocket):
            listener.demands[flow] = demand

    def trouble_with(self, flow: Flow) -> str | None:
        """Why nothing could be sent on this flow lately, in words; told once."""
        return self._troubles.pop(flow, None)

    def _note_trouble(self, flow: Flow, why: str) -> None:
        if len(self._troubles) >= _MOST_REMEMBERED:
            self._troubles.clear()
        self._troubles[flow] = why

    def _stream_beside(self, flow: Flow) -> Flow | None:
        """The TCP flow for a request too large for UDP; none to a peer that has just refused it."""
        peer = (flow.remote_host, flow.remote_port)
        if not self._listeners or self._without_tcp.get(peer, 0.0) > self._clock.now():
            return None
        stream = self._sockets.get(("TCP", flow.local_host, flow.local_port))
        if stream is None:
            return None
        beside = _flow("TCP", flow.local_host, flow.local_port, *peer)
        if isinstance(stream, StreamSocket) and not stream.may_open(beside):
            return None
        return self.nat.see(beside)

    def is_connected(self, flow: Flow) -> bool:
        """Whether something sent on ``flow`` reaches the peer that logged in on it; always true of UDP."""
        listener = self._listeners.get(flow.local)
        return listener.is_connected(flow) if listener is not None else flow.local in self._sockets

    def vouch(self, flow: Flow, seconds: float) -> None:
        """Somebody has logged in over this TCP or TLS flow: its connection is kept for ``seconds`` at least."""
        listener = self._listeners.get(flow.local)
        if listener is not None:
            listener.vouch(flow, seconds)

    def admit_by(self, addresses: AddressList) -> None:
        """Who is let in from now on: what comes from elsewhere is dropped unread, connections of theirs are cut."""
        self._admission.addresses = addresses
        self._bars_some = addresses.has_black
        if self._bars_some:
            for listener in self._listeners.values():
                listener.turn_away()

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
        for timer in (self._tick, self._sweep):
            if timer is not None:
                timer.cancel()
        for socket in list(self._sockets.values()):
            socket.close()
        self._sockets.clear()
        self._listeners.clear()

    def receive(self, data: bytes, flow: Flow, refusal: tuple[int, str] | None = None) -> None:
        """One whole message from the network, or with ``refusal`` (status, reason) the head of one without end."""
        if self._bars_some and self._admission.addresses.verdict(flow.remote_host) is False:
            return
        if len(data) <= LONGEST and self._take_keep_alive(data, flow):
            return
        now = self._clock.now()
        flow = self.nat.see(flow)
        self.on_crossing((now, False, flow, data))
        try:
            if refusal is None:
                self._agent.receive(data, flow, now)
            else:
                self._agent.refuse(data, flow, *refusal)
        except Exception:
            log.exception("a message from %s could not be handled: %r", flow.remote, data[:_SHOWN_BYTES])
        self.flush()

    def _take_keep_alive(self, data: bytes, flow: Flow) -> bool:
        """Line ends are ignored, STUN is answered (RFC 5626 section 4.4.2)."""
        if len(data) <= 4 and not data.strip(b"\r\n\0"):
            return True
        answer = answer_keep_alive(data, flow)
        socket = self._sockets.get(flow.local)
        if answer is None or socket is None:
            return False
        with suppress(OSError):
            socket.send(answer, flow)
        return True

    def lose(self, flow: Flow) -> None:
        """The peer's connection is gone; the peer may be reached over another one."""
        if not self._lost:
            asyncio.get_running_loop().call_soon(self._lose_all)
        self._lost.add(flow)

    def fail(self, flow: Flow, *, was_reached: bool, why: str = "") -> None:
        """A connection that we opened is gone, or never stood; ``why`` says so when it is known."""
        if why:
            self._note_trouble(flow, why)
        if not was_reached:
            self._remember_refusal(flow)
        if not self._failed:
            asyncio.get_running_loop().call_soon(self._fail_all)
        self._failed.add(flow)

    def _remember_refusal(self, flow: Flow) -> None:
        if len(self._without_tcp) >= _MOST_REMEMBERED:
            self._without_tcp.clear()
        self._without_tcp[flow.remote_host, flow.remote_port] = self._clock.now() + _WITHOUT_TCP_S

    def _fail_all(self) -> None:
        failed, self._failed = self._failed, set()
        self._agent.fail_flows(failed, self._clock.now())
        self.on_failed(failed)
        self.flush()

    def _lose_all(self) -> None:
        """Many connections may end at once: the transactions are looked through once for all of them."""
        lost, self._lost = self._lost, set()
        self._agent.lose_flows(lost, self._clock.now())
        self.on_lost(lost)
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
        socket = self._sockets.get(flow.local)
        try:
            if socket is None:
                raise OSError(errno.EADDRNOTAVAIL, "the socket is closed")
            socket.send(data, flow)
            self.on_crossing((self._clock.now(), True, flow, data))
        except OSError as error:
            now = self._clock.now()
            if self._refused_sends.admits(now):
                left_out = self._refused_sends.take_left_out()
                log.warning("cannot send to %s: %s (%d more)", flow.remote, error.strerror or error, left_out)
            self._note_trouble(flow, error.strerror or str(error))
            self._agent.fail_flow(flow, now)

    def _plan_sweep(self) -> None:
        loop = asyncio.get_running_loop()
        for listener in self._listeners.values():
            listener.sweep(loop.time())
        self._sweep = loop.call_later(_SWEEP_S, self._plan_sweep)

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


def _overlook(crossing: Crossing) -> None:
    """Nobody wants to know."""


@lru_cache(maxsize=4096)
def _flow(transport: str, local_host: str, local_port: int, remote_host: str, remote_port: int) -> Flow:
    """The same flow for every call of a phone: there are many calls and few phones."""
    return Flow(transport, local_host, local_port, remote_host, remote_port)


def _bind_refused(transport: str, host: str, port: int, error: OSError, option: str) -> RefusedError:
    where = host_port(host, port)
    if error.errno == errno.EADDRINUSE:
        return RefusedError(
            f"{transport} port {where} is taken by another program",
            f"stop that program, or choose another port with {option} HOST:PORT",
        )
    if error.errno == errno.EACCES:
        return RefusedError(
            f"{transport} port {where} needs more privileges", f"choose a port above 1023 with {option}"
        )
    return RefusedError(
        f"cannot listen on {transport} {where} ({error.strerror})", f"choose another address with {option}"
    )
