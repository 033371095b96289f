"""Everything that ``make fuzz`` runs: one entry for each reader of what strangers send."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tests.fuzz import sdp, sip, stream
from tests.fuzz.campaign import Target
from tests.fuzz.native import NativeTarget

TARGETS: dict[str, Callable[[], Target]] = {
    "sip": sip.campaign,
    "sdp": sdp.campaign,
    "stream": stream.campaign,
    "rtp": partial(NativeTarget, "rtp"),
    "rtcp": partial(NativeTarget, "rtcp"),
}
"""By name; each is made when it is asked for."""
