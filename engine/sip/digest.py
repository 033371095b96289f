"""Digest authentication, both sides: challenges, nonces and answers (RFC 7616, RFC 8760, RFC 2617)."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import partial
from hashlib import md5, sha256
from typing import Final, NamedTuple, Protocol

from engine.core.errors import RemoteError
from engine.sip.nonce import NonceBook
from engine.sip.uri import SipUri, parse_uri, quoted_string


class Algorithm(StrEnum):
    """Digest algorithms as headers name them."""

    MD5 = "MD5"
    SHA256 = "SHA-256"


class Verdict(Enum):
    """What a login attempt deserves."""

    OK = "ok"
    STALE = "stale"
    """The secret is right, the nonce is not: challenge again with ``stale=true``; no failure to count."""
    WRONG = "wrong"
    """Unknown user or wrong password."""
    MALFORMED = "malformed"
    """Not what was asked for (another algorithm or qop, parts missing, another URI): answer 400 or challenge."""


class HashedSecrets(Protocol):
    """H(user:realm:password) in hex for each algorithm; a password itself never comes here."""

    @property
    def md5(self) -> str: ...

    @property
    def sha256(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Secrets:
    """The hashes of one user's password."""

    md5: str
    sha256: str

    @classmethod
    def of(cls, user: str, realm: str, password: str) -> Secrets:
        """What to keep instead of ``password``."""
        text = f"{user}:{realm}:{password}"
        return cls(_hash(Algorithm.MD5, text), _hash(Algorithm.SHA256, text))


class Challenge(NamedTuple):
    """A WWW-Authenticate or Proxy-Authenticate value; ``str()`` writes it."""

    realm: str
    nonce: str
    algorithm: Algorithm = Algorithm.MD5
    stale: bool = False
    qop: tuple[str, ...] = ("auth",)
    """Empty: the peer knows no qop (RFC 2069)."""
    opaque: str | None = None

    @classmethod
    def parse(cls, value: str) -> Challenge | None:
        """Read a challenge; ``None`` when its scheme or algorithm is not ours. Raises ``RemoteError`` 400."""
        fields = _read_fields(value)
        if fields is None:
            return None
        algorithm = _algorithm(fields.get("algorithm"))
        if algorithm is None:
            return None
        qop = tuple(part.strip().lower() for part in fields.get("qop", "").split(",") if part.strip())
        stale = fields.get("stale", "").lower() == "true"
        return cls(_needed(fields, "realm"), _needed(fields, "nonce"), algorithm, stale, qop, fields.get("opaque"))

    def __str__(self) -> str:
        parts = [f"Digest realm={quoted_string(self.realm)}, nonce={quoted_string(self.nonce)}"]
        if self.opaque is not None:
            parts.append(f"opaque={quoted_string(self.opaque)}")
        if self.stale:
            parts.append("stale=true")
        parts.append(f"algorithm={self.algorithm}")
        if self.qop:
            parts.append(f'qop="{",".join(self.qop)}"')
        return ", ".join(parts)


