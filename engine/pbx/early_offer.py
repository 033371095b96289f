"""Offers and answers before the final response, in PRACK and UPDATE (RFC 3262 section 5, RFC 3311 section 5.1)."""

from __future__ import annotations

from engine.core.errors import RemoteError
from engine.pbx.leg import Leg
from engine.sip.session.events import EarlyAcknowledged, EarlyOffered


async def hear_early(cue: EarlyAcknowledged | EarlyOffered, now: float) -> bool:
    """Settle the media of the leg that speaks; whether an offer of it holds now.

    One that cannot be used changes nothing.
    Raises ``RemoteError`` when an answer cannot be used: a caller would hear nothing.
    """
    leg: Leg = cue.session.user
    if isinstance(cue, EarlyAcknowledged):
        await _take_answer(leg, cue.sdp)
        return False
    return await _answer_offer(leg, cue, now)


async def _take_answer(leg: Leg, sdp: bytes) -> None:
    if not leg.talks.is_open:
        return
    try:
        await leg.apply(leg.talks.take_answer(sdp))
    except RemoteError:
        leg.talks.roll_back()
        raise


async def _answer_offer(leg: Leg, cue: EarlyOffered, now: float) -> bool:
    settled = leg.talks.settled
    if leg.talks.is_open or settled is None:
        leg.dialogue.refuse_early_offer(cue.transaction, now, 491)
        return False
    try:
        offered = leg.talks.take_offer(cue.sdp)
        common = tuple(codec for codec in settled.codecs if codec in offered.codecs)
        body, anew = leg.talks.make_answer(common)
        await leg.apply(anew)
    except RemoteError as error:
        leg.talks.roll_back()
        leg.dialogue.refuse_early_offer(cue.transaction, now, error.status, error.reason)
        return False
    leg.dialogue.accept_early_offer(cue.transaction, now, body)
    return True
