"""Asking a name server: what it says, what it denies, and its silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.nameserver
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from engine.net import names as module
from engine.net.names import Answer, NameService, NamesSilentError, Naptr, Srv

PLACE = ("192.0.2.53", 5353)


class TinyNames:
    """A name server in memory, with a zone in text."""

    def __init__(self) -> None:
        self.zone: list[dns.rrset.RRset] = []
        self.refuses = False
        self.is_silent = False

    def has(self, *lines: str) -> None:
        for line in lines:
            name, seconds, kind, *rest = line.split(None, 3)
            self.zone.append(dns.rrset.from_text(name, int(seconds), "IN", kind, *rest))

    def answer(self, query: dns.message.QueryMessage) -> dns.message.Message:
        question = query.question[0]
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.AA | dns.flags.RA
        found = [rr for rr in self.zone if rr.name == question.name and rr.rdtype == question.rdtype]
        if self.refuses:
            reply.set_rcode(dns.rcode.REFUSED)
        elif found:
            reply.answer += found
        else:
            if not any(rr.name == question.name for rr in self.zone):
                reply.set_rcode(dns.rcode.NXDOMAIN)
            reply.authority.append(dns.rrset.from_text("carrier.example.", 40, "IN", "SOA", "ns. mail. 1 2 3 4 25"))
        return dns.message.from_wire(reply.to_wire())


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> TinyNames:
    """Whatever goes to 192.0.2.53 is answered by it."""
    server = TinyNames()

    async def ask(self: Any, request: dns.message.QueryMessage, *_: Any, **__: Any) -> dns.message.Message:
        assert (self.address, self.port) == PLACE
        if server.is_silent:
            raise dns.exception.Timeout
        return server.answer(request)

    monkeypatch.setattr(dns.nameserver.Do53Nameserver, "async_query", ask)
    return server


def service_of(tiny: TinyNames) -> NameService:
    return NameService(PLACE)


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "hosts"
    path.write_text(
        "192.0.2.7 pbx Carrier.example # ours\n2001:db8::7 carrier.example\nfe80::1%eth0 carrier.example\n"
    )
    monkeypatch.setattr(module, "_HOSTS", path)
    return path


async def test_every_kind_is_read(tiny: TinyNames) -> None:
    tiny.has(
        "carrier.example. 300 A 192.0.2.1",
        "carrier.example. 200 AAAA 2001:db8::1",
        "_sip._udp.carrier.example. 90 SRV 10 20 5070 one.carrier.example.",
        'carrier.example. 80 NAPTR 50 60 "S" "sip+d2u" "" _sip._udp.carrier.example.',
    )
    service = service_of(tiny)
    assert await service.query("carrier.example", "A") == Answer(("192.0.2.1",), 300.0)
    assert await service.query("carrier.example", "AAAA") == Answer(("2001:db8::1",), 200.0)
    assert (await service.query("_sip._udp.carrier.example", "SRV")).records == (
        Srv(10, 20, 5070, "one.carrier.example"),
    )
    assert (await service.query("carrier.example", "NAPTR")).records == (
        Naptr(50, 60, "s", "SIP+D2U", "", "_sip._udp.carrier.example"),
    )


async def test_a_denial_holds_as_long_as_the_zone_says(tiny: TinyNames) -> None:
    tiny.has("carrier.example. 300 A 192.0.2.1")
    service = service_of(tiny)
    assert await service.query("carrier.example", "SRV") == Answer((), 25.0)
    assert await service.query("nowhere.carrier.example", "A") == Answer((), 25.0)


async def test_a_server_that_refuses_tells_nothing_of_the_name(tiny: TinyNames) -> None:
    tiny.refuses = True
    with pytest.raises(NamesSilentError, match="refuses"):
        await service_of(tiny).query("carrier.example", "A")


async def test_a_server_that_is_silent_is_given_up(tiny: TinyNames, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUERY_S", 0.05)
    monkeypatch.setattr(module, "PATIENCE_S", 0.1)
    tiny.is_silent = True
    with pytest.raises(NamesSilentError, match="no name server answers"):
        await service_of(tiny).query("carrier.example", "A")


async def test_a_name_that_cannot_be_asked_for_is_no_crash(tiny: TinyNames) -> None:
    with pytest.raises(NamesSilentError, match="cannot be asked"):
        await service_of(tiny).query("a" * 80 + ".example", "A")


@pytest.mark.parametrize(("kind", "records"), [("A", ("192.0.2.7",)), ("AAAA", ("2001:db8::7",)), ("SRV", ())])
async def test_the_hosts_file_goes_before_name_servers(hosts: Path, kind: str, records: tuple[str, ...]) -> None:
    assert (await NameService().query("carrier.EXAMPLE", kind)).records == records


async def test_a_server_that_was_named_is_asked_past_the_hosts_file(hosts: Path, tiny: TinyNames) -> None:
    tiny.has("carrier.example. 300 A 192.0.2.1")
    assert (await service_of(tiny).query("carrier.example", "A")).records == ("192.0.2.1",)


@pytest.mark.parametrize(("kind", "records"), [("A", ("127.0.0.1",)), ("AAAA", ("::1",)), ("SRV", ())])
async def test_localhost_is_this_machine(kind: str, records: tuple[str, ...]) -> None:
    assert (await NameService(("192.0.2.1", 53)).query("localhost", kind)).records == records


async def test_a_machine_without_name_server_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unconfigured(*_: Any, **__: Any) -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver.BaseResolver, "read_resolv_conf", unconfigured)
    monkeypatch.setattr(module, "_HOSTS", tmp_path / "none")
    with pytest.raises(NamesSilentError, match="has no name server"):
        await NameService().query("carrier.example", "A")
