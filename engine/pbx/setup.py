"""Setting a call up: from the caller's INVITE to the first answer, or to none."""

from __future__ import annotations

import logging
from typing import Any

from engine.core.errors import RemoteError
from engine.core.text import shown
from engine.core.views import CallState, PartyRole, PartyState, ReleasedBy
from engine.media.gateway import PortsExhaustedError
from engine.pbx.announcing import Announcing, sentence
from engine.pbx.bindings import Binding, target_of
from engine.pbx.boxes import ring_seconds
from engine.pbx.bridge import Bridge
from engine.pbx.call import AddressChanged, Begin, Call, Listen, Release, Replaced, RingTimeout, SendOn
from engine.pbx.conversation import Conversation
from engine.pbx.converting import answerable, in_common, usable, widened
from engine.pbx.early_media import EarlyMedia
from engine.pbx.early_offer import hear_early
from engine.pbx.leg import Leg
from engine.pbx.reach import flow_to_phone, one_flow_each
from engine.pbx.redirection import MOST_REDIRECTIONS, redirected_to
from engine.pbx.routing import Refused, ToExtension, ToTrunks, route_call
from engine.pbx.trunks.calling import OutsideCall, ServerSilent
from engine.pbx.trunks.causes import q850_reason, told_reason
from engine.sip.diversion import Diversion, Why
from engine.sip.identity import shown_to_phone
from engine.sip.message import reason_for
from engine.sip.offer_answer import Warn
from engine.sip.session.events import (
    Answered,
    Cancelled,
    EarlyAcknowledged,
    EarlyOffered,
    Ended,
    Failed,
    Progress,
)
from engine.sip.uri import escaped_user
from engine.store.configuration import Extension, Right
from engine.store.outside import Trunk

log = logging.getLogger(__name__)

COMPLETED_ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'

_SPEAKS_OTHERWISE = (415, 488, 606)
"""Final responses of a phone that speaks nothing of what it was offered."""

_RELAYED_REFUSALS = frozenset({404, 410, 415, 433, 480, 484, 486, 488, 600, 603, 604, 606, 607})
"""Final responses that mean something to the caller; any other is our affair and becomes 480."""


