"""The four transaction machines, walked row by row: RFC 3261 figures 5 to 8 with RFC 6026."""

from __future__ import annotations

from itertools import count

import pytest

from engine.core.errors import LocalError
from engine.sip.flow import Flow
from engine.sip.headers import Headers
from engine.sip.message import Request, Response, make_response, parse_message
from engine.sip.transaction.client import ClientState, ClientTransaction
from engine.sip.transaction.layer import TransactionLayer
from engine.sip.transaction.outputs import (
    AckArrived,
    CancelArrived,
    Output,
    RequestArrived,
    RequestFailed,
    ResponseArrived,
    ResponseFailed,
    Send,
)
from engine.sip.transaction.server import ServerState, ServerTransaction

UDP = Flow("UDP", "192.0.2.1", 5060, "192.0.2.9", 5060)
TCP = Flow("TCP", "192.0.2.1", 5060, "192.0.2.9", 5060)
START = 1000.0


class Bench:
    """One layer, its clock, and the short names of what it puts out."""

    def __init__(self) -> None:
        numbers = count(1)
        self.layer = TransactionLayer(lambda size: f"{next(numbers):0{2 * size}x}")
        self.now = START
        self.outputs: list[Output] = []

    def news(self) -> list[str]:
        """What came out since the last call: ``send 200``, ``up 180``, ``fail 408`` …"""
        self.outputs = self.layer.take_outputs()
        return [_name(output) for output in self.outputs]

    def receive(self, message: Request | Response, flow: Flow = UDP) -> list[str]:
        self.layer.receive(message.encode(), flow, self.now)
        return self.news()

    def wait(self, seconds: float) -> list[tuple[float, str]]:
        """Let time pass, timer by timer; returns what happened and when, in seconds since ``START``."""
        end = self.now + seconds
        seen: list[tuple[float, str]] = []
        while True:
            due = self.layer.next_timer()
            if due is None or due > end:
                break
            self.now = max(self.now, due)
            self.layer.advance(self.now)
            seen += [(round(self.now - START, 3), name) for name in self.news()]
        self.now = end
        return seen

    def is_clean(self) -> bool:
        return not (self.layer.clients or self.layer.servers or len(self.layer.book) or self.layer._merged)


def _name(output: Output) -> str:
    if isinstance(output, Send):
        message = parse_message(output.data)
        return f"send {message.method if isinstance(message, Request) else message.status}"
    if isinstance(output, ResponseArrived):
        return f"up {output.response.status}"
    if isinstance(output, RequestFailed):
        return f"fail {output.status}"
    if isinstance(output, ResponseFailed):
        return "unacknowledged"
    if isinstance(output, CancelArrived):
        return "up CANCEL" if output.invite else "up CANCEL of nothing"
    return f"up {output.request.method}"


def a_request(method: str = "INVITE", *, branch: str | None = None, cseq: int = 1, to_tag: str = "") -> Request:
    fields = [
        ("From", "<sip:101@example.com>;tag=caller"),
        ("To", f"<sip:102@example.com>{to_tag and ';tag=' + to_tag}"),
        ("Call-ID", "one@example.com"),
        ("CSeq", f"{cseq} {method}"),
        ("Max-Forwards", "70"),
    ]
    if branch is not None:
        fields.insert(0, ("Via", f"SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK{branch}"))
    return Request(method, "sip:102@example.com", Headers(fields))


def a_client(bench: Bench, method: str = "INVITE", flow: Flow = UDP) -> ClientTransaction:
    transaction = bench.layer.send_request(a_request(method), flow, bench.now, "user")
    assert bench.news() == [f"send {method}"]
    return transaction


def answer(bench: Bench, transaction: ClientTransaction, status: int) -> list[str]:
    return bench.receive(make_response(transaction.request, status, to_tag="callee"), transaction.flow)


