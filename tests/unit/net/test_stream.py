"""Where a connection is opened to when the one of a flow is gone, and whose connection a phone is reached over."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket

import pytest

from engine.net.admission import Admission
from engine.net.connection import Connection
from engine.net.stream import MOST_OPENING, StreamSocket, port_to_reach
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


class Office:
    """Whoever hears of messages and connections."""

    def receive(self, data: bytes, flow: Flow, refusal: tuple[int, str] | None = None) -> None: ...
    def lose(self, flow: Flow) -> None: ...
    def fail(self, flow: Flow, *, was_reached: bool, why: str = "") -> None: ...


class Listener(StreamSocket):
    """One that reaches nobody, and has no socket."""

    async def _reach(self, host: str, port: int) -> socket:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets that")


@contextmanager
def a_listener(kind: type[Listener] = Listener) -> Iterator[Listener]:
    listener = kind(Office(), Admission())
    listener._handle = socket.__new__(socket)
    yield listener
    listener._handle = None
    listener.close()


async def test_a_phone_is_not_reached_over_the_connection_of_a_stranger_that_came_by_its_port() -> None:
    with a_listener() as listener:
        listener.connections[TCP] = Connection(listener, TCP, asyncio.get_running_loop())
        assert not listener.is_connected(TCP)
        listener.vouch(TCP, 60.0)
        assert listener.is_connected(TCP)


async def test_a_connection_that_came_from_a_udp_phones_port_is_not_taken_for_its_own() -> None:
    with a_listener() as listener:
        assert listener.may_open(TCP)
        listener.connections[TCP] = Connection(listener, TCP, asyncio.get_running_loop())
        assert not listener.may_open(TCP)
        listener.connections[TCP] = Connection(listener, TCP, asyncio.get_running_loop(), is_ours=True)
        assert listener.may_open(TCP)


async def test_only_so_many_connections_are_opened_at_one_time() -> None:
    flows = [Flow("TCP", "192.0.2.1", 5060, "192.0.2.9", 10000 + number) for number in range(MOST_OPENING + 1)]
    with a_listener() as listener:
        for flow in flows[:-1]:
            listener.send(response("SIP/2.0/TCP 192.0.2.9;branch=z9hG4bK1"), flow)
        with pytest.raises(OSError, match="too many"):
            listener.send(response("SIP/2.0/TCP 192.0.2.9;branch=z9hG4bK1"), flows[-1])
        assert listener.is_connected(flows[0])


async def test_a_phone_that_does_not_answer_on_tcp_is_named_with_the_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Silence(Listener):
        async def _reach(self, host: str, port: int) -> socket:
            raise TimeoutError

    with a_listener(Silence) as listener, caplog.at_level("INFO"):
        listener.send(response("SIP/2.0/TCP 192.0.2.9:5070;branch=z9hG4bK1"), TCP)
        for _ in range(3):
            await asyncio.sleep(0)
        assert not listener.connections
    assert caplog.messages == ["192.0.2.9:5070 cannot be reached over TCP: no answer (0 more)"]
