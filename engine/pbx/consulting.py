"""Asking back: who talks with a caller asks somebody else first, while the caller hears music.

The phones take no part in it: all three stay in one call, and the office says who hears whom. Whoever hangs up, the
two that are left talk; so hanging up is how any phone completes the transfer.
"""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

from engine.core.errors import RemoteError
from engine.core.text import shown
from engine.core.views import CallState, PartyRole, PartyState
from engine.media.gateway import PLAYABLE, Clip
from engine.pbx.bridge import Bridge
from engine.pbx.call import AddressChanged, Call, Complete, GoBack, Joined, Release, Replaced
from engine.pbx.conversation import Conversation
from engine.pbx.leg import Leg
from engine.pbx.reoffers import answer_offer, refresh, take_answer
from engine.pbx.replacing import refuse_newcomer
from engine.pbx.routing import ToExtension, ToTrunks
from engine.pbx.transfer import Transfer
from engine.sip.identity import Caller
from engine.sip.offer_answer import Warn
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
from engine.store.configuration import Extension
from engine.store.outside import Trunk

log = logging.getLogger(__name__)


class Consulting(Transfer):
    """The phase in which somebody is called for who asks, who goes on with the caller when nobody answers."""

    def __init__(self, call: Call, by: Leg, party: Leg, route: ToExtension | ToTrunks, number: str) -> None:
        super().__init__(call, by, party, route, number)
        self._asks = by
        call.identity = Caller(by.number, by.name)
        party.state = PartyState.HELD

    async def start(self) -> None:
        """The caller hears music, who asks hears ringback."""
        exchange, by = self._exchange, self._by
        assert by is not None
        await exchange.gateway.disconnect(self._party.media)
        await _play(self._party, exchange.hold_music())
        await _play(by, exchange.ringback())
        await self._begin()

    async def take(self, cue: Any) -> None:
        match cue:
            case Complete() if cue.by is self._by:
                await self.let_go()
                await _play(self._party, self._exchange.ringback())
            case GoBack() if cue.by is self._by:
                self._decline(487, "Request Terminated", 0)
            case _:
                await super().take(cue)

    async def let_go(self) -> None:
        """From now on it is a transfer: the caller is called for."""
        self._call.identity = Caller(self._party.number, self._party.name)
        await super().let_go()

    async def _accept(self, answer: bytes) -> None:
        if self._by is None:
            await super()._accept(answer)

    async def _hand_over_to(self, leg: Leg) -> Conversation:
        by = self._by
        if by is None:
            self._party.state = PartyState.TALKING
            return await super()._hand_over_to(leg)
        for one in (by, leg):
            await self._exchange.gateway.stop_playing(one.media)
        trio = Trio(by, self._party, leg, (self._dialled_before, self._identity_before))
        aside = Bridge(self._exchange.gateway, by, leg, self._exchange.hold_music)
        await aside.connect()
        by.state = leg.state = PartyState.TALKING
        self._call.phase = Consulted(self._call, trio)
        log.info("call %s: %s asks %s first", self._call.id, shown(by.number), shown(leg.number))
        self._call.enter(CallState.HELD)
        return Conversation(self._call, aside)

    async def _give_back(self, cue: Any) -> None:
        by = self._by
        if by is not None:
            await self._exchange.gateway.stop_playing(by.media)
        await super()._give_back(cue)
        phase = self._call.phase
        if isinstance(phase, Conversation):  # hanging up now is meant
            phase.forget_return()

    def _codecs_for(self, callee: Extension | Trunk) -> tuple[str, ...]:
        settled = self._asks.talks.settled
        spoken = settled.codecs if settled is not None else ()
        common = tuple(codec for codec in self._exchange.codecs_of(callee) if codec in spoken)
        if not common:
            raise RemoteError(488, "No Common Codec", Warn.MEDIA_FORMAT)
        return common


class Trio(NamedTuple):
    """Who asks, who waits and who was asked; number and caller as they were before."""

    by: Leg
    party: Leg
    asked: Leg
    before: tuple[str, Caller]


class Consulted:
    """The phase in which two talk about a third, who waits."""

    def __init__(self, call: Call, trio: Trio) -> None:
        self._call = call
        self._exchange = call.exchange
        self._trio = trio

    async def take(self, cue: Any) -> None:
        trio, now = self._trio, self._exchange.clock.now()
        match cue:
            case Complete() if cue.by is trio.by:
                await self._lose(trio.by)
            case GoBack() if cue.by is trio.by:
                await self._lose(trio.asked)
            case Cancelled() | Ended() if cue.session.user in (trio.by, trio.party, trio.asked):
                await self._lose(cue.session.user, has_ended=True)
            case Cancelled() | Ended():
                await self._call.part(cue.session.user)
            case Release():
                self._call.end(cue.released_by, cue.cause)
            case Reoffered():
                await self._hear_offer(cue.session.user, cue.sdp)
            case Acknowledged():
                await self._hear_ack(cue.session.user, cue.sdp)
            case RefreshDue() | ReofferDue() | AddressChanged():
                refresh(cue.session.user, now)
            case ReofferAnswered():
                self._note_hold(cue.session.user, await take_answer(cue.session.user, cue.sdp))
            case ReofferRefused() | ReofferDelayed():
                cue.session.user.talks.roll_back()
            case EarlyOffered():
                cue.session.refuse_early_offer(cue.transaction, now, 491)
            case Referred():
                cue.session.refuse_referral(cue.transaction, now, 491)
            case Joined() | Replaced():
                await refuse_newcomer(self._call, cue, RemoteError(486, "Asking Back"))

    async def _lose(self, leg: Leg, *, has_ended: bool = False) -> None:
        """One of the three is done, and the two others talk."""
        call, trio, exchange = self._call, self._trio, self._exchange
        if not has_ended:
            leg.dialogue.end(exchange.clock.now())
        await call.part(leg)
        one, other = [each for each in (trio.party, trio.by, trio.asked) if each is not leg]
        if leg is trio.asked:
            call.dialled, call.identity = trio.before
        call.legs[:] = [one, other]
        one.role, other.role = PartyRole.CALLER, PartyRole.CALLEE
        for each in (one, other):
            await exchange.gateway.stop_playing(each.media)
        bridge = Bridge(exchange.gateway, one, other, exchange.hold_music)
        await bridge.connect()
        is_held = one.holds or other.holds
        one.state = other.state = PartyState.HELD if is_held else PartyState.TALKING
        conversation = Conversation(call, bridge)
        call.phase = conversation
        conversation.bring_together()
        log.info("call %s: %s and %s talk", call.id, shown(one.number), shown(other.number))
        call.enter(CallState.HELD if is_held else CallState.TALKING)

    # -- re-INVITE: each phone is answered here, and the others hear nothing of it --------------------------------

    async def _hear_offer(self, leg: Leg, sdp: bytes) -> None:
        codecs = leg.talks.settled.codecs if leg.talks.settled is not None else ()
        self._note_hold(leg, await answer_offer(leg, sdp, codecs, self._exchange.clock.now()))

    async def _hear_ack(self, leg: Leg, sdp: bytes) -> None:
        if leg.talks.is_open and sdp:
            self._note_hold(leg, await take_answer(leg, sdp))
        elif leg.talks.is_open:
            leg.talks.roll_back()

    @staticmethod
    def _note_hold(leg: Leg, holds: bool | None) -> None:
        if holds is not None:
            leg.holds = holds


async def _play(leg: Leg, clip: Clip) -> None:
    settled = leg.talks.settled
    if settled is not None and PLAYABLE & set(settled.codecs):
        await leg.gateway.play(leg.media, clip, repeat=True)
