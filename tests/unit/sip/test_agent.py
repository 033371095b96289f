"""The user agent's own answers, forks, and what it does with what fits no dialog."""

from __future__ import annotations

from itertools import count, product

import pytest

from engine.core.errors import RemoteError
from engine.sip.agent import AgentOutput, UserAgent
from engine.sip.flow import Flow
from engine.sip.headers import Headers
from engine.sip.message import Request, Response, make_response, parse_message
from engine.sip.session import Session
from engine.sip.session.core import SessionState
from engine.sip.session.events import Answered, Failed
from engine.sip.session.invite import MOST_EARLY_DIALOGS
from engine.sip.transaction.outputs import RequestArrived, RequestFailed, ResponseArrived, Send

UDP = Flow("UDP", "192.0.2.1", 5060, "192.0.2.9", 5060)
NOW = 1000.0


class Desk:
    """A user agent and the peer's hand-written messages."""

    def __init__(self) -> None:
        tokens, self._branches = count(1), count(1)
        self.agent = UserAgent(lambda size: f"{next(tokens):0{2 * size}x}", "Frontdesk")
        self.events: list[AgentOutput] = []

    def news(self) -> list[Request | Response]:
        """The messages sent since the last call; events go to ``events``."""
        outputs = self.agent.take_outputs(NOW)
        self.events += [output for output in outputs if not isinstance(output, Send)]
        return [parse_message(output.data) for output in outputs if isinstance(output, Send)]

    def receive(self, message: Request | Response) -> list[Request | Response]:
        self.agent.receive(message.encode(), UDP, NOW)
        return self.news()

    def ask(self, method: str, uri: str = "sip:office", **fields: str) -> list[Request | Response]:
        """Send a request with the usual fields; ``Content_Type="x"`` adds or replaces one."""
        headers = Headers([
            ("Via", f"SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK{next(self._branches)}"),
            ("From", "<sip:101@office>;tag=caller"), ("To", "<sip:102@office>"), ("Call-ID", "call"),
            ("CSeq", f"1 {method}"), ("Max-Forwards", "70"),
        ])  # fmt: skip
        for name, value in fields.items():
            headers.set(name.replace("_", "-"), value)
        return self.receive(Request(method, uri, headers))

    def call(self) -> tuple[Session, Request]:
        """Our INVITE to the peer."""
        session = self.agent.invite(
            target="sip:102@192.0.2.9", flow=UDP, caller="<sip:101@office>", callee="<sip:102@office>",
            contact="<sip:101@192.0.2.1>", sdp=b"offer", now=NOW,
        )  # fmt: skip
        sent = self.news()[0]
        assert isinstance(sent, Request)
        return session, sent


def accepted(invite: Request, tag: str, contact: str = "<sip:102@192.0.2.9:5070>") -> Response:
    response = make_response(invite, 200, to_tag=tag)
    response.headers.add("Contact", contact)
    return response


def only(answers: list[Request | Response]) -> Response:
    assert len(answers) == 1
    assert isinstance(answers[0], Response)
    return answers[0]


def methods(messages: list[Request | Response]) -> list[str | int]:
    return [message.method if isinstance(message, Request) else message.status for message in messages]


def test_options_tells_what_we_can() -> None:
    answer = only(Desk().ask("OPTIONS"))
    assert answer.status == 200
    assert (
        answer.headers.get("Allow")
        == "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, PRACK, UPDATE, MESSAGE, REFER, INFO, SUBSCRIBE"
    )
    assert answer.headers.get("Supported") == "100rel, timer, replaces"
    assert answer.headers.get("Accept") == "application/sdp"


@pytest.mark.parametrize(
    ("method", "fields", "status"),
    [
        ("INFO", {}, 481),
        ("PUBLISH", {}, 405),
        ("DANCE", {}, 501),
        ("BYE", {}, 481),
        ("BYE", {"To": "<sip:102@office>;tag=gone"}, 481),
        ("INVITE", {"To": "<sip:102@office>;tag=gone"}, 481),
        ("INVITE", {"Require": "100rel, precondition, Nothing"}, 420),
        ("CANCEL", {}, 481),
        ("REGISTER", {"From": "nobody"}, 400),
        ("REGISTER", {"Max-Forwards": "256"}, 400),
    ],
)
def test_what_needs_no_decision_is_answered_at_once(method: str, fields: dict[str, str], status: int) -> None:
    desk = Desk()
    answer = only(desk.ask(method, **fields))
    assert answer.status == status
    assert answer.to_tag
    assert desk.events == []
    if status == 420:
        assert answer.headers.get("Unsupported") == "precondition, Nothing"


