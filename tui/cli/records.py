"""``frontdesk records``: the calls that were."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from engine.core.errors import RefusedError
from engine.core.views import CallRecord
from engine.desk.commands import ListRecords
from engine.desk.csv_text import csv_of
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
    who: Annotated[
        str | None, typer.Option("--who", metavar="TEXT", help="Part of a number, or of an extension's name.")
    ] = None,
    is_answered: Annotated[
        bool | None, typer.Option("--answered/--missed", help="Only those that were answered, or were not.")
    ] = None,
    trunk: Annotated[str | None, typer.Option("--trunk", metavar="NAME", help="In or out by this trunk.")] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", parser=whole_number(1), help="At most N, the newest.")
    ] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write a CSV file instead; - is standard output.")
    ] = None,
    state: StateOption = None,
) -> None:
    """List finished calls, newest first."""
    asked = ListRecords(since=since, limit=limit, who=who, is_answered=is_answered, trunk=trunk)
    listed = ask(folder_of(ctx, state), asked)
    if json:
        print_json([record_document(record) for record in listed])
    elif csv_file is not None:
        _write_csv(listed, csv_file)
    else:
        _print_table(
            listed, "There are no calls yet." if asked == ListRecords(limit=limit) else "There was no such call."
        )


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
    text = csv_of(listed)
    if str(file) == "-":
        sys.stdout.write(text)
        return
    try:
        with file.open("w", newline="", encoding="utf-8") as target:
            target.write(text)
    except OSError as error:
        raise RefusedError(f"cannot write {file}: {error.strerror}", "name another file") from None
