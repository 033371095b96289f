"""The office's configuration and the office itself as files: what the command line reads, writes and refuses."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from tests.unit.cli.conftest import Frontdesk


def test_export_is_for_its_owner_alone_and_comes_back(frontdesk: Frontdesk, tmp_path: Path) -> None:
    file = tmp_path / "office.toml"
    assert frontdesk("extension", "add", "101", "--name", "Anna").status == 0
    assert frontdesk("operator", "add", "boss", "--role", "admin").status == 0
    assert frontdesk("export", str(file), "--secrets").out == f"the configuration is in {file}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text(file.read_text().replace('"Anna"', '"Anna Berger"'))
    told = json.loads(frontdesk("import", str(file), "--dry-run", "--json").out)
    assert told["changes"] == [{"sign": "~", "what": "extension 101", "detail": "name: Anna → Anna Berger"}]
    assert frontdesk("import", str(file)).out.splitlines()[-1] == "imported: one change"
    assert frontdesk("import", str(file)).out == "the configuration is the same already\n"


def test_file_without_end_is_not_read_to_its_end(frontdesk: Frontdesk) -> None:
    outcome = frontdesk("import", "/dev/zero")
    assert (outcome.status, outcome.out) == (1, "")
    assert "/dev/zero is larger than 3 MiB" in outcome.err


def test_backup_comes_back_and_the_state_before_is_named(
    frontdesk: Frontdesk, folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "office.backup"
    assert frontdesk("extension", "add", "101").status == 0
    assert frontdesk("backup", str(file)).out.startswith(f"{file} holds one file, ")
    assert frontdesk("extension", "add", "102").status == 0
    outcome = frontdesk("restore", str(file))
    assert (outcome.status, outcome.err) == (0, "")
    assert f"the state before is in {folder}/before-restore-" in outcome.out
    assert [each["number"] for each in json.loads(frontdesk("extension", "list", "--json").out)] == ["101"]
