"""Log lines are whole, timed, and safe to look at in a terminal."""

from __future__ import annotations

import errno
import io
import logging
from pathlib import Path

import pytest

from engine.core.log import Log


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    return tmp_path / "log"


def written(file: Path, text: str, *values: object) -> str:
    log = Log(file.open("w", encoding="utf-8"), logging.INFO)
    logging.getLogger("engine.test").warning(text, *values)
    log.close()
    return file.read_text(encoding="utf-8")


def test_line_has_time_level_and_room(file: Path) -> None:
    line = written(file, "phone %s is gone", "101")
    assert line.endswith("Z WARNING engine.test: phone 101 is gone\n")
    assert line[10] == "T"


def test_control_characters_of_a_peer_are_shown_not_obeyed(file: Path) -> None:
    line = written(file, "from %s", "x\n\x1b[2Jé陈")
    assert line.count("\n") == 1
    assert r"x\n\x1b[2Jé陈" in line


def test_journal_gets_levels_instead_of_times(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    assert written(file, "hm") == "<4>engine.test: hm\n"


def test_traceback_follows_its_line_indented(file: Path) -> None:
    log = Log(file.open("w", encoding="utf-8"), logging.INFO)
    try:
        raise ValueError("odd")
    except ValueError:
        logging.getLogger("engine.test").exception("failed")
    log.close()
    lines = file.read_text(encoding="utf-8").splitlines()
    assert lines[0].endswith("ERROR engine.test: failed")
    assert lines[-1] == "    ValueError: odd"


def test_lines_keep_their_order_and_none_is_lost_when_the_log_closes(file: Path) -> None:
    log = Log(file.open("w", encoding="utf-8"), logging.INFO)
    for number in range(500):
        logging.getLogger("engine.test").info("line %d", number)
    log.close()
    lines = file.read_text(encoding="utf-8").splitlines()
    assert [line.rpartition(" ")[2] for line in lines] == [str(number) for number in range(500)]


def test_log_on_a_full_disk_closes_without_a_word(file: Path) -> None:
    class Full(io.StringIO):
        def close(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    log = Log(Full(), logging.INFO)
    logging.getLogger("engine.test").info("lost")
    log.close()
