"""A database that refuses: nothing is lost, one alarm, one clear line."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.core.errors import StateFolderError
from engine.store import folder as folder_module
from engine.store.backlog import MOST_RECORDS, Backlog
from engine.store.folder import prepare_folder
from engine.store.store import Store
from engine.store.trouble import explain
from tests.unit.store.samples import a_binding, a_record, an_extension


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A state folder with a database in it that nobody has open."""
    store = Store.open(tmp_path / "state")
    store.submit(lambda rows: rows.extensions.put(an_extension())).result(5)
    store.close()
    return tmp_path / "state"


def refusal(folder: Path) -> str:
    with pytest.raises(StateFolderError) as caught:
        Store.open(folder, patience_s=0.02)
    line = str(caught.value)
    assert "\n" not in line
    assert caught.value.mend
    return line


def test_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert "is not a folder" in refusal(tmp_path / "file")
    assert "is not a folder" in refusal(tmp_path / "file" / "below")


def test_unwritable_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_module.os, "access", lambda path, mode: False)
    assert "cannot be written" in refusal(tmp_path)


def test_folder_that_is_in_use_for_other_things_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "notes").touch()
    tmp_path.chmod(0o755)
    prepare_folder(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_file_that_is_no_database_is_left_untouched(tmp_path: Path) -> None:
    (tmp_path / "office.db").write_bytes(b"these are my love letters " * 200)
    assert "damaged" in refusal(tmp_path)
    assert (tmp_path / "office.db").read_bytes() == b"these are my love letters " * 200


def test_damaged_page_is_found_and_the_file_left_untouched(made: Path) -> None:
    file = made / "office.db"
    spoilt = bytearray(file.read_bytes())
    spoilt[4096:12288] = b"\xff" * 8192
    file.write_bytes(spoilt)
    line = refusal(made)
    assert "damaged" in line
    assert "backup" in line
    assert file.read_bytes() == spoilt


def test_database_of_another_program_is_refused(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "office.db")
    other.execute("CREATE TABLE cats (name TEXT)")
    other.close()
    assert "no database of Frontdesk" in refusal(tmp_path)


def test_database_of_a_newer_frontdesk_is_refused(made: Path) -> None:
    other = sqlite3.connect(made / "office.db")
    with other:
        other.execute("UPDATE alembic_version SET version_num = '9999'")
    other.close()
    assert "newer Frontdesk" in refusal(made)


def test_locked_database_is_refused_after_a_while(made: Path) -> None:
    other = sqlite3.connect(made / "office.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert "locked" in refusal(made)
    other.close()


def test_notes_wait_for_a_locked_database_and_raise_one_alarm(store: Store) -> None:
    alarms: list[str] = []
    alarmed = threading.Event()
    store.on_alarm(lambda text: (alarms.append(text), alarmed.set()))
    other = sqlite3.connect(store.folder / "office.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    store.put_record(a_record("a"))
    store.put_binding(a_binding())
    assert alarmed.wait(5)
    assert "locked" in (store.trouble or "")
    with pytest.raises(StateFolderError, match="locked"):
        store.submit(lambda rows: rows.extensions.put(an_extension())).result(5)
    assert store.list_records().result(5) == ()
    other.execute("ROLLBACK")
    store.put_record(a_record("b", 1))
    assert [record.id for record in _eventually(store, 2)] == ["b", "a"]
    assert len(alarms) == 1
    assert store.trouble is None
    other.close()


def test_notes_wait_for_room_on_a_full_disk(store: Store) -> None:
    alarmed = threading.Event()
    store.on_alarm(lambda text: alarmed.set())
    pages = _pragma(store, "page_count")
    _pragma(store, f"max_page_count={pages}")
    for count in range(300):
        store.put_record(a_record(f"c{count}", count))
    assert alarmed.wait(5)
    assert "disk is full" in (store.trouble or "")
    _pragma(store, "max_page_count=100000")
    assert len(_eventually(store, 300)) == 300
    assert store.trouble is None


def test_note_that_can_never_be_written_does_not_hold_up_the_others(store: Store) -> None:
    store.put_record(a_record("a"))
    store.put_record(replace(a_record("broken"), caller=None))  # type: ignore[arg-type]
    store.put_record(a_record("b", 1))
    store.flush().result(5)
    assert [record.id for record in store.list_records().result(5)] == ["b", "a"]


def test_backlog_is_bounded_and_counts_what_it_loses() -> None:
    backlog = Backlog()
    record = a_record()
    for _ in range(MOST_RECORDS + 3):
        backlog.add(record)
    assert len(backlog) == MOST_RECORDS
    assert backlog.lost == 3


def test_every_refusal_names_the_file_and_a_way_out() -> None:
    for said in ("database or disk is full", "disk I/O error", "unable to open database file", "what?"):
        line = str(explain(sqlite3.OperationalError(said), Path("/state")))
        assert "/state/office.db" in line
        assert ": " in line


def _pragma(store: Store, pragma: str) -> Any:
    def ask(rows: Any) -> Any:
        return rows.session.connection().exec_driver_sql(f"PRAGMA {pragma}").scalar()

    return store.read(ask).result(5)


def _eventually(store: Store, count: int) -> tuple[Any, ...]:
    """The records, once the writer's next try has written them."""
    for _ in range(500):
        records = store.list_records().result(5)
        if len(records) == count:
            return records
    raise AssertionError(f"{len(records)} of {count} records arrived")
