"""The state folder is found where the caller, the environment or the system says."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.core.errors import RefusedError, StateFolderError
from engine.core.paths import SHIPPED, demand_usable, state_folder


def test_option_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FRONTDESK_STATE", "/elsewhere")
    assert state_folder(tmp_path) == tmp_path


def test_environment_wins_over_the_service_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/frontdesk:/var/lib/other")
    monkeypatch.delenv("FRONTDESK_STATE", raising=False)
    assert state_folder() == Path("/var/lib/frontdesk")
    monkeypatch.setenv("FRONTDESK_STATE", "/elsewhere")
    assert state_folder() == Path("/elsewhere")


def test_xdg_state_folder_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FRONTDESK_STATE", raising=False)
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", "/home/anna/.state")
    assert state_folder() == Path("/home/anna/.state/frontdesk")


def test_relative_folder_becomes_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert state_folder("office") == tmp_path / "office"


def test_shipped_folders_lie_beside_the_engine() -> None:
    assert (SHIPPED / "engine").is_dir()


def test_folder_without_a_name_is_refused() -> None:
    with pytest.raises(RefusedError, match="no name"):
        state_folder("")


def test_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StateFolderError, match=f"{folder} is not a folder"):
            demand_usable(folder)
    demand_usable(tmp_path)
    demand_usable(tmp_path / "not yet there")


def test_folder_of_somebody_else_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(StateFolderError, match="cannot be written: check its owner"):
        demand_usable(tmp_path)
