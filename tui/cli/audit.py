"""``frontdesk audit``: who did what, refused deeds too."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from engine.desk.deeds import ListAudit
from engine.desk.documents import audit_document
from tui.cli.asking import ask
from tui.cli.options import JsonOption, StateOption, folder_of, whole_number
from tui.cli.output import local_time, print_json, print_table
from tui.cli.records import parse_moment

Since = Annotated[
    datetime | None, typer.Option("--since", metavar="T", parser=parse_moment, help="What was done at T or later.")
]


def audit(
    ctx: typer.Context,
    json: JsonOption = False,
    since: Since = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", parser=whole_number(1), help="At most N, the newest.")
    ] = None,
    state: StateOption = None,
) -> None:
    """List the audit log, newest first: who changed or did what, as whom, and what was refused."""
    listed = ask(folder_of(ctx, state), ListAudit(since=since, limit=limit))
    if json:
        print_json([audit_document(entry) for entry in listed])
        return
    rows = [
        (
            local_time(entry.at),
            entry.who,
            entry.acting,
            entry.action,
            entry.target,
            entry.outcome.value,
            entry.reason,
        )
        for entry in listed
    ]
    empty = "Nothing has been done yet." if since is None else "Nothing was done in this time."
    print_table(("when", "who", "as", "action", "target", "outcome", "reason"), rows, empty)
