"""UPDATE of the peer: offers before and after the answer, and refreshes without SDP (RFC 3311)."""

from __future__ import annotations

from contextlib import suppress

from engine.core.errors import RemoteError
from engine.sip.dialog import Dialog
from engine.sip.message import Request, make_response
from engine.sip.session.core import SessionState
from engine.sip.session.events import EarlyOffered
from engine.sip.session.modify import Modifying
from engine.sip.session.timer import refuse_interval
from engine.sip.transaction.server import ServerTransaction


class Updating(Modifying):
    """Both sides; an UPDATE is answered at once, for it rings nowhere."""

    __slots__ = ()

    def receive_update(self, transaction: ServerTransaction, request: Request, dialog: Dialog, now: float) -> None:
        """An UPDATE in the dialog, early or confirmed."""
        if self.state in (SessionState.ENDING, SessionState.ENDED, SessionState.CANCELLING):
            transaction.respond(make_response(request, 481), now)
            return
        refusal = refuse_interval(request, self._agent.least_expiry)
        if refusal is not None:
            response = make_response(request, refusal.status, refusal.reason)
            for name, value in refusal.headers:
                response.headers.add(name, value)
            transaction.respond(response, now)
            return
        if request.sdp and not self._may_be_offered(transaction, request, now):
            return
        with suppress(RemoteError):  # its Contact was looked at before
            dialog.refresh_target(request)
        if request.sdp:
            self._asked = transaction
            self._agent.emit(EarlyOffered(self._me, transaction, request.sdp))
        else:
            self.accept_early_offer(transaction, now, b"")

    def _may_be_offered(self, transaction: ServerTransaction, request: Request, now: float) -> bool:
        """Whether an offer may come now; else it is refused (section 5.2)."""
        if self._offer_pending or self._update is not None or (self._reinvite is not None and not self.has_reoffer):
            transaction.respond(make_response(request, 491), now)
            return False
        sending = self._sending
        is_unanswered = self.state is SessionState.INCOMING and (sending is None or not sending.has_answered)
        if self.has_reoffer or is_unanswered or self._asked is not None:
            response = make_response(request, 500, "Offer Pending")
            response.headers.add("Retry-After", str(int(self._agent.token(1), 16) % 11))
            transaction.respond(response, now)
            return False
        return True
