"""Watchers: phones that subscribed to the lamp, the presence or the mailbox of an extension (RFC 6665).

What they are told is what the lamp board knows; nothing is kept here that could differ from it. One change is told
once, at once; while a watcher has not answered yet, changes gather, and it is told how things stand then.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from engine.core.errors import RemoteError
from engine.core.text import shown
from engine.core.views import Lamp, PartyState
from engine.pbx.authentication import Authenticator, Login
from engine.pbx.reception import dialled_number
from engine.sip.event.bodies import (
    DIALOG_INFO,
    MESSAGE_SUMMARY,
    PIDF,
    DialogShown,
    dialog_info,
    message_summary,
    presence,
)
from engine.sip.event.subscription import (
    NotifyDue,
    Resubscribed,
    Subscription,
    SubscriptionEvent,
    Unsubscribed,
    asked_seconds,
    event_of,
)
from engine.sip.message import Request
from engine.sip.transaction.outputs import RequestArrived
from engine.sip.uri import escaped_user
from engine.store.configuration import Configuration, Extension

if TYPE_CHECKING:
    from engine.pbx.exchange import Exchange
    from engine.pbx.leg import Leg

log = logging.getLogger(__name__)

DIALOG, PRESENCE, MAILBOX = "dialog", "presence", "message-summary"
KINDS = {DIALOG: DIALOG_INFO, PRESENCE: PIDF, MAILBOX: MESSAGE_SUMMARY}
"""The event packages that we serve, and what their NOTIFYs carry."""
MOST_OF_ONE = 250
"""Subscriptions of one extension's phones: a panel has a hundred lamps."""

_NOTES = {
    Lamp.IDLE: "Available",
    Lamp.RINGING: "Ringing",
    Lamp.BUSY: "On the phone",
    Lamp.HELD: "On the phone",
    Lamp.DND: "Do not disturb",
    Lamp.UNREGISTERED: "Offline",
    Lamp.UNREACHABLE: "Offline",
}
_CLOSED = (Lamp.DND, Lamp.UNREGISTERED, Lamp.UNREACHABLE)

Dialogs = tuple[DialogShown, ...]


class Waiting(NamedTuple):
    """The messages in a mailbox."""

    new: int = 0
    old: int = 0


class _Watch:
    """What one subscription is about, and what its watcher was told last."""

    __slots__ = ("number", "told", "watcher")

    def __init__(self, number: str, watcher: str) -> None:
        self.number = number
        self.watcher = watcher
        self.told: object = None


