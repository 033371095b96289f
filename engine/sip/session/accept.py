"""Being called: ringing, answering, refusing, and the 2xx until its ACK (RFC 3261 sections 13.3.1, 14.2)."""

from __future__ import annotations

from engine.core.errors import LocalError
from engine.sip.dialog import Dialog
from engine.sip.message import Request, Response
from engine.sip.session.core import SessionState, refuse_invite, warning_fields
from engine.sip.session.events import Acknowledged, Ended
from engine.sip.session.prack import Acknowledging, Provisional
from engine.sip.transaction.server import ServerTransaction

PROVISIONAL_REMINDER_S = 60.0
"""A provisional response is repeated each minute, or proxies on the way give the call up (section 13.3.1.1)."""


class Accepting(Acknowledging):
    """The called side."""

    __slots__ = ()

    def begin_incoming(self, transaction: ServerTransaction, dialog: Dialog, *, is_late_offer: bool) -> None:
        """Hold the INVITE that makes this session."""
        self._invite = transaction
        self._late_offer = is_late_offer
        self.dialog = dialog
        if transaction.request is not None:
            self.note_allowed(transaction.request.headers)

    @property
    def is_waiting(self) -> bool:
        """Whether the peer's INVITE still waits for our final response."""
        return self.state is SessionState.INCOMING

    def ring(self, now: float, status: int = 180, *, reason: str | None = None, sdp: bytes = b"") -> None:
        """Send a provisional response; with ``sdp`` it announces early media."""
        transaction, sending = self._incoming_invite(), self._sending
        if sending is None or status == 100:
            self._respond_invite(transaction, status, reason, sdp, now)
        else:
            self.ring_reliably(sending, Provisional(status, reason, sdp), now)
        self._set_timer("reminder", PROVISIONAL_REMINDER_S, now)

    def answer(self, now: float, sdp: bytes) -> None:
        """Send the 2xx, our answer or (after an INVITE without one) our offer in it.

        It waits while a reliable response with SDP waits for its PRACK (RFC 3262 section 5).
        """
        self._incoming_invite()
        sending = self._sending
        if sending is None or not self.hold_answer(sending, sdp):
            self.send_answer(now, sdp)

    def send_answer(self, now: float, sdp: bytes) -> None:
        """The 2xx goes out; SDP that went in a reliable response is not said again."""
        transaction = self._incoming_invite()
        if self._sending is not None and self._sending.has_answered:
            sdp = b""
        self._offer_pending = self._late_offer and bool(sdp)
        self._clear_timer("reminder")
        response = self._respond_invite(transaction, 200, None, sdp, now)
        self._enter(SessionState.ANSWERED)
        self._keep_resending(transaction, response, now)

    def reject(
        self,
        now: float,
        status: int,
        reason: str | None = None,
        *,
        warning: int = 0,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Send the final failure that ends this session; ``warning`` is the code of a Warning field, 0 for none."""
        self._refuse_asked(now)
        if warning:
            headers += warning_fields(warning, self.flow.sent_by, reason or "")
        refuse_invite(self._agent.layer, self._incoming_invite(), status, reason, self.local_tag, now, headers)
        self._over()

    def receive_ack(self, ack: Request, now: float) -> None:
        """The ACK of our 2xx, to the first INVITE or to a re-INVITE."""
        if ack.cseq.number != self._accept_seq:
            return
        self._accept_seq = -1
        self._accept_data = None
        self._clear_timer("accept")
        self._clear_timer("accept_over")
        self._offer_pending, answers = False, self._offer_pending
        if self.state is SessionState.ANSWERED:
            self._enter(SessionState.CONFIRMED)
        if self.state is SessionState.ENDING:
            self._send_bye(now)
            return
        self._agent.emit(Acknowledged(self._me, ack.sdp if answers else b""))

    def _keep_resending(self, transaction: ServerTransaction, response: Response, now: float) -> None:
        """Section 13.3.1.4: the 2xx is resent by the session, over any transport, until its ACK."""
        timing = self._agent.layer.timing
        self._accept_data = transaction.last_response
        self._accept_flow = transaction.flow
        self._accept_seq = response.cseq.number
        self._accept_interval = timing.t1
        self._set_timer("accept", timing.t1, now)
        self._set_timer("accept_over", timing.give_up, now)

    def _on_accept(self, now: float) -> None:
        if self._accept_data is None:
            return
        self._agent.layer.resend(self._accept_flow, self._accept_data)
        self._accept_interval = min(self._accept_interval * 2, self._agent.layer.timing.t2)
        self._set_timer("accept", self._accept_interval, now)

    def _on_accept_over(self, now: float) -> None:
        """No ACK for 64*T1: the session ends with BYE (section 13.3.1.4)."""
        self._clear_timer("accept")
        self._accept_seq = -1
        was_ending = self.state is SessionState.ENDING
        if not was_ending:
            self._enter(SessionState.ENDING)
        self._send_bye(now)
        if not was_ending:
            self._agent.emit(Ended(self._me, False, 408, "No ACK"))

    def _on_reminder(self, now: float) -> None:
        transaction = self._invite
        if isinstance(transaction, ServerTransaction) and transaction.last_response is not None:
            self._agent.layer.resend(transaction.flow, transaction.last_response)
            self._set_timer("reminder", PROVISIONAL_REMINDER_S, now)

    def _incoming_invite(self) -> ServerTransaction:
        if self.state is not SessionState.INCOMING or not isinstance(self._invite, ServerTransaction):
            raise LocalError(f"{self.describe()} has no INVITE to answer")
        return self._invite
