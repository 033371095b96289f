"""Session timers: a session that nobody refreshes is over, in either role (RFC 4028)."""

from __future__ import annotations

from typing import NamedTuple

from engine.sip.headers import Headers
from engine.sip.inspection import Refusal
from engine.sip.message import Request, Response
from engine.sip.session.close import Closing
from engine.sip.session.core import SessionState
from engine.sip.session.events import Ended, RefreshDue
from engine.sip.transaction.client import ClientTransaction

TAG = "timer"
LEAST_MIN_S = 90
"""No Min-SE may be smaller (section 5)."""
_LONGEST_S = 86400 * 7
_WAIT_S = 3.0
"""How long a refresh waits that met another request."""
_EXPIRED = 'SIP;cause=408;text="Session Expired"'


class SessionExpires(NamedTuple):
    """A Session-Expires value."""

    seconds: int
    refresher: str | None
    """``uac`` or ``uas`` of the transaction that carries it; ``None`` leaves the choice to the UAS."""


class Expiry:
    """What both sides have agreed on."""

    __slots__ = ("is_ours", "seconds")

    def __init__(self, seconds: int, is_ours: bool) -> None:
        self.seconds = seconds
        self.is_ours = is_ours
        """Whether we refresh."""


def session_expires(headers: Headers) -> SessionExpires | None:
    """The Session-Expires of a message; ``None`` when there is none that can be read."""
    value = headers.get("Session-Expires")
    if value is None:
        return None
    seconds, *params = [part.strip() for part in value.split(";")]
    if not seconds.isdecimal() or not 0 < int(seconds[:10]) <= _LONGEST_S:
        return None
    named = [param.partition("=") for param in params]
    refresher = next((word.strip().lower() for name, _, word in named if name.strip().lower() == "refresher"), None)
    return SessionExpires(int(seconds), refresher if refresher in ("uac", "uas") else None)


def refuse_interval(request: Request, least: int) -> Refusal | None:
    """422 for a request that asks for a shorter interval than we take; ``None`` when it may go on (section 9)."""
    asked = session_expires(request.headers)
    if asked is None or asked.seconds >= least or TAG not in request.headers.tokens("Supported"):
        return None
    return Refusal(422, "Session Interval Too Small", (("Min-SE", str(least)),))


