"""Transactions over connections: requests too large for a datagram, and what a lost connection does to whom."""

from __future__ import annotations

from itertools import count

import pytest

from engine.sip.flow import Flow
from engine.sip.headers import Headers
from engine.sip.message import Request, Response, make_response, parse_message
from engine.sip.transaction.client import ClientTransaction
from engine.sip.transaction.layer import LARGEST_DATAGRAM, TransactionLayer
from engine.sip.transaction.outputs import Output, RequestArrived, RequestFailed, ResponseArrived, Send
from engine.sip.transaction.server import ServerTransaction

UDP = Flow("UDP", "192.0.2.1", 5060, "192.0.2.9", 5070)
BESIDE = Flow("TCP", "192.0.2.1", 5062, "192.0.2.9", 5070)
TCP = Flow("TCP", "192.0.2.1", 5060, "192.0.2.9", 40000)
OTHER = Flow("TCP", "192.0.2.1", 5060, "192.0.2.9", 40001)
NOW = 1000.0


def a_layer(*, has_tcp: bool = True) -> TransactionLayer:
    numbers = count(1)
    layer = TransactionLayer(lambda size: f"{next(numbers):0{2 * size}x}")
    layer.stream_beside = lambda flow: BESIDE if has_tcp and flow == UDP else None
    return layer


def a_request(method: str = "INVITE", size: int = 0, call: str = "1", via: str | None = None) -> Request:
    """A request with a body of ``size`` bytes."""
    fields = [
        ("From", "<sip:101@example.com>;tag=caller"),
        ("To", "<sip:102@example.com>"),
        ("Call-ID", call),
        ("CSeq", f"1 {method}"),
        ("Max-Forwards", "70"),
    ]
    if via is not None:
        fields.insert(0, ("Via", f"SIP/2.0/TCP 192.0.2.9:5070;branch=z9hG4bK{via}"))
    return Request(method, "sip:102@example.com", Headers(fields), bytes(size))


def sends(layer: TransactionLayer) -> list[tuple[Flow, Request | Response]]:
    """What goes out, in order; nothing else may have happened."""
    found = []
    for output in layer.take_outputs():
        assert isinstance(output, Send)
        found.append((output.flow, parse_message(output.data)))
    return found


def happenings(layer: TransactionLayer) -> list[Output]:
    return [output for output in layer.take_outputs() if not isinstance(output, Send)]


def a_large_invite(layer: TransactionLayer) -> ClientTransaction:
    return layer.send_request(a_request(size=LARGEST_DATAGRAM), UDP, NOW, "user")


# -- requests too large for a datagram ----------------------------------------------------------------------------


def test_a_request_of_1300_bytes_goes_over_udp_and_a_larger_one_over_tcp() -> None:
    layer = a_layer()
    bare = len(layer.send_request(a_request(), UDP, NOW).data) + len("1300") - len("0")
    sends(layer)
    for size, flow in ((LARGEST_DATAGRAM - bare, UDP), (LARGEST_DATAGRAM - bare + 1, BESIDE)):
        transaction = layer.send_request(a_request(size=size), UDP, NOW)
        ((used, request),) = sends(layer)
        assert used == flow
        assert len(transaction.data) == size + bare
        assert str(request.via) == f"SIP/2.0/{flow.transport} {flow.sent_by};branch={transaction.key[0]};rport"


def test_a_large_request_is_not_resent_over_tcp_and_its_cancel_and_ack_go_the_same_way() -> None:
    layer = a_layer()
    invite = a_large_invite(layer)
    sends(layer)
    layer.advance(NOW + 5)
    assert sends(layer) == []
    layer.receive(make_response(invite.request, 180, to_tag="b").encode(), BESIDE, NOW)
    layer.send_cancel(invite, NOW)
    layer.receive(make_response(invite.request, 487, to_tag="b").encode(), BESIDE, NOW)
    outputs = [output for output in layer.take_outputs() if isinstance(output, Send)]
    assert [output.flow for output in outputs] == [BESIDE, BESIDE]
    messages = [parse_message(output.data) for output in outputs]
    assert [item.method for item in messages if isinstance(item, Request)] == ["CANCEL", "ACK"]
    assert {str(item.via) for item in messages} == {str(invite.request.via)}


def test_a_phone_that_refuses_tcp_gets_its_large_request_over_udp() -> None:
    layer = a_layer()
    invite = a_large_invite(layer)
    sends(layer)
    layer.fail_flow(BESIDE, NOW)
    ((used, request),) = sends(layer)
    assert used == UDP
    assert request.via.transport == "UDP"
    assert request.via.branch == invite.key[0]
    layer.advance(NOW + 0.5)
    assert [flow for flow, _ in sends(layer)] == [UDP]
    layer.receive(make_response(invite.request, 200, to_tag="b").encode(), UDP, NOW)
    (arrived,) = happenings(layer)
    assert isinstance(arrived, ResponseArrived)


