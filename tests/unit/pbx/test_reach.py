"""How a registered phone is reached: its own connection first, its contact where that names the same machine."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.core.clock import ManualClock
from engine.net.endpoint import Endpoint
from engine.pbx.bindings import Binding
from engine.pbx.reach import flow_to_phone
from engine.sip.agent import UserAgent
from engine.sip.flow import Flow

AT = datetime(2026, 3, 1, tzinfo=UTC)
PHONE = Binding(
    extension="101",
    contact="sip:101@192.0.2.9:5070;transport=tcp",
    call_id="1",
    cseq=1,
    transport="TCP",
    local_host="192.0.2.1",
    local_port=5060,
    source_host="192.0.2.9",
    source_port=40000,
    expires_at=AT,
    registered_at=AT,
)
OWN = Flow("TCP", "192.0.2.1", 5060, "192.0.2.9", 40000)


class Socket:
    """One of ours; ``connections`` are those that stand."""

    def __init__(self, port: int) -> None:
        self.host, self.port = "192.0.2.1", port
        self.connections: set[Flow] = set()

    def send(self, data: bytes, flow: Flow) -> None:
        raise AssertionError("nothing is sent here")

    def close(self) -> None: ...
    def is_connected(self, flow: Flow) -> bool:
        return flow in self.connections

    def vouch(self, flow: Flow, seconds: float) -> None: ...
    def sweep(self, now: float) -> None: ...


@pytest.fixture
def tcp() -> Socket:
    return Socket(5060)


@pytest.fixture
def endpoint(tcp: Socket) -> Endpoint:
    """With UDP, TCP and TLS, and no connection that stands."""
    made = Endpoint(UserAgent(lambda size: "ab" * size, "test"), ManualClock(), lambda output: None)
    made.add_socket(Socket(5060))
    made.add_listener(tcp, "TCP")
    made.add_listener(Socket(5061), "TLS")
    return made


def test_a_phone_on_tcp_is_called_over_its_own_connection(endpoint: Endpoint, tcp: Socket) -> None:
    tcp.connections.add(OWN)
    assert flow_to_phone(endpoint, PHONE) == OWN


@pytest.mark.parametrize(
    ("contact", "port"),
    [
        ("sip:101@192.0.2.9:5070;transport=tcp", 5070),
        ("sip:101@192.0.2.9:5070", 5070),
        ("sip:101@192.0.2.9;transport=TCP", 5060),
    ],
)
def test_without_its_connection_it_is_called_at_its_contact(endpoint: Endpoint, contact: str, port: int) -> None:
    assert flow_to_phone(endpoint, replace(PHONE, contact=contact)) == Flow(
        "TCP", "192.0.2.1", 5060, "192.0.2.9", port
    )


@pytest.mark.parametrize(
    "contact",
    [
        "sip:101@192.168.1.7:5070;transport=tcp",  # behind a NAT; 192.168.1.7 of our own network is another machine
        "sip:101@phone.example.org;transport=tcp",
        "sip:101@192.0.2.9:5070;transport=udp",
        "sip:101@192.0.2.9:5070;transport=tls",
        "tel:101",
    ],
)
def test_a_contact_that_names_another_place_is_not_called(endpoint: Endpoint, contact: str) -> None:
    assert flow_to_phone(endpoint, replace(PHONE, contact=contact)) is None


def test_a_phone_on_tls_is_called_at_the_port_of_tls(endpoint: Endpoint) -> None:
    phone = replace(PHONE, transport="TLS", local_port=5061, contact="sip:101@192.0.2.9;transport=tls")
    assert flow_to_phone(endpoint, phone) == Flow("TLS", "192.0.2.1", 5061, "192.0.2.9", 5061)


def test_behind_a_proxy_the_proxy_is_called(endpoint: Endpoint) -> None:
    phone = replace(PHONE, contact="sip:101@192.168.1.7:5070", path=("<sip:192.0.2.9:5080;transport=tcp;lr>",))
    assert flow_to_phone(endpoint, phone) == Flow("TCP", "192.0.2.1", 5060, "192.0.2.9", 5080)


def test_a_phone_on_udp_is_reached_where_it_registered_from(endpoint: Endpoint) -> None:
    phone = replace(PHONE, transport="UDP", contact="sip:101@192.168.1.7:5070")
    assert flow_to_phone(endpoint, phone) == Flow("UDP", "192.0.2.1", 5060, "192.0.2.9", 40000)


def test_without_a_listener_of_its_transport_a_phone_cannot_be_reached(endpoint: Endpoint) -> None:
    sockets: dict[Any, Any] = endpoint._sockets
    del sockets["TCP", "192.0.2.1", 5060]
    assert flow_to_phone(endpoint, PHONE) is None
