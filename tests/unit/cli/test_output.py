"""Standard output that fails: one clear line, or silence when nobody reads on."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from engine.core.views import QualityView
from engine.desk.documents import call_document, record_document
from engine.store.store import Store
from tests.unit.cli.conftest import Frontdesk
from tests.unit.desk.fakes import START, a_call
from tests.unit.store.samples import a_record
from tui import cli
from tui.cli.output import print_table


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


def test_an_address_stays_on_one_line_of_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    contact = "sip:101-0x55d0@192.0.2.101:50600"
    agent = "Some phone with a name that takes a great deal of room, version 17"
    row = ("101", contact, "udp", "1:00:00", agent)
    print_table(("extension", "contact", "over", "expires in", "phone"), [row], "", whole=("contact",))
    out = capsys.readouterr().out
    assert contact in out
    assert max(len(line) for line in out.splitlines()) <= 80


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
    assert "\\u2013" not in done.stdout


def test_measures_in_json_have_no_long_tail() -> None:
    quality = QualityView(mos=4.364872, loss_percent=0.123456, jitter_ms=2.000001)
    document = call_document(replace(a_call(), quality=quality), START)
    assert document["quality"] == {"mos": 4.36, "loss_percent": 0.12, "jitter_ms": 2.0}
    assert record_document(replace(a_record("a", 0), mos=4.364872))["mos"] == 4.36


def test_ctrl_c_while_the_command_is_still_loading_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_carry_out", interrupted)
    assert cli.run(["status"]) == 130
    assert capfd.readouterr() == ("", "")
