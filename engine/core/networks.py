"""Addresses and the networks that they are in."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@lru_cache(maxsize=4096)
def is_within(host: str, network: str) -> bool:
    """Whether a host (a literal address) is in a network; false for what is neither."""
    try:
        return address_of(host) in ip_network(network, strict=False)
    except ValueError:
        return False


class AddressList:
    """Networks that are let in and networks that are not: of those that hold an address the smallest decides."""

    def __init__(self, networks: Iterable[tuple[str, bool]] = ()) -> None:
        """Pairs of a network and whether it is let in; what is no network is left out."""
        found: list[tuple[Network, bool]] = []
        for text, is_white in networks:
            try:
                found.append((ip_network(text, strict=False), is_white))
            except ValueError:
                continue
        self._networks = sorted(found, key=lambda item: item[0].prefixlen, reverse=True)
        self._verdicts: dict[str, bool | None] = {}
        self.has_black = any(not is_white for _, is_white in found)

    def verdict(self, host: str) -> bool | None:
        """``True`` for an address that is let in always, ``False`` for one that never is, else ``None``."""
        if not self._networks:
            return None
        try:
            return self._verdicts[host]
        except KeyError:
            if len(self._verdicts) >= _MOST_REMEMBERED:
                self._verdicts.clear()
            verdict = self._verdicts[host] = self._look_up(host)
            return verdict

    def _look_up(self, host: str) -> bool | None:
        try:
            address = address_of(host)
        except ValueError:
            return None
        for network, is_white in self._networks:
            if address in network:
                return is_white
        return None


_MOST_REMEMBERED = 8192


def address_of(host: str) -> Address:
    """An address without its zone, and an IPv4 address as itself that is written as IPv6."""
    address = ip_address(host.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
