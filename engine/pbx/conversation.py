"""The conversation: two answered legs, hold and every other re-INVITE, until somebody hangs up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from engine.core.errors import RemoteError
from engine.core.views import CallState, PartyState, ReleasedBy
from engine.media.gateway import TONE_MS
from engine.pbx.bridge import Bridge
from engine.pbx.call import (
    NO_ANSWER_IN_ACK,
    NORMAL,
    AddressChanged,
    Call,
    Joined,
    Manner,
    Pressed,
    Release,
    Replaced,
    Retuned,
    SendOn,
    Served,
    ToggleRecording,
    TookOver,
)
from engine.pbx.converting import convertible, in_common, is_understood
from engine.pbx.digits import knows_events, listen_for_other, pass_digit
from engine.pbx.early_offer import hear_early
from engine.pbx.leg import Leg, vanished
from engine.pbx.redirection import number_of
from engine.pbx.routing import ToExtension
from engine.sip.message import reason_for
from engine.sip.offer_answer import Offered, Warn
from engine.sip.sdp import Attributes, Direction
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
from engine.sip.transaction.server import ServerTransaction
from engine.store.configuration import HoldPolicy

if TYPE_CHECKING:
    from engine.pbx.transfer import Transfer

RETURN_S = 3.0
"""How soon after a transfer that failed hanging up is the phone's doing rather than its user's."""
_DIALOG_IS_GONE = (408, 481)
"""Answers to a re-INVITE after which the dialog is no more (RFC 3261 section 12.2.1.2)."""


class _Passed(NamedTuple):
    """A re-INVITE that waits for the other party's word on it."""

    leg: Leg
    offered: Offered
    transaction: ServerTransaction

    @property
    def is_pending(self) -> bool:
        return self.leg.dialogue.is_pending(self.transaction)


