"""How peers outside see us: the address that they are told, and who is inside and sees our own (NAT)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from ipaddress import ip_address

from engine.core.networks import AddressList
from engine.net.addresses import own_networks
from engine.sip.flow import Flow

PRIVATE = (
    "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "::1/128", "fc00::/7",
    "fe80::/10",
)  # fmt: skip
"""Loopback, private and link-local networks (RFC 1918, 3927, 4193, 4291)."""
_MOST_REMEMBERED = 8192


class Nat:
    """What each peer is told of our address. Without an advertised one everybody is told the real one."""

    def __init__(self, advertised: str | None = None, local_nets: Iterable[str] | None = None) -> None:
        """``advertised``: a name or an address; ``local_nets``: who is inside, else the usual private networks."""
        self.advertised = advertised
        self.on_changed: Callable[[], None] = lambda: None
        """Called when peers outside must be told another address than before."""
        nets = local_nets
        if nets is None:
            nets = (*PRIVATE, *own_networks()) if advertised is not None else ()
        self._inside = AddressList((net, True) for net in nets)
        self._addresses: tuple[str, ...] = ()
        self._known: tuple[str, ...] | None = None
        """What the name service said last; a registrar may know better meanwhile."""
        self._flows: dict[Flow, Flow] = {}
        if advertised is not None and is_address(advertised):
            self._addresses = (str(ip_address(advertised)),)

    @property
    def is_name(self) -> bool:
        """Whether what is advertised has to be looked up."""
        return self.advertised is not None and not is_address(self.advertised)

    @property
    def addresses(self) -> tuple[str, ...]:
        """What is advertised now: one address of each family at most; none before a name was looked up."""
        return self._addresses

    def is_inside(self, host: str) -> bool:
        """Whether a peer at ``host`` (a literal address) is on our side of the NAT."""
        return self._inside.verdict(host) is True

    def host_for(self, local_host: str, remote_host: str) -> str:
        """What a peer must be told instead of ``local_host``; that itself where nothing is in between."""
        if self._addresses and not self.is_inside(remote_host):
            for address in self._addresses:
                if (":" in address) == (":" in local_host):
                    return address
        return local_host

    def see(self, flow: Flow) -> Flow:
        """The flow with our address as its peer must be told it now."""
        if self.advertised is None:
            return flow
        seen = self._flows.get(flow)
        if seen is None:
            if len(self._flows) >= _MOST_REMEMBERED:
                self._flows.clear()
            told = self.host_for(flow.local_host, flow.remote_host)
            seen = self._flows[flow] = replace(flow, told_host=told)
        return seen

    def take(self, found: Iterable[str]) -> None:
        """The name service has answered with these addresses: the first of each family is advertised."""
        first: dict[bool, str] = {}
        for host in found:
            first.setdefault(":" in host, host)
        known = tuple(first.values())
        if known and known != self._known:
            self._known = known
            self._put(known)

    def note_seen(self, before: str, now: str) -> None:
        """A server outside sees us at another address than before: the advertised one may have changed."""
        if before != now and before in self._addresses and is_address(now) and not self.is_inside(now):
            self._put(tuple(now if address == before else address for address in self._addresses))

    def _put(self, addresses: tuple[str, ...]) -> None:
        if addresses != self._addresses:
            self._addresses = addresses
            self._flows.clear()
            self.on_changed()


def is_address(host: str) -> bool:
    """Whether ``host`` is an IP address rather than a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
