"""The parameter file of miniSIPServer: its values are the site's defaults."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

import pytest

from engine.store.mss_file import FILE, read_mss_file
from engine.store.store import Store

NAME = "gVarSipRegSameDialog"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[sip]\ngVarSipRegSameDialog=0\n", {NAME: "0"}),
        ("[sip]\r\n gVarSipRegSameDialog = 0 ; new Call-IDs\r\n", {NAME: "0"}),
        ('\ufeff[SIP]\nGVARSIPREGSAMEDIALOG="0"\n', {NAME: "0"}),
        ("[sip]\ngVarSipRegSameDialog=0\ngVarSipRegSameDialog=1\n", {NAME: "1"}),
        ("[media]\ngVarSipRegSameDialog=0\n", {}),
        ("gVarSipRegSameDialog=0\n", {}),
        ("[sip]\n;gVarSipRegSameDialog=0\n# gVarSipRegSameDialog=0\n", {}),
        ("[sip]\ngVarSipRegSameDialog\ngVarOther=5\n=\n[\n]", {}),
        ("[sip]\ngVarSipRegSameDialog=2\n", {}),
        ("", {}),
    ],
)
def test_what_the_file_says(tmp_path: Path, text: str, found: dict[str, str]) -> None:
    (tmp_path / FILE).write_text(text, newline="")
    assert read_mss_file(tmp_path) == found


def test_any_encoding_is_read(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes("[sip]\n; 运营商\ngVarSipRegSameDialog=0\n".encode("gbk"))
    assert read_mss_file(tmp_path) == {NAME: "0"}


def test_a_value_of_no_use_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / FILE).write_text("[sip]\ngVarSipRegSameDialog=no\n")
    with caplog.at_level(logging.WARNING):
        assert read_mss_file(tmp_path) == {}
    assert "cannot be 'no': use a whole number from 0 to 1" in caplog.text


def test_no_file_and_an_unreadable_one_say_nothing(tmp_path: Path) -> None:
    assert read_mss_file(tmp_path) == {}
    (tmp_path / FILE).mkdir()
    assert read_mss_file(tmp_path) == {}


def test_the_file_is_a_default_that_an_edit_changes_and_the_command_line_overrides(store: Store) -> None:
    changed = threading.Event()
    values: list[Any] = []

    def note(configuration: Any) -> None:
        values.append(configuration.params[NAME])
        changed.set()

    assert store.configuration.params[NAME] == 1
    store.on_change(note)
    (store.folder / FILE).write_text("[sip]\ngVarSipRegSameDialog=0\n")
    assert changed.wait(5)
    assert store.configuration.params[NAME] == 0
    store.submit(lambda rows: rows.params.put(NAME, "1")).result(5)
    assert store.configuration.params[NAME] == 1
    store.submit(lambda rows: rows.params.remove(NAME)).result(5)
    assert store.configuration.params[NAME] == 0
    changed.clear()
    (store.folder / FILE).unlink()
    assert changed.wait(5)
    assert values == [0, 1, 0, 1]
