"""``frontdesk certificate``: what phones on TLS are shown."""

from __future__ import annotations

import typer

from engine.core.views import CertificateView
from engine.desk.commands import Command, ReloadCertificate, ShowCertificate
from engine.desk.documents import certificate_document, moment_text
from tui.cli.asking import connect
from tui.cli.options import JsonOption, StateOption, folder_of
from tui.cli.output import print_facts, print_json
from tui.cli.typed import CommandLine

app = CommandLine(
    no_args_is_help=True,
    help="The certificate that phones on TLS are shown.",
    epilog="Example: frontdesk certificate show",
    rich_markup_mode=None,
)


@app.command("show", epilog="Example: frontdesk certificate show")
def show(ctx: typer.Context, json: JsonOption = False, state: StateOption = None) -> None:
    """Show the certificate in force: whose it is, until when, and where its files are."""
    _print(ctx, ShowCertificate(), json, state)


@app.command("reload", epilog="Example: frontdesk certificate reload")
def reload(ctx: typer.Context, json: JsonOption = False, state: StateOption = None) -> None:
    """Read the files again at once; without it, a change is noticed within seconds."""
    _print(ctx, ReloadCertificate(), json, state)


def _print(ctx: typer.Context, command: Command, json: bool, state: str | None) -> None:
    with connect(folder_of(ctx, state)) as client:
        shown: CertificateView = client.ask(command)
    if json:
        print_json(certificate_document(shown))
        return
    print_facts(
        [
            ("subject", shown.subject),
            ("valid until", moment_text(shown.expires_at)),
            ("SHA-256", shown.fingerprint),
            ("certificate", shown.certificate),
            ("key", shown.key),
            ("made by", "this office" if shown.is_own else "others"),
        ]
    )
