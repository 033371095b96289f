"""``frontdesk audit``: who did what, refused deeds too."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from engine.core.audit import Outcome
from engine.desk.deeds import ListAudit
from engine.desk.documents import audit_document
from tui.cli.asking import ask
from tui.cli.options import JsonOption, StateOption, folder_of, one_of, whole_number
from tui.cli.output import local_time, print_json, print_table
from tui.cli.records import parse_moment

Since = Annotated[
    datetime | None, typer.Option("--since", metavar="T", parser=parse_moment, help="What was done at T or later.")
]


def audit(
    ctx: typer.Context,
    json: JsonOption = False,
    since: Since = None,
    who: Annotated[
        str | None, typer.Option("--who", metavar="TEXT", help="Part of a login or of the acting extension.")
    ] = None,
    about: Annotated[
        str | None, typer.Option("--about", metavar="TEXT", help="Part of the action or of its target.")
    ] = None,
    outcome: Annotated[
        Outcome | None,
        typer.Option("--outcome", metavar="|".join(Outcome), parser=one_of(Outcome), help="How it ended."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", parser=whole_number(1), help="At most N, the newest.")
    ] = None,
    state: StateOption = None,
) -> None:
    """List the audit log, newest first: who changed or did what, as whom, and what was refused."""
    asked = ListAudit(since=since, limit=limit, who=who, about=about, outcome=outcome)
    listed = ask(folder_of(ctx, state), asked)
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
    empty = "Nothing has been done yet." if asked == ListAudit(limit=limit) else "Nothing of the kind was done."
    print_table(("when", "who", "as", "action", "target", "outcome", "reason"), rows, empty)
