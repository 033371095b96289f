"""Reliable provisional responses and PRACK, as caller and as callee (RFC 3262)."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import NamedTuple

from engine.core.errors import RemoteError
from engine.core.peering import ReliableProvisional
from engine.sip.dialog import Dialog, uac_dialog
from engine.sip.headers import Headers
from engine.sip.inspection import Refusal
from engine.sip.message import Request, Response, make_response
from engine.sip.session.core import SessionState, put_sdp, refuse_invite
from engine.sip.session.events import EarlyAcknowledged, EarlyOffered, Ended
from engine.sip.session.timer import Refreshing
from engine.sip.transaction.client import ClientTransaction
from engine.sip.transaction.server import ServerTransaction

TAG = "100rel"
MOST_EARLY_DIALOGS = 16
"""Of one INVITE; a proxy that forks to more phones than that is none that an office has."""
MOST_WAITING = 8
"""Provisional responses that wait for the PRACK of the one before; no call has more to say."""
_HIGHEST_RSEQ = 2**32 - 1


class Provisional(NamedTuple):
    """A provisional response to send."""

    status: int
    reason: str | None
    sdp: bytes


class ReliableSending:
    """The callee's side of one INVITE: what waits for its PRACK, and what waits behind it."""

    __slots__ = (
        "answer",
        "data",
        "has_answered",
        "has_sdp",
        "interval",
        "invite_seq",
        "is_offer",
        "is_pending",
        "rseq",
        "waiting",
    )

    def __init__(self, rseq: int, invite_seq: int) -> None:
        self.invite_seq = invite_seq
        self.rseq = rseq
        """Of the latest response that was sent (RFC 3262 section 3)."""
        self.data = b""
        self.interval = 0.0
        self.is_pending = False
        """Its PRACK has not come yet."""
        self.has_sdp = False
        """What waits for its PRACK carries SDP: no 2xx may overtake it (section 5)."""
        self.is_offer = False
        """That SDP is an offer: the PRACK must bring the answer."""
        self.has_answered = False
        """SDP has gone out in a reliable response: the 2xx needs none."""
        self.waiting: deque[Provisional] = deque()
        self.answer: bytes | None = None
        """The SDP of a 2xx that is held back."""


class EarlyDialog:
    """The caller's side of one early dialog."""

    __slots__ = ("dialog", "rseq", "sdp")

    def __init__(self, dialog: Dialog, rseq: int | None) -> None:
        self.dialog = dialog
        self.rseq = rseq
        """Of the latest response that was acknowledged; ``None`` while none was reliable."""
        self.sdp = b""
        """The answer that came in a reliable response: the 2xx may leave it out."""


def refuse_reliability(headers: Headers, policy: ReliableProvisional) -> Refusal | None:
    """Why an INVITE cannot be taken from a peer that is set so: 420 or 421; ``None`` when it can."""
    if policy is ReliableProvisional.SUPPORTED:
        return None
    is_required = TAG in headers.tokens("Require")
    if policy is ReliableProvisional.OFF:
        return Refusal(420, "Bad Extension", (("Unsupported", TAG),)) if is_required else None
    if is_required or TAG in headers.tokens("Supported"):
        return None
    return Refusal(421, "Extension Required", (("Require", TAG),))


def wants_reliable(headers: Headers, policy: ReliableProvisional) -> bool:
    """Whether provisional responses to this INVITE, which was not refused, are sent reliably."""
    if policy is ReliableProvisional.OFF:
        return False
    return policy is ReliableProvisional.REQUIRED or TAG in headers.tokens("Require")


