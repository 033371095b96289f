"""One subscription, seen from the notifier: its dialog, how long it lasts, one NOTIFY at a time (RFC 6665)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from engine.core.errors import RemoteError
from engine.sip.dialog import Dialog, contact_of
from engine.sip.flow import Flow
from engine.sip.message import Request, make_response
from engine.sip.transaction.outputs import RequestFailed, ResponseArrived
from engine.sip.transaction.server import ServerTransaction

if TYPE_CHECKING:
    from engine.sip.session.core import AgentServices

LEAST_S, DEFAULT_S, LONGEST_S = 60, 3600, 7200
"""Of a subscription: shorter ones would be refreshed all the time, longer ones outlive what they are about."""

LIST_TAG = "eventlist"
"""The option tag of resource lists."""
_GONE = frozenset({404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604})
"""Answers to a NOTIFY after which its subscription is no more (RFC 6665 section 4.2.2, RFC 5057)."""


class Resubscribed(NamedTuple):
    """The watcher asks anew, and is owed everything."""

    subscription: Subscription


class NotifyDue(NamedTuple):
    """The NOTIFY before is answered, and something has changed meanwhile."""

    subscription: Subscription


class Unsubscribed(NamedTuple):
    """The watcher is gone: it ended the subscription, or does not know it any more."""

    subscription: Subscription


class WatcherCutOff(NamedTuple):
    """The watcher's connection is gone; the subscription lasts until its time is over."""

    subscription: Subscription


SubscriptionEvent = Resubscribed | NotifyDue | Unsubscribed | WatcherCutOff


class Subscription:
    """The notifier's side. Whoever keeps it decides what it is told; time is looked at from outside."""

    __slots__ = (
        "_agent", "_is_stale", "_notify", "contact", "dialog", "event", "event_id", "expires_at", "flow",
        "has_ended", "is_doubtful", "is_list", "timers", "user", "version",
    )  # fmt: skip

    def __init__(
        self, agent: AgentServices, dialog: Dialog, flow: Flow, contact: str, event: str, event_id: str | None
    ) -> None:
        self._agent = agent
        self.dialog = dialog
        self.flow = flow
        self.contact = contact
        """Our Contact value."""
        self.event = event
        """The event package."""
        self.event_id = event_id
        self.expires_at = 0.0
        """On the clock."""
        self.version = 0
        """Of the next document."""
        self.is_list = False
        """Whether it is told in resource lists (RFC 4662)."""
        self.is_doubtful = False
        """The watcher may not have taken what it was told last."""
        self.has_ended = False
        self.user: Any = None
        self.timers: dict[str, list[object]] = {}
        self._notify: object = None
        """The NOTIFY that waits for its answer."""
        self._is_stale = False
        """Something has changed since that NOTIFY."""

    @property
    def key(self) -> tuple[str, str]:
        """Call-ID and our tag."""
        return self.dialog.call_id, self.dialog.local_tag

    @property
    def may_notify(self) -> bool:
        """Whether a NOTIFY may go out now; else ``NotifyDue`` follows when it may."""
        if self._notify is not None:
            self._is_stale = True
        return self._notify is None and not self.has_ended

    @property
    def is_at_rest(self) -> bool:
        """Whether the watcher has answered whatever it was told."""
        return self._notify is None and not self.has_ended

    def accept(self, transaction: ServerTransaction, request: Request, seconds: int, now: float) -> None:
        """Say 200: the subscription lasts ``seconds`` from now; 0 ends it, and the last NOTIFY is owed."""
        self.expires_at = now + seconds
        response = make_response(request, 200, to_tag=self.dialog.local_tag)
        response.headers.add("Contact", self.contact)
        response.headers.add("Expires", str(seconds))
        if self.is_list:
            response.headers.add("Require", LIST_TAG)
        transaction.respond(response, now)

    def receive(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        """A request within the dialog: a SUBSCRIBE refreshes or ends it."""
        try:
            if request.method != "SUBSCRIBE" or self.has_ended:
                raise RemoteError(481, "No Such Subscription")
            self.dialog.accept_sequence(request)
            contact_of(request)
            seconds = asked_seconds(request)
        except RemoteError as error:
            response = make_response(request, error.status, error.reason)
            if error.status == 423:
                response.headers.add("Min-Expires", str(LEAST_S))
            transaction.respond(response, now)
            return
        self.dialog.refresh_target(request)
        self.flow = transaction.flow
        self.accept(transaction, request, seconds, now)
        self._agent.emit(Resubscribed(self))

    def notify(self, now: float, kind: str, body: bytes, *, reason: str | None = None) -> None:
        """Tell the watcher; with ``reason`` for the last time (``timeout``, ``noresource``, ``deactivated`` …)."""
        request = self.dialog.make_request("NOTIFY")
        headers = request.headers
        headers.add("Contact", self.contact)
        headers.add("Event", f"{self.event};id={self.event_id}" if self.event_id else self.event)
        left = max(0, round(self.expires_at - now))
        headers.add("Subscription-State", f"terminated;reason={reason}" if reason else f"active;expires={left}")
        if self.is_list:
            headers.add("Require", LIST_TAG)
        if body:
            headers.add("Content-Type", kind)
            request.body = body
        self.version += 1
        self.has_ended = reason is not None
        self._is_stale = self.is_doubtful = False
        self._notify = self._agent.layer.send_request(request, self.flow, now, self)
        if self.has_ended:
            self._agent.forget_subscription(self)

    def receive_response(self, output: ResponseArrived, now: float) -> None:
        """The answer to a NOTIFY."""
        if output.response.status < 200:
            return
        if output.response.status in _GONE:
            self._lose()
        self.is_doubtful = output.response.status >= 300
        self._go_on()

    def request_failed(self, output: RequestFailed) -> None:
        """A NOTIFY got no answer: the watcher is gone (section 4.2.2), unless only its connection is."""
        if output.status == 503 and self.flow.is_reliable and not self.has_ended:
            self._notify, self._is_stale, self.is_doubtful = None, False, True
            self._agent.emit(WatcherCutOff(self))
            return
        self._lose()
        self._go_on()

    def _go_on(self) -> None:
        self._notify = None
        if self._is_stale and not self.has_ended:
            self._is_stale = False
            self._agent.emit(NotifyDue(self))

    def _lose(self) -> None:
        if not self.has_ended:
            self.has_ended = True
            self._agent.forget_subscription(self)
            self._agent.emit(Unsubscribed(self))


def asked_seconds(request: Request) -> int:
    """How long a SUBSCRIBE is to last; raises ``RemoteError`` 423 for too short a time, 400 for none at all."""
    value = request.headers.get("Expires")
    if value is None:
        return DEFAULT_S
    if not value.isdigit() or not value.isascii():
        raise RemoteError(400, "Unreadable Expires")
    seconds = min(int(value[:10]), LONGEST_S)
    if 0 < seconds < LEAST_S:
        raise RemoteError(423, "Interval Too Brief")
    return seconds


def event_of(request: Request) -> tuple[str, str | None]:
    """The event package of a SUBSCRIBE, in lower case, and its id; raises ``RemoteError(489)`` without one."""
    value = request.headers.get("Event") or request.headers.get("o") or ""
    package, *params = [part.strip() for part in value.split(";")]
    if not package:
        raise RemoteError(489, "Bad Event")
    found = [param.partition("=")[2].strip() for param in params if param.lower().startswith("id")]
    return package.lower(), (found[0] or None) if found else None
