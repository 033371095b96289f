"""A limit on log lines and events that strangers can cause."""

from __future__ import annotations


class Throttle:
    """Admits ``most`` occurrences in every ``each_s`` seconds and counts the rest."""

    __slots__ = ("_admitted", "_each_s", "_most", "_until", "left_out")

    def __init__(self, most: int = 20, each_s: float = 10.0) -> None:
        self._most = most
        self._each_s = each_s
        self._until = 0.0
        self._admitted = 0
        self.left_out = 0
        """Occurrences not admitted since the last one that was."""

    def admits(self, now: float) -> bool:
        """Whether this occurrence may be told; ``left_out`` then counts those before it that were not."""
        if now >= self._until:
            self._until = now + self._each_s
            self._admitted = 0
        if self._admitted >= self._most:
            self.left_out += 1
            return False
        self._admitted += 1
        return True

    def take_left_out(self) -> int:
        """How many were left out, counted from now on anew."""
        left_out, self.left_out = self.left_out, 0
        return left_out
