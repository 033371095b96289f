"""Whose callers leave a message when nobody takes their call, and how long they hear it ring before."""

from __future__ import annotations

from engine.pbx.routing.table import table_of
from engine.store.configuration import Configuration, Extension
from engine.store.services import Point

DEPOSIT = "voicemail_deposit"
"""The service that takes a message."""


def has_box(configuration: Configuration, extension: Extension) -> bool:
    """Whether calls that an extension does not take go to its box: by the parameter ``voicemail``."""
    whose = configuration.params["voicemail"]
    if whose == "boxes":
        return extension.voicemail_pin is not None or extension.email is not None
    return bool(whose == "all")


def ring_seconds(configuration: Configuration, extension: Extension) -> int:
    """How long the phones of an extension ring for a caller that it may go on to its box from."""
    params = configuration.params
    longest, until_box = int(params["ring_timeout_s"]), int(params["voicemail_after_s"])
    if until_box >= longest or extension.forward_no_answer is not None or not has_box(configuration, extension):
        return longest
    trigger = table_of(configuration).trigger_at(Point.NO_ANSWER, extension.number)
    return until_box if trigger is None else longest