def test_a_scheme_we_do_not_speak_gets_416() -> None:
    assert only(Desk().ask("INVITE", "http://office")).status == 416


@pytest.mark.parametrize("method", ["INVITE", "REGISTER"])
def test_what_the_office_decides_is_handed_up_and_answered_through_the_agent(method: str) -> None:
    desk = Desk()
    assert desk.ask(method) == []
    arrived = desk.events[0]
    assert isinstance(arrived, RequestArrived)
    desk.agent.respond(arrived, 401, NOW, headers=(("WWW-Authenticate", "Digest x"),))
    answer = only(desk.news())
    assert (answer.status, answer.headers.get("WWW-Authenticate")) == (401, "Digest x")


def test_an_invite_without_a_contact_cannot_become_a_session() -> None:
    desk = Desk()
    desk.ask("INVITE")
    arrived = desk.events[0]
    assert isinstance(arrived, RequestArrived)
    with pytest.raises(RemoteError) as refusal:
        desk.agent.take_invite(arrived, "<sip:us>")
    assert refusal.value.status == 400
    assert desk.agent.sessions == {}


def test_the_first_branch_that_answers_wins_and_the_others_are_ended_once() -> None:
    desk = Desk()
    session, invite = desk.call()
    assert methods(desk.receive(accepted(invite, "one"))) == ["ACK"]
    assert methods(desk.receive(accepted(invite, "two"))) == ["ACK", "BYE"]
    assert methods(desk.receive(accepted(invite, "two"))) == ["ACK"]
    assert methods(desk.receive(accepted(invite, "one"))) == ["ACK"]
    assert [type(event) for event in desk.events] == [Answered]
    assert session.state is SessionState.CONFIRMED


def test_a_peer_that_answers_in_ever_new_names_is_let_go_only_so_often() -> None:
    desk = Desk()
    _, invite = desk.call()
    desk.receive(accepted(invite, "first"))
    for number in range(200):
        desk.receive(accepted(invite, f"another-{number}"))
    assert len(desk.agent.layer.clients) <= 1 + MOST_EARLY_DIALOGS


def test_requests_follow_the_contact_and_the_record_route() -> None:
    desk = Desk()
    session, invite = desk.call()
    answer = accepted(invite, "one")
    answer.headers.add("Record-Route", "<sip:far;lr>, <sip:near;lr>")
    ack = desk.receive(answer)[0]
    assert isinstance(ack, Request)
    assert ack.uri == "sip:102@192.0.2.9:5070"
    assert ack.headers.list_of("Route") == ["<sip:near;lr>", "<sip:far;lr>"]
    session.end(NOW)
    bye = desk.news()[0]
    assert isinstance(bye, Request)
    assert (bye.uri, str(bye.cseq)) == ("sip:102@192.0.2.9:5070", "2 BYE")


def test_an_answer_whose_contact_is_no_uri_is_acknowledged_and_ended() -> None:
    desk = Desk()
    session, invite = desk.call()
    sent = desk.receive(accepted(invite, "one", contact="nonsense"))
    assert methods(sent) == ["ACK", "BYE"]
    assert all(isinstance(message, Request) and message.uri == invite.uri for message in sent)
    assert methods(desk.receive(accepted(invite, "one", contact="nonsense"))) == ["ACK"]
    (failed,) = desk.events
    assert isinstance(failed, Failed)
    assert failed.status == 502
    assert session.state is SessionState.ENDED


