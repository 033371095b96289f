"""``frontdesk contact``: names and notes for numbers, from hands and from files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Frontdesk

VCARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Müller & Söhne\r\nTEL:+49 40 555\r\nNOTE:pays late\r\nEND:VCARD\r\n"


@pytest.fixture(autouse=True)
def in_germany(frontdesk: Frontdesk) -> None:
    assert frontdesk("param", "set", "country_code", "49").status == 0


def test_a_contact_lives_and_goes(frontdesk: Frontdesk) -> None:
    added = frontdesk("contact", "add", "+49 30 1234", "--name", "Weber GmbH", "--note", "asks for Anna")
    assert (added.status, added.out) == (0, "+49301234 is Weber GmbH\n")
    known = {"number": "+49301234", "name": "Weber GmbH", "note": "asks for Anna"}
    assert json.loads(frontdesk("contact", "show", "0301234", "--json").out) == known
    assert json.loads(frontdesk("contact", "list", "--find", "web", "--json").out) == [known]
    assert "Weber GmbH" in frontdesk("contact", "list").out
    assert "There is no such contact." in frontdesk("contact", "list", "--find", "roth").out
    assert frontdesk("contact", "set", "0301234", "--note", "").status == 0
    assert json.loads(frontdesk("contact", "show", "0301234", "--json").out)["note"] is None
    assert frontdesk("contact", "remove", "0301234").status == 0
    gone = frontdesk("contact", "show", "0301234")
    assert (gone.status, gone.err) == (
        1, "frontdesk: there is no contact 0301234: see 'frontdesk contact list'\n",
    )  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_a_file_is_imported_after_a_dry_run(frontdesk: Frontdesk, tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "contacts.vcf"
    file.write_bytes(VCARD.encode(encoding))
    dry = frontdesk("contact", "import", str(file), "--dry-run")
    assert dry.out == "1 would be added, 0 would be changed, 0 as before\n"
    assert frontdesk("contact", "list", "--json").out.strip() == "[]"
    assert frontdesk("contact", "import", str(file)).out == "1 added, 0 changed, 0 as before\n"
    (contact,) = json.loads(frontdesk("contact", "list", "--json").out)
    assert contact == {"number": "+4940555", "name": "Müller & Söhne", "note": "pays late"}


def test_what_is_wrong_with_a_file_is_said_in_one_line(frontdesk: Frontdesk, tmp_path: Path) -> None:
    missing = frontdesk("contact", "import", str(tmp_path / "none.csv"))
    assert missing.status == 1
    assert "cannot read" in missing.err
    file = tmp_path / "contacts.csv"
    file.write_text("name;number\nWeber;+4930\n;+4931\n")
    refused = frontdesk("contact", "import", str(file))
    assert (refused.status, refused.err) == (
        1, "frontdesk: line 3 has a number and no name: give it one, or leave it out\n",
    )  # fmt: skip
    assert frontdesk("contact", "list", "--json").out.strip() == "[]"


def test_half_a_command_says_what_is_missing(frontdesk: Frontdesk) -> None:
    assert "say whose number it is" in frontdesk("contact", "add", "+4930").err
    assert "say what to change" in frontdesk("contact", "set", "+4930").err
