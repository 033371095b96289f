"""Text of strangers: what of it may be stored, sent and shown."""

from __future__ import annotations

LONGEST_NUMBER = 64


def readable(text: str) -> str:
    """``text`` with bytes that were no UTF-8 written out (``\\xff``): a database takes nothing else."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def shown(text: str, most: int = 80) -> str:
    """A stranger's ``text`` fit for a log line, a record or a message: printable, at most ``most`` characters."""
    clean = readable(text[:most])
    if not clean.isprintable():
        clean = "".join(char if char.isprintable() else repr(char)[1:-1] for char in clean)
    return clean[:most]


def may_be_number(text: str) -> bool:
    """Whether somebody could have meant ``text`` as a number or name to call; line breaks and such never are."""
    return 0 < len(text) <= LONGEST_NUMBER and text.isprintable()
