"""A flow: which of our sockets speaks to which peer (RFC 5626 section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass, field


def host_port(host: str, port: int) -> str:
    """``host:port`` as SIP writes it, IPv6 literals in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@dataclass(frozen=True, slots=True)
class Flow:
    """One path of messages; answers leave from the address that was addressed."""

    transport: str
    """``UDP``, ``TCP``, ``TLS`` …, as Via names it."""
    local_host: str
    local_port: int
    remote_host: str
    remote_port: int
    sent_by: str = field(init=False, compare=False)
    """Our side as Via and Contact name it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "sent_by", host_port(self.local_host, self.local_port))

    @property
    def is_reliable(self) -> bool:
        """Whether the transport itself resends: then no transaction does."""
        return self.transport != "UDP"

    @property
    def remote(self) -> str:
        """The peer's side as ``host:port``."""
        return host_port(self.remote_host, self.remote_port)
