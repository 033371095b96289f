"""Mean opinion scores from loss, jitter and delay by the E-model (ITU-T G.107, simplified)."""

from __future__ import annotations

from dataclasses import dataclass

BEST_MOS = 4.5


@dataclass(frozen=True, slots=True)
class Impairment:
    """What a codec costs by itself (``equipment``: Ie) and how it bears loss (``robustness``: Bpl); ITU-T G.113."""

    equipment: float
    robustness: float


IMPAIRMENTS = {
    "PCMA": Impairment(0.0, 25.1),
    "PCMU": Impairment(0.0, 25.1),
    "G722": Impairment(0.0, 20.0),
    "OPUS": Impairment(0.0, 30.0),
    "G729": Impairment(11.0, 19.0),
    "GSM": Impairment(20.0, 10.0),
    "ILBC": Impairment(11.0, 32.0),
    "SPEEX": Impairment(11.0, 20.0),
}
"""G.711 with concealment and G.729A from G.113 Appendix I; the others after published fits on the narrowband scale,
on which a wideband codec can be no better than G.711."""

_UNKNOWN = IMPAIRMENTS["PCMA"]
_BASIC_RATING = 93.2
_CODEC_DELAY_MS = 20.0


def mos(encoding: str, *, loss_percent: float, jitter_ms: float = 0.0, round_trip_ms: float | None = None) -> float:
    """The score 1.0 to 4.5 a listener would give.

    ``loss_percent`` is 0 to 100, ``jitter_ms`` the mean deviation of RFC 3550; a jitter buffer of twice that plus a
    packet is assumed. ``round_trip_ms`` is halved to one way; ``None`` counts as 0.
    """
    impairment = IMPAIRMENTS.get(encoding.upper(), _UNKNOWN)
    delay_ms = (round_trip_ms or 0.0) / 2 + 2 * max(0.0, jitter_ms) + _CODEC_DELAY_MS
    return _score(_BASIC_RATING - _delay_impairment(delay_ms) - _effective_equipment(impairment, loss_percent))


def _delay_impairment(delay_ms: float) -> float:
    """Id without echo: 0.024 a ms, and 0.11 more beyond 177.3 ms (the fit of Cole and Rosenbluth to G.107)."""
    return 0.024 * delay_ms + 0.11 * max(0.0, delay_ms - 177.3)


def _effective_equipment(impairment: Impairment, loss_percent: float) -> float:
    """Ie,eff of G.107 7.5 for random loss (BurstR = 1)."""
    loss = min(100.0, max(0.0, loss_percent))
    return impairment.equipment + (95.0 - impairment.equipment) * loss / (loss + impairment.robustness)


def _score(rating: float) -> float:
    """MOS of a rating R, G.107 Annex B."""
    if rating <= 0:
        return 1.0
    if rating >= 100:
        return BEST_MOS
    score = 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6
    return max(1.0, min(BEST_MOS, score))
