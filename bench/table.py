"""The bench's figures as tables for a reader."""

from __future__ import annotations

import sys
from typing import Any

from rich.console import Console
from rich.table import Table

CALL_COLUMNS = {
    "rate": "asked/s",
    "attained_per_s": "attained/s",
    "created": "calls",
    "failed": "failed",
    "retransmissions": "resent",
    "response_ms": "answer ms",
    "cpu_ms_per_call": "CPU ms/call",
    "core_share": "of a core",
    "load_core_share": "load's core",
}
START_COLUMNS = {
    "register_s": "REGISTER s",
    "ready_s": "ready s",
    "cpu_s": "CPU s",
    "rss_mib": "RSS MiB",
    "pss_mib": "PSS MiB",
    "rss_after_writing_mib": "RSS MiB after the database was used",
}
REGISTER_COLUMNS = {
    "rate": "asked/s",
    "attained_per_s": "attained/s",
    "created": "pairs",
    "failed": "failed",
    "retransmissions": "resent",
    "response_ms": "answer ms",
    "cpu_ms_per_pair": "CPU ms/pair",
    "load_core_share": "load's core",
}


def print_tables(document: dict[str, Any]) -> None:
    """Every section; what has no table of its own is printed as it is."""
    # a file or a pipe has no width of its own
    console = Console() if sys.stdout.isatty() else Console(width=140)
    machine = document["machine"]
    console.print(
        f"{machine['cpu']}, {machine['cores']} cores, Python {machine['python']}, engine "
        f"{'compiled' if machine['is_compiled'] else 'plain'}; measured on core "
        f"{machine['measured_core']}, load from core {machine['load_core']}; load average "
        f"{machine['load_average_before']:.2f} before and {machine['load_average_after']:.2f} after"
    )
    for name, section in document["sections"].items():
        if "error" in section:
            console.print(f"[bold]{name}[/] could not be measured: {section['error']}")
        elif name == "calls":
            _print_calls(console, section)
        elif name == "registers":
            console.print(_steps("Challenged registrations", section["steps"], REGISTER_COLUMNS))
        elif name == "trunks":
            console.print(_steps("Calls over a line, reliable on both legs", section["steps"], CALL_COLUMNS))
        elif name == "start":
            _print_start(console, section)
        else:
            console.print(f"[bold]{name}[/]")
            console.print(section)


def _print_start(console: Console, section: dict[str, Any]) -> None:
    table = Table("", *START_COLUMNS.values(), title="From start to the first REGISTER", title_justify="left")
    for place, run in enumerate(section["runs"], 1):
        table.add_row(str(place), *(str(run[name]) for name in START_COLUMNS))
    console.print(table)
    console.print(
        f"best {section['best_s']} s, {section['ratio']} × the floor of Python, uvloop and one socket "
        f"({section['best_floor_s']} s)"
    )


def _print_calls(console: Console, section: dict[str, Any]) -> None:
    console.print(_steps("Calls with digest through the engine", section["engine"], CALL_COLUMNS))
    console.print(_steps("The same calls without digest at the bare UAS", section["bare_uas"], CALL_COLUMNS))
    ratios = section["ratios"]
    console.print(
        f"at {ratios['at_calls_per_s']} calls/s the engine uses {ratios['cpu_per_call']} × the CPU of the "
        f"bare UAS; it carries {ratios['calls_per_s']} × its calls/s"
    )
    stalls = section["engine"][-1].get("loop_delay_ms")
    if stalls:
        control = section["engine"][-1]["control"]
        console.print(
            f"engine loop delay p99 {stalls['p99']} ms, worst {stalls['max']} ms; control process on the same core "
            f"p99 {control.get('p99_ms')} ms, worst {control.get('max_ms')} ms in {control.get('ticks')} ticks"
        )


def _steps(title: str, steps: list[dict[str, Any]], columns: dict[str, str]) -> Table:
    table = Table("", *columns.values(), "control p99 / max ms", title=title, title_justify="left")
    for step in steps:
        control = step["control"]
        table.add_row(
            "✓" if step["is_carried"] else "✗",
            *(str(step[name]) for name in columns),
            f"{control.get('p99_ms')} / {control.get('max_ms')}",
        )
    return table
