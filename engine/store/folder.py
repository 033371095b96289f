"""Opens a state folder's database, and refuses with one clear line what cannot be used."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from engine import __version__
from engine.core.errors import StateFolderError
from engine.core.paths import DATABASE, UNFINISHED
from engine.store.trouble import explain

SCHEMA_VERSIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")
"""Every schema this program knows, oldest first; the last is the one it works with."""

_CHECKED_BYTES = 32 * 2**20
"""A larger database is not read through at the start: that would keep the office waiting."""


def prepare_folder(folder: Path) -> None:
    """Make the folder (mode 0700) unless it exists; raises ``StateFolderError`` when it cannot be used."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not any(folder.iterdir()) and folder.stat().st_uid == os.getuid():
            folder.chmod(0o700)
    except (FileExistsError, NotADirectoryError):
        raise StateFolderError(f"{folder} is not a folder", "choose another with --state") from None
    except OSError as error:
        raise _folder_refusal(folder, error) from None
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise StateFolderError(
            f"the state folder {folder} cannot be written", "check its owner and permissions, or use --state"
        )
    if (folder / UNFINISHED).exists():
        raise StateFolderError(f"a restore of {folder} was cut short", "do it again: frontdesk restore FILE")


def give_to_owner(folder: Path, path: Path) -> None:
    """Let ``path``, made by root in ``folder``, belong to whom the folder belongs: the user of a service."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def open_database(folder: Path, patience_s: float) -> sqlite3.Connection:
    """A checked connection in autocommit mode; the file (mode 0600) is made when missing.

    Raises ``StateFolderError`` for a damaged file (left untouched), one that another program keeps locked for
    ``patience_s`` seconds, and one that a newer program wrote.
    """
    path = folder / DATABASE
    try:
        if path.exists() and path.stat().st_size:
            _examine(path)
        else:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(path, timeout=patience_s, isolation_level=None, check_same_thread=False)
    except OSError as error:
        raise _folder_refusal(path, error) from None
    except sqlite3.Error as error:
        raise explain(error, folder) from None
    try:
        connection.row_factory = sqlite3.Row
        _await_write_access(connection)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(f"PRAGMA busy_timeout={int(min(patience_s, 2.0) * 1000)}")
    except sqlite3.Error as error:
        connection.close()
        raise explain(error, folder) from None
    return connection


def look_into(path: Path) -> sqlite3.Connection:
    """A connection that only reads and leaves no file beside the database; raises ``sqlite3.Error``.

    Nobody writes a database without a log: SQLite need not make one to share it.
    """
    alone = "" if path.with_name(f"{path.name}-wal").exists() else "&immutable=1"
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro{alone}", uri=True, timeout=5)


def schema_version(connection: sqlite3.Connection, folder: Path) -> str | None:
    """The database's schema, ``None`` for an empty one; raises ``StateFolderError`` for one we do not know."""
    names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "alembic_version" not in names:
        if names:
            raise StateFolderError(f"{folder / DATABASE} is no database of Frontdesk", "choose another --state")
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if row is not None and row[0] not in SCHEMA_VERSIONS:
        raise StateFolderError(
            f"a newer Frontdesk wrote {folder / DATABASE} (schema {row[0]}, this is {__version__})",
            "run that newer version, or choose another folder with --state",
        )
    return str(row[0]) if row else None


def _examine(path: Path) -> None:
    """Read the file through before anything may be written to it."""
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=3)) as connection:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if path.stat().st_size <= _CHECKED_BYTES:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise sqlite3.DatabaseError(f"quick check: {found}")


def _await_write_access(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("ROLLBACK")


def _folder_refusal(path: Path, error: OSError) -> StateFolderError:
    if error.errno == errno.ENOSPC:
        return StateFolderError(f"the disk is full ({path})", "free some space on its disk")
    return StateFolderError(
        f"cannot use {path}: {error.strerror}", "check its owner and permissions, or use --state"
    )
