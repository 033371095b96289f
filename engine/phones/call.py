"""One call as its phone lives it: dialling, ringing, talking, hold from either side, the end."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

from engine.core.errors import RemoteError
from engine.sip.offer_answer import MediaNegotiation, RtpAddress, Settled
from engine.sip.sdp import Direction
from engine.sip.session import Session
from engine.sip.session.events import (
    Acknowledged,
    Answered,
    Cancelled,
    Ended,
    Failed,
    Ordered,
    Progress,
    ReofferAnswered,
    Reoffered,
    ReofferRefused,
    SessionEvent,
)
from engine.sip.transaction.outputs import RequestArrived

if TYPE_CHECKING:
    from engine.phones.phone import Phone


class Phase(Enum):
    """Where a call stands, seen from the phone."""

    DIALLING = "dialling"
    ALERTING = "alerting"
    """The other phone rings."""
    INCOMING = "incoming"
    UP = "up"
    OVER = "over"


class PhoneCall:
    """A call of one phone; ``on_change`` is called after everything that happens to it."""

    def __init__(self, phone: Phone, number: str, *, is_incoming: bool = False) -> None:
        self.number = number
        """Whom we called, or who calls."""
        self.is_incoming = is_incoming
        self.phase = Phase.INCOMING if is_incoming else Phase.DIALLING
        self.settled: Settled | None = None
        self.is_holding = False
        """We have put the other party on hold."""
        self.outcome: int | None = None
        """The status that ended it before it was up, 200 when it was up."""
        self.on_change: Callable[[], None] = lambda: None
        self.on_order: Callable[[str], None] = lambda order: None
        """Told when the office asks the phone to answer or resume (``talk``) or to hold."""
        self.answers_itself = False
        """The caller asks for that, and the phone may."""
        self._phone = phone
        self._session: Session | None = None
        self._negotiation: MediaNegotiation | None = None
        self._offer = b""
        """The caller's offer, until it is answered."""
        self._has_logged_in = False
        self._has_given_up = False

    # -- doing --------------------------------------------------------------------------------------------------

    def take(self, arrived: RequestArrived, now: float) -> None:
        """Hold an INVITE that came in; ends it at once when it cannot be understood."""
        try:
            self._session = self._phone.agent.take_invite(arrived, self._phone.contact, self)
        except RemoteError as error:
            self._phone.agent.respond(arrived, error.status, now, reason=error.reason)
            self._over(error.status)
            return
        self._offer = arrived.request.sdp
        self._session.takes_orders = self._phone.takes_orders
        asked = arrived.request.headers.get("Call-Info") or ""
        self.answers_itself = self._phone.takes_orders and "answer-after=0" in asked

    def dial(self, local: RtpAddress, now: float) -> None:
        """Send the INVITE; ``local`` is where our audio is received."""
        self._offer = self._negotiate(local).make_offer(self._phone.account.codecs)
        self._invite(now)

    def ring(self, now: float) -> None:
        """Say that we ring."""
        if self.phase is Phase.INCOMING:
            self._line.ring(now)

    def answer(self, local: RtpAddress, now: float) -> None:
        """Pick up; an offer that has nothing for us is refused with its status."""
        if self.phase is not Phase.INCOMING:
            return
        negotiation = self._negotiate(local)
        codecs = self._phone.account.codecs
        try:
            if self._offer:
                negotiation.take_offer(self._offer)
                sdp, self.settled = negotiation.make_answer(codecs)
            else:
                sdp = negotiation.make_offer(codecs)
        except RemoteError as error:
            self.decline(error.status, now)
            return
        self._line.answer(now, sdp)
        self._enter(Phase.UP)

    def decline(self, status: int, now: float) -> None:
        """Refuse the call: 486 when busy, 603 when not wanted."""
        if self.phase is Phase.INCOMING:
            self._line.reject(now, status)
            self._over(status)

    def hold(self, now: float) -> bool:
        """Ask the other party to wait; ``False`` when that cannot be asked now."""
        return self._reoffer(Direction.SENDONLY, now)

    def resume(self, now: float) -> bool:
        """Talk again."""
        return self._reoffer(Direction.SENDRECV, now)

    def hang_up(self, now: float) -> None:
        """End it, by whatever its state needs; before the answer that gives it up."""
        self._has_given_up = True
        if self._session is not None and self.phase is not Phase.OVER:
            self._session.end(now)
            if self.phase is Phase.UP:
                self._over(200)
            elif self.phase is Phase.INCOMING:
                self._over(487)

    # -- hearing ------------------------------------------------------------------------------------------------

    def hear(self, event: SessionEvent, now: float) -> None:
        """What the session tells."""
        match event:
            case Progress():
                self._enter(Phase.ALERTING)
            case Answered():
                self._take_answer(event, now)
            case Failed():
                self._take_failure(event, now)
            case Acknowledged():
                if event.sdp:
                    self._settle(event.sdp, now)
            case Cancelled():
                self._over(487)
            case Ended():
                self._over(event.status)
            case Ordered():
                self.on_order(event.order)
            case Reoffered():
                self._answer_reoffer(event, now)
            case ReofferAnswered():
                self._settle(event.sdp, now)
            case ReofferRefused():
                self._negotiate_undone()

    def _take_answer(self, event: Answered, now: float) -> None:
        self._enter(Phase.UP)
        self._settle(event.sdp, now)

    def _take_failure(self, event: Failed, now: float) -> None:
        response = event.response
        if response is not None and event.status in (401, 407) and not (self._has_logged_in or self._has_given_up):
            value = self._phone.credentials(response, "INVITE", self._phone.address_of(self.number))
            if value is not None:
                self._has_logged_in = True
                name = "Authorization" if event.status == 401 else "Proxy-Authorization"
                self._invite(now, ((name, value),))
                return
        self._over(event.status)

    def _answer_reoffer(self, event: Reoffered, now: float) -> None:
        session = self._line
        if not session.is_pending(event.transaction):
            return  # taken back meanwhile
        negotiation = self._talks
        wanted = Direction.SENDONLY if self.is_holding else Direction.SENDRECV
        try:
            if event.sdp:
                negotiation.take_offer(event.sdp)
                sdp, self.settled = negotiation.make_answer(self._phone.account.codecs, wanted)
            else:
                sdp = negotiation.make_offer(self._phone.account.codecs, wanted)
        except RemoteError as error:
            negotiation.roll_back()
            session.refuse_reoffer(now, error.status)
            return
        session.accept_reoffer(now, sdp)
        self.on_change()

    def _settle(self, answer: bytes, now: float) -> None:
        """The other side's answer to our offer; one that agrees to nothing ends the call."""
        try:
            self.settled = self._talks.take_answer(answer)
        except RemoteError:
            self._talks.roll_back()
            self.hang_up(now)
            return
        self.on_change()

    # -- inside -------------------------------------------------------------------------------------------------

    @property
    def _line(self) -> Session:
        assert self._session is not None
        return self._session

    @property
    def _talks(self) -> MediaNegotiation:
        assert self._negotiation is not None
        return self._negotiation

    def _negotiate(self, local: RtpAddress) -> MediaNegotiation:
        self._negotiation = MediaNegotiation(int(self._phone.agent.token(7), 16), local)
        return self._negotiation

    def _invite(self, now: float, headers: tuple[tuple[str, str], ...] = ()) -> None:
        phone = self._phone
        target = phone.address_of(self.number)
        self._session = phone.agent.invite(
            target=target,
            flow=phone.flow,
            caller=phone.identity,
            callee=f"<{target}>",
            contact=phone.contact,
            sdp=self._offer,
            now=now,
            user=self,
            headers=headers,
        )
        self._session.takes_orders = phone.takes_orders

    def _reoffer(self, direction: Direction, now: float) -> bool:
        if self.phase is not Phase.UP or not self._line.may_reoffer or self._talks.is_open:
            return False
        self._line.reoffer(now, self._talks.make_offer(self._phone.account.codecs, direction))
        self.is_holding = not direction.receives
        self.on_change()
        return True

    def _negotiate_undone(self) -> None:
        """Our re-INVITE came to nothing: what was settled before stands."""
        self.settled = self._talks.roll_back()
        self.is_holding = self.settled is not None and not self.settled.flow.receives
        self.on_change()

    def _enter(self, phase: Phase) -> None:
        if self.phase is not Phase.OVER:
            self.phase = phase
            self.on_change()

    def _over(self, status: int) -> None:
        if self.phase is not Phase.OVER:
            self.outcome = status
            self._enter(Phase.OVER)
