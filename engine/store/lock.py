"""The lock of a state folder: one engine at a time, and its pid for everyone else."""

from __future__ import annotations

import fcntl
import logging
import os
import time
from pathlib import Path

from engine.core.errors import StateFolderError
from engine.core.paths import LOCK

_log = logging.getLogger(__name__)


class EngineLock:
    """Held while an engine runs on a folder; the kernel lets go of it when the process ends, however it ends."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    @classmethod
    def take(cls, folder: Path) -> EngineLock:
        """Lock ``folder`` (which exists); raises ``StateFolderError`` that names the engine which holds it."""
        path = folder / LOCK
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateFolderError(
                f"cannot write {path}: {error.strerror}",
                "check its permissions or choose another folder with --state",
            ) from None
        if os.geteuid() == 0:  # root works in the folder of a service, whose user needs the lock, too
            owner = folder.stat()
            os.fchown(handle, owner.st_uid, owner.st_gid)
        if not _lock(handle):
            pid = _read_pid(handle)
            os.close(handle)
            raise StateFolderError(
                f"an engine already runs on {folder} (pid {pid or 'unknown'})",
                "use 'frontdesk console' to look at it, or choose another folder with --state",
            )
        died = _read_pid(handle)
        if died is not None:
            _log.warning("the engine before (pid %d) ended without stopping: its calls have no record", died)
        try:
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            os.close(handle)
            raise StateFolderError(
                f"cannot write {path}: {error.strerror}", "free some space on its disk, or choose another --state"
            ) from None
        return cls(handle)

    def release(self) -> None:
        """Let another engine have the folder; a second release does nothing."""
        if self._handle >= 0:
            os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = -1


def running_pid(folder: Path) -> int | None:
    """The pid of the engine that runs on ``folder``; ``None`` when none does."""
    try:
        handle = os.open(folder / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_pid(handle)
    finally:
        os.close(handle)
    return None


def _lock(handle: int) -> bool:
    """Lock for us alone; someone who only looks who runs holds it for a moment, so a few tries are fair."""
    for _ in range(5):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.05)
        else:
            return True
    return False


def _read_pid(handle: int) -> int | None:
    text = os.pread(handle, 32, 0).strip()
    return int(text) if text.isdigit() else None
