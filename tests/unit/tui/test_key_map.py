"""An operator's own keys: moved, refused where they collide, kept for the next login."""

from __future__ import annotations

import json
from pathlib import Path

from tests.unit.tui.conftest import OfficeMaker
from tui.keys import all_keys, conflicts, face_of, why_not
from tui.preferences import FILE, Preferences
from tui.screens.key_map import KeyMapDialog, PressKey
from tui.screens.question import Question

RELEASE = next(key for key in all_keys() if key.id == "minus:release")
NEW = next(key for key in all_keys() if key.id == "n:new")


def test_a_key_moves_where_it_is_alone() -> None:
    assert why_not(RELEASE, "f10", {}) is None
    assert why_not(NEW, "z", {}) is None
    assert "both" in str(why_not(NEW, "d", {}))
    assert why_not(NEW, "d", {"d:remove": "y"}) is None
    assert why_not(RELEASE, "y", {}) == "Switchboard: y begins a search"
    assert why_not(NEW, "enter", {}) == "this key stays what it is"
    assert why_not(NEW, "alt+n", {}) == "some terminals do not pass this key on"
    assert conflicts({"n:new": "z"}) == []


def test_faces() -> None:
    assert [face_of(key) for key in ("ctrl+x", "f7", "space", "minus", "ctrl+left", "n")] == [
        "^X", "F7", "Space", "−", "^←", "n",
    ]  # fmt: skip


async def test_a_moved_key_works_at_once_and_is_shown(office: OfficeMaker) -> None:
    async with office() as here:
        here.app.push_screen(KeyMapDialog())
        await here.pilot.pause()
        keys = here.app.screen.query_one("#key-map")
        keys.point("n:new")  # type: ignore[attr-defined]
        await here.pilot.press("enter")
        assert isinstance(here.app.screen, PressKey)
        await here.pilot.press("d")
        await here.shows("is both")
        await here.pilot.press("enter", "z")
        await here.pilot.pause()
        assert here.app.preferences.of("desk").keys == {"n:new": "z"}
        await here.pilot.press("escape", "ctrl+right")
        await here.shows("z new")
        await here.pilot.press("n")
        await here.pilot.pause()
        assert len(here.app.screen_stack) == 2
        await here.pilot.press("z")
        await here.pilot.pause()
        assert len(here.app.screen_stack) == 3
        await here.pilot.press("escape")
        here.app.move_keys({})
        await here.pilot.press("d")
        assert isinstance(here.app.screen, Question)


async def test_a_key_goes_back_to_what_it_was(office: OfficeMaker) -> None:
    async with office() as here:
        here.app.move_keys({"n:new": "z"})
        here.app.push_screen(KeyMapDialog())
        await here.pilot.pause()
        here.app.screen.query_one("#key-map").point("n:new")  # type: ignore[attr-defined]
        await here.pilot.press("d")
        assert here.app.preferences.of("desk").keys == {}


def test_kept_keys_that_collide_or_are_unknown_are_left_out(tmp_path: Path) -> None:
    Preferences(tmp_path).choose("desk", keys={"n:new": "z"})
    assert Preferences(tmp_path).of("desk").keys == {"n:new": "z"}
    kept = json.loads((tmp_path / FILE).read_text())
    kept["desk"]["keys"] = {"n:new": "d", "gone:deed": "a", "e:edit": 5}
    (tmp_path / FILE).write_text(json.dumps(kept))
    assert Preferences(tmp_path).of("desk").keys == {}
