"""INFO within a session: the digits of phones and carriers that send them so (RFC 6086, the old RFC 2976 use)."""

from __future__ import annotations

import re
from typing import NamedTuple

from engine.sip.message import Request, make_response
from engine.sip.session.core import ORDERS, SessionState
from engine.sip.session.events import DigitHeard, Ordered
from engine.sip.session.refer import Referring
from engine.sip.transaction.server import ServerTransaction

DIGITS = frozenset("0123456789*#ABCD")
RELAY, PLAIN = "application/dtmf-relay", "application/dtmf"
"""Bodies with a signal and its duration, and with the signal alone."""
DEFAULT_MS = 250
LONGEST_MS = 8000

_SIGNAL = re.compile(rb"^\s*signal\s*=\s*([0-9a-d*#]{1,2})\s*$", re.IGNORECASE | re.MULTILINE)
_DURATION = re.compile(rb"^\s*duration\s*=\s*([0-9]{1,5})\s*$", re.IGNORECASE | re.MULTILINE)
_NUMBERED = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D"}
"""Signals that some send as the event numbers of RFC 4733."""


class Digit(NamedTuple):
    """A key that was pressed."""

    key: str
    duration_ms: int


def read_digit(kind: str, body: bytes) -> Digit | None:
    """The digit of an INFO's body; ``None`` when it holds none."""
    if kind == PLAIN:
        key, duration = body.strip().decode("ascii", "replace"), DEFAULT_MS
    else:
        signal, length = _SIGNAL.search(body), _DURATION.search(body)
        if signal is None:
            return None
        key = signal[1].decode("ascii")
        duration = min(int(length[1]), LONGEST_MS) if length else DEFAULT_MS
    key = _NUMBERED.get(key, key).upper()
    return Digit(key, duration or DEFAULT_MS) if key in DIGITS else None


class Informing(Referring):
    """Both sides."""

    __slots__ = ()

    def receive_info(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        """An INFO in the dialog, early or confirmed; one without a body only asks whether we are there."""
        if self.state in (SessionState.ENDING, SessionState.ENDED, SessionState.CANCELLING):
            transaction.respond(make_response(request, 481), now)
        elif "Info-Package" in request.headers:
            response = make_response(request, 469, "Bad Info Package")
            response.headers.add("Recv-Info", "")
            transaction.respond(response, now)
        elif not request.body:
            transaction.respond(make_response(request, 200), now)
        elif (kind := request.content_type) not in (RELAY, PLAIN):
            response = make_response(request, 415, "Only Digits Are Understood")
            response.headers.add("Accept", f"{RELAY}, {PLAIN}")
            transaction.respond(response, now)
        elif (digit := read_digit(kind, request.body)) is None:
            transaction.respond(make_response(request, 400, "Unreadable Digit"), now)
        else:
            transaction.respond(make_response(request, 200), now)
            self._agent.emit(DigitHeard(self._me, digit.key, digit.duration_ms))

    def receive_order(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        """A NOTIFY of the peer to a phone that takes orders; any other is refused (RFC 6665 section 8.2.1)."""
        order = request.headers.get("Event") or ""
        if order not in ORDERS:
            transaction.respond(make_response(request, 489), now)
            return
        transaction.respond(make_response(request, 200), now)
        self._agent.emit(Ordered(self._me, order))

    def send_control(self, now: float, event: str) -> bool:
        """Ask a phone that allows it to act as if its user did: ``talk`` answers or resumes, ``hold`` holds.

        A NOTIFY without a subscription, which makers of phones agree on and no RFC describes. Whether it went out.
        """
        dialog = self.early_dialog(self._early[0] if self._early else None)
        if event not in self.takes_events or dialog is None:
            return False
        if self.state not in (SessionState.PROCEEDING, SessionState.CONFIRMED):
            return False
        notify = dialog.make_request("NOTIFY")
        self._describe_us(notify.headers)
        notify.headers.add("Event", event)
        notify.headers.add("Subscription-State", "active")
        self._agent.layer.send_request(notify, self.flow, now, self)
        return True

    def send_digit(self, now: float, key: str, duration_ms: int = DEFAULT_MS) -> None:
        """Tell the peer of a digit; nothing is sent outside a confirmed dialog."""
        if self.state is not SessionState.CONFIRMED:
            return
        info = self._confirmed_dialog().make_request("INFO")
        self._describe_us(info.headers)
        info.headers.add("Content-Type", RELAY)
        info.body = f"Signal={key}\r\nDuration={duration_ms}\r\n".encode()
        self._agent.layer.send_request(info, self.flow, now, self)
