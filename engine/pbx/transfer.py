"""Blind transfer: a party asks by REFER that the other one be connected with somebody else (RFC 5589 section 6).

The other party's phone takes no part in it: its leg stays, hears ringback, and is bridged with whoever answers. A
transfer that fails gives it back: to the party that transferred it, or, where that has hung up, to its extension.
"""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

from engine.core.errors import RemoteError
from engine.core.text import may_be_number, shown
from engine.core.views import CallState, PartyRole, PartyState, ReleasedBy
from engine.media.gateway import PLAYABLE
from engine.pbx.bridge import Bridge
from engine.pbx.call import NORMAL, Call
from engine.pbx.conversation import Conversation
from engine.pbx.converting import usable
from engine.pbx.leg import Leg, vanished
from engine.pbx.routing import Route, ToExtension, ToTrunks, route_call
from engine.pbx.setup import Setup
from engine.sip.identity import Caller
from engine.sip.message import reason_for
from engine.sip.offer_answer import Warn
from engine.sip.session.core import SessionState
from engine.sip.session.events import EarlyOffered, Ended, Referred, Reoffered
from engine.store.configuration import Extension, HoldPolicy
from engine.store.outside import Trunk

log = logging.getLogger(__name__)

MAX_FORWARDS = 70


class _GiveBack(NamedTuple):
    """Nobody takes the party."""

    status: int
    reason: str


