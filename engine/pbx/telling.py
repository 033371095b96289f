"""Tells watchers how things stand: which document, full or partial, of how many resources, and when again.

A lamp that is watched alone is told at once. Changes of a list gather for a moment, so that a hundred of them cost
few NOTIFYs. In both cases they gather as long as a watcher has not answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple, cast

from engine.pbx.watch import Watch
from engine.pbx.watched import Dialogs, Sights, Waiting
from engine.sip.event.bodies import (
    DIALOG_INFO,
    MESSAGE_SUMMARY,
    PIDF,
    DialogShown,
    PresenceShown,
    dialog_info_parts,
    message_summary,
    presence,
    versioned,
)
from engine.sip.event.lists import Instance, list_body, size_of
from engine.sip.event.subscription import Subscription
from engine.sip.transaction.layer import LARGEST_DATAGRAM
from engine.sip.uri import escaped_user

if TYPE_CHECKING:
    from engine.pbx.exchange import Exchange

DIALOG, PRESENCE, MAILBOX = "dialog", "presence", "message-summary"
KINDS = {DIALOG: DIALOG_INFO, PRESENCE: PIDF, MAILBOX: MESSAGE_SUMMARY}
"""The event packages that we serve, and what their NOTIFYs carry."""
GATHER_S = 0.06
"""How long changes of lists wait for others."""
LARGEST_IN_STREAM = 60_000
"""Bytes of one NOTIFY over TCP: phones take no message without end."""
_LISTS_AT_ONCE = 10
"""Watchers of lists that are told before the loop may do something else."""
_FEW_DIALOGS = 3
"""Up to here a full document costs what a partial one does, and mends whatever was lost."""
_MOST_KEPT = 1024
"""Documents that are kept for the next watcher of the same."""
_HEAD = 420
"""Bytes of a NOTIFY beside its body and what its dialog puts in."""


class _Told(NamedTuple):
    """What a document depends on: many watchers are told the same."""

    name: str
    host: str
    stands: object
    before: object
    is_full: bool


class Teller:
    """Makes and sends NOTIFYs. ``mailbox`` counts a number's messages; ``spent`` hears of each that was told."""

    def __init__(
        self,
        exchange: Exchange,
        sights: Sights,
        mailbox: Callable[[str], Waiting],
        spent: Callable[[Subscription], None],
    ) -> None:
        self._exchange = exchange
        self._sights = sights
        self._spent = spent
        self._mailbox = mailbox
        self._gathering: dict[Subscription, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._documents: dict[_Told, tuple[str, str]] = {}

    def stands(self, package: str, name: str, watcher: str) -> object:
        """What there is to tell, to be compared with what was told."""
        if package == DIALOG:
            return self._sights.dialogs(name, sees_parties=self._sights.sees_parties(watcher, name))
        return self._mailbox(name) if package == MAILBOX else self._sights.presence(name)

    def tell_changed(self, package: str, name: str, subscriptions: Iterable[Subscription]) -> None:
        """Something may have changed: tell those for whom it has."""
        now, known = self._exchange.clock.now(), {}
        for subscription in subscriptions:
            watch: Watch = subscription.user
            sees = self._sights.sees_parties(watch.watcher, name)
            if sees not in known:
                known[sees] = self.stands(package, name, watch.watcher)
            if watch.told != known[sees] and not watch.is_waiting and subscription.may_notify:
                self._tell_one(subscription, now, known[sees], None)
        self._documents.clear()

    def differing(self, subscription: Subscription) -> str | None:
        """Of what the watcher was told what is not so any more; ``None`` when all is, or is about to be told."""
        watch: Watch = subscription.user
        package = subscription.event
        if not subscription.is_list:
            is_wrong = watch.told != self.stands(package, watch.name, watch.watcher)
            return watch.name if is_wrong else None
        if watch.owed or watch.owes_all:
            return None
        told = cast("dict[str, object]", watch.told or {})
        for name in watch.members:
            if told.get(name) != self.stands(package, name, watch.watcher):
                return name
        return None

    def owe(self, name: str, subscriptions: Iterable[Subscription]) -> None:
        """A member of these lists may stand otherwise: tell soon."""
        for subscription in subscriptions:
            subscription.user.owed[name] = None
            self._gathering[subscription] = None
        if self._gathering and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER_S, self._tell_gathered)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def tell(self, subscription: Subscription, now: float, reason: str | None = None) -> None:
        """Tell it how things stand; with ``reason`` for the last time."""
        watch: Watch = subscription.user
        if subscription.is_list:
            self._tell_list(subscription, now, reason)
        else:
            self._tell_one(subscription, now, self.stands(subscription.event, watch.name, watch.watcher), reason)

    # -- one lamp -----------------------------------------------------------------------------------------------

    def _tell_one(self, subscription: Subscription, now: float, stands: object, reason: str | None) -> None:
        watch: Watch = subscription.user
        host = subscription.flow.sent_by
        if subscription.event == MAILBOX:
            body = message_summary(_uri(watch.name, host), *cast("Waiting", stands))
        else:
            is_part = subscription.event == DIALOG and _is_worth_a_part(watch.told, stands)
            is_full = subscription.is_doubtful or not is_part
            parts = self._document(subscription.event, _Told(watch.name, host, stands, watch.told, is_full))
            body = versioned(parts, subscription.version).encode()
        watch.told = stands
        subscription.notify(now, KINDS[subscription.event], body, reason=reason)
        self._spent(subscription)

    def _document(self, package: str, told: _Told) -> tuple[str, str]:
        known = self._documents.get(told)
        if known is None:
            if len(self._documents) >= _MOST_KEPT:
                self._documents.clear()
            known = self._documents[told] = _written(package, told)
        return known

    # -- lists --------------------------------------------------------------------------------------------------

    def _tell_gathered(self) -> None:
        """A few lists, then whatever else waits for the loop, then the next."""
        loop, now = asyncio.get_running_loop(), self._exchange.clock.now()
        self._timer = None
        for subscription in list(self._gathering)[:_LISTS_AT_ONCE]:
            del self._gathering[subscription]
            watch: Watch = subscription.user
            if not watch.is_waiting and subscription.may_notify:
                self._tell_list(subscription, now, None)
        if self._gathering:
            self._timer = loop.call_later(0.0, self._tell_gathered)
        else:
            self._documents.clear()
        self._exchange.endpoint.flush()

    def _tell_list(self, subscription: Subscription, now: float, reason: str | None) -> None:
        """Tell what is owed, as much as one NOTIFY may hold; the rest follows when it is answered."""
        watch: Watch = subscription.user
        if subscription.is_doubtful:
            watch.owes_all = True
        is_full = watch.owes_all
        if is_full:
            watch.owed, watch.told = dict.fromkeys(watch.members), {}
        instances = self._instances(subscription, None if reason else self._room(subscription))
        if not instances and not is_full and reason is None:
            return
        watch.owes_all = False
        host = subscription.flow.sent_by
        mark = subscription.dialog.local_tag
        kind, body = list_body(_uri(watch.name, host), subscription.version, instances, mark, is_full=is_full)
        subscription.notify(now, kind, body, reason=reason)
        if watch.owed:
            _ = subscription.may_notify  # so that we hear of its answer
        self._spent(subscription)

    def _instances(self, subscription: Subscription, room: int | None) -> list[Instance]:
        """What has changed of what is owed, ``room`` bytes at most or one alone; what is taken is owed no more."""
        watch: Watch = subscription.user
        told = cast("dict[str, object]", watch.told if watch.told is not None else {})
        watch.told = told
        host, package, version = subscription.flow.sent_by, subscription.event, subscription.version
        found: list[Instance] = []
        for name in [*watch.owed]:
            stands = self.stands(package, name, watch.watcher)
            before = told.get(name)
            if before is not None and before == stands:
                del watch.owed[name]
                continue
            parts = self._document(package, _Told(name, host, stands, before, True))
            instance = Instance(
                _uri(name, host), self._sights.title_of(name), KINDS[package], versioned(parts, version)
            )
            if room is not None:
                room -= size_of(instance, subscription.dialog.local_tag)
                if room < 0 and found:
                    break
            del watch.owed[name]
            told[name] = stands
            found.append(instance)
        return found

    def _room(self, subscription: Subscription) -> int:
        """Bytes that instances may take: over UDP few where the phone takes no TCP (RFC 3261 section 18.1.1)."""
        flow, dialog = subscription.flow, subscription.dialog
        may_stream = flow.is_reliable or self._exchange.agent.layer.stream_beside(flow) is not None
        if may_stream:
            return LARGEST_IN_STREAM
        texts = (
            dialog.local_address,
            dialog.remote_address,
            dialog.remote_target,
            dialog.call_id,
            *dialog.route_set,
        )
        head = _HEAD + sum(map(len, texts)) + 2 * len(subscription.contact) + 2 * len(dialog.local_tag)
        return LARGEST_DATAGRAM - head - _HEAD


def _uri(name: str, host: str) -> str:
    return f"sip:{escaped_user(name)}@{host}"


def _written(package: str, told: _Told) -> tuple[str, str]:
    entity = _uri(told.name, told.host)
    if package == PRESENCE:
        return presence(entity, cast("PresenceShown", told.stands)), ""
    stands = cast("Dialogs", told.stands)
    shown = stands if told.is_full else tuple(each for each in stands if each not in cast("Dialogs", told.before))
    dialogs = [*_placed(shown, told.host), *_ended(told.before, stands)]
    return dialog_info_parts(entity, dialogs, is_full=told.is_full)


def _is_worth_a_part(told: object, stands: object) -> bool:
    """Whether the changes alone are sent (RFC 4235 section 4.3): of a trunk with many calls, hardly of a phone."""
    return isinstance(told, tuple) and isinstance(stands, tuple) and len(stands) > _FEW_DIALOGS


def _placed(dialogs: Dialogs, host: str) -> list[DialogShown]:
    """Numbers become addresses of the office as the watcher knows it."""
    return [
        shown._replace(
            local_uri=_uri(shown.local_uri or "", host),
            remote_uri=_uri(shown.remote_uri, host) if shown.remote_uri is not None else None,
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