class Conversation:
    """The phase after the answer. A re-INVITE is answered here; the other leg hears of it only if it must."""

    def __init__(self, call: Call, bridge: Bridge, returned_to: Leg | None = None) -> None:
        """``returned_to``: who has just got the other party back from a transfer that failed."""
        self._call = call
        self._exchange = call.exchange
        self._bridge = bridge
        self._passed: _Passed | None = None
        self._codecs = self._spoken()
        self._is_aligned = False
        self._keys = ""
        """What a party that may record has pressed last."""
        self._knew_events = True, True
        """Whether each party knew events when last looked at."""
        self._returned_to = returned_to
        self._returned_at = call.exchange.clock.now()
        self._wanted: dict[Leg, tuple[tuple[str, ...], Direction, Attributes | None]] = {}
        """Codecs and flow, or T.38, of our last re-INVITE to a leg, for another attempt after a glare."""

    async def take(self, cue: Any) -> None:
        match cue:
            case Reoffered():
                await self._hear_offer(cue.session.user, cue.transaction, cue.sdp)
            case ReofferAnswered():
                await self._hear_passed_answer(cue.session.user, cue.sdp)
            case ReofferRefused():
                await self._hear_passed_refusal(cue.session.user, cue.status)
            case ReofferDelayed():
                cue.session.user.talks.roll_back()
            case ReofferDue():
                self._reoffer_again(cue.session.user)
            case EarlyOffered() if cue.session.state is SessionState.CONFIRMED:
                await self._hear_update(cue)
            case Referred():
                await self._hear_referral(cue)
            case RefreshDue():
                self._refresh(cue.session.user)
            case AddressChanged() if cue.session.user in (self._bridge.one, self._bridge.other):
                self._tell_address(cue.session.user)
            case EarlyAcknowledged() | EarlyOffered():
                await self._hear_early(cue)
            case DigitHeard() | Pressed():
                await self._hear_digit(cue)
                return
            case SendOn():
                await self._send_on(cue)
            case Replaced():
                await self._hear_replacing(cue)
            case Joined():
                await self._hear_joining(cue)
                return
            case Served():
                await self._hear_served(cue)
                return
            case Retuned() | TookOver():
                cue.told("the call is one of two again")  # the operator has left while it asked
            case ToggleRecording():
                await self._hear_recording(cue)
            case Cancelled() | Ended() if cue.session.user not in (self._bridge.one, self._bridge.other):
                await self._call.part(cue.session.user)
            case Cancelled():
                self._call.end(ReleasedBy.CALLER, f"487 {reason_for(487)}", cue.reason)
            case Acknowledged():
                await self._hear_ack(cue.session.user, cue.sdp)
            case Ended() if self._gives_up(cue):
                await self._recall(cue.session.user)
            case Ended() if self._call.owner is not None and self._call.owner.wants_back(cue.session.user):
                await self._call.owner.take_back(cue.session.user)
                return
            case Ended():
                self._hear_end(cue)
            case Release():
                self._call.end(cue.released_by, cue.cause)
        if self._knew_events != self._know_events():
            await self._listen_for_digits()
        if self._codecs != self._spoken():
            self._codecs = self._spoken()
            self._call.enter(self._call.state)

    def _spoken(self) -> tuple[str | None, str | None]:
        """What each party speaks."""
        return self._bridge.one.codec, self._bridge.other.codec

    @property
    def _now(self) -> float:
        return self._exchange.clock.now()

    # -- digits -------------------------------------------------------------------------------------------------

    def _know_events(self) -> tuple[bool, bool]:
        return knows_events(self._bridge.one), knows_events(self._bridge.other)

    async def _listen_for_digits(self) -> None:
        """One party says its digits as events and the other knows none."""
        one, other = self._bridge.one, self._bridge.other
        self._knew_events = self._know_events()
        await listen_for_other(self._exchange, one, other)
        await listen_for_other(self._exchange, other, one)

    async def _hear_digit(self, cue: DigitHeard | Pressed) -> None:
        """A digit that the relay does not carry."""
        leg: Leg = cue.session.user if isinstance(cue, DigitHeard) else cue.leg
        if leg not in (self._bridge.one, self._bridge.other):
            return
        await self._hear_key(leg, cue.key if isinstance(cue, DigitHeard) else cue.digit)
        other = self._bridge.opposite(leg)
        if isinstance(cue, DigitHeard):
            await pass_digit(self._exchange, other, cue.key, cue.duration_ms)
        elif knows_events(leg) and not knows_events(other):
            await pass_digit(self._exchange, other, cue.digit, TONE_MS)

    async def _hear_key(self, leg: Leg, key: str) -> None:
        """A party that may record presses the code for it."""
        from engine.pbx.recording import may_record, toggle_recording  # it leads back here

        code: str | None = self._exchange.configuration.params["code_record"]
        if code is None or not may_record(leg):
            return
        self._keys = (self._keys + key)[-len(code) :]
        if self._keys == code:
            self._keys = ""
            await toggle_recording(self._call, self._bridge, leg)

    async def _hear_recording(self, cue: ToggleRecording) -> None:
        from engine.pbx.recording import answer_recording  # it leads back here

        await answer_recording(self._call, (self._bridge.one.media, self._bridge.other.media), cue)

    async def _hear_joining(self, cue: Joined) -> None:
        from engine.pbx.mixed import let_join  # it leads back here

        await let_join(self._call, self._bridge, cue)

    async def _hear_served(self, cue: Served) -> None:
        from engine.pbx.serving import hand_to_service  # it leads back here

        if cue.by in (self._bridge.one, self._bridge.other):
            await hand_to_service(self._call, cue.by, self._bridge.opposite(cue.by), cue.route)

    # -- re-INVITE ----------------------------------------------------------------------------------------------

    async def _hear_offer(self, leg: Leg, transaction: ServerTransaction, sdp: bytes) -> None:
        other = self._bridge.opposite(leg)
        if not leg.dialogue.is_pending(transaction):
            return  # taken back meanwhile
        if leg.talks.is_open:
            leg.dialogue.refuse_reoffer(self._now, 491)
            return
        if not sdp:
            settled = leg.talks.settled
            if settled is not None and settled.image is not None:
                leg.dialogue.accept_reoffer(self._now, leg.talks.repeat_offer())
            else:
                leg.dialogue.accept_reoffer(self._now, leg.talks.make_offer(settled.codecs if settled else ()))
            return
        try:
            offered = leg.talks.take_offer(sdp)
        except RemoteError as error:
            leg.dialogue.refuse_reoffer(self._now, error.status, error.reason, error.warning)
            return
        if offered.image is not None:
            await self._hear_fax(_Passed(leg, offered, transaction), offered.image)
            return
        tells = leg.hold_policy is HoldPolicy.PASS and offered.held != leg.holds
        is_heard = other.codec in offered.codecs or (leg.codec in offered.codecs and self._is_converted(leg))
        if tells or not is_heard:  # what the other party sends could not be heard
            await self._pass_on(_Passed(leg, offered, transaction), other)
        else:
            await self._answer(leg, offered, Direction.SENDRECV)

    def _common(self, offered: Offered, other: Leg) -> tuple[str, ...]:
        """The codecs of the offer that the other leg speaks now."""
        spoken = other.talks.settled.codecs if other.talks.settled else ()
        return tuple(codec for codec in spoken if codec in offered.codecs)

    def _answerable(self, leg: Leg, offered: Offered, other: Leg) -> tuple[str, ...]:
        """The codecs of the offer that the other leg speaks or, where it speaks none, can be made to hear."""
        own = in_common(self._exchange.codecs_of(leg.peer), offered.codecs)
        spoken = other.talks.settled.codecs if other.talks.settled else ()
        return self._common(offered, other) or convertible(self._exchange, own, spoken)

    def _is_converted(self, leg: Leg) -> bool:
        """Whether the gateway converts between this party and the other one now."""
        codec, other = leg.codec, self._bridge.opposite(leg).talks.settled
        if codec is None or other is None or codec in other.codecs:
            return False
        return is_understood(self._exchange, codec, other.codecs)

    async def _answer(self, leg: Leg, offered: Offered, flow: Direction) -> None:
        other = self._bridge.opposite(leg)
        try:
            body, settled = leg.talks.make_answer(self._answerable(leg, offered, other), flow)
            await leg.apply(settled)
        except RemoteError as error:
            self._refuse(leg, error.status, error.reason, error.warning)
            return
        leg.dialogue.accept_reoffer(self._now, body)
        await self._mark_hold(leg, settled.held)

    async def _pass_on(self, passed: _Passed, other: Leg) -> None:
        """Tell the other party of a hold, or ask it for another codec; our answer waits for its word."""
        leg, offered, _ = passed
        spoken = self._common(offered, other)
        codecs = spoken or self._codecs_of_both(offered, other)
        if not codecs and self._answerable(leg, offered, other):
            if leg.hold_policy is not HoldPolicy.PASS or offered.held == leg.holds:
                await self._answer(leg, offered, Direction.SENDRECV)
                return
            codecs = other.talks.settled.codecs if other.talks.settled else ()
        if not codecs:
            self._refuse(leg, 488, f"No Common Codec In {' '.join(offered.codecs) or 'Offer'}", Warn.MEDIA_FORMAT)
        elif self._passed is not None or other.talks.is_open or not other.dialogue.may_reoffer:
            self._refuse(leg, 491, None)
        else:
            self._passed = passed
            self._reoffer(other, codecs, _crossed(offered.flow))

    def _reoffer(
        self,
        leg: Leg,
        codecs: tuple[str, ...],
        flow: Direction = Direction.SENDRECV,
        image: Attributes | None = None,
    ) -> None:
        """Send a re-INVITE for audio or, with ``image``, for T.38; the leg may do so now."""
        self._wanted[leg] = codecs, flow, image
        offer = leg.talks.make_offer(codecs, flow) if image is None else leg.talks.make_image_offer(image)
        leg.dialogue.reoffer(self._now, offer)

    def _reoffer_again(self, leg: Leg) -> None:
        """Our turn after a glare: the same wish by what stands now."""
        if leg not in self._wanted:
            return  # the peer itself has offered the same meanwhile
        if leg.talks.is_open or not leg.dialogue.may_reoffer:
            leg.dialogue.delay_reoffer(self._now)
        else:
            self._reoffer(leg, *self._wanted[leg])

    def _codecs_of_both(self, offered: Offered, other: Leg) -> tuple[str, ...]:
        return tuple(codec for codec in self._exchange.codecs_of(other.peer) if codec in offered.codecs)

    def _refuse(self, leg: Leg, status: int, reason: str | None, warning: int = 0) -> None:
        leg.talks.roll_back()
        leg.dialogue.refuse_reoffer(self._now, status, reason, warning)

    async def _hear_passed_answer(self, other: Leg, sdp: bytes) -> None:
        passed, self._passed = self._passed, None
        try:
            settled = other.talks.take_answer(sdp)
            await other.apply(settled)
        except RemoteError:
            other.talks.roll_back()
            await self._settle_alone(passed)
            self._return_to_audio(other)
            return
        if passed is None:
            return
        if passed.is_pending and settled.image is not None:
            await self._answer_fax(passed.leg, settled.image)
        elif passed.is_pending:
            await self._answer(passed.leg, passed.offered, _crossed(settled.flow))
        else:
            self._take_back(passed.leg, other)

    def _take_back(self, leg: Leg, other: Leg) -> None:
        """The other party follows a re-INVITE that was taken back: tell it how things stand again."""
        leg.talks.roll_back()
        stands = leg.talks.settled
        if stands is not None and other.dialogue.may_reoffer:
            self._reoffer(other, stands.codecs, _crossed(stands.flow), stands.image)

    async def _hear_passed_refusal(self, other: Leg, status: int) -> None:
        passed, self._passed = self._passed, None
        other.talks.roll_back()
        if status in _DIALOG_IS_GONE:
            self._call.end(ReleasedBy.SYSTEM, vanished(other, status))
            return
        await self._settle_alone(passed)

    async def _settle_alone(self, passed: _Passed | None) -> None:
        """The other party would not follow: answer by ourselves if its codec allows, else refuse."""
        if passed is None:
            return
        leg, offered, _ = passed
        if not passed.is_pending:
            leg.talks.roll_back()
        elif self._answerable(leg, offered, self._bridge.opposite(leg)):
            await self._answer(leg, offered, Direction.SENDRECV)
        elif offered.image is not None:
            self._refuse(leg, 488, "Other Party Takes No T.38", Warn.MEDIA_TYPE)
        else:
            self._refuse(leg, 488, "Other Party Speaks No Such Codec", Warn.MEDIA_FORMAT)

    # -- fax ----------------------------------------------------------------------------------------------------

    async def _hear_fax(self, wish: _Passed, image: Attributes) -> None:
        """A machine turns to T.38: the other one is asked, and what each says of it goes to the other."""
        leg = wish.leg
        other = self._bridge.opposite(leg)
        stands, passed = other.talks.settled, self._passed
        if passed is not None and passed.leg is other and passed.is_pending and passed.offered.image is not None:
            self._passed = None  # both have heard the tone: their offers answer each other
            self._wanted.pop(leg, None)
            await self._answer_fax(leg, passed.offered.image)
            await self._answer_fax(other, image)
        elif stands is not None and stands.image is not None:
            await self._answer_fax(leg, stands.image)
        elif passed is not None or other.talks.is_open or not other.dialogue.may_reoffer:
            self._refuse(leg, 491, None)
        else:
            self._passed = wish
            self._reoffer(other, (), image=image)

    async def _answer_fax(self, leg: Leg, image: Attributes) -> None:
        try:
            body, settled = leg.talks.make_image_answer(image)
            await leg.apply(settled)
        except RemoteError as error:
            self._refuse(leg, error.status, error.reason, error.warning)
            return
        leg.dialogue.accept_reoffer(self._now, body)
        await self._mark_hold(leg, settled.held)

    def _return_to_audio(self, leg: Leg) -> None:
        """A party has accepted our re-INVITE and refused the T.38 in it: its audio is to go on."""
        stands, wanted = leg.talks.settled, self._wanted.get(leg)
        was_fax = wanted is not None and wanted[2] is not None
        if was_fax and stands is not None and stands.image is None and leg.dialogue.may_reoffer:
            self._reoffer(leg, stands.codecs, stands.flow)

    # -- hold ---------------------------------------------------------------------------------------------------

    async def _mark_hold(self, leg: Leg, is_held: bool) -> None:
        if leg.holds == is_held:
            return
        leg.holds = is_held
        other = self._bridge.opposite(leg)
        if leg.hold_policy is HoldPolicy.LOCAL:
            if is_held:
                await self._bridge.play_music(other)
            else:
                await self._bridge.stop_music(other)
        state = PartyState.HELD if leg.holds or other.holds else PartyState.TALKING
        leg.state = other.state = state
        self._call.enter(CallState.HELD if state is PartyState.HELD else CallState.TALKING)

    async def _hear_ack(self, leg: Leg, sdp: bytes) -> None:
        """The ACK of a 200 that carried our offer brings the answer."""
        if not leg.talks.is_open:
            self._align(leg)
            self._tell_address(leg)
            return
        if not sdp:
            self._call.end(ReleasedBy.SYSTEM, NO_ANSWER_IN_ACK)
            return
        try:
            settled = leg.talks.take_answer(sdp)
            await leg.apply(settled)
        except RemoteError as error:
            leg.talks.roll_back()
            self._call.end(ReleasedBy.SYSTEM, f"{error.status} {error.reason}")
            return
        await self._mark_hold(leg, settled.held)

    async def _hear_referral(self, cue: Referred) -> None:
        """A party wants the other one to be connected with somebody else."""
        from engine.pbx.joining import replaced_in  # it leads back here

        by: Leg = cue.session.user
        party = self._bridge.opposite(by)
        if by.extension is None:
            cue.session.refuse_referral(cue.transaction, self._now, 403, "Only Extensions May Transfer")
            return
        if party.talks.is_open or self._passed is not None:
            cue.session.refuse_referral(cue.transaction, self._now, 491)
            return
        replaced = replaced_in(cue.target)
        if replaced is not None:
            await self._hear_join(cue, by, party, replaced)
            return
        cue.session.accept_referral(cue.transaction, self._now)
        await self._transfer(by, party, number_of(cue.target.uri))

    async def _transfer(self, by: Leg, party: Leg, number: str | None) -> None:
        """Connect ``party`` with a number, by the rights of who transfers."""
        from engine.pbx.serving import hand_to_service, service_of  # it leads back here

        if by.extension is not None and not self._call.is_emergency:
            service = service_of(self._call, by.extension, number)
            if service is not None:
                await hand_to_service(self._call, by, party, service)
                return
        from engine.pbx.transfer import Transfer, target_of_transfer  # it leads back here

        assert by.extension is not None
        try:
            route = target_of_transfer(self._call, by.extension, number)
        except RemoteError as error:  # told by NOTIFY: there are phones that hang up when they are refused
            by.dialogue.notify_referral(self._now, error.status, error.reason)
            self._returned_to, self._returned_at = by, self._now
            return
        await self._start(Transfer(self._call, by, party, route, number or ""))

    async def _send_on(self, cue: SendOn) -> None:
        """An operator transfers, or a phone without a key for it has it done."""
        from engine.pbx.transfer import Transfer  # it leads back here

        if cue.by not in (self._bridge.one, self._bridge.other):
            return  # it has left meanwhile
        party = self._bridge.opposite(cue.by)
        if cue.manner is Manner.ASKS:
            from engine.pbx.consulting import Consulting  # it leads back here

            await self._start(Consulting(self._call, cue.by, party, cue.route, cue.number))
            return
        transfer = Transfer(self._call, cue.by, party, cue.route, cue.number)
        if cue.manner is Manner.LEAVES:
            await transfer.let_go()
        await self._start(transfer)

    async def _start(self, transfer: Transfer) -> None:
        self._call.phase = transfer
        await transfer.start()

    async def _hear_join(self, cue: Referred, by: Leg, party: Leg, replaced: str) -> None:
        """A phone with two calls wants the two others to talk."""
        from engine.pbx.joining import join, other_call_of  # it leads back here

        found = other_call_of(self._call, by, replaced)
        cue.session.accept_referral(cue.transaction, self._now)
        if found is None:
            cue.session.notify_referral(self._now, 481, reason_for(481))
            return
        other, far = found
        if far is not None:
            await join(self._call, by, party, other, far)
            return
        # whom the phone asks about the transfer has not answered yet: rings for the other party from now on
        number = other.dialled
        other.linked_id = self._call.id
        other.post(Release(ReleasedBy.CALLER, NORMAL))
        await self._transfer(by, party, number)

    async def _hear_replacing(self, cue: Replaced) -> None:
        from engine.pbx.replacing import refuse_newcomer, take_place  # it leads back here

        if cue.place not in (self._bridge.one, self._bridge.other) or cue.place.talks.is_open:
            await refuse_newcomer(self._call, cue, RemoteError(481, "No Such Dialog"))
        else:
            await take_place(self._call, self._bridge, cue)

    def opposite(self, leg: Leg) -> Leg:
        """The other party."""
        return self._bridge.opposite(leg)

    def forget_return(self) -> None:
        """Who has got the other party back may hang up: that is meant."""
        self._returned_to = None

    def bring_together(self) -> None:
        """Two parties have just met: who was told of a hold that is over, or is not understood, is asked anew."""
        one, other = self._bridge.one, self._bridge.other
        for leg, opposite in ((one, other), (other, one)):
            settled, spoken = leg.talks.settled, opposite.talks.settled
            if settled is None or spoken is None or leg.talks.is_open or not leg.dialogue.may_reoffer:
                continue
            if settled.image is not None:
                if spoken.image is None:  # the fax is over
                    self._reoffer(leg, spoken.codecs)
                continue
            is_heard = leg is one or settled.codec in spoken.codecs or spoken.image is not None
            is_told_of_hold = settled.flow is not Direction.SENDRECV and not leg.holds and not opposite.holds
            codecs = settled.codecs if is_heard else self._worth_asking(leg, spoken.codecs)
            if codecs != settled.codecs or is_told_of_hold:
                self._reoffer(leg, codecs)

    def _worth_asking(self, leg: Leg, spoken: tuple[str, ...]) -> tuple[str, ...]:
        """What a party may speak of what the other one does; its own codecs where only converting helps."""
        allowed = [name for name in self._exchange.codecs_of(leg.peer) if name not in leg.lacks]
        stands = leg.talks.settled.codecs if leg.talks.settled is not None else ()
        asked = in_common(spoken, allowed)
        return asked or (stands if convertible(self._exchange, stands, spoken) else spoken)

    def _gives_up(self, cue: Ended) -> bool:
        """Whether a phone hangs up because its transfer has failed, as some do: nobody meant that."""
        leg: Leg = cue.session.user
        is_soon = self._now - self._returned_at < RETURN_S
        return cue.by_peer and leg is self._returned_to and is_soon and leg.extension is not None

    async def _recall(self, leg: Leg) -> None:
        """The extension of who transferred in vain rings once more."""
        from engine.pbx.transfer import Transfer  # it leads back here

        assert leg.extension is not None
        party, home = self._bridge.opposite(leg), leg.extension
        transfer = Transfer(self._call, leg, party, ToExtension(home), home.number)
        self._call.phase = transfer
        await transfer.recall()

    async def _hear_update(self, cue: EarlyOffered) -> None:
        """An offer that wants its answer at once: the other party hears of it afterwards, if at all."""
        leg: Leg = cue.session.user
        other = self._bridge.opposite(leg)
        if leg.talks.is_open:
            leg.dialogue.refuse_early_offer(cue.transaction, self._now, 491)
            return
        try:
            offered = leg.talks.take_offer(cue.sdp)
            common = self._answerable(leg, offered, other)
            if not common:
                raise RemoteError(488, "Other Party Speaks No Such Codec", Warn.MEDIA_FORMAT)
            body, settled = leg.talks.make_answer(common)
            await leg.apply(settled)
        except RemoteError as error:
            leg.talks.roll_back()
            leg.dialogue.refuse_early_offer(cue.transaction, self._now, error.status, error.reason)
            return
        leg.dialogue.accept_early_offer(cue.transaction, self._now, body)
        tells = leg.hold_policy is HoldPolicy.PASS and settled.held != leg.holds
        await self._mark_hold(leg, settled.held)
        if tells and other.dialogue.may_reoffer and not other.talks.is_open and other.talks.settled is not None:
            self._reoffer(other, other.talks.settled.codecs, _crossed(settled.flow))

    def _refresh(self, leg: Leg) -> None:
        """A re-INVITE that changes nothing keeps the session alive."""
        settled = leg.talks.settled
        if settled is None:
            return
        if leg.talks.is_open or not leg.dialogue.may_reoffer:
            leg.dialogue.refresh_later(self._now)
        else:
            self._wanted[leg] = settled.codecs, settled.flow, self._image_for(leg)
            leg.dialogue.reoffer(self._now, leg.talks.repeat_offer())

    def _image_for(self, leg: Leg) -> Attributes | None:
        """What the other party says of T.38, while this one speaks it."""
        settled, other = leg.talks.settled, self._bridge.opposite(leg).talks.settled
        if settled is None or settled.image is None:
            return None
        return other.image if other is not None and other.image is not None else settled.image

    def _tell_address(self, leg: Leg) -> None:
        """A re-INVITE with our new address to a party that knows another one."""
        settled = leg.talks.settled
        if settled is None or not leg.talks.is_outdated:
            return
        if leg.talks.is_open or not leg.dialogue.may_reoffer:
            self._wanted[leg] = settled.codecs, settled.flow, self._image_for(leg)
            leg.dialogue.delay_reoffer(self._now)
        else:
            self._refresh(leg)

    async def _hear_early(self, cue: EarlyAcknowledged | EarlyOffered) -> None:
        """The caller's 200 waits for its PRACK, which may bring SDP."""
        try:
            await hear_early(cue, self._now)
        except RemoteError as error:
            self._call.end(ReleasedBy.SYSTEM, f"{error.status} {error.reason}")

    def _align(self, caller: Leg) -> None:
        """At its first ACK: a caller that got the codecs of early media is offered those of the final answer."""
        if self._is_aligned:
            return
        self._is_aligned = True
        heard, spoken = caller.talks.settled, self._bridge.opposite(caller).talks.settled
        if heard is None or spoken is None or not spoken.codecs or spoken.codecs[0] in heard.codecs:
            return
        can_speak = in_common(spoken.codecs, caller.talks.peer_codecs)
        if not can_speak and is_understood(self._exchange, spoken.codecs[0], heard.codecs):
            return  # converted: there is nothing better to ask for
        if caller.dialogue.may_reoffer:
            self._reoffer(caller, spoken.codecs)

    # -- the end ------------------------------------------------------------------------------------------------

    def _hear_end(self, cue: Ended) -> None:
        leg: Leg = cue.session.user
        if not cue.by_peer:
            cause = f"{cue.status} {cue.reason}" if cue.reason else vanished(leg, cue.status)
            self._call.end(ReleasedBy.SYSTEM, cause)
            return
        is_caller = leg is self._call.caller
        self._call.end(ReleasedBy.CALLER if is_caller else ReleasedBy.CALLEE, NORMAL, cue.reason)


def _crossed(flow: Direction) -> Direction:
    """What one leg's flow means for the other: whom we hear is whom we send to, both seen from us."""
    return Direction.of(sends=flow.receives, receives=flow.sends)
