"""Which of this machine's addresses the engine listens on."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from contextlib import suppress

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


def own_networks() -> list[str]:
    """The networks that this machine's interfaces are in, as CIDR."""
    found: list[str] = []
    for addresses in psutil.net_if_addrs().values():
        for address in addresses:
            if address.family in (socket.AF_INET, socket.AF_INET6) and address.netmask:
                with suppress(ValueError):
                    found.append(_network(address.address.partition("%")[0], address.netmask))
    return sorted(set(found))


def _network(host: str, netmask: str) -> str:
    bits = int(ipaddress.ip_address(netmask.partition("%")[0])).bit_count()
    return str(ipaddress.ip_network(f"{host}/{bits}", strict=False))


def expand_host(host: str) -> list[str]:
    """The addresses to bind for ``host``: each of ours for a wildcard, so that answers leave from the right one."""
    if host in ("", "*"):
        return own_addresses()
    if host in WILDCARDS:
        return [address for address in own_addresses() if (":" in address) == (":" in host)]
    return [host]


def address_towards(remote_host: str) -> str | None:
    """Our address from which packets to ``remote_host`` leave; ``None`` when no route leads there."""
    family = socket.AF_INET6 if ":" in remote_host else socket.AF_INET
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asking:
        asking.connect((remote_host, 9))  # nothing is sent: the kernel only looks the route up
        return str(asking.getsockname()[0])
    return None


def address_to_tell(bound: Sequence[tuple[str, int]]) -> tuple[str, int]:
    """Of the (host, port) we listen on, the one that phones of this office are most likely to reach.

    That of the default route, else any that is not loopback, IPv4 first; ``bound`` is not empty.
    """
    outward = {address_towards("192.0.2.1"), address_towards("2001:db8::1")}

    def rank(address: tuple[str, int]) -> tuple[bool, bool, bool]:
        host = address[0]
        return (ipaddress.ip_address(host).is_loopback, ":" in host, host not in outward)

    return min(bound, key=rank)
