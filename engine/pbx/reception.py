"""Reception: what happens to an INVITE before there is a call."""

from __future__ import annotations

from collections.abc import Callable

from engine.core.errors import RemoteError
from engine.core.events import TrunkRefused
from engine.core.peering import ReliableProvisional
from engine.core.text import may_be_number
from engine.core.views import PartyRole
from engine.pbx.authentication import Authenticator, Login
from engine.pbx.beginning import first_phase, phase_of
from engine.pbx.call import Call, Replaced
from engine.pbx.exchange import Exchange
from engine.pbx.leg import Leg
from engine.pbx.replacing import replaced_by
from engine.pbx.routing import Refused, Route, ToTrunks, route_call, route_inbound, table_of
from engine.pbx.screening import ANONYMOUS
from engine.pbx.screening import Caller as Screened
from engine.pbx.trunks.causes import q850_reason
from engine.pbx.trunks.limits import Full, Way
from engine.pbx.trunks.line import TrunkLine
from engine.pbx.trunks.matching import line_of, number_called
from engine.sip.diversion import diversions_of
from engine.sip.identity import Caller, asks_privacy, caller_of
from engine.sip.message import Request
from engine.sip.session import Session
from engine.sip.session.prack import refuse_reliability
from engine.sip.session.timer import refuse_interval
from engine.sip.transaction.outputs import RequestArrived
from engine.sip.uri import SipUri, parse_uri
from engine.store.configuration import Extension
from engine.store.outside import Trunk
from engine.store.services import Point, Trigger

DEFAULT_MAX_FORWARDS = 70
LONGEST_CALL_S = 86400.0
"""How long the connection of a call may be silent."""


