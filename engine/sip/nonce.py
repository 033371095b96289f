"""Nonces of digest challenges: stateless to issue, remembered once used (RFC 7616 sections 3.3 and 5.4)."""

from __future__ import annotations

from hashlib import blake2s
from hmac import compare_digest

from engine.core.errors import LocalError


class NonceBook:
    """Issues nonces that need no memory until used, and sees that each count of one is used once.

    Only correct logins are remembered, at most ``limit`` nonces: strangers cannot fill the book. When it is
    full the oldest go, and nonces as old as those are stale from then on.
    """

    __slots__ = ("_forgotten_until_ms", "_key", "_lifetime_ms", "_limit", "_used")

    def __init__(self, secret: bytes, lifetime_s: float = 300.0, limit: int = 10_000) -> None:
        """``secret``: at least 16 random bytes of this process."""
        if len(secret) < 16:
            raise LocalError("a nonce secret needs 16 bytes or more")
        self._key = blake2s(secret).digest()
        self._lifetime_ms = int(lifetime_s * 1000)
        self._limit = limit
        self._used: dict[str, _CountWindow] = {}
        self._forgotten_until_ms = -1

    def issue(self, now: float, randomness: bytes) -> str:
        """A new nonce; ``randomness``: 8 fresh random bytes."""
        if len(randomness) != _RANDOM_BYTES:
            raise LocalError(f"a nonce needs {_RANDOM_BYTES} random bytes")
        stamp = int(now * 1000).to_bytes(_STAMP_BYTES, "big") + randomness
        return (stamp + self._seal(stamp)).hex()

    def use(self, nonce: str, nonce_count: int | None, now: float) -> bool:
        """Take one count of a nonce; ``False`` when it is not ours, too old, or this count was taken.

        Counts may overtake each other by up to 32. Without a count (no qop) a nonce is good for one request.
        """
        issued_ms = self._issued_ms(nonce)
        if issued_ms is None:
            return False
        now_ms = int(now * 1000)
        if not now_ms - self._lifetime_ms <= issued_ms <= now_ms:
            return False
        window = self._used.get(nonce)
        if window is None:
            if issued_ms <= self._forgotten_until_ms:
                return False
            window = self._used[nonce] = _CountWindow(issued_ms)
            self._forget_old(now_ms)
        return window.take(1 if nonce_count is None else nonce_count)

    def _issued_ms(self, nonce: str) -> int | None:
        if len(nonce) != _NONCE_CHARS or not nonce.isascii():
            return None
        try:
            raw = bytes.fromhex(nonce)
        except ValueError:
            return None
        stamp, seal = raw[: _STAMP_BYTES + _RANDOM_BYTES], raw[_STAMP_BYTES + _RANDOM_BYTES :]
        if not compare_digest(seal, self._seal(stamp)):
            return None
        return int.from_bytes(stamp[:_STAMP_BYTES], "big")

    def _seal(self, stamp: bytes) -> bytes:
        """A keyed hash: four times cheaper than an HMAC and made for this (RFC 7693 section 2.9)."""
        return blake2s(stamp, key=self._key, digest_size=_SEAL_BYTES).digest()

    def _forget_old(self, now_ms: int) -> None:
        while self._used:
            nonce, window = next(iter(self._used.items()))
            if now_ms - window.issued_ms <= self._lifetime_ms and len(self._used) <= self._limit:
                return
            del self._used[nonce]
            self._forgotten_until_ms = max(self._forgotten_until_ms, window.issued_ms)


class _CountWindow:
    """Which of the last counts of one nonce were taken, as a sliding bit field."""

    __slots__ = ("highest", "issued_ms", "taken")

    def __init__(self, issued_ms: int) -> None:
        self.issued_ms = issued_ms
        self.highest = 0
        self.taken = 0

    def take(self, count: int) -> bool:
        """``False`` when ``count`` was taken before or lies too far back to tell."""
        behind = self.highest - count
        if count < 1 or behind >= _WINDOW:
            return False
        if behind < 0:
            self.taken = (self.taken << min(-behind, _WINDOW)) & _WINDOW_MASK | 1
            self.highest = count
            return True
        bit = 1 << behind
        is_new = not self.taken & bit
        self.taken |= bit
        return is_new


_STAMP_BYTES, _RANDOM_BYTES, _SEAL_BYTES = 6, 8, 12
_NONCE_CHARS = 2 * (_STAMP_BYTES + _RANDOM_BYTES + _SEAL_BYTES)
_WINDOW = 32
_WINDOW_MASK = (1 << _WINDOW) - 1
