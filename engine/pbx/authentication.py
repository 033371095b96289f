"""Who a request comes from: digest against the extensions' secrets (RFC 3261 section 22, RFC 8760)."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from engine.core.networks import is_within
from engine.core.text import LONGEST_NUMBER, shown
from engine.core.throttle import Throttle
from engine.sip.digest import Algorithm, Challenge, Verdict, credentials_for, matches, verify
from engine.sip.message import Request
from engine.sip.nonce import NonceBook
from engine.store.configuration import Configuration, Extension

log = logging.getLogger(__name__)

_ALGORITHMS: dict[str, tuple[Algorithm, ...]] = {
    "md5": (Algorithm.MD5,),
    "sha-256": (Algorithm.SHA256,),
    "both": (Algorithm.SHA256, Algorithm.MD5),
}


class Login(Enum):
    """How a request's authentication went."""

    KNOWN = "known"
    CHALLENGE = "challenge"
    """No usable credentials yet: the first request of every normal login."""
    REFUSED = "refused"
    """Wrong password or unknown user; the same answer for both."""
    OLD_PASSWORD = "old password"  # noqa: S105 - a verdict, no password
    """A phone that still has the password before this one: refused, shown, never banned."""
    ELSEWHERE = "elsewhere"
    """The right password, from outside the network that the extension is bound to."""


class Identity(NamedTuple):
    """The verdict on one request; ``extension`` is set when it is known."""

    login: Login
    extension: Extension | None = None
    user: str = ""
    is_stale: bool = False

    @property
    def reason(self) -> str:
        """Why a login was refused, for the log."""
        return _REASONS.get(self.login, "wrong user or password")


_REASONS = {Login.OLD_PASSWORD: "old password", Login.ELSEWHERE: "not from its network"}


class Authenticator:
    """Challenges and verifies phones by the current configuration."""

    def __init__(self, configuration: Callable[[], Configuration], token: Callable[[int], str]) -> None:
        """``token(n)`` gives ``n`` random bytes as hex."""
        self._configuration = configuration
        self._token = token
        self._nonces = NonceBook(secrets.token_bytes(32))
        self._refusals = Throttle()

    def identify(self, request: Request, source: str, now: float, *, proxy: bool) -> Identity:
        """Judge the credentials in Authorization or, with ``proxy``, Proxy-Authorization; ``source`` is a host."""
        configuration = self._configuration()
        values = request.headers.all("Proxy-Authorization" if proxy else "Authorization")
        credentials = credentials_for(configuration.realm, values)
        if credentials is None:
            return Identity(Login.CHALLENGE)
        extension = configuration.extensions.get(credentials.username)
        user = shown(credentials.username, LONGEST_NUMBER)
        verdict = verify(
            credentials,
            method=request.method,
            request_uri=request.uri,
            secrets=extension.secrets if extension else None,
            book=self._nonces,
            now=now,
            allowed=_ALGORITHMS[configuration.params["digest"]],
        )
        if verdict is Verdict.OK and extension is not None:
            if extension.from_network is not None and not is_within(source, extension.from_network):
                return Identity(Login.ELSEWHERE, user=user)
            return Identity(Login.KNOWN, extension, user)
        if verdict is Verdict.STALE:
            return Identity(Login.CHALLENGE, user=user, is_stale=True)
        if verdict is Verdict.MALFORMED:
            return Identity(Login.CHALLENGE, user=user)
        previous = extension.previous_secrets if extension else None
        is_old = matches(credentials, request.method, previous)
        return Identity(Login.OLD_PASSWORD if is_old else Login.REFUSED, user=user)

    def report(self, method: str, identity: Identity, source: str, now: float) -> bool:
        """Log a refused login; ``False`` when strangers have caused so many that this one is only counted."""
        if not self._refusals.admits(now):
            return False
        left_out = self._refusals.take_left_out()
        more = f" ({left_out} more before it)" if left_out else ""
        log.warning("%s of %r from %s refused: %s%s", method, identity.user, source, identity.reason, more)
        return True

    def challenge(self, now: float, *, proxy: bool, is_stale: bool = False) -> tuple[tuple[str, str], ...]:
        """The header fields of a 401 or 407, the preferred algorithm first."""
        configuration = self._configuration()
        name = "Proxy-Authenticate" if proxy else "WWW-Authenticate"
        nonce = self._nonces.issue(now, bytes.fromhex(self._token(8)))
        return tuple(
            (name, str(Challenge(configuration.realm, nonce, algorithm, is_stale)))
            for algorithm in _ALGORITHMS[configuration.params["digest"]]
        )
