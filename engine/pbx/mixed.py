"""A call of three or more: everybody is in one mix; whoever leaves, the others go on."""

from __future__ import annotations

import logging
from typing import Any

from engine.core.errors import RemoteError
from engine.core.text import shown
from engine.core.views import CallState, PartyRole, PartyState, ReleasedBy
from engine.media.gateway import PLAYABLE, MixId
from engine.media.tones import beep
from engine.pbx.bridge import Bridge
from engine.pbx.call import NO_ANSWER_IN_ACK, NORMAL, AddressChanged, Call, Joined, Release
from engine.pbx.conversation import Conversation
from engine.pbx.leg import Leg, vanished
from engine.pbx.replacing import refuse_newcomer, settle_newcomer
from engine.sip.session.events import (
    Acknowledged,
    Cancelled,
    EarlyOffered,
    Ended,
    Referred,
    RefreshDue,
    ReofferAnswered,
    ReofferDelayed,
    ReofferDue,
    Reoffered,
    ReofferRefused,
)

log = logging.getLogger(__name__)


async def let_join(call: Call, bridge: Bridge, cue: Joined) -> None:
    """A third party comes to two that talk; one whose media cannot be used is refused, and they go on."""
    newcomer, exchange = cue.newcomer, call.exchange
    try:
        body, _ = await settle_newcomer(newcomer, cue.offer, exchange, exchange.codecs_of(newcomer.peer))
    except RemoteError as error:
        await refuse_newcomer(call, newcomer, error)
        return
    if newcomer.dialogue.is_waiting:
        newcomer.dialogue.answer(exchange.clock.now(), body)
    newcomer.role = PartyRole.OPERATOR if cue.is_operator else PartyRole.CALLEE
    newcomer.state = PartyState.TALKING
    mixed = Mixed(call, await exchange.gateway.open_mix())
    call.phase = mixed
    for leg in (bridge.one, bridge.other, newcomer):
        await mixed.let_in(leg)
    if cue.beeps:
        for leg in (bridge.one, bridge.other, newcomer):
            settled = leg.talks.settled
            if settled is not None and PLAYABLE & set(settled.codecs):
                await exchange.gateway.play(leg.media, beep())
    log.info(
        "call %s: %s joins %s and %s", call.id, *(shown(one.number) for one in (newcomer, bridge.one, bridge.other))
    )
    call.enter(CallState.CONFERENCE)


