"""A flow: which of our sockets speaks to which peer (RFC 5626 section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass, field


def host_port(host: str, port: int) -> str:
    """``host:port`` as SIP writes it, IPv6 literals in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@dataclass(frozen=True, slots=True)
class Flow:
    """One path of messages; answers leave from the address that was addressed.

    Over TCP and TLS the local port is that of our listener, for connections that we opened, too: it is where we
    are reached.
    """

    transport: str
    """``UDP``, ``TCP``, ``TLS`` …, as Via names it."""
    local_host: str
    local_port: int
    remote_host: str
    remote_port: int
    told_host: str = field(default="", compare=False)
    """Our address as the peer must be told it: behind a NAT another than our own, for peers outside."""
    local: tuple[str, str, int] = field(init=False, compare=False)
    """Which of our sockets it is: transport, host and port."""
    sent_by: str = field(init=False, compare=False)
    """Our side as Via names it."""
    reached_at: str = field(init=False, compare=False)
    """Our side as Contact names it, with the transport that is not the default one."""
    is_reliable: bool = field(init=False, compare=False)
    """Whether the transport itself resends: then no transaction does."""

    def __post_init__(self) -> None:
        put = object.__setattr__
        if not self.told_host:
            put(self, "told_host", self.local_host)
        sent_by = host_port(self.told_host, self.local_port)
        put(self, "local", (self.transport, self.local_host, self.local_port))
        put(self, "sent_by", sent_by)
        put(self, "is_reliable", self.transport != "UDP")
        # RFC 7118 knows one URI parameter for both
        name = "ws" if self.transport == "WSS" else self.transport.lower()
        put(self, "reached_at", f"{sent_by};transport={name}" if self.is_reliable else sent_by)

    @property
    def is_translated(self) -> bool:
        """Whether there is a NAT between us and the peer."""
        return self.told_host != self.local_host

    @property
    def remote(self) -> str:
        """The peer's side as ``host:port``."""
        return host_port(self.remote_host, self.remote_port)