class Watchers:
    """Every subscription of the office. Who subscribes is who logged in."""

    def __init__(self, exchange: Exchange, authenticator: Authenticator) -> None:
        self._exchange = exchange
        self._authenticator = authenticator
        self._of: dict[tuple[str, str], list[Subscription]] = {}
        """The subscriptions to a package and a number."""
        self.mailbox: Callable[[str], Waiting] = lambda number: Waiting()
        """How many messages wait for a number."""

    @property
    def count(self) -> int:
        return sum(len(subscriptions) for subscriptions in self._of.values())

    # -- what phones ask ----------------------------------------------------------------------------------------

    def receive(self, arrived: RequestArrived) -> None:
        """Challenge, refuse, or let watch."""
        agent, now = self._exchange.agent, self._exchange.clock.now()
        identity = self._authenticator.identify(arrived.request, arrived.flow.remote_host, now, proxy=True)
        if identity.login is Login.CHALLENGE:
            fields = self._authenticator.challenge(now, proxy=True, is_stale=identity.is_stale)
            agent.answer_stranger(arrived, 407, now, fields)
            return
        if identity.extension is None:
            self._authenticator.report("SUBSCRIBE", identity, arrived.flow.remote, now)
            agent.answer_stranger(arrived, 403, now, ())
            return
        try:
            self._let_watch(arrived, identity.extension, now)
        except RemoteError as error:
            agent.respond(arrived, error.status, now, reason=error.reason, headers=_mends(error.status))

    def _let_watch(self, arrived: RequestArrived, watcher: Extension, now: float) -> None:
        request = arrived.request
        package, event_id = event_of(request)
        if package not in KINDS:
            raise RemoteError(489, "Bad Event")
        _check_accept(request, KINDS[package])
        number = watcher.number if package == MAILBOX else dialled_number(request)
        if number not in self._exchange.configuration.extensions:
            raise RemoteError(404, "No Such Number")
        seconds = asked_seconds(request)
        if sum(watch.user.watcher == watcher.number for watch in self._all()) >= MOST_OF_ONE:
            raise RemoteError(403, "Too Many Subscriptions")
        contact = f"<sip:{escaped_user(number)}@{arrived.flow.reached_at}>"
        subscription = self._exchange.agent.take_subscribe(arrived, contact, package, event_id, seconds, now)
        subscription.user = _Watch(number, watcher.number)
        if seconds:
            self._of.setdefault((package, number), []).append(subscription)
        self._tell(subscription, now, "timeout" if not seconds else None)

    def take(self, event: SubscriptionEvent) -> None:
        """What became of a subscription."""
        subscription, now = event.subscription, self._exchange.clock.now()
        match event:
            case Resubscribed() if subscription.expires_at <= now:
                self._end(subscription, now, "timeout")
            case Resubscribed() | NotifyDue():
                if subscription.may_notify:
                    self._tell(subscription, now)
            case Unsubscribed():
                self._forget(subscription)
                watch: _Watch = subscription.user
                log.info("%s watches the %s of %s no more", watch.watcher, subscription.event, shown(watch.number))

    # -- what is told -------------------------------------------------------------------------------------------

    def touch(self, number: str) -> None:
        """An extension's legs or phones have changed: tell whoever watches it, if it means anything to them."""
        for package in (DIALOG, PRESENCE):
            self._tell_all(package, number)

    def readdress(self) -> None:
        """Our address as peers outside see it has changed: their watchers are told by a NOTIFY from there."""
        nat, now = self._exchange.endpoint.nat, self._exchange.clock.now()
        for subscription in self._all():
            before, flow = subscription.flow.sent_by, nat.see(subscription.flow)
            if flow.sent_by != before:
                subscription.flow = flow
                subscription.contact = subscription.contact.replace(f"@{before}", f"@{flow.sent_by}")
                if subscription.may_notify:
                    self._tell(subscription, now)

    def touch_mailbox(self, number: str) -> None:
        """Messages came or went."""
        self._tell_all(MAILBOX, number)

    def _tell_all(self, package: str, number: str) -> None:
        subscriptions = self._of.get((package, number))
        if not subscriptions:
            return
        now, stands = self._exchange.clock.now(), self._stands(package, number)
        for subscription in subscriptions:
            if subscription.user.told != stands and subscription.may_notify:
                self._tell(subscription, now)

    def _stands(self, package: str, number: str) -> object:
        """What there is to tell, to be compared with what was told."""
        if package == DIALOG:
            return self._dialogs(number)
        return self.mailbox(number) if package == MAILBOX else self._exchange.lamps.lamp(number)

    def _tell(self, subscription: Subscription, now: float, reason: str | None = None) -> None:
        watch: _Watch = subscription.user
        stands = self._stands(subscription.event, watch.number)
        host = subscription.flow.sent_by
        entity = f"sip:{escaped_user(watch.number)}@{host}"
        if subscription.event == DIALOG:
            assert isinstance(stands, tuple)
            body = dialog_info(entity, subscription.version, [*_placed(stands, host), *_ended(watch.told, stands)])
        elif subscription.event == MAILBOX:
            assert isinstance(stands, Waiting)
            body = message_summary(entity, *stands)
        else:
            assert isinstance(stands, Lamp)
            body = presence(entity, is_open=stands not in _CLOSED, note=_NOTES[stands])
        watch.told = stands
        subscription.notify(now, KINDS[subscription.event], body, reason=reason)

    def _dialogs(self, number: str) -> Dialogs:
        """An extension's calls as its own phones know them, without hosts."""
        return tuple(
            self._dialog(number, leg) for leg in self._exchange.lamps.legs_of(number) if leg.session is not None
        )

    def _dialog(self, number: str, leg: Leg) -> DialogShown:
        session = leg.dialogue
        is_recipient = session.is_ours
        call = self._exchange.calls.get(leg.call_id)
        others = [other for other in call.legs if other is not leg] if call is not None else []
        remote, name = (others[0].number, others[0].name) if others else (call.dialled if call else None, None)
        if call is not None and is_recipient and call.identity.is_private:
            remote = name = None
        is_answered = leg.state in (PartyState.TALKING, PartyState.HELD)
        return DialogShown(
            id=session.local_tag,
            state="confirmed" if is_answered else "early" if not is_recipient or session.peer_tag else "trying",
            is_recipient=is_recipient,
            call_id=session.call_id,
            local_tag=session.peer_tag,
            remote_tag=session.local_tag,
            remote_uri=remote,
            remote_name=name,
            local_uri=number,
            is_held=leg.state is PartyState.HELD,
        )

    # -- the end ------------------------------------------------------------------------------------------------

    def sweep(self) -> None:
        """Subscriptions that nobody refreshed are over."""
        now = self._exchange.clock.now()
        overdue = [subscription for subscription in self._all() if subscription.expires_at < now]
        for subscription in overdue:
            self._end(subscription, now, "timeout")
        if overdue:
            self._exchange.endpoint.flush()

    def apply(self, configuration: Configuration) -> None:
        """Whom there is no more cannot watch, nor be watched."""
        now, known = self._exchange.clock.now(), configuration.extensions
        for subscription in list(self._all()):
            watch: _Watch = subscription.user
            if watch.number not in known or watch.watcher not in known:
                self._forget(subscription)
                if not subscription.has_ended:
                    subscription.notify(now, "", b"", reason="noresource")

    def _end(self, subscription: Subscription, now: float, reason: str) -> None:
        self._forget(subscription)
        self._tell(subscription, now, reason)

    def _forget(self, subscription: Subscription) -> None:
        watch: _Watch = subscription.user
        key = (subscription.event, watch.number)
        watching = self._of.get(key, [])
        if subscription in watching:
            watching.remove(subscription)
        if not watching:
            self._of.pop(key, None)

    def _all(self) -> list[Subscription]:
        return [subscription for subscriptions in self._of.values() for subscription in subscriptions]


