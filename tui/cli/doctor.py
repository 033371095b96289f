"""``frontdesk doctor``: what may keep an office from working on this machine, and how to mend it."""

from __future__ import annotations

import typer

from engine.core.paths import state_folder
from engine.doctor.finding import Finding, State
from tui.cli import running
from tui.cli.options import JsonOption, StateOption
from tui.cli.output import print_json, print_table

GLYPHS = {State.OK: "✓", State.WARNING: "!", State.FAILED: "✗"}


def doctor(
    ctx: typer.Context,
    sip: running.Sip = None,
    tls: running.Tls = None,
    ssh: running.Ssh = None,
    media: running.Media = None,
    media_ports: running.MediaPorts = running.MEDIA_PORTS,
    resolver: running.Resolver = None,
    advertise: running.Advertise = None,
    local_net: running.LocalNet = None,
    json: JsonOption = False,
    state: StateOption = None,
) -> None:
    """Check ports, permissions, real-time priority, codecs, certificates, disk and clock; status 1 if any fails.

    Changes nothing. Options that 'frontdesk run' gets are given here, too.
    """
    from engine.doctor.visit import examine

    folder = state_folder(state if state is not None else ctx.find_root().params.get("state"))
    options = running.read_options(
        folder, sip or [], tls, ssh, media, media_ports,
        resolver=resolver, advertise=advertise, local_nets=local_net,
    )  # fmt: skip
    findings = list(examine(options))
    if json:
        print_json([_document(finding) for finding in findings])
    else:
        _print(findings)
    raise typer.Exit(int(any(finding.state is State.FAILED for finding in findings)))


def _document(finding: Finding) -> dict[str, str | None]:
    return {
        "check": finding.check, "state": finding.state.value, "says": finding.says, "mend": finding.mend or None,
    }  # fmt: skip


def _print(findings: list[Finding]) -> None:
    rows = [
        (f"{GLYPHS[finding.state]} {finding.state.value}", finding.check, finding.says, finding.mend)
        for finding in findings
    ]
    print_table(
        ("state", "check", "found", "mend it"), rows, "There is nothing to check.", whole=("state", "check")
    )
    print()
    bad = sum(finding.state is State.FAILED for finding in findings)
    odd = sum(finding.state is State.WARNING for finding in findings)
    print(f"failed: {bad}, warnings: {odd}" if bad or odd else "Everything is well.")
