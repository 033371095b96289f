"""The engine takes all the open files it may have, and says when they are few."""

from __future__ import annotations

import logging
import resource

import pytest

from engine.app import _claim_open_files


@pytest.mark.parametrize(("most", "warned"), [(60, 1), (4096, 0), (resource.RLIM_INFINITY, 0)])
def test_few_open_files_are_taken_all_and_warned_of(
    most: int, warned: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    taken: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (20, most))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: taken.append(limits))
    caplog.set_level(logging.WARNING)
    _claim_open_files()
    assert taken == [(most, most)]
    assert len([line for line in caplog.messages if f"only {most} files" in line]) == warned