class Refreshing(Closing):
    """Both sides, once the session stands."""

    __slots__ = ()

    # -- as the answering side ------------------------------------------------------------------------------------

    def grant_expiry(self, request: Request, response: Response, now: float) -> None:
        """Our 2xx to an INVITE or UPDATE says how long the session lasts without a refresh (section 9)."""
        asked = session_expires(request.headers)
        if asked is None:
            return
        knows = TAG in request.headers.tokens("Supported")
        refresher = (asked.refresher or "uac") if knows else "uas"
        if knows:
            response.headers.add("Require", TAG)
        response.headers.add("Session-Expires", f"{asked.seconds};refresher={refresher}")
        self._agree(asked.seconds, refresher == "uas", now)

    # -- as the asking side ---------------------------------------------------------------------------------------

    def ask_expiry(self, headers: Headers) -> None:
        """A re-INVITE or UPDATE of ours keeps what was agreed on (section 7.4)."""
        expiry = self._expiry
        headers.add("Supported", TAG)
        if expiry is not None:
            headers.add("Session-Expires", f"{expiry.seconds};refresher={'uac' if expiry.is_ours else 'uas'}")
            if self._least_expiry:
                headers.add("Min-SE", str(self._least_expiry))

    def take_expiry(self, response: Response, now: float) -> None:
        """The peer's 2xx decides; without Session-Expires nothing expires (section 7.2)."""
        granted = session_expires(response.headers)
        if granted is not None:
            self._agree(granted.seconds, granted.refresher != "uas", now)
        elif self._expiry is not None:
            self._expiry = None
            self._clear_timer("expiry")

    def longer_expiry(self, sent: Request, response: Response) -> int:
        """What a 422 wants instead of what we asked for, in seconds; 0 when another attempt is of no use."""
        least, asked = response.headers.get("Min-SE") or "", session_expires(sent.headers)
        if asked is None or not least.split(";")[0].strip().isdecimal():
            return 0
        wanted = int(least.split(";")[0].strip()[:10])
        if not asked.seconds < wanted <= _LONGEST_S:
            return 0
        self._least_expiry = wanted
        return wanted

    def agree_later(self, seconds: int) -> None:
        """Ask for this interval from now on; the one that was agreed on goes on counting meanwhile."""
        self._expiry = Expiry(seconds, self._expiry is None or self._expiry.is_ours)

    # -- time -----------------------------------------------------------------------------------------------------

    def note_allowed(self, headers: Headers) -> None:
        """What the peer's Allow says of UPDATE and INFO, and its Allow-Events."""
        if "Allow" in headers:
            allowed = headers.tokens("Allow")
            self._takes_update, self.takes_info = "update" in allowed, "info" in allowed
        self.note_events(headers)

    def note_events(self, headers: Headers) -> None:
        """What the peer may be told by NOTIFY within the dialog (RFC 6665 section 8.2.2)."""
        if "Allow-Events" in headers:
            self.takes_events = tuple(headers.tokens("Allow-Events"))

    def _agree(self, seconds: int, is_ours: bool, now: float) -> None:
        """Count anew. Who refreshes does so after half the time; the other ends the session a little early."""
        self._expiry = Expiry(seconds, is_ours)
        wait = seconds / 2 if is_ours else seconds - min(32.0, seconds / 3)
        self._set_timer("expiry", wait, now)

    def _on_expiry(self, now: float) -> None:
        expiry = self._expiry
        if expiry is None or self.state not in (SessionState.CONFIRMED, SessionState.ANSWERED):
            return
        if not expiry.is_ours:
            self._expire(now)
        elif self.state is SessionState.ANSWERED or self._reinvite is not None or self._update is not None:
            self._set_timer("expiry", _WAIT_S, now)
        elif self._takes_update:
            self._send_update(now)
        else:
            self._set_timer("expiry", expiry.seconds / 3, now)  # the last chance, when nobody re-INVITEs
            self._agent.emit(RefreshDue(self._me))

    def refresh_later(self, now: float) -> None:
        """The re-INVITE that ``RefreshDue`` asked for cannot go out now: it is due again soon.

        Where the peer refreshes, or nobody, that is none of the session timer's: ``ReofferDue`` follows.
        """
        if self._expiry is not None and self._expiry.is_ours:
            self._set_timer("expiry", _WAIT_S, now)
        else:
            self._me.delay_reoffer(now)

    def _expire(self, now: float) -> None:
        """Nobody has refreshed the session (section 10)."""
        self._expiry = None
        self._me.end(now, reason=_EXPIRED)
        self._agent.emit(Ended(self._me, False, 408, "Session Expired"))

    def _send_update(self, now: float) -> None:
        """A refresh without SDP (RFC 3311 section 5.1)."""
        update = self._confirmed_dialog().make_request("UPDATE")
        self._describe_us(update.headers)
        self.ask_expiry(update.headers)
        self._update = self._agent.layer.send_request(update, self.flow, now, self)

    def receive_update_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """The answer to our refresh."""
        if response.status < 200 or transaction is not self._update:
            return
        self._update = None
        if self.state is not SessionState.CONFIRMED:
            return
        status = response.status
        if status < 300:
            self.take_expiry(response, now)
        elif status in (408, 481):
            self._agent.emit(Ended(self._me, False, status, None))
        elif status == 422 and (seconds := self.longer_expiry(transaction.request, response)):
            self.agree_later(seconds)
            self._send_update(now)
        elif again := self.send_authorised(transaction, response, self.dialog, now):
            self._update = again
        elif status in (405, 420, 501):
            self._takes_update = False
            self._set_timer("expiry", 0.0, now)
        else:
            self._set_timer("expiry", _WAIT_S, now)  # glare: another attempt

    def update_failed(self, status: int) -> None:
        """No answer to our refresh: the dialog is no more (section 10)."""
        self._update = None
        if self.state is SessionState.CONFIRMED:
            self._agent.emit(Ended(self._me, False, status, None))
