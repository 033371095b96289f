"""The doctor finds what is wrong, names it and says how to mend it."""

from __future__ import annotations

import errno
import os
import resource
import sqlite3
from contextlib import closing, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from engine.core.options import EngineOptions, HostPort
from engine.desk.client import EngineClient
from engine.desk.commands import StatusReport
from engine.doctor import folder as folders
from engine.doctor import keys, machine, outside, ports
from engine.doctor.finding import Finding, State
from engine.doctor.visit import examine

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def only(findings: list[Finding]) -> Finding:
    (finding,) = findings
    return finding


def state_of(findings: list[Finding], check: str) -> Finding:
    return next(finding for finding in findings if finding.check == check)


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """A state folder as an engine leaves it, without the store's half second."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    with sqlite3.connect(folder / "office.db") as database:
        database.execute("CREATE TABLE alembic_version (version_num)")
        database.execute("INSERT INTO alembic_version VALUES ('0001')")
        database.execute("CREATE TABLE record (ended_at)")
        database.execute("CREATE TABLE param (name, value)")
    database.close()
    (folder / "office.db").chmod(0o600)
    return folder


def test_sound_folder_is_well(office: Path) -> None:
    assert {finding.state for finding in folders.check_folder(office)} == {State.OK}
    assert only(list(folders.check_database(office))).state is State.OK


def test_visit_leaves_no_file_behind(office: Path) -> None:
    with closing(sqlite3.connect(office / "office.db")) as database:
        database.execute("PRAGMA journal_mode=WAL")
    before = sorted(office.iterdir())
    list(examine(EngineOptions(office, sip=(HostPort("192.0.2.1", 5060),))))
    assert sorted(office.iterdir()) == before


def test_what_a_running_engine_has_not_written_down_yet_is_seen(office: Path) -> None:
    with closing(sqlite3.connect(office / "office.db")) as engine, engine:
        engine.execute("PRAGMA journal_mode=WAL")
        engine.execute("UPDATE alembic_version SET version_num = '9999'")
        engine.commit()
        assert "newer" in only(list(folders.check_database(office))).says


def test_missing_folder_is_no_fault(tmp_path: Path) -> None:
    assert only(list(folders.check_folder(tmp_path / "none"))).state is State.OK
    assert list(folders.check_database(tmp_path / "none")) == []


def test_folder_open_to_others_is_named_with_its_mend(office: Path) -> None:
    office.chmod(0o755)
    finding = state_of(list(folders.check_folder(office)), "state folder")
    assert (finding.state, finding.mend) == (State.WARNING, f"chmod 700 {office}")


def test_secret_that_others_may_read_is_named(office: Path) -> None:
    (office / "ssh_host_key").write_text("secret")
    (office / "ssh_host_key").chmod(0o644)
    finding = state_of(list(folders.check_folder(office)), "secrets")
    assert finding.state is State.WARNING
    assert finding.mend == f"chmod 600 {office / 'ssh_host_key'}"


def test_first_run_passwords_left_lying_about_are_named(office: Path) -> None:
    (office / "first-run.txt").touch(0o600)
    assert state_of(list(folders.check_folder(office)), "first-run passwords").state is State.WARNING


def test_damaged_database_fails(office: Path) -> None:
    (office / "office.db").write_bytes(b"no database at all" * 100)
    finding = only(list(folders.check_database(office)))
    assert finding.state is State.FAILED
    assert "damaged" in finding.says
    assert "backup" in finding.mend


def test_database_of_a_newer_version_fails(office: Path) -> None:
    with sqlite3.connect(office / "office.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    assert "newer Frontdesk" in only(list(folders.check_database(office))).says


def test_records_from_the_future_tell_of_a_clock_that_jumped(office: Path) -> None:
    with sqlite3.connect(office / "office.db") as database:
        database.execute("INSERT INTO record VALUES (?)", ((datetime.now(UTC) + timedelta(days=400)).timestamp(),))
    database.close()
    finding = state_of(list(folders.check_database(office)), "call records")
    assert finding.state is State.WARNING
    assert "clock" in finding.mend


def test_full_disk_fails(office: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "FREE_FAILED", 2**80)
    finding = only(list(folders.check_disk(office)))
    assert (finding.state, finding.mend) == (State.FAILED, "free some space on it")


@pytest.mark.parametrize(
    ("number", "said", "mend"),
    [
        (errno.EADDRINUSE, "taken by another program", "--sip HOST:PORT"),
        (errno.EACCES, "more privileges", "install-service"),
        (errno.EADDRNOTAVAIL, "requested address", "another address"),
    ],
)
def test_port_that_cannot_be_had_fails(monkeypatch: pytest.MonkeyPatch, number: int, said: str, mend: str) -> None:
    monkeypatch.setattr(ports, "_try", lambda *_: OSError(number, os.strerror(number)))
    door = ports.Door("SIP over UDP", HostPort("192.0.2.1", 5060), False, "--sip HOST:PORT")
    finding = ports.check_door(door, frozenset())
    assert finding.state is State.FAILED
    assert said in finding.says
    assert mend in finding.mend


def test_our_own_port_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_try", lambda *_: OSError(errno.EADDRINUSE, "in use"))
    door = ports.Door("SSH console", HostPort("", 8022), True, "--ssh HOST:PORT")
    assert ports.check_door(door, frozenset({("192.0.2.1", 8022)})).state is State.OK


def test_crowded_media_range_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_udp_ports", lambda: iter(range(30000, 30050)))
    assert ports.check_media(30000, 30099, is_running=False).state is State.WARNING
    assert ports.check_media(30000, 39999, is_running=False).state is State.OK


@pytest.mark.parametrize(("granted", "state"), [(0, State.WARNING), (9, State.WARNING), (10, State.OK)])
def test_real_time_priority_is_asked_for_as_the_gateway_does(
    monkeypatch: pytest.MonkeyPatch, granted: int, state: State
) -> None:
    def allow(pid: int, policy: int, asked: os.sched_param) -> None:
        if asked.sched_priority > granted:
            raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", allow)
    finding = machine.real_time(machine.may_go_first())
    assert finding.state is state
    assert bool(finding.mend) is (state is State.WARNING)


def test_priority_of_an_engine_that_runs_is_its_own(office: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Client:
        def ask(self, command: object) -> StatusReport:
            return StatusReport("1", 60.0, 1, 0, 0, 0, "native", 0, (), 0.0, 0.0, media_is_real_time=False)

    monkeypatch.setattr(EngineClient, "connect", lambda folder: nullcontext(Client()))
    monkeypatch.setattr(machine, "may_go_first", lambda: True)
    findings = list(examine(EngineOptions(office)))
    assert state_of(findings, "real-time priority").state is State.WARNING


@pytest.mark.parametrize(
    ("hard", "state"),
    [(100, State.FAILED), (1024, State.WARNING), (20000, State.OK), (resource.RLIM_INFINITY, State.OK)],
)
def test_open_files_are_held_against_the_media_ports(
    monkeypatch: pytest.MonkeyPatch, hard: int, state: State
) -> None:
    monkeypatch.setattr(resource, "prlimit", lambda pid, what: (100, hard) if pid == 4711 else (1, 1))
    assert machine.check_open_files(30000, 39999, pid=4711).state is state


def test_codecs_without_one_to_play_in_fail() -> None:
    assert only(list(machine.check_codecs(("G729",)))).state is State.FAILED
    assert only(list(machine.check_codecs(("PCMA", "G729")))).state is State.OK


@pytest.mark.parametrize(("version", "state"), [("libopus 1.4", State.OK), (None, State.WARNING)])
def test_opus_without_its_library_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, version: str | None, state: State
) -> None:
    monkeypatch.setattr("engine.media._native.opus_version", lambda: version)
    found = state_of(list(machine.check_codecs(("PCMA", "OPUS"))), "opus")
    assert found.state is state
    assert version is not None or "libopus0" in (found.mend or "")


@pytest.mark.parametrize(("synchronised", "state"), [(True, State.OK), (None, State.OK), (False, State.WARNING)])
def test_clock_that_nobody_keeps_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, synchronised: bool | None, state: State
) -> None:
    monkeypatch.setattr(machine, "_is_synchronised", lambda: synchronised)
    assert machine.check_clock().state is state


@pytest.mark.parametrize("content", ["", "-----BEGIN OPENSSH PRIVATE KEY-----\nnonsense\n"])
def test_broken_ssh_key_fails(office: Path, content: str) -> None:
    (office / "ssh_host_key").write_text(content)
    finding = only(list(keys.check_ssh_key(office)))
    assert finding.state is State.FAILED
    assert "backup" in finding.mend


def write_pair(folder: Path, name: str, days: int) -> tuple[Path, Path]:
    """A self-signed certificate that ends ``days`` after NOW, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "office")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=100))
        .not_valid_after(NOW + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{name}.crt", folder / f"{name}.key"
    paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths


@pytest.mark.parametrize(("days", "state"), [(365, State.OK), (7, State.WARNING), (-1, State.FAILED)])
def test_certificate_is_held_against_the_calendar(tmp_path: Path, days: int, state: State) -> None:
    certificate, key = write_pair(tmp_path, "tls", days)
    assert only(list(keys.check_certificate(certificate, key, NOW))).state is state


def test_certificate_with_another_key_fails(tmp_path: Path) -> None:
    certificate, _ = write_pair(tmp_path, "tls", 365)
    _, foreign = write_pair(tmp_path, "other", 365)
    assert "not the key of" in only(list(keys.check_certificate(certificate, foreign, NOW))).says


def test_certificate_that_was_named_is_not_to_be_removed(tmp_path: Path) -> None:
    missing = tmp_path / "none.pem"
    finding = only(list(keys.check_certificate(missing, missing, NOW, is_wanted=True)))
    assert finding.state is State.FAILED
    assert finding.mend.endswith("frontdesk param set tls_certificate off")


def test_certificate_that_is_none_or_has_no_key_fails(tmp_path: Path) -> None:
    certificate, key = write_pair(tmp_path, "tls", 365)
    key.unlink()
    assert "cannot read" in only(list(keys.check_certificate(certificate, key, NOW))).says
    key.write_text("nonsense")
    assert "no PEM" in only(list(keys.check_certificate(certificate, key, NOW))).says


def test_every_fault_says_how_to_mend_it(office: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_try", lambda *_: None)
    (office / "office.db").write_bytes(b"damaged" * 1000)
    office.chmod(0o777)
    findings = list(examine(EngineOptions(office, sip=(HostPort("192.0.2.1", 5060),))))
    assert {"frontdesk", "engine", "disk", "SIP over UDP", "SIP over TCP", "SSH console", "clock"} <= {
        finding.check for finding in findings
    }
    assert state_of(findings, "database").state is State.FAILED
    assert all(finding.mend for finding in findings if finding.state is not State.OK)


@pytest.mark.parametrize(
    ("advertise", "nets", "sip", "state", "says"),
    [
        ("203.0.113.7", None, "127.0.0.1", State.OK, "203.0.113.7"),
        ("10.0.0.7", None, "127.0.0.1", State.WARNING, "nobody outside can reach"),
        ("10.0.0.7", ("10.1.0.0/16",), "127.0.0.1", State.OK, "10.0.0.7"),
        ("2001:db8:f::1", None, "127.0.0.1", State.FAILED, "no IPv6 address"),
        ("localhost", ("10.0.0.0/8",), "127.0.0.1", State.OK, "localhost is 127.0.0.1"),
    ],
)
def test_advertised_address_is_one_that_peers_outside_can_reach(
    tmp_path: Path, advertise: str, nets: tuple[str, ...] | None, sip: str, state: State, says: str
) -> None:
    options = EngineOptions(tmp_path, sip=(HostPort(sip, 5060),), advertise=advertise, local_nets=nets)
    finding = only(list(outside.check_advertised(options)))
    assert finding.state is state
    assert says in finding.says


def test_advertised_name_that_nobody_knows_fails(tmp_path: Path) -> None:
    options = EngineOptions(tmp_path, advertise="nobody.invalid", resolver=HostPort("127.0.0.1", 9))
    finding = only(list(outside.check_advertised(options)))
    assert finding.state is State.FAILED
    assert "'nobody.invalid' cannot be looked up" in finding.says
    assert "--resolver" in finding.mend


def test_office_without_a_nat_is_not_asked_for_its_address(tmp_path: Path) -> None:
    assert not list(outside.check_advertised(EngineOptions(tmp_path)))
