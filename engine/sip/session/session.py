"""One INVITE session from either side, and how the agent's news reach its verbs."""

from __future__ import annotations

from engine.core.errors import RemoteError
from engine.sip.dialog import Dialog, contact_of
from engine.sip.message import Request, Response, make_response
from engine.sip.session.core import SessionState, refuse_invite
from engine.sip.session.events import Cancelled, Ended
from engine.sip.session.invite import Inviting
from engine.sip.transaction.client import ClientTransaction
from engine.sip.transaction.outputs import RequestFailed, ResponseArrived
from engine.sip.transaction.server import ServerTransaction


class Session(Inviting):
    """One INVITE session: ``ring``, ``answer``, ``reject``, ``cancel``, ``reoffer``, ``end`` and the rest."""

    __slots__ = ()

    def end(self, now: float, status: int = 487, *, reason: str | None = None) -> None:
        """End this session by whatever its state needs: CANCEL, a failure with ``status``, or BYE.

        ``reason`` is a Reason value (RFC 3326). Ending what is over or ending does nothing.
        """
        if self.state in (SessionState.CALLING, SessionState.PROCEEDING):
            self.cancel(now, reason)
        elif self.state is SessionState.INCOMING:
            self.reject(now, status, headers=(("Reason", reason),) if reason else ())
        elif self.state is SessionState.ANSWERED:
            # A callee may not send BYE before the ACK arrived or timed out (section 15).
            self._enter(SessionState.ENDING)
            self._end_reason = reason
        elif self.state is SessionState.CONFIRMED:
            self._enter(SessionState.ENDING)
            self._end_reason = reason
            self._send_bye(now)

    def receive_request(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        """A request within the dialog, ACK and CANCEL apart."""
        dialog = self.dialog
        if dialog is None or dialog.remote_tag != request.from_tag:
            self._receive_early_request(transaction, request, now)
            return
        try:
            dialog.accept_sequence(request)
            if request.method in ("INVITE", "UPDATE"):
                contact_of(request)  # refused here: an answer could not take it back
        except RemoteError as error:
            transaction.respond(make_response(request, error.status, error.reason), now)
            return
        self.heard_from = transaction.flow.remote_host
        if self.flow.is_reliable and transaction.flow.is_reliable:
            self.flow = transaction.flow  # over this connection the peer is reached, whatever became of others
        if request.method == "INVITE":
            self.receive_reinvite(transaction, request, now)
        elif request.method == "BYE":
            self._receive_bye(transaction, request, now)
        elif request.method == "PRACK":
            self.receive_prack(transaction, request, now)
        elif request.method == "UPDATE":
            self.receive_update(transaction, request, dialog, now)
        elif request.method == "REFER":
            self.receive_refer(transaction, request, now)
        elif request.method == "INFO":
            self.receive_info(transaction, request, now)
        elif request.method == "NOTIFY" and self.takes_orders:
            self.receive_order(transaction, request, now)
        else:
            self._agent.answer_simply(transaction, request, now)

    def _receive_early_request(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        """What a callee asks before its answer, in any of its early dialogs; it may not end one (section 15)."""
        if request.from_tag not in self._early or request.method == "BYE":
            transaction.respond(make_response(request, 481), now)
        elif request.method == "INVITE":
            refuse_invite(self._agent.layer, transaction, 491, None, self.local_tag, now)
        elif request.method == "UPDATE" and (early := self.early_dialog(request.from_tag)) is not None:
            self._receive_early_update(transaction, request, early, now)
        elif request.method == "INFO":
            self.receive_info(transaction, request, now)
        else:
            self._agent.answer_simply(transaction, request, now)

    def _receive_early_update(
        self, transaction: ServerTransaction, request: Request, early: Dialog, now: float
    ) -> None:
        try:
            early.accept_sequence(request)
            contact_of(request)
        except RemoteError as error:
            transaction.respond(make_response(request, error.status, error.reason), now)
            return
        self.receive_update(transaction, request, early, now)

    def receive_cancel(self, invite: ServerTransaction, reason: str | None, now: float) -> None:
        """The peer's CANCEL of its INVITE or re-INVITE; after our final response it has no effect (section 9.2)."""
        if invite is self._reinvite:
            self.refuse_reoffer(now, 487)
        elif self.state is SessionState.INCOMING:
            self.reject(now, 487)
            self._agent.emit(Cancelled(self, reason))

    def receive_response(self, output: ResponseArrived, now: float) -> None:
        """A response to a request of this session."""
        transaction, response = output
        if transaction.method == "BYE":
            if response.status >= 200 and self._bye_again(transaction, response, now) is None:
                self.bye_over(now)
        elif transaction is self._invite:
            self.receive_invite_response(response, now)
        elif transaction.method == "OPTIONS":
            if response.status in (408, 481):  # anything else is a sign of life
                self.probe_failed(response.status)
        elif transaction.method in ("NOTIFY", "INFO"):
            self.send_authorised(transaction, response, self.dialog, now)
        elif transaction.method == "UPDATE":
            self.receive_update_response(transaction, response, now)
        elif transaction.method == "PRACK":
            # refused or not, the peer decides what becomes of its INVITE
            self.send_authorised(transaction, response, self.early_dialog(transaction.request.to_tag), now)
        else:
            self.receive_reinvite_response(transaction, response, now)

    def _bye_again(
        self, transaction: ClientTransaction, response: Response, now: float
    ) -> ClientTransaction | None:
        """The BYE that answers a challenge of the first one."""
        return self.send_authorised(transaction, response, self.dialog, now) if self._login is not None else None

    def request_failed(self, output: RequestFailed, now: float) -> None:
        """A request of this session got no final response."""
        transaction = output.transaction
        if transaction.method == "BYE":
            self.bye_over(now)
        elif transaction is self._invite:
            self._refuse_asked(now)
            self.invite_failed(output.status)
        elif transaction is self._reinvite:
            self.reinvite_failed(output.status)
        elif transaction is self._update:
            self.update_failed(output.status)
        elif transaction.method == "OPTIONS":
            self.probe_failed(output.status)

    def response_failed(self, transaction: ServerTransaction) -> None:
        """The peer cannot be answered: its INVITE, or its re-INVITE, is no more."""
        if transaction is self._reinvite:
            self._reinvite = None
        elif self.state is SessionState.INCOMING:
            self._over()
            self._agent.emit(Ended(self, False, 503, "Caller Cannot Be Reached"))

    def _receive_bye(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        """The peer's BYE: answered always, told once."""
        transaction.respond(make_response(request, 200), now)
        self._refuse_pending_reinvite(now)
        reason = request.headers.get("Reason")
        if self.state is SessionState.INCOMING:
            self.reject(now, 487)
            self._agent.emit(Cancelled(self, reason))
            return
        was_ending = self.state is SessionState.ENDING
        self._limit_reinvite(now)
        self._over()
        if not was_ending:
            self._agent.emit(Ended(self, True, 200, reason))
