"""From a carrier's name to its servers: each row of RFC 3263 section 4 that concerns a client."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest

from engine.core.errors import RefusedError
from engine.net import resolve as module
from engine.net.names import Answer, FixedNames, Naptr, Srv
from engine.net.resolve import LONGEST_DENIAL_S, LONGEST_S, SHORTEST_S, Server, SipResolver, in_order

HOST = "carrier.example"
Known = dict[tuple[str, str], tuple[Any, ...]]


class Clockwork:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def resolver_of(names: FixedNames, clock: Clockwork | None = None, seed: int = 1) -> SipResolver:
    return SipResolver(names, clock or Clockwork(), Random(seed))


def find(known: Known, port: int | None = None, *transports: str, host: str = HOST) -> list[Server]:
    return list(asyncio.run(resolver_of(FixedNames(known)).resolve(host, port, transports or ("UDP",))))


def udp(*places: tuple[str, int]) -> list[Server]:
    return [Server(host, port, "UDP") for host, port in places]


ADDRESSES: Known = {(HOST, "A"): ("192.0.2.1", "192.0.2.2"), (HOST, "AAAA"): ("2001:db8::1",)}
PREFERRED: Known = {
    ("_sip._udp." + HOST, "SRV"): (Srv(20, 0, 5070, "second.example"), Srv(10, 0, 5080, "first.example")),
    ("first.example", "A"): ("192.0.2.11",),
    ("first.example", "AAAA"): ("2001:db8::11",),
    ("second.example", "A"): ("192.0.2.12",),
}


@pytest.mark.parametrize(
    ("host", "port", "transport", "found"),
    [
        ("192.0.2.9", None, "UDP", Server("192.0.2.9", 5060, "UDP")),
        ("192.0.2.9", 5099, "TCP", Server("192.0.2.9", 5099, "TCP")),
        ("192.0.2.9", None, "TLS", Server("192.0.2.9", 5061, "TLS")),
        ("2001:DB8:0::9", None, "UDP", Server("2001:db8::9", 5060, "UDP")),
    ],
)
def test_an_address_asks_nobody(host: str, port: int | None, transport: str, found: Server) -> None:
    names = FixedNames()
    assert asyncio.run(resolver_of(names).resolve(host, port, (transport,))) == (found,)
    assert not names.asked


def test_a_port_leads_to_the_addresses_past_every_srv() -> None:
    names = FixedNames(ADDRESSES | PREFERRED)
    found = asyncio.run(resolver_of(names).resolve(HOST, 5099, ("UDP",)))
    assert list(found) == udp(("192.0.2.1", 5099), ("192.0.2.2", 5099), ("2001:db8::1", 5099))
    assert {kind for _, kind in names.asked} == {"A", "AAAA"}


def test_srv_goes_by_priority_and_each_target_has_both_families() -> None:
    assert find(ADDRESSES | PREFERRED) == udp(("192.0.2.11", 5080), ("2001:db8::11", 5080), ("192.0.2.12", 5070))


def test_without_srv_it_is_the_default_port() -> None:
    assert find(ADDRESSES)[0] == Server("192.0.2.1", 5060, "UDP")
    assert find(ADDRESSES, None, "TLS")[0] == Server("192.0.2.1", 5061, "TLS")


@pytest.mark.parametrize(
    ("transport", "prefix"), [("UDP", "_sip._udp."), ("TCP", "_sip._tcp."), ("TLS", "_sips._tcp.")]
)
def test_each_transport_has_its_service(transport: str, prefix: str) -> None:
    known = {(prefix + HOST, "SRV"): (Srv(1, 1, 5071, "only.example"),), ("only.example", "A"): ("192.0.2.20",)}
    assert find(known | ADDRESSES, None, transport) == [Server("192.0.2.20", 5071, transport)]


def test_naptr_names_the_service() -> None:
    known: Known = {
        (HOST, "NAPTR"): (
            Naptr(20, 1, "s", "SIP+D2U", "", "udp.other.example"),
            Naptr(10, 1, "s", "SIPS+D2T", "", "tls.other.example"),
            Naptr(5, 1, "u", "E2U+SIP", "!.*!sip:x!", ""),
        ),
        ("udp.other.example", "SRV"): (Srv(1, 1, 5071, "u.example"),),
        ("tls.other.example", "SRV"): (Srv(1, 1, 5072, "t.example"),),
        ("u.example", "A"): ("192.0.2.31",),
        ("t.example", "A"): ("192.0.2.32",),
    }
    assert find(known) == [Server("192.0.2.31", 5071, "UDP")]
    both = find(known, None, "UDP", "TLS")
    assert both == [Server("192.0.2.32", 5072, "TLS"), Server("192.0.2.31", 5071, "UDP")], (
        "NAPTR chooses the transport"
    )


def test_naptr_for_other_transports_alone_changes_nothing() -> None:
    known: Known = {(HOST, "NAPTR"): (Naptr(1, 1, "s", "SIPS+D2T", "", "tls.example"),)}
    assert find(known | ADDRESSES | PREFERRED) == find(ADDRESSES | PREFERRED)


def test_naptr_may_lead_to_an_address_at_once() -> None:
    known: Known = {
        (HOST, "NAPTR"): (Naptr(1, 1, "a", "SIP+D2U", "", "a.example"),),
        ("a.example", "A"): ("192.0.2.40",),
    }
    assert find(known) == udp(("192.0.2.40", 5060))


def test_a_service_of_no_target_is_refused() -> None:
    known: Known = {("_sip._udp." + HOST, "SRV"): (Srv(0, 0, 0, "."),)}
    with pytest.raises(RefusedError, match="offers no SIP over UDP: choose another --transport"):
        find(known | ADDRESSES)


def test_without_naptr_every_transport_is_asked_for_in_turn() -> None:
    known: Known = {
        ("_sip._udp." + HOST, "SRV"): (Srv(0, 0, 0, "."),),
        ("_sip._tcp." + HOST, "SRV"): (Srv(1, 1, 5072, "t.example"),),
        ("_sips._tcp." + HOST, "SRV"): (Srv(1, 1, 5073, "t.example"),),
        ("t.example", "A"): ("192.0.2.50",),
    }
    every = ("UDP", "TCP", "TLS")
    assert find(known, None, *every) == [Server("192.0.2.50", 5072, "TCP"), Server("192.0.2.50", 5073, "TLS")]
    assert find(ADDRESSES, None, *every)[0] == Server("192.0.2.1", 5060, "UDP")
    del known["_sip._tcp." + HOST, "SRV"], known["_sips._tcp." + HOST, "SRV"]
    with pytest.raises(RefusedError, match="offers no SIP over UDP or TCP or TLS"):
        find(known, None, *every)


def test_a_service_whose_targets_have_no_address_does_not_resolve() -> None:
    known: Known = {("_sip._udp." + HOST, "SRV"): (Srv(1, 1, 5072, "gone.example"),)}
    with pytest.raises(RefusedError, match="does not resolve"):
        find(known | ADDRESSES)


def test_a_name_that_does_not_exist_is_refused_with_its_mend() -> None:
    with pytest.raises(RefusedError, match=r"'nowhere\.example' does not resolve: correct"):
        find({}, host="nowhere.example")


def test_silence_is_told_from_absence() -> None:
    names = FixedNames(ADDRESSES)
    names.silent = {"A", "AAAA"}
    with pytest.raises(RefusedError, match=r"no name server answers\): see that"):
        asyncio.run(resolver_of(names).resolve(HOST, 5060, ("UDP",)))


@pytest.mark.parametrize("silent", [{"NAPTR"}, {"NAPTR", "SRV"}])
def test_name_servers_that_choke_on_new_kinds_are_forgiven(silent: set[str]) -> None:
    names = FixedNames(ADDRESSES)
    names.silent = silent
    found = asyncio.run(resolver_of(names).resolve(HOST, None, ("UDP",)))
    assert found[0] == Server("192.0.2.1", 5060, "UDP")


def test_one_family_that_is_silent_does_not_hide_the_other() -> None:
    names = FixedNames(ADDRESSES)
    names.silent = {"AAAA"}
    found = asyncio.run(resolver_of(names).resolve(HOST, 5060, ("UDP",)))
    assert list(found) == udp(("192.0.2.1", 5060), ("192.0.2.2", 5060))


class HalfDeaf(FixedNames):
    """Lets questions of some kinds pass without any answer."""

    async def query(self, name: str, kind: str) -> Answer:
        if kind in self.silent:
            await asyncio.Event().wait()
        return await super().query(name, kind)


@pytest.mark.parametrize(
    ("silent", "found"),
    [
        ("NAPTR", udp(("192.0.2.11", 5080), ("2001:db8::11", 5080), ("192.0.2.12", 5070))),
        ("AAAA", udp(("192.0.2.11", 5080), ("192.0.2.12", 5070))),
        ("A", udp(("2001:db8::11", 5080))),
    ],
)
async def test_a_kind_that_is_never_answered_costs_a_moment(
    monkeypatch: pytest.MonkeyPatch, silent: str, found: list[Server]
) -> None:
    monkeypatch.setattr(module, "STRAGGLER_S", 0.01)
    known = ADDRESSES | PREFERRED | {("_sip._udp." + HOST, "SRV"): (Srv(10, 0, 5080, "first.example"),)}
    names = HalfDeaf(known if silent == "A" else ADDRESSES | PREFERRED)
    names.silent = {silent}
    async with asyncio.timeout(5):
        assert list(await resolver_of(names).resolve(HOST, None, ("UDP",))) == found


@pytest.mark.parametrize(
    ("says", "holds"), [(60.0, 60.0), (0.0, SHORTEST_S), (86400.0, LONGEST_S)], ids=["as told", "longer", "shorter"]
)
async def test_an_answer_is_kept_as_long_as_it_says_within_bounds(says: float, holds: float) -> None:
    names, clock = FixedNames(ADDRESSES, seconds=says), Clockwork()
    resolver = resolver_of(names, clock)
    first = await resolver.resolve(HOST, 5060, ("UDP",))
    asked = len(names.asked)
    names.known[HOST, "A"] = ("192.0.2.99",)
    clock.at = holds - 0.1
    assert await resolver.resolve(HOST, 5060, ("UDP",)) == first
    assert len(names.asked) == asked
    clock.at = holds + 0.1
    assert (await resolver.resolve(HOST, 5060, ("UDP",)))[0].host == "192.0.2.99"


async def test_a_denial_is_kept_for_a_minute_at_most() -> None:
    names, clock = FixedNames({}, seconds=86400.0), Clockwork()
    resolver = resolver_of(names, clock)
    with pytest.raises(RefusedError):
        await resolver.resolve(HOST, 5060, ("UDP",))
    names.known[HOST, "A"] = ("192.0.2.1",)
    with pytest.raises(RefusedError):
        await resolver.resolve(HOST, 5060, ("UDP",))
    clock.at = LONGEST_DENIAL_S + 0.1
    assert await resolver.resolve(HOST, 5060, ("UDP",)) == (Server("192.0.2.1", 5060, "UDP"),)


async def test_what_was_known_serves_while_the_name_server_is_silent() -> None:
    names, clock = FixedNames(ADDRESSES, seconds=30.0), Clockwork()
    resolver = resolver_of(names, clock)
    first = await resolver.resolve(HOST, 5060, ("UDP",))
    names.silent = {"A", "AAAA"}
    clock.at = 3600.0
    assert await resolver.resolve(HOST, 5060, ("UDP",)) == first


def test_weights_decide_how_often_a_server_is_first() -> None:
    records = (Srv(1, 70, 1, "often"), Srv(1, 30, 1, "seldom"), Srv(1, 0, 1, "hardly"), Srv(0, 0, 1, "first"))
    random = Random(7)
    orders = [[record.target for record in in_order(records, random)] for _ in range(2000)]
    assert all(order[0] == "first" and len(order) == 4 for order in orders)
    second = [order[1] for order in orders]
    assert 1300 < second.count("often") < 1500
    assert 500 < second.count("seldom") < 700
    assert second.count("hardly") < 60


def test_equal_servers_without_weight_come_in_any_order() -> None:
    orders = {tuple(r.port for r in in_order((Srv(1, 1, 1, "a"), Srv(1, 1, 2, "b")), Random(n))) for n in range(40)}
    assert orders == {(1, 2), (2, 1)}


def test_a_wild_answer_is_bounded() -> None:
    known: Known = {
        ("_sip._udp." + HOST, "SRV"): tuple(Srv(1, 1, 5000 + n, f"t{n}.example") for n in range(200)),
        **{(f"t{n}.example", "A"): tuple(f"192.0.2.{k}" for k in range(200)) for n in range(200)},
    }
    assert len(find(known)) == 32
