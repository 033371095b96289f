"""REFER of the peer: it asks us to call somebody else, and hears by NOTIFY how that goes (RFC 3515)."""

from __future__ import annotations

from engine.core.errors import RemoteError
from engine.sip.message import Request, make_response
from engine.sip.session.core import SessionState
from engine.sip.session.events import Referred
from engine.sip.session.update import Updating
from engine.sip.transaction.server import ServerTransaction
from engine.sip.uri import NameAddress


class Referring(Updating):
    """The side that is asked; one transfer at a time."""

    __slots__ = ()

    def receive_refer(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        """A REFER within the dialog: told to the user, who accepts or refuses it at once."""
        targets = request.headers.list_of("Refer-To")
        try:
            if len(targets) != 1:
                raise RemoteError(400, "One Refer-To Needed")
            target = NameAddress.parse(targets[0])
        except RemoteError as error:
            transaction.respond(make_response(request, error.status, error.reason), now)
            return
        if self.state is not SessionState.CONFIRMED:
            transaction.respond(make_response(request, 481), now)
        elif self._is_referred or self._asked is not None:
            transaction.respond(make_response(request, 491), now)
        else:
            self._asked = transaction
            self._agent.emit(Referred(self._me, transaction, target))

    def accept_referral(self, transaction: ServerTransaction, now: float) -> None:
        """Say 202, and that it is being tried; ``notify_referral`` tells the rest."""
        self._answer_referral(transaction, now, 202, None)
        self._is_referred = True
        self.notify_referral(now, 100, "Trying")

    def refuse_referral(
        self, transaction: ServerTransaction, now: float, status: int, reason: str | None = None
    ) -> None:
        """Nobody is called."""
        self._answer_referral(transaction, now, status, reason)

    def notify_referral(self, now: float, status: int, reason: str) -> None:
        """How the transfer goes, as the first line of a response; a final one ends the subscription."""
        if not self._is_referred or self.state is not SessionState.CONFIRMED:
            return
        is_over = status >= 200
        notify = self._confirmed_dialog().make_request("NOTIFY")
        self._describe_us(notify.headers)
        notify.headers.add("Event", "refer")
        notify.headers.add(
            "Subscription-State", "terminated;reason=noresource" if is_over else "active;expires=180"
        )
        notify.headers.add("Content-Type", "message/sipfrag;version=2.0")
        notify.body = f"SIP/2.0 {status} {reason}\r\n".encode("utf-8", "replace")
        self._is_referred = not is_over
        self._agent.layer.send_request(notify, self.flow, now, self)

    def _answer_referral(self, transaction: ServerTransaction, now: float, status: int, reason: str | None) -> None:
        self._asked = None
        if transaction.request is not None and not transaction.is_answered:
            response = make_response(transaction.request, status, reason)
            if status < 300:
                self._describe_us(response.headers)
            transaction.respond(response, now)
