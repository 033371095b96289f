"""``frontdesk install-service``: a systemd unit that runs the office with as few privileges as it needs."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.core.errors import RefusedError
from engine.core.options import EngineOptions
from tui.cli import running
from tui.cli.options import StateOption
from tui.cli.transfer import write_whole

UNIT = Path("/etc/systemd/system/frontdesk.service")
STATE = "/var/lib/frontdesk"
_LOWEST_FREE_PORT = 1024
_STOP_MARGIN_S = 15
_SOCKETS_BESIDE_MEDIA = 1024
_HOMES = ("/home", "/root", "/run/user")

_TEXT = """\
# Written by 'frontdesk install-service'. Changes of your own: systemctl edit frontdesk
[Unit]
Description=Frontdesk, the telephone exchange of this office
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
ExecStart={command}
Restart=on-failure
RestartSec=2
WatchdogSec=30
TimeoutStartSec=90
# the calls that run may end by themselves before the office closes
TimeoutStopSec={stop_s}
KillMode=mixed
OOMScoreAdjust=-500

# a user of its own that owns {state} and nothing else
DynamicUser=yes
StateDirectory=frontdesk
StateDirectoryMode=0700
UMask=0077

# audio goes first, and every call has four sockets
LimitRTPRIO=10
LimitNOFILE={files}

{capabilities}
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome={home}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service

[Install]
WantedBy=multi-user.target
"""


def install_service(
    sip: running.Sip = None,
    tls: running.Tls = None,
    ssh: running.Ssh = None,
    media: running.Media = None,
    media_ports: running.MediaPorts = running.MEDIA_PORTS,
    drain: running.Drain = running.DRAIN_S,
    resolver: running.Resolver = None,
    advertise: running.Advertise = None,
    local_net: running.LocalNet = None,
    only_print: Annotated[bool, typer.Option("--print", help="Print the unit and write nothing.")] = False,
    state: StateOption = None,
    ws: running.Ws = None,
    wss: running.Wss = None,
) -> None:
    """Write a systemd unit that runs the office in /var/lib/frontdesk; the other options go to 'frontdesk run'."""
    if state is not None and Path(state) != Path(STATE):
        raise RefusedError(
            f"the service keeps its office in {STATE}",
            "leave --state out; an office from another folder gets there by 'frontdesk backup' and 'restore'",
        )
    options = running.read_options(
        Path(STATE), sip or [], tls, ssh, media, media_ports, None, drain, resolver, advertise, local_net,
        ws=ws or (), wss=wss or (),
    )  # fmt: skip
    text = unit_text(options, running.as_arguments(options, media), program())
    if only_print:
        print(text, end="")
        return
    if os.geteuid() != 0:
        raise RefusedError(f"only root may write {UNIT}", f"run it as root: sudo {shlex.join(sys.argv)}")
    if not UNIT.parent.is_dir():
        raise RefusedError("this machine has no systemd", "print the unit with --print to use it elsewhere")
    demand_reachable(program()[0])
    write_whole(UNIT, text.encode())
    UNIT.chmod(0o644)
    print(f"{UNIT} is written. Start it now and with the machine:")
    print("  systemctl daemon-reload && systemctl enable --now frontdesk")
    print(f"Its first passwords: {STATE}/first-run.txt    its commands: frontdesk --state {STATE} status")


def unit_text(options: EngineOptions, arguments: list[str], command: list[str]) -> str:
    """The unit that runs an engine with these options."""
    ports = [listen.port for listen in (*options.sip, *(options.tls or ()), *options.ws, *options.wss, options.ssh)]
    needs_low_port = any(0 < port < _LOWEST_FREE_PORT for port in ports)
    capability = "CAP_NET_BIND_SERVICE" if needs_low_port else ""
    first, last = options.media_ports
    return _TEXT.format(
        command=" ".join(_escaped(word) for word in [*command, "run", "--headless", *arguments]),
        stop_s=round(options.drain_s) + _STOP_MARGIN_S,
        state=STATE,
        files=last - first + 1 + _SOCKETS_BESIDE_MEDIA,
        capabilities=f"AmbientCapabilities={capability}\nCapabilityBoundingSet={capability}",
        home="read-only" if command[0].startswith(_HOMES) else "yes",
    )


def program() -> list[str]:
    """The command that runs this very installation, by absolute path."""
    used = Path(shutil.which(sys.argv[0]) or sys.argv[0]).absolute()
    if used.name == "frontdesk" and os.access(used, os.X_OK):
        return [str(used)]
    return [sys.executable, "-P", "-m", "tui.cli"]


def demand_reachable(path: str) -> None:
    """Raise ``RefusedError`` when a user without privileges cannot get to ``path``, nor to what it runs."""
    for file in {Path(path), Path(path).resolve(), Path(sys.executable).resolve(), Path(__file__).resolve()}:
        for place in (file, *file.parents):
            mode = place.stat().st_mode
            if not mode & (stat.S_IXOTH if place.is_dir() else stat.S_IROTH):
                raise RefusedError(
                    f"the service's own user may not read {place}, where Frontdesk is installed",
                    "install it where everybody may read, such as /opt/frontdesk, and run this from there",
                )


def _escaped(word: str) -> str:
    """One word of ExecStart: quoted where needed, without systemd's specifiers and variables."""
    plain = word.replace("%", "%%").replace("$", "$$")
    return f'"{plain}"' if any(char in plain for char in " \t;'") or not plain else plain
