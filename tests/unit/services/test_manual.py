"""The manual's first service does what its page says, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.key_card import MANUAL, TONGUES
from tests.unit.pbx.office import MemoryOffice
from tests.unit.services.scene import dial, has_trigger, hears_all, press


def first_service(language: str) -> str:
    found = re.search(r"```lua\n(.*?)```", (MANUAL / language / "lua.md").read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("language", TONGUES)
def test_the_first_service_leads_by_keys(scene: MemoryOffice, own: Path, language: str) -> None:
    anna, ben, eva = scene.registered("103", "102", "101")
    (own / "hello.lua").write_text(first_service(language), "utf-8")
    has_trigger(scene, "810", "hello", operator="101")
    dial(scene, anna, "810")
    assert scene.hears(anna) == "welcome"
    press(scene, anna, "2")
    ben.ringing.answer()
    scene.settle()
    assert scene.hears(anna) == "102"
    assert not eva.calls


@pytest.mark.parametrize("language", TONGUES)
def test_the_first_service_leads_to_the_operator_else(scene: MemoryOffice, own: Path, language: str) -> None:
    anna, eva = scene.registered("103", "101")
    (own / "hello.lua").write_text(first_service(language), "utf-8")
    has_trigger(scene, "810", "hello", operator="101")
    call = dial(scene, anna, "810")
    scene.advance(9)
    eva.ringing.refuse(486)
    scene.settle()
    assert hears_all(scene, anna, call) == ["goodbye"]
    assert call.is_over
