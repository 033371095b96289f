"""A call of three or more: everybody is in one mix, and hears whom it may; whoever leaves, the others go on."""

from __future__ import annotations

import logging
from typing import Any

from engine.core.errors import RemoteError
from engine.core.text import shown
from engine.core.views import CallState, PartyRole, PartyState, ReleasedBy
from engine.media.gateway import PLAYABLE, TONE_MS, MixId
from engine.media.tones import beep
from engine.pbx.bridge import Bridge
from engine.pbx.call import (
    NO_ANSWER_IN_ACK,
    NORMAL,
    AddressChanged,
    Call,
    Joined,
    Pressed,
    Release,
    Replaced,
    Retuned,
    SendOn,
    Served,
    ToggleRecording,
    TookOver,
)
from engine.pbx.conversation import Conversation
from engine.pbx.digits import pass_digit
from engine.pbx.leg import Leg, vanished
from engine.pbx.recording import answer_recording
from engine.pbx.reoffers import answer_offer, refresh, take_answer
from engine.pbx.replacing import refuse_newcomer, settle_newcomer
from engine.sip.session.events import (
    Acknowledged,
    Cancelled,
    DigitHeard,
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
from engine.store.configuration import HoldPolicy

log = logging.getLogger(__name__)


async def let_join(call: Call, bridge: Bridge, cue: Joined) -> None:
    """A third party comes to two that talk; one whose media cannot be used is refused, and they go on."""
    newcomer, exchange = cue.newcomer, call.exchange
    try:
        body, _ = await settle_newcomer(newcomer, cue.offer, exchange, exchange.codecs_of(newcomer.peer))
    except RemoteError as error:
        await refuse_newcomer(call, cue, error)
        return
    if newcomer.dialogue.is_waiting:
        newcomer.dialogue.answer(exchange.clock.now(), body)
    newcomer.role = cue.role
    newcomer.state = PartyState.TALKING
    mixed = Mixed(call, await exchange.gateway.open_mix())
    call.phase = mixed
    await mixed.begin(bridge.one, bridge.other, newcomer, cue.side)
    if cue.beeps:
        await mixed.beep()
    log.info(
        "call %s: %s joins %s and %s as %s",
        call.id,
        *(shown(one.number) for one in (newcomer, bridge.one, bridge.other)),
        cue.role.value,
    )
    cue.told(None)


SILENT = (PartyRole.LISTENER, PartyRole.WHISPERER)
"""Roles of operators that are no party of the conversation."""
_MOVES = (Referred, SendOn, Replaced, Served)
"""What two that talk may want and three may not: operators that are no party make way for it."""


class Mixed:
    """The phase of a call whose parties are in one mix."""

    def __init__(self, call: Call, mix: MixId) -> None:
        self._call = call
        self._exchange = call.exchange
        self._mix = mix
        self._inside: list[Leg] = []
        self._sides: dict[Leg, Leg] = {}
        """Whom each whisperer speaks to."""

    async def begin(self, one: Leg, other: Leg, newcomer: Leg, side: Leg | None) -> None:
        """Two that talk, and who comes to them."""
        if side is not None:
            self._sides[newcomer] = side
        self._inside = [one, other, newcomer]
        for leg in (one, other):
            await self._exchange.listen_events(leg)
        await self._tune()

    async def beep(self) -> None:
        """A short tone that all hear."""
        for leg in self._inside:
            if _hears_clips(leg):
                await self._exchange.gateway.play(leg.media, beep())

    async def _tune(self) -> None:
        """Everybody hears whom it may, by the roles; the call is shown as what it is for those who talk."""
        for leg in self._inside:
            others = [each for each in self._inside if each is not leg]
            heard = [each for each in others if self._may_hear(leg, each)]
            hears = None if len(heard) == len(others) else frozenset(each.media for each in heard)
            await self._exchange.gateway.join_mix(self._mix, leg.media, hears=hears)
        self._call.enter(self._state())

    def _may_hear(self, leg: Leg, other: Leg) -> bool:
        if other.role is PartyRole.WHISPERER:
            return self._sides.get(other) is leg
        return other.role is not PartyRole.LISTENER

    def _talkers(self) -> list[Leg]:
        return [leg for leg in self._inside if leg.role not in SILENT]

    @property
    def is_of_two(self) -> bool:
        """Whether two talk, and whoever else is in is no party of it."""
        return len(self._talkers()) == 2

    def _state(self) -> CallState:
        talkers = self._talkers()
        if len(talkers) > 2:
            return CallState.CONFERENCE
        return CallState.HELD if any(leg.holds for leg in talkers) else CallState.TALKING

    async def take(self, cue: Any) -> None:
        now = self._exchange.clock.now()
        if isinstance(cue, _MOVES) and self.is_of_two:
            await self._make_way(cue)
            return
        match cue:
            case DigitHeard() | Pressed():
                await self._hear_digit(cue)
            case Retuned() if cue.leg in self._inside:
                await self._retune(cue)
            case TookOver() if cue.leg in self._inside and cue.place in self._inside:
                await self._take_over(cue)
            case ToggleRecording():
                await answer_recording(self._call, self._mix, cue)
            case Reoffered():
                await self._hear_offer(cue.session.user, cue.sdp)
            case Acknowledged():
                await self._hear_ack(cue.session.user, cue.sdp)
            case RefreshDue() | ReofferDue() | AddressChanged():
                refresh(cue.session.user, now)
            case ReofferAnswered():
                await take_answer(cue.session.user, cue.sdp)
            case ReofferRefused() | ReofferDelayed():
                cue.session.user.talks.roll_back()
            case Referred():
                cue.session.refuse_referral(cue.transaction, now, 403, "A Conference Is Not Transferred")
            case EarlyOffered():
                cue.session.refuse_early_offer(cue.transaction, now, 491)
            case Joined() | Replaced():
                await refuse_newcomer(self._call, cue, RemoteError(486, "Already Three"))
            case Retuned() | TookOver():
                cue.told("481 No Such Party")
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
        by_peer = isinstance(cue, Cancelled) or cue.by_peer
        await self._let_out(leg)
        log.info("call %s: %s leaves the three", call.id, shown(leg.number))
        if len(self._talkers()) < 2:
            released_by = (ReleasedBy.CALLER if is_caller else ReleasedBy.CALLEE) if by_peer else ReleasedBy.SYSTEM
            await self._close()
            call.end(released_by, NORMAL if by_peer else vanished(leg, cue.status))
            return
        await call.part(leg)
        await self._go_on()

    async def _let_out(self, leg: Leg) -> None:
        self._inside.remove(leg)
        self._sides.pop(leg, None)
        for whisperer in [each for each, side in self._sides.items() if side is leg]:
            del self._sides[whisperer]  # it is heard by nobody until it is told otherwise
        await self._exchange.gateway.leave_mix(leg.media)

    async def _go_on(self) -> None:
        """Those who are left talk on."""
        if len(self._inside) == 2:
            await self._go_on_alone()
        else:
            await self._tune()

    async def _hang_up(self, leg: Leg) -> None:
        """Somebody has to leave."""
        await self._let_out(leg)
        leg.dialogue.end(self._exchange.clock.now())
        await self._call.part(leg)

    # -- operators ----------------------------------------------------------------------------------------------

    async def _retune(self, cue: Retuned) -> None:
        cue.leg.role = cue.role
        self._sides.pop(cue.leg, None)
        if cue.side is not None:
            self._sides[cue.leg] = cue.side
        await self._tune()
        if cue.beeps:
            await self.beep()
        cue.told(None)

    async def _take_over(self, cue: TookOver) -> None:
        call, place = self._call, cue.place
        is_caller = call.caller is place
        await self._hang_up(place)
        cue.leg.role = PartyRole.CALLER if is_caller else PartyRole.CALLEE
        self._sides.pop(cue.leg, None)
        call.legs.remove(cue.leg)
        call.legs.insert(0 if is_caller else 1, cue.leg)
        log.info("call %s: %s takes the place of %s", call.id, shown(cue.leg.number), shown(place.number))
        await self._go_on()
        cue.told(None)

    async def _make_way(self, cue: Any) -> None:
        """Those who talk are two again, and what they want is done."""
        for leg in [each for each in self._inside if each.role in SILENT]:
            log.info("call %s: %s no longer listens, for the call moves on", self._call.id, shown(leg.number))
            await self._hang_up(leg)
        await self._go_on_alone()
        assert self._call.phase is not None
        await self._call.phase.take(cue)

    async def _hear_digit(self, cue: DigitHeard | Pressed) -> None:
        """Digits of those who talk go to the others; a machine may be among them."""
        leg: Leg = cue.session.user if isinstance(cue, DigitHeard) else cue.leg
        talkers = self._talkers()
        if leg in talkers:
            key, duration_ms = (cue.key, cue.duration_ms) if isinstance(cue, DigitHeard) else (cue.digit, TONE_MS)
            for other in talkers:
                if other is not leg:
                    await pass_digit(self._exchange, other, key, duration_ms)

    async def _go_on_alone(self) -> None:
        """The two that are left talk as any two do."""
        call = self._call
        one, other = sorted(self._inside, key=call.legs.index)
        one.role, other.role = PartyRole.CALLER, PartyRole.CALLEE
        bridge = Bridge(self._exchange.gateway, one, other, self._exchange.hold_music)
        await bridge.connect()  # out of the mix, with what each has not heard yet
        self._inside = []
        await self._exchange.gateway.close_mix(self._mix)
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
        holds = await answer_offer(leg, sdp, self._exchange.codecs_of(leg.peer), self._exchange.clock.now())
        if holds is not None:
            await self._mark_hold(leg, holds)

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
        await self._mark_hold(leg, settled.held)

    async def _mark_hold(self, leg: Leg, is_held: bool) -> None:
        """Who holds several others hears nothing meanwhile; they go on. A single one that is held hears music."""
        if leg.holds == is_held:
            return
        leg.holds = is_held
        leg.state = PartyState.HELD if is_held else PartyState.TALKING
        talkers = self._talkers()
        if len(talkers) == 2 and leg in talkers:
            other = next(each for each in talkers if each is not leg)
            if is_held and leg.hold_policy is HoldPolicy.LOCAL and _hears_clips(other):
                await self._exchange.gateway.play(other.media, self._exchange.hold_music(), repeat=True)
            elif not is_held:
                await self._exchange.gateway.stop_playing(other.media)
        self._call.enter(self._state())


def _hears_clips(leg: Leg) -> bool:
    """Whether the gateway can play to it."""
    settled = leg.talks.settled
    return settled is not None and bool(PLAYABLE & set(settled.codecs))
