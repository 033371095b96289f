"""What every verb of a session shares: its state, its dialog and its way out."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, Protocol

from engine.core.errors import LocalError
from engine.sip.dialog import Dialog
from engine.sip.event.subscription import Subscription, SubscriptionEvent
from engine.sip.flow import Flow
from engine.sip.headers import Headers
from engine.sip.message import Request, Response, make_response
from engine.sip.session.events import SessionEvent
from engine.sip.transaction.client import ClientTransaction
from engine.sip.transaction.layer import TransactionLayer
from engine.sip.transaction.server import ServerTransaction

if TYPE_CHECKING:
    from engine.sip.login import Login
    from engine.sip.session.prack import EarlyDialog, ReliableSending
    from engine.sip.session.session import Session
    from engine.sip.session.timer import Expiry


class SessionState(IntEnum):
    """Where an INVITE session stands."""

    CALLING = 0
    """Our INVITE is out, nothing came back yet: it cannot be cancelled yet (section 9.1)."""
    PROCEEDING = 1
    """Our INVITE got a provisional response."""
    CANCELLING = 2
    """We gave our INVITE up and wait for its final response."""
    INCOMING = 3
    """The peer's INVITE waits for our final response."""
    ANSWERED = 4
    """Our 2xx waits for its ACK."""
    CONFIRMED = 5
    ENDING = 6
    """Our BYE is out, or waits for the ACK that must come first (section 15)."""
    ENDED = 7


_S = SessionState
MOVES: dict[SessionState, tuple[SessionState, ...]] = {
    _S.CALLING: (_S.PROCEEDING, _S.CANCELLING, _S.CONFIRMED, _S.ENDED),
    _S.PROCEEDING: (_S.CALLING, _S.CANCELLING, _S.CONFIRMED, _S.ENDED),
    _S.CANCELLING: (_S.ENDING, _S.ENDED),
    _S.INCOMING: (_S.ANSWERED, _S.ENDED),
    _S.ANSWERED: (_S.CONFIRMED, _S.ENDING, _S.ENDED),
    _S.CONFIRMED: (_S.ENDING, _S.ENDED),
    _S.ENDING: (_S.ENDED,),
    _S.ENDED: (),
}


class AgentServices(Protocol):
    """What a session needs of the user agent that holds it."""

    layer: TransactionLayer
    product: str
    allow: str
    least_expiry: int
    """The shortest session interval that we take, in seconds."""

    def emit(self, event: SessionEvent | SubscriptionEvent) -> None: ...
    def forget_subscription(self, subscription: Subscription) -> None: ...
    def answer_simply(self, transaction: ServerTransaction, request: Request, now: float) -> None: ...
    def token(self, size: int) -> str: ...
    def forget_session(self, session: Session) -> None: ...


ORDERS = ("talk", "hold")
"""Events by which a phone is asked to act as if its user did."""


