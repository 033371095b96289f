"""An office behind a NAT: each peer is told the address by which it reaches us, and all of them when it changes."""

from __future__ import annotations

import asyncio

import pytest

from engine.net.names import FixedNames
from engine.net.nat import Nat
from engine.net.public_address import PublicAddress
from engine.pbx.exchange import MediaHost
from engine.sip.flow import Flow
from engine.sip.message import Request
from engine.sip.sdp import SessionDescription
from tests.unit.pbx.carrier import MemoryRegistrar
from tests.unit.pbx.office import OFFICE, OFFICE_V6, MemoryOffice
from tests.unit.pbx.outside import CARRIER, MemoryCarrier, connect
from tests.unit.pbx.phone import MemoryPhone
from tests.unit.pbx.watcher import Watcher

PUBLIC, MOVED = "203.0.113.7", "203.0.113.99"
ROAMING = "198.51.100.77"
INSIDE = ("192.0.2.0/24",)


def advertise(office: MemoryOffice, host: str = PUBLIC) -> Nat:
    """Put the office behind a router with this address."""
    nat = Nat(host, INSIDE)
    nat.on_changed = office.office._readdress
    office.office.endpoint.nat = nat
    return nat


@pytest.fixture
def nat(office: MemoryOffice) -> Nat:
    nat = advertise(office, "office.test")
    nat.take([PUBLIC])
    return nat


@pytest.fixture
def carrier(office: MemoryOffice, nat: Nat) -> MemoryCarrier:
    carrier = MemoryCarrier(office)
    connect(office)
    return carrier


@pytest.fixture
def alice(office: MemoryOffice, nat: Nat) -> MemoryPhone:
    (alice,) = office.registered("101")
    return alice


def told(office: MemoryOffice, to: str, name: str) -> set[str]:
    """Every address of ours in the latest message of this name to a host: Via of requests, Contact, SDP."""
    message = office.wire.last[to, name]
    found = set()
    if isinstance(message, Request):
        found.add(message.via.host)
    contact = message.headers.get("Contact")
    if contact is not None:
        found.add(contact.partition("@")[2].partition(":")[0])
    if message.headers.get("Content-Type") == "application/sdp":
        description = SessionDescription.parse(message.body)
        assert description.origin is not None
        found |= {description.origin.host, description.host or ""}
    return found


def test_a_carrier_outside_sees_the_public_address_and_a_phone_inside_ours(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier
) -> None:
    made = alice.call("94711")
    office.settle()
    assert told(office, CARRIER, "INVITE") == {PUBLIC}
    carrier.ringing.answer()
    office.settle()
    assert told(office, alice.host, "200") == {OFFICE}
    assert told(office, CARRIER, "ACK") == {PUBLIC}
    assert (office.hears(alice), office.hears(carrier)) == (carrier.number, "101")
    made.hang_up()
    office.settle()
    assert told(office, CARRIER, "BYE") == {PUBLIC}


def test_a_call_from_outside_is_answered_with_the_public_address(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier
) -> None:
    call = carrier.dials("101")
    office.settle()
    assert told(office, alice.host, "INVITE") == {OFFICE}
    alice.ringing.answer()
    office.settle()
    assert told(office, CARRIER, "180") == {PUBLIC}
    assert told(office, CARRIER, "200") == {PUBLIC}
    assert call.is_up


def test_a_phone_at_home_is_called_from_the_public_address(
    office: MemoryOffice, alice: MemoryPhone, nat: Nat
) -> None:
    office.has("102")
    bob = office.phone("102", host=ROAMING)
    bob.register()
    office.settle()
    made = alice.call("102")
    office.settle()
    assert told(office, ROAMING, "INVITE") == {PUBLIC}
    bob.ringing.answer()
    office.settle()
    assert made.is_up
    bob.ringing.hold()
    office.settle()
    assert told(office, ROAMING, "200") == {PUBLIC}


def test_a_peer_of_the_other_family_is_told_our_own_address(office: MemoryOffice, nat: Nat) -> None:
    six = Flow("UDP", OFFICE_V6, 5060, "2001:db8:9::1", 5060)
    assert nat.see(six).told_host == OFFICE_V6
    nat.take([PUBLIC, "2001:db8:ffff::1"])
    assert nat.see(six).told_host == "2001:db8:ffff::1"
    assert nat.see(six).reached_at == "[2001:db8:ffff::1]:5060"