def a_server(bench: Bench, method: str = "INVITE", flow: Flow = UDP) -> ServerTransaction:
    assert bench.receive(a_request(method, branch="1"), flow) == [f"up {method}"]
    arrived = bench.outputs[0]
    assert isinstance(arrived, RequestArrived)
    return arrived.transaction


def respond(bench: Bench, transaction: ServerTransaction, status: int) -> list[str]:
    request = transaction.request or a_request(transaction.method, branch="1")
    transaction.respond(make_response(request, status, to_tag="callee"), bench.now)
    return bench.news()


# -- figure 5 and RFC 6026 section 7.2: INVITE client ------------------------------------------------------------


def test_an_unanswered_invite_is_resent_at_doubling_intervals_and_fails_after_32_seconds() -> None:
    bench = Bench()
    client = a_client(bench)
    resent = [(at, "send INVITE") for at in (0.5, 1.5, 3.5, 7.5, 15.5, 31.5)]
    assert bench.wait(40) == [*resent, (32.0, "fail 408")]
    assert client.state is ClientState.TERMINATED
    assert bench.is_clean()


def test_an_unanswered_invite_over_tcp_is_not_resent() -> None:
    bench = Bench()
    a_client(bench, flow=TCP)
    assert bench.wait(40) == [(32.0, "fail 408")]


def test_after_a_provisional_response_an_invite_waits_without_limit() -> None:
    bench = Bench()
    client = a_client(bench)
    assert answer(bench, client, 100) == ["up 100"]
    assert client.state is ClientState.PROCEEDING
    assert bench.wait(600) == []
    assert answer(bench, client, 180) == ["up 180"]
    assert client.state is ClientState.PROCEEDING


@pytest.mark.parametrize("first", [(), (180,)])
def test_a_failure_is_acknowledged_and_passed_up_once_and_its_repeats_acknowledged(first: tuple[int, ...]) -> None:
    bench = Bench()
    client = a_client(bench)
    for status in first:
        answer(bench, client, status)
    assert answer(bench, client, 486) == ["send ACK", "up 486"]
    assert client.state is ClientState.COMPLETED
    assert answer(bench, client, 486) == ["send ACK"]
    for unexpected in (180, 200):
        assert answer(bench, client, unexpected) == []
    assert bench.layer.ignored_cues == 2
    assert bench.wait(31.9) == []
    assert client.state is ClientState.COMPLETED
    bench.wait(0.2)
    assert client.state is ClientState.TERMINATED
    assert bench.is_clean()


def test_the_ack_of_a_failure_has_the_branch_of_its_invite_and_the_tag_of_the_failure() -> None:
    bench = Bench()
    client = a_client(bench)
    answer(bench, client, 486)
    sent = bench.outputs[0]
    assert isinstance(sent, Send)
    ack = parse_message(sent.data)
    assert isinstance(ack, Request)
    assert (ack.via, ack.to_tag, str(ack.cseq)) == (client.request.via, "callee", "1 ACK")
    assert (ack.uri, ack.call_id, ack.from_tag) == (client.request.uri, client.request.call_id, "caller")


def test_over_tcp_a_failure_ends_the_transaction_at_once() -> None:
    bench = Bench()
    client = a_client(bench, flow=TCP)
    assert answer(bench, client, 404) == ["send ACK", "up 404"]
    assert client.state is ClientState.TERMINATED
    assert bench.is_clean()


@pytest.mark.parametrize("flow", [UDP, TCP])
@pytest.mark.parametrize("first", [(), (180,)])
def test_every_2xx_is_passed_up_while_accepted(first: tuple[int, ...], flow: Flow) -> None:
    bench = Bench()
    client = a_client(bench, flow=flow)
    for status in first:
        answer(bench, client, status)
    assert answer(bench, client, 200) == ["up 200"]
    assert client.state is ClientState.ACCEPTED
    assert answer(bench, client, 200) == ["up 200"]
    for unexpected in (180, 486):
        assert answer(bench, client, unexpected) == []
    assert bench.wait(31.9) == []
    assert client.state is ClientState.ACCEPTED
    bench.wait(0.2)
    assert client.state is ClientState.TERMINATED
    assert bench.is_clean()
    assert answer(bench, client, 200) == []


