"""An office goes into one file and comes back to the last byte; what is not whole and sound changes nothing."""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import sqlite3
import stat
import tarfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from engine.backup import restoring, writing
from engine.backup.manifest import NAME, Manifest, safe_path
from engine.backup.restoring import restore_backup
from engine.backup.writing import write_backup
from engine.core.errors import RefusedError, StateFolderError
from engine.core.paths import UNFINISHED
from engine.store.folder import prepare_folder
from engine.store.lock import EngineLock

Tree = dict[str, bytes]


def make_office(folder: Path, name: str = "Muster GmbH") -> Path:
    """A state folder with all there may be in one."""
    folder.mkdir(mode=0o700)
    with closing(sqlite3.connect(folder / "office.db")) as database, database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE alembic_version (version_num)")
        database.execute("INSERT INTO alembic_version VALUES ('0001')")
        database.execute("CREATE TABLE param (name, value)")
        database.execute("INSERT INTO param VALUES ('office_name', ?)", (name,))
    (folder / "ssh_host_key").write_text(f"key of {name}")
    (folder / "voicemail" / "101").mkdir(parents=True)
    (folder / "voicemail" / "101" / "1.wav").write_bytes(os.urandom(300_000))
    (folder / "lua" / "services").mkdir(parents=True)
    (folder / "lua" / "services" / "own.lua").write_text("return {}")
    for passing in ("engine.lock", "frontdesk.log", "first-run.txt"):
        (folder / passing).touch()
    return folder


def office_name(folder: Path) -> str:
    with closing(sqlite3.connect(folder / "office.db")) as database:
        return str(database.execute("SELECT value FROM param").fetchone()[0])


def tree_of(folder: Path) -> Tree:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def enduring(tree: Tree) -> Tree:
    return {name: data for name, data in tree.items() if name.startswith(("ssh", "voicemail", "lua"))}


@pytest.fixture
def office(tmp_path: Path) -> Path:
    return make_office(tmp_path / "state")


@pytest.fixture
def file(tmp_path: Path, office: Path) -> Path:
    path = tmp_path / "backup.tar.gz"
    write_backup(office, path)
    return path


def rewrite(file: Path, change: Callable[[list[tuple[tarfile.TarInfo, bytes]]], None]) -> None:
    """The archive again with other members."""
    with tarfile.open(file) as archive:
        members = []
        for member in archive:
            source = archive.extractfile(member)
            assert source is not None
            members.append((member, source.read()))
    change(members)
    with tarfile.open(file, "w:gz") as archive:
        for member, data in members:
            member.size = len(data) if member.isreg() else 0
            archive.addfile(member, io.BytesIO(data))


def test_comes_back_to_the_last_byte(office: Path, file: Path, tmp_path: Path) -> None:
    manifest, aside = restore_backup(tmp_path / "other", file)
    assert aside is None
    assert office_name(tmp_path / "other") == "Muster GmbH"
    assert enduring(tree_of(tmp_path / "other")) == enduring(tree_of(office))
    assert {entry.path for entry in manifest.files} == {
        "office.db", "ssh_host_key", "voicemail/101/1.wav", "lua/services/own.lua",
    }  # fmt: skip


