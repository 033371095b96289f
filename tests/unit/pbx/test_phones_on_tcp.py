"""Phones on connections: how they are called, what a lost connection does, and the flows that they number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from engine.core.errors import RemoteError
from engine.core.events import PhoneRegistered
from engine.core.views import Lamp
from engine.pbx.bindings import is_replaced
from engine.pbx.outbound import MOST_FLOWS, settle_flows
from engine.pbx.register_request import read_register
from engine.sip.flow import Flow
from engine.sip.headers import Headers
from engine.sip.message import Request
from tests.unit.pbx.office import OFFICE, MemoryOffice, password_of
from tests.unit.pbx.phone import PORT, MemoryPhone
from tests.unit.pbx.test_reach import PHONE
from tests.unit.pbx.wire import WireSocket


class WireListener(WireSocket):
    """The office's TCP address; every connection stands until the test says otherwise."""

    def __init__(self, office: MemoryOffice) -> None:
        super().__init__(office.wire, OFFICE, PORT)
        self._office = office
        self.broken: set[Flow] = set()
        self.vouched: dict[Flow, float] = {}

    def is_connected(self, flow: Flow) -> bool:
        return flow not in self.broken

    def send(self, data: bytes, flow: Flow) -> None:
        if flow in self.broken:
            self._office.office.endpoint.fail(flow, was_reached=False)
        else:
            super().send(data, flow)

    def vouch(self, flow: Flow, seconds: float) -> None:
        self.vouched[flow] = seconds

    def sweep(self, now: float) -> None: ...


class PhoneOnTcp(MemoryPhone):
    """Behind a NAT: its Contact is no address that the office reaches."""

    extra: tuple[tuple[str, str], ...] = ()
    """Header fields of its next requests outside of calls."""

    @property
    def flow(self) -> Flow:
        return Flow("TCP", *self.source, *self.office)

    @property
    def contact(self) -> str:
        return f"sip:{self.number}@10.0.0.7:{PORT};transport=tcp"

    @property
    def connection(self) -> Flow:
        """As the office knows it."""
        return Flow("TCP", *self.office, *self.source)

    def reconnect(self, port: int) -> None:
        """Come from another port."""
        self.wire.detach(self.source)
        self.source = (self.host, port)
        self.wire.attach(self.source, self.receive)

    def receive(self, data: bytes, flow: Flow) -> None:
        self.agent.receive(data, flow, self.now)

    def _send(self, request: Request, user: str) -> None:
        for name, value in self.extra:
            request.headers.add(name, value)
        super()._send(request, user)


@pytest.fixture
def tcp(office: MemoryOffice) -> Iterator[WireListener]:
    listener = WireListener(office)
    office.office.endpoint.add_listener(listener, "TCP")
    yield listener
    listener.broken.clear()


def a_phone(office: MemoryOffice, number: str = "101", *, port: int = 4000) -> PhoneOnTcp:
    office.has(number)
    host = f"192.0.2.{10 + len(office.phones)}"
    phone = PhoneOnTcp(office.wire, (OFFICE, PORT), "office", number, password_of(number), host, port)
    office.phones.append(phone)
    return phone


def registered(office: MemoryOffice, number: str = "101") -> PhoneOnTcp:
    phone = a_phone(office, number)
    phone.register()
    office.settle()
    assert phone.last.status == 200
    return phone


def lose(office: MemoryOffice, tcp: WireListener, phone: PhoneOnTcp) -> None:
    """The phone's connection breaks."""
    tcp.broken.add(phone.connection)

    async def break_it() -> None:
        office.office.endpoint.lose(phone.connection)

    office.run(break_it())
    office.settle()


def test_a_phone_on_tcp_is_vouched_for_and_seen_as_one(office: MemoryOffice, tcp: WireListener) -> None:
    phone = registered(office)
    (view,) = office.office.registrations()
    assert (view.transport, view.source) == ("tcp", "192.0.2.10:4000")
    assert 3600 < tcp.vouched[phone.connection] < 3700


def test_a_phone_behind_a_nat_is_called_over_its_own_connection(office: MemoryOffice, tcp: WireListener) -> None:
    phone = registered(office)
    (caller,) = office.registered("102")
    made = caller.call("101")
    office.settle()
    office.advance(3)
    assert office.wire.sent("INVITE", "192.0.2.1>192.0.2.10") == 1
    invite = phone.ringing.invite
    assert invite is not None
    assert str(invite.via).startswith(f"SIP/2.0/TCP {OFFICE}:5060;")
    assert invite.headers.get("Contact") == f"<sip:102@{OFFICE}:5060;transport=tcp>"
    phone.ringing.answer()
    office.settle()
    assert made.is_up


def test_a_caller_on_tcp_is_told_where_to_go_on_over_tcp(office: MemoryOffice, tcp: WireListener) -> None:
    phone = registered(office)
    (callee,) = office.registered("102")
    made = phone.call("102")
    office.settle()
    callee.ringing.answer()
    office.settle()
    assert made.is_up
    answer = office.wire.last[phone.host, "200"]
    assert answer.headers.get("Contact") == f"<sip:102@{OFFICE}:5060;transport=tcp>"


