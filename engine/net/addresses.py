"""Which of this machine's addresses the engine listens on."""

from __future__ import annotations

import ipaddress
import socket

import psutil

WILDCARDS = ("", "*", "0.0.0.0", "::")  # noqa: S104 - named here to be replaced by the real addresses


def own_addresses() -> list[str]:
    """Every IPv4 and IPv6 address of this machine, loopback first, link-local IPv6 left out."""
    found: list[str] = []
    for addresses in psutil.net_if_addrs().values():
        for address in addresses:
            if address.family not in (socket.AF_INET, socket.AF_INET6) or "%" in address.address:
                continue
            if not ipaddress.ip_address(address.address).is_link_local:
                found.append(address.address)
    return sorted(set(found), key=lambda host: (not ipaddress.ip_address(host).is_loopback, ":" in host, host))


def expand_host(host: str) -> list[str]:
    """The addresses to bind for ``host``: each of ours for a wildcard, so that answers leave from the right one."""
    if host in ("", "*"):
        return own_addresses()
    if host in WILDCARDS:
        return [address for address in own_addresses() if (":" in address) == (":" in host)]
    return [host]
