"""The whole configuration goes out as text and comes in again, all of it or nothing."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from engine.core.errors import NotAllowedError, RefusedError
from engine.core.params import PARAMS
from engine.desk.commands import (
    AddExtension,
    AddOperator,
    ExportConfiguration,
    ExtensionFields,
    ImportConfiguration,
    ImportReport,
    OperatorFields,
    SetParam,
)
from engine.desk.door import Desk
from engine.desk.export import extension_table, operator_table, trunk_table
from engine.desk.lines import AddTrunk, TrunkFields
from engine.desk.wanted import read_wanted
from engine.pbx.rights import OWNER, Asker
from engine.store.configuration import Extension, HoldPolicy, Operator, Right, Role
from engine.store.outside import Trunk
from engine.store.passwords import check_operator, digest_secrets
from engine.store.store import Store
from tests.unit.desk.fakes import FakeOffice
from tests.unit.store.test_outside import FULL
from tests.unit.store.test_passwords import KEY

HEAD = "format = 1\n"
BOSS = '[operator.boss]\nrole = "admin"\npassword = "open sesame"\n'


async def furnish(desk: Desk) -> None:
    """An office that uses every field there is."""
    everything = ExtensionFields(
        name='Anna "Ann"  Berger 陈',
        password="hunter2",
        multi_device=True,
        max_devices=5,
        add_rights=frozenset({"listen"}),
        hold=HoldPolicy.PASS,
        codecs=("G722", "PCMA"),
        email="anna@example.org",
        clear=frozenset({"max_calls"}),
    )
    await desk.ask(OWNER, AddExtension("101", everything))
    await desk.ask(OWNER, AddExtension("102", ExtensionFields(password="hunter3")))
    line = TrunkFields(
        "sip.example.org", registers=True, username="493055", password="open line", max_in=0, max_out=4
    )
    await desk.ask(OWNER, AddTrunk("telekom.de", line))
    await desk.ask(OWNER, AddTrunk("gateway", TrunkFields("192.0.2.9", 5070, addresses=("192.0.2.0/24",))))
    await desk.ask(OWNER, AddOperator("boss", OperatorFields(password="open sesame", role=Role.ADMIN)))
    await desk.ask(OWNER, AddOperator("a.b", OperatorFields(add_keys=(f"{KEY} anna@laptop",), extension="101")))
    await desk.ask(OWNER, SetParam("ring_timeout_s", "45"))
    await desk.ask(OWNER, SetParam("code_echo_test", "off"))
    await desk.ask(OWNER, SetParam("codecs", "PCMU,PCMA"))


async def export(desk: Desk, *, secrets: bool = False) -> str:
    text = await desk.ask(OWNER, ExportConfiguration(secrets=secrets))
    assert isinstance(text, str)
    return text


async def bring_in(desk: Desk, text: str, *, dry_run: bool = False) -> ImportReport:
    report = await desk.ask(OWNER, ImportConfiguration(text, dry_run=dry_run))
    assert isinstance(report, ImportReport)
    return report


def lines(report: ImportReport) -> list[str]:
    return [" ".join(filter(None, (change.sign, change.what, change.detail))) for change in report.changes]


@pytest.mark.parametrize("secrets", [False, True])
async def test_what_was_exported_changes_nothing_when_imported(desk: Desk, store: Store, secrets: bool) -> None:
    await furnish(desk)
    before = store.configuration
    report = await bring_in(desk, await export(desk, secrets=secrets))
    assert report == ImportReport(())
    assert store.configuration == before


async def test_another_office_becomes_the_same_with_secrets(desk: Desk, store: Store, tmp_path: Path) -> None:
    await furnish(desk)
    text = await export(desk, secrets=True)
    other_store = Store.open(tmp_path / "other")
    try:
        other = Desk(other_store, None, desk._clock, desk._loop)
        report = await bring_in(other, text)
        assert report.passwords == ()
        copied, original = other_store.configuration, store.configuration
        assert (copied.realm, copied.extensions, copied.operators, copied.params) == (
            original.realm, original.extensions, original.operators, original.params,
        )  # fmt: skip
        other.close()
    finally:
        other_store.close()


async def test_the_order_is_stable_and_nothing_secret_is_in_it(desk: Desk, store: Store) -> None:
    await furnish(desk)
    one, other = await export(desk), await export(desk)
    assert one == other
    document = tomllib.loads(one)
    assert list(document["extension"]) == ["101", "102"]
    secrets = store.configuration.extensions["101"].secrets
    for secret in (secrets.md5, secrets.sha256, "scrypt$", store.configuration.realm, "hunter2", "open line"):
        assert secret not in one


def test_every_field_is_exported() -> None:
    """A field that somebody adds later must not be lost on the way to another machine."""
    extension = Extension(
        "101",
        "Anna",
        digest_secrets("101", "r", "p"),
        rights=frozenset({Right.PICKUP}),
        codecs=("PCMA",),
        email="a@b",
        level="national",
        outside_number="4930555101",
        from_network="192.0.2.0/24",
        forward_always="102",
        forward_busy="102",
        forward_no_answer="102",
        forward_unreachable="102",
        dnd=True,
        voicemail_pin="4711",
    )
    written = set(extension_table(extension, with_secrets=True))
    assert written == {each.name for each in fields(Extension)} - {"number", "secrets", "previous_secrets"} | {
        "md5",
        "sha256",
    }
    assert set(trunk_table(FULL, with_secrets=True)) == {each.name for each in fields(Trunk)} - {"name"}
    operator = Operator("boss", Role.ADMIN, "scrypt$", (KEY,), "101")
    assert set(operator_table(operator, with_secrets=True)) == {each.name for each in fields(Operator)} - {"login"}


async def test_an_outside_line_keeps_its_password_unless_the_file_has_another(desk: Desk, store: Store) -> None:
    await furnish(desk)
    text = await export(desk)
    await bring_in(desk, text.replace('host = "sip.example.org"', 'host = "sip.example.com"'))
    line = store.configuration.trunks["telekom.de"]
    assert (line.host, line.password) == ("sip.example.com", "open line")
    await bring_in(desk, text.replace('username = "493055"', 'username = "493055"\npassword = "another"'))
    assert store.configuration.trunks["telekom.de"].password == "another"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("[trunk.x]\nport = 5060", "line 2, trunk.x.host: it has no host"),
        ('[trunk.x]\nhost = "1.2.3"', "line 3, trunk.x.host: '1.2.3' is no host"),
        ('[trunk.x]\nhost = "a.b"\nport = 99999', "line 4, trunk.x.port: '99999' is no port"),
        ('[trunk.x]\nhost = "a.b"\nmax_in = "many"', "line 4, trunk.x.max_in: 'many' cannot be used"),
        ('[trunk.x]\nhost = "a.b"\nidentity = "paid"', "line 4, trunk.x.identity: 'paid' is not known"),
        ('[trunk.x]\nhost = "a.b"\nregisters = true', "trunk x cannot register without a login"),
        ('[trunk.x]\nhost = "a.b"\nwires = 2', "line 4, trunk.x.wires: this is not known here"),
        ('[trunk."a b"]\nhost = "a.b"', "'a b' is no name of a trunk"),
    ],
)
async def test_mistakes_about_outside_lines_are_named(desk: Desk, table: str, said: str) -> None:
    with pytest.raises(RefusedError) as caught:
        await bring_in(desk, f"format = 1\n{table}\n")
    assert said in str(caught.value)


async def test_every_parameter_is_in_it_with_its_help(desk: Desk) -> None:
    text = await export(desk)
    for name, param in PARAMS.items():
        assert f"# {param.help}\n# {name} = " in text


async def test_new_people_get_passwords_that_are_told_once(desk: Desk, store: Store) -> None:
    await furnish(desk)
    text = await export(desk) + '\n[extension.103]\nname = "Eva"\n[operator.eva]\nrole = "viewer"\n'
    report = await bring_in(desk, text)
    assert lines(report) == ["+ extension 103 Eva", "+ operator eva"]
    made = {each.account: each.password for each in report.passwords}
    assert set(made) == {"103", "eva"}
    realm = store.configuration.realm
    assert store.configuration.extensions["103"].secrets == digest_secrets("103", realm, made["103"])
    assert check_operator(store.configuration, "eva", made["eva"]) is not None


async def test_who_is_not_in_the_file_is_removed_and_known_to_the_engine_at_once(
    desk: Desk, store: Store, office: FakeOffice
) -> None:
    await furnish(desk)
    report = await bring_in(desk, f'{HEAD}[extension.102]\nname = "Bo"\n{BOSS}')
    assert lines(report) == [
        "~ extension 102 name: none → Bo",
        "- extension 101",
        "- trunk gateway",
        "- trunk telekom.de",
        "- operator a.b",
        "~ param code_echo_test off → *43",
        "~ param codecs PCMU,PCMA → PCMA,PCMU,G722,OPUS",
        "~ param ring_timeout_s 45 → 60",
    ]
    assert list(store.configuration.extensions) == ["102"]
    assert list(store.configuration.operators) == ["boss"]
    assert store.configuration.params["ring_timeout_s"] == 60
    assert office.applied[-1] == store.configuration


async def test_a_password_of_the_file_replaces_the_one_there_is(desk: Desk, store: Store) -> None:
    await furnish(desk)
    before = store.configuration.extensions["102"].secrets
    report = await bring_in(desk, f'{HEAD}[extension.102]\npassword = "another"\n{BOSS}')
    after = store.configuration.extensions["102"]
    assert after.secrets == digest_secrets("102", store.configuration.realm, "another")
    assert after.previous_secrets == before
    assert "~ extension 102 password changes" in lines(report)
    assert "another" not in repr(report)


async def test_a_dry_run_tells_and_changes_nothing(desk: Desk, store: Store) -> None:
    await furnish(desk)
    before = store.configuration
    report = await bring_in(desk, f"{HEAD}[extension.104]\n{BOSS}", dry_run=True)
    assert {"+ extension 104", "- extension 101", "- extension 102"} <= set(lines(report))
    assert report.passwords == ()
    assert store.configuration is before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("format = 1\n[extension.101\n", r"no TOML.*line 2"),
        (f"{HEAD}[param]\nring_timeout_s = {'9' * 5000}\n", r"no TOML: .*digits"),
        (f"{HEAD}x = {'[' * 5000}", r"no TOML: .*recursion"),
        (f'{HEAD}[site]\nrealm = "a\\r\\nVia: b"\n', r"line 3, site.realm: .* is no realm"),
        (f"{HEAD}[site]\nrealm = ''\n", r"line 3, site.realm: '' is no realm"),
        ("", r"format: the line 'format = 1' is missing: name a file that 'frontdesk export' wrote"),
        ("format = 2\n", r"line 1, format: its format is 2"),
        (f"{HEAD}[people]\n", r"line 2, people: this is not known here: use some of format, param"),
        (f"{HEAD}extension = 3\n", r"line 2, extension: 3 cannot be used: give a table"),
        (f"{HEAD}[extension.1x]\n", r"line 2, extension.1x: '1x' is no extension number"),
        (f"{HEAD}[extension.101]\nmax_calls = 0\n", r"line 3, extension.101.max_calls: max-calls cannot be 0"),
        (f"{HEAD}[extension.101]\n\nmax_calls = '2'\n", r"line 4, .*'2' cannot be used: give a whole number"),
        (f"{HEAD}[extension.101]\nmulti_device = 1\n", r"line 3, .*give true or false"),
        (f"{HEAD}[extension.101]\nrights = ['fly']\n", r"line 3, .*there is no right 'fly'"),
        (f"{HEAD}[extension.101]\nhold = 'up'\n", r"line 3, .*use one of pass, local"),
        (f"{HEAD}[extension.101]\nnmae = 'Anna'\n", r"line 3, extension.101.nmae: this is not known here"),
        (f"{HEAD}[extension.101]\nmd5 = 'x'\nsha256 = 'y'\n", r"line 3, .*no hash of a password"),
        (f"{HEAD}[extension.101]\npassword = 'ab'\n", r"line 3, .*the password has 2 characters"),
        (f"{HEAD}[param]\nspeed = 3\n", r"line 3, param.speed: there is no parameter 'speed'"),
        (f"{HEAD}[param]\nring_timeout_s = 1\n", r"line 3, param.ring_timeout_s: '1' is no value"),
        (f"{HEAD}[operator.boss]\nrole = 'king'\n", r"line 3, operator.boss.role: 'king' is not known"),
        (f"{HEAD}[operator.boss]\nextension = '199'\n", r"line 3, .*there is no extension 199"),
        (f"{HEAD}[operator.boss]\nkeys = ['nonsense']\n", r"line 3, .*no OpenSSH public key"),
        (f"{HEAD}[operator.boss]\npassword_hash = 'md5'\n", r"line 3, .*no hash of a password"),
    ],
)
def test_mistakes_are_named_by_line_and_key(text: str, said: str) -> None:
    with pytest.raises(RefusedError, match=said) as refused:
        read_wanted(text)
    assert refused.value.mend


async def test_one_mistake_and_nothing_is_changed(desk: Desk, store: Store) -> None:
    await furnish(desk)
    before = store.configuration
    with pytest.raises(RefusedError, match="max_calls"):
        await bring_in(desk, f"{HEAD}[extension.102]\n{BOSS}[extension.103]\nmax_calls = 0\n")
    assert store.configuration is before


async def test_an_office_without_administrator_is_refused(desk: Desk, store: Store) -> None:
    await furnish(desk)
    before = store.configuration
    with pytest.raises(RefusedError, match="the file leaves no administrator who can log in: give it an"):
        await bring_in(desk, f"{HEAD}[extension.101]\n")
    assert store.configuration is before


async def test_a_foreign_realm_needs_everybodys_password(desk: Desk, store: Store) -> None:
    await furnish(desk)
    with pytest.raises(RefusedError, match="another realm"):
        await bring_in(desk, f'{HEAD}[site]\nrealm = "elsewhere"\n[extension.101]\n{BOSS}')
    report = await bring_in(
        desk, f'{HEAD}[site]\nrealm = "elsewhere"\n[extension.101]\npassword = "hunter2"\n{BOSS}'
    )
    assert any("realm" in line for line in lines(report))
    assert store.configuration.realm == "elsewhere"
    assert store.configuration.extensions["101"].secrets == digest_secrets("101", "elsewhere", "hunter2")


@pytest.mark.parametrize("command", [ExportConfiguration(secrets=True), ImportConfiguration(HEAD)])
async def test_only_administrators_may(desk: Desk, command: Any) -> None:
    await furnish(desk)
    with pytest.raises(NotAllowedError):
        await desk.ask(Asker("a.b", Role.RECEPTIONIST, "101"), command)


def test_secrets_do_not_show_in_the_log() -> None:
    wanted = read_wanted(f'{HEAD}[extension.101]\npassword = "hunter2"\n{BOSS}')
    assert "hunter2" not in repr(wanted)
    assert "sesame" not in repr(wanted)
