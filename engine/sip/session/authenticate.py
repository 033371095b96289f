"""Challenges to requests of a session, answered with the login that its peer knows (RFC 3261 section 22)."""

from __future__ import annotations

from engine.core.errors import RemoteError
from engine.sip.dialog import Dialog
from engine.sip.login import FIELDS
from engine.sip.message import Request, Response
from engine.sip.session.core import SessionCore
from engine.sip.transaction.client import ClientTransaction


class Authenticating(SessionCore):
    """The caller's or callee's side; without a login a challenge is a failure like any other."""

    __slots__ = ()

    def send_authorised(
        self, challenged: ClientTransaction, response: Response, dialog: Dialog | None, now: float
    ) -> ClientTransaction | None:
        """Send a challenged request again, in the same dialog with a higher CSeq.

        ``None`` when there is no login, when the peer does not believe it, or asks for what cannot be answered.
        """
        login = self._login
        names = FIELDS.get(response.status)
        if login is None or names is None:
            return None
        sent = challenged.request
        if names[1] not in sent.headers:
            login.begin()
        try:
            is_worth_it = login.take_challenge(response)
        except RemoteError:
            return None
        if not is_worth_it:
            return None
        number = sent.cseq.number + 1
        if dialog is not None:
            number = dialog.local_seq = max(dialog.local_seq + 1, number)
        again = Request(sent.method, sent.uri, sent.headers.copy(), sent.body)
        again.headers.remove("Via")
        again.headers.set("CSeq", f"{number} {sent.method}")
        login.authorise(again)
        return self._agent.layer.send_request(again, self.flow, now, self)
