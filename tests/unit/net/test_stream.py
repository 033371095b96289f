"""Where a connection is opened to when the one of a flow is gone."""

from __future__ import annotations

import pytest

from engine.net.stream import port_to_reach
from engine.sip.flow import Flow

TCP = Flow("TCP", "192.0.2.1", 5060, "192.0.2.9", 40000)
TLS = Flow("TLS", "192.0.2.1", 5061, "192.0.2.9", 40000)


def response(via: str) -> bytes:
    return f"SIP/2.0 200 OK\r\nVia: {via}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n".encode()


def request(uri: str, route: str = "") -> bytes:
    fields = f"Route: {route}\r\n" if route else ""
    return f"BYE {uri} SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\n{fields}l: 0\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("via", "flow", "port"),
    [
        ("SIP/2.0/TCP 192.0.2.9:5070;branch=z9hG4bK1;rport=40000;received=192.0.2.9", TCP, 5070),
        ("SIP/2.0/TCP 10.0.0.7:5070;branch=z9hG4bK1;received=192.0.2.9", TCP, 5070),
        ("SIP/2.0/TCP phone;branch=z9hG4bK1;received=192.0.2.9", TCP, 5060),
        ("SIP/2.0/TLS phone;branch=z9hG4bK1;received=192.0.2.9", TLS, 5061),
        ("SIP/2.0/TCP a:5071;branch=z9hG4bK1, SIP/2.0/TCP b:5072;branch=z9hG4bK2", TCP, 5071),
        ("nonsense", TCP, 40000),
    ],
)
def test_a_response_goes_to_the_port_in_its_via(via: str, flow: Flow, port: int) -> None:
    assert port_to_reach(response(via), flow) == port


@pytest.mark.parametrize(
    ("data", "port"),
    [
        (request("sip:101@192.0.2.9:5070;transport=tcp"), 5070),
        (request("sip:101@192.0.2.9"), 5060),
        (request("sip:101@10.0.0.7:5070", "<sip:192.0.2.9:5080;lr>"), 5080),
        (request("sip:101@10.0.0.7:5070"), 40000),  # behind a NAT: that host of our own network is another machine
        (request("sip:101@192.0.2.9:5070", "<sip:192.0.2.77:5080;lr>"), 40000),
        (request("tel:101"), 40000),
    ],
)
def test_a_request_goes_to_where_its_peer_says_it_is_if_that_is_the_same_machine(data: bytes, port: int) -> None:
    assert port_to_reach(data, TCP) == port
