"""An outside line as it is now: where it stands, which servers serve it, how many calls it carries."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Protocol

from engine.core.errors import RefusedError
from engine.core.events import TrunkChanged
from engine.core.options import split_host
from engine.core.views import TrunkState, TrunkView
from engine.net.resolve import Server
from engine.net.trust import CertificateDemand
from engine.pbx.trunks.aside import Aside
from engine.pbx.trunks.limits import TrunkCalls, Way
from engine.pbx.trunks.surroundings import Surroundings
from engine.pbx.trunks.troubles import no_socket, server_trouble
from engine.sip.flow import Flow, host_port
from engine.sip.uri import bracketed
from engine.store.outside import Trunk, TrunkTransport

log = logging.getLogger(__name__)

LEAVING_S = 4.0
"""How long a line that was changed waits for its former self to take leave of the carrier."""
AGAIN_S = 60.0
"""How long a line rests after an error of ours."""

__all__ = ["Server", "TrunkLine"]


class Keeper(Protocol):
    """Keeps a line in reach as its configuration says: registers it, or looks whether the other side is there."""

    async def run(self) -> None:
        """Until ``leave``; then what has to be said is said."""
        ...

    def leave(self) -> None:
        """Come to an end."""
        ...

    def hurry(self) -> None:
        """Something has changed: act now instead of at the next turn."""
        ...

    def note_lost(self, flow: Flow) -> None:
        """The connection of this flow is gone."""
        ...

    def readdress(self) -> None:
        """The other side must be told another address of ours from now on."""
        ...


class TrunkLine:
    """What the office knows of one trunk while it runs; ``trunk`` is swapped when its configuration changes."""

    def __init__(self, trunk: Trunk, around: Surroundings) -> None:
        self.trunk = trunk
        self.around = around
        self.state = TrunkState.UNREGISTERED if trunk.registers else TrunkState.STATIC
        self.state_since: datetime | None = None
        self.last_error: str | None = None
        self.last_error_at: datetime | None = None
        self.servers: tuple[Server, ...] = ()
        """Whom requests are sent to, the one to try first in front; empty while the name is not resolved."""
        self.server: Server | None = None
        """The one that serves us now: where we are registered, or who answered last."""
        self.service_route: tuple[str, ...] = ()
        """Route values that a registrar wants on requests of ours (RFC 3608)."""
        self.path: tuple[str, ...] = ()
        """Through whom requests come to us (RFC 3327)."""
        self.associated: tuple[str, ...] = ()
        """Our other addresses at the carrier (P-Associated-URI)."""
        self.contact_user = around.memory.token_of(trunk.name)
        """The user part of our Contact there: it tells whose a request is that comes for it."""
        self.task: asyncio.Task[None] | None = None
        self.calls = TrunkCalls(around.clock.now, around.changed)
        self._aside = Aside(around.random)
        self._keeper: Keeper | None = None
        self._flows: dict[Server, Flow | None] = {}

    # -- whom to send to ----------------------------------------------------------------------------------------

    @property
    def domain(self) -> str:
        """The carrier's domain or address as URIs write it."""
        return bracketed(self.trunk.host)

    @property
    def routes(self) -> tuple[str, ...]:
        """Route values for a new request of ours: the outbound proxy, then what the registrar wants."""
        return (*proxy_route(self.trunk), *self.service_route)

    def reachable_servers(self) -> tuple[Server, ...]:
        """The servers that we have a socket for, in the order in which to try them now; those that failed last."""
        usable = [server for server in self.servers if self.flow(server) is not None]
        return self._aside.in_turn(usable, self.around.clock.now())

    def flow(self, server: Server) -> Flow | None:
        """The flow to a server of ours; ``None`` when we have no socket of its transport and family."""
        if server not in self._flows:
            endpoint = self.around.endpoint
            flow = endpoint.flow_to(("", 0), (server.host, server.port), server.transport)
            if flow is not None and server.transport == "TLS":
                endpoint.demand(flow, CertificateDemand(self._place()[0], self.around.trust))
            self._flows[server] = flow
        return self._flows[server]

    def note_failure(self, server: Server, why: str, retry_after: float | None = None) -> None:
        """A server failed: the others go first for a while.

        ``why`` is ``does not answer``, ``says STATUS``, or what the system said.
        """
        self._aside.put(server, self.around.clock.now(), retry_after)
        self._flows.pop(server, None)  # the way there may be another one now
        self.complain(str(server_trouble(server, why)))

    def note_answer(self, server: Server) -> None:
        """A server has answered: it takes its turn again, and a line that was given up lives."""
        self._aside.clear(server)
        if self.server not in (None, server):
            log.info("outside line %s is served by %s now", self.trunk.name, host_port(server.host, server.port))
        self.server = server
        if self.state is TrunkState.UNREACHABLE and not self.trunk.registers:
            self.enter(TrunkState.STATIC)

    def spared_until(self, server: Server) -> float:
        """When on the clock a server that failed takes its turn again."""
        return self._aside.until(server)

    async def look_up(self) -> None:
        """Ask the resolver, which knows for how long its answers hold; raises ``RefusedError`` with the mend."""
        host, port = self._place()
        try:
            found = await self.around.resolver.resolve(host, port, _transports(self.trunk))
        except RefusedError:
            self.servers = ()
            self._flows.clear()
            raise
        if set(found) == set(self.servers):
            return  # servers of equal rank come in another order each time: we stay where we are
        self.servers = found
        self._flows.clear()
        self._aside.keep(found)
        self.around.changed()

    def why_unreachable(self) -> RefusedError:
        """Why none of the servers can be tried."""
        families = {":" in server.host for server in self.servers}
        return no_socket(self._place()[0], " or ".join(_transports(self.trunk)), families)

    def _place(self) -> tuple[str, int | None]:
        return split_host(self.trunk.proxy) if self.trunk.proxy else (self.trunk.host, self.trunk.port)

    # -- its life -----------------------------------------------------------------------------------------------

    def start(self, keeper: Keeper, after: asyncio.Task[None] | None = None) -> None:
        """Let ``keeper`` keep the line from now on, once ``after`` has ended or taken too long."""
        self._keeper = keeper
        self.task = self.around.crew.start(self._follow(keeper, after), f"the outside line {self.trunk.name}")

    async def _follow(self, keeper: Keeper, after: asyncio.Task[None] | None) -> None:
        if after is not None:
            try:
                await asyncio.wait({after}, timeout=LEAVING_S)
            finally:
                after.cancel()
            self._begin_anew()
        while True:
            try:
                return await keeper.run()
            except Exception:
                log.exception("outside line %s: something went wrong, it is tried again", self.trunk.name)
                await asyncio.sleep(AGAIN_S)

    def _begin_anew(self) -> None:
        """What was known of the way to the carrier is known no more."""
        self.servers, self.server = (), None
        self._flows.clear()
        self._aside = Aside(self.around.random)
        self.be_content()
        self.enter(TrunkState.UNREGISTERED if self.trunk.registers else TrunkState.STATIC)

    def leave(self) -> None:
        """Take leave of the other side; ``task`` is done when that is said."""
        if self._keeper is not None:
            self._keeper.leave()

    def hurry(self) -> None:
        """Act now: a password, a switch or the network has changed."""
        if self._keeper is not None:
            self._keeper.hurry()

    def note_lost(self, flow: Flow) -> None:
        if self._keeper is not None:
            self._keeper.note_lost(flow)

    def readdress(self) -> None:
        """Peers outside must be told another address of ours."""
        told = {server: flow.sent_by for server, flow in self._flows.items() if flow is not None}
        self._flows.clear()
        if self._keeper is not None and any(
            (flow := self.flow(server)) is not None and flow.sent_by != before for server, before in told.items()
        ):
            self._keeper.readdress()

    def enter(self, state: TrunkState, reason: str | None = None) -> None:
        """The only place that changes ``state``."""
        if state is self.state:
            return
        self.state = state
        self.state_since = at = self.around.clock.wall()
        level = logging.WARNING if reason else logging.INFO
        log.log(level, "outside line %s: %s%s", self.trunk.name, state, f" ({reason})" if reason else "")
        self.around.bus.publish(TrunkChanged(at, self.trunk.name, state, reason))
        self.around.changed()

    def complain(self, error: str) -> None:
        """Show what is wrong."""
        self.last_error = error
        self.last_error_at = self.around.clock.wall()
        self.around.changed()

    def be_content(self) -> None:
        """Nothing is wrong any more."""
        if self.last_error is not None:
            self.last_error = self.last_error_at = None
            self.around.changed()

    def shift(self, jump: timedelta) -> None:
        """The machine's clock was set."""
        if self.state_since is not None:
            self.state_since += jump
        if self.last_error_at is not None:
            self.last_error_at += jump

    def view(self) -> TrunkView:
        """The line as faces see it."""
        first = self.server or (self.servers[0] if self.servers else None)
        return TrunkView(
            name=self.trunk.name,
            state=self.state,
            active_in=self.calls.active(Way.IN),
            active_out=self.calls.active(Way.OUT),
            refused_in=self.calls.refused(Way.IN),
            refused_out=self.calls.refused(Way.OUT),
            refusals=self.calls.refusals(),
            history=self.calls.history(),
            max_in=self.trunk.max_in,
            max_out=self.trunk.max_out,
            last_error=self.last_error,
            last_error_at=self.last_error_at,
            state_since=self.state_since,
            server=host_port(first.host, first.port) if first else None,
        )


def proxy_route(trunk: Trunk) -> tuple[str, ...]:
    """The Route value of a trunk's outbound proxy (RFC 3261 section 8.1.2)."""
    if trunk.proxy is None:
        return ()
    is_plain = trunk.transport in (TrunkTransport.UDP, TrunkTransport.AUTO)
    params = "" if is_plain else f";transport={trunk.transport}"
    return (f"<sip:{trunk.proxy}{params};lr>",)


def _transports(trunk: Trunk) -> tuple[str, ...]:
    """What may be used, the usual one first."""
    return ("UDP", "TCP", "TLS") if trunk.transport is TrunkTransport.AUTO else (trunk.transport.upper(),)
