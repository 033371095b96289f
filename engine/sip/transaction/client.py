"""Client transactions: INVITE and non-INVITE, each one table."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any, ClassVar, Protocol

from engine.sip.flow import Flow
from engine.sip.headers import Headers
from engine.sip.message import Request, Response, parse_message
from engine.sip.transaction.key import Key
from engine.sip.transaction.outputs import Output, RequestFailed, ResponseArrived, Send
from engine.sip.transaction.timing import TimerBook, Timing


class ClientState(IntEnum):
    """States of figures 5 and 6, with RFC 6026's Accepted; TRYING is Calling for INVITE."""

    TRYING = 0
    PROCEEDING = 1
    ACCEPTED = 2
    COMPLETED = 3
    TERMINATED = 4


class ClientCue(IntEnum):
    """What can happen to a client transaction."""

    PROVISIONAL = 0
    SUCCESS = 1
    FAILURE = 2
    RESEND = 3
    """Timer A or E."""
    GIVE_UP = 4
    """Timer B or F."""
    LINGER_OVER = 5
    """Timer D, K or M."""
    TRANSPORT_ERROR = 6
    ABANDON = 7
    """The user waits no longer (RFC 3261 section 9.1, last paragraph)."""
    LIMIT = 8
    """The user expects a final response within 64*T1."""


class LayerServices(Protocol):
    """What a transaction needs of its layer."""

    outputs: list[Output]
    book: TimerBook
    timing: Timing
    ignored_cues: int

    def forget_client(self, transaction: ClientTransaction) -> None: ...


Action = Callable[["ClientTransaction", float, "Response | None"], None]
Table = dict[tuple[ClientState, ClientCue], tuple[ClientState, tuple[Action, ...]]]


