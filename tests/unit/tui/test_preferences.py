"""What an operator chose is there at the next login."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.tui.conftest import OfficeMaker
from tui.preferences import FILE, Preference, Preferences


def test_choices_are_kept_per_operator(tmp_path: Path) -> None:
    Preferences(tmp_path).choose("desk", language="zh_CN")
    Preferences(tmp_path).choose("desk", theme="frontdesk-light")
    assert Preferences(tmp_path).of("desk") == Preference("zh_CN", "frontdesk-light")
    assert Preferences(tmp_path).of("guest") == Preference()


@pytest.mark.parametrize(
    "content", ["", "[1]", "{", '{"desk": 5}', '{"desk": {"language": "klingon", "theme": "/etc"}}']
)
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    preferences = Preferences(tmp_path)
    assert preferences.of("desk") == Preference()
    preferences.choose("desk", language="en")
    assert Preferences(tmp_path).of("desk").language == "en"


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(tmp_path: Path) -> None:
    Preferences(tmp_path / "missing").choose("desk", language="en")


async def test_the_console_remembers(office: OfficeMaker) -> None:
    async with office() as here:
        here.app.set_theme("frontdesk-light")
        assert here.app.preferences.of("desk") == Preference(None, "frontdesk-light")
