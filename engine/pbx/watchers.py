"""Watchers: phones that subscribed to lamps, presence or their mailbox (RFC 6665), alone or in lists (RFC 4662).

What they are told is what the lamp board knows; nothing is kept here that could differ from it. Who watches what is
stored, and told anew when the office opens again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from engine.core.errors import RemoteError
from engine.core.text import shown
from engine.pbx.authentication import Authenticator, Login
from engine.pbx.bindings import Binding, is_same_contact
from engine.pbx.reception import dialled_number
from engine.pbx.telling import DIALOG, KINDS, MAILBOX, PRESENCE, Teller
from engine.pbx.watch import Watch, dialog_of, seconds_left, stored_of
from engine.pbx.watched import TRUNK, Sights, Waiting
from engine.sip.event.lists import MULTIPART
from engine.sip.event.subscription import (
    LIST_TAG,
    NotifyDue,
    Resubscribed,
    Subscription,
    SubscriptionEvent,
    Unsubscribed,
    WatcherCutOff,
    asked_seconds,
    event_of,
)
from engine.sip.message import Request
from engine.sip.transaction.outputs import RequestArrived
from engine.sip.uri import SipUri, escaped_user, parse_uri
from engine.store.configuration import Configuration, Extension
from engine.store.subscriptions import RESERVE, StoredSubscription

if TYPE_CHECKING:
    from engine.pbx.exchange import Exchange

log = logging.getLogger(__name__)

MOST_OF_ONE = 250
"""Subscriptions of one extension's phones: a panel has a hundred lamps."""
_GRACE_S = 32.0
"""How long a refresh may be late."""
RESTORED_AT_ONCE, RESTORED_EACH_S = 20, 0.05
"""How many restored subscriptions are told in one go, and how soon the next: phones answer meanwhile."""


