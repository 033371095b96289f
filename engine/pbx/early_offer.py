"""Offers and answers of a caller that come before our final response, in PRACK (RFC 3262 section 5)."""

from __future__ import annotations

from engine.core.errors import RemoteError
from engine.pbx.leg import Leg
from engine.sip.session.events import EarlyAcknowledged, EarlyOffered


async def hear_early(cue: EarlyAcknowledged | EarlyOffered, now: float) -> None:
    """Settle the caller's media by what it says. An offer that cannot be used leaves things as they were.

    Raises ``RemoteError`` when an answer cannot be used: the caller would hear nothing.
    """
    caller: Leg = cue.session.user
    if isinstance(cue, EarlyAcknowledged):
        await _take_answer(caller, cue.sdp)
    else:
        await _answer_offer(caller, cue, now)


async def _take_answer(caller: Leg, sdp: bytes) -> None:
    if not caller.talks.is_open:
        return
    try:
        await caller.apply(caller.talks.take_answer(sdp))
    except RemoteError:
        caller.talks.roll_back()
        raise


async def _answer_offer(caller: Leg, cue: EarlyOffered, now: float) -> None:
    settled = caller.talks.settled
    if caller.talks.is_open or settled is None:
        caller.dialogue.refuse_early_offer(cue.transaction, now, 491)
        return
    try:
        offered = caller.talks.take_offer(cue.sdp)
        common = tuple(codec for codec in settled.codecs if codec in offered.codecs)
        body, anew = caller.talks.make_answer(common)
        await caller.apply(anew)
    except RemoteError as error:
        caller.talks.roll_back()
        caller.dialogue.refuse_early_offer(cue.transaction, now, error.status, error.reason)
        return
    caller.dialogue.accept_early_offer(cue.transaction, now, body)