def test_a_request_of_ours_outside_any_dialog_brings_its_answer_or_its_failure() -> None:
    desk = Desk()
    for is_answered in (True, False):
        request = Request("OPTIONS", "sip:102@192.0.2.9", Headers([
            ("From", "<sip:office>;tag=us"), ("To", "<sip:102@office>"),
            ("Call-ID", "probe"), ("CSeq", "1 OPTIONS"),
        ]))  # fmt: skip
        transaction = desk.agent.send_request(request, UDP, NOW, user="probe")
        desk.news()
        if is_answered:
            desk.receive(make_response(transaction.request, 200, to_tag="x"))
        else:
            desk.agent.advance(NOW + 33)
            desk.news()
    assert [type(event) for event in desk.events] == [ResponseArrived, RequestFailed]


def test_a_dead_flow_fails_its_calls_with_503() -> None:
    desk = Desk()
    desk.call()
    desk.agent.fail_flow(UDP, NOW)
    desk.news()
    assert [event.status for event in desk.events if isinstance(event, Failed)] == [503]
    assert desk.agent.sessions == {}


def test_requests_out_of_order_in_a_dialog_get_500() -> None:
    desk = Desk()
    session, invite = desk.call()
    desk.receive(accepted(invite, "one"))
    dialog = {
        "From": "<sip:102@office>;tag=one",
        "To": f"<sip:101@office>;tag={session.local_tag}",
        "Call-ID": invite.call_id,
    }
    assert methods(desk.ask("OPTIONS", CSeq="5 OPTIONS", **dialog)) == [200]
    assert methods(desk.ask("OPTIONS", CSeq="4 OPTIONS", **dialog)) == [500]
    stranger = dialog | {"From": "<sip:102@office>;tag=other"}
    assert methods(desk.ask("BYE", CSeq="6 BYE", **stranger)) == [481]
    assert methods(desk.ask("BYE", CSeq="6 BYE", **dialog)) == [200]
    assert session.state is SessionState.ENDED


def test_a_cancel_after_the_end_is_answered_with_the_tag_of_the_call() -> None:
    desk = Desk()
    desk.ask("INVITE", Contact="<sip:101@192.0.2.9>")
    arrived = desk.events[0]
    assert isinstance(arrived, RequestArrived)
    session = desk.agent.take_invite(arrived, "<sip:102@192.0.2.1>")
    session.reject(NOW, 486)
    refused = only(desk.news())
    assert arrived.transaction.user is None
    via = arrived.request.headers.get("Via") or ""
    answer = only(desk.ask("CANCEL", Via=via))
    assert (answer.status, answer.to_tag) == (200, refused.to_tag)


def test_an_answered_call_keeps_no_more_of_its_invite_than_the_bytes() -> None:
    desk = Desk()
    session, invite = desk.call()
    transaction = next(iter(desk.agent.layer.clients.values()))
    assert transaction.request is transaction.request
    desk.receive(accepted(invite, "one"))
    assert session.state is SessionState.CONFIRMED
    assert transaction.request is not transaction.request
    assert transaction.request.encode() == invite.encode() == transaction.data


@pytest.mark.parametrize(("method", "status"), [("INVITE", 407), ("REGISTER", 401)])
def test_a_challenge_is_sent_once_and_leaves_nothing_behind(method: str, status: int) -> None:
    desk = Desk()
    answers = []
    for _ in range(2):  # a request that comes again, its answer lost, is challenged again
        assert desk.ask(method, Via="SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKsame") == []
        arrived = desk.events.pop()
        assert isinstance(arrived, RequestArrived)
        desk.agent.answer_stranger(arrived, status, NOW, (("WWW-Authenticate", "Digest"),))
        answers += desk.news()
        assert not desk.agent.layer.servers
        assert not len(desk.agent.layer.book)
    first, second = answers
    assert isinstance(first, Response)
    assert first.status == status
    assert first.headers.get("To") == second.headers.get("To")


@pytest.mark.parametrize(
    ("method", "fields", "status"),
    [
        ("OPTIONS", {}, 200),
        ("PUBLISH", {}, 405),
        ("JUGGLE", {}, 501),
        ("BYE", {}, 481),
        ("CANCEL", {}, 481),
        ("INVITE", {"To": "<sip:102@office>;tag=gone"}, 481),
        ("BYE", {"To": "<sip:102@office>;tag=gone"}, 481),
        ("INVITE", {"To": "<sip:102@office>;tag=gone", "Require": "juggling"}, 420),
    ],
)
def test_what_anybody_may_ask_leaves_nothing_behind(method: str, fields: dict[str, str], status: int) -> None:
    desk = Desk()
    first, second = (
        only(desk.ask(method, Via="SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKsame", **fields)) for _ in range(2)
    )
    assert first.status == status
    assert first.encode() == second.encode()
    assert not desk.agent.layer.servers
    assert not len(desk.agent.layer.book)


