"""A line's registration with its carrier: kept, brought to another server, taken back (RFC 3261, 3263, 5626)."""

from __future__ import annotations

import logging
from typing import NamedTuple

from engine.core.errors import RefusedError
from engine.core.views import TrunkState
from engine.net.resolve import Server
from engine.pbx.trunks.keeping import LEAVE_S, PATIENCE_S, LineKeeper, Silence, host_of
from engine.pbx.trunks.line import TrunkLine, proxy_route
from engine.pbx.trunks.troubles import registration_refused
from engine.sip.flow import Flow
from engine.sip.login import Login
from engine.sip.register import Again, Denied, Granted, RegisterClient
from engine.sip.uri import bracketed, escaped_user
from engine.store.outside import Trunk

log = logging.getLogger(__name__)

LOOK_S = 60.0
"""How often the registrar is asked whether it is there: that keeps a NAT open, too."""
SLOW_S, SLOWEST_S = 300.0, 3600.0
"""How long to rest after a registrar's plain no; each one in a row doubles it. A person has to mend it."""
_SOONEST_S = 1.0
_LOST_AGAIN_S = 30.0
"""A carrier that ends each connection at once is not registered with more often than this."""


class _Missed(NamedTuple):
    """A server that did not serve us, so that the next one is tried."""

    why: str
    retry_after: float | None = None


