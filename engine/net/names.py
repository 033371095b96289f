"""What the name service says: one question, its records and how long they hold (RFC 1035, 2308, 2782, 3403)."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from engine.core.errors import FrontdeskError

QUERY_S, PATIENCE_S = 1.5, 5.0
"""How long one name server is waited for, and how long all of them together."""
NOTHING_S = 60.0
"""How long a missing answer holds that says no time of its own."""
_HOSTS = Path("/etc/hosts")
_RESOLV_CONF = Path("/etc/resolv.conf")


class Naptr(NamedTuple):
    """A rule that names a service of a domain (RFC 3403)."""

    order: int
    preference: int
    flags: str
    service: str
    regexp: str
    replacement: str


class Srv(NamedTuple):
    """A server of a service (RFC 2782)."""

    priority: int
    weight: int
    port: int
    target: str
    """``.``: the service is decidedly not offered."""


class Answer(NamedTuple):
    """What a question brought; no records when the name, or a record of this kind, does not exist."""

    records: tuple[Any, ...]
    """``Naptr``, ``Srv``, or addresses as text."""
    seconds: float
    """How long it holds."""


class NamesSilentError(FrontdeskError):
    """No name server answers, or each refuses: nothing is known of the name."""


class Names(Protocol):
    """Whoever answers one question."""

    async def query(self, name: str, kind: str) -> Answer:
        """The records of ``name``; ``kind`` is A, AAAA, SRV or NAPTR. Raises ``NamesSilentError``."""
        ...


class NameService:
    """Asks the machine's name servers, or the one at ``server`` (host, port).

    The machine's own ``/etc/hosts`` goes before its name servers; a server that was named is asked alone.
    """

    def __init__(self, server: tuple[str, int] | None = None) -> None:
        self._server = server
        self._resolver: Any = None
        self._made_of: object = None

    async def query(self, name: str, kind: str) -> Answer:
        if _is_local(name):
            return Answer({"A": ("127.0.0.1",), "AAAA": ("::1",)}.get(kind, ()), NOTHING_S)
        if self._server is None and (known := hosts_of(name)):
            wanted = [host for host in known if (":" in host) == (kind == "AAAA")]
            return Answer(tuple(wanted) if kind in ("A", "AAAA") else (), NOTHING_S)
        resolver = await self._ready()
        return await _ask(resolver, name, kind)

    async def _ready(self) -> Any:
        """The client of the name servers as the machine names them now; loading it takes a tenth of a second."""
        made_of = None if self._server is not None else _stamp(_RESOLV_CONF)
        if self._resolver is None or made_of != self._made_of:
            library = await asyncio.to_thread(importlib.import_module, "dns.asyncresolver")
            self._resolver = _make_resolver(library, self._server)
            self._made_of = made_of
        return self._resolver


def hosts_of(name: str) -> tuple[str, ...]:
    """The addresses that ``/etc/hosts`` gives a name."""
    try:
        text = _HOSTS.read_text(errors="replace")
    except OSError:
        return ()
    wanted = name.lower().rstrip(".")
    rows = [line.partition("#")[0].split() for line in text.splitlines()]
    return tuple(dict.fromkeys(row[0] for row in rows if wanted in map(str.lower, row[1:]) and "%" not in row[0]))


def _is_local(name: str) -> bool:
    """Names of this machine itself (RFC 6761 section 6.3)."""
    return name.lower().rstrip(".").rpartition(".")[2] == "localhost"


def _stamp(path: Path) -> object:
    try:
        found = path.stat()
    except OSError as error:
        return error.errno
    return found.st_mtime_ns, found.st_ino


def _make_resolver(library: Any, server: tuple[str, int] | None) -> Any:
    from dns.exception import DNSException

    try:
        resolver = library.Resolver(configure=server is None)
    except DNSException:
        raise NamesSilentError("this machine has no name server") from None
    if server is not None:
        resolver.nameservers, resolver.port = [server[0]], server[1]
    resolver.timeout, resolver.lifetime = QUERY_S, PATIENCE_S
    return resolver


async def _ask(resolver: Any, name: str, kind: str) -> Answer:
    import dns.exception
    import dns.resolver

    try:
        found = await resolver.resolve(name, kind, raise_on_no_answer=False, search="." not in name.rstrip("."))
    except dns.resolver.NXDOMAIN as error:
        return Answer((), _denied_for(list(error.kwargs.get("responses", {}).values())))
    except dns.resolver.LifetimeTimeout:
        raise NamesSilentError("no name server answers") from None
    except dns.resolver.NoNameservers:
        raise NamesSilentError("the name server refuses") from None
    except (dns.exception.DNSException, ValueError, OSError) as error:
        raise NamesSilentError(f"the name cannot be asked for ({error})") from None
    if found.rrset is None:
        return Answer((), _denied_for([found.response]))
    records = tuple(record for item in found.rrset if (record := _read(kind, item)) is not None)
    return Answer(records, float(found.chaining_result.minimum_ttl))


def _read(kind: str, item: Any) -> object:
    if kind == "SRV":
        return Srv(item.priority, item.weight, item.port, _text(item.target))
    if kind == "NAPTR":
        flags, service, regexp = (
            part.decode("ascii", "replace") for part in (item.flags, item.service, item.regexp)
        )
        return Naptr(item.order, item.preference, flags.lower(), service.upper(), regexp, _text(item.replacement))
    return str(item.address)


def _text(name: Any) -> str:
    text: str = name.to_text()
    return text if text == "." else text.rstrip(".")


def _denied_for(responses: list[Any]) -> float:
    """How long a denial holds: what the zone's SOA says beside it (RFC 2308 section 5)."""
    import dns.rdatatype

    for response in responses:
        for rrset in response.authority:
            if rrset.rdtype == dns.rdatatype.SOA:
                return float(min(rrset.ttl, rrset[0].minimum))
    return NOTHING_S


class FixedNames:
    """Names as a test writes them down: ``(name, kind)`` to records; what is not there does not exist."""

    def __init__(
        self, known: Mapping[tuple[str, str], tuple[Any, ...]] | None = None, seconds: float = 60.0
    ) -> None:
        self.known = dict(known or {})
        self.seconds = seconds
        self.asked: list[tuple[str, str]] = []
        self.silent: set[str] = set()
        """Kinds and names that nobody answers."""

    async def query(self, name: str, kind: str) -> Answer:
        self.asked.append((name, kind))
        if kind in self.silent or name in self.silent:
            raise NamesSilentError("no name server answers")
        return Answer(self.known.get((name.lower(), kind), ()), self.seconds)
