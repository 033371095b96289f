"""Changing a session: re-INVITE from either side, and glare (RFC 3261 section 14)."""

from __future__ import annotations

from contextlib import suppress

from engine.core.errors import LocalError, RemoteError
from engine.sip.message import Request, Response
from engine.sip.session.accept import Accepting
from engine.sip.session.core import SessionState, put_sdp, refuse_invite, warning_fields
from engine.sip.session.events import (
    Ended,
    ReofferAnswered,
    ReofferDelayed,
    ReofferDue,
    Reoffered,
    ReofferRefused,
)
from engine.sip.session.timer import refuse_interval
from engine.sip.transaction.client import ClientTransaction
from engine.sip.transaction.server import ServerTransaction

MOST_GLARES = 10
"""Meetings in a row after which a re-INVITE of ours counts as refused."""


class Modifying(Accepting):
    """Both sides, once the session stands."""

    __slots__ = ()

    @property
    def may_reoffer(self) -> bool:
        """Whether a re-INVITE of ours may go out now (section 14.1)."""
        is_free = self._reinvite is None and self._update is None and self._accept_seq < 0
        return self.state is SessionState.CONFIRMED and is_free

    @property
    def has_reoffer(self) -> bool:
        """Whether a re-INVITE of the peer waits for our answer."""
        return isinstance(self._reinvite, ServerTransaction)

    def is_pending(self, reinvite: ServerTransaction) -> bool:
        """Whether this re-INVITE of the peer still waits for our answer."""
        return self._reinvite is reinvite

    def reoffer(self, now: float, sdp: bytes) -> None:
        """Send a re-INVITE; ``ReofferAnswered``, ``ReofferRefused`` or, in a glare, ``ReofferDelayed`` follows."""
        if not self.may_reoffer:
            raise LocalError(f"{self.describe()} cannot re-INVITE now")
        self._clear_timer("glare")
        self._send_reinvite(sdp, now)

    def _send_reinvite(self, sdp: bytes, now: float) -> None:
        invite = self._confirmed_dialog().make_request("INVITE")
        self._describe_us(invite.headers)
        self.ask_expiry(invite.headers)
        put_sdp(invite, sdp)
        self._reinvite = self._agent.layer.send_request(invite, self.flow, now, self)
        self._set_timer("reoffer_over", 2 * self._agent.layer.timing.give_up, now)

    def probe(self, now: float) -> None:
        """Ask with OPTIONS whether the peer still knows this session; ``Ended`` follows when it does not."""
        if self.state is SessionState.CONFIRMED:
            options = self._confirmed_dialog().make_request("OPTIONS")
            self._agent.layer.send_request(options, self.flow, now, self)

    def probe_failed(self, status: int) -> None:
        """No answer, 408 or 481: the dialog is no more (section 12.2.1.2)."""
        if self.state is SessionState.CONFIRMED:
            self._agent.emit(Ended(self._me, False, status, None))

    def accept_reoffer(self, now: float, sdp: bytes) -> None:
        """Answer the peer's re-INVITE with 200; with ``sdp`` our answer, or our offer when the peer made none."""
        transaction = self._pending_reinvite()
        request = transaction.request
        assert request is not None
        self._offer_pending = not request.sdp
        self._confirmed_dialog().refresh_target(request)
        response = self._respond_invite(transaction, 200, None, sdp, now)
        self._reinvite = None
        self._keep_resending(transaction, response, now)

    def refuse_reoffer(self, now: float, status: int, reason: str | None = None, warning: int = 0) -> None:
        """Answer the peer's re-INVITE with a failure; the session stays as it was."""
        fields = warning_fields(warning, self.flow.sent_by, reason or "")
        refuse_invite(self._agent.layer, self._pending_reinvite(), status, reason, self.local_tag, now, fields)
        self._reinvite = None

    def receive_reinvite(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        """A re-INVITE of the peer: told to the user, or refused for glare (section 14.2)."""
        layer = self._agent.layer
        refusal = refuse_interval(request, self._agent.least_expiry)
        if refusal is not None:
            refuse_invite(layer, transaction, refusal.status, refusal.reason, self.local_tag, now, refusal.headers)
        elif isinstance(self._reinvite, ClientTransaction) or self._update is not None:
            refuse_invite(layer, transaction, 491, None, self.local_tag, now)
        elif self._reinvite is not None or self._accept_seq >= 0 or self.state is SessionState.INCOMING:
            wait = (("Retry-After", str(int(self._agent.token(1), 16) % 11)),)
            refuse_invite(layer, transaction, 500, "Previous INVITE Pending", self.local_tag, now, wait)
        elif self.state is not SessionState.CONFIRMED:
            refuse_invite(layer, transaction, 481, None, self.local_tag, now)
        else:
            self._reinvite = transaction
            transaction.user = self
            self._agent.emit(Reoffered(self._me, transaction, request.sdp))

    def receive_reinvite_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """Responses to our re-INVITE; a repeated 2xx gets its ACK again."""
        if response.status < 200:
            return
        if transaction is not self._reinvite:
            if response.status < 300 and self._ack is not None:
                self._agent.layer.resend(self.flow, self._ack)
            return
        if self._login is not None and self.state is SessionState.CONFIRMED:
            again = self.send_authorised(transaction, response, self.dialog, now)
            if again is not None:
                self._reinvite = again
                return
        if response.status == 422 and self.state is SessionState.CONFIRMED:
            seconds = self.longer_expiry(transaction.request, response)
            if seconds:
                self.agree_later(seconds)
                self._send_reinvite(transaction.request.sdp, now)
                return
        self._reinvite = None
        transaction.let_request_go()
        self._clear_timer("reoffer_over")
        if self.state is not SessionState.CONFIRMED:
            self._acknowledge_reinvite(response)
        elif response.status < 300:
            self._acknowledge_reinvite(response)
            self._glares = 0
            self.take_expiry(response, now)
            self._agent.emit(ReofferAnswered(self._me, response.sdp))
        elif response.status == 491 and self._glares < MOST_GLARES:
            self._agent.emit(ReofferDelayed(self._me))
            self.delay_reoffer(now)
        else:
            self.reinvite_failed(response.status)

    def reinvite_failed(self, status: int) -> None:
        """Our re-INVITE came to nothing; the user decides whether a 408 or 481 ends the call (section 12.2.1.2)."""
        self._reinvite = None
        self._clear_timer("reoffer_over")
        self._glares = 0
        if self.state is SessionState.CONFIRMED:
            self._agent.emit(ReofferRefused(self._me, status))

    def _acknowledge_reinvite(self, response: Response) -> None:
        if response.status >= 300:
            return
        dialog = self._confirmed_dialog()
        with suppress(RemoteError):  # a 2xx with a broken Contact still needs its ACK: the known target stays
            dialog.refresh_target(response)
        # make_request("ACK") takes the dialog's last number, which a BYE sent meanwhile would have raised.
        ack = dialog.make_request("ACK")
        ack.headers.set("CSeq", f"{response.cseq.number} ACK")
        self._ack = self._agent.layer.send_ack(ack, self.flow)

    def _glare_delay(self) -> float:
        """Section 14.1: 2.1 to 4 s for the owner of the Call-ID, 0 to 2 s for the other, in steps of 10 ms."""
        steps = int(self._agent.token(2), 16)
        is_owner = not isinstance(self._invite, ServerTransaction)
        return 2.1 + steps % 191 / 100 if is_owner else steps % 201 / 100

    def delay_reoffer(self, now: float) -> None:
        """Wait for our turn, once more when the peer was faster again."""
        self._glares += 1
        self._set_timer("glare", self._glare_delay(), now)

    def _on_glare(self, now: float) -> None:
        if self.may_reoffer:
            self._agent.emit(ReofferDue(self._me))
        elif self.state is SessionState.CONFIRMED and self._glares < MOST_GLARES:
            self.delay_reoffer(now)  # the peer's own re-INVITE is under way
        else:
            self.reinvite_failed(491)

    def _on_reoffer_over(self, now: float) -> None:
        """A provisional response came and nothing after it: a peer that long undecided does not answer."""
        transaction = self._reinvite
        if isinstance(transaction, ClientTransaction):
            transaction.abandon(now)
            self.reinvite_failed(408)

    def _pending_reinvite(self) -> ServerTransaction:
        if not isinstance(self._reinvite, ServerTransaction):
            raise LocalError(f"{self.describe()} has no re-INVITE to answer")
        return self._reinvite
