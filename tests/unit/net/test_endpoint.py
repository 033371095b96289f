"""The endpoint: what goes out through which socket, what comes in, and time, without a socket or a second."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import AsyncIterator

import pytest

from engine.core.clock import ManualClock
from engine.core.errors import RefusedError
from engine.net import addresses, endpoint
from engine.net.endpoint import Endpoint
from engine.net.udp import UdpSocket
from engine.sip.agent import AgentOutput, UserAgent
from engine.sip.flow import Flow
from engine.sip.headers import Headers
from engine.sip.message import Request, Response, parse_message
from engine.sip.transaction.outputs import RequestArrived, RequestFailed

PEER = ("192.0.2.9", 5060)


class TellingSocket:
    """A socket that remembers what it was given; ``error`` is what the system says instead."""

    def __init__(self, host: str = "192.0.2.1", port: int = 5060) -> None:
        self.host, self.port = host, port
        self.sent: list[tuple[bytes, Flow]] = []
        self.error: OSError | None = None
        self.is_closed = False

    def send(self, data: bytes, flow: Flow) -> None:
        if self.error is not None:
            raise self.error
        self.sent.append((data, flow))

    def close(self) -> None:
        self.is_closed = True

    @property
    def said(self) -> list[str]:
        messages = [parse_message(data) for data, _ in self.sent]
        return [item.method if isinstance(item, Request) else str(item.status) for item in messages]


class TellingListener(TellingSocket):
    """One with connections, whose peers are all there."""

    def is_connected(self, flow: Flow) -> bool:
        return True

    def vouch(self, flow: Flow, seconds: float) -> None: ...
    def sweep(self, now: float) -> None: ...


class Desk:
    """An endpoint with one socket, and whoever hears its events."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.agent = UserAgent(lambda size: "ab" * size, "test")
        self.heard: list[AgentOutput] = []
        self.endpoint = Endpoint(self.agent, self.clock, self.hear)
        self.socket = TellingSocket()
        self.endpoint.add_socket(self.socket)

    def hear(self, output: AgentOutput) -> None:
        self.heard.append(output)

    @property
    def flow(self) -> Flow:
        flow = self.endpoint.flow_to(("192.0.2.1", 5060), PEER)
        assert flow is not None
        return flow

    def ask(self) -> None:
        """Send an OPTIONS of ours."""
        self.agent.send_request(a_request("OPTIONS"), self.flow, self.clock.now(), self)
        self.endpoint.flush()

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.endpoint._advance()


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    yield desk
    desk.endpoint.close()


def a_request(method: str, number: int = 1) -> Request:
    return Request(
        method,
        "sip:101@192.0.2.1",
        Headers([
            ("Max-Forwards", "70"),
            ("From", "<sip:102@office>;tag=1"),
            ("To", "<sip:101@office>"),
            ("Call-ID", f"call {number}"),
            ("CSeq", f"1 {method}"),
            ("Contact", "<sip:102@192.0.2.9>"),
        ]),
    )  # fmt: skip


def arriving(method: str, number: int = 1) -> bytes:
    request = a_request(method, number)
    request.headers.add_first("Via", f"SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK{method}{number}")
    return request.encode()


async def test_an_answer_leaves_from_the_address_that_was_asked(desk: Desk) -> None:
    other = TellingSocket("192.0.2.2")
    desk.endpoint.add_socket(other)
    desk.endpoint.receive(arriving("OPTIONS"), Flow("UDP", "192.0.2.2", 5060, *PEER))
    assert (desk.socket.said, other.said) == ([], ["200"])


async def test_keep_alives_and_garbage_are_answered_by_silence(desk: Desk) -> None:
    for data in (b"", b"\r\n\r\n", b"\0\0\0\0", b"\0", b"hello", b"\xff" * 2000, b"SIP/2.0 200 OK\r\n\r\n"):
        desk.endpoint.receive(data, desk.flow)
    assert not desk.socket.sent
    assert not desk.heard
    assert desk.agent.layer.garbage == 3


async def test_a_peer_is_reached_from_the_address_it_knows_us_by(desk: Desk) -> None:
    desk.endpoint.add_socket(TellingSocket("2001:db8::1"))
    assert desk.endpoint.flow_to(("192.0.2.1", 5060), PEER) == Flow("UDP", "192.0.2.1", 5060, *PEER)
    assert desk.endpoint.flow_to(("192.0.2.77", 5060), PEER) == Flow("UDP", "192.0.2.1", 5060, *PEER)
    v6 = desk.endpoint.flow_to(("192.0.2.1", 9), ("2001:db8::9", 5060))
    assert v6 == Flow("UDP", "2001:db8::1", 5060, "2001:db8::9", 5060)


