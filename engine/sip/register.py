"""Registering with a carrier: the REGISTERs to send and what its answers mean (RFC 3261 section 10.2)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from engine.core.errors import RemoteError
from engine.sip.headers import Headers
from engine.sip.login import Login
from engine.sip.message import Request, Response
from engine.sip.uri import NameAddress, SipUri

WANTED_S = 3600
"""What we ask for; a registrar that wants longer says 423."""
LONGEST_S = 86_400
_MOST_TRIES = 6
"""Of one attempt: a registrar that always asks for something else is no registrar."""
_INVALID_CSEQ = "invalid cseq number"


class Granted(NamedTuple):
    """The registrar keeps our contact."""

    seconds: int
    service_route: tuple[str, ...] = ()
    """Route values for requests of ours (RFC 3608)."""
    path: tuple[str, ...] = ()
    """Through whom requests come to us (RFC 3327)."""
    associated: tuple[str, ...] = ()
    """Our other addresses there (RFC 7315 section 4.1)."""


class Again(NamedTuple):
    """The registrar wants another REGISTER at once."""

    why: str


class Denied(NamedTuple):
    """This attempt has failed."""

    status: int
    reason: str
    """What the registrar says."""
    is_login: bool = False
    """Whether it is the user or the password."""
    is_server: bool = False
    """Whether another server may do better (RFC 3263 section 4.3)."""
    retry_after: float | None = None
    """Seconds for which this server wants to be left alone."""


Outcome = Granted | Again | Denied


class RegisterClient:
    """One contact at one registrar. ``token(n)`` gives ``n`` random bytes as hex.

    For each attempt: ``begin``, then ``request`` and ``take`` until the outcome is not ``Again``.
    """

    __slots__ = (
        "_call_id", "_cseq", "_is_healing", "_tag", "_token", "_tries", "address", "contact_user", "fields",
        "login", "needs_new_call_id", "registrar", "wanted_s", "wants_new_call_id",
    )  # fmt: skip

    def __init__(
        self, *, registrar: str, address: str, contact_user: str, login: Login | None, token: Callable[[int], str]
    ) -> None:
        self.registrar = registrar
        """The Request-URI."""
        self.address = address
        """The address of record: From and To."""
        self.contact_user = contact_user
        """The user part of our contacts, by which we know them again."""
        self.login = login
        self.wanted_s = WANTED_S
        self.fields: tuple[tuple[str, str], ...] = ()
        """What else each REGISTER says."""
        self.wants_new_call_id = False
        """Each REGISTER has a Call-ID of its own, as somebody has asked."""
        self.needs_new_call_id = False
        """The same, as experience has taught: this registrar calls a CSeq that rose by one invalid."""
        self._token = token
        self._call_id = token(16)
        self._tag = token(8)
        self._cseq = 0
        self._tries = 0
        self._is_healing = False

    def begin(self) -> None:
        """Another attempt: a refresh, or after a failure."""
        self._tries = 0
        self._is_healing = False
        if self.login is not None:
            self.login.begin()

    def request(self, contact: str, seconds: int, routes: tuple[str, ...] = ()) -> Request:
        """The next REGISTER: ``contact`` is our Contact URI; ``seconds`` 0 takes it back."""
        if self._cseq and (self.wants_new_call_id or self.needs_new_call_id or self._is_healing):
            self._call_id, self._tag = self._token(16), self._token(8)
        self._cseq += 1
        self._tries += 1
        headers = Headers([
            *[("Route", route) for route in routes],
            ("Max-Forwards", "70"),
            ("From", f"<{self.address}>;tag={self._tag}"),
            ("To", f"<{self.address}>"),
            ("Call-ID", self._call_id),
            ("CSeq", f"{self._cseq} REGISTER"),
            ("Contact", f"<{contact}>"),
            ("Expires", str(seconds)),
            ("Supported", "path"),
            *self.fields,
        ])  # fmt: skip
        request = Request("REGISTER", self.registrar, headers)
        if self.login is not None:
            self.login.authorise(request)
        return request

    def take(self, response: Response) -> Outcome:
        """What a final response to the latest REGISTER means."""
        status = response.status
        try:
            if status < 300:
                return self._granted(response)
            outcome = self._asked_again(response)
        except RemoteError as error:
            return Denied(status, error.reason)
        if outcome is not None and self._tries < _MOST_TRIES:
            return outcome
        return _denied(response)

    def _asked_again(self, response: Response) -> Again | None:
        status = response.status
        if status in (401, 407):
            if self.login is None:
                return None
            return Again("challenge") if self.login.take_challenge(response) else None
        if status == 423:
            least = _whole(response.headers.get("Min-Expires"))
            if least is None or not self.wanted_s < least <= LONGEST_S:
                return None
            self.wanted_s = least
            return Again(f"registrations last {least} s at least")
        if status == 400 and calls_cseq_invalid(response):
            if self._is_healing or self.needs_new_call_id:
                return None
            self._is_healing = True
            if self.login is not None:
                self.login.begin()  # it may ask anew
            return Again("a Call-ID of its own")
        return None

    def _granted(self, response: Response) -> Outcome:
        if self._is_healing:
            self.needs_new_call_id = True
        if self.login is not None:
            self.login.take_success(response)
        contacts = response.headers.list_of("Contact")
        seconds = _whole(response.headers.get("Expires"))
        if contacts:
            ours = self._ours(contacts)
            if ours is None:
                return Denied(response.status, "keeps other contacts and not ours")
            own = _whole(ours.param("expires"))
            seconds = own if own is not None else seconds
        if seconds is None:
            seconds = self.wanted_s
        if seconds == 0:
            return Denied(response.status, "grants no time")
        return Granted(
            min(seconds, LONGEST_S),
            _addresses(response, "Service-Route"),
            _addresses(response, "Path"),
            _addresses(response, "P-Associated-URI"),
        )

    def _ours(self, contacts: list[str]) -> NameAddress | None:
        """Our contact among those that the registrar keeps: it may have changed the address behind a NAT."""
        for text in contacts:
            try:
                contact = NameAddress.parse(text)
            except RemoteError:
                continue
            if isinstance(contact.uri, SipUri) and contact.uri.user == self.contact_user:
                return contact
        return None


def _addresses(response: Response, name: str) -> tuple[str, ...]:
    """The values of a field that are addresses: what is none is of no use in requests of ours."""
    found = []
    for text in response.headers.list_of(name):
        with suppress(RemoteError):
            NameAddress.parse(text)
            found.append(text)
    return tuple(found)


def calls_cseq_invalid(response: Response) -> bool:
    """Whether a 400 complains of a CSeq that is right, in its reason phrase or in ``P-Registrar-Error``."""
    words = [response.reason, *response.headers.all("P-Registrar-Error")]
    return any(_INVALID_CSEQ in text.lower() for text in words)


def retry_after(response: Response) -> float | None:
    """The seconds of Retry-After, comments and parameters left out (RFC 3261 section 20.33)."""
    text = response.headers.get("Retry-After")
    if text is None:
        return None
    seconds = _whole(text.partition(";")[0].partition("(")[0])
    return float(min(seconds, LONGEST_S)) if seconds is not None else None


def _denied(response: Response) -> Denied:
    status = response.status
    reason = response.reason.replace(": ", " ") or "no reason given"
    errors = [text for text in response.headers.all("P-Registrar-Error") if text != reason]
    return Denied(
        status,
        f"{reason} ({errors[0]})" if errors else reason,
        is_login=status in (401, 403, 407),
        is_server=status in (408, 480) or 500 <= status < 600,
        retry_after=retry_after(response),
    )


def _whole(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
