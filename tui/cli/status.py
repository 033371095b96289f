"""``frontdesk status``: how the engine fares."""

from __future__ import annotations

import typer

from engine.desk.commands import GetStatus, StatusReport
from engine.desk.documents import status_document
from tui.cli.asking import connect
from tui.cli.options import JsonOption, StateOption, folder_of
from tui.cli.output import duration, print_facts, print_json


def status(ctx: typer.Context, json: JsonOption = False, state: StateOption = None) -> None:
    """Show how the engine fares: calls, phones, listeners, delays."""
    with connect(folder_of(ctx, state)) as client:
        report: StatusReport = client.ask(GetStatus())
    if json:
        print_json(status_document(report))
        return
    print_facts(
        [
            ("version", report.version),
            ("runs for", f"{duration(report.uptime_s)} (pid {report.pid})"),
            ("calls", report.calls),
            ("phones", report.registrations),
            ("media", f"{report.media_backend}, {report.media_sessions} sessions, {_priority(report)}"),
            *(("listens", f"{kind} {address}") for kind, address in report.listeners),
            *((("outside", f"peers see {' and '.join(report.advertised)}"),) if report.advertised else ()),
            ("loop delay", f"p99 {report.loop_delay_p99_ms:.1f} ms, at most {report.loop_delay_max_ms:.1f} ms"),
        ]
    )


def _priority(report: StatusReport) -> str:
    return "real-time priority" if report.media_is_real_time else "ordinary priority"
