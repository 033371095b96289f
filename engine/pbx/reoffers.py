"""Re-INVITEs that are one leg's own affair: answered here, and no other party hears of them."""

from __future__ import annotations

from engine.core.errors import RemoteError
from engine.pbx.leg import Leg


async def answer_offer(leg: Leg, sdp: bytes, codecs: tuple[str, ...], now: float) -> bool | None:
    """Answer the re-INVITE of a leg that may speak ``codecs``; one without SDP gets our offer.

    Returns whether the leg holds now, ``None`` when nothing was settled.
    """
    session = leg.dialogue
    if not session.has_reoffer:
        return None  # taken back meanwhile
    if leg.talks.is_open:
        session.refuse_reoffer(now, 491)
        return None
    if not sdp:
        session.accept_reoffer(now, leg.talks.make_offer(codecs))
        return None
    try:
        leg.talks.take_offer(sdp)
        body, settled = leg.talks.make_answer(codecs)
        await leg.apply(settled)
    except RemoteError as error:
        leg.talks.roll_back()
        session.refuse_reoffer(now, error.status, error.reason, error.warning)
        return None
    session.accept_reoffer(now, body)
    return settled.held


async def take_answer(leg: Leg, sdp: bytes) -> bool | None:
    """Take the answer to our re-INVITE; returns whether the leg holds now, ``None`` for an unusable answer."""
    try:
        settled = leg.talks.take_answer(sdp)
        await leg.apply(settled)
    except RemoteError:
        leg.talks.roll_back()
        return None
    return settled.held


def refresh(leg: Leg, now: float) -> None:
    """Send a re-INVITE that changes nothing and keeps the session alive (RFC 4028); later where it may not go."""
    if leg.talks.settled is None:
        return
    if leg.talks.is_open or not leg.dialogue.may_reoffer:
        leg.dialogue.refresh_later(now)
    else:
        leg.dialogue.reoffer(now, leg.talks.repeat_offer())
