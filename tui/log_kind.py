"""Lines of the log and backups, as the console lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.core.log import LogLine
from engine.desk.commands import Command
from engine.desk.machine import BackupView, ListBackups, ReadLog, RemoveBackup
from tui.kind import Kind, Past, TextLine
from tui.texts import N_, _
from tui.widgets.columns import Column
from tui.wording import size_text, stamp_text

_INKS = {"WARNING": "key", "ERROR": "alarm", "CRITICAL": "alarm"}
LEVEL_WORDS = {
    "DEBUG": N_("detail"),
    "INFO": N_("info"),
    "WARNING": N_("warning"),
    "ERROR": N_("error"),
    "CRITICAL": N_("error"),
}


class Lines(Past):
    """The newest lines of the log."""

    title = N_("Log")
    empty = N_("nothing was logged since the engine started")
    columns = (
        Column(12, usual=12, title=N_("At")),
        Column(7, grow=1, most=9, title=N_("Level")),
        Column(12, usual=18, grow=1, most=32, title=N_("From where"), drop=1),
        Column(30, usual=60, grow=8, most=999, title=N_("Line")),
    )

    def __init__(self) -> None:
        super().__init__(ReadLog())

    def key(self, item: LogLine) -> str:
        return str(item.number)

    def name(self, item: LogLine) -> str:
        return item.source

    def cells(self, item: LogLine) -> tuple[str, ...]:
        at = f"{stamp_text(item.at)[11:]}.{item.at.microsecond // 1000:03d}"
        first = item.text.partition("\n")[0]
        return at, _(LEVEL_WORDS.get(item.level, item.level)), item.source.removeprefix("engine."), first

    def inks(self, item: LogLine) -> Mapping[int, str]:
        ink = _INKS.get(item.level, "text")
        return {0: "quiet", 1: ink, 2: "quiet", 3: ink}

    def detail(self, item: LogLine) -> Sequence[TextLine]:
        head: TextLine = ((stamp_text(item.at), "quiet"), (f"   {item.level}   {item.source}", "quiet"))
        return [head, *(((line, _INKS.get(item.level, "text")),) for line in item.text.splitlines())]


class Backups(Kind):
    """Backups in the state folder: made and removed, never changed."""

    title = N_("Backups")
    empty = N_("no backups yet: b writes one into the state folder")
    remove_text = N_("The file is gone for good.")
    columns = (
        Column(24, usual=34, grow=1, most=40, title=N_("File")),
        Column(19, title=N_("Written")),
        Column(10, title=N_("Size"), to_right=True),
    )
    listing = ListBackups
    is_fixed = True

    def key(self, item: BackupView) -> str:
        return item.name

    name = key

    def cells(self, item: BackupView) -> tuple[str, ...]:
        return item.name, stamp_text(item.at), size_text(item.size)

    def remove(self, item: BackupView) -> Command:
        return RemoveBackup(item.name)

    def restore(self, item: BackupView) -> Command | None:
        return None
