"""What an operator does in a call of others."""

from __future__ import annotations

from enum import StrEnum


class Deed(StrEnum):
    """Ways to come into a call of two; each has a right of the same name."""

    LISTEN = "listen"
    """Hears both, heard by neither."""
    WHISPER = "whisper"
    """Hears both, heard by one."""
    BARGE_IN = "barge-in"
    """The three are in a conference."""
    TAKE_OVER = "take-over"
    """Takes the place of one."""
