"""The user agent: the transaction layer, its dialogs and sessions behind one sans-IO face (RFC 3261 section 8)."""

from __future__ import annotations

from collections.abc import Callable, Set

from engine.core.errors import RemoteError
from engine.core.peering import ReliableProvisional
from engine.sip.dialog import Dialog, uas_dialog
from engine.sip.event.subscription import Subscription, SubscriptionEvent
from engine.sip.flow import Flow
from engine.sip.headers import Headers
from engine.sip.inspection import ACCEPT, Fields, Refusal, inspect_request
from engine.sip.login import Login
from engine.sip.message import Request, make_response
from engine.sip.methods import ALLOW, KNOWN_METHODS, SERVED_METHODS
from engine.sip.session import Session
from engine.sip.session.core import SessionState, put_sdp
from engine.sip.session.events import SessionEvent
from engine.sip.session.prack import TAG, wants_reliable
from engine.sip.session.replaces import TAG as REPLACES
from engine.sip.session.timer import LEAST_MIN_S
from engine.sip.session.timer import TAG as TIMER
from engine.sip.transaction.client import ClientTransaction
from engine.sip.transaction.layer import TransactionLayer, lasting_tag
from engine.sip.transaction.outputs import (
    AckArrived,
    CancelArrived,
    RequestArrived,
    RequestFailed,
    ResponseArrived,
    ResponseFailed,
    Send,
)
from engine.sip.transaction.server import ServerTransaction
from engine.sip.transaction.timing import Timing

OPTIONS = f"{TAG}, {TIMER}, {REPLACES}"
"""The option tags that we support, as a Supported field says them."""
_OFFERED = {
    ReliableProvisional.OFF: (("Supported", f"{TIMER}, {REPLACES}"),),
    ReliableProvisional.SUPPORTED: (("Supported", OPTIONS),),
    ReliableProvisional.REQUIRED: (("Supported", OPTIONS), ("Require", TAG)),
}
"""What our INVITE says of reliable provisional responses; there are phones that look at Supported alone."""

AgentOutput = Send | RequestArrived | ResponseArrived | RequestFailed | SessionEvent | SubscriptionEvent