@pytest.mark.parametrize(
    ("media", "host", "nets", "says"),
    [
        (MediaHost(), None, None, OFFICE),
        (MediaHost(), PUBLIC, INSIDE, PUBLIC),
        (MediaHost("192.0.2.5"), None, None, "192.0.2.5"),
        (MediaHost("192.0.2.5"), PUBLIC, INSIDE, PUBLIC),
        (MediaHost("192.0.2.5", "198.51.100.200"), None, None, "198.51.100.200"),
        (MediaHost("192.0.2.5", "198.51.100.200"), PUBLIC, INSIDE, "198.51.100.200"),
        (MediaHost("192.0.2.5", "198.51.100.200"), PUBLIC, (*INSIDE, "198.51.100.0/24"), "192.0.2.5"),
        (MediaHost("192.0.2.5", "198.51.100.200"), None, ("198.51.100.0/24",), "192.0.2.5"),
    ],
)
def test_what_sdp_says_to_a_peer_outside(
    media: MediaHost, host: str | None, nets: tuple[str, ...] | None, says: str
) -> None:
    nat = Nat(host, nets)
    flow = nat.see(Flow("UDP", OFFICE, 5060, CARRIER, 5060))
    assert media.announced(media.local_for(OFFICE), flow, nat) == says


# -- the public address changes ---------------------------------------------------------------------------------


def contacts_of(registrar: MemoryRegistrar) -> set[str]:
    return {contact.partition("@")[2] for contact in registrar.contacts}


def test_a_line_registers_the_public_address_and_again_when_the_name_gets_another(
    office: MemoryOffice, nat: Nat
) -> None:
    registrar = MemoryRegistrar(office)
    connect(office, registers=True, username="line1", password="pass1")
    assert contacts_of(registrar) == {f"{PUBLIC}:5060"}
    assert told(office, registrar.host, "REGISTER") == {PUBLIC}
    known = len(registrar.registers)
    nat.take([MOVED])
    office.advance(1)
    assert contacts_of(registrar) == {f"{MOVED}:5060"}
    assert [request.headers.get("Expires") for request in registrar.registers[known:]] == ["0", "3600"]
    office.advance(100)
    assert len(registrar.registers) == known + 2


def test_a_line_inside_registers_our_own_address_and_is_left_alone(office: MemoryOffice, nat: Nat) -> None:
    registrar = MemoryRegistrar(office, host="192.0.2.200")
    connect(office, host="192.0.2.200", registers=True, username="line1", password="pass1")
    assert contacts_of(registrar) == {f"{OFFICE}:5060"}
    known = len(registrar.registers)
    nat.take([MOVED])
    office.advance(1)
    assert len(registrar.registers) == known


@pytest.mark.parametrize("host", ["office.test", PUBLIC])
def test_a_registrar_that_sees_us_elsewhere_teaches_the_new_address(office: MemoryOffice, host: str) -> None:
    nat = advertise(office, host)
    nat.take([PUBLIC])
    registrar = MemoryRegistrar(office)
    registrar.sees = (PUBLIC, 5060)
    connect(office, registers=True, username="line1", password="pass1")
    office.advance(61)
    registrar.sees = (MOVED, 5060)
    office.advance(61)
    assert nat.addresses == (MOVED,)
    assert contacts_of(registrar) == {f"{MOVED}:5060"}
    nat.take([PUBLIC])  # the name service is behind
    assert nat.addresses == (MOVED,)
    known = len(registrar.registers)
    office.advance(200)
    assert len(registrar.registers) == known


def test_a_carrier_that_sees_us_elsewhere_from_the_beginning_is_named_in_the_log(
    office: MemoryOffice, nat: Nat, caplog: pytest.LogCaptureFixture
) -> None:
    registrar = MemoryRegistrar(office)
    registrar.sees = (MOVED, 5060)
    connect(office, registers=True, username="line1", password="pass1")
    office.advance(3600)
    told = [record.getMessage() for record in caplog.records if "--advertise" in record.getMessage()]
    assert len(told) == 1
    assert f"sees this office at {MOVED}, and --advertise says {PUBLIC}" in told[0]
    assert nat.addresses == (PUBLIC,)


@pytest.mark.parametrize("seen", [(MOVED, "192.0.2.9"), (CARRIER, MOVED)], ids=["inside", "never at ours"])
def test_what_a_registrar_sees_changes_nothing_where_it_cannot_be_our_public_address(
    office: MemoryOffice, nat: Nat, seen: tuple[str, str]
) -> None:
    before = nat.addresses
    nat.note_seen(*seen)
    assert nat.addresses == before


def test_parties_outside_that_talk_are_told_the_new_address(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier, nat: Nat
) -> None:
    made = alice.call("94711")
    office.settle()
    carrier.ringing.answer()
    office.settle()
    nat.take([MOVED])
    office.settle()
    assert "reoffered" in carrier.ringing.heard
    assert told(office, CARRIER, "INVITE") == {MOVED}
    assert "reoffered" not in made.heard
    assert (office.hears(alice), office.hears(carrier)) == (carrier.number, "101")
    made.hang_up()
    office.settle()
    assert told(office, CARRIER, "BYE") == {MOVED}


def test_a_caller_from_outside_is_told_too(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier, nat: Nat
) -> None:
    call = carrier.dials("101")
    office.settle()
    alice.ringing.answer()
    office.settle()
    nat.take([MOVED])
    office.settle()
    assert told(office, CARRIER, "INVITE") == {MOVED}
    assert "reoffered" in call.heard


