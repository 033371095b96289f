"""Server transactions: INVITE and non-INVITE, each one table."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any, ClassVar, Protocol

from engine.core.errors import LocalError
from engine.sip.flow import Flow
from engine.sip.message import Request, Response, make_response, parse_message
from engine.sip.transaction.key import Key
from engine.sip.transaction.outputs import AckArrived, Output, ResponseFailed, Send
from engine.sip.transaction.timing import TimerBook, Timing


class ServerState(IntEnum):
    """States of figures 7 and 8, with RFC 6026's Accepted; an INVITE starts in PROCEEDING."""

    TRYING = 0
    PROCEEDING = 1
    ACCEPTED = 2
    COMPLETED = 3
    CONFIRMED = 4
    TERMINATED = 5


class ServerCue(IntEnum):
    """What can happen to a server transaction."""

    REQUEST = 0
    """The same request again."""
    ACK = 1
    SEND_PROVISIONAL = 2
    SEND_SUCCESS = 3
    SEND_FAILURE = 4
    RESEND = 5
    """Timer G."""
    GIVE_UP = 6
    """Timer H."""
    LINGER_OVER = 7
    """Timer I, J or L."""
    TRYING_DUE = 8
    """The 200 ms after which an INVITE gets its 100."""
    TRANSPORT_ERROR = 9
    FORGET = 10
    """It was answered without keeping state (RFC 3261 section 8.2.7)."""


_OURS = (ServerCue.SEND_PROVISIONAL, ServerCue.SEND_SUCCESS, ServerCue.SEND_FAILURE)


class LayerServices(Protocol):
    """What a transaction needs of its layer."""

    outputs: list[Output]
    book: TimerBook
    timing: Timing
    ignored_cues: int

    def forget_server(self, transaction: ServerTransaction) -> None: ...


Action = Callable[["ServerTransaction", float, "Request | Response | None"], None]
Table = dict[tuple[ServerState, ServerCue], tuple[ServerState, tuple[Action, ...]]]


class ServerTransaction:
    """One request of a peer until its answer is safely there; ``user`` is for whoever answers it."""

    __slots__ = (
        "_interval", "_layer", "flow", "key", "last_response", "merge_key", "method", "request", "state",
        "timers", "user",
    )  # fmt: skip
    table: ClassVar[Table] = {}
    first_state: ClassVar[ServerState] = ServerState.TRYING

    def __init__(self, layer: LayerServices, key: Key, request: Request, flow: Flow) -> None:
        self._layer = layer
        self._interval = layer.timing.t1
        self.key = key
        self.merge_key: Key | None = None
        self.method = request.method
        self.request: Request | None = request
        """Kept until the final response: then only its bytes, the key and a timer remain."""
        self.flow = flow
        self.state = self.first_state
        self.last_response: bytes | None = None
        self.timers: dict[str, list[object]] = {}
        self.user: Any = None

    def respond(self, response: Response, now: float) -> None:
        """Send a response; raises ``LocalError`` when a final one was already sent."""
        if response.status < 200:
            self.take(ServerCue.SEND_PROVISIONAL, now, response)
        elif response.status < 300:
            self.take(ServerCue.SEND_SUCCESS, now, response)
        else:
            self.take(ServerCue.SEND_FAILURE, now, response)

    def on_timer(self, name: str, now: float) -> None:
        self.take(_CUE_OF_TIMER[name], now)

    def take(self, cue: ServerCue, now: float, message: Request | Response | None = None) -> None:
        """The only place that changes ``state``: a peer's unexpected cue is counted, ours raises."""
        row = self.table.get((self.state, cue))
        if row is None:
            if cue in _OURS:
                raise LocalError(f"{self.describe()} cannot take {cue.name.lower()}")
            self._layer.ignored_cues += 1
            return
        self.state = row[0]
        for action in row[1]:
            action(self, now, message)

    @property
    def is_answered(self) -> bool:
        """Whether a final response was sent."""
        return self.state not in (ServerState.TRYING, ServerState.PROCEEDING)

    @property
    def sent_tag(self) -> str | None:
        """The To tag of our last response, if any was sent."""
        return parse_message(self.last_response).to_tag if self.last_response is not None else None

    def describe(self) -> str:
        """One line for the log and the console."""
        return f"server {self.method} {self.state.name.lower()} {self.flow.remote} {self.key[0]}"

    def send(self, now: float, message: Request | Response | None) -> None:
        assert isinstance(message, Response)
        self.last_response = message.encode()
        self._layer.outputs.append(Send(self.flow, self.last_response))

    def resend(self, now: float, message: Request | Response | None) -> None:
        if self.last_response is not None:
            self._layer.outputs.append(Send(self.flow, self.last_response))

    def send_trying(self, now: float, message: Request | Response | None) -> None:
        assert self.request is not None
        self.send(now, make_response(self.request, 100))

    def start_trying(self, now: float, message: Request | Response | None) -> None:
        self._layer.book.set(self, "trying", self._layer.timing.trying_delay, now)

    def stop_timers(self, now: float, message: Request | Response | None) -> None:
        self._layer.book.clear_all(self)

    def start_resending(self, now: float, message: Request | Response | None) -> None:
        """Timers G (UDP) and H of a failure."""
        if not self.flow.is_reliable:
            self._layer.book.set(self, "resend", self._interval, now)
        self._layer.book.set(self, "give_up", self._layer.timing.give_up, now)

    def double_interval(self, now: float, message: Request | Response | None) -> None:
        self._interval = min(self._interval * 2, self._layer.timing.t2)
        self._layer.book.set(self, "resend", self._interval, now)

    def pass_ack_up(self, now: float, message: Request | Response | None) -> None:
        assert isinstance(message, Request)
        self._layer.outputs.append(AckArrived(message, self.flow))

    def fail(self, now: float, message: Request | Response | None) -> None:
        self._layer.outputs.append(ResponseFailed(self))

    def linger(self, now: float, message: Request | Response | None) -> None:
        """Timers I, J and L: absorb what the network still brings."""
        timing = self._layer.timing
        if self.state is ServerState.ACCEPTED:
            duration = timing.give_up
        elif self.flow.is_reliable:
            self.take(ServerCue.LINGER_OVER, now)
            return
        else:
            duration = timing.t4 if self.state is ServerState.CONFIRMED else timing.give_up
        self._layer.book.set(self, "linger", duration, now)

    def drop_request(self, now: float, message: Request | Response | None) -> None:
        self.request = None

    def terminate(self, now: float, message: Request | Response | None) -> None:
        self._layer.book.clear_all(self)
        self._layer.forget_server(self)


