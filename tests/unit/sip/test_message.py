"""Messages: what is written is read back, and what is no message is refused."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import RemoteError
from engine.sip.dialog import contact_of
from engine.sip.headers import Headers, Via, canonical_name, parse_cseq, parse_via, tag_of, via_seen_from
from engine.sip.message import BadRequestError, Request, Response, make_response, parse_message, reason_for

INVITE = (
    b"INVITE sip:102@office SIP/2.0\r\n"
    b"v: SIP/2.0/UDP 192.0.2.9:5062;branch=z9hG4bK1;rport, SIP/2.0/TCP far.example.com;branch=z9hG4bK0\r\n"
    b"f: <sip:101@office>;tag=a\r\nt: <sip:102@office>\r\ni: x@y\r\nCSEQ: 7 INVITE\r\n"
    b"Record-Route: <sip:edge;lr>\r\nk: 100rel,\r\n timer\r\nc: Application/SDP ; x=y\r\nl: 3\r\n\r\nv=0extra"
)


def invite() -> Request:
    parsed = parse_message(INVITE)
    assert isinstance(parsed, Request)
    return parsed


def test_a_request_is_read_with_compact_names_lists_and_folding() -> None:
    request = invite()
    assert (request.method, request.uri, request.body, request.sdp) == ("INVITE", "sip:102@office", b"v=0", b"v=0")
    assert (request.from_tag, request.to_tag, request.call_id, str(request.cseq)) == ("a", None, "x@y", "7 INVITE")
    assert request.via == Via("UDP", "192.0.2.9", 5062, "z9hG4bK1", (("branch", "z9hG4bK1"), ("rport", None)))
    assert len(request.headers.list_of("Via")) == 2
    assert request.headers.tokens("Supported") == {"100rel", "timer"}
    assert "Content-Length" not in request.headers


def test_a_response_copies_what_it_must_and_takes_our_tag() -> None:
    ringing = make_response(invite(), 180, to_tag="b")
    assert [name for name, _ in ringing.headers] == ["Via", "From", "To", "Call-ID", "CSeq", "Record-Route"]
    assert (ringing.to_tag, ringing.reason) == ("b", "Ringing")
    assert "Record-Route" not in make_response(invite(), 486, to_tag="b").headers
    assert make_response(invite(), 200, to_tag="c").to_tag == "c"
    written = parse_message(ringing.encode())
    assert isinstance(written, Response)
    assert (written.status, list(written.headers)) == (180, list(ringing.headers))


def test_a_tag_once_there_is_kept() -> None:
    request = invite()
    request.headers.set("To", "<sip:102@office>;tag=old")
    assert make_response(request, 200, to_tag="new").to_tag == "old"


@pytest.mark.parametrize(
    ("value", "tag"),
    [
        ("sip:a@b;tag=x", "x"),
        ("<sip:a@b;tag=no>", None),
        ('"a;tag=no" <sip:a@b> ; TAG = y ;z', "y"),
        ("<sip:a@b>;nottag=1", None),
    ],
)
def test_the_tag_of_an_address_is_never_taken_from_its_uri_or_name(value: str, tag: str | None) -> None:
    assert tag_of(value) == tag


@pytest.mark.parametrize(
    ("value", "host", "port"),
    [
        ("SIP/2.0/UDP 192.0.2.1", "192.0.2.1", None),
        ("SIP / 2.0 / tls  [2001:db8::9:1] : 5061 ;branch=x", "2001:db8::9:1", 5061),
        ("SIP/2.0/UNKNOWN t4.example.com;ttl=1", "t4.example.com", None),
    ],
)
def test_a_via_is_read_and_written(value: str, host: str, port: int | None) -> None:
    via = parse_via(value)
    assert (via.host, via.port) == (host, port)
    assert parse_via(str(via)) == via


@pytest.mark.parametrize(
    "value",
    [
        "",
        "SIP/2.0/UDP",
        "SIP/2.0 192.0.2.1",
        "SIP/3.0/UDP h",
        "SIP/2.0/UDP h:70000",
        "SIP/2.0/UDP h;;x",
        "SIP/2.0/UDP [::1",
    ],
)
def test_a_broken_via_is_refused(value: str) -> None:
    with pytest.raises(RemoteError):
        parse_via(value)


def test_answers_go_to_where_the_request_really_came_from() -> None:
    asks = parse_via("SIP/2.0/UDP 10.0.0.5:5060;branch=x;rport")
    assert str(via_seen_from(asks, "192.0.2.1", 4711)).endswith(";branch=x;rport=4711;received=192.0.2.1")
    plain = parse_via("SIP/2.0/UDP 192.0.2.1:5060;branch=x")
    assert via_seen_from(plain, "192.0.2.1", 4711) is plain
    lies = parse_via("SIP/2.0/UDP 10.0.0.5;branch=x;received=8.8.8.8")
    assert str(via_seen_from(lies, "192.0.2.1", 4711)) == "SIP/2.0/UDP 10.0.0.5;branch=x;received=192.0.2.1"


@pytest.mark.parametrize("value", ["", "INVITE", "-1 INVITE", "2147483648 INVITE", "1", "² INVITE", "1 IN VITE"])
def test_a_broken_cseq_is_refused(value: str) -> None:
    with pytest.raises(RemoteError):
        parse_cseq(value)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (INVITE.replace(b"l: 3", b"l: 30"), 400),
        (INVITE.replace(b"l: 3", b"l: 3\r\nContent-Length: 4"), 400),
        (INVITE.replace(b"SIP/2.0\r\nv", b"SIP/3.0\r\nv"), 505),
        (INVITE.replace(b"sip:102@office", b"<sip:102@office>"), 400),
        (INVITE.partition(b"\r\n\r\n")[0], 400),
    ],
)
def test_a_request_that_can_be_answered_is_refused_with_what_was_read(data: bytes, status: int) -> None:
    with pytest.raises(BadRequestError) as refusal:
        parse_message(data)
    assert refusal.value.status == status
    assert refusal.value.request.call_id == "x@y"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"hello",
        b"SIP/2.0 99 Low\r\n\r\n",
        b"SIP/2.0 700 High\r\n\r\n",
        b"A B SIP/2.0\r\nno colon\r\n\r\n",
        b"x" * 70000,
    ],
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(RemoteError):
        parse_message(data)


def test_a_line_without_a_colon_is_no_header_even_when_its_name_is_known() -> None:
    Headers.parse(["Via: x"])
    with pytest.raises(RemoteError):
        Headers.parse(["Via"])


def test_headers_are_changed_in_their_place() -> None:
    headers = Headers([("Via", "1"), ("To", "t"), ("Via", "2"), ("From", "f")])
    headers.set("Via", "3")
    assert list(headers) == [("Via", "3"), ("To", "t"), ("From", "f")]
    copy = headers.copy()
    copy.remove("To")
    assert "To" in headers
    assert "To" not in copy


def test_every_status_has_a_reason() -> None:
    assert [reason_for(status) for status in (180, 299, 499, 699, 486)] == [
        "Ringing", "OK", "Bad Request", "Busy Everywhere", "Busy Here",
    ]  # fmt: skip


TOKENS = st.from_regex(r"[A-Za-z0-9.!%*_+`'~-]{1,12}", fullmatch=True)
VALUES = st.text(st.characters(min_codepoint=32, exclude_categories=["Cc", "Cs"]), max_size=30).map(
    lambda text: text.strip(" \t")
)
FIELDS = st.lists(
    st.tuples(TOKENS.map(canonical_name).filter(lambda name: name != "Content-Length"), VALUES), max_size=6
)


@given(TOKENS, st.from_regex(r"[!-;=-~][!-~]{0,20}", fullmatch=True), FIELDS, st.binary(max_size=50))
def test_what_a_request_writes_it_reads_back(
    method: str, uri: str, fields: list[tuple[str, str]], body: bytes
) -> None:
    written = parse_message(Request(method, uri, Headers(fields), body).encode())
    assert isinstance(written, Request)
    assert (written.method, written.uri, list(written.headers), written.body) == (method, uri, fields, body)


@given(st.integers(100, 699), VALUES, FIELDS, st.binary(max_size=50))
def test_what_a_response_writes_it_reads_back(
    status: int, reason: str, fields: list[tuple[str, str]], body: bytes
) -> None:
    written = parse_message(Response(status, reason, Headers(fields), body).encode())
    assert isinstance(written, Response)
    assert (written.status, written.reason, list(written.headers), written.body) == (status, reason, fields, body)


LINES = INVITE.split(b"\r\n")


@given(st.binary() | st.lists(st.sampled_from(LINES) | st.binary(max_size=20), max_size=12).map(b"\r\n".join))
def test_random_bytes_raise_nothing_but_remote_errors(data: bytes) -> None:
    with suppress(RemoteError):
        message = parse_message(data)
        for read in ("via", "cseq", "call_id", "from_tag", "to_tag", "sdp"):
            with suppress(RemoteError):
                getattr(message, read)
        message.encode()
        if isinstance(message, Request):
            make_response(message, 200, to_tag="x").encode()


@pytest.mark.parametrize("contact", [",", "", "<sip:101@192.0.2.1", ", ,"])
def test_a_contact_without_a_uri_is_refused(contact: str) -> None:
    message = Request("INVITE", "sip:102@example.com", Headers([("Contact", contact)]))
    with pytest.raises(RemoteError) as refusal:
        contact_of(message)
    assert refusal.value.status == 400


@pytest.mark.parametrize("contact", ["sip:101@192.0.2.1", "*"])
def test_the_first_contact_counts_and_a_star_is_none(contact: str) -> None:
    message = Request("INVITE", "sip:102@example.com", Headers([("Contact", contact), ("Contact", "<sip:9@h>")]))
    assert contact_of(message) == (None if contact == "*" else contact)
