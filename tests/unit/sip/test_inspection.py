"""What a request asks that we cannot do is refused with what we can, and named in the reason phrase."""

from __future__ import annotations

import pytest

from engine.sip.agent import UserAgent
from engine.sip.flow import Flow
from engine.sip.inspection import inspect_request
from engine.sip.message import BadRequestError, Request, Response, parse_message
from engine.sip.transaction.outputs import Send
from engine.sip.validate import MAX_BODY_BYTES, MAX_URI_LENGTH, validate_request

UDP = Flow("UDP", "192.0.2.1", 5060, "192.0.2.9", 5060)
SDP = b"v=0\r\n"


def a_request(
    method: str = "INVITE", uri: str = "sip:102@office", body: bytes = SDP, **fields: str | None
) -> Request:
    """A request that would be served but for ``fields`` (``Content_Type`` …); ``None`` leaves one out."""
    usual: dict[str, str | None] = {
        "Via": "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKx",
        "From": "<sip:101@office>;tag=a",
        "To": "<sip:102@office>",
        "Call-ID": "x",
        "CSeq": f"1 {method}",
        "Contact": "<sip:101@192.0.2.9>",
        "Content-Type": "application/sdp" if body else None,
    }
    request = Request(method, uri, body=body)
    for name, value in (usual | {name.replace("_", "-"): value for name, value in fields.items()}).items():
        if value is not None:
            request.headers.add(name, value)
    return request


@pytest.mark.parametrize(
    ("request_", "status", "reason", "headers"),
    [
        (a_request(uri="http://office"), 416, "Unsupported URI Scheme", {}),
        (a_request(Require="100rel, path"), 420, "Bad Extension", {"Unsupported": "path"}),
        (a_request(Proxy_Require="sec-agree"), 420, "Bad Extension", {"Unsupported": "sec-agree"}),
        (a_request("REGISTER", body=b"", Require="Path, gruu"), 420, "Bad Extension", {"Unsupported": "gruu"}),
        (
            a_request(Content_Type="text/plain"),
            415,
            "Unsupported Media Type text/plain",
            {"Accept": "application/sdp"},
        ),
        (a_request(Content_Type=None), 415, "Body Without Content-Type", {"Accept": "application/sdp"}),
        (
            a_request(Content_Encoding="gzip"),
            415,
            "Unsupported Content-Encoding",
            {"Accept": "application/sdp", "Accept-Encoding": "identity"},
        ),
        (a_request(Content_Disposition="early-session"), 415, "Unsupported Content-Disposition", {}),
        (a_request("OPTIONS", Content_Type="text/plain"), 415, "Unsupported Media Type text/plain", {}),
        (a_request(Accept="text/plain"), 406, "Only application/sdp Can Be Answered", {}),
        (a_request(Accept=""), 406, "Only application/sdp Can Be Answered", {}),
        (a_request(Accept="application/sdp;q=0, */*"), 406, "Only application/sdp Can Be Answered", {}),
    ],
)
def test_what_we_cannot_do_is_refused_and_named(
    request_: Request, status: int, reason: str, headers: dict[str, str]
) -> None:
    refusal = inspect_request(request_)
    assert refusal is not None
    assert (refusal.status, refusal.reason) == (status, reason)
    assert headers.items() <= dict(refusal.headers).items()


@pytest.mark.parametrize(
    "request_",
    [
        a_request(),
        a_request(uri="tel:102"),
        a_request(uri="SIPS:102@office"),
        a_request(body=b""),
        a_request(Content_Type="Application/SDP ; charset=utf-8"),
        a_request(Content_Encoding="identity"),
        a_request(Content_Disposition="session"),
        a_request(Content_Type="text/plain", Content_Disposition="render; handling=optional"),
        a_request(Content_Encoding="gzip", Content_Disposition="x;handling=OPTIONAL"),
        a_request(Accept="text/plain, application/sdp;level=1"),
        a_request(Accept="application/*;q=0.1, text/html"),
        a_request(Accept="*/*"),
        a_request("OPTIONS", body=b"", Accept="text/plain"),
        a_request("REGISTER", body=b"", Require="path"),
        a_request("BYE", Content_Type="application/vnd.of.a.phone"),
        a_request(Require=""),
    ],
)
def test_what_we_can_do_is_let_through(request_: Request) -> None:
    assert inspect_request(request_) is None