class Transfer(Setup):
    """The phase in which somebody else is called for a party that stands."""

    def __init__(self, call: Call, by: Leg, party: Leg, route: ToExtension | ToTrunks, number: str) -> None:
        super().__init__(call, b"", route, MAX_FORWARDS)
        self._by: Leg | None = by
        """Who transfers, while it is there."""
        self._home = by.extension
        self._party = party
        self._dialled_before = call.dialled
        self._identity_before = call.identity
        self._is_recall = False
        call.dialled = number
        call.identity = Caller(party.number, party.name)
        call.goes_outside = isinstance(route, ToTrunks)
        call.legs.remove(party)
        call.legs.insert(0, party)
        party.role, by.role = PartyRole.CALLER, PartyRole.OPERATOR

    async def start(self) -> None:
        """The party hears ringback from now on, and the first phone is called."""
        gateway = self._exchange.gateway
        await gateway.stop_playing(self._party.media)
        settled = self._party.talks.settled
        if settled is not None and PLAYABLE & set(settled.codecs):
            await gateway.play(self._party.media, self._exchange.ringback(), repeat=True)
        await self._begin()

    async def let_go(self) -> None:
        """Who transfers is done, whatever becomes of it; should nobody take the party, its extension rings."""
        by, self._by = self._by, None
        if by is not None:
            by.dialogue.end(self._exchange.clock.now())
            await self._call.part(by)

    async def recall(self) -> None:
        """Who transferred in vain has hung up: it is rung, once."""
        by, self._by = self._by, None
        self._is_recall = True
        if by is not None:
            await self._call.part(by)
        self._call.home, self._call.returned = self._call.dialled, self._dialled_before
        log.info("call %s comes back to %s, which has hung up", self._call.id, shown(self._call.dialled))
        await self.start()

    async def take(self, cue: Any) -> None:
        match cue:
            case _GiveBack():
                await self._give_back(cue)
            case Ended() if cue.session.user is self._by and self._by is not None:
                by, self._by = self._by, None
                await self._call.part(by)
            case Ended() if cue.session.user is self._party:
                cause = NORMAL if cue.by_peer else vanished(self._party, cue.status)
                self._leave()
                self._call.end(ReleasedBy.CALLER if cue.by_peer else ReleasedBy.SYSTEM, cause, cue.reason)
            case Referred():
                cue.session.refuse_referral(cue.transaction, self._exchange.clock.now(), 491)
            case EarlyOffered() if cue.session.user in (self._by, self._party):
                cue.session.refuse_early_offer(cue.transaction, self._exchange.clock.now(), 491)
            case Reoffered():
                cue.session.refuse_reoffer(self._exchange.clock.now(), 491)
            case _:
                await super().take(cue)

    # -- what a caller that waits is to others -------------------------------------------------------------------

    @property
    def _is_waiting(self) -> bool:
        session = self._party.session
        return session is not None and session.state is SessionState.CONFIRMED

    def _say(self, status: int, sdp: bytes) -> None:
        if self._by is not None:
            self._by.dialogue.notify_referral(self._exchange.clock.now(), status, reason_for(status))

    async def _accept(self, answer: bytes) -> None:
        """Somebody has taken the party: who transferred it is done."""
        await self._exchange.gateway.stop_playing(self._party.media)
        by, self._by = self._by, None
        if by is not None:
            now = self._exchange.clock.now()
            by.dialogue.notify_referral(now, 200, "OK")
            by.dialogue.end(now)
            await self._call.part(by)
        log.info("call %s is transferred to %s", self._call.id, shown(self._call.dialled))

    def _hand_on(self, conversation: Conversation) -> None:
        conversation.bring_together()

    def _divert(self, status: int, reason: str) -> bool:
        return False

    def _patience(self, extension: Extension) -> int:
        """The party comes back rather than going to a box."""
        return int(self._exchange.configuration.params["ring_timeout_s"])

    def _decline(self, status: int, reason: str, warning: int) -> None:
        self._call.post(_GiveBack(status, reason))

    def _codecs_for(self, callee: Extension | Trunk) -> tuple[str, ...]:
        """What the party speaks now, for it is asked for nothing else."""
        settled = self._party.talks.settled
        spoken = settled.codecs if settled is not None else ()
        codecs = usable(self._exchange, self._exchange.codecs_of(callee), spoken)
        if not codecs:
            raise RemoteError(488, "No Common Codec", Warn.MEDIA_FORMAT)
        return codecs

    # -- the way back --------------------------------------------------------------------------------------------

    async def _give_back(self, cue: _GiveBack) -> None:
        call, now = self._call, self._exchange.clock.now()
        self._leave()
        for leg in [*self._ringing]:
            leg.dialogue.end(now)
            await call.part(leg)
        self._ringing.clear()
        by = self._by
        if by is None:
            await self._recall(cue)
            return
        by.dialogue.notify_referral(now, cue.status, cue.reason)
        await self._exchange.gateway.stop_playing(self._party.media)
        call.dialled, call.identity = self._dialled_before, self._identity_before
        by.role = PartyRole.CALLEE
        bridge = Bridge(self._exchange.gateway, self._party, by, self._exchange.hold_music)
        await bridge.connect()
        if by.holds and by.hold_policy is HoldPolicy.LOCAL:
            await bridge.play_music(self._party)
        state = PartyState.HELD if by.holds or self._party.holds else PartyState.TALKING
        by.state = self._party.state = state
        call.phase = Conversation(call, bridge, returned_to=by)
        call.enter(CallState.HELD if state is PartyState.HELD else CallState.TALKING)

    async def _recall(self, cue: _GiveBack) -> None:
        """Who transferred has hung up: its extension rings once more."""
        call = self._call
        if self._is_recall or self._home is None:
            call.end(ReleasedBy.SYSTEM, f"{cue.status} {cue.reason}")
            return
        self._is_recall = True
        log.info("call %s comes back to %s: %d %s", call.id, self._home.number, cue.status, cue.reason)
        self._refusals.clear()
        call.home, call.returned = self._home.number, call.dialled
        self._route = ToExtension(self._home)
        call.dialled, call.goes_outside = self._home.number, False
        await self._begin()

    def _leave(self) -> None:
        """Nothing more is tried."""
        self._call.clear_ring_timeout()
        if self._outside is not None:
            self._outside.close()


def target_of_transfer(call: Call, by: Extension, number: str | None) -> ToExtension | ToTrunks:
    """Where a transfer leads, by the rights of who transfers; raises ``RemoteError`` where it leads nowhere."""
    if not number or not may_be_number(number):
        raise RemoteError(404, "No Such Number")
    exchange = call.exchange
    route: Route = route_call(exchange.configuration, by, number, exchange.clock.wall()).route
    if not isinstance(route, (ToExtension, ToTrunks)):
        status = getattr(route, "status", 404)
        raise RemoteError(status, getattr(route, "reason", "No Such Number"))
    return route