# -- figure 6: non-INVITE client ---------------------------------------------------------------------------------


def test_an_unanswered_request_is_resent_up_to_every_4_seconds_and_fails_after_32() -> None:
    bench = Bench()
    a_client(bench, "OPTIONS")
    times = (0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5)
    assert bench.wait(40) == [*((at, "send OPTIONS") for at in times), (32.0, "fail 408")]
    assert bench.is_clean()


def test_after_a_provisional_response_a_request_is_resent_every_4_seconds_and_still_fails() -> None:
    bench = Bench()
    client = a_client(bench, "OPTIONS")
    assert answer(bench, client, 100) == ["up 100"]
    assert client.state is ClientState.PROCEEDING
    times = (0.5, *(4.5 + 4 * step for step in range(7)))
    assert bench.wait(31) == [(at, "send OPTIONS") for at in times]
    assert answer(bench, client, 100) == ["up 100"]
    assert bench.wait(5) == [(32.0, "fail 408")]
    assert bench.is_clean()


@pytest.mark.parametrize("status", [200, 302, 404, 503, 603])
@pytest.mark.parametrize("first", [(), (100,)])
def test_a_final_response_is_passed_up_once_and_its_repeats_absorbed(first: tuple[int, ...], status: int) -> None:
    bench = Bench()
    client = a_client(bench, "REGISTER")
    for early in first:
        answer(bench, client, early)
    assert answer(bench, client, status) == [f"up {status}"]
    assert client.state is ClientState.COMPLETED
    for repeated in (status, 100, 200):
        assert answer(bench, client, repeated) == []
    assert bench.wait(4.9) == []
    assert client.state is ClientState.COMPLETED
    bench.wait(0.2)
    assert bench.is_clean()


def test_over_tcp_a_final_response_ends_the_request_at_once() -> None:
    bench = Bench()
    client = a_client(bench, "REGISTER", TCP)
    assert answer(bench, client, 200) == ["up 200"]
    assert client.state is ClientState.TERMINATED
    assert bench.is_clean()


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
@pytest.mark.parametrize("first", [(), (100,)])
def test_a_transport_error_fails_what_waits_for_an_answer(method: str, first: tuple[int, ...]) -> None:
    bench = Bench()
    client = a_client(bench, method)
    for status in first:
        answer(bench, client, status)
    bench.layer.fail_flow(UDP, bench.now)
    assert bench.news() == ["fail 503"]
    assert bench.is_clean()


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_an_abandoned_request_takes_no_answer(method: str) -> None:
    bench = Bench()
    client = a_client(bench, method)
    client.abandon(bench.now)
    assert bench.is_clean()
    assert answer(bench, client, 200) == []


# -- figure 7 and RFC 6026 section 7.1: INVITE server -------------------------------------------------------------


def test_an_invite_the_office_does_not_answer_gets_100_after_200_ms() -> None:
    bench = Bench()
    server = a_server(bench)
    assert bench.receive(a_request(branch="1")) == []
    assert bench.wait(60) == [(0.2, "send 100")]
    assert bench.receive(a_request(branch="1")) == ["send 100"]
    assert server.state is ServerState.PROCEEDING


def test_the_last_provisional_response_answers_a_repeated_invite() -> None:
    bench = Bench()
    server = a_server(bench)
    assert respond(bench, server, 180) == ["send 180"]
    assert respond(bench, server, 183) == ["send 183"]
    assert bench.receive(a_request(branch="1")) == ["send 183"]
    assert bench.wait(60) == []
    assert not server.is_answered


