"""Opinion scores of the E-model."""

from __future__ import annotations

import pytest

from engine.media.quality import IMPAIRMENTS, mos


def test_a_clean_g711_call_is_as_good_as_it_gets() -> None:
    assert mos("PCMA", loss_percent=0.0) == pytest.approx(4.4, abs=0.02)


@pytest.mark.parametrize("encoding", sorted(IMPAIRMENTS))
def test_more_loss_and_more_delay_never_sound_better(encoding: str) -> None:
    by_loss = [mos(encoding, loss_percent=loss) for loss in (0, 0.5, 1, 2, 5, 10, 30, 100)]
    by_delay = [mos(encoding, loss_percent=0, round_trip_ms=delay) for delay in (0, 100, 300, 400, 800, 2000, 9000)]
    by_jitter = [mos(encoding, loss_percent=0, jitter_ms=jitter) for jitter in (0, 5, 20, 100, 1000)]
    for scores in (by_loss, by_delay, by_jitter):
        assert scores == sorted(scores, reverse=True)
        assert all(1.0 <= score <= 4.5 for score in scores)


def test_g729_starts_lower_and_opus_bears_loss_better() -> None:
    assert mos("G729", loss_percent=0) == pytest.approx(4.1, abs=0.05)
    assert mos("OPUS", loss_percent=5) > mos("PCMU", loss_percent=5) > mos("G722", loss_percent=5)


def test_a_long_way_hurts_beyond_the_conversational_limit() -> None:
    assert mos("PCMA", loss_percent=0, round_trip_ms=200) > 4.3
    assert mos("PCMA", loss_percent=0, round_trip_ms=800) < 3.6


def test_unknown_codecs_and_odd_figures_are_scored_all_the_same() -> None:
    assert mos("", loss_percent=-3) == mos("pcma", loss_percent=0)
    assert mos("PCMA", loss_percent=250) == pytest.approx(1.0, abs=0.3)
