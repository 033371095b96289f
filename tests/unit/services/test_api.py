"""The manual and the engine know the same verbs, and every example of the manual compiles."""

from __future__ import annotations

import re

import pytest

from engine.core.paths import LUA
from engine.pbx.verbs.table import VERBS
from engine.services.machine import Machine

MANUAL = (LUA / "API.md").read_text("utf-8")
SANDBOX = (LUA.parent / "engine" / "services" / "sandbox.lua").read_text("utf-8")
EXAMPLES = re.findall(r"```lua\n(.*?)```", MANUAL, re.S)


def test_the_sandbox_offers_exactly_the_verbs_of_the_office() -> None:
    assert set(re.findall(r'^verb\("(\w+)"', SANDBOX, re.M)) == set(VERBS)


def test_every_verb_is_in_the_manual_with_an_example() -> None:
    assert set(VERBS) <= set(re.findall(r"`call:(\w+)\(", MANUAL))
    assert set(VERBS) <= set(re.findall(r"call:(\w+)\(", "".join(EXAMPLES)))


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_compiles(example: str) -> None:
    whole = example if "return service" in example else f"return {{ run = function(call)\n{example}\nend }}"
    Machine(LUA / "example.lua", whole.encode(), {"caller": "101"})


@pytest.mark.parametrize("file", sorted((LUA / "services").glob("*.lua")), ids=lambda file: file.stem)
def test_a_shipped_service_is_short(file: object) -> None:
    from pathlib import Path

    assert isinstance(file, Path)
    assert len(file.read_text("utf-8").splitlines()) <= 120