@pytest.mark.parametrize("is_lost", [True, False])
def test_a_large_request_that_was_answered_over_tcp_fails_with_its_connection(is_lost: bool) -> None:
    layer = a_layer()
    invite = a_large_invite(layer)
    layer.receive(make_response(invite.request, 180, to_tag="b").encode(), BESIDE, NOW)
    layer.take_outputs()
    if is_lost:
        layer.lose_flows({BESIDE}, NOW)
    else:
        layer.fail_flow(BESIDE, NOW)
    (failed,) = layer.take_outputs()
    assert isinstance(failed, RequestFailed)
    assert failed.status == 503
    assert not layer.clients
    assert not len(layer.book)


def test_without_tcp_beside_it_a_large_request_goes_over_udp() -> None:
    layer = a_layer(has_tcp=False)
    a_large_invite(layer)
    assert [flow for flow, _ in sends(layer)] == [UDP]


def test_a_response_is_never_too_large_for_udp() -> None:
    layer = a_layer()
    layer.receive(a_request("OPTIONS", via="1").encode(), UDP, NOW)
    (arrived,) = layer.take_outputs()
    assert isinstance(arrived, RequestArrived)
    response = make_response(arrived.request, 200, to_tag="b")
    response.body = bytes(LARGEST_DATAGRAM)
    arrived.transaction.respond(response, NOW)
    assert [flow for flow, _ in sends(layer)] == [UDP]


# -- lost connections ---------------------------------------------------------------------------------------------


def a_server(layer: TransactionLayer, method: str, flow: Flow, via: str) -> ServerTransaction:
    layer.receive(a_request(method, call=via, via=via).encode(), flow, NOW)
    arrived = layer.take_outputs()[-1]
    assert isinstance(arrived, RequestArrived)
    return arrived.transaction


def test_requests_of_ours_fail_with_their_connection_and_others_do_not() -> None:
    layer = a_layer()
    layer.send_request(a_request("OPTIONS"), TCP, NOW, "one")
    layer.send_request(a_request("OPTIONS"), OTHER, NOW, "other")
    layer.take_outputs()
    layer.lose_flows({TCP}, NOW)
    (failed,) = layer.take_outputs()
    assert isinstance(failed, RequestFailed)
    assert failed.transaction.user == "one"
    assert len(layer.clients) == 1


def test_a_request_whose_connection_is_gone_is_still_answered() -> None:
    layer = a_layer()
    server = a_server(layer, "REGISTER", TCP, "1")
    layer.lose_flows({TCP}, NOW)
    assert layer.take_outputs() == []
    assert server.request is not None
    server.respond(make_response(server.request, 200, to_tag="b"), NOW)
    assert [flow for flow, _ in sends(layer)] == [TCP]


def test_a_caller_whose_connection_is_gone_is_told_again_that_it_rings() -> None:
    """Whether it can be reached shows at once: when it cannot, ``fail_flow`` ends the transaction."""
    layer = a_layer()
    server = a_server(layer, "INVITE", TCP, "1")
    assert server.request is not None
    server.respond(make_response(server.request, 180, to_tag="b"), NOW)
    layer.take_outputs()
    layer.lose_flows({TCP}, NOW)
    ((flow, ringing),) = sends(layer)
    assert flow == TCP
    assert isinstance(ringing, Response)
    assert ringing.status == 180
    layer.fail_flow(TCP, NOW)
    assert not layer.servers


# -- streams that cannot be read on -------------------------------------------------------------------------------


def test_the_head_of_a_message_without_end_is_refused_in_words() -> None:
    layer = a_layer()
    head = a_request("INVITE", via="1").encode().replace(b"Content-Length: 0\r\n", b"")
    layer.refuse(head, TCP, 400, "Missing Content-Length")
    ((flow, answer),) = sends(layer)
    assert flow == TCP
    assert isinstance(answer, Response)
    assert (answer.status, answer.reason) == (400, "Missing Content-Length")
    assert not layer.servers


def test_a_message_too_large_is_refused_as_such_although_its_body_is_missing() -> None:
    layer = a_layer()
    head = a_request("INVITE", via="1").encode().replace(b"Length: 0", b"Length: 999999")
    layer.refuse(head, TCP, 513, "Message Too Large")
    ((_, answer),) = sends(layer)
    assert isinstance(answer, Response)
    assert answer.status == 513


@pytest.mark.parametrize(
    "head", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01", b"SIP/2.0 200 OK\r\n\r\n", b"INVITE sip:a SIP/2.0\r\n\r\n"]
)
def test_what_nobody_can_be_answered_for_is_counted(head: bytes) -> None:
    layer = a_layer()
    layer.refuse(head, TCP, 400, "Missing Content-Length")
    assert layer.take_outputs() == []
    assert (layer.garbage, layer.garbage_from) == (1, TCP)