def test_a_call_goes_on_when_a_connection_is_lost_and_ends_over_the_next(
    office: MemoryOffice, tcp: WireListener
) -> None:
    phone = registered(office)
    (caller,) = office.registered("102")
    made = caller.call("101")
    office.settle()
    phone.ringing.answer()
    office.settle()
    lose(office, tcp, phone)
    office.advance(5)
    assert made.is_up
    phone.reconnect(4001)
    phone.register()
    office.settle()
    caller_before = office.wire.sent("BYE", "192.0.2.1>192.0.2.10")
    made.hang_up()
    office.settle()
    assert office.wire.sent("BYE", "192.0.2.1>192.0.2.10") == caller_before + 1
    assert phone.ringing.heard[-1] == "ended"


def test_a_phone_that_hangs_up_over_a_new_connection_is_understood(office: MemoryOffice, tcp: WireListener) -> None:
    phone = registered(office)
    (caller,) = office.registered("102")
    made = caller.call("101")
    office.settle()
    phone.ringing.answer()
    office.settle()
    lose(office, tcp, phone)
    phone.reconnect(4001)
    phone.ringing.line.flow = phone.flow
    phone.ringing.hang_up()
    office.settle()
    assert made.heard[-1] == "ended"


def test_a_phone_on_udp_that_sends_one_large_request_over_tcp_stays_on_udp(
    office: MemoryOffice, tcp: WireListener
) -> None:
    _, phone, made, heard = office.talking()
    heard.line.flow = Flow("TCP", phone.host, phone.port, OFFICE, PORT)
    heard.hold()
    office.settle()
    made.hang_up()
    office.settle()
    assert heard.heard[-1] == "ended"
    assert office.wire.last[phone.host, "BYE"].via.transport == "UDP"


def test_a_call_whose_phone_has_no_connection_can_still_be_ended(office: MemoryOffice, tcp: WireListener) -> None:
    phone = registered(office)
    (caller,) = office.registered("102")
    made = caller.call("101")
    office.settle()
    phone.ringing.answer()
    office.settle()
    lose(office, tcp, phone)
    made.hang_up()
    office.settle()
    assert office.record.cause == "normal"
    assert not office.office.exchange.calls


def test_a_caller_that_is_gone_for_good_stops_the_ringing(office: MemoryOffice, tcp: WireListener) -> None:
    phone = registered(office)
    (callee,) = office.registered("102")
    phone.call("102")
    office.settle()
    lose(office, tcp, phone)
    assert callee.ringing.heard[-1] == "cancelled"
    assert office.record.cause == "503 Caller Cannot Be Reached"


def test_a_phone_that_cannot_be_reached_is_shown_and_comes_back(office: MemoryOffice, tcp: WireListener) -> None:
    phone = registered(office)
    (caller,) = office.registered("102")
    assert office.lamp("101") is Lamp.IDLE
    lose(office, tcp, phone)
    assert office.lamp("101") is Lamp.UNREACHABLE
    made = caller.call("101")
    office.settle()
    assert made.heard[-1] == "480"
    phone.reconnect(4001)
    phone.register()
    office.settle()
    assert office.lamp("101") is Lamp.IDLE
    sources = [event.source for event in office.heard_events(PhoneRegistered) if event.extension == "101"]  # type: ignore[attr-defined]
    assert sources == ["192.0.2.10:4000", "192.0.2.10:4001"]


# -- flows with numbers (RFC 5626) --------------------------------------------------------------------------------

OUTBOUND = (("Supported", "path, outbound"),)
TAIL = ';+sip.instance="<urn:uuid:1>"'


def test_a_phone_that_numbers_its_flow_is_told_that_it_is_kept(office: MemoryOffice, tcp: WireListener) -> None:
    phone = a_phone(office)
    phone.extra = (("Supported", "outbound"), ("Require", "outbound"))
    phone.register(f"<{phone.contact};ob>;reg-id=1{TAIL}")
    office.settle()
    assert phone.last.status == 200
    assert phone.last.headers.get("Require") == "outbound"
    assert phone.last.headers.get("Flow-Timer") == "120"
    assert office.stored["101", f"{phone.contact};ob"].reg_id == 1


def test_a_phone_that_does_not_ask_is_told_nothing_of_flows(office: MemoryOffice, tcp: WireListener) -> None:
    phone = a_phone(office)
    phone.register(f"<{phone.contact}>;reg-id=1{TAIL}")
    office.settle()
    assert phone.last.status == 200
    assert "Require" not in phone.last.headers
    assert "Flow-Timer" not in phone.last.headers
    assert office.stored["101", phone.contact].reg_id is None