class Mixed:
    """The phase of a call whose parties are in one mix."""

    def __init__(self, call: Call, mix: MixId) -> None:
        self._call = call
        self._exchange = call.exchange
        self._mix = mix
        self._inside: list[Leg] = []

    async def let_in(self, leg: Leg) -> None:
        await self._exchange.gateway.join_mix(self._mix, leg.media)
        self._inside.append(leg)

    async def take(self, cue: Any) -> None:
        now = self._exchange.clock.now()
        match cue:
            case Reoffered():
                await self._hear_offer(cue.session.user, cue.sdp)
            case Acknowledged():
                await self._hear_ack(cue.session.user, cue.sdp)
            case RefreshDue() | ReofferDue() | AddressChanged():
                self._refresh(cue.session.user)
            case ReofferAnswered():
                await self._hear_refreshed(cue.session.user, cue.sdp)
            case ReofferRefused() | ReofferDelayed():
                cue.session.user.talks.roll_back()
            case Referred():
                cue.session.refuse_referral(cue.transaction, now, 403, "A Conference Is Not Transferred")
            case EarlyOffered():
                cue.session.refuse_early_offer(cue.transaction, now, 491)
            case Joined():
                await refuse_newcomer(self._call, cue.newcomer, RemoteError(486, "Already Three"))
            case Cancelled() | Ended() if cue.session.user in self._inside:
                await self._hear_leave(cue)
            case Cancelled() | Ended():
                await self._call.part(cue.session.user)
            case Release():
                await self._close()
                self._call.end(cue.released_by, cue.cause)

    async def _hear_leave(self, cue: Any) -> None:
        leg: Leg = cue.session.user
        call, is_caller = self._call, cue.session.user is self._call.caller
        self._inside.remove(leg)
        by_peer = isinstance(cue, Cancelled) or cue.by_peer
        await self._exchange.gateway.leave_mix(leg.media)
        log.info("call %s: %s leaves the three", call.id, shown(leg.number))
        if len(self._inside) < 2:
            released_by = (ReleasedBy.CALLER if is_caller else ReleasedBy.CALLEE) if by_peer else ReleasedBy.SYSTEM
            await self._close()
            call.end(released_by, NORMAL if by_peer else vanished(leg, cue.status))
            return
        await call.part(leg)
        if len(self._inside) == 2:
            await self._go_on_alone()
        else:
            call.enter(CallState.CONFERENCE)

    async def _go_on_alone(self) -> None:
        """The two that are left talk as any two do."""
        call = self._call
        one, other = self._inside
        await self._close()
        one.role = PartyRole.CALLER
        if other.role is PartyRole.CALLER:
            other.role = PartyRole.CALLEE
        bridge = Bridge(self._exchange.gateway, one, other, self._exchange.hold_music)
        await bridge.connect()
        is_held = one.holds or other.holds
        one.state = other.state = PartyState.HELD if is_held else PartyState.TALKING
        conversation = Conversation(call, bridge)
        call.phase = conversation
        conversation.bring_together()
        call.enter(CallState.HELD if is_held else CallState.TALKING)

    async def _close(self) -> None:
        for leg in self._inside:
            await self._exchange.gateway.leave_mix(leg.media)
        self._inside = []
        await self._exchange.gateway.close_mix(self._mix)

    # -- re-INVITE ----------------------------------------------------------------------------------------------

    async def _hear_offer(self, leg: Leg, sdp: bytes) -> None:
        session, now = leg.dialogue, self._exchange.clock.now()
        codecs = self._exchange.codecs_of(leg.peer)
        if not session.has_reoffer:
            return  # taken back meanwhile
        if leg.talks.is_open:
            session.refuse_reoffer(now, 491)
            return
        if not sdp:
            session.accept_reoffer(now, leg.talks.make_offer(codecs))
            return
        try:
            leg.talks.take_offer(sdp)
            body, settled = leg.talks.make_answer(codecs)
            await leg.apply(settled)
        except RemoteError as error:
            leg.talks.roll_back()
            session.refuse_reoffer(now, error.status, error.reason, error.warning)
            return
        session.accept_reoffer(now, body)
        self._mark_hold(leg, settled.held)

    async def _hear_ack(self, leg: Leg, sdp: bytes) -> None:
        if not leg.talks.is_open:
            return
        try:
            if not sdp:
                raise RemoteError(488, NO_ANSWER_IN_ACK.partition(" ")[2])
            settled = leg.talks.take_answer(sdp)
            await leg.apply(settled)
        except RemoteError:
            leg.talks.roll_back()
            leg.dialogue.end(self._exchange.clock.now())
            return
        self._mark_hold(leg, settled.held)

    def _refresh(self, leg: Leg) -> None:
        now = self._exchange.clock.now()
        if leg.talks.settled is None:
            return
        if leg.talks.is_open or not leg.dialogue.may_reoffer:
            leg.dialogue.refresh_later(now)
        else:
            leg.dialogue.reoffer(now, leg.talks.repeat_offer())

    async def _hear_refreshed(self, leg: Leg, sdp: bytes) -> None:
        try:
            await leg.apply(leg.talks.take_answer(sdp))
        except RemoteError:
            leg.talks.roll_back()

    def _mark_hold(self, leg: Leg, is_held: bool) -> None:
        """Who holds three others hears nothing meanwhile; they go on."""
        if leg.holds != is_held:
            leg.holds = is_held
            leg.state = PartyState.HELD if is_held else PartyState.TALKING
            self._call.enter(CallState.CONFERENCE)
