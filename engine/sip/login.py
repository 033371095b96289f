"""Our side of digest authentication: answers to the challenges of one peer, its nonces used again (RFC 7616)."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from engine.core.errors import RemoteError
from engine.sip.digest import Challenge, Secrets, answer_challenge, choose_challenge
from engine.sip.message import Request, Response

FIELDS: Final = {
    401: ("WWW-Authenticate", "Authorization"),
    407: ("Proxy-Authenticate", "Proxy-Authorization"),
}
"""Where a challenge stands and where its answer goes, by status (RFC 3261 section 22)."""
_NEXT_NONCE: Final = re.compile(r'(?:^|[\s,])nextnonce\s*=\s*"((?:[^"\\]|\\.)*)"', re.IGNORECASE)


class _Known:
    """A challenge that we answer, and how often its nonce has been used."""

    __slots__ = ("challenge", "count", "is_answered", "secrets")

    def __init__(self, challenge: Challenge, secrets: Secrets) -> None:
        self.challenge = challenge
        self.secrets = secrets
        self.count = 0
        self.is_answered = False
        """Whether this attempt has answered it: who asks again without ``stale`` does not believe us."""


class Login:
    """One user and password at one peer. ``token(n)`` gives ``n`` random bytes as hex."""

    __slots__ = ("_known", "_password", "_token", "user")

    def __init__(self, user: str, password: str, token: Callable[[int], str]) -> None:
        self.user = user
        self._password = password
        self._token = token
        self._known: dict[int, _Known] = {}

    def begin(self) -> None:
        """Another attempt: what the peer asked last is answered at once, and it may ask anew."""
        for known in self._known.values():
            known.is_answered = False

    def forget(self) -> None:
        """Answer nothing before it is asked."""
        self._known.clear()

    def authorise(self, request: Request) -> None:
        """Put the answers to what the peer has asked so far into a request."""
        for status, known in self._known.items():
            known.count += 1
            value = answer_challenge(
                known.challenge,
                method=request.method,
                uri=request.uri,
                user=self.user,
                secrets=known.secrets,
                cnonce=self._token(8),
                nonce_count=known.count,
            )
            request.headers.set(FIELDS[status][1], value)

    def take_challenge(self, response: Response) -> bool:
        """Read a 401 or 407; whether the request is worth sending again, authorised anew.

        Not when the peer refuses the answer to its own latest challenge: the user or the password is wrong.
        Raises ``RemoteError`` when it asks for what we cannot answer.
        """
        challenge = choose_challenge(response.headers.all(FIELDS[response.status][0]))
        if challenge is None:
            raise RemoteError(response.status, "asks for a login of a kind that is not known")
        before = self._known.get(response.status)
        if before is not None and before.is_answered and not challenge.stale:
            return False
        known = _Known(challenge, Secrets.of(self.user, challenge.realm, self._password))
        known.is_answered = True
        self._known[response.status] = known
        return True

    def take_success(self, response: Response) -> None:
        """Use the nonce that a success hands out for the next request (RFC 7616 section 3.5)."""
        for status, name in ((401, "Authentication-Info"), (407, "Proxy-Authentication-Info")):
            known = self._known.get(status)
            found = _NEXT_NONCE.search(response.headers.get(name) or "")
            if known is not None and found is not None:
                with suppress(ValueError):
                    fresh = _Known(known.challenge._replace(nonce=found.group(1)), known.secrets)
                    self._known[status] = fresh
