"""What the office knows of one subscription beyond its dialog, and how it is kept over a restart."""

from __future__ import annotations

from datetime import datetime, timedelta

from engine.sip.dialog import Dialog
from engine.sip.event.subscription import Subscription
from engine.sip.flow import Flow
from engine.store.subscriptions import StoredSubscription


class Watch:
    """Who watches what, and what it was told last."""

    __slots__ = (
        "granted_at",
        "is_waiting",
        "members",
        "name",
        "owed",
        "owes_all",
        "stored_cseq",
        "told",
        "watcher",
    )

    def __init__(self, name: str, watcher: str, granted_at: datetime) -> None:
        self.name = name
        """What is watched."""
        self.watcher = watcher
        """The extension that subscribed."""
        self.granted_at = granted_at
        """When it was last granted."""
        self.told: object = None
        """How things stood then; ``None`` while the watcher knows nothing. Of a list: by member."""
        self.members: tuple[str, ...] = ()
        """Of a list: what it is made of."""
        self.owed: dict[str, None] = {}
        """Of a list: the members that may stand otherwise than was told, in the order in which to tell them."""
        self.owes_all = True
        """Of a list: the next NOTIFY begins anew."""
        self.is_waiting = False
        """It cannot be told: its connection is gone, and it has not come back yet."""
        self.stored_cseq = 0
        """Of the dialog when the subscription was last stored."""


def stored_of(subscription: Subscription, now: float, at: datetime) -> StoredSubscription:
    """A subscription as the store keeps it; ``now`` and ``at`` are the same moment."""
    watch: Watch = subscription.user
    dialog, flow = subscription.dialog, subscription.flow
    return StoredSubscription(
        call_id=dialog.call_id,
        local_tag=dialog.local_tag,
        event=subscription.event,
        event_id=subscription.event_id,
        watched=watch.name,
        watcher=watch.watcher,
        is_list=subscription.is_list,
        local_address=dialog.local_address,
        remote_address=dialog.remote_address,
        remote_tag=dialog.remote_tag,
        remote_target=dialog.remote_target,
        routes=dialog.route_set,
        cseq=dialog.local_seq,
        remote_cseq=dialog.remote_seq,
        version=subscription.version,
        contact=subscription.contact,
        transport=flow.transport,
        local_host=flow.local_host,
        local_port=flow.local_port,
        remote_host=flow.remote_host,
        remote_port=flow.remote_port,
        granted_at=watch.granted_at,
        expires_at=at + timedelta(seconds=subscription.expires_at - now),
    )


def dialog_of(stored: StoredSubscription, flow: Flow) -> Dialog:
    """The dialog of a stored subscription."""
    return Dialog(
        call_id=stored.call_id,
        local_address=stored.local_address,
        local_tag=stored.local_tag,
        remote_address=stored.remote_address,
        remote_tag=stored.remote_tag,
        remote_target=stored.remote_target,
        route_set=stored.routes,
        local_seq=stored.cseq,
        remote_seq=stored.remote_cseq,
        flow=flow,
    )


def seconds_left(stored: StoredSubscription, at: datetime) -> float:
    """How long a stored subscription lasts still; a clock that was set back gives it no more than was granted."""
    return (stored.expires_at - max(at, stored.granted_at)).total_seconds()
