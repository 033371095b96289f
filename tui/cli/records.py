"""``frontdesk records``: the calls that were."""

from __future__ import annotations

import csv
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, TextIO

import typer

from engine.core.errors import RefusedError
from engine.core.views import CallRecord
from engine.desk.commands import ListRecords
from engine.desk.documents import record_document
from tui.cli.asking import ask
from tui.cli.options import JsonOption, StateOption, folder_of, whole_number
from tui.cli.output import duration, local_time, print_json, print_table

_AGO = re.compile(r"(\d{1,6})([mhd])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def parse_moment(text: str) -> datetime:
    """A time as people type it: RFC 3339, a local date or time, or ``2h`` for two hours ago."""
    if ago := _AGO.fullmatch(text):
        return datetime.now(UTC) - int(ago[1]) * _UNITS[ago[2]]
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"'{text}' is no time: use 2026-03-02, 2026-03-02T09:30:00Z, 30m, 2h or 7d"
        ) from None


Moment = Annotated[
    datetime | None,
    typer.Option("--since", metavar="T", parser=parse_moment, help="Calls that began at T or later."),
]


def records(
    ctx: typer.Context,
    json: JsonOption = False,
    since: Moment = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", parser=whole_number(1), help="At most N, the newest.")
    ] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write a CSV file instead; - is standard output.")
    ] = None,
    state: StateOption = None,
) -> None:
    """List finished calls, newest first."""
    listed = ask(folder_of(ctx, state), ListRecords(since=since, limit=limit))
    if json:
        print_json([record_document(record) for record in listed])
    elif csv_file is not None:
        _write_csv(listed, csv_file)
    else:
        _print_table(listed, "There are no calls yet." if since is None else "There was no call in this time.")


def _print_table(listed: tuple[CallRecord, ...], empty: str) -> None:
    rows = [
        (
            local_time(record.started_at),
            record.caller,
            record.callee,
            duration(record.duration_s) if record.answered_at else None,
            record.cause,
            record.released_by.value,
            record.codec,
            record.mos and f"{record.mos:.1f}",
            record.id,
        )
        for record in listed
    ]
    print_table(
        ("began", "caller", "callee", "talked", "cause", "released by", "codec", "MOS", "call"),
        rows,
        empty,
    )


def _write_csv(listed: tuple[CallRecord, ...], file: Path) -> None:
    if str(file) == "-":
        _write_rows(listed, sys.stdout)
        return
    try:
        with file.open("w", newline="", encoding="utf-8") as target:
            _write_rows(listed, target)
    except OSError as error:
        raise RefusedError(f"cannot write {file}: {error.strerror}", "name another file") from None


def _write_rows(listed: tuple[CallRecord, ...], target: TextIO) -> None:
    writer = csv.writer(target)
    writer.writerow(_COLUMNS)
    for record in listed:
        document = record_document(record)
        writer.writerow([document[name] for name in _COLUMNS])


_COLUMNS = (
    "id", "linked_id", "caller", "callee", "trunk_in", "trunk_out", "started_at", "answered_at", "ended_at",
    "duration_s", "released_by", "cause", "codec", "mos", "recording",
)  # fmt: skip
