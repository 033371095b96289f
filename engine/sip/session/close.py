"""The end of a session: our BYE (RFC 3261 section 15)."""

from __future__ import annotations

from engine.sip.message import make_response
from engine.sip.session.authenticate import Authenticating
from engine.sip.session.core import SessionState, refuse_invite
from engine.sip.transaction.client import ClientTransaction
from engine.sip.transaction.server import ServerTransaction


class Closing(Authenticating):
    """What every way out shares."""

    __slots__ = ()

    def bye_over(self, now: float) -> None:
        """Our BYE has its final response, or will never get one: either way the session is over."""
        if self.state is SessionState.ENDING:
            self._limit_reinvite(now)
            self._over()

    def _send_bye(self, now: float) -> None:
        self._refuse_pending_reinvite(now)
        self._agent.layer.book.clear_all(self)
        bye = self._confirmed_dialog().make_request("BYE")
        if self._end_reason:
            bye.headers.add("Reason", self._end_reason)
        self._agent.layer.send_request(bye, self.flow, now, self)

    def _refuse_asked(self, now: float) -> None:
        """What waits for the user's answer gets one before the session goes."""
        transaction, self._asked = self._asked, None
        if transaction is not None and transaction.request is not None and not transaction.is_answered:
            transaction.respond(make_response(transaction.request, 481), now)

    def _limit_reinvite(self, now: float) -> None:
        """A re-INVITE of ours with a provisional response would wait without end for a peer that has gone.

        Its final response, most likely 487, still gets its ACK.
        """
        if isinstance(self._reinvite, ClientTransaction):
            self._reinvite.limit(now)

    def _refuse_pending_reinvite(self, now: float) -> None:
        """A re-INVITE that waits for us is answered before the dialog goes (section 15.1.2)."""
        self._refuse_asked(now)
        transaction = self._reinvite
        if isinstance(transaction, ServerTransaction):
            refuse_invite(self._agent.layer, transaction, 487, None, self.local_tag, now)
            self._reinvite = None
