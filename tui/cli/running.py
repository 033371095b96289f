"""``frontdesk run`` and ``frontdesk console``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from engine.core.errors import RefusedError
from engine.core.options import (
    SIP_PORT,
    SSH_PORT,
    TLS_PORT,
    WS_PORT,
    WSS_PORT,
    EngineOptions,
    HostPort,
    parse_advertised,
    parse_local_nets,
    parse_media,
    parse_ports,
    parse_resolver,
)
from tui.cli.asking import connect
from tui.cli.options import StateOption, folder_of, seconds, whole_number

Headless = Annotated[bool, typer.Option("--headless", help="The engine only, logging to standard error.")]
Sip = Annotated[
    list[str] | None,
    typer.Option(
        "--sip",
        metavar="HOST:PORT",
        help="Listen for SIP here, UDP and TCP; repeatable [default: everywhere, 5060].",
    ),
]
Tls = Annotated[
    list[str] | None,
    typer.Option(
        "--tls",
        metavar="HOST:PORT",
        help="Listen for SIP over TLS here; repeatable; or 'off' [default: everywhere, 5061; with --sip: off].",
    ),
]
Ws = Annotated[
    list[str] | None,
    typer.Option(
        "--ws", metavar="HOST:PORT", help="Listen for SIP over WebSocket here; repeatable [default: off]."
    ),
]
Wss = Annotated[
    list[str] | None,
    typer.Option("--wss", metavar="HOST:PORT", help="The same over TLS, with the office's certificate."),
]
Ssh = Annotated[
    str | None,
    typer.Option("--ssh", metavar="HOST:PORT", help=f"Offer the console over SSH here [default: {SSH_PORT}]."),
]
Media = Annotated[
    str | None,
    typer.Option("--media", metavar="HOST[,ADVERTISED]", help="Take audio here, and name ADVERTISED to phones."),
]
MediaPorts = Annotated[str, typer.Option("--media-ports", metavar="FIRST-LAST", help="UDP ports for audio.")]
Advertise = Annotated[
    str | None,
    typer.Option("--advertise", metavar="HOST", help="Behind a NAT: the name or address that peers outside see."),
]
LocalNet = Annotated[
    list[str] | None,
    typer.Option(
        "--local-net",
        metavar="CIDR",
        help="Peers here see our own address; repeatable [default: private networks and our own].",
    ),
]
Resolver = Annotated[
    str | None,
    typer.Option("--resolver", metavar="HOST:PORT", help="Ask this name server [default: the system's]."),
]
ReadyFd = Annotated[
    int | None,
    typer.Option(
        "--ready-fd", metavar="N", parser=whole_number(0), help="Write 'ready' here once phones can register."
    ),
]
MEDIA_PORTS = "30000-39999"
DRAIN_S = 30.0
Drain = Annotated[
    float, typer.Option("--drain", metavar="S", parser=seconds, help="Seconds calls may go on after SIGTERM.")
]


def run(
    ctx: typer.Context,
    headless: Headless = False,
    sip: Sip = None,
    tls: Tls = None,
    ssh: Ssh = None,
    media: Media = None,
    media_ports: MediaPorts = MEDIA_PORTS,
    ready_fd: ReadyFd = None,
    drain: Drain = DRAIN_S,
    resolver: Resolver = None,
    advertise: Advertise = None,
    local_net: LocalNet = None,
    state: StateOption = None,
    ws: Ws = None,
    wss: Wss = None,
) -> None:
    """Run the engine; without --headless it runs behind a console on this terminal."""
    folder = folder_of(ctx, state)
    options = read_options(
        folder, sip or [], tls, ssh, media, media_ports, ready_fd, drain, resolver, advertise, local_net,
        ws=ws or [], wss=wss or [],
    )  # fmt: skip
    if headless:
        raise typer.Exit(_run_headless(options))
    from tui.cli.attended import attend

    raise typer.Exit(attend(folder, as_arguments(options, media) if given_options(ctx) else []))


def given_options(ctx: typer.Context) -> list[str]:
    """The options of ``run`` that were typed, such as ``--sip``."""
    typed = [
        name for name in ctx.params if (source := ctx.get_parameter_source(name)) and source.name == "COMMANDLINE"
    ]
    return [f"--{name.replace('_', '-')}" for name in typed if name not in ("state", "version")]


ActingPhone = Annotated[
    str | None,
    typer.Option("--as", metavar="EXTENSION", help="The phone that this console answers and calls with."),
]


def console(ctx: typer.Context, as_: ActingPhone = None, state: StateOption = None) -> None:
    """Open the running engine's console on this terminal; leaving it stops nothing."""
    from tui.cli.terminal import show_console

    with connect(folder_of(ctx, state)) as client:
        show_console(client, as_)