class Setup:
    """The phase before the answer: rings every phone of the callee, the first answer wins."""

    def __init__(
        self, call: Call, offer: bytes, route: ToExtension | ToTrunks | Refused, max_forwards: int
    ) -> None:
        self._call = call
        self._exchange = call.exchange
        self._offer = offer
        self._route = route
        self._max_forwards = max_forwards
        self._ringing: list[Leg] = []
        self._offers: dict[Leg, tuple[Extension, Binding, tuple[str, ...]]] = {}
        """What the phones that ring were offered."""
        self._refusals: list[tuple[int, str, str | None]] = []
        self._why: str | None = None
        """The Reason value (RFC 6432) of the network that refused the call."""
        self._told: set[int] = set()
        self._early: EarlyMedia | None = None
        self._outside: OutsideCall | None = None
        """The way outside, for a call that goes there."""
        self._codecs: tuple[str, ...] = ()
        """What caller and callee may both speak."""
        self._offered: tuple[str, ...] | None = None
        """The codecs of the caller's offer, once it was read."""
        self._headers: tuple[tuple[str, str], ...] = ()
        """Further fields of the INVITEs to phones."""
        self._told_all: tuple[tuple[str, str], ...] = ()
        """Further fields of every INVITE."""

    async def take(self, cue: Any) -> None:
        if not isinstance(cue, (Cancelled, Ended)) and not self._is_waiting:
            return  # the caller has gone meanwhile: its own cue is on the way
        match cue:
            case Begin():
                await self._begin()
            case Progress():
                await self._hear_progress(cue.session.user, cue)
            case Answered():
                await self._hear_answer(cue.session.user, self._sdp_of(cue))
            case Failed():
                await self._hear_failure(cue)
            case ServerSilent():
                await self._hear_silence(cue.leg)
            case EarlyAcknowledged() | EarlyOffered():
                await self._hear_early(cue)
            case SendOn():
                await self._send_on(cue.route, cue.number)
            case Replaced():
                await self._hear_replacing(cue)
            case Cancelled() | Ended() if cue.session.user is not self._call.caller:
                await self._call.part(cue.session.user)
            case Cancelled():
                self._call.end(ReleasedBy.CALLER, f"487 {reason_for(487)}", cue.reason)
            case Ended():
                self._call.end(ReleasedBy.SYSTEM, f"{cue.status} {cue.reason}")
            case RingTimeout():
                self._refuse(480, "No Answer")
            case Listen() if self._early is not None:
                await self._early.listen()
            case Release():
                self._call.end(cue.released_by, cue.cause)

    # -- ringing ------------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        route = self._route
        if isinstance(route, Refused):
            self._refuse(route.status, route.reason)
            return
        try:
            if isinstance(route, ToTrunks):
                await self._call_outside(route)
            else:
                await self._ring(route.extension)
        except RemoteError as error:
            self._refuse(error.status, error.reason, error.warning)
        except (PortsExhaustedError, OSError) as error:
            log.error("call %s cannot get media ports: %s", self._call.id, error)
            self._refuse(503, "No Media Ports")

    async def _ring(self, extension: Extension) -> None:
        """Call every phone of an extension; raises ``RemoteError`` with what the caller must hear."""
        exchange, caller = self._exchange, self._call.caller
        busy_with = exchange.lamps.call_count(extension.number)
        if extension.max_calls is not None and busy_with >= extension.max_calls:
            raise RemoteError(486, reason_for(486))
        phones = one_flow_each(exchange.endpoint, exchange.bindings.of(extension.number))
        if not phones:
            raise RemoteError(480, "Phone Not Registered")
        if not caller.has_media:
            await caller.open_media(exchange)
        codecs = self._codecs = self._codecs_for(extension)
        trouble: Exception | None = None
        for phone in phones:
            try:
                await self._call_phone(extension, phone, codecs)
            except (PortsExhaustedError, OSError) as error:
                trouble = error  # the phones that do ring are enough
        if trouble is not None and not self._ringing:
            raise trouble
        if not self._ringing:
            raise RemoteError(480, "Phone Not Reachable")
        self._call.enter(CallState.RINGING)
        self._call.set_ring_timeout(self._patience(extension))

    def _patience(self, extension: Extension) -> int:
        """How many seconds the phones of an extension ring."""
        return ring_seconds(self._exchange.configuration, extension)

    async def _call_outside(self, route: ToTrunks, *, is_over_limit: bool = False) -> None:
        """Call over the first outside line that takes it; raises ``RemoteError`` with what the caller must hear."""
        self._outside = OutsideCall(
            self._call, route, self._max_forwards, self._told_all, is_over_limit=is_over_limit
        )
        if not self._call.caller.has_media:
            await self._call.caller.open_media(self._exchange)
        await self._dial(self._outside)
        self._call.enter(CallState.RINGING)
        self._call.set_ring_timeout(self._exchange.configuration.params["ring_timeout_s"])

    async def _dial(self, outside: OutsideCall, wider: tuple[str, ...] = ()) -> None:
        """The next server or line that speaks as the caller does, or the same again with a ``wider`` offer."""
        call = self._call
        while True:
            leg = outside.dial() if not wider else outside.dial_again()
            call.join(leg)
            try:
                codecs = self._codecs = wider or self._codecs_for(leg.peer)
                await leg.open_media(self._exchange)
                break
            except RemoteError as error:
                await call.part(leg)
                if error.status != 488:
                    raise
                outside.speaks_otherwise(leg, error)
            except BaseException:
                await call.part(leg)
                raise
        self._ringing.append(leg)
        outside.invite(leg, codecs)
        call.touch()

    async def _hear_silence(self, leg: Leg) -> None:
        """A server says nothing: the next one, while there is another."""
        outside = self._outside
        if outside is None or leg not in self._ringing or not outside.is_silent(leg):
            return
        outside.give_up_server(leg)
        leg.dialogue.end(self._exchange.clock.now())
        self._ringing.remove(leg)
        await self._call.part(leg)
        await self._dial_next(outside)

    async def _dial_next(self, outside: OutsideCall) -> None:
        try:
            await self._dial(outside)
        except RemoteError as error:
            self._why = outside.why
            self._refuse(error.status, error.reason, error.warning)
        except (PortsExhaustedError, OSError) as error:
            log.error("call %s cannot get media ports: %s", self._call.id, error)
            self._refuse(503, "No Media Ports")

    def _codecs_for(self, callee: Extension | Trunk) -> tuple[str, ...]:
        """What caller and callee may both speak, by the callee's preference; a late offer leaves all open."""
        caller = self._call.caller
        of_caller = self._exchange.codecs_of(caller.peer)
        of_callee = self._exchange.codecs_of(callee)
        if self._offer and self._offered is None:
            self._offered = caller.talks.take_offer(self._offer).codecs
        offered = self._offered if self._offer else None
        spoken = of_caller if offered is None else in_common(of_caller, offered)
        codecs = usable(self._exchange, of_callee, spoken)
        if not codecs:
            named = "" if offered is None else f" In {' '.join(offered) or 'Offer'}"
            raise RemoteError(488, f"No Common Codec{named}", Warn.MEDIA_FORMAT)
        return codecs

    async def _call_phone(self, extension: Extension, phone: Binding, codecs: tuple[str, ...]) -> None:
        call, exchange = self._call, self._exchange
        flow = flow_to_phone(exchange.endpoint, phone)
        if flow is None:
            return
        leg = Leg(
            call_id=call.id,
            number=extension.number,
            extension=extension,
            role=PartyRole.CALLEE,
            flow=flow,
            gateway=exchange.gateway,
            post=call.post,
        )
        await leg.open_media(exchange)
        call.join(leg)
        self._ringing.append(leg)
        self._offers[leg] = extension, phone, codecs
        caller = call.caller
        host = flow.sent_by
        leg.session = exchange.agent.invite(
            target=target_of(phone.contact),
            flow=flow,
            caller=shown_to_phone(call.identity, host),
            callee=f"<sip:{escaped_user(extension.number)}@{host}>",
            contact=f"<sip:{escaped_user(caller.number)}@{flow.reached_at}>",
            sdp=leg.talks.make_offer(codecs, noise=caller.talks.peer_knows_noise),
            now=exchange.clock.now(),
            user=leg,
            routes=phone.path,
            headers=(*self._headers, *self._told_all),
            max_forwards=self._max_forwards,
            reliable=extension.reliable_provisional,
        )
        leg.be_traced(exchange.trace)

    # -- what the phones say ------------------------------------------------------------------------------------

    async def _hear_progress(self, leg: Leg, cue: Progress) -> None:
        if leg not in self._ringing:
            return
        if self._outside is not None:
            self._outside.note_sign()
        status = cue.status
        if leg.extension is not None:
            self._exchange.lamps.refresh(leg.extension.number)  # its dialog has a name now
        if cue.sdp and self._offer:
            try:
                await self._hear_early_media(leg, cue.tag, cue.sdp)
            except RemoteError as error:  # the caller's own media: no other phone would fare better
                self._refuse(error.status, error.reason, error.warning)
                return
        elif cue.sdp:
            status = 180  # whoever waits for our offer can be given no early media: its phone makes the tone
        if self._is_waiting:  # else it gave up while the gateway was asked
            self._tell(status)

    async def _hear_early_media(self, leg: Leg, tag: str | None, sdp: bytes) -> None:
        """A phone plays something before it answers: let the caller hear it, unless another was first."""
        early = self._early
        if early is None:
            early = self._early = EarlyMedia(self._exchange, self._call.caller)
        was_heard, had_answer = early.is_heard, bool(early.answer)
        await early.hear(leg, tag, sdp)
        if early.answer and not had_answer:
            self._told.clear()  # the same status says more with SDP
        if early.is_heard and not was_heard:
            self._call.enter(CallState.EARLY)

    def _tell(self, status: int) -> None:
        """Pass on how the call proceeds, each status once; a caller that has SDP gets the same SDP every time."""
        sdp = self._early.answer if self._early is not None else b""
        if status in self._told or (status == 183 and not sdp and 180 in self._told):
            return  # a 183 without media would stop the tone that the caller's phone makes since the 180
        self._told.add(status)
        self._say(status, sdp)

    async def _hear_early(self, cue: EarlyAcknowledged | EarlyOffered) -> None:
        request = cue.transaction.request if isinstance(cue, EarlyOffered) else None
        tag = request.from_tag if request is not None else None
        try:
            holds = await hear_early(cue, self._exchange.clock.now())
        except RemoteError as error:
            self._refuse(error.status, error.reason, error.warning)
            return
        if holds and self._early is not None:
            self._early.renew(cue.session.user, tag, cue.sdp)

    async def _hear_failure(self, cue: Failed) -> None:
        leg, outside = cue.session.user, self._outside
        if 300 <= cue.status < 400 and leg in self._ringing and await self._follow(leg, cue):
            return
        if cue.status in _SPEAKS_OTHERWISE and leg in self._ringing and await self._offer_more(leg):
            return
        if outside is None or leg not in self._ringing or not outside.goes_on(leg, cue):
            await self._hear_refusal(leg, cue.status, cue.reason, told_reason(cue.response))
            return
        self._ringing.remove(leg)
        await self._call.part(leg)
        await self._lose_early_media(leg)
        await self._dial_next(outside)

    async def _offer_more(self, leg: Leg) -> bool:
        """A phone or carrier has no codec of the caller's: it is asked for what can be converted; whether it is."""
        offer = self._offers.pop(leg, None)
        codecs = self._codecs if offer is None else offer[2]
        more = widened(self._exchange, self._exchange.codecs_of(leg.peer), codecs)
        if not more or not self._is_waiting:
            return False
        place = len(self._ringing)
        try:
            if offer is not None:
                await self._call_phone(offer[0], offer[1], more)
            elif self._outside is not None and self._outside.may_dial_again(leg):
                await self._dial(self._outside, more)
        except (RemoteError, PortsExhaustedError, OSError):
            return False
        if len(self._ringing) == place:
            return False  # it cannot be reached any more
        self._ringing[-1].lacks = codecs
        self._ringing.remove(leg)
        await self._call.part(leg)
        await self._lose_early_media(leg)
        return True

    async def _follow(self, leg: Leg, cue: Failed) -> bool:
        """A phone sends the call on: it goes where its extension could call; whether it does."""
        call, exchange, extension = self._call, self._exchange, leg.extension
        number = redirected_to(cue.response)
        if number is None or extension is None or len(call.diversions) >= MOST_REDIRECTIONS:
            return False
        if number == extension.number or any(each.number == number for each in call.diversions):
            return False  # it would go round
        route = route_call(exchange.configuration, extension, number, exchange.clock.wall()).route
        if not isinstance(route, (ToExtension, ToTrunks)):
            return False
        log.info("call %s: %s sends it on to %s", call.id, extension.number, shown(number))
        call.diversions += (Diversion(extension.number, Why.DEFLECTION),)
        self._ringing.remove(leg)
        await call.part(leg)
        await self._lose_early_media(leg)
        await self._go_to(route)
        return True

    async def _send_on(self, route: ToExtension | ToTrunks, number: str) -> None:
        """An operator sends the call on while it rings."""
        call = self._call
        log.info("call %s to %s is sent on to %s", call.id, shown(call.dialled), shown(number))
        if len(call.diversions) < MOST_REDIRECTIONS:
            call.diversions += (Diversion(call.dialled, Why.DEFLECTION),)
        await self._go_to(route)

    async def _go_to(self, route: ToExtension | ToTrunks) -> None:
        """Ring there and no longer where it rang."""
        call = self._call
        if self._outside is not None:
            self._outside.close()
            self._outside = None
        rang = [*self._ringing]
        self._ringing.clear()
        for leg in rang:
            leg.dialogue.end(self._exchange.clock.now())
            await call.part(leg)
            await self._lose_early_media(leg)
        if self._is_waiting:  # else it gave up meanwhile: its own cue is on the way
            self._tell(181)
            self._refusals.clear()
            self._route = route
            call.goes_outside = isinstance(route, ToTrunks)
            await self._begin()

    async def _hear_refusal(self, leg: Leg, status: int, reason: str, why: str | None = None) -> None:
        if leg not in self._ringing:
            return
        self._ringing.remove(leg)
        self._refusals.append((status, shown(reason), why))
        await self._call.part(leg)
        if not self._ringing:
            status, reason, self._why = _best_refusal(self._refusals)
            self._refuse(status, reason)
        else:
            await self._lose_early_media(leg)

    async def _lose_early_media(self, leg: Leg) -> None:
        """A branch that may have been heard is gone."""
        if self._early is None:
            return
        was_heard = self._early.is_heard
        await self._early.lose(leg)
        if was_heard and not self._early.is_heard:
            self._call.enter(CallState.RINGING)

    async def _hear_answer(self, leg: Leg, sdp: bytes) -> None:
        if leg not in self._ringing:
            return
        now = self._exchange.clock.now()
        try:
            settled = leg.talks.take_answer(sdp)
            await leg.apply(settled)
        except RemoteError as error:
            leg.dialogue.end(now, reason=f'SIP;cause={error.status};text="{error.reason}"')
            await self._hear_refusal(leg, error.status, error.reason)
            return
        try:
            answer = await self._answer_for_caller(settled.codecs)
        except RemoteError as error:  # the caller's own media: no other phone would fare better
            self._refuse(error.status, error.reason, error.warning)
            return
        self._call.clear_ring_timeout()
        if self._outside is not None:
            self._outside.note_sign()
        await self._hang_up_others(leg)
        if not self._is_waiting:
            return  # as above; the end of the call hangs up on the callee
        await self._accept(answer)
        await self._hand_over_to(leg)

    async def _hand_over_to(self, leg: Leg) -> Conversation:
        """Caller and ``leg`` talk."""
        caller = self._call.caller
        bridge = Bridge(self._exchange.gateway, caller, leg, self._exchange.hold_music)
        await bridge.connect()
        for party in (caller, leg):
            if party.extension is not None and Right.RECORD in party.extension.rights:
                await self._exchange.listen(party)
        leg.state = caller.state = PartyState.TALKING
        conversation = Conversation(self._call, bridge)
        self._call.phase = conversation
        self._hand_on(conversation)
        if leg.talks.is_outdated:  # our address has changed since the INVITE
            self._call.post(AddressChanged(leg.dialogue))
        self._call.enter(CallState.TALKING)
        return conversation

    async def _hear_replacing(self, cue: Replaced) -> None:
        """Somebody picks up the call that rings at another phone."""
        from engine.pbx.replacing import refuse_newcomer, settle_newcomer  # it leads back here

        newcomer = cue.newcomer
        try:
            if cue.place not in self._ringing:
                raise RemoteError(481, "No Such Dialog")
            body, codecs = await settle_newcomer(
                newcomer, cue.offer, self._exchange, self._codecs_for(newcomer.peer)
            )
            answer = await self._answer_for_caller(codecs)
        except RemoteError as error:
            await refuse_newcomer(self._call, cue, error)
            return
        self._call.clear_ring_timeout()
        await self._hang_up_others(newcomer)
        if not self._is_waiting:
            return  # the caller has gone: the end of the call hangs up on the newcomer
        was_answered = not newcomer.dialogue.is_waiting
        if not was_answered:
            newcomer.dialogue.answer(self._exchange.clock.now(), body)
        await self._accept(answer)
        log.info("call %s is picked up by %s", self._call.id, shown(newcomer.number))
        conversation = await self._hand_over_to(newcomer)
        if was_answered:
            conversation.bring_together()
        cue.told(None)

    def _sdp_of(self, cue: Answered) -> bytes:
        """A phone that answered in its early media may say nothing in the 200 (RFC 3261 section 13.2.1)."""
        if self._early is None:
            return cue.sdp
        return self._early.answer_of(cue.session.user, cue.response.to_tag, cue.sdp)

    async def _answer_for_caller(self, codecs: tuple[str, ...]) -> bytes:
        """The SDP of the 200: the answer of the early media again, a fresh answer, or our own late offer."""
        caller = self._call.caller
        if not self._offer:
            has_offered = caller.talks.is_open or caller.talks.settled is not None
            return b"" if has_offered else caller.talks.make_offer(self._codecs_to_offer(codecs))
        if self._early is not None and self._early.answer:
            return self._early.answer
        answer, settled = caller.talks.make_answer(answerable(self._exchange, caller, codecs))
        await caller.apply(settled)
        return answer

    def _codecs_to_offer(self, spoken: tuple[str, ...]) -> tuple[str, ...]:
        """For a caller that waits for our offer, when the callee speaks ``spoken``."""
        allowed = self._exchange.codecs_of(self._call.caller.peer)
        return in_common(spoken, allowed) or usable(self._exchange, allowed, spoken) or spoken

    async def _hang_up_others(self, winner: Leg) -> None:
        for leg in [item for item in self._ringing if item is not winner]:
            leg.dialogue.end(self._exchange.clock.now(), reason=COMPLETED_ELSEWHERE)
            await self._call.part(leg)
        self._ringing.clear()

    # -- no answer ----------------------------------------------------------------------------------------------

    def _refuse(self, status: int, reason: str, warning: int = 0) -> None:
        """Nobody takes the call: somebody else gets it, or the caller hears why."""
        if self._is_waiting and not self._divert(status, reason):  # else its own cue is on the way
            self._decline(status, reason, warning)

    def _divert(self, status: int, reason: str) -> bool:
        """Whether the extension's forwarding, or a service, takes the call that nobody takes."""
        from engine.pbx.diversion import divert  # it leads back here

        route = self._route
        if not isinstance(route, ToExtension) or self._call.is_emergency:
            return False
        return divert(self, self._call, route.extension, status, reason)

    def give(self, early: EarlyMedia | None, offered: tuple[str, ...] | None) -> None:
        """What the waiting caller was told and asked before this phase."""
        self._early, self._offered = early, offered

    def take_over(self) -> tuple[bytes, EarlyMedia | None, tuple[str, ...] | None, int]:
        """What whoever goes on with the waiting caller needs: its offer, early media, offered codecs, hops left."""
        self._call.clear_ring_timeout()
        self._ringing.clear()
        if self._outside is not None:
            self._outside.close()
        return self._offer, self._early, self._offered, self._max_forwards

    # -- the caller, which waits for us -------------------------------------------------------------------------

    @property
    def _is_waiting(self) -> bool:
        return self._call.caller.dialogue.is_waiting

    def _say(self, status: int, sdp: bytes) -> None:
        """Tell the caller how its call proceeds."""
        caller = self._call.caller
        if caller.dialogue.owes_offer:
            sdp = caller.talks.make_offer(self._codecs_to_offer(self._codecs))
        caller.dialogue.ring(self._exchange.clock.now(), status, sdp=sdp)

    async def _accept(self, answer: bytes) -> None:
        """Somebody has answered."""
        self._call.caller.dialogue.answer(self._exchange.clock.now(), answer)

    def _hand_on(self, conversation: Conversation) -> None:
        """The two parties talk; what a caller that waited has to hear, its 200 says."""

    def _decline(self, status: int, reason: str, warning: int) -> None:
        """The call ends here, and the caller hears why."""
        caller, why = self._call.caller, self._why
        if why is None and caller.trunk is not None:
            why = q850_reason(str(status))
        fields = (("Reason", why),) if why is not None else ()

        def turn_down() -> None:
            caller.dialogue.reject(self._exchange.clock.now(), status, reason, warning=warning, headers=fields)
            self._call.end(ReleasedBy.CALLEE if self._refusals else ReleasedBy.SYSTEM, f"{status} {reason}")

        has_heard = self._early is not None and self._early.answer  # the carrier itself, or somebody else
        clip = sentence(self._call, self._route, status, reason) if self._offer and not has_heard else None
        if clip is None:
            turn_down()
        else:
            self._call.phase = Announcing(self._call, self._offer, clip, turn_down)
            self._call.clear_ring_timeout()
            self._call.post(Begin())


def _best_refusal(refusals: list[tuple[int, str, str | None]]) -> tuple[int, str, str | None]:
    """What the caller hears when every phone refused: a decline first, then busy (RFC 3261 section 16.7)."""
    ranked = sorted(refusals, key=lambda item: (item[0] < 600, item[0] != 486, item[0]))
    status, reason, why = ranked[0]
    if status not in _RELAYED_REFUSALS:
        return 480, "Phone Not Reachable", None
    return status, reason or reason_for(status), why
