"""A call that a service owns: its verbs carried out one after the other, until somebody ends it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from engine.core.errors import RemoteError
from engine.core.events import AlarmRaised, ServiceFailed
from engine.core.ids import CallId
from engine.core.views import CallState, PartyState, ReleasedBy
from engine.media.gateway import PLAYABLE, PortsExhaustedError
from engine.pbx.bridge import Bridge
from engine.pbx.call import (
    NO_ANSWER_IN_ACK,
    NORMAL,
    AddressChanged,
    Begin,
    Call,
    Pressed,
    RecordingFailed,
    Release,
    Replaced,
)
from engine.pbx.conversation import Conversation
from engine.pbx.early_media import EarlyMedia
from engine.pbx.early_offer import hear_early
from engine.pbx.exchange import Exchange
from engine.pbx.leg import Leg
from engine.pbx.reoffers import answer_offer, refresh, take_answer
from engine.pbx.replacing import refuse_newcomer, settle_newcomer
from engine.pbx.routing import ToService
from engine.pbx.service import Pace, ServiceError, ServiceInstance, Verb
from engine.pbx.verbs.activity import LAST_WORD_S, Activity, Due, LastWord
from engine.sip.message import reason_for
from engine.sip.session.core import SessionState
from engine.sip.session.events import (
    Acknowledged,
    Cancelled,
    DigitHeard,
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

    value: Any
    failure: str | None = None


class Stop(NamedTuple):
    """The service has nothing more to do here: the caller is let go of."""

    cause: str = NORMAL


MOST_TYPED = 32
"""Digits kept for the next question."""
_PIECES_S = (600.0, 60.0, 10.0, 1.0, 0.1, 0.02)
"""The timer book likes few durations: a wait is made of these."""
_FAILED = (500, "Service Failed", 0)
_SILENT = (480, "Service Did Not Answer", 0)
"""Status, reason and warning code."""


class InService:
    """The phase of a call that a service owns, and its owner while it lets the caller talk with somebody."""

    def __init__(
        self,
        call: Call,
        offer: bytes,
        service: str,
        facts: Mapping[str, Any] | None = None,
        *,
        max_forwards: int = 70,
        early: EarlyMedia | None = None,
        offered: tuple[str, ...] | None = None,
        instance: ServiceInstance | None = None,
        on_return: Callable[[InService], Awaitable[None]] | None = None,
    ) -> None:
        """``facts`` are fields of the service's call beside who calls what.

        ``early`` and ``offered`` are what a waiting caller was told and asked before; ``instance`` is the service
        that has dialled the caller. With ``on_return`` a call that the service does not take goes on by it.
        """
        self.call = call
        self.exchange = call.exchange
        self.offer = offer
        self.facts = dict(facts or {})
        self.max_forwards = max_forwards
        self.early = early
        self.offered = offered
        self.service = service
        self.typed = ""
        """Digits that nothing has asked for yet."""
        self.goes_on = False
        """Whether the service goes on once the party that it dialled hangs up."""
        self.refusal = _SILENT
        """What the caller hears of a service that ends without an answer."""
        self.at_end: list[Callable[[], None]] = []
        """What is to be given back once the service is done."""
        self.timers: dict[str, list[object]] = {}
        self._instance = instance
        self._on_return = on_return
        self._activity: Activity | None = None
        self._is_answering = False
        """The 200 carried our offer: the ACK brings the answer, and the verb is over then."""
        self._hung_up = True
        """Whether the end of the call interrupts the verb that the service waits for."""
        self.speaks_until = 0.0
        """When what was played to its end is said."""
        self._has_failed = False
        """The service broke, and the caller is told so."""
        self._due = 0.0
        self._round = 0
        self._pace = Pace()

    async def take(self, cue: Any) -> None:
        match cue:
            case Begin():
                await self._begin()
            case VerbOver():
                await self._go_on(cue)
            case Pressed():
                await self._hear_digit(cue)
            case DigitHeard():
                await self._hear_digit(Pressed(cue.session.user, cue.key))
            case RecordingFailed():
                if self._activity is not None:
                    await self._activity.hear(cue)
            case Due():
                if cue.round == self._round and self._activity is not None:
                    await self._activity.hear(cue)
            case Stop():
                await self.leave(ReleasedBy.SYSTEM, cue.cause, hung_up=False)
            case Replaced():
                await self._hear_replacing(cue)
            case Reoffered():
                await self._hear_offer(cue.sdp)
            case Acknowledged():
                await self.hear_ack(cue.sdp)
            case Referred():
                cue.session.refuse_referral(cue.transaction, self.now, 403, "A Service Is Not Transferred")
            case RefreshDue():
                self.refresh()
            case AddressChanged() if cue.session.user is self.caller:
                self.refresh()
            case ReofferAnswered():
                await self.hear_refreshed(cue.sdp)
            case ReofferRefused() | ReofferDelayed():
                self.caller.talks.roll_back()
            case ReofferDue():
                self.refresh()
            case EarlyAcknowledged() | EarlyOffered():
                await self._hear_early(cue)
            case Cancelled() | Ended() if cue.session.user is not self.caller:
                await self.call.part(cue.session.user)
            case Cancelled():
                await self.leave(ReleasedBy.CALLER, f"487 {reason_for(487)}")
            case Ended() if cue.by_peer:
                await self.leave(ReleasedBy.CALLER, NORMAL)
            case Ended():
                await self.leave(ReleasedBy.SYSTEM, f"{cue.status} {cue.reason or 'Caller Vanished'}")
            case Release():
                await self.leave(cue.released_by, cue.cause)

    def on_timer(self, name: str, now: float) -> None:
        """A piece of a wait is over, from the endpoint's timer book."""
        if self.call.phase is not self:
            return  # somebody else goes on with the call
        if now >= self._due:
            self.call.post(Due(self._round))
        else:
            self._sleep(now)

    @property
    def now(self) -> float:
        return self.exchange.clock.now()

    @property
    def caller(self) -> Leg:
        return self.call.caller

    @property
    def is_answered(self) -> bool:
        session = self.caller.session
        return session is not None and session.state in (SessionState.ANSWERED, SessionState.CONFIRMED)

    @property
    def may_answer(self) -> bool:
        """Whether a caller that waits can be answered for whoever takes it out of the service."""
        return bool(self.offer) and self.caller.dialogue.is_waiting

    # -- the service --------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        call = self.call
        for leg in [*call.legs[1:]]:  # phones that rang in vain
            leg.dialogue.end(self.now)
            await call.part(leg)
        if call.owner is not None:
            await call.owner.let_go()
        call.owner, call.service = self, self.service
        call.enter(CallState.SERVICE)
        outcome = None
        if self._instance is not None:
            outcome = {"status": "answered", "by": call.caller.number}
        else:
            try:
                self._instance = await self.exchange.services.open(self.service, self._all_facts())
            except ServiceError as error:
                await self._fail(error)
                return
        await self._listen()
        await self._step(self._instance.resume(outcome))

    def _all_facts(self) -> dict[str, Any]:
        call, caller = self.call, self.call.caller
        facts: dict[str, Any] = {
            "caller": caller.number,
            "caller_name": caller.name,
            "dialled": call.dialled,
            "own": caller.extension.number if caller.extension else None,
            "trunk": call.trunk_in,
            "id": call.id,
            "argument": "",
            "settings": {},
        }
        return {key: value for key, value in {**facts, **self.facts}.items() if value is not None}

    async def _go_on(self, outcome: VerbOver) -> None:
        if self._instance is not None:
            await self._step(self._instance.resume(*outcome))

    async def _step(self, step: Awaitable[Verb | None]) -> None:
        from engine.pbx.verbs.table import VERBS  # they lead back here

        self._activity = None
        try:
            verb = await step
            if verb is not None:
                self._pace.check(self.service, self.now)
        except ServiceError as error:
            await self._fail(error)
            return
        if verb is None and await self._has_gone_on():
            return
        if verb is None:
            await self.dismiss(NORMAL if self.call.answered_at else "{} {}".format(*self.refusal))
            return
        handle = VERBS.get(verb.name)
        if handle is None:
            self.over(failure=f"the office knows no verb '{verb.name}'")
        else:
            await handle(self, verb.arguments)

    def over(self, value: Any = True, failure: str | None = None) -> None:
        """The verb is done. Its outcome waits its turn among the cues: a service in a loop cannot outrun a BYE."""
        self._activity = None
        self.stop_waiting()
        self.call.post(VerbOver(None if failure else value, failure))

    async def do(self, activity: Activity) -> None:
        """The verb takes time: ``activity`` hears digits and timers until it calls ``over``."""
        self._activity = activity
        await activity.begin()

    # -- time and digits ----------------------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        """Let the activity hear ``Due`` then; the newest wait counts."""
        now = self.now
        self._round += 1
        self._due = now + seconds
        self._sleep(now)

    def stop_waiting(self) -> None:
        self._round += 1
        self.exchange.agent.layer.book.clear(self, "wait")

    def _sleep(self, now: float) -> None:
        remaining = self._due - now
        piece = next((piece for piece in _PIECES_S if piece <= remaining), _PIECES_S[-1])
        self.exchange.agent.layer.book.set(self, "wait", piece, now)

    async def _hear_digit(self, cue: Pressed) -> None:
        if cue.leg is not self.caller:
            return
        if self._activity is not None and self._activity.takes_digits:
            await self._activity.hear(cue)
        elif len(self.typed) < MOST_TYPED:
            self.typed += cue.digit

    async def _listen(self) -> None:
        """From the answer on the caller's digits are heard."""
        if self.is_answered and self.caller.has_media:
            await self.exchange.listen(self.caller)

    # -- answering ----------------------------------------------------------------------------------------------

    async def answer(self) -> str | None:
        """Answer the caller; what failed, if it did. ``over`` follows by itself for a late offer."""
        call, leg = self.call, self.caller
        if self.is_answered:
            self.over()
            return None
        try:
            body = await self._describe_media()
        except RemoteError as error:
            leg.talks.roll_back()
            self.refusal = (error.status, error.reason, error.warning)
            return str(error)
        except (PortsExhaustedError, OSError) as error:
            log.error("call %s cannot get media ports: %s", call.id, error)
            self.refusal = (503, "No Media Ports", 0)
            return "503 No Media Ports"
        if leg.dialogue.state is not SessionState.INCOMING:
            return "ended"  # the caller gave up meanwhile: its cue comes next
        if self.early is not None:
            self.early = None
            await self.exchange.gateway.disconnect(leg.media)
        leg.dialogue.answer(self.now, body)
        leg.state = PartyState.TALKING
        call.answered_at = self.exchange.clock.wall()
        call.enter(CallState.SERVICE)
        await self._listen()
        self._is_answering = not self.offer
        if self.offer:
            self.over()
        return None

    async def _describe_media(self) -> bytes:
        """Our answer to the caller's offer, or our own late offer; raises ``RemoteError``."""
        leg = self.caller
        if not leg.has_media:
            await leg.open_media(self.exchange)
        if not self.offer:
            has_offered = leg.talks.is_open or leg.talks.settled is not None
            return b"" if has_offered else leg.talks.make_offer(self._codecs())
        if self.early is not None and self.early.answer:
            return self.early.answer
        if not leg.talks.is_open:
            leg.talks.take_offer(self.offer)
        body, settled = leg.talks.make_answer(self._codecs())
        await leg.apply(settled)
        return body

    def _codecs(self) -> tuple[str, ...]:
        """What the caller may use, first what the gateway can play."""
        allowed = self.exchange.codecs_of(self.caller.peer)
        return tuple(sorted(allowed, key=lambda codec: codec not in PLAYABLE))

    # -- re-INVITE ----------------------------------------------------------------------------------------------

    async def _hear_offer(self, sdp: bytes) -> None:
        holds = await answer_offer(self.caller, sdp, self._codecs(), self.now)
        if holds is not None:
            self._mark_hold(holds)

    async def hear_ack(self, sdp: bytes) -> None:
        """The ACK of a 200 that carried our offer brings the answer."""
        leg = self.caller
        if not leg.talks.is_open:
            return
        if not sdp:
            await self.leave(ReleasedBy.SYSTEM, NO_ANSWER_IN_ACK)
            return
        try:
            settled = leg.talks.take_answer(sdp)
            await leg.apply(settled)
        except RemoteError as error:
            leg.talks.roll_back()
            await self.leave(ReleasedBy.SYSTEM, f"{error.status} {error.reason}")
            return
        self._mark_hold(settled.held)
        if self._is_answering:
            self._is_answering = False
            self.over()

    def refresh(self) -> None:
        """A re-INVITE that changes nothing keeps the session alive (RFC 4028)."""
        refresh(self.caller, self.now)

    async def hear_refreshed(self, sdp: bytes) -> None:
        await take_answer(self.caller, sdp)

    async def _hear_early(self, cue: EarlyAcknowledged | EarlyOffered) -> None:
        """What the caller says of its audio with a PRACK."""
        try:
            await hear_early(cue, self.now)
        except RemoteError as error:
            await self.leave(ReleasedBy.SYSTEM, f"{error.status} {error.reason}")

    def _mark_hold(self, is_held: bool) -> None:
        """Whoever holds a service is held itself; the service goes on."""
        leg = self.caller
        if leg.holds != is_held:
            leg.holds = is_held
            leg.state = PartyState.HELD if is_held else PartyState.TALKING
            self.call.enter(self.call.state)

    async def dial(self, dialling: Any) -> None:
        """The caller waits in another phase, which ends with ``come_back`` or with a conversation."""
        self._activity = None
        self.stop_waiting()
        self.call.phase = dialling
        await dialling.start()

    def successor(self, route: ToService) -> InService:
        """Another service that goes on with the same caller."""
        facts = {"argument": route.argument, "settings": dict(route.settings)}
        return InService(
            self.call, self.offer, route.service, facts,
            max_forwards=self.max_forwards - 1, early=self.early, offered=self.offered,
        )  # fmt: skip

    # -- others -------------------------------------------------------------------------------------------------

    async def _hear_replacing(self, cue: Replaced) -> None:
        """Somebody takes the caller out of the service: the two of them talk."""
        call, caller, newcomer = self.call, self.caller, cue.newcomer
        try:
            if cue.place is not caller or not (self.is_answered or self.may_answer):
                raise RemoteError(481, "No Such Dialog")
            answer = b"" if self.is_answered else await self._describe_media()
            spoken = caller.talks.settled.codecs if caller.negotiation and caller.talks.settled else ()
            usable = tuple(dict.fromkeys((*spoken, *self.exchange.codecs_of(caller.peer))))
            body, _ = await settle_newcomer(newcomer, cue.offer, self.exchange, usable)
        except RemoteError as error:
            await refuse_newcomer(call, cue, error)
            return
        if newcomer.dialogue.is_waiting:
            newcomer.dialogue.answer(self.now, body)
        if self.may_answer:
            caller.dialogue.answer(self.now, answer)
            self.early = None
        await self.hand_out()
        await self.exchange.gateway.stop_playing(caller.media)
        bridge = Bridge(self.exchange.gateway, caller, newcomer, self.exchange.hold_music)
        await bridge.connect()
        caller.state = newcomer.state = PartyState.HELD if caller.holds else PartyState.TALKING
        conversation = Conversation(call, bridge)
        call.phase = conversation
        conversation.bring_together()
        log.info("call %s: %s takes %s out of %s", call.id, newcomer.number, caller.number, self.service)
        call.enter(CallState.HELD if caller.holds else CallState.TALKING)
        cue.told(None)

    async def give_caller(self, other: Call, cue: Callable[[Leg, bytes], Any]) -> None:
        """The caller goes on in another call, which is told by ``cue`` of its leg and its offer; ours is over."""
        call, leg = self.call, self.caller
        offer = b"" if self.is_answered else self.offer
        if offer and leg.negotiation is not None:
            leg.talks.roll_back()
        self._hung_up = False
        call.linked_id = other.id
        call.hand_over(leg, other)
        call.end(ReleasedBy.SYSTEM, NORMAL)
        self.exchange.agent.layer.book.clear_all(self)
        other.post(cue(leg, offer))

    async def hand_out(self) -> None:
        """The service is done with the caller, whose call goes on without it."""
        self.call.owner = self.call.service = None
        await self.let_go()

    def wants_back(self, leg: Leg) -> bool:
        return self.goes_on and leg is not self.caller

    async def take_back(self, leg: Leg) -> None:
        """The party that was dialled has hung up."""
        call = self.call
        await call.part(leg)
        await self.come_back({"status": "answered", "by": leg.number})

    async def come_back(self, result: Mapping[str, Any]) -> None:
        """What was dialled is over: the service goes on with its caller."""
        call = self.call
        self.goes_on = False
        for leg in [*call.legs[1:]]:
            leg.dialogue.end(self.now)
            await call.part(leg)
        call.phase = self
        call.enter(CallState.SERVICE)
        await self._listen()
        self.over(dict(result))

    # -- the end ------------------------------------------------------------------------------------------------

    async def dismiss(self, cause: str) -> None:
        """The service is done: the call ends as soon as the caller has heard the last word."""
        if self.is_answered and self.speaks_until + LAST_WORD_S > self.now:
            await self.do(LastWord(self, cause))
        else:
            await self.leave(ReleasedBy.SYSTEM, cause, hung_up=False)

    async def leave(self, released_by: ReleasedBy, cause: str, *, hung_up: bool = True) -> None:
        """The call ends; the service may clean up and no more."""
        if self._has_failed:  # whoever hangs up while it is told so
            self.end_failed()
            return
        self._hung_up = hung_up and not isinstance(self._activity, LastWord)
        self._hang_up(*self.refusal)
        self.call.end(released_by, cause)

    async def let_go(self) -> None:
        """The service may clean up and no more; what it was doing is given up."""
        self.exchange.agent.layer.book.clear_all(self)
        activity, self._activity = self._activity, None
        if activity is not None:
            await activity.stop()
        for give_back in self.at_end:
            give_back()
        self.at_end.clear()
        instance, self._instance = self._instance, None
        if instance is None:
            return
        try:
            await instance.end(hung_up=self._hung_up)
        except ServiceError as error:
            self._tell(error)
        instance.close()

    async def _has_gone_on(self) -> bool:
        """Whether the call goes on without the service, which has not taken it."""
        on_return, self._on_return = self._on_return, None
        if on_return is None or not self.caller.dialogue.is_waiting:
            return False
        await on_return(self)
        return True

    async def _fail(self, error: ServiceError) -> None:
        """The service ends with its call, and with no other; who can hear it is told that something went wrong."""
        from engine.pbx.verbs.apology import PROMPT, Apologising  # these lead back here
        from engine.pbx.verbs.hearing import why_silent

        self._tell(error)
        instance, self._instance = self._instance, None
        if instance is not None:
            instance.close()
        if await self._has_gone_on():
            return
        self._has_failed = True
        language = str(self.exchange.configuration.params["language"])
        clip = self.exchange.prompts(PROMPT, language) if why_silent(self) is None else None
        if clip is None:
            self.end_failed()
        else:
            await self.do(Apologising(self, clip))

    def end_failed(self) -> None:
        """The call of a service that broke ends."""
        self._hang_up(*_FAILED)
        self.call.end(ReleasedBy.SYSTEM, "{} {}".format(*_FAILED))

    def _hang_up(self, status: int, reason: str, warning: int) -> None:
        """End the caller's session: at once, whatever the service still does."""
        self.exchange.agent.layer.book.clear_all(self)
        session = self.caller.dialogue
        if session.state is SessionState.INCOMING:
            session.reject(self.now, status, reason, warning=warning)
        else:
            session.end(self.now)
        self.exchange.endpoint.flush()

    def _tell(self, error: ServiceError) -> None:
        call = self.call
        tell_failure(self.exchange, self.service, call.id, f"{call.caller.number} to {call.dialled}", error)


def tell_failure(exchange: Exchange, service: str, call: CallId, of: str, error: ServiceError) -> None:
    """A service has failed: to the log, to watchers and, of one that hangs, to everybody."""
    at, trace = exchange.clock.wall(), f" ({error.trace})" if error.trace else ""
    log.error("service %s of call %s (%s) failed: %s%s", service, call, of, error.reason, trace)
    failed = ServiceFailed(at, call, service, error.reason, error.trace)
    exchange.failed_services[service] = failed
    exchange.bus.publish(failed)
    if error.is_stuck:
        exchange.bus.publish(AlarmRaised(at, f"service {service}: {error.reason}"))