def test_archive_is_for_its_owner_alone_and_nothing_lies_beside_it(file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(path.name for path in file.parent.iterdir()) == ["backup.tar.gz", "state"]


def test_database_is_of_one_moment_while_somebody_writes(office: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(office / "office.db", isolation_level=None)) as engine:
        engine.execute("BEGIN IMMEDIATE")
        engine.execute("UPDATE param SET value = 'Half written'")
        write_backup(office, tmp_path / "running.tar.gz")
        engine.execute("ROLLBACK")
    restore_backup(tmp_path / "other", tmp_path / "running.tar.gz")
    assert office_name(tmp_path / "other") == "Muster GmbH"


def test_database_is_copied_in_one_go_however_often_somebody_commits(office: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(office / "office.db", isolation_level=None)) as engine:
        engine.execute("CREATE TABLE bulk (data)")
        engine.execute("INSERT INTO bulk VALUES (zeroblob(40000000))")
        told: list[int] = []
        copied = threading.Event()

        def commit() -> None:
            with closing(sqlite3.connect(office / "office.db", isolation_level=None)) as busy:
                while not copied.is_set():
                    busy.execute("UPDATE param SET value = 'Muster GmbH ' || ?", (len(told),))
                    told.append(1)

        flood = threading.Thread(target=commit)
        flood.start()
        try:
            began = time.monotonic()
            writing._copy_database(office, tmp_path / "copy")
        finally:
            copied.set()
            flood.join()
        assert told
        assert time.monotonic() - began < 10


def test_backup_within_the_office_holds_no_copy_of_itself(office: Path) -> None:
    for _ in range(2):
        manifest = write_backup(office, office / "backup.tar.gz")
        assert {entry.path for entry in manifest.files} == {
            "office.db", "ssh_host_key", "voicemail/101/1.wav", "lua/services/own.lua",
        }  # fmt: skip


def test_file_that_the_office_removes_meanwhile_is_left_out(
    office: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_files_of", lambda *_: iter([office / "ssh_host_key", office / "call.pcap.new"]))
    manifest = write_backup(office, tmp_path / "b.tar.gz")
    assert [entry.path for entry in manifest.files] == ["office.db", "ssh_host_key"]
    restore_backup(tmp_path / "other", tmp_path / "b.tar.gz")


def test_progress_reaches_the_end(office: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    write_backup(office, tmp_path / "b.tar.gz", lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1] > 300_000
    restored: list[tuple[int, int]] = []
    restore_backup(tmp_path / "other", tmp_path / "b.tar.gz", lambda done, total: restored.append((done, total)))
    assert restored == sorted(restored)


def test_state_before_is_kept_beside(file: Path, tmp_path: Path) -> None:
    there = make_office(tmp_path / "there", "Elsewhere AG")
    _, aside = restore_backup(there, file)
    assert aside is not None
    assert office_name(there) == "Muster GmbH"
    assert office_name(aside) == "Elsewhere AG"
    assert not (there / UNFINISHED).exists()
    write_backup(there, tmp_path / "again.tar.gz")
    with tarfile.open(tmp_path / "again.tar.gz") as archive:
        assert not [name for name in archive.getnames() if "before-restore" in name]


def test_running_engine_is_refused(file: Path, office: Path) -> None:
    before = tree_of(office)
    lock = EngineLock.take(office)
    try:
        with pytest.raises(StateFolderError, match="stop it first"):
            restore_backup(office, file)
    finally:
        lock.release()
    assert enduring(tree_of(office)) == enduring(before)


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-5000])


def flipped(file: Path) -> None:
    plain = bytearray(gzip.decompress(file.read_bytes()))
    at = plain.index(b"key of Muster")
    plain[at] ^= 1
    file.write_bytes(gzip.compress(bytes(plain)))


def no_archive(file: Path) -> None:
    file.write_bytes(b"just some text" * 100)


def without_manifest(file: Path) -> None:
    rewrite(file, lambda members: members.__delitem__(-1))


def lacking_a_file(file: Path) -> None:
    rewrite(file, lambda members: members.__delitem__(1))


def climbing(file: Path) -> None:
    rewrite(file, lambda members: members.insert(1, (tarfile.TarInfo("../evil"), b"evil")))


def absolute(file: Path) -> None:
    rewrite(file, lambda members: members.insert(1, (tarfile.TarInfo("/tmp/evil"), b"evil")))


def linked(file: Path) -> None:
    link = tarfile.TarInfo("voicemail")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc"
    rewrite(file, lambda members: members.insert(0, (link, b"")))


def doubled(file: Path) -> None:
    rewrite(file, lambda members: members.insert(1, (tarfile.TarInfo("office.db"), b"other")))


def change_manifest(**fields: object) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        def write(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
            document = {**json.loads(members[-1][1]), **fields}
            members[-1] = (members[-1][0], json.dumps(document).encode())

        rewrite(file, write)

    return change


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (truncated, "damaged or no backup"),
        (flipped, "ssh_host_key is not what was written"),
        (no_archive, "damaged or no backup"),
        (without_manifest, "incomplete"),
        (lacking_a_file, "is not what was written"),
        (climbing, "would lie elsewhere"),
        (absolute, "would lie elsewhere"),
        (linked, "is no file"),
        (doubled, "twice"),
        (change_manifest(schema="9999"), "newer"),
        (change_manifest(format=2), "newer Frontdesk wrote it"),
        (change_manifest(files=3), "manifest cannot be read"),
    ],
)
def test_what_is_not_whole_and_sound_changes_nothing(
    file: Path, tmp_path: Path, spoil: Callable[[Path], None], said: str
) -> None:
    there = make_office(tmp_path / "there", "Elsewhere AG")
    before = tree_of(there)
    spoil(file)
    with pytest.raises(RefusedError, match=said) as refused:
        restore_backup(there, file)
    assert refused.value.mend
    assert tree_of(there) == before
    assert not (tmp_path / "evil").exists()


