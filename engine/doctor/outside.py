"""What peers outside are told of this office: whether the advertised address can be theirs to use (NAT)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from engine.core.options import EngineOptions
from engine.doctor.finding import Finding, failed, ok, warning
from engine.net.addresses import expand_host
from engine.net.names import NameService
from engine.net.nat import Nat, is_address
from engine.net.public_address import PublicAddress

_NAME = "advertised address"
_OPTION = "--advertise HOST"


def check_advertised(options: EngineOptions) -> Iterator[Finding]:
    """Nothing to say without ``--advertise``."""
    if options.advertise is None:
        return
    nat = Nat(options.advertise, options.local_nets)
    server = (options.resolver.host, options.resolver.port) if options.resolver is not None else None
    trouble: list[str] = []
    if nat.is_name:
        asyncio.run(PublicAddress(nat, NameService(server), trouble.append).look_up())
    if trouble:
        what, _, mend = trouble[0].rpartition(": ")
        yield failed(_NAME, what, mend)
        return
    said = " and ".join(nat.addresses)
    said = said if is_address(options.advertise) else f"{options.advertise} is {said}"
    hosts = [host for listen in options.sip for host in expand_host(listen.host)] or expand_host("")
    unheard = [host for host in nat.addresses if not any((":" in host) == (":" in ours) for ours in hosts)]
    if len(unheard) == len(nat.addresses):
        family = "IPv6" if ":" in unheard[0] else "IPv4"
        yield failed(
            _NAME, f"{said}: this office has no {family} address to be reached at", f"see {_OPTION} and --sip"
        )
    elif all(nat.is_inside(host) for host in nat.addresses):
        mend = f"give the address that the router has outside with {_OPTION}, or say who is inside with --local-net"
        yield warning(_NAME, f"{said}: an address inside, which nobody outside can reach", mend)
    else:
        yield ok(_NAME, said)
