"""The site parameter that holds a service's code."""

from __future__ import annotations

import pytest

from engine.core.errors import RefusedError
from engine.core.params import param_named, param_text

CODE = param_named("code_echo_test")


@pytest.mark.parametrize(("text", "value"), [("*43", "*43"), ("9#", "9#"), ("off", None), ("", None)])
def test_a_code_is_digits_and_signs_or_off(text: str, value: str | None) -> None:
    assert CODE.parse(text) == value
    assert CODE.parse(param_text(value)) == value


@pytest.mark.parametrize("text", ["echo", "*4 3", "+43", "12345678901234567"])
def test_anything_else_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(RefusedError, match="digits, \\* and #, or 'off'"):
        CODE.parse(text)