@pytest.mark.parametrize(
    ("request_", "status", "reason"),
    [
        (a_request(uri="sip:" + "1" * MAX_URI_LENGTH), 414, "Request-URI Too Long"),
        (a_request(body=bytes(MAX_BODY_BYTES + 1)), 413, "Body Larger Than 32768 Bytes"),
        (a_request(CSeq="1 BYE"), 400, "CSeq Method Differs From Request"),
        (a_request("DANCE", CSeq="1 BYE"), 501, "Not Implemented"),
        (a_request(Max_Forwards="256"), 400, "Bad Max-Forwards"),
        (a_request(From="<sip:101@office>"), 400, "Missing From Tag"),
        (a_request(From="<101>;tag=a"), 400, "From: Malformed URI"),
        (a_request(To=None), 400, "Missing To Header Field"),
        (a_request(uri="sip:"), 400, "Request-URI: Malformed URI"),
        (a_request(uri="sip:a@b?Route=x"), 400, "Headers In Request-URI"),
    ],
)
def test_what_is_wrong_is_named_in_the_reason_phrase(request_: Request, status: int, reason: str) -> None:
    with pytest.raises(BadRequestError) as refusal:
        validate_request(request_)
    assert (refusal.value.status, refusal.value.reason) == (status, reason)


def answers(data: bytes, times: int = 1) -> list[Response]:
    """What an agent sends back for bytes from the wire, which come ``times`` times; it must then hold no state."""
    agent = UserAgent(lambda size: "0" * 2 * size, "test")
    found = []
    for _ in range(times):
        agent.receive(data, UDP, 1000.0)
        for output in agent.take_outputs(1000.0):
            assert isinstance(output, Send)
            answer = parse_message(output.data)
            assert isinstance(answer, Response)
            found.append(answer)
    assert not agent.layer.servers
    assert agent.next_timer() is None
    return found


@pytest.mark.parametrize(
    ("spoiled", "by", "reason"),
    [
        (b"Call-ID: x", b"Call-ID: x\r\nwhat is this", "Bad Header Field"),
        (b"Call-ID: x", b"Call-ID: x\ny", "Bare Line Break In Header"),
        (b"Call-ID: x", b"Call-ID: x\ry", "Bare Line Break In Header"),
        (b";branch=z9hG4bKx", b";;;", "Bad Via Parameter"),
        (b"Contact", b"To: <sip:103@office>\r\nContact", "Several To Header Fields"),
        (b"Call-ID: x\r\n", b"", "Missing Call-ID Header Field"),
    ],
)
def test_a_request_too_broken_to_serve_is_answered_without_keeping_state(
    spoiled: bytes, by: bytes, reason: str
) -> None:
    data = a_request().encode()
    assert spoiled in data
    first, again = answers(data.replace(spoiled, by, 1), times=2)
    assert (first.status, first.reason) == (400, reason)
    assert first.headers.get("To") == again.headers.get("To")
    assert len(first.headers.all("To")) == 1


@pytest.mark.parametrize("method", ["OPTIONS", "INVITE"])
def test_a_refusal_to_a_stranger_keeps_no_state(method: str) -> None:
    (answer,) = answers(a_request(method, Require="x").encode())
    assert answer.status == 420


@pytest.mark.parametrize(
    "data",
    [
        a_request("ACK", From="x").encode(),
        a_request(Via=None, From="x").encode(),
        a_request(Via=None).encode(),
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKx\r\nno header\r\n\r\n",
        b"hello\r\nVia: SIP/2.0/UDP x\r\n\r\n",
        a_request().encode().replace(b"Call-ID", b"Via: SIP/2.0/UDP x\r\n" * 256 + b"Call-ID"),
    ],
)
def test_what_nobody_waits_for_an_answer_to_is_counted_and_dropped(data: bytes) -> None:
    agent = UserAgent(lambda size: "0" * 2 * size, "test")
    agent.receive(data, UDP, 1000.0)
    assert not agent.take_outputs(1000.0)
    assert agent.layer.garbage == 1
