"""One engine a folder; everyone else learns its pid."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from engine.core.errors import StateFolderError
from engine.store.lock import EngineLock, running_pid


def test_second_engine_is_refused_and_told_the_pid(tmp_path: Path) -> None:
    lock = EngineLock.take(tmp_path)
    with pytest.raises(StateFolderError, match=f"pid {os.getpid()}"):
        EngineLock.take(tmp_path)
    lock.release()


def test_pid_is_known_while_the_engine_runs(tmp_path: Path) -> None:
    assert running_pid(tmp_path) is None
    lock = EngineLock.take(tmp_path)
    assert running_pid(tmp_path) == os.getpid()
    lock.release()
    lock.release()
    assert running_pid(tmp_path) is None


def test_lock_left_by_a_killed_engine_is_free(tmp_path: Path) -> None:
    (tmp_path / "engine.lock").write_text("4194304\n")
    assert running_pid(tmp_path) is None
    EngineLock.take(tmp_path).release()


def test_unwritable_lock_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(StateFolderError, match="cannot write"):
        EngineLock.take(tmp_path / "missing")


def test_a_full_disk_is_named_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(StateFolderError, match=r"cannot write .*engine\.lock: No space left on device"):
        EngineLock.take(tmp_path)
    monkeypatch.undo()
    EngineLock.take(tmp_path).release()


def test_an_engine_that_died_is_named_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "engine.lock").write_text("4194304\n")
    EngineLock.take(tmp_path).release()
    EngineLock.take(tmp_path).release()
    assert len([line for line in caplog.messages if "(pid 4194304) ended without stopping" in line]) == 1
