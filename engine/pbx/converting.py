"""Which codecs a party may use when its opposite speaks some: what both speak, else what the gateway converts."""

from __future__ import annotations

from collections.abc import Sequence

from engine.media.gateway import PLAYABLE
from engine.pbx.exchange import Exchange
from engine.pbx.leg import Leg


def in_common(names: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """Those of ``names`` that are among ``others``, in their order."""
    return tuple([name for name in names if name in others])


def convertible(exchange: Exchange, names: Sequence[str], spoken: Sequence[str]) -> tuple[str, ...]:
    """Those of ``names`` that can be made of what the opposite speaks; none where the site has no conversion."""
    if exchange.configuration.params["transcoding"] != "on" or not PLAYABLE & set(spoken):
        return ()
    return tuple([name for name in names if name in PLAYABLE])


def usable(exchange: Exchange, names: Sequence[str], spoken: Sequence[str]) -> tuple[str, ...]:
    """What to offer a party that may use ``names`` to an opposite that speaks ``spoken``; empty for nothing."""
    return in_common(names, spoken) or convertible(exchange, names, spoken)


def widened(exchange: Exchange, names: Sequence[str], offered: Sequence[str]) -> tuple[str, ...]:
    """What to offer a party that has refused ``offered``, which is what its opposite speaks.

    The same and what can be converted behind it; empty when that is nothing more.
    """
    more = [name for name in convertible(exchange, names, offered) if name not in offered]
    return (*offered, *more) if more else ()


def answerable(exchange: Exchange, leg: Leg, spoken: Sequence[str]) -> tuple[str, ...]:
    """What of the open offer of ``leg`` to take when its opposite speaks ``spoken``; that where nothing fits."""
    offered = leg.talks.peer_codecs
    common = in_common(spoken, offered)
    if common:
        return common
    own = in_common(exchange.codecs_of(leg.peer), offered)
    return convertible(exchange, own, spoken) or tuple(spoken)


def is_understood(exchange: Exchange, codec: str, spoken: Sequence[str]) -> bool:
    """Whether who speaks ``spoken`` can be made to hear ``codec``."""
    return codec in spoken or bool(convertible(exchange, (codec,), spoken))
