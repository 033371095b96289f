"""All commands of ``frontdesk`` in one place."""

from __future__ import annotations

from typing import Annotated

import typer

from engine import __version__
from tui.cli import (
    acting,
    audit,
    certificate,
    contact,
    demo,
    doctor,
    extension,
    group,
    hours,
    install_service,
    keeping,
    ladder,
    live,
    operator,
    param,
    records,
    registration,
    route,
    running,
    screen,
    service,
    status,
    stopping,
    transfer,
    trunk,
    voicemail,
)
from tui.cli.options import StateOption
from tui.cli.typed import CommandLine

app = CommandLine(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"]},
)
app.command("run", epilog="Example: frontdesk run --headless --sip 192.0.2.1:5060 --media 192.0.2.1")(running.run)
app.command("demo", epilog="Example: frontdesk demo")(demo.demo)
app.command("doctor", epilog="Example: frontdesk doctor")(doctor.doctor)
app.command("install-service", epilog="Example: frontdesk install-service --print")(install_service.install_service)
app.command("console", epilog="Example: frontdesk console")(running.console)
app.add_typer(certificate.app, name="certificate")
app.command("stop", epilog="Example: frontdesk stop --drain 60")(stopping.stop)
app.command("status", epilog="Example: frontdesk status --json")(status.status)
app.add_typer(extension.app, name="extension")
app.add_typer(registration.app, name="registration")
app.add_typer(route.app, name="route")
app.add_typer(route.inbound_app, name="inbound")
app.add_typer(hours.level_app, name="level")
app.add_typer(hours.schedule_app, name="schedule")
app.command("night", epilog="Example: frontdesk night on")(hours.night)
app.add_typer(screen.app, name="screen")
app.add_typer(screen.address_app, name="address")
app.add_typer(group.app, name="group")
app.command("forward", epilog="Example: frontdesk forward 101 --busy 102")(group.forward)
app.command("dnd", epilog="Example: frontdesk dnd 101 on")(group.dnd)
app.add_typer(service.app, name="service")
app.add_typer(operator.app, name="operator")
app.add_typer(contact.app, name="contact")
app.add_typer(trunk.app, name="trunk")
app.command("calls", epilog="Example: frontdesk calls --json")(live.calls)
app.command("lamps", epilog="Example: frontdesk lamps --audit")(live.lamps)
app.command("watch", epilog="Example: frontdesk watch --json")(live.watch)
app.command("ladder", epilog="Example: frontdesk ladder 7f3a --pcap call.pcap")(ladder.ladder)
app.command("records", epilog="Example: frontdesk records --since 7d")(records.records)
app.command("audit", epilog="Example: frontdesk audit --since 7d")(audit.audit)
app.add_typer(param.app, name="param")
app.command("export", epilog="Example: frontdesk export office.toml")(transfer.export)
app.command("backup", epilog="Example: frontdesk backup office-backup.tar.gz")(keeping.backup)
app.command("restore", epilog="Example: frontdesk restore office-backup.tar.gz")(keeping.restore)
app.command("import", epilog="Example: frontdesk import office.toml --dry-run")(transfer.import_)
acting.add_to(live.call_app)
app.add_typer(live.call_app, name="call")
app.add_typer(voicemail.app, name="voicemail")
app.add_typer(voicemail.recordings_app, name="recordings")


@app.callback(invoke_without_command=True, epilog="Example: frontdesk --state ./office --sip 192.0.2.1:5060")
def frontdesk(
    ctx: typer.Context,
    headless: running.Headless = False,
    sip: running.Sip = None,
    tls: running.Tls = None,
    ssh: running.Ssh = None,
    media: running.Media = None,
    media_ports: running.MediaPorts = running.MEDIA_PORTS,
    ready_fd: running.ReadyFd = None,
    drain: running.Drain = running.DRAIN_S,
    resolver: running.Resolver = None,
    advertise: running.Advertise = None,
    local_net: running.LocalNet = None,
    state: StateOption = None,
    ws: running.Ws = None,
    wss: running.Wss = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    """A small-office SIP PBX that lives in a terminal.

    Without a command it starts the office if it does not run yet, and opens the console on this terminal:
    the same as 'frontdesk run', with the same options.
    """
    if version:
        print(f"frontdesk {__version__}")
    elif ctx.invoked_subcommand is None:
        running.run(
            ctx, headless, sip, tls, ssh, media, media_ports, ready_fd, drain, resolver, advertise, local_net,
            state, ws, wss,
        )  # fmt: skip
    else:
        _demand_no_run_options(ctx)


def _demand_no_run_options(ctx: typer.Context) -> None:
    """An option of ``run`` before another command would be lost without a word."""
    for option in running.given_options(ctx):
        raise typer.BadParameter(f"{option} belongs behind 'run', not before '{ctx.invoked_subcommand}'")