def test_a_change_while_it_rings_is_told_with_the_answer(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier, nat: Nat
) -> None:
    alice.call("94711")
    office.settle()
    nat.take([MOVED])
    office.settle()
    assert "reoffered" not in carrier.ringing.heard
    carrier.ringing.answer()
    office.settle()
    assert "reoffered" in carrier.ringing.heard
    assert told(office, CARRIER, "INVITE") == {MOVED}
    carrier.dials("101")
    office.settle()
    assert told(office, CARRIER, "180") == {MOVED}


def test_a_change_amid_a_re_invite_is_told_after_it(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier, nat: Nat
) -> None:
    alice.call("94711")
    office.settle()
    carrier.ringing.answer()
    office.settle()
    carrier.reoffers = "wait"
    nat.take([MOVED])
    office.settle()
    nat.take([PUBLIC])
    office.settle()
    carrier.reoffers = "accept"
    carrier.ringing.answer_reoffer()
    office.settle()
    office.advance(6)
    assert told(office, CARRIER, "INVITE") == {PUBLIC}
    assert carrier.ringing.heard.count("reoffered") == 2


def test_a_watcher_outside_is_notified_from_the_new_address(
    office: MemoryOffice, alice: MemoryPhone, nat: Nat
) -> None:
    office.has("102")
    bob = office.phone("102", host=ROAMING)
    bob.register()
    office.settle()
    outside, inside = Watcher(office, bob, "101"), Watcher(office, alice, "102")
    assert (outside.subscribe(), inside.subscribe()) == (200, 200)
    assert told(office, ROAMING, "NOTIFY") == {PUBLIC}
    before = len(outside.notified), len(inside.notified)
    nat.take([MOVED])
    office.settle()
    assert told(office, ROAMING, "NOTIFY") == {MOVED}
    assert (len(outside.notified), len(inside.notified)) == (before[0] + 1, before[1])
    for watcher in (outside, inside):
        assert watcher.subscribe(0) == 200
    office.settle()


# -- the name ---------------------------------------------------------------------------------------------------


def test_a_name_is_looked_up_anew_when_its_time_is_over(office: MemoryOffice) -> None:
    nat = advertise(office, "office.test")
    names = FixedNames({("office.test", "A"): (PUBLIC,)}, seconds=120.0)
    troubles: list[str] = []
    public = PublicAddress(nat, names, troubles.append)
    task = office.create_task(public.watch())
    office.settle()
    assert nat.addresses == (PUBLIC,)
    names.known["office.test", "A"] = (MOVED,)
    office.advance(119)
    assert nat.addresses == (PUBLIC,)
    office.advance(2)
    assert nat.addresses == (MOVED,)
    names.silent.add("office.test")
    office.advance(120)
    assert nat.addresses == (MOVED,)
    assert len(troubles) == 1
    assert "'office.test' cannot be looked up" in troubles[0]
    names.silent.clear()
    names.known.clear()
    office.advance(6)
    assert nat.addresses == (MOVED,)
    assert "does not resolve" in troubles[-1]
    task.cancel()
    office.run(asyncio.sleep(0))


def test_one_family_that_is_not_answered_keeps_what_it_had(office: MemoryOffice) -> None:
    nat = advertise(office, "office.test")
    names = FixedNames({("office.test", "A"): (PUBLIC,), ("office.test", "AAAA"): ("2001:db8:f::1",)})
    public = PublicAddress(nat, names)
    office.run(public.look_up())
    assert nat.addresses == (PUBLIC, "2001:db8:f::1")
    names.silent.add("AAAA")
    names.known["office.test", "A"] = (MOVED,)
    office.run(public.look_up())
    assert nat.addresses == (MOVED, "2001:db8:f::1")


def test_without_an_advertised_address_flows_are_what_they_were() -> None:
    flow = Flow("UDP", OFFICE, 5060, CARRIER, 5060)
    assert Nat().see(flow) is flow
    assert not Nat().is_inside(OFFICE)


@pytest.mark.parametrize(
    ("host", "is_inside"),
    [
        ("10.1.2.3", True), ("172.31.0.1", True), ("172.32.0.1", False), ("192.168.9.9", True), ("127.0.0.1", True),
        ("169.254.1.1", True), ("8.8.8.8", False), ("fd12::1", True), ("2001:4860::1", False),
        ("::ffff:10.0.0.1", True), ("not-an-address", False),
    ],
)  # fmt: skip
def test_private_networks_are_inside_unless_others_are_named(host: str, is_inside: bool) -> None:
    assert Nat(PUBLIC).is_inside(host) is is_inside
    assert Nat(PUBLIC, ["8.0.0.0/8"]).is_inside(host) is (host == "8.8.8.8")
