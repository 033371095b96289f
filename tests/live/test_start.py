"""The engine's start and end: first run, what stands in its way, and what it says then."""

from __future__ import annotations

import os
import re
import socket
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import processes
from tests.live.network import Network
from tests.live.office import SIP_PORT, Office, Outcome, new_office


@pytest.fixture
def closed(tmp_path: Path, network: Network) -> Iterator[Office]:
    """An office whose engine does not run; stopped at the end when the test started it."""
    office = new_office(tmp_path, network)
    yield office
    if office.process:
        office.stop()


def try_to_run(office: Office) -> Outcome:
    """Run the engine where it is expected to end by itself."""
    log = office.state.with_name("refused.log")
    log.unlink(missing_ok=True)
    process = processes.start(office.arguments(), log=log)
    try:
        status = process.wait(20)
    finally:
        processes.stop(process)
    return Outcome(status, "", log.read_text())


def assert_refused(outcome: Outcome, *words: str) -> None:
    """Status 1 and one line that holds ``words``; the log before it tells at most of a new office."""
    assert outcome.status == 1, outcome
    *log, line = outcome.err.strip().splitlines()
    assert all(" INFO engine." in entry for entry in log), outcome.err
    for word in words:
        assert word in line, outcome.err


def test_a_headless_first_run_writes_its_secrets_to_one_private_file(closed: Office) -> None:
    closed.start()
    first_run = closed.state / "first-run.txt"
    text = first_run.read_text()
    assert stat.S_IMODE(first_run.stat().st_mode) == 0o600
    assert {"100", "101", "102"} <= {row["number"] for row in closed.json("extension", "list")}
    assert "first-run.txt" in closed.log()
    secrets = [
        word for word in re.findall(r"\S{12,}", text) if re.search(r"\d", word) and re.search(r"[A-Za-z]", word)
    ]
    assert secrets, text
    for secret in secrets:
        assert secret not in closed.log() or "/" in secret
    listeners = {(row["kind"], row["address"]) for row in closed.json("status")["listeners"]}
    assert ("udp", closed.address) in listeners
    assert ("udp", closed.ipv6_address) in listeners
    assert any(kind == "ssh" for kind, _ in listeners)


def test_a_second_run_keeps_the_office(closed: Office) -> None:
    closed.start()
    closed.extension("150", "--name", "Kept")
    closed.stop()
    closed.start()
    names = {row["number"]: row["name"] for row in closed.json("extension", "list")}
    assert names["150"] == "Kept"


def test_a_second_engine_on_one_state_folder_is_refused_and_names_the_first(
    closed: Office, network: Network
) -> None:
    closed.start()
    assert closed.process
    second = Office(closed.state, network.host(), network.ports(2)[0], network.ports(100))
    assert_refused(try_to_run(second), str(closed.json("status")["pid"]))
    assert closed.json("status")["calls"] == 0


def test_a_sip_port_in_use_is_named(closed: Office) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((closed.host, SIP_PORT))
        assert_refused(try_to_run(closed), str(SIP_PORT), closed.host)
    closed.start()


def test_an_ssh_port_in_use_is_named(closed: Office) -> None:
    with socket.socket() as other:
        other.bind((closed.host, closed.ssh_port))
        other.listen()
        assert_refused(try_to_run(closed), str(closed.ssh_port))


def test_a_damaged_database_is_named_and_left_as_it_is(closed: Office) -> None:
    closed.start()
    closed.stop()
    database = database_of(closed)
    damaged = b"this is no database any more\n" * 400
    database.write_bytes(damaged)
    for leftover in database.parent.glob(f"{database.name}-*"):
        leftover.unlink()
    assert_refused(try_to_run(closed), str(database))
    assert database.read_bytes() == damaged


def test_a_database_that_another_program_locks_is_named(closed: Office) -> None:
    closed.start()
    closed.stop()
    database = database_of(closed)
    with sqlite3.connect(database, isolation_level=None) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        assert_refused(try_to_run(closed), str(database))
        other.execute("ROLLBACK")
    other.close()
    closed.start()


def test_a_state_folder_that_cannot_be_written_is_named(closed: Office) -> None:
    closed.state.parent.mkdir(exist_ok=True)
    closed.state.write_text("a file stands where the folder should be")
    assert_refused(try_to_run(closed), str(closed.state))


def test_the_state_folder_is_private(closed: Office) -> None:
    closed.start()
    assert stat.S_IMODE(os.stat(closed.state).st_mode) & 0o077 == 0


def test_wrong_usage_ends_with_status_2(closed: Office) -> None:
    assert closed.run("run", "--no-such-option").status == 2
    assert closed.run("no-such-command").status == 2


def test_a_command_that_needs_the_engine_says_that_none_runs(closed: Office) -> None:
    closed.start()
    closed.stop()
    assert closed.refuses("status")


def test_the_office_can_be_changed_while_no_engine_runs(closed: Office) -> None:
    closed.start()
    closed.stop()
    closed.extension("160")
    assert "160" in {row["number"] for row in closed.json("extension", "list")}
    assert "160" in closed.refuses("extension", "add", "160")


def database_of(office: Office) -> Path:
    (database,) = [path for path in office.state.iterdir() if path.read_bytes()[:15] == b"SQLite format 3"]
    return database


def test_the_engine_may_open_as_many_files_as_the_system_allows(closed: Office) -> None:
    """Four sockets a call: the usual limit of 1024 would end at 250 calls."""
    closed.prefix = ("prlimit", "--nofile=300:4000")
    closed.start()
    pid = closed.json("status")["pid"]
    limits = Path(f"/proc/{pid}/limits").read_text()
    assert re.search(r"Max open files +4000 +4000 ", limits), limits


def test_status_tells_whether_audio_goes_first(closed: Office) -> None:
    closed.start()
    status = closed.json("status")
    tasks = Path(f"/proc/{status['pid']}/task").iterdir()
    (media,) = (int(task.name) for task in tasks if (task / "comm").read_text() == "media\n")
    assert status["media"]["realtime"] == (os.sched_getscheduler(media) == os.SCHED_RR)
    assert ("real-time priority" in closed.cli("status")) == status["media"]["realtime"]
