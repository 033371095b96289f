"""Digits between two parties that say them in different ways: events (RFC 4733), INFO (RFC 6086), tones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.pbx.exchange import Exchange
    from engine.pbx.leg import Leg

EVENTS = "telephone-event"


def knows_events(leg: Leg) -> bool:
    """Whether a party has agreed on events: the relay then carries them to whoever has, too."""
    settled = leg.negotiation.settled if leg.negotiation is not None else None
    return settled is not None and bool(settled.formats) and settled.formats[-1].encoding == EVENTS


async def listen_for_other(exchange: Exchange, leg: Leg, other: Leg) -> None:
    """Hear the events of a party whose opposite knows none: they must be said to it in another way."""
    if knows_events(leg) and not knows_events(other) and leg.has_media:
        await exchange.listen_events(leg)


async def pass_digit(exchange: Exchange, to: Leg, key: str, duration_ms: int) -> None:
    """Say a digit to a party as it understands it: as event, as INFO where it allows that, else as tones."""
    if not to.has_media or to.negotiation is None or to.negotiation.settled is None:
        return
    if knows_events(to) or not to.dialogue.takes_info:
        await exchange.gateway.send_digits(to.media, key)
    else:
        to.dialogue.send_digit(exchange.clock.now(), key, duration_ms)