@pytest.mark.parametrize(
    ("sent_by", "port"),
    [
        ("192.0.2.9:5062;branch=z9hG4bK1", 5062),
        ("192.0.2.9;branch=z9hG4bK1", 5060),
        ("192.0.2.9:49152;branch=z9hG4bK1", 49152),
        ("192.0.2.9:5062;branch=z9hG4bK1;rport", 49152),
        ("10.0.0.7:5062;branch=z9hG4bK1", 49152),
        ("phone.example:5062;branch=z9hG4bK1", 49152),
    ],
)
@pytest.mark.parametrize(("method", "is_sound"), [("OPTIONS", True), ("REGISTER", True), ("OPTIONS", False)])
def test_a_phone_that_sends_from_another_port_than_it_listens_at_is_answered_where_it_listens(
    sent_by: str, port: int, method: str, is_sound: bool
) -> None:
    desk, came_by = Desk(), Flow("UDP", "192.0.2.1", 5060, "192.0.2.9", 49152)
    head = f"{method} sip:office SIP/2.0\r\nVia: SIP/2.0/UDP {sent_by}\r\nFrom: <sip:101@office>;tag=1\r\n"
    cseq = f"1 {method}" if is_sound else "one"
    desk.agent.receive(f"{head}To: <sip:101@office>\r\nCall-ID: 1\r\nCSeq: {cseq}\r\n\r\n".encode(), came_by, NOW)
    (output,) = desk.agent.take_outputs(NOW)
    assert isinstance(output, (Send, RequestArrived))
    assert output.flow == Flow("UDP", "192.0.2.1", 5060, "192.0.2.9", port)


def test_over_a_connection_the_answer_takes_the_same_way_whatever_the_via_says() -> None:
    desk, came_by = Desk(), Flow("TCP", "192.0.2.1", 5060, "192.0.2.9", 49152)
    request = (
        b"OPTIONS sip:office SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.9:5062;branch=z9hG4bK1\r\n"
        b"From: <sip:101@office>;tag=1\r\nTo: <sip:101@office>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n"
    )
    desk.agent.receive(request, came_by, NOW)
    (output,) = desk.agent.take_outputs(NOW)
    assert isinstance(output, Send)
    assert output.flow is came_by


@pytest.mark.parametrize(
    ("method", "name"),
    [("INVITE", "Accept"), *product(("INVITE", "REGISTER", "OPTIONS", "BYE"), ("Require", "Proxy_Require"))],
)
def test_a_list_that_cannot_be_read_is_refused_and_leaves_nothing_behind(method: str, name: str) -> None:
    desk = Desk()
    assert only(desk.ask(method, **{name: "<,a"})).status == 400
    assert not desk.events
    assert not desk.agent.layer.servers
    assert not len(desk.agent.layer.book)


@pytest.mark.parametrize("field", ["Call-ID", "To", "CSeq"])
def test_an_ack_that_cannot_be_read_is_no_failure_of_ours(field: str) -> None:
    desk = Desk()
    via = "SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKsame"
    desk.ask("INVITE", Via=via, Contact="<sip:101@192.0.2.9>")
    arrived = desk.events.pop()
    assert isinstance(arrived, RequestArrived)
    session = desk.agent.take_invite(arrived, "<sip:102@192.0.2.1>")
    session.answer(NOW, b"v=0")
    answer = only(desk.news())
    ack = Request("ACK", "sip:office", Headers([("Via", via), ("From", "<sip:101@office>;tag=caller")]))
    for name in ("Call-ID", "To"):
        ack.headers.add(name, answer.headers.get(name) or "")
    ack.headers.add("CSeq", "1 ACK")
    ack.headers.remove(field)
    assert desk.receive(ack) == []
    assert session.state is SessionState.ANSWERED
