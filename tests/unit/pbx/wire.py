"""A network and a loop without real time: datagrams travel in memory, timers fire when a test moves the clock."""

from __future__ import annotations

import asyncio
import errno
import heapq
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from engine.core.clock import ManualClock
from engine.sip.flow import Flow
from engine.sip.message import Request, Response, parse_message

Address = tuple[str, int]


class ManualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is a manual clock: whatever sleeps in it wakes when the test says so."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        super().__init__()

    def time(self) -> float:
        return self._clock.now()

    @property
    def is_quiet(self) -> bool:
        """Whether nothing but the caller wants to run now. Only the loop's own queues can tell."""
        queues: Any = self
        return not queues._ready

    @property
    def next_timer(self) -> float | None:
        queues: Any = self
        return min((handle.when() for handle in queues._scheduled if not handle.cancelled()), default=None)


@dataclass(frozen=True)
class Weather:
    """How bad the network is: chances from 0 to 1, delays in seconds."""

    loss: float = 0.0
    doubling: float = 0.0
    overtaking: float = 0.0
    delay: float = 0.0
    longest_delay: float = 1.2
    """Of a datagram that others overtake."""


class Wire:
    """Carries datagrams between addresses; the same seed and the same steps give the same story."""

    def __init__(self, clock: ManualClock, seed: int = 1) -> None:
        self.clock = clock
        self.weather = Weather()
        self.story: list[tuple[str, str]] = []
        """Every datagram sent: ``host>host`` and its method or status."""
        self.last: dict[tuple[str, str], Request | Response] = {}
        """The latest message by where it went (a host) and what it was."""
        self.doomed: list[tuple[str, str]] = []
        """What is lost next: method or status, and where it was going."""
        self.unreachable: set[str] = set()
        """Hosts that the system refuses to send to."""
        self._random = Random(seed)
        self._air: list[tuple[float, int, Flow, bytes]] = []
        self._doors: dict[Address, list[Callable[[bytes, Flow], None]]] = {}
        self._sent = 0

    def lose(self, name: str, to: str, times: int = 1) -> None:
        """Lose the next ``times`` datagrams called ``name`` on their way to a host."""
        self.doomed += [(name, to)] * times

    def attach(self, address: Address, receive: Callable[[bytes, Flow], None]) -> None:
        """Deliver what is sent to ``address``; several may share one (behind a proxy)."""
        self._doors.setdefault(address, []).append(receive)

    def detach(self, address: Address) -> None:
        self._doors.pop(address, None)

    def carry(self, data: bytes, flow: Flow) -> None:
        """Take one datagram; raises ``OSError`` where the system would."""
        if flow.remote_host in self.unreachable:
            raise OSError(errno.ENETUNREACH, "Network is unreachable")
        message = parse_message(data)
        name = message.method if isinstance(message, Request) else str(message.status)
        self.story.append((f"{flow.local_host}>{flow.remote_host}", name))
        self.last[flow.remote_host, name] = message
        if (name, flow.remote_host) in self.doomed:
            self.doomed.remove((name, flow.remote_host))
            return
        arriving = Flow(flow.transport, flow.remote_host, flow.remote_port, flow.local_host, flow.local_port)
        chance, weather = self._random.random, self.weather
        for _ in range(1 + (chance() < weather.doubling)):
            if chance() < weather.loss:
                continue
            late = chance() * weather.longest_delay if chance() < weather.overtaking else 0.0
            self._sent += 1
            heapq.heappush(self._air, (self.clock.now() + weather.delay + late, self._sent, arriving, data))

    def deliver(self) -> bool:
        """Hand over what has arrived by now; whether anything did."""
        has_moved = False
        while self.has_arrivals:
            _, _, flow, data = heapq.heappop(self._air)
            for receive in tuple(self._doors.get((flow.local_host, flow.local_port), ())):
                receive(data, flow)
            has_moved = True
        return has_moved

    @property
    def has_arrivals(self) -> bool:
        """Whether something waits to be delivered now."""
        return bool(self._air) and self._air[0][0] <= self.clock.now()

    @property
    def next_arrival(self) -> float | None:
        return self._air[0][0] if self._air else None

    def sent(self, name: str, way: str = "") -> int:
        """How many datagrams called ``name`` were sent, on ``way`` (``host>host``, or a part of it)."""
        return sum(1 for where, what in self.story if what == name and way in where)


class WireSocket:
    """A ``SipSocket`` of the office on the wire."""

    def __init__(self, wire: Wire, host: str, port: int) -> None:
        self._wire = wire
        self.host, self.port = host, port
        self.is_closed = False

    def send(self, data: bytes, flow: Flow) -> None:
        self._wire.carry(data, flow)

    def close(self) -> None:
        self._wire.detach((self.host, self.port))
        self.is_closed = True
