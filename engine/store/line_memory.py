"""What the office remembers of its outside lines beyond their configuration."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

SECRET = "line_secret"  # noqa: S105 - the name of a fact, no secret
_NEW_CALL_ID = "new_call_id:"


class StoredLineMemory:
    """Facts of the office; ``keep`` (name, value) writes one without waiting."""

    def __init__(self, facts: Mapping[str, str], keep: Callable[[str, str], None]) -> None:
        self._secret = facts.get(SECRET, "").encode()
        self._keep = keep
        self._taught = {
            (name.removeprefix(_NEW_CALL_ID), host) for name, host in facts.items() if name.startswith(_NEW_CALL_ID)
        }

    def token_of(self, name: str) -> str:
        """A word that stands for the line in its Contact: always the same, and not to be guessed."""
        return hashlib.blake2s(name.encode(), key=self._secret[:32], digest_size=10).hexdigest()

    def needs_new_call_id(self, name: str, host: str) -> bool:
        """Whether this carrier has shown that each REGISTER needs a Call-ID of its own."""
        return (name, host) in self._taught

    def note_new_call_id(self, name: str, host: str) -> None:
        """Remember it; never waits."""
        if (name, host) not in self._taught:
            self._taught = {known for known in self._taught if known[0] != name} | {(name, host)}
            self._keep(_NEW_CALL_ID + name, host)
