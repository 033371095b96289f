"""A name server on a loopback address, with the zone that a test writes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from tests.live.network import host_port


@dataclass(slots=True)
class NameServer:
    """Answers over UDP what ``zone`` says, and denies the rest for a second."""

    host: str
    port: int
    zone: list[dns.rrset.RRset] = field(default_factory=list)

    @property
    def address(self) -> str:
        return host_port(self.host, self.port)

    def says(self, *lines: str) -> None:
        """Add records such as ``carrier.test. 60 A 127.0.0.1``."""
        for line in lines:
            name, seconds, kind, text = line.split(None, 3)
            self.zone.append(dns.rrset.from_text(name, int(seconds), "IN", kind, text))

    def answer(self, data: bytes) -> bytes:
        query = dns.message.from_wire(data)
        question = query.question[0]
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.AA
        named = [rrset for rrset in self.zone if rrset.name == question.name]
        found = [rrset for rrset in named if rrset.rdtype == question.rdtype]
        rrset: Any  # dnspython says nothing of the types of its methods
        for rrset in found:
            known: Any = reply.get_rrset(reply.answer, rrset.name, rrset.rdclass, rrset.rdtype)
            if known is None:
                reply.answer.append(rrset.copy())
            else:
                known.update(rrset)
        if not found:
            reply.set_rcode(dns.rcode.NOERROR if named else dns.rcode.NXDOMAIN)
            reply.authority.append(dns.rrset.from_text("test.", 1, "IN", "SOA", "ns.test. post.test. 1 60 60 60 1"))
        return reply.to_wire()


@contextmanager
def open_nameserver(host: str, port: int) -> Iterator[NameServer]:
    """Answer at ``host`` until the end."""
    server = NameServer(host, port)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind((host, port))

        def serve() -> None:
            with suppress(OSError):
                while True:
                    data, peer = door.recvfrom(4096)
                    if not data:
                        return
                    door.sendto(server.answer(data), peer)

        thread = threading.Thread(target=serve, name="name server", daemon=True)
        thread.start()
        try:
            yield server
        finally:
            with suppress(OSError):
                door.shutdown(socket.SHUT_RDWR)  # wakes the thread
            thread.join(5)
