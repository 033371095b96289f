"""The ports an office listens on: free, ours already, or taken by somebody else."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.core.options import HostPort
from engine.doctor.finding import Finding, failed, ok, warning
from engine.net.addresses import expand_host

MANY_TAKEN = 0.2
"""Share of the media range whose loss is worth a word."""
_TABLES = ("/proc/net/udp", "/proc/net/udp6")


@dataclass(frozen=True, slots=True)
class Door:
    """Where something is to listen."""

    name: str
    """As the report calls it, such as ``SIP over UDP``."""
    where: HostPort
    is_stream: bool
    option: str


def check_door(door: Door, ours: frozenset[tuple[str, int]]) -> Finding:
    """Whether it can listen; ``ours`` are the (host, port) that a running engine has of this kind."""
    if ours:
        return ok(door.name, f"this office listens on {', '.join(sorted(f'{host}:{port}' for host, port in ours))}")
    hosts = expand_host(door.where.host)
    if not hosts:
        return failed(
            door.name, f"this machine has no address for {door.where}", f"give another with {door.option}"
        )
    refused = [
        (host, error) for host in hosts if (error := _try(host, door.where.port, door.is_stream)) is not None
    ]
    for host, error in refused:
        if error.errno == errno.EADDRINUSE:
            return failed(
                door.name,
                f"port {door.where.port} is taken by another program on {host}",
                f"stop it (see: ss -lpn 'sport = :{door.where.port}'), or choose another port with {door.option}",
            )
        if error.errno == errno.EACCES:
            return failed(
                door.name,
                f"port {door.where.port} needs more privileges",
                f"choose a port above 1023 with {door.option}, or run it as a service: frontdesk install-service",
            )
    if len(refused) == len(hosts):
        return failed(
            door.name, f"{door.where}: {refused[0][1].strerror}", f"choose another address with {door.option}"
        )
    return ok(door.name, f"{door.where} is free")


def check_media(first: int, last: int, is_running: bool) -> Finding:
    """How much of the media range other programs have."""
    name = "media ports"
    if is_running:
        return ok(name, "this office has its own")
    taken = {port for port in _udp_ports() if first <= port <= last}
    said = f"{first} to {last}, {len(taken)} of {last - first + 1} taken by other programs"
    if len(taken) > MANY_TAKEN * (last - first + 1):
        return warning(name, said, "choose a quieter range with --media-ports FIRST-LAST")
    return ok(name, said if taken else f"{first} to {last} are free: {(last - first + 1) // 4} calls at once")


def _try(host: str, port: int, is_stream: bool) -> OSError | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    kind = socket.SOCK_STREAM if is_stream else socket.SOCK_DGRAM
    try:
        with socket.socket(family, kind) as probe:
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if is_stream:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            if is_stream:
                probe.listen(1)
    except OSError as error:
        return error
    return None


def _udp_ports() -> Iterator[int]:
    """Ports that UDP sockets of this machine have (proc(5): /proc/net/udp)."""
    for table in _TABLES:
        if os.path.exists(table):
            for line in Path(table).read_text().splitlines()[1:]:
                yield int(line.split()[1].rpartition(":")[2], 16)
