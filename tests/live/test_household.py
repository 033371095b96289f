"""The office is exported, imported, backed up, restored and examined while it works."""

from __future__ import annotations

import asyncio
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.phones.call import Phase
from tests.live.handsets import talk, two_handsets
from tests.live.network import Network
from tests.live.office import Office, new_office, open_office

ANNA, BO = "501", "502"


@pytest.fixture
def office(tmp_path: Path, network: Network) -> Iterator[Office]:
    """A running office with two phones' extensions and an administrator of its own."""
    with open_office(tmp_path, network) as office:
        office.extension(ANNA, "--name", "Anna Berger")
        office.extension(BO, "--name", "Bo Chen 陈波")
        yield office


async def test_import_counts_at_once_and_touches_no_call(office: Office, network: Network, tmp_path: Path) -> None:
    file = tmp_path / "office.toml"
    async with two_handsets(office, network, ANNA, BO) as (anna, bo):
        call = await talk(anna, BO)
        await asyncio.to_thread(office.cli, "export", str(file))
        text = file.read_text()
        assert tomllib.loads(text)["extension"][BO]["name"] == "Bo Chen 陈波"
        text = text.replace("Bo Chen 陈波", "Bo Chen") + '\n[extension.777]\nname = "New One"\n'
        tables = [table for table in re.split(r"\n(?=\[)", text) if not table.startswith("[extension.102]")]
        file.write_text("\n".join(tables))
        told = await asyncio.to_thread(office.cli, "import", str(file), "--dry-run")
        assert {"+ extension 777  New One", "- extension 102"} <= set(told.splitlines())
        assert "777" not in {row["number"] for row in await asyncio.to_thread(office.json, "extension", "list")}
        await asyncio.to_thread(office.cli, "import", str(file))
        names = {row["number"]: row["name"] for row in await asyncio.to_thread(office.json, "extension", "list")}
        assert (names[BO], names["777"]) == ("Bo Chen", "New One")
        assert "102" not in names
        assert call.phase is Phase.UP
        assert [each["state"] for each in await asyncio.to_thread(office.json, "calls")] == ["talking"]
        assert bo.is_registered
        call.hang_up()
        await call.closed
        again = await talk(anna, BO)  # with the password from before
        again.hang_up()


async def test_backup_of_a_talking_office_comes_up_elsewhere(
    office: Office, network: Network, tmp_path: Path
) -> None:
    file = tmp_path / "office.tar.gz"
    async with two_handsets(office, network, ANNA, BO) as (anna, _):
        call = await talk(anna, BO)
        await asyncio.to_thread(office.cli, "backup", str(file))
        assert call.phase is Phase.UP
        call.hang_up()
    assert "stop it first" in office.refuses("restore", str(file))
    other = new_office(tmp_path / "other", network)
    other.passwords = office.passwords
    (tmp_path / "other").mkdir()
    other.cli("restore", str(file))
    other.start()
    try:
        assert {row["number"] for row in other.json("extension", "list")} >= {ANNA, BO}
        assert (other.state / "ssh_host_key").read_bytes() == (office.state / "ssh_host_key").read_bytes()
        async with two_handsets(other, network, ANNA, BO) as (anna, _):
            (await talk(anna, BO)).hang_up()
    finally:
        other.stop()


def test_doctor_knows_the_ports_of_the_running_engine_as_ours(office: Office) -> None:
    findings = {each["check"]: each for each in office.json_whatever_status("doctor")}
    for check in ("engine", "SIP over UDP", "SIP over TCP", "SSH console", "state folder", "database", "codecs"):
        assert findings[check]["state"] == "ok", findings[check]
    assert office.address in findings["SIP over UDP"]["says"]
    assert all(each["mend"] for each in findings.values() if each["state"] != "ok")


def test_doctor_names_who_has_the_port(network: Network, tmp_path: Path, office: Office) -> None:
    done = office.run("doctor", "--json", "--sip", office.address, "--ssh", f"{office.host}:{office.ssh_port}")
    assert done.status == 0, done.out
    elsewhere = new_office(tmp_path / "elsewhere", network)
    refused = elsewhere.run("doctor", "--sip", office.address)
    assert refused.status == 1
    assert "✗ failed" in refused.out
    assert "taken by another program" in refused.out
