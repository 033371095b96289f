"""Writes a backup: a consistent copy of the database while the office goes on, and every file beside it."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import sqlite3
import stat
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Set
from contextlib import closing, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from engine import __version__
from engine.backup.manifest import NAME, Entry, Manifest
from engine.core.errors import RefusedError, StateFolderError
from engine.core.paths import BACKUPS, DATABASE, FIRST_RUN, LOCK, LOG, SOCKET
from engine.store.folder import schema_version
from engine.store.trouble import explain

ASIDE = "before-restore-"
"""How folders begin that hold the state from before a restore."""
UNPACKING = ".restore-"
_LEFT_OUT = frozenset({SOCKET, LOCK, LOG, FIRST_RUN, DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"})
_TARGET_FAILS = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC")

Progress = Callable[[int, int], None]
"""Bytes done and bytes in all."""


def write_backup(folder: Path, file: Path, progress: Progress = lambda done, total: None) -> Manifest:
    """Write the backup of ``folder`` to ``file`` (mode 0600), whole or not at all; an engine may run meanwhile.

    Raises ``RefusedError`` when there is no office, it cannot be read, or ``file`` cannot be written.
    """
    if not (folder / DATABASE).exists():
        raise StateFolderError(f"there is no office in {folder}", "name its folder with --state")
    try:
        scratch = tempfile.mkdtemp(prefix=f".{file.name}.", dir=file.parent)
    except OSError as error:
        raise _cannot_write(file, error) from None
    copy, fresh = Path(scratch) / DATABASE, Path(scratch) / "archive"
    try:
        schema, office = _copy_database(folder, copy)
        ours = {file, Path(scratch)}
        files = [(path, str(path.relative_to(folder))) for path in sorted(_files_of(folder, ours))]
        manifest = _write_archive(fresh, [(copy, DATABASE), *files], schema, office, progress)
        os.replace(fresh, file)
        return manifest
    except OSError as error:
        raise _cannot_write(file, error) from None
    finally:
        for path in (copy, fresh):
            with suppress(OSError):
                path.unlink()
        with suppress(OSError):
            os.rmdir(scratch)


def _copy_database(folder: Path, target: Path) -> tuple[str, str]:
    """SQLite's own online copy, the state of one moment whatever is written meanwhile; (schema, office's name)."""
    source = folder / DATABASE
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with (
            closing(sqlite3.connect(f"file:{quote(str(source))}?mode=ro", uri=True, timeout=5)) as live,
            closing(sqlite3.connect(target)) as copy,
        ):
            live.backup(copy)  # in one step: between steps each commit of the office would begin it anew
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
            found = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise sqlite3.DatabaseError(f"quick check: {found}")
            schema = schema_version(copy, folder)
            row = copy.execute("SELECT value FROM param WHERE name = 'office_name'").fetchone()
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorname", "") in _TARGET_FAILS:  # the office itself is only read
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from None
        raise explain(error, folder) from None
    return schema or "", str(row[0]) if row else ""


def _files_of(folder: Path, left_out: Set[Path]) -> Iterator[Path]:
    """Every regular file that is part of the office: keys, voicemail, recordings, its own services."""
    for place, folders, names in os.walk(folder):
        is_top = Path(place) == folder
        if is_top:
            folders[:] = [name for name in folders if not name.startswith((ASIDE, UNPACKING)) and name != BACKUPS]
        folders[:] = [name for name in folders if Path(place, name) not in left_out]
        for name in names:
            path = Path(place) / name
            if (is_top and name in _LEFT_OUT) or path in left_out:
                continue
            with suppress(FileNotFoundError):  # the office goes on meanwhile
                if stat.S_ISREG(path.lstat().st_mode):
                    yield path


def _write_archive(
    target: Path, files: list[tuple[Path, str]], schema: str, office: str, progress: Progress
) -> Manifest:
    now = datetime.now(UTC)
    total = sum(size for path, _ in files if (size := _size(path)) is not None)
    done = 0
    entries: list[Entry] = []
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw:
        with tarfile.open(fileobj=raw, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
            for path, name in files:
                entry = _add(archive, path, name, partial(_tell, progress, done, total))
                if entry is not None:
                    entries.append(entry)
                    done += entry.size
            manifest = Manifest(__version__, schema, now.isoformat(timespec="seconds"), office, tuple(entries))
            data = manifest.as_bytes()
            archive.addfile(_header(NAME, len(data), now.timestamp()), io.BytesIO(data))
        raw.flush()
        os.fsync(raw.fileno())
    return manifest


def _tell(progress: Progress, before: int, total: int, size: int) -> None:
    progress(before + size, total)


def _size(path: Path) -> int | None:
    """``None`` for a file that the office has removed meanwhile."""
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return None


def _add(archive: tarfile.TarFile, path: Path, name: str, tell: Callable[[int], None]) -> Entry | None:
    """Add one file; ``None`` when the office has removed it meanwhile."""
    try:
        source = path.open("rb")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RefusedError(f"cannot read {path}: {error.strerror}", "check its owner and permissions") from None
    with source:
        info = os.fstat(source.fileno())
        counted = _Counted(source, tell)
        try:
            archive.addfile(_header(name, info.st_size, info.st_mtime), counted)  # type: ignore[arg-type]
        except OSError as error:
            if error.errno is not None:
                raise
            raise RefusedError(f"{path} became shorter while it was copied", "try again") from None
    return Entry(name, info.st_size, counted.sha256.hexdigest())


def _header(name: str, size: int, modified: float) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mode, header.mtime = size, 0o600, modified
    return header


class _Counted:
    """Hashes and counts what the archive reads."""

    def __init__(self, source: BinaryIO, tell: Callable[[int], None]) -> None:
        self._source = source
        self._tell = tell
        self._read = 0
        self.sha256 = hashlib.sha256()

    def read(self, size: int) -> bytes:
        data = self._source.read(size)
        self.sha256.update(data)
        self._read += len(data)
        self._tell(self._read)
        return data


def _cannot_write(file: Path, error: OSError) -> RefusedError:
    return RefusedError(
        f"cannot write {file}: {error.strerror or error}",
        "name a file on a disk with enough room that you may write",
    )
