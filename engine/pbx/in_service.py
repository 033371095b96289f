"""A call that a service owns: its verbs carried out one after the other, until somebody ends it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple

from engine.core.errors import RemoteError
from engine.core.events import AlarmRaised, ServiceFailed
from engine.core.views import CallState, PartyState, ReleasedBy
from engine.media.gateway import Clip, PortsExhaustedError
from engine.media.tones import beep, tone
from engine.pbx.call import NO_ANSWER_IN_ACK, NORMAL, Begin, Call, Release
from engine.pbx.early_offer import hear_early
from engine.pbx.service import Answer, Echo, HangUp, Play, ServiceError, ServiceInstance, Verb, Wait
from engine.sip.message import reason_for
from engine.sip.session.core import SessionState
from engine.sip.session.events import (
    Acknowledged,
    Cancelled,
    EarlyAcknowledged,
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


class VerbOver(NamedTuple):
    """The verb is done: ``value``, or ``None`` and what failed."""

    value: bool | None
    failure: str | None = None


_CLIPS: dict[str, Callable[[], Clip]] = {
    "beep": beep,
    **{kind: partial(tone, kind) for kind in ("ringback", "busy", "congestion")},
}
_PLAYABLE = ("PCMA", "PCMU")
_PIECES_S = (600.0, 60.0, 10.0, 1.0, 0.1, 0.02)
"""The timer book likes few durations: a wait is made of these."""
_FAILED = (500, "Service Failed", 0)
_SILENT = (480, "Service Did Not Answer", 0)
"""Status, reason and warning code."""


class InService:
    """The phase of a call that a service owns: carries out one verb after the other until somebody ends it."""

    def __init__(self, call: Call, offer: bytes, service: str) -> None:
        self._call = call
        self._exchange = call.exchange
        self._offer = offer
        self._service = service
        self._instance: ServiceInstance | None = None
        self._refusal = _SILENT
        """What the caller hears of a service that ends without an answer."""
        self._is_answering = False
        """The 200 carried our offer: the ACK brings the answer, and the verb is over then."""
        self._due = 0.0
        self.timers: dict[str, list[object]] = {}

    async def take(self, cue: Any) -> None:
        match cue:
            case Begin():
                await self._begin()
            case VerbOver():
                await self._go_on(cue)
            case Reoffered():
                await self._hear_offer(cue.sdp)
            case Acknowledged():
                await self._hear_ack(cue.sdp)
            case Referred():
                cue.session.refuse_referral(cue.transaction, self._now, 403, "A Service Is Not Transferred")
            case RefreshDue():
                self._refresh()
            case ReofferAnswered():
                await self._hear_refreshed(cue.sdp)
            case ReofferRefused() | ReofferDelayed():
                self._call.caller.talks.roll_back()
            case ReofferDue():
                self._refresh()
            case EarlyAcknowledged() | EarlyOffered():
                await self._hear_early(cue)
            case Cancelled():
                await self._leave(ReleasedBy.CALLER, f"487 {reason_for(487)}")
            case Ended() if cue.by_peer:
                await self._leave(ReleasedBy.CALLER, NORMAL)
            case Ended():
                await self._leave(ReleasedBy.SYSTEM, f"{cue.status} {cue.reason or 'Caller Vanished'}")
            case Release():
                await self._leave(cue.released_by, cue.cause)

    def on_timer(self, name: str, now: float) -> None:
        """A piece of a wait is over, from the endpoint's timer book."""
        if self._call.phase is not self:
            return  # the call failed on the way
        if now >= self._due:
            self._over()
        else:
            self._sleep(now)

    @property
    def _now(self) -> float:
        return self._exchange.clock.now()

    # -- the service --------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        call = self._call
        call.service = self._service
        call.enter(CallState.SERVICE)
        try:
            host = self._exchange.services
            self._instance = await host.open(self._service, call.caller.number, call.dialled)
        except ServiceError as error:
            self._fail(error)
        else:
            await self._step(self._instance.resume())

    async def _go_on(self, outcome: VerbOver) -> None:
        assert self._instance is not None
        await self._step(self._instance.resume(*outcome))

    async def _step(self, step: Awaitable[Verb | None]) -> None:
        try:
            verb = await step
        except ServiceError as error:
            self._fail(error)
            return
        match verb:
            case Answer():
                await self._answer()
            case Play():
                await self._play(verb.clip)
            case Echo():
                await self._echo()
            case Wait():
                self._wait(verb.seconds)
            case HangUp() | None:
                cause = NORMAL if self._call.answered_at else "{} {}".format(*self._refusal)
                await self._leave(ReleasedBy.SYSTEM, cause, hung_up=False)

    def _over(self, failure: str | None = None) -> None:
        """The verb's outcome waits its turn among the cues, so that a service in a loop cannot outrun a BYE."""
        self._call.post(VerbOver(None if failure else True, failure))

    # -- verbs --------------------------------------------------------------------------------------------------

    async def _answer(self) -> None:
        call, leg = self._call, self._call.caller
        if call.answered_at is not None:
            self._over()
            return
        try:
            body = await self._describe_media()
        except RemoteError as error:
            leg.talks.roll_back()
            self._refusal = (error.status, error.reason, error.warning)
            self._over(str(error))
            return
        except (PortsExhaustedError, OSError) as error:
            log.error("call %s cannot get media ports: %s", call.id, error)
            self._refusal = (503, "No Media Ports", 0)
            self._over("503 No Media Ports")
            return
        if leg.dialogue.state is not SessionState.INCOMING:
            self._over("ended")  # the caller gave up meanwhile: its cue comes next
            return
        leg.dialogue.answer(self._now, body)
        leg.state = PartyState.TALKING
        call.answered_at = self._exchange.clock.wall()
        call.enter(CallState.SERVICE)
        self._is_answering = not self._offer
        if self._offer:
            self._over()

    async def _describe_media(self) -> bytes:
        """Our answer to the caller's offer, or our own late offer; raises ``RemoteError``."""
        leg = self._call.caller
        if not leg.has_media:
            await leg.open_media(self._exchange)
        if not self._offer:
            return leg.talks.make_offer(self._codecs())
        leg.talks.take_offer(self._offer)
        body, settled = leg.talks.make_answer(self._codecs())
        await leg.apply(settled)
        return body

    def _codecs(self) -> tuple[str, ...]:
        """What the caller may use, first what the gateway can play."""
        allowed = self._exchange.codecs_of(self._call.caller.peer)
        return tuple(sorted(allowed, key=lambda codec: codec not in _PLAYABLE))

    async def _play(self, name: str) -> None:
        leg = self._call.caller
        clip = _CLIPS.get(name)
        settled = leg.negotiation.settled if leg.negotiation else None
        if clip is None:
            self._over(f"there is no clip '{name}': use one of {', '.join(_CLIPS)}")
        elif settled is None:
            self._over("the call is not answered")
        elif not set(_PLAYABLE) & set(settled.codecs):
            self._over(f"nothing can be played to a phone that speaks {', '.join(settled.codecs)} alone")
        else:
            sound = clip()
            await self._exchange.gateway.play(leg.media, sound)
            self._wait(sound.duration_ms / 1000)

    async def _echo(self) -> None:
        leg = self._call.caller
        if self._call.answered_at is None:
            self._over("the call is not answered")
            return
        await self._exchange.gateway.connect(leg.media, leg.media)
        self._over()

    def _wait(self, seconds: float) -> None:
        now = self._now
        self._due = now + seconds
        self._sleep(now)

    def _sleep(self, now: float) -> None:
        remaining = self._due - now
        piece = next((piece for piece in _PIECES_S if piece <= remaining), _PIECES_S[-1])
        self._exchange.agent.layer.book.set(self, "wait", piece, now)

    # -- re-INVITE ----------------------------------------------------------------------------------------------

    async def _hear_offer(self, sdp: bytes) -> None:
        leg = self._call.caller
        session = leg.dialogue
        if not session.has_reoffer:
            return  # taken back meanwhile
        if leg.talks.is_open:
            session.refuse_reoffer(self._now, 491)
            return
        if not sdp:
            session.accept_reoffer(self._now, leg.talks.make_offer(self._codecs()))
            return
        try:
            leg.talks.take_offer(sdp)
            body, settled = leg.talks.make_answer(self._codecs())
            await leg.apply(settled)
        except RemoteError as error:
            leg.talks.roll_back()
            session.refuse_reoffer(self._now, error.status, error.reason, error.warning)
            return
        session.accept_reoffer(self._now, body)
        self._mark_hold(settled.held)

    async def _hear_ack(self, sdp: bytes) -> None:
        """The ACK of a 200 that carried our offer brings the answer."""
        leg = self._call.caller
        if not leg.talks.is_open:
            return
        if not sdp:
            await self._leave(ReleasedBy.SYSTEM, NO_ANSWER_IN_ACK)
            return
        try:
            settled = leg.talks.take_answer(sdp)
            await leg.apply(settled)
        except RemoteError as error:
            leg.talks.roll_back()
            await self._leave(ReleasedBy.SYSTEM, f"{error.status} {error.reason}")
            return
        self._mark_hold(settled.held)
        if self._is_answering:
            self._is_answering = False
            self._over()

    def _refresh(self) -> None:
        """A re-INVITE that changes nothing keeps the session alive (RFC 4028)."""
        leg = self._call.caller
        if leg.talks.settled is None:
            return
        if leg.talks.is_open or not leg.dialogue.may_reoffer:
            leg.dialogue.refresh_later(self._now)
        else:
            leg.dialogue.reoffer(self._now, leg.talks.repeat_offer())

    async def _hear_refreshed(self, sdp: bytes) -> None:
        leg = self._call.caller
        try:
            await leg.apply(leg.talks.take_answer(sdp))
        except RemoteError:
            leg.talks.roll_back()

    async def _hear_early(self, cue: EarlyAcknowledged | EarlyOffered) -> None:
        """What the caller says of its audio with a PRACK."""
        try:
            await hear_early(cue, self._now)
        except RemoteError as error:
            await self._leave(ReleasedBy.SYSTEM, f"{error.status} {error.reason}")

    def _mark_hold(self, is_held: bool) -> None:
        """Whoever holds a service is held itself; the service goes on."""
        leg = self._call.caller
        if leg.holds != is_held:
            leg.holds = is_held
            leg.state = PartyState.HELD if is_held else PartyState.TALKING
            self._call.enter(CallState.SERVICE)

    # -- the end ------------------------------------------------------------------------------------------------

    async def _leave(self, released_by: ReleasedBy, cause: str, *, hung_up: bool = True) -> None:
        """The call ends; the service may clean up and no more."""
        self._hang_up(*self._refusal)
        self._call.end(released_by, cause)
        instance = self._instance
        if instance is None:
            return
        try:
            await instance.end(hung_up=hung_up)
        except ServiceError as error:
            self._tell(error)
        instance.close()

    def _fail(self, error: ServiceError) -> None:
        self._tell(error)
        self._hang_up(*_FAILED)
        self._call.end(ReleasedBy.SYSTEM, "{} {}".format(*_FAILED))
        if self._instance is not None:
            self._instance.close()

    def _hang_up(self, status: int, reason: str, warning: int) -> None:
        """End the caller's session: at once, whatever the service still does."""
        self._exchange.agent.layer.book.clear_all(self)
        session = self._call.caller.dialogue
        if session.state is SessionState.INCOMING:
            session.reject(self._now, status, reason, warning=warning)
        else:
            session.end(self._now)
        self._exchange.endpoint.flush()

    def _tell(self, error: ServiceError) -> None:
        """To the log, to watchers and, of one that hangs, to everybody."""
        call, at = self._call, self._exchange.clock.wall()
        trace = f" ({error.trace})" if error.trace else ""
        log.error(
            "service %s of call %s (%s to %s) failed: %s%s",
            self._service, call.id, call.caller.number, call.dialled, error.reason, trace,
        )  # fmt: skip
        self._exchange.bus.publish(ServiceFailed(at, call.id, self._service, error.reason))
        if error.is_stuck:
            self._exchange.bus.publish(AlarmRaised(at, f"service {self._service}: {error.reason}"))