class UserAgent:
    """Datagrams and time in; what to send and what happened out, in order.

    A ``RequestArrived`` is a new request outside any dialog: answer it with ``respond``, or make an INVITE a
    session with ``take_invite``. ``ResponseArrived`` and ``RequestFailed`` belong to ``send_request``.
    """

    def __init__(self, token: Callable[[int], str], product: str, timing: Timing | None = None) -> None:
        self.token = token
        self.product = product
        self.allow = ALLOW
        self.least_expiry = LEAST_MIN_S
        """The shortest session interval that we take, in seconds (RFC 4028)."""
        self.layer = TransactionLayer(token, timing)
        self.sessions: dict[tuple[str, str], Session] = {}
        """By Call-ID and our tag."""
        self.subscriptions: dict[tuple[str, str], Subscription] = {}
        """The same of watchers."""
        self._outputs: list[AgentOutput] = []

    # -- driving ------------------------------------------------------------------------------------------------

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        self.layer.receive(data, flow, now)
        self._drain(now)

    def refuse(self, data: bytes, flow: Flow, status: int, reason: str) -> None:
        """Answer a request whose end in its stream cannot be told; ``data`` is its head."""
        self.layer.refuse(data, flow, status, reason)

    def advance(self, now: float) -> None:
        self.layer.advance(now)
        self._drain(now)

    def next_timer(self) -> float | None:
        return self.layer.next_timer()

    def fail_flow(self, flow: Flow, now: float) -> None:
        """Nothing can be sent on ``flow``: what waits for an answer there fails now, with 503."""
        self.layer.fail_flows({flow}, now)

    def fail_flows(self, failed: Set[Flow], now: float) -> None:
        """As ``fail_flow`` for several at once."""
        self.layer.fail_flows(failed, now)

    def lose_flows(self, lost: Set[Flow], now: float) -> None:
        """These connections are gone: requests of ours on them fail, calls go on."""
        self.layer.lose_flows(lost, now)

    def move_sessions(self, old: Flow, new: Flow) -> None:
        """The peer of ``old`` is now reached on ``new``: what its calls still have to say goes there."""
        for session in self.sessions.values():
            if session.flow == old:
                session.flow = new

    def take_outputs(self, now: float) -> list[AgentOutput]:
        """Everything since the last call, in order."""
        if self.layer.outputs:
            self._drain(now)
        outputs = self._outputs
        if outputs:
            self._outputs = []
        return outputs

    # -- what the user does -------------------------------------------------------------------------------------

    def invite(
        self,
        *,
        target: str,
        flow: Flow,
        caller: str,
        callee: str,
        contact: str,
        sdp: bytes,
        now: float,
        user: object = None,
        routes: tuple[str, ...] = (),
        headers: tuple[tuple[str, str], ...] = (),
        max_forwards: int = 70,
        reliable: ReliableProvisional = ReliableProvisional.SUPPORTED,
        login: Login | None = None,
        expires: int = 0,
    ) -> Session:
        """Call ``target``; ``caller`` and ``callee`` are From and To values without tags.

        ``login`` answers challenges of this peer, to the INVITE and to whatever follows. With ``expires`` the
        session is to be refreshed within as many seconds (RFC 4028); else only when the peer wants it.
        """
        tag, call_id = self.token(8), self.token(16)
        session = Session(
            self, call_id=call_id, local_tag=tag, contact=contact, flow=flow, state=SessionState.CALLING
        )
        session.user = user
        session._login = login
        fields = Headers([
            *[("Route", route) for route in routes],
            ("Max-Forwards", str(max_forwards)),
            ("From", f"{caller};tag={tag}"),
            ("To", callee),
            ("Call-ID", call_id),
            ("CSeq", "1 INVITE"),
            ("Contact", contact),
            ("Allow", self.allow),
            *_OFFERED[reliable],
            *((("Session-Expires", str(expires)),) if expires else ()),
            ("User-Agent", self.product),
            *headers,
        ])  # fmt: skip
        request = Request("INVITE", target, fields)
        put_sdp(request, sdp)
        self.sessions[(call_id, tag)] = session
        session.send_invite(request, now)
        return session

    def take_invite(
        self,
        arrived: RequestArrived,
        contact: str,
        user: object = None,
        reliable: ReliableProvisional = ReliableProvisional.SUPPORTED,
    ) -> Session:
        """Make an arrived INVITE a session to ring, answer or reject; raises ``RemoteError(400)``.

        Whether it may be taken from a peer that is set as ``reliable`` says ``refuse_reliability``.
        """
        transaction, request, flow = arrived
        tag = self.token(8)
        dialog = uas_dialog(request, tag, flow)
        session = Session(
            self, call_id=request.call_id, local_tag=tag, contact=contact, flow=flow, state=SessionState.INCOMING
        )
        session.begin_incoming(transaction, dialog, is_late_offer=not request.sdp)
        if wants_reliable(request.headers, reliable):
            session.begin_reliably(request)
        session.user = user
        transaction.user = session
        self.sessions[(request.call_id, tag)] = session
        return session

    def take_subscribe(
        self,
        arrived: RequestArrived,
        contact: str,
        event: str,
        event_id: str | None,
        seconds: int,
        now: float,
        *,
        is_list: bool = False,
    ) -> Subscription:
        """Make an arrived SUBSCRIBE a subscription, which owes a NOTIFY at once; raises ``RemoteError(400)``."""
        transaction, request, flow = arrived
        dialog = uas_dialog(request, self.token(8), flow)
        subscription = Subscription(self, dialog, flow, contact, event, event_id)
        subscription.is_list = is_list
        subscription.accept(transaction, request, seconds, now)
        self.subscriptions[subscription.key] = subscription
        return subscription

    def resume_subscription(
        self, dialog: Dialog, contact: str, event: str, event_id: str | None, version: int, expires_at: float
    ) -> Subscription:
        """A subscription of an earlier run, which owes a NOTIFY; ``expires_at`` is on the clock."""
        subscription = Subscription(self, dialog, dialog.flow, contact, event, event_id)
        subscription.version = version
        subscription.expires_at = expires_at
        self.subscriptions[subscription.key] = subscription
        return subscription

    def send_request(self, request: Request, flow: Flow, now: float, user: object = None) -> ClientTransaction:
        """Send a request outside any dialog; its From needs a tag, its Via is added here."""
        return self.layer.send_request(request, flow, now, user)

    def respond(
        self,
        arrived: RequestArrived,
        status: int,
        now: float,
        *,
        reason: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Answer a request outside any dialog."""
        response = make_response(arrived.request, status, reason, to_tag=self.token(8))
        for name, value in headers:
            response.headers.add(name, value)
        arrived.transaction.respond(response, now)

    def answer_stranger(
        self,
        arrived: RequestArrived,
        status: int,
        now: float,
        headers: tuple[tuple[str, str], ...],
        reason: str | None = None,
    ) -> None:
        """Answer who has not logged in (401, 407, 403, 400) without keeping state, and never twice unasked."""
        self._answer_once(arrived.transaction, arrived.request, status, now, headers, reason)

    # -- what sessions need -------------------------------------------------------------------------------------

    def emit(self, event: SessionEvent | SubscriptionEvent) -> None:
        self._take_sends()
        self._outputs.append(event)

    def forget_session(self, session: Session) -> None:
        self.sessions.pop((session.call_id, session.local_tag), None)

    def forget_subscription(self, subscription: Subscription) -> None:
        self.subscriptions.pop(subscription.key, None)

    def answer_simply(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        """OPTIONS with what we can, methods we do not serve with 405 or 501 (sections 8.2.1, 11.2).

        Whoever asks again is told the same again: nothing of it is kept.
        """
        if request.method == "OPTIONS":
            self._answer_once(
                transaction, request, 200, now, (*ACCEPT, ("Allow", self.allow), ("Supported", OPTIONS))
            )
        else:
            status = 405 if request.method in KNOWN_METHODS else 501
            self._answer_once(transaction, request, status, now, (("Allow", self.allow),))

    # -- what comes up from the layer ---------------------------------------------------------------------------

    def _take_sends(self) -> None:
        """Keep the order of sends and events: what the layer has sent so far comes first."""
        pending = self.layer.outputs
        while pending:
            first = pending[0]
            if not isinstance(first, Send):
                return
            self._outputs.append(first)
            del pending[0]

    def _drain(self, now: float) -> None:
        layer = self.layer
        while layer.outputs:
            for output in layer.take_outputs():
                kind = type(output)
                if kind is Send:
                    self._outputs.append(output)  # type: ignore[arg-type]
                elif kind is ResponseArrived:
                    self._receive_response(output, now)  # type: ignore[arg-type]
                elif kind is RequestArrived:
                    self._receive_request(output, now)  # type: ignore[arg-type]
                elif kind is AckArrived:
                    self._receive_ack(output, now)  # type: ignore[arg-type]
                elif kind is CancelArrived:
                    self._receive_cancel(output, now)  # type: ignore[arg-type]
                elif kind is RequestFailed:
                    self._request_failed(output, now)  # type: ignore[arg-type]
                elif kind is ResponseFailed:
                    self._response_failed(output)  # type: ignore[arg-type]

    def _receive_request(self, arrived: RequestArrived, now: float) -> None:
        """Whatever is wrong with a request it is answered: a transaction without an answer never ends."""
        try:
            self._take_request(arrived, now)
        except RemoteError as error:
            self._answer_at_last(arrived, error.status, error.reason, now)
        except Exception:
            self._answer_at_last(arrived, 500, None, now)
            raise

    def _answer_at_last(self, arrived: RequestArrived, status: int, reason: str | None, now: float) -> None:
        transaction, request, _ = arrived
        if not transaction.is_answered:
            self._answer_once(transaction, request, status, now, (), reason)

    def _take_request(self, arrived: RequestArrived, now: float) -> None:
        transaction, request, _ = arrived
        tag = request.to_tag
        if tag is None and request.method not in SERVED_METHODS:
            self.answer_simply(transaction, request, now)
            return
        refusal = inspect_request(request)
        if refusal is not None:
            self._refuse(arrived, refusal, now)
            return
        if tag is None:
            if request.method in ("INVITE", "REGISTER", "MESSAGE", "SUBSCRIBE"):
                self._take_sends()
                self._outputs.append(arrived)
            elif request.method in ("BYE", "PRACK", "UPDATE", "REFER", "INFO"):
                self._answer_once(transaction, request, 481, now)
            else:
                self.answer_simply(transaction, request, now)
            return
        session = self.sessions.get((request.call_id, tag))
        if session is None:
            subscription = self.subscriptions.get((request.call_id, tag))
            if subscription is not None:
                subscription.receive(transaction, request, now)
                return
            self._answer_once(transaction, request, 481, now)
        else:
            session.receive_request(transaction, request, now)

    def _refuse(self, arrived: RequestArrived, refusal: Refusal, now: float) -> None:
        transaction, request, _ = arrived
        if (request.call_id, request.to_tag) not in self.sessions:
            self._answer_once(transaction, request, refusal.status, now, refusal.headers, refusal.reason)
            return
        response = make_response(request, refusal.status, refusal.reason)
        for name, value in refusal.headers:
            response.headers.add(name, value)
        transaction.respond(response, now)

    def _answer_once(
        self,
        transaction: ServerTransaction,
        request: Request,
        status: int,
        now: float,
        headers: Fields = (),
        reason: str | None = None,
    ) -> None:
        """A final response that whoever asks again gets again: strangers may send such requests without end."""
        response = make_response(request, status, reason, to_tag=lasting_tag(request))
        for name, value in headers:
            response.headers.add(name, value)
        self.layer.answer_once(transaction, response, now)

    def _receive_ack(self, arrived: AckArrived, now: float) -> None:
        try:
            session = self.sessions.get((arrived.request.call_id, arrived.request.to_tag or ""))
            if session is not None:
                session.receive_ack(arrived.request, now)
        except RemoteError:
            self.layer.ignored_cues += 1  # one that came in its INVITE's transaction is read here first

    def _receive_cancel(self, arrived: CancelArrived, now: float) -> None:
        transaction, request, invite = arrived
        if invite is None:
            self._answer_once(transaction, request, 481, now)
            return
        session = invite.user
        tag = session.local_tag if isinstance(session, Session) else invite.sent_tag or self.token(8)
        transaction.respond(make_response(request, 200, to_tag=tag), now)
        if isinstance(session, Session):
            session.receive_cancel(invite, request.headers.get("Reason"), now)

    def _receive_response(self, output: ResponseArrived, now: float) -> None:
        user = output.transaction.user
        if isinstance(user, Session):
            try:
                user.receive_response(output, now)
            except RemoteError:
                self.layer.ignored_cues += 1  # a response whose Contact is no URI cannot be used
        elif isinstance(user, Subscription):
            user.receive_response(output, now)
        elif user is not None:
            self._take_sends()
            self._outputs.append(output)

    def _response_failed(self, output: ResponseFailed) -> None:
        user = output.transaction.user
        if isinstance(user, Session):
            user.response_failed(output.transaction)

    def _request_failed(self, output: RequestFailed, now: float) -> None:
        user = output.transaction.user
        if isinstance(user, Session):
            user.request_failed(output, now)
        elif isinstance(user, Subscription):
            user.request_failed(output)
        elif user is not None:
            self._outputs.append(output)


__all__ = ["AgentOutput", "ResponseFailed", "UserAgent"]
