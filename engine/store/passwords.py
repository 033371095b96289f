"""Passwords: made up, hashed for phones (digest) and for operators (scrypt), and checked."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from engine.store.configuration import Configuration, DigestSecrets, Operator

_TYPABLE = "abcdefghjkmnpqrstuvwxyz23456789"
"""No look-alikes, no capitals: a phone's keypad and a pair of tired eyes must manage."""
_COST, _BLOCK, _LANES = 2**14, 8, 1
"""scrypt's n, r and p: about 50 ms and 16 MiB a check."""


def make_password(groups: int = 4) -> str:
    """A random password such as ``k7mw-q2xa-…``: ``groups`` of four characters, 20 bits each."""
    return "-".join("".join(secrets.choice(_TYPABLE) for _ in range(4)) for _ in range(groups))


def make_realm() -> str:
    """A digest realm of an office's own."""
    return f"frontdesk-{secrets.token_hex(3)}"


def digest_secrets(user: str, realm: str, password: str) -> DigestSecrets:
    """H(user:realm:password) for MD5 and SHA-256 (RFC 7616 section 3.4.2)."""
    text = f"{user}:{realm}:{password}".encode()
    return DigestSecrets(
        md5=hashlib.md5(text, usedforsecurity=False).hexdigest(), sha256=hashlib.sha256(text).hexdigest()
    )


def hash_password(password: str) -> str:
    """``scrypt$n$r$p$salt$hash`` of an operator's password; takes about 50 ms."""
    salt = secrets.token_bytes(16)
    derived = _derive(password, salt, _COST, _BLOCK, _LANES)
    return f"scrypt${_COST}${_BLOCK}${_LANES}${_encode(salt)}${_encode(derived)}"


def matches(password: str, stored: str) -> bool:
    """Whether ``password`` has this hash; a hash of another make never matches."""
    try:
        kind, cost, block, lanes, salt, derived = stored.split("$")
        if kind != "scrypt":
            return False
        found = _derive(password, base64.b64decode(salt), int(cost), int(block), int(lanes))
        return hmac.compare_digest(found, base64.b64decode(derived))
    except ValueError:
        return False


def check_operator(configuration: Configuration, login: str, password: str) -> Operator | None:
    """The operator with this login and password, else ``None``.

    Takes about 50 ms whether the login exists or not: call it in an executor.
    """
    operator = configuration.operators.get(login)
    stored = operator.password_hash if operator else None
    right = matches(password, stored or _NOBODY)
    return operator if right and stored else None


def check_key(configuration: Configuration, login: str, key: str) -> Operator | None:
    """The operator who may log in with this OpenSSH public key line (its comment does not count), else ``None``."""
    operator = configuration.operators.get(login)
    offered = key_body(key)
    if operator is None or offered is None:
        return None
    return operator if any(key_body(known) == offered for known in operator.keys) else None


def key_body(line: str) -> tuple[str, str] | None:
    """Type and base64 body of an OpenSSH public key line; ``None`` when it is none."""
    parts = line.split()
    if len(parts) < 2 or not parts[0].startswith(("ssh-", "ecdsa-", "sk-")):
        return None
    try:
        body = base64.b64decode(parts[1], validate=True)
    except ValueError:
        return None
    named = body[4 : 4 + int.from_bytes(body[:4], "big")]
    return (parts[0], parts[1]) if named == parts[0].encode() else None


def _derive(password: str, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=cost, r=block, p=lanes, dklen=32, maxmem=2**26)


def _encode(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


_NOBODY = f"scrypt${_COST}${_BLOCK}${_LANES}${_encode(bytes(16))}${_encode(bytes(32))}"