def _placed(dialogs: Dialogs, host: str) -> list[DialogShown]:
    """Numbers become addresses of the office as the watcher knows it."""
    return [
        shown._replace(
            local_uri=f"sip:{escaped_user(shown.local_uri or '')}@{host}",
            remote_uri=f"sip:{escaped_user(shown.remote_uri)}@{host}" if shown.remote_uri is not None else None,
        )
        for shown in dialogs
    ]


def _ended(told: object, dialogs: Dialogs) -> list[DialogShown]:
    """The dialogs that the watcher knows and that are over: each is said once."""
    if not isinstance(told, tuple):
        return []
    alive = {shown.id for shown in dialogs}
    over = [shown for shown in told if shown.id not in alive]
    return [shown._replace(state="terminated", remote_uri=None, local_uri=None) for shown in over]


def _check_accept(request: Request, kind: str) -> None:
    ranges = [item.partition(";")[0].strip().lower() for item in request.headers.list_of("Accept")]
    if ranges and not {kind, "application/*", "*/*"} & {*ranges}:
        raise RemoteError(406, f"Only {kind} Can Be Sent")


def _mends(status: int) -> tuple[tuple[str, str], ...]:
    """What a refusal tells of what would be taken."""
    if status == 489:
        return (("Allow-Events", ", ".join(KINDS)),)
    return (("Min-Expires", "60"),) if status == 423 else ()