class ClientTransaction:
    """One request of ours until its final response; ``user`` is for whoever sent it."""

    __slots__ = (
        "_ack", "_interval", "_layer", "_request", "data", "flow", "key", "method", "small_flow", "state", "timers",
        "user",
    )  # fmt: skip
    table: ClassVar[Table] = {}

    def __init__(self, layer: LayerServices, key: Key, request: Request, flow: Flow, user: Any) -> None:
        self._layer = layer
        self._ack: bytes | None = None
        self._interval = layer.timing.t1
        self.key = key
        self.method = request.method
        self._request: Request | None = request
        self.data = request.encode()
        self.flow = flow
        self.small_flow: Flow | None = None
        """The UDP flow of a request that goes over TCP for its size alone."""
        self.state = ClientState.TRYING
        self.timers: dict[str, list[object]] = {}
        self.user = user

    def start(self, now: float) -> None:
        """Send the request and start timers A/E and B/F."""
        layer = self._layer
        layer.outputs.append(Send(self.flow, self.data))
        if not self.flow.is_reliable:
            layer.book.set(self, "resend", self._interval, now)
        layer.book.set(self, "give_up", layer.timing.give_up, now)

    def switch(self, flow: Flow) -> None:
        """Go over ``flow`` for the size of the request: to be called before ``start`` (RFC 3261 section 18.1.1)."""
        self.small_flow, self.flow = self.flow, flow
        self._readdress()

    def switch_back(self, now: float) -> bool:
        """TCP was refused: the request goes over UDP after all. False when there is no such way."""
        flow = self.small_flow
        if flow is None or self.state is not ClientState.TRYING:
            return False
        self.small_flow, self.flow = None, flow
        self._readdress()
        self._layer.book.clear_all(self)
        self.start(now)
        return True

    def _readdress(self) -> None:
        """The top Via names the transport and the address that are used."""
        request = self.request
        via = f"SIP/2.0/{self.flow.transport} {self.flow.sent_by};branch={self.key[0]};rport"
        tail = [(name, value) for name, value in request.headers][1:]
        request.headers = Headers([("Via", via), *tail])
        self.data = request.encode()

    def receive(self, response: Response, now: float) -> None:
        if response.status < 200:
            self.take(ClientCue.PROVISIONAL, now, response)
        elif response.status < 300:
            self.take(ClientCue.SUCCESS, now, response)
        else:
            self.take(ClientCue.FAILURE, now, response)

    @property
    def request(self) -> Request:
        """What was sent: read again from its bytes once it was let go."""
        if self._request is not None:
            return self._request
        request = parse_message(self.data)
        assert isinstance(request, Request)
        return request

    def let_request_go(self) -> None:
        """Keep no more than the bytes: who lingers for half a minute must not weigh much."""
        self._request = None

    def abandon(self, now: float) -> None:
        """Stop waiting for a final response; what still comes is a stray."""
        self.take(ClientCue.ABANDON, now)
        self.user = None

    def limit(self, now: float) -> None:
        """Wait 64*T1 more at most: the dialog is over, whose end the peer should confirm with a final response."""
        self.take(ClientCue.LIMIT, now)

    def on_timer(self, name: str, now: float) -> None:
        self.take(_CUE_OF_TIMER[name], now)
        if name == "linger":
            self.user = None  # nothing more comes, and sessions know their transactions: no cycle may stay

    def take(self, cue: ClientCue, now: float, response: Response | None = None) -> None:
        """The only place that changes ``state``; what the table does not name is ignored and counted."""
        row = self.table.get((self.state, cue))
        if row is None:
            self._layer.ignored_cues += 1
            return
        self.state = row[0]
        for action in row[1]:
            action(self, now, response)

    def describe(self) -> str:
        """One line for the log and the console."""
        return f"client {self.method} {self.state.name.lower()} {self.flow.remote} {self.key[0]}"

    def resend(self, now: float, response: Response | None) -> None:
        self._layer.outputs.append(Send(self.flow, self.data))

    def double_interval(self, now: float, response: Response | None) -> None:
        """Timer A doubles without limit until timer B; timer E stops at T2 (17.1.2.2)."""
        self._interval *= 2
        if self.method != "INVITE":
            self._interval = min(self._interval, self._layer.timing.t2)
        self._layer.book.set(self, "resend", self._interval, now)

    def start_limit(self, now: float, response: Response | None) -> None:
        self._layer.book.set(self, "give_up", self._layer.timing.give_up, now)

    def resend_slowly(self, now: float, response: Response | None) -> None:
        self._interval = self._layer.timing.t2
        self._layer.book.set(self, "resend", self._interval, now)

    def stop_timers(self, now: float, response: Response | None) -> None:
        self._layer.book.clear_all(self)

    def pass_up(self, now: float, response: Response | None) -> None:
        assert response is not None
        self._layer.outputs.append(ResponseArrived(self, response))

    def fail_408(self, now: float, response: Response | None) -> None:
        self._layer.outputs.append(RequestFailed(self, 408))

    def fail_503(self, now: float, response: Response | None) -> None:
        self._layer.outputs.append(RequestFailed(self, 503))

    def acknowledge(self, now: float, response: Response | None) -> None:
        """The ACK of a failure belongs to the transaction (RFC 3261 section 17.1.1.3)."""
        if self._ack is None:
            assert response is not None
            self._ack = ack_of_failure(self.request, response).encode()
            self.let_request_go()
        self._layer.outputs.append(Send(self.flow, self._ack))

    def linger(self, now: float, response: Response | None) -> None:
        """Timers D, K and M: absorb what the network still brings."""
        timing = self._layer.timing
        if self.state is ClientState.ACCEPTED:
            duration = timing.give_up
        elif self.flow.is_reliable:
            self.take(ClientCue.LINGER_OVER, now)
            return
        elif self.method == "INVITE":
            duration = timing.d
        else:
            duration = timing.t4
            self.let_request_go()
        self._layer.book.set(self, "linger", duration, now)

    def terminate(self, now: float, response: Response | None) -> None:
        self._layer.book.clear_all(self)
        self._layer.forget_client(self)


_CUE_OF_TIMER = {
    "resend": ClientCue.RESEND,
    "give_up": ClientCue.GIVE_UP,
    "linger": ClientCue.LINGER_OVER,
}

_S, _C, _T = ClientState, ClientCue, ClientTransaction


