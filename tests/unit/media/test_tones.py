"""Tones per country, the beep and the music on hold, heard with a Goertzel filter."""

from __future__ import annotations

import math
from array import array

import pytest

from engine.media import tones
from engine.media.gateway import Clip


def samples_of(clip: Clip) -> array[int]:
    return array("h", clip.samples)


def strength(samples: array[int], hertz: float) -> float:
    """The amplitude of one frequency (Goertzel)."""
    turn = 2 * math.cos(2 * math.pi * hertz / tones.SAMPLE_RATE)
    before = now = 0.0
    for sample in samples:
        before, now = now, sample + turn * now - before
    return 2 * math.sqrt(max(0.0, now * now + before * before - turn * now * before)) / len(samples)


def test_the_german_ringback_is_a_second_of_425_hertz_in_five() -> None:
    clip = tones.tone("ringback", "DE")
    samples = samples_of(clip)
    assert clip.duration_ms == 5000
    assert strength(samples[:8000], 425) > 4500
    assert strength(samples[:8000], 480) < 100
    assert not any(samples[8000:])


def test_the_american_busy_tone_has_two_frequencies() -> None:
    samples = samples_of(tones.tone("busy", "us"))[:4000]
    assert strength(samples, 480) == pytest.approx(strength(samples, 620), rel=0.1)


@pytest.mark.parametrize("country", tones.countries())
def test_every_country_has_every_tone(country: str) -> None:
    for kind in tones.KINDS:
        clip = tones.tone(kind, country)
        samples = samples_of(clip)
        assert 200 <= clip.duration_ms <= 8000
        assert 4000 < max(samples) <= 5300
        assert samples[0] == 0
        assert abs(samples[-1]) < 300


def test_unknown_countries_and_kinds_are_told() -> None:
    with pytest.raises(KeyError):
        tones.tone("busy", "xx")
    with pytest.raises(KeyError):
        tones.tone("laughter", "de")


def test_hold_music_is_calm_full_and_flows_into_its_beginning() -> None:
    clip = tones.hold_music()
    samples = samples_of(clip)
    assert clip.duration_ms == 24000
    assert 8000 < max(map(abs, samples)) <= 9000
    assert abs(samples[0] - samples[-1]) < 1500
    for start in range(0, len(samples), 4000):
        loudness = math.sqrt(sum(sample * sample for sample in samples[start : start + 4000]) / 4000)
        assert 400 < loudness < 4000
    assert tones.hold_music() is clip


def test_the_beep_is_short() -> None:
    clip = tones.beep()
    assert clip.duration_ms == 200
    assert strength(samples_of(clip), 1000) > 4500