def test_two_flows_of_one_phone_are_one_phone_and_ring_once(office: MemoryOffice, tcp: WireListener) -> None:
    phone = a_phone(office)
    phone.extra = OUTBOUND
    (caller,) = office.registered("102")
    phone.register(f"<{phone.contact}>;reg-id=1{TAIL}")
    office.settle()
    office.advance(1)
    first = phone.connection
    phone.reconnect(4001)
    phone.register_call_id = "the second flow"
    phone.register(f"<{phone.contact};line=2>;reg-id=2{TAIL}")
    office.settle()
    assert phone.last.status == 200
    assert len(office.contacts("101")) == 2
    caller.call("101")
    office.settle()
    assert [call.is_incoming for call in phone.calls] == [True]
    assert phone.ringing.line.flow == phone.flow
    phone.ringing.refuse(486)
    office.settle()
    tcp.broken.add(phone.connection)
    phone.reconnect(first.remote_port)
    caller.call("101")
    office.settle()
    assert len(phone.calls) == 2
    assert phone.ringing.line.flow == phone.flow


def test_a_phone_that_counts_its_flows_on_at_each_start_keeps_the_newest(
    office: MemoryOffice, tcp: WireListener
) -> None:
    phone = a_phone(office)
    phone.extra = OUTBOUND
    for number in range(1, 30):
        phone.reconnect(4000 + number)
        phone.register_call_id = f"start {number}"
        phone.register(f"<{phone.contact};line={number}>;reg-id={number}{TAIL}")
        office.settle()
        assert phone.last.status == 200
        office.advance(1)
    flows = sorted(binding.reg_id or 0 for binding in office.stored.values())
    assert flows == list(range(30 - MOST_FLOWS, 30))


def test_the_registrations_of_two_flows_may_overtake_each_other(office: MemoryOffice, tcp: WireListener) -> None:
    phone = a_phone(office)
    phone.extra = OUTBOUND
    phone.register_cseq = 10
    phone.register(f"<{phone.contact};line=2>;reg-id=2{TAIL}")
    office.settle()
    phone.reconnect(4001)
    phone.register_cseq = 5
    phone.register(f"<{phone.contact}>;reg-id=1{TAIL}")
    office.settle()
    assert phone.last.status == 200
    assert len(office.contacts("101")) == 2
    phone.register_cseq = 3
    phone.register(f"<{phone.contact}>;reg-id=1{TAIL}")
    office.settle()
    assert phone.last.status == 500


def test_the_same_flow_on_a_new_connection_takes_the_place_of_the_old() -> None:
    known = replace(PHONE, instance="urn:uuid:1", reg_id=1)
    again = replace(known, source_port=40001, contact="sip:101@10.0.0.8", call_id="2")
    assert is_replaced(known, again)
    assert not is_replaced(known, replace(again, reg_id=2))
    assert is_replaced(known, replace(again, reg_id=None))
    assert not is_replaced(known, replace(again, instance="urn:uuid:2"))


def a_register(
    *contacts: str, via: int = 1, path: str | None = None, supported: str | None = "outbound"
) -> Request:
    headers = Headers([("Via", "SIP/2.0/TCP 192.0.2.9;branch=z9hG4bK1")] * via)
    headers.add("To", "<sip:101@office>")
    for contact in contacts:
        headers.add("Contact", contact)
    if path is not None:
        headers.add("Path", path)
    if supported is not None:
        headers.add("Supported", supported)
    return Request("REGISTER", "sip:office", headers)


def numbers(request: Request) -> list[int | None]:
    wanted = read_register(request)
    staying = [contact for contact in wanted.contacts if contact.expires_s > 0]
    return [contact.reg_id for contact in settle_flows(request, wanted.path, staying)]


@pytest.mark.parametrize(
    ("contact", "number"),
    [
        (f"<sip:101@10.0.0.7>;reg-id=7{TAIL}", 7),
        ("<sip:101@10.0.0.7>;reg-id=7", None),  # without an instance it means nothing
        (f"<sip:101@10.0.0.7>;reg-id=0{TAIL}", None),
        (f"<sip:101@10.0.0.7>;reg-id=x{TAIL}", None),
        (f"<sip:101@10.0.0.7>;reg-id=2147483648{TAIL}", None),
        (f"<sip:101@10.0.0.7>{TAIL}", None),
    ],
)
def test_a_flow_has_a_number_beside_an_instance(contact: str, number: int | None) -> None:
    assert numbers(a_register(contact)) == [number]


def test_behind_a_proxy_flows_count_when_it_knows_them() -> None:
    contact = f"<sip:101@10.0.0.7>;reg-id=1{TAIL}"
    assert numbers(a_register(contact, via=2, path="<sip:edge.example.org;lr;ob>")) == [1]
    assert numbers(a_register(contact, via=2, path="<sip:edge.example.org;lr>", supported=None)) == [None]
    for path in (None, "<sip:edge.example.org;lr>"):
        with pytest.raises(RemoteError) as refused:
            numbers(a_register(contact, via=2, path=path))
        assert refused.value.status == 439


def test_two_numbered_flows_in_one_request_are_refused() -> None:
    with pytest.raises(RemoteError) as refused:
        numbers(a_register(f"<sip:a@b>;reg-id=1{TAIL}", f"<sip:a@c>;reg-id=2{TAIL}"))
    assert refused.value.status == 400
    assert numbers(a_register(f"<sip:a@b>;reg-id=1{TAIL}", f"<sip:a@c>;reg-id=2;expires=0{TAIL}")) == [1]
