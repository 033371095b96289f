"""The state folder: whose it is, who may read its secrets, whether its database is sound and its disk has room."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from engine.core.errors import StateFolderError
from engine.core.paths import DATABASE, FIRST_RUN, TLS_KEY
from engine.doctor.finding import Finding, failed, ok, warning
from engine.store.folder import SCHEMA_VERSIONS, look_into, schema_version
from engine.store.trouble import explain

FREE_FAILED, FREE_LOW = 50 * 2**20, 500 * 2**20
_ENDURING = (FIRST_RUN, DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm")
_AHEAD_S = 120.0


def check_folder(folder: Path) -> Iterator[Finding]:
    """Owner and permissions of the folder and of what is secret in it."""
    try:
        info = folder.stat()
    except FileNotFoundError:
        yield ok("state folder", f"{folder} is not there yet: the first run makes it")
        return
    except OSError as error:
        yield failed(
            "state folder", f"{folder}: {error.strerror}", "check its owner and permissions, or use --state"
        )
        return
    if not stat.S_ISDIR(info.st_mode):
        yield failed("state folder", f"{folder} is not a folder", "choose another with --state")
        return
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield failed("state folder", f"{folder} cannot be written", f"chown -R {_user()} {folder}")
        return
    if info.st_mode & 0o077:
        yield warning(
            "state folder", f"others may look into {folder} (mode {info.st_mode & 0o777:o})", f"chmod 700 {folder}"
        )
    else:
        yield ok("state folder", f"{folder}, for its owner alone")
    yield from _check_secrets(folder)


def _check_secrets(folder: Path) -> Iterator[Finding]:
    """Files that others may read, or that the engine itself cannot."""
    open_to_others, unreadable = [], []
    for path in _secret_files(folder):
        info = path.stat()
        if info.st_mode & 0o077:
            open_to_others.append(str(path.relative_to(folder)))
        if not os.access(path, os.R_OK):
            unreadable.append(str(path.relative_to(folder)))
    if unreadable:
        mend = f"chown {_user()} {' '.join(str(folder / name) for name in unreadable)}"
        yield failed("secrets", f"cannot be read: {', '.join(unreadable)}", mend)
    elif open_to_others:
        mend = f"chmod 600 {' '.join(str(folder / name) for name in open_to_others)}"
        yield warning("secrets", f"others may read {', '.join(open_to_others)}", mend)
    else:
        yield ok("secrets", "readable for the owner alone")
    if (folder / FIRST_RUN).exists():
        yield warning(
            "first-run passwords", f"{FIRST_RUN} still holds them", f"type them in, then: rm {folder / FIRST_RUN}"
        )


def _secret_files(folder: Path) -> list[Path]:
    """The database, keys and passwords."""
    named = [folder / name for name in _ENDURING]
    keys = [path for path in folder.iterdir() if path.name.endswith("_key")]
    return sorted({path for path in [*named, *keys, folder / TLS_KEY] if path.is_file()})


def check_database(folder: Path) -> Iterator[Finding]:
    """Read the whole database through, changing nothing."""
    path = folder / DATABASE
    if not path.exists():
        return
    try:
        with closing(look_into(path)) as connection:
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if found != "ok":
                raise sqlite3.DatabaseError(f"quick check: {found}")
            version = schema_version(connection, folder)
            newest = None
            if version is not None:
                newest = connection.execute("SELECT max(ended_at) FROM record").fetchone()[0]
    except sqlite3.Error as error:
        refusal = explain(error, folder)
        yield failed("database", refusal.what, refusal.mend)
        return
    except StateFolderError as refusal:
        yield failed("database", refusal.what, refusal.mend)
        return
    behind = "" if version == SCHEMA_VERSIONS[-1] else ", brought up to date by the next start"
    yield ok("database", f"sound, schema {version}{behind}, {path.stat().st_size / 2**20:.1f} MiB")
    if newest is not None and newest > datetime.now(UTC).timestamp() + _AHEAD_S:
        yield warning(
            "call records",
            f"the newest is from {datetime.fromtimestamp(newest, UTC):%Y-%m-%d %H:%M} UTC, which is still to come",
            "the clock is or was wrong: set it, and let NTP keep it",
        )


def check_disk(folder: Path) -> Iterator[Finding]:
    """Room on the folder's disk, in bytes and in files."""
    place = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(place).free
    files = os.statvfs(place)
    said = f"{free / 2**30:.1f} GiB free at {place}"
    if free < FREE_FAILED or (files.f_files and files.f_favail < 100):
        yield failed(
            "disk", said if free < FREE_FAILED else f"no more files fit at {place}", "free some space on it"
        )
    elif free < FREE_LOW:
        yield warning("disk", said, "free some space: records and backups will fill it")
    else:
        yield ok("disk", said)


def _user() -> str:
    return str(os.getuid())