class Credentials(NamedTuple):
    """An Authorization or Proxy-Authorization value, unchecked."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: Algorithm | None
    """``None``: one we do not know."""
    qop: str | None = None
    nonce_count: str | None = None
    """Eight hex digits as sent."""
    cnonce: str | None = None

    @property
    def is_sound(self) -> bool:
        """Whether all parts are there that its algorithm and qop need."""
        if self.algorithm is None or self.qop not in (None, "auth"):
            return False
        return self.qop is None or bool(self.cnonce and _NONCE_COUNT.fullmatch(self.nonce_count or ""))


def parse_credentials(value: str) -> Credentials | None:
    """Read credentials; ``None`` when the scheme is not Digest. Raises ``RemoteError`` 400."""
    fields = _read_fields(value)
    if fields is None:
        return None
    algorithm = _algorithm(fields.get("algorithm"))
    qop = fields.get("qop")
    return Credentials(
        _needed(fields, "username"),
        _needed(fields, "realm"),
        _needed(fields, "nonce"),
        _needed(fields, "uri"),
        _needed(fields, "response"),
        algorithm,
        qop and qop.lower(),
        fields.get("nc"),
        fields.get("cnonce"),
    )


def credentials_for(realm: str, values: Iterable[str]) -> Credentials | None:
    """The first credentials for ``realm`` among header values.

    Those for other realms and schemes are not ours; what cannot be read at all is answered best by a challenge.
    """
    for value in values:
        with suppress(RemoteError):
            credentials = parse_credentials(value)
            if credentials is not None and credentials.realm == realm:
                return credentials
    return None


def verify(
    credentials: Credentials,
    *,
    method: str,
    request_uri: str,
    secrets: HashedSecrets | None,
    book: NonceBook,
    now: float,
    allowed: Collection[Algorithm] = tuple(Algorithm),
) -> Verdict:
    """Judge the credentials of a request in a new transaction; ``secrets`` is ``None`` for an unknown user.

    Known and unknown users take the same work. The URI inside need only name the same user as the request's, or
    none: phones and routers in between disagree about host, port and parameters, and some name the server
    alone, while who is called is what a replayed login could abuse (RFC 7616 section 3.4.6 wants 400).
    """
    if not credentials.is_sound or not _names_same_target(credentials.uri, request_uri):
        return Verdict.MALFORMED
    if not matches(credentials, method, secrets):
        return Verdict.WRONG
    count = int(credentials.nonce_count, 16) if credentials.qop and credentials.nonce_count else None
    if credentials.algorithm not in allowed or not book.use(credentials.nonce, count, now):
        return Verdict.STALE
    return Verdict.OK


def matches(credentials: Credentials, method: str, secrets: HashedSecrets | None) -> bool:
    """Whether credentials answer for ``secrets``, whatever their nonce; compared in constant time.

    ``None`` (unknown user, no previous password) matches nothing and takes the same work, so time tells nothing.
    """
    if credentials.algorithm is None:
        return False
    known = secrets or _NOBODY
    expected = _response(
        credentials.algorithm,
        known.md5 if credentials.algorithm is Algorithm.MD5 else known.sha256,
        credentials.nonce,
        f"{method}:{credentials.uri}",
        f"{credentials.nonce_count}:{credentials.cnonce}:{credentials.qop}" if credentials.qop else None,
    )
    given = credentials.response.lower().encode("utf-8", "surrogateescape")
    return hmac.compare_digest(expected.encode(), given) and secrets is not None


def choose_challenge(values: Iterable[str]) -> Challenge | None:
    """The strongest challenge we can answer, the first of equals; ``None`` when there is none.

    Raises ``RemoteError`` 400 for a malformed value.
    """
    chosen: Challenge | None = None
    for value in values:
        challenge = Challenge.parse(value)
        if challenge is None or (challenge.qop and "auth" not in challenge.qop):
            continue
        if chosen is None or (challenge.algorithm, chosen.algorithm) == (Algorithm.SHA256, Algorithm.MD5):
            chosen = challenge
    return chosen


def answer_challenge(
    challenge: Challenge,
    *,
    method: str,
    uri: str,
    user: str,
    secrets: HashedSecrets,
    cnonce: str,
    nonce_count: int = 1,
) -> str:
    """The Authorization value that answers ``challenge``.

    ``uri`` is the Request-URI as sent, ``secrets`` are those for the challenge's realm (``Secrets.of``),
    ``cnonce`` is fresh and random; ``nonce_count`` rises by one each time the same nonce is used again.
    """
    ha1 = secrets.md5 if challenge.algorithm is Algorithm.MD5 else secrets.sha256
    count = f"{nonce_count:08x}"
    middle = f"{count}:{cnonce}:auth" if challenge.qop else None
    response = _response(challenge.algorithm, ha1, challenge.nonce, f"{method}:{uri}", middle)
    parts = [
        f"Digest username={quoted_string(user)}",
        f"realm={quoted_string(challenge.realm)}",
        f"nonce={quoted_string(challenge.nonce)}",
        f"uri={quoted_string(uri)}",
        f'response="{response}"',
        f"algorithm={challenge.algorithm}",
    ]
    if challenge.qop:
        parts.append(f"cnonce={quoted_string(cnonce)}, qop=auth, nc={count}")
    if challenge.opaque is not None:
        parts.append(f"opaque={quoted_string(challenge.opaque)}")
    return ", ".join(parts)


_NOBODY = Secrets("0" * 32, "0" * 64)
_NONCE_COUNT = re.compile(r"[0-9A-Fa-f]{1,8}")
_SCHEME: Final = re.compile(r"\s*([A-Za-z0-9.!%*_+`'~-]+)\s+")
_FIELD_OR_JUNK: Final = re.compile(
    r"""[\s,]*([A-Za-z0-9.!%*_+`'~-]++)\s*=\s*(?:"((?:[^"\\]|\\.)*+)"|([^\s",]++))\s*(?=,|$)|(.+)""", re.DOTALL
)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)

_HASHES: dict[Algorithm, Callable[[bytes], _Hash]] = {
    Algorithm.MD5: partial(md5, usedforsecurity=False),
    Algorithm.SHA256: sha256,
}


class _Hash(Protocol):
    def hexdigest(self) -> str: ...


def _hash(algorithm: Algorithm, text: str) -> str:
    return _HASHES[algorithm](text.encode("utf-8", "surrogateescape")).hexdigest()


def _response(algorithm: Algorithm, ha1: str, nonce: str, a2: str, middle: str | None) -> str:
    ha2 = _hash(algorithm, a2)
    return _hash(algorithm, f"{ha1}:{nonce}:{middle}:{ha2}" if middle is not None else f"{ha1}:{nonce}:{ha2}")


def _algorithm(name: str | None) -> Algorithm | None:
    return Algorithm.MD5 if name is None else _ALGORITHMS.get(name.upper())


_ALGORITHMS: dict[str, Algorithm] = {algorithm.value: algorithm for algorithm in Algorithm}


def _read_fields(value: str) -> dict[str, str] | None:
    scheme = _SCHEME.match(value)
    if scheme is None or scheme.group(1).lower() != "digest":
        return None
    fields: dict[str, str] = {}
    for name, quoted, plain, junk in _FIELD_OR_JUNK.findall(value.rstrip(" \t\r\n,"), scheme.end()):
        if junk:
            raise RemoteError(400, "Malformed digest parameters")
        name = name.lower()
        if name in fields:
            raise RemoteError(400, "Repeated digest parameter")
        fields[name] = _QUOTED_PAIR.sub(r"\1", quoted) if "\\" in quoted else plain or quoted
    return fields


def _needed(fields: dict[str, str], name: str) -> str:
    try:
        return fields[name]
    except KeyError:
        raise RemoteError(400, f"Digest without {name}") from None


def _names_same_target(credentials_uri: str, request_uri: str) -> bool:
    if credentials_uri == request_uri:
        return True
    try:
        claimed, real = parse_uri(credentials_uri), parse_uri(request_uri)
    except RemoteError:
        return False
    if isinstance(claimed, SipUri) and isinstance(real, SipUri):
        return claimed.user in (None, real.user)
    return claimed == real