class Reception:
    """Lets callers in: who calls is who logged in, never what From says."""

    def __init__(self, exchange: Exchange, authenticator: Authenticator) -> None:
        self._exchange = exchange
        self._authenticator = authenticator
        self.is_open = True
        """Closed while the engine drains: new calls get 503."""

    def receive(self, arrived: RequestArrived) -> None:
        """Challenge, refuse, or start a call."""
        now = self._exchange.clock.now()
        line = line_of(self._exchange.trunks, arrived)
        if line is not None:
            self._receive_from_outside(arrived, line)
            return
        identity = self._authenticator.identify(arrived.request, arrived.flow.remote_host, now, proxy=True)
        if identity.login is Login.CHALLENGE:
            fields = self._authenticator.challenge(now, proxy=True, is_stale=identity.is_stale)
            self._exchange.agent.answer_stranger(arrived, 407, now, fields)
        elif identity.extension is None:
            self._authenticator.report("INVITE", identity, arrived.flow.remote, now)
            self._exchange.agent.answer_stranger(arrived, 403, now, ())
        elif not self.is_open:
            self._exchange.agent.respond(arrived, 503, now, reason="Engine Is Stopping")
        else:
            self._let_in(arrived, identity.extension)

    # -- calls of the house -------------------------------------------------------------------------------------

    def _let_in(self, arrived: RequestArrived, caller: Extension) -> None:
        request = arrived.request
        if "Replaces" in request.headers:
            self._let_replace(arrived, caller)
            return
        try:
            dialled = dialled_number(request)
            max_forwards = hops_left(request)
            trail = self._exchange.loops.check(request.headers, dialled, "")
            session = self._take(arrived, dialled, caller.reliable_provisional)
        except RemoteError as error:
            self._exchange.agent.respond(arrived, error.status, self._exchange.clock.now(), reason=error.reason)
            return
        if session is None:
            return
        call = Call(self._exchange, self._exchange.new_call_id(), dialled)
        call.identity = Caller(caller.number, caller.name, asks_privacy(request.headers))
        call.trail = trail
        leg = self._leg(call, arrived, caller.number, extension=caller)
        self._begin(
            call, leg, session, arrived, lambda: self._route(caller, dialled, max_forwards), max_forwards,
            self._first_service(caller, dialled, max_forwards),
        )  # fmt: skip

    def _first_service(self, caller: Extension, dialled: str, max_forwards: int) -> Trigger | None:
        """The service that a call of an extension meets before it goes anywhere; none is asked in an emergency."""
        configuration = self._exchange.configuration
        trigger = table_of(configuration).trigger_at(Point.CALL_START, caller.number)
        if trigger is None or max_forwards == 0:
            return None
        route = route_call(configuration, caller, dialled, self._exchange.clock.wall()).route
        return None if isinstance(route, ToTrunks) and route.is_emergency else trigger

    def _route(self, caller: Extension, dialled: str, max_forwards: int) -> Route:
        if max_forwards == 0:
            return Refused(483, "Too Many Hops")
        exchange = self._exchange
        route = route_call(exchange.configuration, caller, dialled, exchange.clock.wall()).route
        if isinstance(route, ToTrunks):
            if route.is_emergency:
                return route
            if caller.max_out is not None and self._calls_outside(caller) >= caller.max_out:
                return Refused(403, "Too Many Calls To The Outside")
        return exchange.screening.screen(Screened(caller.number), dialled) or route

    def _calls_outside(self, caller: Extension) -> int:
        """How many calls of an extension are on outside lines, or on their way there."""
        calls = self._exchange.calls
        mine = [calls[name] for name in self._exchange.lamps.calls_of(caller.number) if name in calls]
        return sum(1 for call in mine if call.legs and call.caller.number == caller.number and call.goes_outside)

    # -- calls from outside -------------------------------------------------------------------------------------

    def _receive_from_outside(self, arrived: RequestArrived, line: TrunkLine) -> None:
        exchange, request, trunk = self._exchange, arrived.request, line.trunk
        now = exchange.clock.now()
        if not self.is_open:
            exchange.agent.respond(arrived, 503, now, reason="Engine Is Stopping")
            return
        if "Replaces" in request.headers:
            self._let_replace(arrived, trunk)
            return
        try:
            dialled = number_called(line, request)
            if dialled is None or not may_be_number(dialled):
                raise RemoteError(484, "Address Incomplete")
            max_forwards = hops_left(request)
            trail = exchange.loops.check(request.headers, dialled, trunk.name)
        except RemoteError as error:
            exchange.agent.respond(arrived, error.status, now, reason=error.reason)
            return
        call = Call(exchange, exchange.new_call_id(), dialled)
        room = line.calls.claim(trunk, Way.IN, call.make_room)
        if isinstance(room, Full):
            self._refuse_for_room(arrived, line, room)
            return
        try:
            session = self._take(arrived, dialled, trunk.reliable_provisional)
        except RemoteError as error:
            room.release()
            exchange.agent.respond(arrived, error.status, now, reason=error.reason)
            return
        if session is None:
            room.release()
            return
        call.trunk_in, call.trail = trunk.name, trail
        call.diversions = diversions_of(request.headers)
        identity = caller_of(request.headers, is_trusted=trunk.is_trusted)
        told = None if identity.is_private else identity.number
        number = table_of(exchange.configuration).numbering.for_phone(told) if told else None
        name = (exchange.name_of(number) or identity.name) if number else None
        call.identity = Caller(number, name, identity.is_private)
        leg = self._leg(call, arrived, number or ANONYMOUS, trunk=trunk)
        leg.name = call.identity.name
        leg.claim = room

        def decide() -> Route:
            if max_forwards == 0:
                return Refused(483, "Too Many Hops")
            return exchange.screening.screen(Screened(identity.number, identity.is_private), dialled) or (
                route_inbound(exchange.configuration, trunk, dialled, number, exchange.clock.wall()).route
            )

        first = table_of(exchange.configuration).trigger_at(Point.CALL_START, trunk.name) if max_forwards else None
        self._begin(call, leg, session, arrived, decide, max_forwards, first)

    def _refuse_for_room(self, arrived: RequestArrived, line: TrunkLine, why: Full) -> None:
        """503 goes without Retry-After: that would stop every call of the carrier."""
        exchange = self._exchange
        status = 403 if why is Full.FORBIDDEN else line.trunk.over_limit
        reason = "No Calls From This Line" if why is Full.FORBIDDEN else "All Lines Busy"
        line.calls.refuse(Way.IN, why.value)
        exchange.bus.publish(TrunkRefused(exchange.clock.wall(), line.trunk.name, Way.IN.value, why.value))
        cause = (("Reason", q850_reason(str(status))),)
        exchange.agent.respond(arrived, status, exchange.clock.now(), reason=reason, headers=cause)

    # -- both ---------------------------------------------------------------------------------------------------

    def _let_replace(self, arrived: RequestArrived, peer: Extension | Trunk) -> None:
        """An INVITE that wants the place of a party, or to pick up what rings, joins the call of that party."""
        exchange, request = self._exchange, arrived.request
        session: Session | None = None
        try:
            found = replaced_by(exchange, request.headers, peer)
            if found is None:
                raise RemoteError(400, "Unreadable Replaces")
            call, place = found
            number = peer.number if isinstance(peer, Extension) else place.number
            session = self._take(arrived, call.dialled, peer.reliable_provisional)
        except RemoteError as error:
            exchange.agent.respond(arrived, error.status, exchange.clock.now(), reason=error.reason)
            return
        if session is None:
            return
        if isinstance(peer, Extension):
            leg = self._leg(call, arrived, number, extension=peer)
        else:
            leg = self._leg(call, arrived, number, trunk=peer)
            leg.name = place.name
        leg.role = PartyRole.CALLEE
        leg.session = session
        session.user = leg
        leg.be_traced(exchange.trace)
        call.join(leg)
        call.post(Replaced(place, leg, request.sdp))

    def _take(self, arrived: RequestArrived, dialled: str, reliable: ReliableProvisional) -> Session | None:
        """The session of an INVITE, ``None`` when it was refused; raises ``RemoteError``."""
        agent = self._exchange.agent
        request = arrived.request
        refusal = refuse_reliability(request.headers, reliable) or refuse_interval(request, agent.least_expiry)
        if refusal is not None:
            now = self._exchange.clock.now()
            agent.respond(arrived, refusal.status, now, reason=refusal.reason, headers=refusal.headers)
            return None
        return agent.take_invite(arrived, _contact(dialled, arrived), reliable=reliable)

    def _leg(
        self,
        call: Call,
        arrived: RequestArrived,
        number: str,
        extension: Extension | None = None,
        trunk: Trunk | None = None,
    ) -> Leg:
        return Leg(
            call_id=call.id,
            number=number,
            extension=extension,
            trunk=trunk,
            role=PartyRole.CALLER,
            flow=arrived.flow,
            gateway=self._exchange.gateway,
            post=call.post,
        )

    def _begin(
        self,
        call: Call,
        leg: Leg,
        session: Session,
        arrived: RequestArrived,
        decide: Callable[[], Route],
        max_forwards: int,
        first: Trigger | None,
    ) -> None:
        """``first`` is the service that the call meets before ``decide`` says where it goes."""
        exchange = self._exchange
        leg.session = session
        session.user = leg
        leg.be_traced(exchange.trace)
        call.join(leg)
        offer = arrived.request.sdp
        if first is not None:
            call.start(first_phase(call, offer, first, max_forwards, decide))
        else:
            call.start(phase_of(call, offer, decide(), max_forwards))
        if arrived.flow.is_reliable:
            exchange.endpoint.vouch(arrived.flow, LONGEST_CALL_S)


def dialled_number(request: Request) -> str:
    """The number in the Request-URI; raises ``RemoteError``."""
    uri = parse_uri(request.uri)
    if not isinstance(uri, SipUri):
        raise RemoteError(416, "Unsupported URI Scheme")
    if not uri.user:
        raise RemoteError(484, "Address Incomplete")
    if not may_be_number(uri.user):
        raise RemoteError(404, "No Such Number")
    return uri.user


def _contact(dialled: str, arrived: RequestArrived) -> str:
    """Where we are reached in this dialog: over what was used, securely where that was asked (section 12.1.1)."""
    request, flow = arrived.request, arrived.flow
    scheme = "sips" if request.uri[:5].lower() == "sips:" else "sip"
    params = (("transport", flow.transport.lower()),) if flow.is_reliable else ()
    return f"<{SipUri(scheme, dialled, flow.told_host, flow.local_port, params)}>"


def hops_left(request: Request) -> int:
    """Max-Forwards, or what it is by default."""
    value = request.headers.get("Max-Forwards")
    return int(value) if value is not None else DEFAULT_MAX_FORWARDS
