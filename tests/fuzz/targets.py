"""Everything that ``make fuzz`` runs: one entry for each reader of what strangers send."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tests.fuzz import sdp, sip, stream
from tests.fuzz.campaign import Campaign, Target
from tests.fuzz.native import NativeTarget

CAMPAIGNS: dict[str, Callable[[], Campaign]] = {
    "sip": sip.campaign,
    "sdp": sdp.campaign,
    "stream": stream.campaign,
}
"""What is fuzzed in Python, by name; each is made when it is asked for."""
TARGETS: dict[str, Callable[[], Target]] = {
    **CAMPAIGNS,
    "rtp": partial(NativeTarget, "rtp"),
    "rtcp": partial(NativeTarget, "rtcp"),
    "voice": partial(NativeTarget, "voice"),
}
"""These and what is written in C."""
