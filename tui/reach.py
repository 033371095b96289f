"""Where a phone reaches this office: the values to type into it."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

import psutil

from engine.core.views import ListenerView

_SIP = ("udp", "tcp", "tls")


def phone_servers(listeners: Iterable[ListenerView], machine: Iterable[str] | None = None) -> list[tuple[str, str]]:
    """(address:port, transport) a phone can be pointed at, best first.

    A listener on every address stands for each address of this ``machine`` (default: as it is now); its own
    loopback counts only where there is nothing else.
    """
    found: list[tuple[str, str]] = []
    for listener in listeners:
        if listener.kind not in _SIP:
            continue
        host, _, port = listener.address.rpartition(":")
        host = host.strip("[]")
        if host not in ("0.0.0.0", "::", "", "*"):  # noqa: S104 - read, never bound
            hosts = [host]
        else:
            version = 6 if host == "::" else 4
            hosts = _hosts(machine if machine is not None else _machine_addresses(), version)
        for each in hosts:
            entry = (f"[{each}]:{port}" if ":" in each else f"{each}:{port}", listener.kind.upper())
            if entry not in found:
                found.append(entry)
    return sorted(found, key=lambda entry: (_SIP.index(entry[1].lower()), entry[0].startswith("[")))


def _hosts(addresses: Iterable[str], version: int) -> list[str]:
    known = []
    for text in addresses:
        address = ipaddress.ip_address(text.partition("%")[0])
        if address.version == version and not address.is_link_local:
            known.append(address)
    outside = [str(address) for address in known if not address.is_loopback]
    return outside or [str(address) for address in known]


def _machine_addresses() -> list[str]:
    return [
        entry.address
        for entries in psutil.net_if_addrs().values()
        for entry in entries
        if entry.family in (socket.AF_INET, socket.AF_INET6)
    ]
