"""How an engine is asked to run: what ``frontdesk run`` was told."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine.core.errors import RefusedError

DNS_PORT = 53
SIP_PORT = 5060
TLS_PORT = 5061
WS_PORT, WSS_PORT = 5062, 5063
SSH_PORT = 8022
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class HostPort:
    """Where to listen: an address without brackets, a name, or empty for every address; port 0 is any."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str, default_port: int) -> HostPort:
        """``192.0.2.1:5060``, ``[2001:db8::1]:5060``, ``:5060``, or an address alone; raises ``RefusedError``."""
        host, port = _split(text)
        if port is None:
            number = default_port
        elif port.isascii() and port.isdigit() and int(port) <= 65535:
            number = int(port)
        else:
            raise RefusedError(f"'{port}' is no port", "use a number from 0 to 65535")
        if host and not is_host(host):
            raise RefusedError(f"'{text}' is no address", "use HOST:PORT, an IPv6 address in brackets: [::1]:5060")
        return cls(host, number)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host or '*'}:{self.port}"


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Everything an engine is told at its start; what the office is lives in its state folder."""

    folder: Path
    sip: tuple[HostPort, ...] = ()
    """Where to listen for SIP over UDP and TCP; empty is every address, port 5060."""
    tls: tuple[HostPort, ...] | None = None
    """Where to listen for SIP over TLS; ``None`` is nowhere, but with an empty ``sip`` every address, port 5061."""
    ws: tuple[HostPort, ...] = ()
    """Where to listen for SIP over WebSocket; empty is nowhere."""
    wss: tuple[HostPort, ...] = ()
    """The same over TLS."""
    ssh: HostPort = HostPort("", SSH_PORT)
    media_host: str | None = None
    """The address RTP is received on; ``None`` is the one the phone speaks to."""
    media_advertised: str | None = None
    """The address named in SDP where it differs from ``media_host``."""
    advertise: str | None = None
    """The name or address that peers outside must see instead of ours; ``None``: no NAT is in between."""
    local_nets: tuple[str, ...] | None = None
    """Networks of peers inside, who see our own address; ``None``: the private ones and those we are in."""
    media_ports: tuple[int, int] = (30000, 39999)
    """First and last port for RTP."""
    resolver: HostPort | None = None
    """The name server to ask; ``None`` asks those of the machine."""
    ready_fd: int | None = None
    """Where to write the line ``ready`` once REGISTER is accepted."""
    drain_s: float = 30.0
    """How long calls may go on after SIGTERM."""


def parse_media(text: str) -> tuple[str, str | None]:
    """``HOST[,ADVERTISED]`` as two addresses; raises ``RefusedError``."""
    host, _, advertised = text.partition(",")
    for part in (host, advertised) if "," in text else (host,):
        if not is_host(part.strip("[]")):
            raise RefusedError(f"'{text}' names no media address", "use HOST or HOST,ADVERTISED")
    return host.strip("[]"), advertised.strip("[]") or None


def parse_advertised(text: str) -> str:
    """A name or an IP address that others can reach; raises ``RefusedError``."""
    host = text.strip("[]")
    if not is_host(host):
        raise RefusedError(
            f"'{text}' cannot be advertised", "give the name or the IP address that peers outside reach, no port"
        )
    with suppress(ValueError):
        if (address := ipaddress.ip_address(host)).is_unspecified or address.is_multicast:
            raise RefusedError(f"nobody can reach the address {host}", "give the one that peers outside reach")
    return host


def parse_local_nets(
    texts: Sequence[str], advertise: str | None, media_advertised: str | None
) -> tuple[str, ...] | None:
    """Networks in CIDR notation, ``None`` where none is given; raises ``RefusedError``."""
    if texts and advertise is None and media_advertised is None:
        raise RefusedError("--local-net says nothing where no other address is told", "give --advertise HOST, too")
    found: list[str] = []
    for text in texts:
        try:
            found.append(str(ipaddress.ip_network(text.strip(), strict=False)))
        except ValueError:
            raise RefusedError(f"'{text}' is no network", "use CIDR, such as 192.168.0.0/16") from None
    return tuple(found) or None


def parse_ports(text: str) -> tuple[int, int]:
    """``FIRST-LAST`` as two ports with room for one call at least; raises ``RefusedError``."""
    first, _, last = text.partition("-")
    if not (first.isascii() and first.isdigit() and last.isascii() and last.isdigit()):
        raise RefusedError(f"'{text}' is no port range", "use FIRST-LAST, such as 30000-39999")
    low, high = int(first), int(last)
    if not (low >= 1024 and high <= 65535 and high - low >= 3):
        raise RefusedError(f"the port range {text} cannot be used", "use at least 4 ports between 1024 and 65535")
    return low, high


def parse_resolver(text: str) -> HostPort:
    """``HOST[:PORT]`` of a name server, which has no name itself; raises ``RefusedError``."""
    server = HostPort.parse(text, DNS_PORT)
    try:
        ipaddress.ip_address(server.host)
    except ValueError:
        raise RefusedError(f"'{text}' is no name server", "give its address: --resolver 192.0.2.53:53") from None
    if not server.port:
        raise RefusedError(f"'{text}' is no name server", f"name its port, {DNS_PORT} as a rule")
    return server


def split_host(text: str) -> tuple[str, int | None]:
    """``HOST[:PORT]`` as host, without brackets, and port."""
    host, port = _split(text)
    return host, int(port) if port is not None and port.isascii() and port.isdigit() else None


def is_host(text: str) -> bool:
    """Whether ``text`` is an IP address (without brackets) or could be a host's name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        # Digits and dots alone are a mistyped address, never a name.
        return bool(_NAME.fullmatch(text)) and not text.replace(".", "").isdigit()
    return True


def _split(text: str) -> tuple[str, str | None]:
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise RefusedError(f"'{text}' is no address", "close the bracket: [::1]:5060")
        return host, rest[1:] if rest else None
    if text.count(":") > 1:
        return text, None
    host, colon, port = text.partition(":")
    return host, port if colon else None
