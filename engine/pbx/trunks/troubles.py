"""What may be wrong with an outside line, in words that say what to do."""

from __future__ import annotations

from engine.core.errors import RefusedError
from engine.net.resolve import Server
from engine.sip.flow import host_port
from engine.sip.register import Denied


def server_trouble(server: Server, why: str) -> RefusedError:
    """A server that failed: ``why`` is ``does not answer``, ``says STATUS``, or what the system or TLS said."""
    place = host_port(server.host, server.port)
    what, colon, mend = why.rpartition(": ")
    if colon:
        return RefusedError(what, mend)
    if why.startswith("says "):
        return RefusedError(f"{place} says {why[5:]}", "wait, or ask the carrier")
    if why == "does not answer":
        return RefusedError(f"{place} does not answer", "see that the trunk's address and transport are right")
    return RefusedError(
        f"{place} cannot be reached ({why})", "see that the trunk's address and transport are right"
    )


def registration_refused(user: str, denied: Denied) -> RefusedError:
    """A registrar's plain no."""
    what = f"the carrier refuses to register '{user}' ({denied.status} {denied.reason})"
    return RefusedError(what, "see that user and password are right" if denied.is_login else "ask the carrier")


def no_socket(domain: str, transport: str, families: set[bool]) -> RefusedError:
    """None of a carrier's addresses can be sent to; ``families`` says of each whether it is IPv6."""
    kinds = " or ".join("IPv6" if is_ipv6 else "IPv4" for is_ipv6 in sorted(families))
    option = "--tls" if transport == "TLS" else "--sip"
    return RefusedError(
        f"the office has no {transport} socket for the {kinds} address of '{domain}'",
        f"start it with {option} HOST:PORT",
    )
