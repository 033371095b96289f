"""Commands about the machine, the log and backups."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import resource
import shutil
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from engine.core.errors import NotFoundError, RefusedError
from engine.core.log import RECENT, LogLine
from engine.core.paths import BACKUPS, DATABASE
from engine.desk.counter import Counter
from engine.desk.machine import (
    BackupProgress,
    BackupView,
    GetBackup,
    GetMachine,
    ListBackups,
    MachineView,
    ReadLog,
    RemoveBackup,
    SaveLog,
    StartBackup,
)
from engine.desk.private_file import write_privately
from engine.desk.record_commands import EXPORTS

log = logging.getLogger(__name__)

_BACKUP = re.compile(r"frontdesk-\d{8}-\d{6}\.tar\.gz")
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class BackupJob:
    """The one backup that may be written at a time; one a desk. Its progress may be read from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.progress: BackupProgress | None = None

    def start(self, now: datetime) -> str:
        """Begin on a thread of its own; raises ``RefusedError`` while one is being written."""
        if self.progress is not None and self.progress.is_running:
            raise RefusedError("a backup is being written already", "wait until it is done")
        name = f"frontdesk-{now:%Y%m%d-%H%M%S}.tar.gz"
        self.progress = BackupProgress(name, 0, 0, is_running=True)
        threading.Thread(target=self._write, args=(name,), name="backup", daemon=True).start()
        return name

    def _write(self, name: str) -> None:
        def tell(done: int, total: int) -> None:
            self.progress = BackupProgress(name, done, total, is_running=True)

        with suppress(OSError, AttributeError):  # calls go before it
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 15)
        done = BackupProgress(name, 1, 1, is_running=False)
        from engine.backup.writing import write_backup  # archives and hashes that a start need not load

        try:
            backups = self._folder / BACKUPS
            backups.mkdir(mode=0o700, exist_ok=True)
            write_backup(self._folder, backups / name, tell)
        except RefusedError as error:
            log.error("the backup %s was not written: %s", name, error)
            what = error.what.replace(f"{self._folder / BACKUPS}/", "")  # the name alone fits into a line
            done = BackupProgress(name, 0, 0, is_running=False, error=what, mend=error.mend)
        except OSError as error:
            log.error("the backup %s was not written: %s", name, error)
            done = BackupProgress(name, 0, 0, is_running=False, error=f"cannot write {name}: {error.strerror}")
        except Exception:
            log.exception("the backup %s was not written", name)
            done = BackupProgress(name, 0, 0, is_running=False, error="the backup failed", mend="its log says why")
        self.progress = done


class _Share:
    """What this process takes of one core between two looks."""

    def __init__(self) -> None:
        self._at, self._used = time.monotonic(), time.process_time()
        self._last = 0.0

    def percent(self) -> float:
        now, used = time.monotonic(), time.process_time()
        if now - self._at >= 1.0:
            self._last = 100.0 * (used - self._used) / (now - self._at)
            self._at, self._used = now, used
        return round(self._last, 1)


_share = _Share()


async def get_machine(counter: Counter, command: GetMachine) -> MachineView:
    return await asyncio.to_thread(_look_at_machine, counter.store.folder)


async def list_backups(counter: Counter, command: ListBackups) -> tuple[BackupView, ...]:
    return await asyncio.to_thread(_backups_in, counter.store.folder / BACKUPS)


async def start_backup(counter: Counter, command: StartBackup) -> str:
    return counter.backup.start(counter.clock.wall())


async def get_backup(counter: Counter, command: GetBackup) -> BackupProgress | None:
    return counter.backup.progress


async def remove_backup(counter: Counter, command: RemoveBackup) -> None:
    path = counter.store.folder / BACKUPS / command.name
    if not _BACKUP.fullmatch(command.name) or not path.is_file():
        raise NotFoundError(f"there is no backup '{command.name}'", "see the list of backups")
    try:
        await asyncio.to_thread(path.unlink)
    except OSError as error:
        raise RefusedError(f"cannot remove {path}: {error.strerror}", "see who owns that file") from None


async def read_log(counter: Counter, command: ReadLog) -> tuple[LogLine, ...]:
    return await asyncio.to_thread(_lines, command)


async def save_log(counter: Counter, command: SaveLog) -> str:
    lines = await asyncio.to_thread(_lines, command.asked)
    if not lines:
        raise RefusedError("there is no such line", "ask for more of them")
    told = "".join(f"{line.at.isoformat()} {line.level} {line.source}: {line.text}\n" for line in reversed(lines))
    path = counter.store.folder / EXPORTS / f"log-{counter.clock.wall():%Y%m%d-%H%M%S}.txt"
    try:
        await asyncio.to_thread(write_privately, path, told.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise RefusedError(f"cannot write {path}: {error.strerror}", "make room, then try again") from None
    return str(path)


def _lines(asked: ReadLog) -> tuple[LogLine, ...]:
    least = _LEVELS.index(asked.level.upper()) if asked.level and asked.level.upper() in _LEVELS else 0
    words = (asked.text or "").casefold().split()
    found = []
    for line in RECENT.newest_first():
        whole = f"{line.source} {line.text}".casefold()
        if _LEVELS.index(line.level if line.level in _LEVELS else "INFO") >= least and all(
            word in whole for word in words
        ):
            found.append(line)
            if asked.limit is not None and len(found) >= asked.limit:
                break
    return tuple(found)


def _backups_in(folder: Path) -> tuple[BackupView, ...]:
    found = []
    with suppress(FileNotFoundError):
        for path in folder.iterdir():
            if _BACKUP.fullmatch(path.name):
                with suppress(FileNotFoundError):
                    info = path.stat()
                    at = datetime.fromtimestamp(info.st_mtime, UTC)
                    found.append(BackupView(path.name, at, info.st_size))
    return tuple(sorted(found, key=lambda each: each.name, reverse=True))


def _look_at_machine(folder: Path) -> MachineView:
    disk = shutil.disk_usage(folder)
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MachineView(
        cores=os.cpu_count() or 1,
        load=tuple(round(each, 2) for each in os.getloadavg()),  # type: ignore[arg-type]
        cpu_percent=_share.percent(),
        memory_bytes=_held_memory(),
        memory_total_bytes=_all_memory(),
        disk_free_bytes=disk.free,
        disk_total_bytes=disk.total,
        database_bytes=sum(_size(folder / f"{DATABASE}{end}") for end in ("", "-wal")),
        recordings_bytes=sum(_size(path) for path in (folder / "recordings").rglob("*")),
        open_files=_open_files(),
        most_open_files=None if soft == resource.RLIM_INFINITY else soft,
    )


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size if path.is_file() else 0
    return 0


def _held_memory() -> int | None:
    with suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return None


def _all_memory() -> int | None:
    with suppress(OSError, ValueError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _open_files() -> int | None:
    with suppress(OSError):
        return len(os.listdir("/proc/self/fd"))
    return None