class Acknowledging(Refreshing):
    """PRACK in both directions."""

    __slots__ = ()

    # -- called ---------------------------------------------------------------------------------------------------

    @property
    def owes_offer(self) -> bool:
        """Whether the next provisional response must carry our offer (RFC 3261 section 13.2.1)."""
        sending = self._sending
        return sending is not None and self._late_offer and not sending.has_answered

    def begin_reliably(self, invite: Request) -> None:
        """Every provisional response to ``invite``, which made this session, is to be acknowledged."""
        self._sending = ReliableSending(1 + int(self._agent.token(3), 16), invite.cseq.number)

    def ring_reliably(self, sending: ReliableSending, item: Provisional, now: float) -> None:
        """Send it now, or once the one before it is acknowledged (section 3)."""
        if not sending.is_pending:
            self._send_reliably(sending, item, now)
        elif len(sending.waiting) < MOST_WAITING:
            sending.waiting.append(item)

    def hold_answer(self, sending: ReliableSending, sdp: bytes) -> bool:
        """Whether the 2xx must wait; else what it must not be sent twice is over (section 3, 5)."""
        if sending.is_pending and sending.has_sdp:
            sending.answer = sdp
            return True
        self._clear_timer("reliable")
        self._clear_timer("reliable_over")
        sending.waiting.clear()
        return False

    def receive_prack(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        """Match it with what waits (section 3); anything else is told that it belongs to nothing."""
        sending = self._sending
        if sending is None or not sending.is_pending or not self._is_acknowledged(sending, request):
            transaction.respond(make_response(request, 481), now)
            return
        self._clear_timer("reliable")
        self._clear_timer("reliable_over")
        sending.is_pending = False
        was_offer, sending.has_sdp, sending.is_offer = sending.is_offer, False, False
        sdp = request.sdp
        if sdp and not was_offer and self.state is SessionState.INCOMING:
            self._refuse_asked(now)
            self._asked = transaction
            self._agent.emit(EarlyOffered(self._me, transaction, sdp))
        else:
            transaction.respond(make_response(request, 200), now)
            if was_offer:
                self._agent.emit(EarlyAcknowledged(self._me, sdp))
        self._send_next(sending, now)

    def accept_early_offer(self, transaction: ServerTransaction, now: float, sdp: bytes) -> None:
        """Answer an offer of the caller that came before our final response."""
        self._answer_early_offer(transaction, now, 200, None, sdp)

    def refuse_early_offer(
        self, transaction: ServerTransaction, now: float, status: int, reason: str | None = None
    ) -> None:
        """Refuse it; what was settled before stands."""
        self._answer_early_offer(transaction, now, status, reason, b"")

    def _answer_early_offer(
        self, transaction: ServerTransaction, now: float, status: int, reason: str | None, sdp: bytes
    ) -> None:
        request = transaction.request
        if request is None or transaction.is_answered:
            return
        self._asked = None
        response = make_response(request, status, reason)
        if request.method == "UPDATE" and status == 200:
            self._describe_us(response.headers)
            self.grant_expiry(request, response, now)
        put_sdp(response, sdp)
        transaction.respond(response, now)

    def _is_acknowledged(self, sending: ReliableSending, request: Request) -> bool:
        parts = (request.headers.get("RAck") or "").split()
        if len(parts) != 3 or not (parts[0].isdecimal() and parts[1].isdecimal()):
            return False
        return int(parts[0]) == sending.rseq and int(parts[1]) == sending.invite_seq and parts[2] == "INVITE"

    def _send_reliably(self, sending: ReliableSending, item: Provisional, now: float) -> None:
        transaction = self._invite
        assert isinstance(transaction, ServerTransaction)
        request = transaction.request
        assert request is not None
        if sending.data:
            sending.rseq = sending.rseq + 1 if sending.rseq < _HIGHEST_RSEQ else 1
        sdp = item.sdp
        response = make_response(request, item.status, item.reason, to_tag=self.local_tag)
        self._describe_us(response.headers)
        response.headers.add("Require", TAG)
        response.headers.add("RSeq", str(sending.rseq))
        put_sdp(response, sdp)
        transaction.respond(response, now)
        sending.data = transaction.last_response or b""
        sending.is_pending, sending.has_sdp = True, bool(sdp)
        sending.is_offer = bool(sdp) and self._late_offer and not sending.has_answered
        sending.has_answered = sending.has_answered or bool(sdp)
        timing = self._agent.layer.timing
        sending.interval = timing.t1
        self._set_timer("reliable", timing.t1, now)
        self._set_timer("reliable_over", timing.give_up, now)

    def _send_next(self, sending: ReliableSending, now: float) -> None:
        """What waited: the next provisional response, or the 2xx."""
        if self.state is not SessionState.INCOMING:
            return
        answer = sending.answer
        if answer is not None:
            sending.answer = None
            self._me.send_answer(now, answer)
        elif sending.waiting:
            self._send_reliably(sending, sending.waiting.popleft(), now)

    def _on_reliable(self, now: float) -> None:
        """Section 3: resent with the interval doubled each time, over any transport, until its PRACK comes."""
        sending, transaction = self._sending, self._invite
        if sending is None or not isinstance(transaction, ServerTransaction):
            return
        self._agent.layer.resend(transaction.flow, sending.data)
        sending.interval *= 2
        self._set_timer("reliable", sending.interval, now)

    def _on_reliable_over(self, now: float) -> None:
        """No PRACK for 64*T1: the INVITE is refused with a 5xx (section 3)."""
        transaction = self._invite
        if self.state is not SessionState.INCOMING or not isinstance(transaction, ServerTransaction):
            return
        self._refuse_asked(now)
        refuse_invite(self._agent.layer, transaction, 504, "No PRACK", self.local_tag, now)
        self._over()
        self._agent.emit(Ended(self._me, False, 504, "No PRACK"))

    # -- calling --------------------------------------------------------------------------------------------------

    def acknowledge_provisional(self, response: Response, invite: Request, now: float) -> bool:
        """Send the PRACK of a reliable response (section 4); ``False`` for one that is to be overlooked.

        That is a repeated one, one that is ahead of another, and one that makes no dialog.
        """
        tag = response.to_tag
        number = response.headers.get("RSeq") or ""
        if tag is None or not number.isdecimal() or len(number) > 10:
            return False
        rseq = int(number)
        if self._early_dialogs is None:
            self._early_dialogs = {}
        early = self._early_dialogs.get(tag)
        if early is not None:
            if early.rseq is not None and rseq != early.rseq + 1:
                return False
            early.rseq = rseq
        elif len(self._early_dialogs) < MOST_EARLY_DIALOGS:
            try:
                early = EarlyDialog(uac_dialog(invite, response, self.flow), rseq)
            except RemoteError:
                return False
            self._early_dialogs[tag] = early
        else:
            return False
        if response.sdp and not early.sdp and not self._late_offer:
            early.sdp = response.sdp
        if self._late_offer and response.sdp and not early.sdp:
            early.sdp = response.sdp  # an offer: its answer goes into the PRACK, which the user sends
            return True
        self._send_prack(early, invite.cseq.number, b"", now)
        return True

    def keep_early(self, response: Response, invite: Request) -> None:
        """Remember the early dialog of a response that needs no PRACK: requests of ours may go out in it."""
        if self._early_dialogs is None:
            self._early_dialogs = {}
        tag = response.to_tag
        if tag is None or tag in self._early_dialogs or len(self._early_dialogs) >= MOST_EARLY_DIALOGS:
            return
        with suppress(RemoteError):
            self._early_dialogs[tag] = EarlyDialog(uac_dialog(invite, response, self.flow), None)

    def answer_early(self, tag: str, sdp: bytes, now: float) -> None:
        """Answer the offer of a reliable response to our INVITE without one; the PRACK carries it (section 5)."""
        early = self._early_dialogs.get(tag) if self._early_dialogs is not None else None
        transaction = self._invite
        if early is not None and isinstance(transaction, ClientTransaction):
            self._send_prack(early, transaction.request.cseq.number, sdp, now)

    def early_sdp(self, tag: str | None) -> bytes:
        """The answer that came in a reliable response of this early dialog."""
        early = self._early_dialogs.get(tag or "") if self._early_dialogs is not None else None
        return early.sdp if early is not None else b""

    def early_dialog(self, tag: str | None) -> Dialog | None:
        """The early dialog that a request of ours went out in; the confirmed one once there is one."""
        if self.dialog is not None:
            return self.dialog
        early = self._early_dialogs.get(tag or "") if self._early_dialogs is not None else None
        return early.dialog if early is not None else None

    def follow_early(self, dialog: Dialog) -> None:
        """A confirmed dialog goes on counting where its early one stands."""
        early = self._early_dialogs.get(dialog.remote_tag or "") if self._early_dialogs is not None else None
        if early is not None and early.dialog.local_seq > dialog.local_seq:
            dialog.local_seq = early.dialog.local_seq

    def _send_prack(self, early: EarlyDialog, invite_seq: int, sdp: bytes, now: float) -> None:
        prack = early.dialog.make_request("PRACK")
        prack.headers.add("RAck", f"{early.rseq} {invite_seq} INVITE")
        put_sdp(prack, sdp)
        self._agent.layer.send_request(prack, self.flow, now, self)
