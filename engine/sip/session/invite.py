"""Calling: our INVITE, its answers, its ACK and its CANCEL (RFC 3261 sections 9.1, 13.2)."""

from __future__ import annotations

from engine.core.errors import RemoteError
from engine.sip.dialog import Dialog, uac_dialog
from engine.sip.message import Request, Response, reason_for
from engine.sip.session.core import SessionState, put_sdp
from engine.sip.session.events import Answered, Failed, Progress
from engine.sip.session.info import Informing
from engine.sip.session.prack import MOST_EARLY_DIALOGS, TAG
from engine.sip.transaction.client import ClientTransaction


class Inviting(Informing):
    """The caller's side."""

    __slots__ = ()

    def send_invite(self, invite: Request, now: float) -> None:
        """Send the INVITE that makes this session; without a body the peer must offer."""
        self._late_offer = not invite.body
        self._invite = self._agent.layer.send_request(invite, self.flow, now, self)

    def cancel(self, now: float, reason: str | None = None) -> None:
        """Give our INVITE up; ``Failed`` follows, or nothing more than BYE if the peer answered meanwhile.

        ``reason`` is a Reason value (RFC 3326). Before any provisional response nothing may be sent (section 9.1):
        the CANCEL follows the first one.
        """
        was_proceeding = self.state is SessionState.PROCEEDING
        self._enter(SessionState.CANCELLING)
        self._end_reason = reason
        if was_proceeding:
            self._send_cancel(now)
        else:
            self._set_timer("cancel_over", self._agent.layer.timing.give_up, now)

    def acknowledge(self, sdp: bytes) -> None:
        """Send the ACK that a late offer waits for, carrying our answer."""
        dialog = self._confirmed_dialog()
        self._send_ack(dialog, sdp)
        self.follow_early(dialog)

    def receive_invite_response(self, response: Response, now: float) -> None:
        """Responses to the first INVITE, from however many branches."""
        if response.status < 200:
            self._receive_provisional(response, now)
        elif response.status < 300:
            self._receive_success(response, now)
        elif self.state is not SessionState.ENDED and not self._goes_on(response, now):
            self._refuse_asked(now)
            self._fail(response.status, response.reason, response)
            self._invite = None

    def _goes_on(self, response: Response, now: float) -> bool:
        """Whether this was a challenge, or a 422, and the INVITE is on its way again."""
        if self.state not in (SessionState.CALLING, SessionState.PROCEEDING):
            return False
        sent = self._invite_transaction()
        if response.status == 422:
            again = self._ask_for_longer(sent.request, response, now)
        else:
            again = self.send_authorised(sent, response, None, now)
        if again is None:
            return False
        self._invite = again
        self._early, self._early_dialogs = (), None
        if self.state is SessionState.PROCEEDING:
            self._enter(SessionState.CALLING)
        return True

    def invite_failed(self, status: int) -> None:
        """The transaction ended without a final response."""
        if self.state is not SessionState.ENDED:
            self._fail(status, reason_for(status), None)
            self._invite = None

    def _ask_for_longer(self, sent: Request, response: Response, now: float) -> ClientTransaction | None:
        """The INVITE again with the session interval that the peer wants (RFC 4028 section 7.3)."""
        seconds = self.longer_expiry(sent, response)
        if not seconds:
            return None
        again = Request("INVITE", sent.uri, sent.headers.copy(), sent.body)
        again.headers.remove("Via")
        again.headers.set("CSeq", f"{sent.cseq.number + 1} INVITE")
        again.headers.set("Session-Expires", str(seconds))
        again.headers.set("Min-SE", str(seconds))
        if self._login is not None:
            self._login.authorise(again)
        return self._agent.layer.send_request(again, self.flow, now, self)

    def _fail(self, status: int, reason: str, response: Response | None) -> None:
        self._over()
        self._agent.emit(Failed(self._me, status, reason, response))

    def _receive_provisional(self, response: Response, now: float) -> None:
        if self.state is SessionState.CALLING:
            self._enter(SessionState.PROCEEDING)
        elif self.state is SessionState.CANCELLING and not self._is_cancel_sent:
            self._send_cancel(now)
        if response.status == 100 or self.state is not SessionState.PROCEEDING:
            return
        headers = response.headers
        is_reliable = "RSeq" in headers and TAG in headers.tokens("Require")
        if is_reliable and not self.acknowledge_provisional(response, self._sent_invite(), now):
            return
        tag = response.to_tag
        if tag is not None and tag not in self._early and len(self._early) < MOST_EARLY_DIALOGS:
            self._early += (tag,)
            self.note_events(headers)
            if self.takes_events:
                self.keep_early(response, self._sent_invite())
        self._agent.emit(Progress(self._me, response.status, response.sdp, tag))

    def _receive_success(self, response: Response, now: float) -> None:
        tag = response.to_tag
        if self.dialog is not None and self.dialog.remote_tag == tag:
            self._resend_ack()
            return
        if tag in self._refused_acks:
            self._agent.layer.resend(self.flow, self._refused_acks[tag])
            return
        if len(self._refused_acks) >= MOST_EARLY_DIALOGS:
            return  # nobody forks to so many: each would cost us an ACK and a BYE
        try:
            dialog = uac_dialog(self._sent_invite(), response, self.flow)
        except RemoteError:
            self._refuse_answer(uac_dialog(self._sent_invite(), response, self.flow, is_usable=False), now)
            return
        if self.state in (SessionState.CALLING, SessionState.PROCEEDING):
            self._confirm(dialog, response, now)
        else:
            self._refuse_answer(dialog, now)

    def _confirm(self, dialog: Dialog, response: Response, now: float) -> None:
        self._enter(SessionState.CONFIRMED)
        self.dialog = dialog
        self._early = ()
        self._invite_transaction().let_request_go()
        self.note_allowed(response.headers)
        if "Session-Expires" in response.headers:
            self.take_expiry(response, now)
        early_sdp = self.early_sdp(dialog.remote_tag)
        if not self._late_offer or early_sdp:
            self._send_ack(dialog, b"")
            self.follow_early(dialog)
        self._agent.emit(Answered(self._me, response.sdp or early_sdp, response))

    def _refuse_answer(self, dialog: Dialog, now: float) -> None:
        """A 2xx after CANCEL, of a second branch, or unusable: acknowledged, then ended (section 13.2.2.4)."""
        layer = self._agent.layer
        self._refused_acks[dialog.remote_tag] = layer.send_ack(dialog.make_request("ACK"), self.flow)
        self.follow_early(dialog)
        bye = dialog.make_request("BYE")
        if self._end_reason:
            bye.headers.add("Reason", self._end_reason)
        layer.send_request(bye, self.flow, now)
        if self.state is SessionState.CANCELLING:
            self._fail(487, "Request Terminated", None)
        elif self.state in (SessionState.CALLING, SessionState.PROCEEDING):
            self._fail(502, "Unusable Answer", None)

    def _send_ack(self, dialog: Dialog, sdp: bytes) -> None:
        ack = dialog.make_request("ACK")
        put_sdp(ack, sdp)
        self._ack = self._agent.layer.send_ack(ack, self.flow)

    def _resend_ack(self) -> None:
        if self._ack is not None:
            self._agent.layer.resend(self.flow, self._ack)

    def _send_cancel(self, now: float) -> None:
        self._is_cancel_sent = True
        self._agent.layer.send_cancel(self._invite_transaction(), now, self._end_reason)
        self._set_timer("cancel_over", self._agent.layer.timing.give_up, now)

    def _on_cancel_over(self, now: float) -> None:
        """No final response 64*T1 after the CANCEL: the INVITE counts as cancelled (section 9.1)."""
        self._invite_transaction().abandon(now)
        self._fail(487, "Request Terminated", None)

    def _sent_invite(self) -> Request:
        return self._invite_transaction().request

    def _invite_transaction(self) -> ClientTransaction:
        assert isinstance(self._invite, ClientTransaction)
        return self._invite
