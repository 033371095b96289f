"""Text of strangers: what of it may be stored, sent and shown."""

from __future__ import annotations

LONGEST_NUMBER = 64


def readable(text: str) -> str:
    """``text`` with bytes that were no UTF-8 written out (``\\xff``): a database takes nothing else."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def printable(text: str) -> str:
    """``text`` on one line, with nothing in it that a terminal would obey."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def shown(text: str, most: int = 80) -> str:
    """A stranger's ``text`` fit for a log line, a record or a message: printable, at most ``most`` characters."""
    return printable(readable(text[:most]))[:most]


def may_be_number(text: str) -> bool:
    """Whether somebody could have meant ``text`` as a number or name to call; line breaks and such never are."""
    return 0 < len(text) <= LONGEST_NUMBER and text.isprintable()
