"""The store keeps what it is given, and shows only what is committed."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.core.audit import AuditEntry, Outcome
from engine.core.clock import ManualClock
from engine.core.errors import RefusedError
from engine.store.configuration import Configuration, Extension, Operator, Right, Role
from engine.store.record_query import RecordQuery
from engine.store.rows import Rows
from engine.store.store import Store
from tests.unit.store.samples import MONDAY, a_binding, a_record, an_extension


def put(store: Store, extension: Extension) -> None:
    store.submit(lambda rows: rows.extensions.put(extension)).result(5)


def test_database_belongs_to_its_owner_alone(store: Store) -> None:
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    for file in store.folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_committed_change_is_in_the_configuration_when_the_future_is_done(store: Store) -> None:
    before = store.configuration
    anna = replace(an_extension(), rights=frozenset({Right.LISTEN, Right.PICKUP}), codecs=("PCMA", "G722"))
    put(store, anna)
    assert store.configuration.extensions["101"] == anna
    assert store.configuration.revision == before.revision + 1
    assert "101" not in before.extensions


def test_configuration_survives_reopening(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    put(store, an_extension())
    boss = Operator("boss", Role.SUPERVISOR, None, keys=("ssh-ed25519 AAAA a", "ssh-rsa BBBB b"), extension="101")
    store.submit(lambda rows: rows.operators.put(boss)).result(5)
    store.submit(lambda rows: rows.params.put("ring_timeout_s", "20")).result(5)
    store.close()
    again = Store.open(tmp_path)
    again.close()
    assert again.configuration.realm == store.configuration.realm != ""
    assert again.configuration.extensions == {"101": an_extension()}
    assert again.configuration.operators == {"boss": boss}
    assert again.configuration.params["ring_timeout_s"] == 20


def test_failing_work_undoes_only_its_own_changes(store: Store) -> None:
    def fail(rows: Rows) -> None:
        rows.extensions.put(an_extension("103"))
        rows.session.flush()
        raise RefusedError("no")

    gate = threading.Event()
    first = store.submit(lambda rows: gate.wait(5))
    jobs = [
        store.submit(lambda rows: rows.extensions.put(an_extension("102"))),
        store.submit(fail),
        store.submit(lambda rows: rows.extensions.put(an_extension("104"))),
    ]
    gate.set()
    first.result(5)
    jobs[0].result(5)
    jobs[2].result(5)
    with pytest.raises(RefusedError, match="no"):
        jobs[1].result(5)
    assert list(store.configuration.extensions) == ["102", "104"]


def test_listeners_hear_of_a_change_once_and_not_of_none(store: Store) -> None:
    heard: list[Configuration] = []
    store.on_change(heard.append)
    put(store, an_extension())
    put(store, an_extension())
    assert [c.revision for c in heard] == [store.configuration.revision]


def test_a_listener_that_fails_does_not_end_the_writing(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    def fail(configuration: Configuration) -> None:
        raise ValueError("no")

    store.on_change(fail)
    put(store, an_extension())
    put(store, an_extension("102"))
    assert list(store.configuration.extensions) == ["101", "102"]
    assert "could not be shown" in caplog.text


def test_edit_of_another_program_is_noticed(store: Store) -> None:
    noticed = threading.Event()
    put(store, an_extension())
    store.on_change(lambda configuration: noticed.set())
    other = sqlite3.connect(store.folder / "office.db")
    with other:
        other.execute("UPDATE extension SET name = 'Berta'")
    other.close()
    assert noticed.wait(5)
    assert store.configuration.extensions["101"].name == "Berta"


def test_row_spoilt_by_an_outside_hand_is_left_out(store: Store) -> None:
    put(store, an_extension("101"))
    put(store, an_extension("102"))
    store.submit(
        lambda rows: rows.session.connection().exec_driver_sql("UPDATE extension SET hold='x' WHERE number='101'")
    )
    store.submit(lambda rows: rows.params.put("ring_timeout_s", "soon")).result(5)
    assert list(store.configuration.extensions) == ["102"]
    assert store.configuration.params["ring_timeout_s"] == 60


def test_parameter_that_is_no_text_gives_way_to_its_default(store: Store) -> None:
    store.submit(
        lambda rows: rows.session.connection().exec_driver_sql("INSERT INTO param VALUES ('office_name', x'4146')")
    ).result(5)
    put(store, an_extension())
    assert store.configuration.params["office_name"] == "Frontdesk"


def test_extensions_are_in_numeric_order(store: Store) -> None:
    for number in ("1000", "99", "101"):
        put(store, an_extension(number))
    assert list(store.configuration.extensions) == ["99", "101", "1000"]


def test_bindings_survive_a_restart(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store.put_binding(a_binding(cseq=1))
    store.put_binding(a_binding(cseq=2))
    store.put_binding(a_binding("sip:101@127.6.0.2"))
    store.put_binding(a_binding("sip:101@127.6.0.3"))
    store.drop_binding("101", "sip:101@127.6.0.3")
    store.close()
    again = Store.open(tmp_path)
    again.close()
    assert again.load_bindings() == [a_binding(cseq=2), a_binding("sip:101@127.6.0.2")]


@pytest.mark.parametrize("path", [(), ('"a\u2028b" <sip:edge;lr>', "<sip:core;lr>")])
def test_a_path_comes_back_as_it_was_put(tmp_path: Path, path: tuple[str, ...]) -> None:
    store = Store.open(tmp_path)
    store.put_binding(replace(a_binding(), path=path))
    store.close()
    again = Store.open(tmp_path)
    again.close()
    assert [binding.path for binding in again.load_bindings()] == [path]


def test_removed_extension_takes_its_bindings_along(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    put(store, an_extension())
    store.put_binding(a_binding())
    assert store.submit(lambda rows: rows.extensions.remove("101")).result(5)
    assert not store.submit(lambda rows: rows.extensions.remove("101")).result(5)
    store.close()
    again = Store.open(tmp_path)
    again.close()
    assert again.load_bindings() == []


def test_forgotten_bindings_are_counted(store: Store) -> None:
    store.put_binding(a_binding())
    store.put_binding(a_binding("sip:2"))
    assert store.submit(lambda rows: rows.forget_bindings("101", "sip:2")).result(5) == 1
    assert store.submit(lambda rows: rows.forget_bindings("101")).result(5) == 1


def test_records_come_back_newest_first_and_unchanged(store: Store) -> None:
    records = [a_record("a", 0), a_record("b", 10), a_record("c", 20)]
    for record in records:
        store.put_record(record)
    assert store.list_records().result(5) == tuple(reversed(records))
    assert store.list_records(since=records[1].started_at).result(5) == (records[2], records[1])
    assert store.list_records(before=records[1].started_at).result(5) == (records[0],)
    assert store.list_records(limit=1).result(5) == (records[2],)


def test_records_are_found_by_who_how_and_trunk(store: Store) -> None:
    store.put_record(
        replace(a_record("in", 0), caller="+4930_5", callee="101", trunk_in="berlin", answered_at=None)
    )
    store.put_record(replace(a_record("out", 10), caller="102", callee="0%30", trunk_out="berlin"))
    store.put_record(replace(a_record("inside", 80), caller="102", callee="103"))

    def found(query: RecordQuery) -> list[str]:
        return [record.id for record in store.read(lambda rows: rows.records(query)).result(5)]

    assert found(RecordQuery(who="30")) == ["out", "in"]
    assert found(RecordQuery(who="%3")) == ["out"]
    assert found(RecordQuery(who="0_5")) == ["in"]
    assert found(RecordQuery(who="anna", numbers=("103",))) == ["inside"]
    assert found(RecordQuery(is_answered=False)) == ["in"]
    assert found(RecordQuery(is_answered=True)) == ["inside", "out"]
    assert found(RecordQuery(trunk="berlin", limit=1)) == ["out"]
    counted = store.read(lambda rows: rows.record_counts(RecordQuery())).result(5)
    assert [(answered, missed) for _hour, answered, missed in counted] == [(1, 1), (1, 0)]
    assert counted[0][0] == a_record("in", 0).started_at.replace(minute=0, second=0, microsecond=0)


def test_a_cause_that_is_no_text_does_not_cost_the_record(store: Store) -> None:
    store.put_record(replace(a_record(), cause="486 Bu\udcffsy"))
    assert [record.cause for record in store.list_records().result(5)] == ["486 Bu\\xffsy"]


def test_records_older_than_the_parameter_are_pruned(tmp_path: Path) -> None:
    store = Store.open(tmp_path, clock=ManualClock(wall=MONDAY + timedelta(days=30)))
    store.put_record(a_record("old"))
    store.put_record(a_record("young", minutes=60 * 24 * 29))
    store.submit(lambda rows: rows.params.put("record_keep_days", "7")).result(5)
    assert store.prune_records().result(5) == 1
    assert [record.id for record in store.list_records().result(5)] == ["young"]
    store.close()


def test_a_clock_that_is_years_ahead_costs_no_record(tmp_path: Path) -> None:
    store = Store.open(tmp_path, clock=ManualClock(wall=MONDAY + timedelta(days=10 * 365)))
    store.put_record(a_record("lately"))
    assert store.prune_records().result(5) == 0
    store.submit(lambda rows: rows.params.put("record_keep_days", "31")).result(5)
    assert store.prune_records().result(5) == 0
    store.close()


def test_closing_writes_what_waits(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    for count in range(500):
        store.put_record(a_record(f"c{count}", count))
    store.close()
    store.close()
    again = Store.open(tmp_path)
    assert len(again.list_records().result(5)) == 500
    again.close()


def test_work_after_closing_is_refused(store: Store) -> None:
    store.close()
    with pytest.raises(RefusedError, match="closed"):
        store.flush().result(5)


def test_the_audit_log_only_grows(store: Store) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    entries = [
        AuditEntry(at + timedelta(minutes=place), "desk", "103", "listen", "7f3a", outcome, "a \udcff word")
        for place, outcome in enumerate(Outcome)
    ]
    for entry in entries:
        store.put_audit(entry)
    listed = store.list_audit().result(5)
    assert [(each.at, each.outcome) for each in listed] == [(each.at, each.outcome) for each in reversed(entries)]
    assert listed[0].reason is not None
    assert listed[0].reason.startswith("a ")
    assert store.list_audit(since=at + timedelta(minutes=1), limit=1).result(5) == listed[:1]
    assert store.list_audit(before=at).result(5) == ()
    with closing(sqlite3.connect(store.folder / "office.db")) as database:
        for statement in (
            "UPDATE audit SET who = 'nobody'",
            "DELETE FROM audit",
            "INSERT OR REPLACE INTO audit (row, at, who, action, outcome) VALUES (1, 0, 'x', 'listen', 'done')",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                database.execute(statement)


def test_a_start_loads_nothing_that_only_the_writer_needs() -> None:
    """SQLModel and its like take half a second and more."""
    heavy = ("sqlmodel", "sqlalchemy", "alembic", "aiohttp", "aiosmtplib", "vobject")
    said = f"import sys, engine.app; print([name for name in {heavy} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True, timeout=120)
    assert told.stdout.strip() == "[]"