def read_options(
    folder: Path,
    sip: list[str],
    tls: list[str] | None,
    ssh: str | None,
    media: str | None,
    media_ports: str,
    ready_fd: int | None = None,
    drain: float = DRAIN_S,
    resolver: str | None = None,
    advertise: str | None = None,
    local_nets: list[str] | None = None,
    *,
    ws: Sequence[str] = (),
    wss: Sequence[str] = (),
) -> EngineOptions:
    """What was typed, checked; raises ``typer.BadParameter``."""
    try:
        host, advertised = parse_media(media) if media is not None else (None, None)
        told = parse_advertised(advertise) if advertise is not None else None
        return EngineOptions(
            folder=folder,
            sip=tuple(HostPort.parse(text, SIP_PORT) for text in sip),
            tls=_read_tls(tls),
            ws=tuple(HostPort.parse(text, WS_PORT) for text in ws),
            wss=tuple(HostPort.parse(text, WSS_PORT) for text in wss),
            ssh=HostPort.parse(ssh, SSH_PORT) if ssh is not None else HostPort("", SSH_PORT),
            media_host=host,
            media_advertised=advertised,
            advertise=told,
            local_nets=parse_local_nets(local_nets or [], told, advertised),
            media_ports=parse_ports(media_ports),
            resolver=parse_resolver(resolver) if resolver is not None else None,
            ready_fd=open_fd(ready_fd),
            drain_s=drain,
        )
    except RefusedError as error:
        raise typer.BadParameter(str(error)) from None


def _read_tls(words: list[str] | None) -> tuple[HostPort, ...] | None:
    if not words:
        return None
    return () if words == ["off"] else tuple(HostPort.parse(text, TLS_PORT) for text in words)


def open_fd(number: int | None) -> int | None:
    """``number`` when it is an open file descriptor; raises ``RefusedError``."""
    try:
        if number is not None:
            os.fstat(number)
    except OSError:
        raise RefusedError(f"--ready-fd {number} is not open", "pass an open file descriptor") from None
    return number


def _run_headless(options: EngineOptions) -> int:
    from engine.app import run_engine
    from engine.core.log import open_log
    from tui.cli.late import LateConsoleHost

    log = open_log()
    try:
        return run_engine(options, consoles=LateConsoleHost)
    finally:
        log.close()


def as_arguments(options: EngineOptions, media: str | None) -> list[str]:
    """The options again, for the engine that is started behind the console."""
    arguments = [word for listen in options.sip for word in ("--sip", str(listen).replace("*", ""))]
    if options.tls is not None:
        listens = [str(listen).replace("*", "") for listen in options.tls] or ["off"]
        arguments += [word for listen in listens for word in ("--tls", listen)]
    arguments += ["--ssh", str(options.ssh).replace("*", ""), "--drain", str(options.drain_s)]
    if options.resolver is not None:
        arguments += ["--resolver", str(options.resolver)]
    if options.advertise is not None:
        arguments += ["--advertise", options.advertise]
    arguments += [word for net in options.local_nets or () for word in ("--local-net", net)]
    for name, places in (("--ws", options.ws), ("--wss", options.wss)):
        arguments += [word for listen in places for word in (name, str(listen).replace("*", ""))]
    arguments += ["--media-ports", "-".join(str(port) for port in options.media_ports)]
    return [*arguments, "--media", media] if media is not None else arguments