def test_an_accepted_invite_absorbs_its_repeats_and_passes_acks_up() -> None:
    bench = Bench()
    server = a_server(bench)
    assert respond(bench, server, 200) == ["send 200"]
    assert server.state is ServerState.ACCEPTED
    assert bench.receive(a_request(branch="1")) == []
    assert bench.receive(a_request("ACK", branch="1", to_tag="callee")) == ["up ACK"]
    assert bench.receive(a_request("ACK", branch="2", to_tag="callee")) == ["up ACK"]
    assert respond(bench, server, 200) == ["send 200"]
    assert bench.wait(31.9) == []
    assert server.state is ServerState.ACCEPTED
    bench.wait(0.2)
    assert bench.is_clean()


def test_a_failure_is_resent_until_acknowledged() -> None:
    bench = Bench()
    server = a_server(bench)
    assert respond(bench, server, 486) == ["send 486"]
    assert server.state is ServerState.COMPLETED
    assert bench.wait(8) == [(at, "send 486") for at in (0.5, 1.5, 3.5, 7.5)]
    assert bench.receive(a_request(branch="1")) == ["send 486"]
    assert bench.receive(a_request("ACK", branch="1", to_tag="callee")) == []
    assert server.state is ServerState.CONFIRMED
    assert bench.receive(a_request("ACK", branch="1", to_tag="callee")) == []
    assert bench.receive(a_request(branch="1")) == []
    assert bench.wait(4.9) == []
    assert server.state is ServerState.CONFIRMED
    bench.wait(0.2)
    assert bench.is_clean()


def test_a_failure_nobody_acknowledges_is_given_up_after_32_seconds() -> None:
    bench = Bench()
    server = a_server(bench)
    respond(bench, server, 503)
    times = (0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5)
    assert bench.wait(40) == [*((at, "send 503") for at in times), (32.0, "unacknowledged")]
    assert server.state is ServerState.TERMINATED
    assert bench.is_clean()


def test_over_tcp_a_failure_is_sent_once_and_its_ack_ends_it() -> None:
    bench = Bench()
    server = a_server(bench, flow=TCP)
    respond(bench, server, 486)
    assert bench.wait(10) == []
    assert bench.receive(a_request("ACK", branch="1", to_tag="callee"), TCP) == []
    assert server.state is ServerState.TERMINATED
    assert bench.is_clean()


# -- figure 8: non-INVITE server ----------------------------------------------------------------------------------


def test_a_request_the_office_works_on_absorbs_its_repeats() -> None:
    bench = Bench()
    server = a_server(bench, "REGISTER")
    assert bench.receive(a_request("REGISTER", branch="1")) == []
    assert respond(bench, server, 100) == ["send 100"]
    assert server.state is ServerState.PROCEEDING
    assert bench.receive(a_request("REGISTER", branch="1")) == ["send 100"]
    assert respond(bench, server, 100) == ["send 100"]
    assert respond(bench, server, 200) == ["send 200"]
    assert server.state is ServerState.COMPLETED


@pytest.mark.parametrize("status", [200, 404])
def test_a_final_response_answers_every_repeat_for_32_seconds(status: int) -> None:
    bench = Bench()
    server = a_server(bench, "REGISTER")
    respond(bench, server, status)
    bench.wait(31.9)
    assert bench.receive(a_request("REGISTER", branch="1")) == [f"send {status}"]
    bench.wait(0.2)
    assert bench.is_clean()
    assert bench.receive(a_request("REGISTER", branch="1")) == ["up REGISTER"]


def test_over_tcp_a_final_response_ends_a_request_at_once() -> None:
    bench = Bench()
    server = a_server(bench, "REGISTER", TCP)
    respond(bench, server, 200)
    assert server.state is ServerState.TERMINATED
    assert bench.is_clean()