class Registration(LineKeeper):
    """One registering line. One REGISTER at most is under way at any time."""

    def __init__(self, line: TrunkLine, trunk: Trunk) -> None:
        super().__init__(line, trunk)
        around = line.around
        user = trunk.username or trunk.name
        login = Login(user, trunk.password, around.agent.token) if trunk.password is not None else None
        host = bracketed(trunk.host)
        self.client = RegisterClient(
            registrar=f"sip:{host}" if trunk.port is None else f"sip:{host}:{trunk.port}",
            address=f"sip:{escaped_user(user)}@{host}",
            contact_user=line.contact_user,
            login=login,
            token=around.agent.token,
        )
        self.client.fields = (("Allow", around.agent.allow), ("User-Agent", around.agent.product))
        self.client.needs_new_call_id = around.memory.needs_new_call_id(trunk.name, trunk.host)
        self._held_at: Server | None = None
        """The server that keeps our contact, or may keep it."""
        self._held_until = 0.0
        self._registered_at = 0.0
        self._is_lost = False
        self._registered_as: str | None = None
        """Where the registrar saw us when it took us in: it calls us there."""
        self._held_contact: str | None = None
        """Our contact as that server has it."""
        self._compared: str | None = None
        """Where the registrar saw us when that was last compared with what is advertised."""
        self._suspect: Server | None = None
        """The registrar that has just let a question pass unanswered."""
        self._deaf: set[Server] = set()
        """Those that register us and yet answer no OPTIONS: they are not asked."""

    async def run(self) -> None:
        clock = self.line.around.clock
        while not self._is_leaving:
            pause = await self._attempt()
            if self.line.state is TrunkState.REGISTERED:
                pause = await self._keep_up(pause)
            if not self._is_leaving:
                await self._rest(pause)
            if self._is_lost:
                self._is_lost = False
                await self._rest(max(_SOONEST_S, self._registered_at + _LOST_AGAIN_S - clock.now()))
        await self._take_back()

    # -- registering --------------------------------------------------------------------------------------------

    async def _attempt(self) -> float:
        """Register, or refresh, at the first server that takes us; how long to rest then."""
        line = self.line
        if line.state is TrunkState.UNREGISTERED:
            line.enter(TrunkState.TRYING)
        try:
            await line.look_up()
            servers = self._in_turn()
            if not servers:
                raise line.why_unreachable()
        except RefusedError as error:
            return self._fail(TrunkState.UNREACHABLE, str(error))
        waits: list[float] = []
        for place, server in enumerate(servers):
            outcome = await self._register(server, has_others=place + 1 < len(servers))
            if self._is_leaving:
                self._held_at = server if isinstance(outcome, Granted) else self._held_at
                return 0.0
            if isinstance(outcome, Granted):
                return self._succeed(server, outcome)
            if isinstance(outcome, Denied):
                line.note_answer(server)
                return self._refused(outcome)
            line.note_failure(server, outcome.why, outcome.retry_after)
            waits.append(outcome.retry_after or 0.0)
        return max(self._fail(TrunkState.UNREACHABLE, line.last_error or ""), min(waits))

    def _in_turn(self) -> tuple[Server, ...]:
        """The servers to try; the one that may have gone silent first, for it alone knows of us."""
        servers, suspect = self.line.reachable_servers(), self._suspect
        if suspect is None or suspect not in servers:
            return servers
        return (suspect, *(server for server in servers if server != suspect))

    async def _register(self, server: Server, *, has_others: bool) -> Granted | Denied | _Missed:
        """One attempt at one server, however often it wants to be asked again."""
        client = self.client
        client.begin()
        client.wants_new_call_id = self._wants_new_call_id()
        while True:
            contact = self._contact(server)
            if self._held_at == server and self._held_contact not in (None, contact):
                await self._take_back_contact(server)
                client.begin()
            request = client.request(contact, client.wanted_s, proxy_route(self.trunk))
            self._held_at = self._held_at or server  # it may keep us whatever becomes of its answer
            answer = await self._ask(request, server, PATIENCE_S if has_others else None)
            if isinstance(answer, Silence):
                return _Missed(answer.why)
            outcome = client.take(answer)
            if isinstance(outcome, Granted):
                self._held_contact = contact
                return outcome
            if isinstance(outcome, Denied):
                if outcome.is_server:
                    return _Missed(f"says {outcome.status} {outcome.reason}", outcome.retry_after)
                return outcome
            if self._is_leaving:
                return Denied(487, "given up")

    def _succeed(self, server: Server, granted: Granted) -> float:
        """Note what was granted; when to act again: to refresh, or to return to a better server."""
        line = self.line
        around = line.around
        now = around.clock.now()
        self._failures = 0
        self._registered_at, self._registered_as = now, self._seen_as
        self._held_at, self._held_until = server, now + granted.seconds
        self._compare_address(server)
        if server == self._suspect:
            self._deaf.add(server)
        self._suspect = None
        line.note_answer(server)
        line.service_route, line.path, line.associated = granted.service_route, granted.path, granted.associated
        flow = line.flow(server)
        if flow is not None:
            around.endpoint.vouch(flow, granted.seconds)
        if self.client.needs_new_call_id:
            around.memory.note_new_call_id(self.trunk.name, self.trunk.host)
        line.enter(TrunkState.REGISTERED)
        if line.servers[:1] == (server,):
            line.be_content()
        around.changed()
        pause = refresh_after(granted.seconds) * around.random.uniform(0.95, 1.0)
        ahead = line.servers[: line.servers.index(server)] if server in line.servers else ()
        returns = [line.spared_until(better) - now for better in ahead if line.flow(better) is not None]
        return max(min([pause, *returns]), _SOONEST_S)

    def _compare_address(self, server: Server) -> None:
        """One word in the log where the carrier sees us at another address than the advertised one."""
        flow, seen = self.line.flow(server), host_of(self._seen_as) if self._seen_as is not None else None
        if flow is None or seen is None or seen == self._compared or not flow.is_translated:
            return
        self._compared = seen
        if seen != flow.told_host:
            log.warning(
                "outside line %s: the carrier sees this office at %s, and --advertise says %s: correct it there",
                self.trunk.name, seen, flow.told_host,
            )  # fmt: skip

    def _refused(self, denied: Denied) -> float:
        """The registrar does not want us: asking again soon would only lock the account."""
        line = self.line
        user = self.trunk.username or self.trunk.name
        text = str(registration_refused(user, denied))
        self._failures += 1
        line.complain(text)
        line.enter(TrunkState.FAILED, text)
        self._forget()
        slow = min(SLOWEST_S, SLOW_S * 2.0 ** min(self._failures - 1, 16)) * line.around.random.uniform(0.8, 1.0)
        return max(slow, denied.retry_after or 0.0)

    def _fail(self, state: TrunkState, why: str) -> float:
        self.line.complain(why)
        self.line.enter(state, why)
        self._forget()
        return self._pause()

    def _forget(self) -> None:
        """We are not registered, as far as we know."""
        line = self.line
        line.service_route = line.path = ()
        if self._held_until <= line.around.clock.now():
            self._held_at = None

    def _wants_new_call_id(self) -> bool:
        """The trunk's own switch, else the site's: there 1 means the same Call-ID for all REGISTERs."""
        own = self.line.trunk.new_call_id
        return own if own is not None else self.line.around.param("gVarSipRegSameDialog") == 0

    def _contact(self, server: Server) -> str:
        flow = self.line.flow(server)
        return f"sip:{self.line.contact_user}@{flow.reached_at if flow is not None else 'anonymous.invalid'}"

    # -- while it is registered ---------------------------------------------------------------------------------

    async def _keep_up(self, seconds: float) -> float:
        """Rest until the refresh, looking now and then whether the registrar is there; what is left to rest."""
        line = self.line
        clock = line.around.clock
        due = clock.now() + seconds
        while line.state is TrunkState.REGISTERED and not self._is_leaving:
            left = due - clock.now()
            server = self._held_at
            if left <= LOOK_S or server is None or server in self._deaf:
                return left
            if not await self._rest(LOOK_S):
                return 0.0
            answer = await self._look(server, PATIENCE_S)
            if isinstance(answer, Silence) or answer.status == 503:
                self._suspect = server
                return 0.0
            if self._seen_as != self._registered_as:
                log.info("outside line %s: our public address has changed, it registers anew", self.trunk.name)
                return 0.0
        return 0.0

    def readdress(self) -> None:
        log.info("outside line %s: our public address has changed, it registers anew", self.trunk.name)
        self._nudge.set()

    def note_lost(self, flow: Flow) -> None:
        if self._held_at is not None and self.line.flow(self._held_at) == flow:
            self._is_lost = True
            self._nudge.set()

    # -- the end ------------------------------------------------------------------------------------------------

    async def _take_back(self) -> None:
        """Tell the registrar that our contact, and ours alone, is no more (RFC 3261 section 10.2.2)."""
        server, line = self._held_at, self.line
        if server is not None and line.flow(server) is not None:
            await self._take_back_contact(server)
        self._held_at = None
        line.service_route = line.path = line.associated = ()
        line.server = None
        line.enter(TrunkState.UNREGISTERED)

    async def _take_back_contact(self, server: Server) -> None:
        client = self.client
        client.begin()
        client.wants_new_call_id = self._wants_new_call_id()
        contact, self._held_contact = self._held_contact or self._contact(server), None
        for _ in range(3):
            request = client.request(contact, 0, proxy_route(self.trunk))
            answer = await self._ask(request, server, LEAVE_S)
            if isinstance(answer, Silence) or not isinstance(client.take(answer), Again):
                break


def refresh_after(seconds: int) -> float:
    """When to register anew what is granted for ``seconds``: with time left to fail (3GPP TS 24.229 5.1.1.4)."""
    return seconds - 600.0 if seconds > 1200 else seconds / 2