_CUE_OF_TIMER = {
    "trying": ServerCue.TRYING_DUE,
    "resend": ServerCue.RESEND,
    "give_up": ServerCue.GIVE_UP,
    "linger": ServerCue.LINGER_OVER,
}

_S, _C, _T = ServerState, ServerCue, ServerTransaction


class InviteServerTransaction(ServerTransaction):
    """RFC 3261 section 17.2.1, figure 7, with RFC 6026 section 7.1.

    Resending the 2xx until the ACK is the session's work (RFC 3261 section 13.3.1.4), not this machine's.
    """

    __slots__ = ()
    first_state: ClassVar[ServerState] = ServerState.PROCEEDING
    table: ClassVar[Table] = {
        (_S.PROCEEDING, _C.REQUEST): (_S.PROCEEDING, (_T.resend,)),
        (_S.PROCEEDING, _C.TRYING_DUE): (_S.PROCEEDING, (_T.send_trying,)),
        (_S.PROCEEDING, _C.SEND_PROVISIONAL): (_S.PROCEEDING, (_T.stop_timers, _T.send)),
        (_S.PROCEEDING, _C.SEND_SUCCESS): (_S.ACCEPTED, (_T.stop_timers, _T.send, _T.drop_request, _T.linger)),
        (_S.PROCEEDING, _C.SEND_FAILURE): (
            _S.COMPLETED,
            (_T.stop_timers, _T.send, _T.drop_request, _T.start_resending),
        ),
        (_S.PROCEEDING, _C.TRANSPORT_ERROR): (_S.TERMINATED, (_T.terminate, _T.fail)),
        (_S.PROCEEDING, _C.FORGET): (_S.TERMINATED, (_T.terminate,)),
        (_S.ACCEPTED, _C.REQUEST): (_S.ACCEPTED, ()),
        (_S.ACCEPTED, _C.ACK): (_S.ACCEPTED, (_T.pass_ack_up,)),
        (_S.ACCEPTED, _C.SEND_SUCCESS): (_S.ACCEPTED, (_T.send,)),
        (_S.ACCEPTED, _C.LINGER_OVER): (_S.TERMINATED, (_T.terminate,)),
        (_S.COMPLETED, _C.REQUEST): (_S.COMPLETED, (_T.resend,)),
        (_S.COMPLETED, _C.RESEND): (_S.COMPLETED, (_T.resend, _T.double_interval)),
        (_S.COMPLETED, _C.ACK): (_S.CONFIRMED, (_T.stop_timers, _T.linger)),
        (_S.COMPLETED, _C.GIVE_UP): (_S.TERMINATED, (_T.terminate, _T.fail)),
        (_S.COMPLETED, _C.TRANSPORT_ERROR): (_S.TERMINATED, (_T.terminate, _T.fail)),
        (_S.CONFIRMED, _C.ACK): (_S.CONFIRMED, ()),
        (_S.CONFIRMED, _C.REQUEST): (_S.CONFIRMED, ()),
        (_S.CONFIRMED, _C.LINGER_OVER): (_S.TERMINATED, (_T.terminate,)),
    }


class NonInviteServerTransaction(ServerTransaction):
    """RFC 3261 section 17.2.2, figure 8."""

    __slots__ = ()
    table: ClassVar[Table] = {
        (_S.TRYING, _C.REQUEST): (_S.TRYING, ()),
        (_S.TRYING, _C.FORGET): (_S.TERMINATED, (_T.terminate,)),
        (_S.TRYING, _C.SEND_PROVISIONAL): (_S.PROCEEDING, (_T.send,)),
        (_S.TRYING, _C.SEND_SUCCESS): (_S.COMPLETED, (_T.send, _T.drop_request, _T.linger)),
        (_S.TRYING, _C.SEND_FAILURE): (_S.COMPLETED, (_T.send, _T.drop_request, _T.linger)),
        (_S.PROCEEDING, _C.REQUEST): (_S.PROCEEDING, (_T.resend,)),
        (_S.PROCEEDING, _C.SEND_PROVISIONAL): (_S.PROCEEDING, (_T.send,)),
        (_S.PROCEEDING, _C.SEND_SUCCESS): (_S.COMPLETED, (_T.send, _T.drop_request, _T.linger)),
        (_S.PROCEEDING, _C.SEND_FAILURE): (_S.COMPLETED, (_T.send, _T.drop_request, _T.linger)),
        (_S.PROCEEDING, _C.TRANSPORT_ERROR): (_S.TERMINATED, (_T.terminate, _T.fail)),
        (_S.COMPLETED, _C.REQUEST): (_S.COMPLETED, (_T.resend,)),
        (_S.COMPLETED, _C.LINGER_OVER): (_S.TERMINATED, (_T.terminate,)),
        (_S.COMPLETED, _C.TRANSPORT_ERROR): (_S.TERMINATED, (_T.terminate, _T.fail)),
    }
