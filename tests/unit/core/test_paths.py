"""The state folder is found where the caller, the environment or the system says."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.core.paths import SHIPPED, state_folder


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
