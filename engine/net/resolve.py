"""From a carrier's name to the servers to try, in order (RFC 3263, RFC 2782)."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Any, NamedTuple, Protocol

from engine.core.errors import RefusedError
from engine.net.names import Answer, Names, NamesSilentError, Naptr, Srv

DEFAULT_PORTS = {"UDP": 5060, "TCP": 5060, "TLS": 5061}
SHORTEST_S, LONGEST_S = 10.0, 3600.0
"""However short or long a record wants to be kept."""
SHORTEST_DENIAL_S, LONGEST_DENIAL_S = 2.0, 60.0
"""A name that is missing may be entered at any moment."""
SILENCE_S = 5.0
"""How long nobody is asked again what no name server answered."""
STRAGGLER_S = 1.0
"""How long one kind of record is waited for once the other one is there: some name servers let questions of kinds
that they do not know pass in silence."""
MOST_TARGETS, MOST_SERVERS = 16, 32
_MOST_KEPT = 1024
_SERVICES = {"SIP+D2U": "UDP", "SIP+D2T": "TCP", "SIPS+D2T": "TLS"}
_PREFIXES = {"UDP": "_sip._udp.", "TCP": "_sip._tcp.", "TLS": "_sips._tcp."}


class Server(NamedTuple):
    """One address of a carrier, as the name service or the configuration gave it."""

    host: str
    """An IP address without brackets."""
    port: int
    transport: str
    """``UDP``, ``TCP`` or ``TLS``."""


class Resolver(Protocol):
    """Finds the servers behind a host."""

    async def resolve(self, host: str, port: int | None, transports: tuple[str, ...]) -> tuple[Server, ...]:
        """The servers of ``host``, the first one to be tried first; at least one.

        ``transports`` are those that may be used, the preferred one first. Raises ``RefusedError`` that says why
        there is none and what to do.
        """
        ...


class _Offer(NamedTuple):
    """What the SRV records of a service say."""

    is_made: bool
    """Whether the service is offered at all."""
    servers: list[Server]


class SipResolver:
    """RFC 3263 on a name service; what it said is kept as long as it says, within bounds."""

    def __init__(self, names: Names, now: Callable[[], float], random: Random | None = None) -> None:
        self._names = names
        self._now = now
        self._random = random or Random()  # noqa: S311 - spreads load, guards nothing
        self._kept: dict[tuple[str, str], tuple[float, Answer | NamesSilentError]] = {}

    async def resolve(self, host: str, port: int | None, transports: tuple[str, ...]) -> tuple[Server, ...]:
        literal = _literal(host)
        if literal is not None:
            return (Server(literal, port or DEFAULT_PORTS[transports[0]], transports[0]),)
        try:
            if port is not None:
                found = await self._at(host, port, transports[0])
            else:
                found = await self._by_service(host, transports)
        except NamesSilentError as error:
            raise RefusedError(
                f"'{host}' cannot be looked up ({error})",
                "see that the name server runs, or name one with --resolver",
            ) from None
        if not found:
            raise RefusedError(f"'{host}' does not resolve", "correct the trunk's host, or its entry in the DNS")
        return tuple(dict.fromkeys(found))[:MOST_SERVERS]

    # -- the steps of RFC 3263 section 4 ------------------------------------------------------------------------

    async def _by_service(self, host: str, transports: tuple[str, ...]) -> list[Server]:
        """By NAPTR, else by SRV, else at the default port (sections 4.1 and 4.2)."""
        rules = asyncio.ensure_future(self._rules(host, transports))
        services = (self._by_srv(_PREFIXES[transport] + host, transport) for transport in transports)
        try:
            answers = await asyncio.gather(*services, return_exceptions=True)
            await asyncio.wait({rules}, timeout=STRAGGLER_S)
        finally:
            is_known = rules.done() or not rules.cancel()
        found = await self._by_rules(rules.result()) if is_known else []
        if found:
            return found
        offers = []
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
            offers += [answer] if answer is not None else []
        if offers and not any(offer.is_made for offer in offers):
            over = " or ".join(transports)
            raise RefusedError(f"'{host}' offers no SIP over {over}", "choose another --transport")
        if offers:
            return [server for offer in offers for server in offer.servers]
        return await self._at(host, DEFAULT_PORTS[transports[0]], transports[0])

    async def _by_rules(self, rules: list[Naptr]) -> list[Server]:
        found: list[Server] = []
        for rule in rules:
            transport = _SERVICES[rule.service]
            if rule.flags == "s":
                offer = await self._by_srv(rule.replacement, transport)
                found += offer.servers if offer is not None else []
            else:
                found += await self._at(rule.replacement, DEFAULT_PORTS[transport], transport)
        return found

    async def _rules(self, host: str, transports: tuple[str, ...]) -> list[Naptr]:
        """The NAPTR rules that can be followed, in their order; some name servers choke on the question."""
        fit = [
            rule
            for rule in await self._records(host, "NAPTR")
            if _SERVICES.get(rule.service) in transports and rule.flags in ("s", "a") and not rule.regexp
        ]
        return sorted(fit, key=lambda rule: (rule.order, rule.preference))[:MOST_TARGETS]

    async def _by_srv(self, service: str, transport: str) -> _Offer | None:
        """The servers of a service; ``None`` when it has no SRV record."""
        try:
            records = (await self._ask(service, "SRV")).records
        except NamesSilentError:
            return None  # the addresses of the host itself decide
        if not records:
            return None
        targets = in_order(records, self._random)[:MOST_TARGETS]
        found = await asyncio.gather(*(self._addresses(target.target) for target in targets))
        if targets and not any(found):
            await self._ask(targets[0].target, "A")  # raises when it is silence that leaves it without
        servers = [
            Server(address, target.port, transport)
            for target, addresses in zip(targets, found, strict=True)
            for address in addresses
        ]
        return _Offer(bool(targets), servers)

    async def _at(self, host: str, port: int, transport: str) -> list[Server]:
        """At every address of a host; raises ``NamesSilentError`` when nobody knows it."""
        found = await self._addresses(host)
        if not found:
            await self._ask(host, "A")  # raises when it is silence that leaves it without
        return [Server(address, port, transport) for address in found]

    async def _addresses(self, host: str) -> list[str]:
        """Every address, IPv4 first: an IPv6 path that leads nowhere is the more frequent trouble."""
        literal = _literal(host)
        if literal is not None:
            return [literal]
        tasks = [asyncio.ensure_future(self._records(host, kind)) for kind in ("A", "AAAA")]
        try:
            done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if waiting:
                is_enough = any(task.result() for task in done)
                await asyncio.wait(waiting, timeout=STRAGGLER_S if is_enough else None)
        finally:
            for task in tasks:
                task.cancel()
        return [address for task in tasks if task.done() and not task.cancelled() for address in task.result()]

    async def _records(self, name: str, kind: str) -> tuple[Any, ...]:
        """What is known of a name; nothing where nobody answers."""
        try:
            return (await self._ask(name, kind)).records
        except NamesSilentError:
            return ()

    # -- what is kept -------------------------------------------------------------------------------------------

    async def _ask(self, name: str, kind: str) -> Answer:
        key = (name.lower(), kind)
        kept = self._kept.get(key)
        now = self._now()
        if kept is not None and kept[0] > now:
            if isinstance(kept[1], NamesSilentError):
                raise NamesSilentError(str(kept[1]))
            return kept[1]
        try:
            answer = await self._names.query(name, kind)
        except NamesSilentError as error:
            if kept is not None and isinstance(kept[1], Answer) and kept[1].records:
                self._keep(key, SILENCE_S, kept[1])  # better what was true than nothing (RFC 8767)
                return kept[1]
            self._keep(key, SILENCE_S, error)
            raise
        low, high = (SHORTEST_S, LONGEST_S) if answer.records else (SHORTEST_DENIAL_S, LONGEST_DENIAL_S)
        self._keep(key, min(max(answer.seconds, low), high), answer)
        return answer

    def _keep(self, key: tuple[str, str], seconds: float, answer: Answer | NamesSilentError) -> None:
        now = self._now()
        if len(self._kept) >= _MOST_KEPT:
            self._kept = {name: kept for name, kept in self._kept.items() if kept[0] > now}
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
        self._kept[key] = (now + seconds, answer)


class ManualResolver:
    """Servers as a test or a demo writes them down; a host that is not there does not resolve."""

    def __init__(self, known: Mapping[str, Iterable[Server]] | None = None) -> None:
        self.known = {host: tuple(servers) for host, servers in (known or {}).items()}

    async def resolve(self, host: str, port: int | None, transports: tuple[str, ...]) -> tuple[Server, ...]:
        literal = _literal(host)
        if literal is not None:
            return (Server(literal, port or DEFAULT_PORTS[transports[0]], transports[0]),)
        found = self.known.get(host)
        if not found:
            raise RefusedError(f"'{host}' does not resolve", "correct the trunk's host, or its entry in the DNS")
        return found


def in_order(records: Iterable[Srv], random: Random) -> list[Srv]:
    """SRV records in the order in which they are tried: by priority, within one by chance and weight (RFC 2782)."""
    ordered: list[Srv] = []
    left = sorted(
        (record for record in records if record.target != "."), key=lambda one: (one.priority, one.weight)
    )
    while left:
        group = [record for record in left if record.priority == left[0].priority]
        total = sum(record.weight for record in group)
        mark = random.randint(0, total)
        for record in group:
            mark -= record.weight
            if mark <= 0:
                break
        ordered.append(record)
        left.remove(record)
    return ordered


def _literal(host: str) -> str | None:
    """``host`` as the address that it is, in its usual spelling."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None
