"""Reception: what happens to an INVITE before there is a call."""

from __future__ import annotations

from engine.core.errors import RemoteError
from engine.core.text import may_be_number
from engine.core.views import PartyRole
from engine.pbx.authentication import Authenticator, Login
from engine.pbx.call import Call, Phase
from engine.pbx.exchange import Exchange
from engine.pbx.in_service import InService
from engine.pbx.leg import Leg
from engine.pbx.routing import Refused, Route, ToService, ToTrunks, route_call
from engine.pbx.screening import Caller as Screened
from engine.pbx.setup import Setup
from engine.sip.message import Request
from engine.sip.session.prack import refuse_reliability
from engine.sip.transaction.outputs import RequestArrived
from engine.sip.uri import SipUri, parse_uri
from engine.store.configuration import Extension

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

    def _let_in(self, arrived: RequestArrived, caller: Extension) -> None:
        exchange, request = self._exchange, arrived.request
        now = exchange.clock.now()
        refusal = refuse_reliability(request.headers, caller.reliable_provisional)
        if refusal is not None:
            exchange.agent.respond(arrived, refusal.status, now, reason=refusal.reason, headers=refusal.headers)
            return
        try:
            dialled = dialled_number(request)
            max_forwards = _max_forwards(request)
            contact = _contact(dialled, arrived)
            session = exchange.agent.take_invite(arrived, contact, reliable=caller.reliable_provisional)
        except RemoteError as error:
            exchange.agent.respond(arrived, error.status, now, reason=error.reason)
            return
        call = Call(exchange, exchange.new_call_id(), dialled)
        leg = Leg(
            call_id=call.id,
            number=caller.number,
            extension=caller,
            role=PartyRole.CALLER,
            flow=arrived.flow,
            gateway=exchange.gateway,
            post=call.post,
        )
        leg.session = session
        session.user = leg
        leg.be_traced(exchange.trace)
        call.join(leg)
        route = self._route(caller, dialled, max_forwards)
        phase: Phase
        if isinstance(route, ToService):
            phase = InService(call, request.sdp, route.service)
        else:
            phase = Setup(call, request.sdp, route, max_forwards - 1)
        call.start(phase)
        if arrived.flow.is_reliable:
            exchange.endpoint.vouch(arrived.flow, LONGEST_CALL_S)

    def _route(self, caller: Extension, dialled: str, max_forwards: int) -> Route:
        if max_forwards == 0:
            return Refused(483, "Too Many Hops")
        exchange = self._exchange
        route = route_call(exchange.configuration, caller, dialled, exchange.clock.wall()).route
        if isinstance(route, ToTrunks) and route.is_emergency:
            return route
        return exchange.screening.screen(Screened(caller.number), dialled) or route


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
    return f"<{SipUri(scheme, dialled, flow.local_host, flow.local_port, params)}>"


def _max_forwards(request: Request) -> int:
    value = request.headers.get("Max-Forwards")
    return int(value) if value is not None else DEFAULT_MAX_FORWARDS
