"""The dialog that a Replaces value names (RFC 3891 section 3)."""

from __future__ import annotations

from typing import NamedTuple

TAG = "replaces"
"""The option tag."""


class Replaces(NamedTuple):
    """A dialog as the peer of its other end names it: ``to_tag`` is that end's own."""

    call_id: str
    to_tag: str
    from_tag: str
    is_early_only: bool = False
    """It is meant only while nobody has answered (section 3)."""


def read_replaces(value: str) -> Replaces | None:
    """The dialog that a value names; ``None`` when it cannot be read."""
    call_id, *params = [part.strip() for part in value.split(";")]
    named = {name.strip().lower(): word.strip() for name, _, word in (param.partition("=") for param in params)}
    to_tag, from_tag = named.get("to-tag"), named.get("from-tag")
    if not call_id or not to_tag or not from_tag:
        return None
    return Replaces(call_id, to_tag, from_tag, "early-only" in named)
