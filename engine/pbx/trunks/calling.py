"""A call that goes outside: one line after the other, and of each line one server after the other (RFC 3263)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from engine.core.errors import RemoteError
from engine.core.events import TrunkRefused
from engine.core.text import shown
from engine.core.views import PartyRole, TrunkState
from engine.pbx.call import Call
from engine.pbx.leg import Leg
from engine.pbx.routing import ToTrunks
from engine.pbx.trunks.causes import told_reason
from engine.pbx.trunks.limits import Claim, Full, Way
from engine.pbx.trunks.line import Server, TrunkLine
from engine.sip.diversion import diversion_fields, history_fields
from engine.sip.flow import Flow
from engine.sip.identity import Caller, told_fields
from engine.sip.login import Login
from engine.sip.message import reason_for
from engine.sip.session.core import SessionState
from engine.sip.session.events import Failed
from engine.sip.uri import escaped_user
from engine.store.outside import Preset, Trunk

if TYPE_CHECKING:
    from engine.pbx.exchange import Exchange

log = logging.getLogger(__name__)

FIRST_SIGN_S = 4.0
"""How long a server may say nothing at all before the next one is asked."""
_ANSWERS = frozenset({404, 410, 480, 484, 486, 487, 600, 603, 604, 606, 607})
"""Final responses that tell of whom was called: no other line would fare better."""
_OF_THE_CALL = frozenset({403, 415, 433, 488})
"""Those with which another line may fare better, and which the caller hears when none does. Any other is between us
and the carrier: its 401, 402 or 407 would make a phone doubt its own login."""


class ServerSilent(NamedTuple):
    """A server has had its time to say something."""

    leg: Leg


class _Attempt(NamedTuple):
    """One server of one line."""

    line: TrunkLine
    server: Server


class OutsideCall:
    """The outside branch of one call: tries what the route names until somebody answers."""

    def __init__(
        self,
        call: Call,
        route: ToTrunks,
        max_forwards: int,
        headers: tuple[tuple[str, str], ...] = (),
        *,
        is_over_limit: bool = False,
    ) -> None:
        """``headers``: further fields of each INVITE; ``is_over_limit``: full lines take it all the same."""
        self._is_over_limit = is_over_limit
        self._call = call
        self._exchange: Exchange = call.exchange
        self._route = route
        self._max_forwards = max_forwards
        self._headers = headers
        self._attempts = self._all_attempts()
        self._claim: Claim | None = None
        self._now_trying: _Attempt | None = None
        self._tried: set[tuple[str, Server]] = set()
        self._skipped: TrunkLine | None = None
        """A line that has failed as a whole: its other servers need not be asked."""
        self._refusal: tuple[int, str, int] = (503, "No Outside Line", 0)
        """What the caller hears when nothing is left to try."""
        self.why: str | None = None
        """The Reason value (RFC 6432) of the carrier whose refusal the caller hears."""
        self.timers: dict[str, list[object]] = {}

    def dial(self) -> Leg:
        """A leg towards the next server, for ``invite`` once its media is open.

        Raises ``RemoteError`` with what the caller hears when none is left.
        """
        while (attempt := next(self._attempts, None)) is not None:
            line, server = attempt
            if line is self._skipped or not self._has_room(line):
                continue
            flow = line.flow(server)
            if flow is None:
                continue
            self._now_trying = attempt
            self._tried.add((line.trunk.name, server))
            return self._leg_of(line, flow)
        raise RemoteError(*self._refusal)

    def may_dial_again(self, leg: Leg) -> bool:
        """Whether the server that has refused ``leg`` can be asked once more; ``dial_again`` has its room then."""
        attempt = self._now_trying
        if attempt is None or attempt.line.flow(attempt.server) is None:
            return False
        self.forget_timer()
        self._keep_room(leg)
        return True

    def dial_again(self) -> Leg:
        """Another leg towards the same server, which is to be offered other codecs."""
        assert self._now_trying is not None
        line, server = self._now_trying
        flow = line.flow(server)
        assert flow is not None
        return self._leg_of(line, flow)

    def _leg_of(self, line: TrunkLine, flow: Flow) -> Leg:
        leg = Leg(
            call_id=self._call.id,
            number=self._call.dialled,
            extension=None,
            trunk=line.trunk,
            role=PartyRole.CALLEE,
            flow=flow,
            gateway=self._exchange.gateway,
            post=self._call.post,
        )
        leg.name = self._exchange.name_of(leg.number)
        leg.claim, self._claim = self._claim, None
        return leg

    def invite(self, leg: Leg, codecs: tuple[str, ...]) -> None:
        """The INVITE of a leg whose media is open."""
        exchange, call, route = self._exchange, self._call, self._route
        assert self._now_trying is not None
        line, now, flow = self._now_trying.line, exchange.clock.now(), leg.flow
        trunk = line.trunk
        place = line.domain if trunk.port is None else f"{line.domain}:{trunk.port}"
        target = f"sip:{escaped_user(route.number)}@{place}"
        caller, fields = told_fields(self._caller(trunk), trunk.identity, line.domain, is_trusted=trunk.is_trusted)
        leg.session = exchange.agent.invite(
            target=target,
            flow=flow,
            caller=caller,
            callee=f"<sip:{escaped_user(route.number)}@{line.domain}>",
            contact=f"<sip:{escaped_user(line.contact_user)}@{flow.reached_at}>",
            sdp=leg.talks.make_offer(codecs, noise=call.caller.talks.peer_knows_noise),
            now=now,
            user=leg,
            routes=line.routes,
            headers=(*fields, *self._more_fields(trunk, line.domain), *self._headers),
            max_forwards=self._max_forwards,
            reliable=trunk.reliable_provisional,
            expires=exchange.configuration.params["session_expires_s"] if trunk.preset is Preset.IMS else 0,
            login=Login(trunk.username, trunk.password or "", exchange.agent.token) if trunk.username else None,
        )
        leg.be_traced(exchange.trace)
        call.trunk_out = trunk.name
        exchange.agent.layer.book.set(self, "first_sign", FIRST_SIGN_S, now)

    def goes_on(self, leg: Leg, cue: Failed) -> bool:
        """A leg of ours has failed; whether the next server or line is to be asked."""
        self.forget_timer()
        attempt = self._now_trying
        if attempt is None:
            return False
        line, server = attempt
        if cue.response is None or cue.status == 503:
            line.note_failure(server, f"says {cue.status}" if cue.response is not None else "does not answer")
            self._keep_room(leg)
            self._refusal, self.why = (503, "Outside Line Out Of Order", 0), None
            return True
        if cue.status in _ANSWERS:
            return False
        line.calls.refuse(Way.OUT, f"{cue.status} from the carrier")
        log.info("call %s: outside line %s says %d %s", self._call.id, line.trunk.name, cue.status, cue.reason)
        self._skipped = line
        self._refusal = self._told(line, cue)
        return True

    def _told(self, line: TrunkLine, cue: Failed) -> tuple[int, str, int]:
        """What the caller hears of a refusal: as it is when it is about the call, and not about us."""
        trunk = line.trunk
        is_login_good = trunk.username is None or line.state is TrunkState.REGISTERED
        if cue.status in _OF_THE_CALL and (cue.status != 403 or is_login_good):
            self.why = told_reason(cue.response)
            return cue.status, shown(cue.reason) or reason_for(cue.status), 0
        self.why = None
        return 503, "Outside Line Refuses", 0

    def speaks_otherwise(self, leg: Leg, error: RemoteError) -> None:
        """The line of a leg that was not invited yet has no codec that the caller speaks."""
        if self._now_trying is not None:
            line = self._skipped = self._now_trying.line
            self._refuse(line, "no common codec", error.status, error.reason, error.warning)

    def is_silent(self, leg: Leg) -> bool:
        """Whether the server of this leg has said nothing, and another one can be asked."""
        is_silent = leg.session is not None and leg.session.state is SessionState.CALLING
        return is_silent and self._has_other()

    def _has_other(self) -> bool:
        """Whether there is a server of this line that was not tried, or a line after it."""
        if self._now_trying is None:
            return False
        line, names = self._now_trying.line, [trunk.name for trunk in self._route.trunks]
        name = line.trunk.name
        if any((name, server) not in self._tried for server in line.reachable_servers()):
            return True
        return name in names and name != names[-1]

    def give_up_server(self, leg: Leg) -> None:
        """The server of a silent leg takes its turn last from now on; its room goes to the next."""
        if self._now_trying is not None:
            self._now_trying.line.note_failure(self._now_trying.server, "does not answer")
        self._keep_room(leg)

    def note_sign(self) -> None:
        """The server has answered."""
        self.forget_timer()
        if self._now_trying is not None:
            self._now_trying.line.note_answer(self._now_trying.server)

    def forget_timer(self) -> None:
        self._exchange.agent.layer.book.clear_all(self)

    def close(self) -> None:
        """Nothing more is tried."""
        self.forget_timer()
        if self._claim is not None:
            self._claim.release()
            self._claim = None

    def on_timer(self, name: str, now: float) -> None:
        """From the endpoint's timer book."""
        legs = self._call.legs
        if len(legs) > 1:
            self._call.post(ServerSilent(legs[-1]))

    # -- lines and their room -----------------------------------------------------------------------------------

    def _all_attempts(self) -> Iterator[_Attempt]:
        """Looked at one by one, for what is learnt on the way counts."""
        for trunk in self._route.trunks:
            line = self._exchange.trunks.line(trunk.name)
            if line is None:
                continue
            if trunk.registers and line.state is not TrunkState.REGISTERED and not self._route.is_emergency:
                self._refuse(line, "not registered", 503, "Outside Line Not Registered")
                continue
            servers = line.reachable_servers()
            if not servers:
                self._refuse(line, "cannot be reached", 503, "Outside Line Out Of Order")
            for server in servers:
                yield _Attempt(line, server)
            if self._claim is not None:  # kept for another server, and there is none
                self._claim.release()
                self._claim = None

    def _has_room(self, line: TrunkLine) -> bool:
        if self._claim is not None:
            return True
        found = line.calls.claim(
            line.trunk,
            Way.OUT,
            self._call.make_room,
            is_emergency=self._route.is_emergency,
            is_over_limit=self._is_over_limit,
        )
        if isinstance(found, Full):
            self._refuse(line, found.value, 503, "All Lines Busy" if found is Full.LIMIT else "No Outside Line")
            self._skipped = line
            return False
        self._claim = found
        return True

    def _keep_room(self, leg: Leg) -> None:
        """The call goes on with another server of its line."""
        self._claim, leg.claim = leg.claim, None

    def _refuse(self, line: TrunkLine, why: str, status: int, reason: str, warning: int = 0) -> None:
        line.calls.refuse(Way.OUT, why)
        self._refusal, self.why = (status, reason, warning), None
        at = self._exchange.clock.wall()
        self._exchange.bus.publish(TrunkRefused(at, line.trunk.name, Way.OUT.value, why))

    # -- what the carrier is told -------------------------------------------------------------------------------

    def _caller(self, trunk: Trunk) -> Caller:
        """The number of the route; a line that knows its user's number shows that of who has none outside."""
        number, caller = self._route.caller, self._call.caller
        extension = caller.extension
        if extension is not None and number == extension.number and trunk.registers and trunk.username:
            number = trunk.username
        identity = self._call.identity
        return Caller(number, identity.name, identity.is_private)

    def _more_fields(self, trunk: Trunk, host: str) -> tuple[tuple[str, str], ...]:
        call = self._call
        mark = self._exchange.loops.field(call.trail, call.dialled, call.trunk_in or "")
        if trunk.preset is Preset.IMS:
            history = history_fields(call.diversions, self._route.number, host)
            return (*history, ("P-Early-Media", "supported"), mark)
        return (*diversion_fields(call.diversions, host), mark)
