"""Site parameters: what their texts mean."""

from __future__ import annotations

from engine.core.params import param_named


def test_a_codec_named_twice_is_offered_once() -> None:
    assert param_named("codecs").parse("pcmu, PCMA,PCMU") == ("PCMU", "PCMA")