class InviteClientTransaction(ClientTransaction):
    """RFC 3261 section 17.1.1, figure 5, with RFC 6026 section 7.2."""

    __slots__ = ()
    table: ClassVar[Table] = {
        (_S.TRYING, _C.RESEND): (_S.TRYING, (_T.resend, _T.double_interval)),
        (_S.TRYING, _C.GIVE_UP): (_S.TERMINATED, (_T.terminate, _T.fail_408)),
        (_S.TRYING, _C.TRANSPORT_ERROR): (_S.TERMINATED, (_T.terminate, _T.fail_503)),
        (_S.TRYING, _C.PROVISIONAL): (_S.PROCEEDING, (_T.stop_timers, _T.pass_up)),
        (_S.TRYING, _C.SUCCESS): (_S.ACCEPTED, (_T.stop_timers, _T.linger, _T.pass_up)),
        (_S.TRYING, _C.FAILURE): (_S.COMPLETED, (_T.stop_timers, _T.acknowledge, _T.pass_up, _T.linger)),
        (_S.PROCEEDING, _C.PROVISIONAL): (_S.PROCEEDING, (_T.pass_up,)),
        (_S.PROCEEDING, _C.SUCCESS): (_S.ACCEPTED, (_T.stop_timers, _T.linger, _T.pass_up)),
        (_S.PROCEEDING, _C.FAILURE): (_S.COMPLETED, (_T.stop_timers, _T.acknowledge, _T.pass_up, _T.linger)),
        (_S.PROCEEDING, _C.LIMIT): (_S.PROCEEDING, (_T.start_limit,)),
        (_S.PROCEEDING, _C.GIVE_UP): (_S.TERMINATED, (_T.terminate, _T.fail_408)),
        (_S.PROCEEDING, _C.TRANSPORT_ERROR): (_S.TERMINATED, (_T.terminate, _T.fail_503)),
        (_S.TRYING, _C.ABANDON): (_S.TERMINATED, (_T.terminate,)),
        (_S.PROCEEDING, _C.ABANDON): (_S.TERMINATED, (_T.terminate,)),
        (_S.TRYING, _C.LIMIT): (_S.TRYING, ()),  # timer B runs
        (_S.ACCEPTED, _C.SUCCESS): (_S.ACCEPTED, (_T.pass_up,)),
        (_S.ACCEPTED, _C.LINGER_OVER): (_S.TERMINATED, (_T.terminate,)),
        (_S.COMPLETED, _C.FAILURE): (_S.COMPLETED, (_T.acknowledge,)),
        (_S.COMPLETED, _C.TRANSPORT_ERROR): (_S.TERMINATED, (_T.terminate,)),
        (_S.COMPLETED, _C.LINGER_OVER): (_S.TERMINATED, (_T.terminate,)),
    }


class NonInviteClientTransaction(ClientTransaction):
    """RFC 3261 section 17.1.2, figure 6."""

    __slots__ = ()
    table: ClassVar[Table] = {
        (_S.TRYING, _C.RESEND): (_S.TRYING, (_T.resend, _T.double_interval)),
        (_S.TRYING, _C.GIVE_UP): (_S.TERMINATED, (_T.terminate, _T.fail_408)),
        (_S.TRYING, _C.TRANSPORT_ERROR): (_S.TERMINATED, (_T.terminate, _T.fail_503)),
        (_S.TRYING, _C.PROVISIONAL): (_S.PROCEEDING, (_T.pass_up,)),
        (_S.TRYING, _C.SUCCESS): (_S.COMPLETED, (_T.stop_timers, _T.pass_up, _T.linger)),
        (_S.TRYING, _C.FAILURE): (_S.COMPLETED, (_T.stop_timers, _T.pass_up, _T.linger)),
        (_S.PROCEEDING, _C.RESEND): (_S.PROCEEDING, (_T.resend, _T.resend_slowly)),
        (_S.PROCEEDING, _C.GIVE_UP): (_S.TERMINATED, (_T.terminate, _T.fail_408)),
        (_S.PROCEEDING, _C.TRANSPORT_ERROR): (_S.TERMINATED, (_T.terminate, _T.fail_503)),
        (_S.PROCEEDING, _C.PROVISIONAL): (_S.PROCEEDING, (_T.pass_up,)),
        (_S.PROCEEDING, _C.SUCCESS): (_S.COMPLETED, (_T.stop_timers, _T.pass_up, _T.linger)),
        (_S.PROCEEDING, _C.FAILURE): (_S.COMPLETED, (_T.stop_timers, _T.pass_up, _T.linger)),
        (_S.TRYING, _C.ABANDON): (_S.TERMINATED, (_T.terminate,)),
        (_S.PROCEEDING, _C.ABANDON): (_S.TERMINATED, (_T.terminate,)),
        (_S.COMPLETED, _C.LINGER_OVER): (_S.TERMINATED, (_T.terminate,)),
    }


def ack_of_failure(invite: Request, response: Response) -> Request:
    """The ACK of a 3xx-6xx: the INVITE's top Via, its Route set and the response's To."""
    headers = Headers([("Via", invite.headers.get("Via") or "")])
    for name in ("From", "Call-ID"):
        headers.add(name, invite.headers.get(name) or "")
    headers.add("To", response.headers.get("To") or "")
    headers.add("CSeq", f"{invite.cseq.number} ACK")
    headers.add("Max-Forwards", "70")
    for route in invite.headers.all("Route"):
        headers.add("Route", route)
    return Request("ACK", invite.uri, headers)
