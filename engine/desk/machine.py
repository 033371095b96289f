"""What a face may ask about the machine, the log and backups."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.desk.commands import Command


@dataclass(frozen=True, slots=True)
class MachineView:
    """How the machine fares that the office runs on; ``None`` is what it does not tell."""

    cores: int
    load: tuple[float, float, float]
    """Programs that want a core, on average of one, five and fifteen minutes."""
    cpu_percent: float
    """What the engine has taken of one core since it was asked last."""
    memory_bytes: int | None
    """What the engine holds."""
    memory_total_bytes: int | None
    disk_free_bytes: int
    disk_total_bytes: int
    database_bytes: int
    recordings_bytes: int
    open_files: int | None
    most_open_files: int | None


@dataclass(frozen=True, slots=True)
class GetMachine(Command):
    """Returns ``MachineView``."""


@dataclass(frozen=True, slots=True)
class BackupView:
    """A backup in the state folder."""

    name: str
    at: datetime
    size: int


@dataclass(frozen=True, slots=True)
class ListBackups(Command):
    """Returns ``tuple[BackupView, ...]``, newest first."""


@dataclass(frozen=True, slots=True)
class StartBackup(Command):
    """Begin to write a backup into the state folder; returns its name. Refused while one is being written."""


@dataclass(frozen=True, slots=True)
class BackupProgress:
    """How far the newest backup of this engine's run is."""

    name: str
    done: int
    total: int
    """Bytes of what goes into it; 0 until they are counted."""
    is_running: bool
    error: str | None = None
    mend: str = ""


@dataclass(frozen=True, slots=True)
class GetBackup(Command):
    """Returns ``BackupProgress``, ``None`` when none was begun."""


@dataclass(frozen=True, slots=True)
class RemoveBackup(Command):
    """Returns ``None``."""

    name: str


@dataclass(frozen=True, slots=True)
class ReadLog(Command):
    """The newest lines of the log that are in memory; returns ``tuple[LogLine, ...]``, newest first."""

    limit: int | None = None
    text: str | None = None
    """Part of the line or of where it comes from."""
    level: str | None = None
    """The least: INFO, WARNING or ERROR."""


@dataclass(frozen=True, slots=True)
class SaveLog(Command):
    """Write such lines to a file in the state folder; returns its path as ``str``."""

    asked: ReadLog