async def test_a_peer_of_a_family_we_have_no_socket_for_cannot_be_reached(desk: Desk) -> None:
    assert desk.endpoint.flow_to(("2001:db8::1", 5060), ("2001:db8::9", 5060)) is None


async def test_what_cannot_be_sent_fails_at_once(desk: Desk) -> None:
    desk.socket.error = OSError(errno.ENETUNREACH, "Network is unreachable")
    desk.ask()
    (failed,) = desk.heard
    assert isinstance(failed, RequestFailed)
    assert failed.status == 503
    assert not desk.agent.layer.clients


async def test_after_the_end_nothing_is_sent_and_nothing_waits(desk: Desk) -> None:
    desk.ask()
    desk.endpoint.close()
    assert desk.socket.is_closed
    assert desk.endpoint.addresses == []
    desk.pass_time(1)
    assert desk.socket.said == ["OPTIONS"]
    assert isinstance(desk.heard[-1], RequestFailed)


async def test_time_resends_and_gives_up(desk: Desk) -> None:
    desk.ask()
    for _ in range(400):
        desk.pass_time(0.1)
    assert desk.socket.said.count("OPTIONS") == 11
    (failed,) = desk.heard
    assert isinstance(failed, RequestFailed)
    assert failed.status == 408


async def test_an_event_whose_user_fails_keeps_no_other_from_its_user(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    def fail_once(output: AgentOutput) -> None:
        desk.heard.append(output)
        if len(desk.heard) == 1:
            raise RuntimeError("the first user fails")

    desk.endpoint._user = fail_once
    desk.endpoint.receive(arriving("REGISTER", 1), desk.flow)
    desk.endpoint.receive(arriving("REGISTER", 2), desk.flow)
    assert len(desk.heard) == 2
    assert "could not be handled" in caplog.text
    for arrived in desk.heard:
        assert isinstance(arrived, RequestArrived)


async def test_what_a_user_says_in_its_turn_goes_out_in_order(desk: Desk) -> None:
    def answer(output: AgentOutput) -> None:
        assert isinstance(output, RequestArrived)
        desk.agent.respond(output, 403, desk.clock.now())
        desk.endpoint.flush()

    desk.endpoint._user = answer
    desk.endpoint.receive(arriving("REGISTER", 1), desk.flow)
    desk.endpoint.receive(arriving("OPTIONS", 2), desk.flow)
    assert desk.socket.said == ["403", "200"]
    first = parse_message(desk.socket.sent[0][0])
    assert isinstance(first, Response)
    assert first.call_id == "call 1"


async def test_udp_and_tcp_of_one_address_are_two_sockets(desk: Desk) -> None:
    tcp = TellingListener()
    desk.endpoint.add_listener(tcp, "TCP")
    for transport in ("UDP", "TCP"):
        flow = Flow(transport, "192.0.2.1", 5060, *PEER)
        desk.endpoint.receive(arriving("OPTIONS").replace(b"SIP/2.0/UDP", f"SIP/2.0/{transport}".encode()), flow)
        desk.pass_time(60)
    assert (desk.socket.said, tcp.said) == (["200"], ["200"])
    assert desk.endpoint.addresses == [("192.0.2.1", 5060)]
    assert desk.endpoint.listeners == [("UDP", "192.0.2.1", 5060), ("TCP", "192.0.2.1", 5060)]


async def test_a_message_without_end_is_refused_in_words(desk: Desk) -> None:
    desk.endpoint.receive(arriving("INVITE"), desk.flow, (400, "Missing Content-Length"))
    assert desk.socket.said == ["400"]
    assert not desk.heard


async def test_many_connections_that_are_lost_at_once_are_looked_after_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[set[Flow]] = []
    monkeypatch.setattr(desk.agent, "lose_flows", lambda lost, now: told.append(lost))
    flows = {Flow("TCP", "192.0.2.1", 5060, "192.0.2.9", port) for port in range(40000, 40050)}
    for flow in flows:
        desk.endpoint.lose(flow)
    await asyncio.sleep(0)
    assert told == [flows]


async def test_a_request_on_a_connection_that_cannot_be_opened_fails(desk: Desk) -> None:
    desk.endpoint.add_listener(TellingListener(), "TCP")
    flow = desk.endpoint.flow_to(("192.0.2.1", 5060), PEER, "TCP")
    assert flow is not None
    desk.agent.send_request(a_request("OPTIONS"), flow, desk.clock.now(), desk)
    desk.endpoint.flush()
    desk.endpoint.fail(flow, was_reached=False)
    await asyncio.sleep(0)
    (failed,) = desk.heard
    assert isinstance(failed, RequestFailed)
    assert failed.status == 503


async def test_a_peer_that_refused_tcp_is_not_asked_again_for_a_while(desk: Desk) -> None:
    desk.endpoint.add_listener(TellingListener(), "TCP")
    beside = desk.endpoint._stream_beside(desk.flow)
    assert beside == Flow("TCP", "192.0.2.1", 5060, *PEER)
    desk.endpoint.fail(beside, was_reached=True)
    assert desk.endpoint._stream_beside(desk.flow) == beside
    desk.endpoint.fail(beside, was_reached=False)
    assert desk.endpoint._stream_beside(desk.flow) is None
    desk.clock.advance(601)
    assert desk.endpoint._stream_beside(desk.flow) == beside


@pytest.mark.plain
@pytest.mark.parametrize(
    ("number", "what", "mend"),
    [
        (errno.EADDRINUSE, "UDP port 192.0.2.1:5060 is taken by another program", "stop that program"),
        (errno.EACCES, "UDP port 192.0.2.1:5060 needs more privileges", "above 1023"),
        (errno.EADDRNOTAVAIL, "cannot listen on UDP 192.0.2.1:5060", "another address"),
    ],
)
async def test_a_port_that_cannot_be_had_says_what_to_do(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, number: int, what: str, mend: str
) -> None:
    async def refuse(host: str, port: int, receiver: object) -> UdpSocket:
        raise OSError(number, "no")

    monkeypatch.setattr(UdpSocket, "open", refuse)
    with pytest.raises(RefusedError) as refused:
        await desk.endpoint.open_udp("192.0.2.1", 5060)
    assert what in refused.value.what
    assert mend in refused.value.mend


@pytest.mark.plain
async def test_everywhere_means_each_address_that_can_be_bound(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def open_some(host: str, port: int, receiver: object) -> TellingSocket:
        if host == "2001:db8::1":
            raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
        return TellingSocket(host, port)

    caplog.set_level(logging.WARNING)
    monkeypatch.setattr(UdpSocket, "open", open_some)
    monkeypatch.setattr(endpoint, "expand_host", lambda host: ["127.0.0.1", "2001:db8::1", "192.0.2.1"])
    await desk.endpoint.open_udp("", 5070)
    assert desk.endpoint.addresses == [("192.0.2.1", 5060), ("127.0.0.1", 5070), ("192.0.2.1", 5070)]
    assert "cannot listen on 2001:db8::1" in caplog.text


def test_a_wildcard_is_our_addresses_of_its_family(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "own_addresses", lambda: ["127.0.0.1", "::1", "192.0.2.1"])
    assert addresses.expand_host("") == addresses.expand_host("*") == ["127.0.0.1", "::1", "192.0.2.1"]
    assert addresses.expand_host("0.0.0.0") == ["127.0.0.1", "192.0.2.1"]
    assert addresses.expand_host("::") == ["::1"]
    assert addresses.expand_host("192.0.2.7") == ["192.0.2.7"]


@pytest.mark.parametrize(
    ("bound", "told"),
    [
        (["::1", "127.0.0.1"], "127.0.0.1"),
        (["127.0.0.1", "2001:db8::7"], "2001:db8::7"),
        (["127.0.0.1", "2001:db8::7", "192.0.2.7"], "192.0.2.7"),
        (["192.0.2.7", "198.51.100.7", "127.0.0.1"], "198.51.100.7"),
    ],
)
def test_phones_are_told_the_address_that_most_can_reach(
    monkeypatch: pytest.MonkeyPatch, bound: list[str], told: str
) -> None:
    monkeypatch.setattr(addresses, "address_towards", lambda remote: None if ":" in remote else "198.51.100.7")
    assert addresses.address_to_tell([(host, 5060) for host in bound]) == (told, 5060)


STUN = bytes.fromhex("00010000 2112a442") + b"transaction."


async def test_a_phone_that_asks_by_stun_hears_its_address_and_nobody_else_does(desk: Desk) -> None:
    desk.endpoint.receive(STUN, desk.flow)
    ((answer, flow),) = desk.socket.sent
    assert flow == desk.flow
    assert answer[:4] == bytes.fromhex("0101000c")
    assert not desk.heard
    assert desk.agent.layer.garbage == 0


async def test_a_phone_whose_socket_is_closed_gets_no_stun(desk: Desk) -> None:
    flow = desk.flow
    desk.socket.error = OSError(errno.ENETUNREACH, "Network is unreachable")
    desk.endpoint.receive(STUN, flow)
    desk.endpoint.close()
    desk.endpoint.receive(STUN, flow)
    assert not desk.socket.sent
