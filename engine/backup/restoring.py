"""Restores a backup: everything is unpacked and checked first, then changes places with the state there is."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from engine.backup.manifest import MOST_BYTES, NAME, Entry, Manifest, safe_path
from engine.backup.writing import ASIDE, UNPACKING, Progress
from engine.core.errors import RefusedError, StateFolderError
from engine.core.paths import DATABASE, LOCK, UNFINISHED
from engine.store.folder import SCHEMA_VERSIONS, give_to_owner, schema_version
from engine.store.lock import EngineLock, running_pid

_CHUNK = 2**20
_MARGIN_BYTES = 16 * 2**20
_DAMAGED = "use another backup"


def restore_backup(
    folder: Path, file: Path, progress: Progress = lambda done, total: None
) -> tuple[Manifest, Path | None]:
    """Make ``folder`` what ``file`` holds; what the backup says of itself, and where the state before lies.

    Refused while an engine runs, and for an archive that is damaged, incomplete, newer or holds anything that
    would lie elsewhere: nothing is changed then. Raises ``RefusedError``.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StateFolderError(f"cannot make {folder}: {error.strerror}", "choose another with --state") from None
    with _locked(folder):
        try:
            fresh = Path(tempfile.mkdtemp(prefix=UNPACKING, dir=folder))
        except OSError as error:
            raise StateFolderError(f"cannot write in {folder}: {error.strerror}", "check its owner") from None
        try:
            manifest = _unpack(file, fresh, progress)
            _check_database(fresh, manifest)
            for path in fresh.rglob("*"):
                give_to_owner(folder, path)
            return manifest, _change_places(folder, fresh)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Nobody starts an engine on ``folder`` meanwhile."""
    if (pid := running_pid(folder)) is not None:
        raise StateFolderError(f"an engine runs on {folder} (pid {pid})", "stop it first: frontdesk stop")
    lock = EngineLock.take(folder)
    try:
        yield
    finally:
        lock.release()


# -- unpacking --------------------------------------------------------------------------------------------------


def _unpack(file: Path, target: Path, progress: Progress) -> Manifest:
    """Unpack into ``target`` and check every byte against the manifest."""
    try:
        with file.open("rb") as raw, tarfile.open(fileobj=raw, mode="r|gz") as archive:
            size = os.fstat(raw.fileno()).st_size

            def tell() -> None:
                progress(min(raw.tell(), size), size)

            found, manifest = _unpack_members(archive, target, tell)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise RefusedError(f"{file} is damaged or no backup: {error}", _DAMAGED) from None
    except RefusedError as error:
        raise RefusedError(f"{file}: {error.what}", error.mend) from None
    except OSError as error:
        if error.errno is None:
            raise RefusedError(f"{file} is damaged or no backup: {error}", _DAMAGED) from None
        raise RefusedError(
            f"cannot restore {file}: {error.strerror}", "check the file and the space left, then try again"
        ) from None
    if manifest is None:
        raise RefusedError(f"{file} is incomplete: its manifest is missing", _DAMAGED)
    wanted = {entry.path: entry for entry in manifest.files}
    if found != wanted or DATABASE not in wanted:
        wrong = sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
        raise RefusedError(
            f"{file} is damaged: {', '.join(wrong[:3]) or DATABASE} is not what was written", _DAMAGED
        )
    return manifest


def _unpack_members(
    archive: tarfile.TarFile, target: Path, tell: Callable[[], None]
) -> tuple[dict[str, Entry], Manifest | None]:
    found: dict[str, Entry] = {}
    room = shutil.disk_usage(target).free - _MARGIN_BYTES
    for member in archive:
        if not member.isreg():
            raise RefusedError(f"it holds {member.name[:100]!r}, which is no file", "do not use this backup")
        path = safe_path(member.name)
        source = archive.extractfile(member)
        assert source is not None
        if member.name == NAME:
            return found, Manifest.parse(source.read(MOST_BYTES))
        if member.name in found:
            raise RefusedError(f"it holds {member.name[:100]!r} twice", "do not use this backup")
        room -= member.size
        if room < 0:
            raise RefusedError("the disk has no room for it", "free some space, then try again")
        found[member.name] = _unpack_file(source, target / path, member.name)
        tell()
    return found, None


def _unpack_file(source: IO[bytes], target: Path, name: str) -> Entry:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    sha256, size = hashlib.sha256(), 0
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as copy:
        while data := source.read(_CHUNK):
            sha256.update(data)
            size += len(data)
            copy.write(data)
        copy.flush()
        os.fsync(copy.fileno())
    return Entry(name, size, sha256.hexdigest())


def _check_database(fresh: Path, manifest: Manifest) -> None:
    """Sound, and of a schema that this program knows or can bring up to date."""
    if manifest.schema not in SCHEMA_VERSIONS:
        raise RefusedError(
            f"Frontdesk {manifest.version} wrote the backup, which is newer (schema {manifest.schema})",
            "restore it with that version",
        )
    try:
        with closing(sqlite3.connect(fresh / DATABASE)) as connection:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            schema_version(connection, fresh)
    except sqlite3.Error as error:
        found = str(error)
    if found != "ok":
        raise RefusedError(f"the database in the backup is damaged: {found}", _DAMAGED)


# -- changing places --------------------------------------------------------------------------------------------


def _change_places(folder: Path, fresh: Path) -> Path | None:
    """Move what is there aside and what was unpacked in; on an error everything goes back.

    Moved within the folder, which may be a mount or belong to a service; a crash on the way leaves a mark that no
    engine starts on.
    """
    kept = [path for path in folder.iterdir() if path != fresh and path.name not in (LOCK, UNFINISHED)]
    old = [path for path in kept if not path.name.startswith((ASIDE, UNPACKING))]
    aside = _free_name(folder / f"{ASIDE}{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    mark = folder / UNFINISHED
    was_cut_short = mark.exists()
    moved: list[tuple[Path, Path]] = []
    try:
        mark.touch(0o600)
        if old:
            aside.mkdir(0o700)
            give_to_owner(folder, aside)
        for path, target in [(path, aside / path.name) for path in old] + [
            (path, folder / path.name) for path in fresh.iterdir()
        ]:
            path.rename(target)
            moved.append((path, target))
        _sync(folder)
    except OSError as error:
        for path, target in reversed(moved):
            target.rename(path)
        if aside.exists():
            aside.rmdir()
        if not was_cut_short:
            mark.unlink(missing_ok=True)
        raise StateFolderError(
            f"cannot put the backup in place: {error.strerror}; everything is as it was", "check the folder's owner"
        ) from None
    mark.unlink()
    return aside if old else None


def _free_name(path: Path) -> Path:
    """``path``, numbered when a restore in the same second has it already."""
    names = (path, *(path.with_name(f"{path.name}-{number}") for number in range(2, 1000)))
    return next(name for name in names if not name.exists())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