def test_failure_half_way_puts_everything_back(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = make_office(tmp_path / "there", "Elsewhere AG")
    before = tree_of(there)

    def fail(folder: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(restoring, "_sync", fail)
    with pytest.raises(StateFolderError, match="everything is as it was"):
        restore_backup(there, file)
    assert tree_of(there) == before


def test_restore_that_was_cut_short_is_noticed_and_can_be_done_again(file: Path, tmp_path: Path) -> None:
    there = make_office(tmp_path / "there", "Elsewhere AG")
    (there / UNFINISHED).touch()
    with pytest.raises(StateFolderError, match="frontdesk restore"):
        prepare_folder(there)
    restore_backup(there, file)
    prepare_folder(there)
    assert office_name(there) == "Muster GmbH"


def test_two_restores_in_one_second_keep_both_states(file: Path, tmp_path: Path) -> None:
    there = make_office(tmp_path / "there", "Elsewhere AG")
    asides = [restore_backup(there, file)[1] for _ in range(3)]
    assert [office_name(aside) for aside in asides if aside] == ["Elsewhere AG", "Muster GmbH", "Muster GmbH"]
    assert len(set(asides)) == 3
    prepare_folder(there)


def test_what_root_restores_belongs_to_the_office(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = make_office(tmp_path / "there", "Elsewhere AG")
    given: dict[str, tuple[int, int]] = {}

    def note(path: Path, user: int, group: int, *, follow_symlinks: bool = True) -> None:
        assert not follow_symlinks
        name = path.relative_to(there).as_posix()
        given[name.partition("/")[2] if name.startswith(writing.UNPACKING) else name] = (user, group)

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", note)
    monkeypatch.setattr(os, "fchown", lambda *_: None)
    _, aside = restore_backup(there, file)
    assert aside is not None
    new = {path.relative_to(there).as_posix() for path in there.rglob("*") if aside not in path.parents}
    assert given.keys() == new - {"engine.lock"}
    assert set(given.values()) == {(there.stat().st_uid, there.stat().st_gid)}


def test_second_try_that_fails_leaves_the_mark_of_the_first(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = make_office(tmp_path / "there", "Elsewhere AG")
    (there / UNFINISHED).touch()

    def fail(folder: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(restoring, "_sync", fail)
    with pytest.raises(StateFolderError, match="everything is as it was"):
        restore_backup(there, file)
    assert (there / UNFINISHED).exists()


def test_full_disk_leaves_no_half_backup(office: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kept.tar.gz").write_text("the backup before")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writing.os, "fsync", full)
    with pytest.raises(RefusedError, match="No space left"):
        write_backup(office, tmp_path / "kept.tar.gz")
    assert (tmp_path / "kept.tar.gz").read_text() == "the backup before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.tar.gz", "state"]


def test_disk_too_small_for_a_restore_is_said_before_anything_is_moved(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "_MARGIN_BYTES", 2**60)
    with pytest.raises(RefusedError, match="no room"):
        restore_backup(tmp_path / "other", file)
    assert not (tmp_path / "other" / "office.db").exists()


def test_damaged_database_is_not_backed_up(office: Path, tmp_path: Path) -> None:
    (office / "office.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StateFolderError, match="damaged"):
        write_backup(office, tmp_path / "b.tar.gz")
    assert not (tmp_path / "b.tar.gz").exists()


def test_no_office_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(StateFolderError, match="there is no office"):
        write_backup(tmp_path, tmp_path / "b.tar.gz")


@pytest.mark.parametrize("name", ["", "..", "../x", "a/../../x", "/x", "a\\b", "a\0b", "x" * 2000])
def test_path_that_leaves_the_folder_is_refused(name: str) -> None:
    with pytest.raises(RefusedError):
        safe_path(name)


def test_manifest_reads_what_it_wrote() -> None:
    manifest = Manifest("1", "0001", "2026-01-01", "Muster", ())
    assert Manifest.parse(manifest.as_bytes()) == manifest
    assert NAME == "manifest.json"
