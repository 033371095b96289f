"""Standard output that fails: one clear line, or silence when nobody reads on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.store.store import Store
from tests.unit.cli.conftest import Frontdesk
from tests.unit.store.samples import a_record


def command(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "tui.cli", *arguments, "--state", str(folder)]


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_full_disk_behind_standard_output_is_one_line(
    frontdesk: Frontdesk, folder: Path, as_json: tuple[str, ...]
) -> None:
    frontdesk("extension", "add", "105")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command(folder, "extension", "list", *as_json), stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 1
    assert done.stderr == "frontdesk: cannot write the output: No space left on device: send it somewhere else\n"


def test_reader_that_leaves_early_is_no_error(folder: Path) -> None:
    store = Store.open(folder)
    store.put_record(a_record("a", 0))
    store.close()
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run(
        command(folder, "records", "--csv", "-"), stdout=theirs, stderr=subprocess.PIPE, text=True
    )
    os.close(theirs)
    assert done.stderr == ""


@pytest.mark.parametrize("as_table", [("extension", "list"), ("extension", "show", "105")])
def test_terminal_without_utf_8_shows_what_it_can(
    frontdesk: Frontdesk, folder: Path, as_table: tuple[str, ...]
) -> None:
    frontdesk("extension", "add", "105", "--name", "Zoë")
    done = subprocess.run(
        command(folder, *as_table), capture_output=True, text=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Zo\\xeb" in done.stdout
