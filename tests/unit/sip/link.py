"""A network in memory: user agents exchange datagrams that get lost, doubled and overtaken, on a manual clock."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from engine.core.clock import ManualClock
from engine.sip.agent import AgentOutput, UserAgent
from engine.sip.flow import Flow
from engine.sip.message import Request, Response, parse_message
from engine.sip.transaction.outputs import Send

PORT = 5060


@dataclass(frozen=True)
class Weather:
    """How bad the link is: chances from 0 to 1, delays in seconds."""

    loss: float = 0.0
    doubling: float = 0.0
    overtaking: float = 0.0
    delay: float = 0.02
    longest_delay: float = 1.2
    """Of a datagram that others overtake."""


@dataclass
class Party:
    """One user agent at one address."""

    host: str
    agent: UserAgent
    link: Link
    on_event: Callable[[AgentOutput], None] = lambda event: None
    events: list[AgentOutput] = field(default_factory=list)

    def flow_to(self, other: Party) -> Flow:
        return Flow("UDP", self.host, PORT, other.host, PORT)

    def names(self) -> list[str]:
        """The kinds of events so far, in order."""
        return [type(event).__name__ for event in self.events]

    def is_clean(self) -> bool:
        """Whether nothing of any call or transaction is left."""
        layer = self.agent.layer
        return not (self.agent.sessions or layer.clients or layer.servers or len(layer.book) or layer._merged)


class Link:
    """Carries datagrams between parties; the same seed and the same steps give the same story."""

    def __init__(self, seed: int, weather: Weather | None = None) -> None:
        self.clock = ManualClock()
        self.weather = weather or Weather()
        self.parties: dict[str, Party] = {}
        self.story: list[tuple[float, str, str]] = []
        """Every datagram sent: when, ``host>host``, its method or status."""
        self._random = Random(seed)
        self._air: list[tuple[float, int, Flow, bytes]] = []
        self._sent = 0

    @property
    def now(self) -> float:
        return self.clock.now()

    def join(self, host: str) -> Party:
        """A new user agent at ``host``."""
        party = Party(host, UserAgent(lambda size: self._random.randbytes(size).hex(), f"test {host}"), self)
        self.parties[host] = party
        return party

    def unplug(self, party: Party) -> None:
        """Whatever ``party`` says or is told from now on is lost, and its clock stands still."""
        del self.parties[party.host]

    def run(self, seconds: float) -> None:
        """Let time pass: deliver what arrives, fire what is due, in order."""
        end = self.now + seconds
        self.settle()
        while True:
            due = min(
                (at for at in (self._air[0][0] if self._air else None, *self._timers()) if at is not None),
                default=end,
            )
            if due >= end:
                break
            self._move_to(due)
            while self._air and self._air[0][0] <= self.now:
                _, _, flow, data = heapq.heappop(self._air)
                if flow.local_host in self.parties:
                    self.parties[flow.local_host].agent.receive(data, flow, self.now)
                    self.settle()
            for party in self.parties.values():
                party.agent.advance(self.now)
            self.settle()
        self._move_to(end)

    def settle(self) -> None:
        """Send what the parties have said, and tell them what happened, until all are quiet."""
        is_busy = True
        while is_busy:
            is_busy = False
            for party in list(self.parties.values()):
                is_busy |= self._settle_one(party)

    def sent(self, name: str, sender: Party | None = None) -> int:
        """How many datagrams called ``name`` (a method or a status) were sent, by ``sender`` or at all."""
        return sum(
            1 for _, way, sent in self.story if sent == name and (not sender or way.startswith(f"{sender.host}>"))
        )

    def _settle_one(self, party: Party) -> bool:
        outputs = party.agent.take_outputs(self.now)
        for output in outputs:
            if isinstance(output, Send):
                self._carry(output)
            else:
                party.events.append(output)
                party.on_event(output)
        return bool(outputs)

    def _carry(self, send: Send) -> None:
        flow, data = send
        message = parse_message(data)
        assert isinstance(message, Request | Response)
        name = message.method if isinstance(message, Request) else str(message.status)
        self.story.append((round(self.now, 3), f"{flow.local_host}>{flow.remote_host}", name))
        arriving = Flow(flow.transport, flow.remote_host, flow.remote_port, flow.local_host, flow.local_port)
        chance, weather = self._random.random, self.weather
        for _ in range(1 + (chance() < weather.doubling)):
            if chance() < weather.loss:
                continue
            late = chance() * weather.longest_delay if chance() < weather.overtaking else 0.0
            self._sent += 1
            heapq.heappush(self._air, (self.now + weather.delay + late, self._sent, arriving, data))

    def _timers(self) -> list[float | None]:
        return [party.agent.next_timer() for party in self.parties.values()]

    def _move_to(self, moment: float) -> None:
        self.clock.advance(max(0.0, moment - self.now))