class Watchers:
    """Every subscription of the office. Who subscribes is who logged in.

    ``put`` and ``drop`` (Call-ID, our tag) store without waiting.
    """

    def __init__(
        self,
        exchange: Exchange,
        authenticator: Authenticator,
        put: Callable[[StoredSubscription], None],
        drop: Callable[[str, str], None],
    ) -> None:
        self._exchange = exchange
        self._authenticator = authenticator
        self._put = put
        self._drop = drop
        self.sights = Sights(exchange)
        self.teller = Teller(exchange, self.sights, lambda number: self.mailbox(number), self._note_spent)
        self.mailbox: Callable[[str], Waiting] = lambda number: Waiting()
        """How many messages wait for a number."""
        self._of: dict[tuple[str, str], dict[Subscription, None]] = {}
        """The subscriptions to a package and a name."""
        self._lists_of: dict[tuple[str, str], dict[Subscription, None]] = {}
        """The list subscriptions to a package in which a name is."""
        self._by_watcher: dict[str, dict[Subscription, None]] = {}

    @property
    def count(self) -> int:
        return sum(map(len, self._by_watcher.values()))

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
        name, is_list = self._named(request, package, watcher)
        _check_accept(request, MULTIPART if is_list else KINDS[package])
        seconds = asked_seconds(request)
        if len(self._by_watcher.get(watcher.number, ())) >= MOST_OF_ONE:
            raise RemoteError(403, "Too Many Subscriptions")
        contact = f"<sip:{escaped_user(name)}@{arrived.flow.reached_at}>"
        subscription = self._exchange.agent.take_subscribe(
            arrived, contact, package, event_id, seconds, now, is_list=is_list
        )
        subscription.user = watch = Watch(name, watcher.number, self._exchange.clock.wall())
        watch.members = (self.sights.members(name) or ()) if is_list else ()
        if seconds:
            self._keep(subscription)
            self._note_life(subscription, now)
        self.teller.tell(subscription, now, "timeout" if not seconds else None)

    def _named(self, request: Request, package: str, watcher: Extension) -> tuple[str, bool]:
        """What is to be watched, and whether as a list; raises ``RemoteError``."""
        if package == MAILBOX:
            return watcher.number, False
        user = dialled_number(request)
        takes_lists = LIST_TAG in {*request.headers.tokens("Supported"), *request.headers.tokens("Require")}
        is_list = self.sights.members(user) is not None
        if is_list and takes_lists:
            return user, True
        name = self.sights.find(user)
        if name is None:
            raise RemoteError(421, "Lists Need Eventlist") if is_list else RemoteError(404, "No Such Number")
        return name, False

    def take(self, event: SubscriptionEvent) -> None:
        """What became of a subscription."""
        subscription, now = event.subscription, self._exchange.clock.now()
        watch: Watch = subscription.user
        match event:
            case Resubscribed() if subscription.expires_at <= now:
                self._end(subscription, now, "timeout")
            case Resubscribed():
                watch.granted_at = self._exchange.clock.wall()
                watch.is_waiting, watch.owes_all = False, True
                self._note_life(subscription, now)
                self._store(subscription)
                if subscription.may_notify:
                    self.teller.tell(subscription, now)
            case NotifyDue():
                if subscription.may_notify:
                    self.teller.tell(subscription, now)
            case WatcherCutOff():
                watch.is_waiting = True
            case Unsubscribed():
                self._forget(subscription)
                log.info("%s watches the %s of %s no more", watch.watcher, subscription.event, shown(watch.name))

    def follow(self, phone: Binding) -> None:
        """A phone has registered: what it watches is told over the connection it has come back on."""
        waiting = [each for each in self._by_watcher.get(phone.extension, ()) if self._was_of(each, phone)]
        if not waiting:
            return
        local, remote = (phone.local_host, phone.local_port), (phone.source_host, phone.source_port)
        flow = self._exchange.endpoint.flow_to(local, remote, phone.transport)
        for subscription in waiting if flow is not None else ():
            assert flow is not None
            subscription.flow = flow
            subscription.user.owes_all = True
            subscription.user.is_waiting = False
            self._store(subscription)
        self._exchange.crew.start(self._tell_paced(waiting), "telling a phone that came back")

    def _was_of(self, subscription: Subscription, phone: Binding) -> bool:
        """Whether a subscription without connection is this phone's: its Contact says so, else its address."""
        flow = subscription.flow
        if not flow.is_reliable or flow.transport != phone.transport or self._exchange.endpoint.is_connected(flow):
            return False
        if is_same_contact(subscription.dialog.remote_target, phone.contact):
            return True
        return flow.remote_host == phone.source_host and len(self._exchange.bindings.of(phone.extension)) == 1

    # -- what is told -------------------------------------------------------------------------------------------

    def touch(self, name: str) -> None:
        """Something of a name has changed: tell whoever watches it, or a group that it is in."""
        if not self._by_watcher:
            return
        for each in (name, *self.sights.groups_of(name)):
            for package in (DIALOG, PRESENCE):
                self._touch(package, each)

    def touch_mailbox(self, number: str) -> None:
        """Messages came or went."""
        self._touch(MAILBOX, number)

    def _touch(self, package: str, name: str) -> None:
        subscriptions = self._of.get((package, name))
        if subscriptions:
            self.teller.tell_changed(package, name, [*subscriptions])
        lists = self._lists_of.get((package, name))
        if lists:
            self.teller.owe(name, lists)

    def _touch_all(self) -> None:
        for package, name in [*self._of, *self._lists_of]:
            self._touch(package, name)

    def misinformed(self) -> Iterator[tuple[Subscription | None, str]]:
        """Who was told last what is not so, and what of; ``None`` for each that is well informed.

        Whoever has not answered yet, or cannot be told, will be told anyway.
        """
        for subscription in self._all():
            watch: Watch = subscription.user
            if watch.is_waiting or not subscription.is_at_rest:
                yield None, ""
                continue
            wrong = self.teller.differing(subscription)
            yield (subscription, wrong) if wrong is not None else (None, "")

    def tell_again(self, subscription: Subscription, name: str) -> None:
        """Tell how things stand, as if nothing had been told."""
        if subscription.is_list:
            self.teller.owe(name, [subscription])
        elif subscription.may_notify:
            self.teller.tell(subscription, self._exchange.clock.now())

    def readdress(self) -> None:
        """Our address as peers outside see it has changed: their watchers are told by a NOTIFY from there."""
        nat, now = self._exchange.endpoint.nat, self._exchange.clock.now()
        for subscription in self._all():
            before, flow = subscription.flow.sent_by, nat.see(subscription.flow)
            if flow.sent_by != before:
                subscription.flow = flow
                subscription.contact = subscription.contact.replace(f"@{before}", f"@{flow.sent_by}")
                subscription.user.owes_all = True
                self._store(subscription)
                if not subscription.user.is_waiting and subscription.may_notify:
                    self.teller.tell(subscription, now)

    # -- over a restart -----------------------------------------------------------------------------------------

    def restore(self, stored: Iterable[StoredSubscription]) -> None:
        """Take over the subscriptions of an earlier run; each is told everything, a few at a time."""
        restored = [each for each in map(self._restored, stored) if each is not None]
        if restored:
            log.info("%d phones' lamps are lit again", len(restored))
            self._exchange.crew.start(self._tell_paced(restored), "telling the watchers of an earlier run")

    def _restored(self, stored: StoredSubscription) -> Subscription | None:
        exchange = self._exchange
        left = seconds_left(stored, exchange.clock.wall())
        members = self.sights.members(stored.watched) if stored.is_list else ()
        is_there = members is not None if stored.is_list else self.sights.find(stored.watched) is not None
        is_known = is_there and stored.watcher in exchange.configuration.extensions and stored.event in KINDS
        local, remote = (stored.local_host, stored.local_port), (stored.remote_host, stored.remote_port)
        flow = exchange.endpoint.flow_to(local, remote, stored.transport)
        if left <= 0 or not is_known or flow is None:
            self._drop(stored.call_id, stored.local_tag)
            return None
        subscription = exchange.agent.resume_subscription(
            dialog_of(stored, flow), stored.contact, stored.event, stored.event_id, stored.version,
            exchange.clock.now() + left,
        )  # fmt: skip
        subscription.is_list = stored.is_list
        subscription.user = watch = Watch(stored.watched, stored.watcher, stored.granted_at)
        watch.members, watch.stored_cseq = members or (), stored.cseq
        watch.is_waiting = not self._is_in_reach(subscription)
        self._keep(subscription)
        return subscription

    def _is_in_reach(self, subscription: Subscription) -> bool:
        """Whether a NOTIFY can go out: over TCP and TLS a phone may be called at its Contact, over others not."""
        flow = subscription.flow
        if not flow.is_reliable or self._exchange.endpoint.is_connected(flow):
            return True
        try:
            target = parse_uri(subscription.dialog.remote_target)
        except RemoteError:
            return False
        is_there = isinstance(target, SipUri) and target.host == flow.remote_host
        return flow.transport in ("TCP", "TLS") and is_there

    async def _tell_paced(self, subscriptions: list[Subscription]) -> None:
        for place, subscription in enumerate(subscriptions):
            if place % RESTORED_AT_ONCE == 0:
                self._exchange.endpoint.flush()
                await asyncio.sleep(RESTORED_EACH_S)
            if not subscription.user.is_waiting and subscription.may_notify:
                self.teller.tell(subscription, self._exchange.clock.now())
        self._exchange.endpoint.flush()

    def _store(self, subscription: Subscription) -> None:
        watch: Watch = subscription.user
        if subscription in self._by_watcher.get(watch.watcher, ()):
            watch.stored_cseq = subscription.dialog.local_seq
            self._put(stored_of(subscription, self._exchange.clock.now(), self._exchange.clock.wall()))

    def _note_spent(self, subscription: Subscription) -> None:
        """A number was used: long before the reserve is used up the store hears of it."""
        if subscription.dialog.local_seq - subscription.user.stored_cseq >= RESERVE // 2:
            self._store(subscription)

    def _note_life(self, subscription: Subscription, now: float) -> None:
        """Who watches may be silent on its connection in between."""
        if subscription.flow.is_reliable:
            self._exchange.endpoint.vouch(subscription.flow, subscription.expires_at - now + _GRACE_S)

    # -- the end ------------------------------------------------------------------------------------------------

    def sweep(self) -> None:
        """Subscriptions that nobody refreshed are over; lines that have changed their state are told of."""
        now = self._exchange.clock.now()
        overdue = [subscription for subscription in self._all() if subscription.expires_at < now]
        for subscription in overdue:
            self._end(subscription, now, "timeout")
        for package, name in [*self._of, *self._lists_of]:
            if package == PRESENCE and name.startswith(TRUNK):
                self._touch(package, name)
        if overdue:
            self._exchange.endpoint.flush()

    def apply(self, configuration: Configuration) -> None:
        """Whom there is no more cannot watch, nor be watched; lists have the members that they have now."""
        now = self._exchange.clock.now()
        for subscription in list(self._all()):
            watch: Watch = subscription.user
            members = self.sights.members(watch.name) if subscription.is_list else ()
            is_there = members is not None if subscription.is_list else self.sights.find(watch.name) is not None
            if not is_there or watch.watcher not in configuration.extensions:
                self._forget(subscription)
                if not subscription.has_ended:
                    subscription.notify(now, "", b"", reason="noresource")
            elif members != watch.members:
                self._change_members(subscription, members or ())
        self._touch_all()

    def _change_members(self, subscription: Subscription, members: tuple[str, ...]) -> None:
        watch: Watch = subscription.user
        self._forget(subscription, is_over=False)
        watch.members, watch.owes_all = members, True
        self._keep(subscription)
        self.teller.owe("", [subscription])

    def close(self) -> None:
        """The office closes; subscriptions are for the next run."""
        self.teller.close()

    def _end(self, subscription: Subscription, now: float, reason: str) -> None:
        self._forget(subscription)
        self.teller.tell(subscription, now, reason)

    def _keep(self, subscription: Subscription) -> None:
        watch: Watch = subscription.user
        is_new = subscription not in self._by_watcher.setdefault(watch.watcher, {})
        self._by_watcher[watch.watcher][subscription] = None
        for index, name in self._places(subscription):
            index.setdefault((subscription.event, name), {})[subscription] = None
        if is_new and not watch.stored_cseq:
            self._store(subscription)

    def _forget(self, subscription: Subscription, *, is_over: bool = True) -> None:
        watch: Watch = subscription.user
        for index, name in self._places(subscription):
            watching = index.get((subscription.event, name), {})
            watching.pop(subscription, None)
            if not watching:
                index.pop((subscription.event, name), None)
        if is_over and self._by_watcher.get(watch.watcher, {}).pop(subscription, self) is None:
            if not self._by_watcher[watch.watcher]:
                del self._by_watcher[watch.watcher]
            self._drop(*subscription.key)

    def _places(
        self, subscription: Subscription
    ) -> list[tuple[dict[tuple[str, str], dict[Subscription, None]], str]]:
        """The index and the names by which changes find it."""
        watch: Watch = subscription.user
        if subscription.is_list:
            return [(self._lists_of, name) for name in watch.members]
        return [(self._of, watch.name)]

    def _all(self) -> list[Subscription]:
        return [subscription for watching in self._by_watcher.values() for subscription in watching]


def _check_accept(request: Request, kind: str) -> None:
    ranges = [item.partition(";")[0].strip().lower() for item in request.headers.list_of("Accept")]
    whole = kind.partition("/")[0] + "/*"
    if ranges and not {kind, whole, "*/*"} & {*ranges}:
        raise RemoteError(406, f"Only {kind} Can Be Sent")


def _mends(status: int) -> tuple[tuple[str, str], ...]:
    """What a refusal tells of what would be taken."""
    if status == 489:
        return (("Allow-Events", ", ".join(KINDS)),)
    if status == 421:
        return (("Require", LIST_TAG),)
    return (("Min-Expires", "60"),) if status == 423 else ()
