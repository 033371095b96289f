"""Site parameters: what their texts mean."""

from __future__ import annotations

import pytest

from engine.core.errors import RefusedError
from engine.core.params import param_named


def test_a_codec_named_twice_is_offered_once() -> None:
    assert param_named("codecs").parse("pcmu, PCMA,PCMU") == ("PCMU", "PCMA")


def test_tones_are_those_of_a_country_that_is_known() -> None:
    assert param_named("tones").parse("GB") == "gb"
    with pytest.raises(RefusedError) as refused:
        param_named("tones").parse("xx")
    assert "use one of at, au, be" in str(refused.value) + refused.value.mend