class SessionCore:
    """State shared by the verbs; the verbs themselves are mixed into ``Session``."""

    __slots__ = (
        "_accept_data",
        "_accept_flow",
        "_accept_interval",
        "_accept_seq",
        "_ack",
        "_agent",
        "_asked",
        "_early",
        "_early_dialogs",
        "_end_reason",
        "_expiry",
        "_glares",
        "_invite",
        "_is_cancel_sent",
        "_is_referred",
        "_late_offer",
        "_least_expiry",
        "_login",
        "_offer_pending",
        "_refused_acks",
        "_reinvite",
        "_sending",
        "_takes_update",
        "_update",
        "call_id",
        "contact",
        "dialog",
        "flow",
        "heard_from",
        "is_ours",
        "local_tag",
        "state",
        "takes_events",
        "takes_info",
        "takes_orders",
        "timers",
        "user",
    )  # fmt: skip

    def __init__(
        self, agent: AgentServices, *, call_id: str, local_tag: str, contact: str, flow: Flow, state: SessionState
    ) -> None:
        self._agent = agent
        self.call_id = call_id
        self.local_tag = local_tag
        self.contact = contact
        """Our Contact value."""
        self.flow = flow
        self.heard_from = flow.remote_host
        """Where the peer's latest request in the dialog came from: it may have moved since the first."""
        self.state = state
        self.is_ours = state is SessionState.CALLING
        """Whether our INVITE made it, rather than the peer's."""
        self.dialog: Dialog | None = None
        """The confirmed dialog, or the one a caller's INVITE made."""
        self.user: Any = None
        self.timers: dict[str, list[object]] = {}
        self._invite: ClientTransaction | ServerTransaction | None = None
        self._early: tuple[str, ...] = ()
        """The peer's tags of our INVITE's early dialogs."""
        self._asked: ServerTransaction | None = None
        """An offer in PRACK or UPDATE, or a REFER, that the user has not answered yet."""
        self._is_referred = False
        """The peer's REFER is under way."""
        self._expiry: Expiry | None = None
        """How long the session lasts without a refresh; ``None`` is for ever."""
        self._least_expiry = 0
        """What the peer's 422 asked for, in seconds."""
        self.takes_events: tuple[str, ...] = ()
        """The events that the peer's Allow-Events names, ``talk`` and ``hold`` among them for remote control."""
        self.takes_orders = False
        """Whether we let the peer answer and hold for us (``ORDERS``), as a phone may."""
        self.takes_info = False
        """Whether the peer's Allow names INFO."""
        self._takes_update = False
        """Whether the peer's Allow names UPDATE."""
        self._update: ClientTransaction | None = None
        """Our UPDATE that waits for its answer."""
        self._login: Login | None = None
        """What challenges of the peer are answered with."""
        self._early_dialogs: dict[str, EarlyDialog] | None = None
        """Those in which our INVITE got reliable responses, by the peer's tag; ``None`` while there is none."""
        self._sending: ReliableSending | None = None
        """What is sent reliably to the caller; ``None`` when it did not ask for that."""
        self._refused_acks: dict[str | None, bytes] = {}
        """The ACK of each 2xx we did not want, by its To tag: a repeated 2xx gets it again and no second BYE."""
        self._late_offer = False
        self._offer_pending = False
        """Our 2xx carried an offer whose answer the ACK must bring."""
        self._reinvite: ClientTransaction | ServerTransaction | None = None
        self._glares = 0
        """How often in a row our re-INVITE met one of the peer."""
        self._end_reason: str | None = None
        """The Reason value that our CANCEL or BYE carries."""
        self._is_cancel_sent = False
        self._ack: bytes | None = None
        self._accept_data: bytes | None = None
        self._accept_flow: Flow = flow
        self._accept_interval = 0.0
        self._accept_seq = -1

    def _enter(self, state: SessionState) -> None:
        """The only place that changes ``state``."""
        if state not in MOVES[self.state]:
            raise LocalError(f"{self.describe()} cannot become {state.name.lower()}")
        self.state = state

    def describe(self) -> str:
        """One line for the log and the console."""
        return f"session {self.state.name.lower()} {self.flow.remote} {self.call_id}"

    @property
    def _me(self) -> Session:
        return self  # type: ignore[return-value]

    @property
    def peer_tag(self) -> str | None:
        """The peer's tag, of its first early dialog before the answer; ``None`` while there is none."""
        if self.dialog is not None:
            return self.dialog.remote_tag
        return self._early[0] if self._early else None

    def has_dialog_with(self, tag: str) -> bool:
        """Whether the peer's tag of a dialog of this session is ``tag``, early dialogs of our INVITE included.

        Tag 0 is a peer of RFC 2543, which has none.
        """
        if self.dialog is not None:
            return self.dialog.remote_tag == tag or (tag == "0" and not self.dialog.remote_tag)
        return tag in self._early or (tag == "0" and not self._early)

    def _confirmed_dialog(self) -> Dialog:
        if self.dialog is None:
            raise LocalError(f"{self.describe()} has no dialog")
        return self.dialog

    def _set_timer(self, name: str, duration: float, now: float) -> None:
        self._agent.layer.book.set(self, name, duration, now)

    def _clear_timer(self, name: str) -> None:
        self._agent.layer.book.clear(self, name)

    def on_timer(self, name: str, now: float) -> None:
        """Every timer ``name`` has its method ``_on_name`` beside the verb that sets it."""
        getattr(self, f"_on_{name}")(now)

    def _over(self) -> None:
        """The session ends here: nothing may stay behind."""
        if self.state is not SessionState.ENDED:
            self._enter(SessionState.ENDED)
        self._agent.layer.book.clear_all(self)
        self._agent.forget_session(self._me)
        if isinstance(self._invite, ServerTransaction):
            self._invite.user = None  # it lingers on, and nothing that still comes to it concerns us

    def _describe_us(self, headers: Headers) -> None:
        """The fields that every INVITE, its 1xx and its 2xx carry."""
        headers.add("Contact", self.contact)
        headers.add("Allow", self._agent.allow)
        if self.takes_orders:
            headers.add("Allow-Events", ", ".join(ORDERS))

    def _respond_invite(
        self, transaction: ServerTransaction, status: int, reason: str | None, sdp: bytes, now: float
    ) -> Response:
        assert transaction.request is not None
        response = make_response(transaction.request, status, reason, to_tag=self.local_tag)
        if 100 < status < 300:
            self._describe_us(response.headers)
        if status == 200:
            self._me.grant_expiry(transaction.request, response, now)
        put_sdp(response, sdp)
        transaction.respond(response, now)
        return response


def refuse_invite(
    layer: TransactionLayer,
    transaction: ServerTransaction,
    status: int,
    reason: str | None,
    to_tag: str,
    now: float,
    headers: tuple[tuple[str, str], ...] = (),
) -> None:
    """Answer an INVITE or re-INVITE with a final failure."""
    assert transaction.request is not None
    response = make_response(transaction.request, status, reason, to_tag=to_tag)
    for name, value in headers:
        response.headers.add(name, value)
    transaction.respond(response, now)


def warning_fields(code: int, host: str, text: str) -> tuple[tuple[str, str], ...]:
    """The Warning field of a failure, none for code 0; ``host`` is who warns (RFC 3261 section 20.43)."""
    if not code:
        return ()
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return (("Warning", f'{code} {host} "{quoted}"'),)


def put_sdp(message: Request | Response, sdp: bytes) -> None:
    """Carry ``sdp`` (when there is any) as the body."""
    if sdp:
        message.headers.add("Content-Type", "application/sdp")
        message.body = sdp