@pytest.mark.parametrize(
    ("method", "status"), [("INVITE", 180), ("INVITE", 486), ("REGISTER", 100), ("REGISTER", 200)]
)
def test_a_transport_error_ends_a_server_transaction_and_tells(method: str, status: int) -> None:
    bench = Bench()
    server = a_server(bench, method)
    respond(bench, server, status)
    bench.layer.fail_flow(UDP, bench.now)
    assert bench.news() == ["unacknowledged"]
    assert server.state is ServerState.TERMINATED
    assert bench.is_clean()


@pytest.mark.parametrize(
    ("method", "first", "second"), [("INVITE", 486, 180), ("INVITE", 486, 486), ("OPTIONS", 200, 200)]
)
def test_answering_twice_is_an_error_of_ours(method: str, first: int, second: int) -> None:
    bench = Bench()
    server = a_server(bench, method)
    respond(bench, server, first)
    with pytest.raises(LocalError):
        respond(bench, server, second)


# -- matching (sections 17.1.3, 17.2.3, 8.2.2.2, 9.2) --------------------------------------------------------------


def test_a_cancel_finds_its_invite_and_is_a_transaction_of_its_own() -> None:
    bench = Bench()
    server = a_server(bench)
    assert bench.receive(a_request("CANCEL", branch="1")) == ["up CANCEL"]
    arrived = bench.outputs[0]
    assert isinstance(arrived, CancelArrived)
    assert arrived.invite is server
    assert bench.receive(a_request("CANCEL", branch="1")) == []
    assert bench.receive(a_request("CANCEL", branch="2", cseq=2)) == ["up CANCEL of nothing"]


def test_our_cancel_has_the_branch_of_the_invite() -> None:
    bench = Bench()
    invite = a_client(bench)
    answer(bench, invite, 180)
    cancel = bench.layer.send_cancel(invite, bench.now, 'SIP;cause=200;text="Call completed elsewhere"')
    assert bench.news() == ["send CANCEL"]
    assert cancel.request.via == invite.request.via
    assert cancel.request.headers.get("Reason") == 'SIP;cause=200;text="Call completed elsewhere"'
    assert answer(bench, cancel, 200) == ["up 200"]
    assert answer(bench, invite, 487) == ["send ACK", "up 487"]


def test_the_same_request_over_another_path_gets_482() -> None:
    bench = Bench()
    a_server(bench)
    assert bench.receive(a_request(branch="2")) == ["send 482"]
    assert bench.receive(a_request(branch="3", cseq=2)) == ["up INVITE"]


def test_requests_of_rfc_2543_clients_are_matched_without_a_branch() -> None:
    bench = Bench()

    def old(method: str, to_tag: str = "") -> Request:
        request = a_request(method, to_tag=to_tag)
        request.headers.add_first("Via", "SIP/2.0/UDP 192.0.2.9:5060")
        return request

    assert bench.receive(old("INVITE")) == ["up INVITE"]
    arrived = bench.outputs[0]
    assert isinstance(arrived, RequestArrived)
    assert bench.receive(old("INVITE")) == []
    respond(bench, arrived.transaction, 486)
    assert bench.receive(old("INVITE")) == ["send 486"]
    assert bench.receive(old("ACK", "callee")) == []
    assert arrived.transaction.state is ServerState.CONFIRMED


def test_a_response_that_answers_nothing_of_ours_is_counted() -> None:
    bench = Bench()
    client = a_client(bench)
    stray = make_response(client.request, 200, to_tag="x")
    stray.headers.set("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKother")
    assert bench.receive(stray) == []
    other_method = make_response(client.request, 200, to_tag="x")
    other_method.headers.set("CSeq", "1 OPTIONS")
    assert bench.receive(other_method) == []
    assert bench.layer.ignored_cues == 2
    assert client.state is ClientState.TRYING


def test_an_ack_of_nothing_is_passed_up_and_leaves_nothing_behind() -> None:
    bench = Bench()
    assert bench.receive(a_request("ACK", branch="9", to_tag="callee")) == ["up ACK"]
    assert isinstance(bench.outputs[0], AckArrived)
    assert bench.is_clean()
