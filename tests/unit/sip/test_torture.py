"""The torture messages of RFC 4475 and RFC 5118: what a user agent makes of each."""

from __future__ import annotations

import csv
from itertools import count
from pathlib import Path

import pytest

from engine.core.errors import RemoteError
from engine.sip.agent import UserAgent
from engine.sip.flow import Flow
from engine.sip.headers import canonical_name
from engine.sip.message import Request, Response, parse_message
from engine.sip.sdp import SessionDescription
from engine.sip.transaction.outputs import RequestArrived, Send
from engine.sip.uri import NameAddress, SipUri, parse_uri

FOLDER = Path(__file__).parents[2] / "data" / "torture"
UDP = Flow("UDP", "192.0.2.1", 5060, "192.0.2.9", 5060)

ARRIVES = "arrives"
"""Handed to the office: the registrar and the call decide what the RFC leaves to them."""
DROPPED = "dropped"
"""Counted, never answered: a response that is not ours, or a request with nobody to answer to."""

OUTCOMES: dict[str, str | int] = {
    # RFC 4475 section 3.1.1: valid
    "wsinv.dat": 481,  # it has a To tag of a dialog we do not have
    "intmeth.dat": 501,
    "esc01.dat": ARRIVES,
    "escnull.dat": ARRIVES,
    "esc02.dat": 501,
    "lwsdisp.dat": 200,
    "longreq.dat": ARRIVES,
    "dblreq.dat": ARRIVES,
    "semiuri.dat": 200,
    "transports.dat": 200,
    "mpart01.dat": 405,
    "unreason.dat": DROPPED,
    "noreason.dat": DROPPED,
    # section 3.1.2: invalid
    "badinv01.dat": DROPPED,  # its Via is broken: there is nobody to answer to
    "clerr.dat": 400,
    "ncl.dat": 400,
    "scalar02.dat": 400,
    "scalarlg.dat": DROPPED,
    "quotbal.dat": 400,
    "ltgtruri.dat": 400,
    "lwsruri.dat": 400,
    "lwsstart.dat": 400,
    "trws.dat": 400,
    "escruri.dat": 400,
    "baddate.dat": ARRIVES,  # nothing here reads Date
    "regbadct.dat": ARRIVES,
    "badaspec.dat": 400,
    "baddn.dat": 400,
    "badvers.dat": DROPPED,  # its Via is of version 7.0 too
    "mismatch01.dat": 400,
    "mismatch02.dat": 400,
    "bigcode.dat": DROPPED,
    # sections 3.2 to 3.4
    "badbranch.dat": 200,
    "insuf.dat": DROPPED,
    "unkscm.dat": 416,
    "novelsc.dat": 416,
    "unksm2.dat": ARRIVES,
    "bext01.dat": 420,
    "invut.dat": ARRIVES,
    "regaut01.dat": ARRIVES,
    "multi01.dat": 400,
    "mcl01.dat": 400,
    "bcast.dat": DROPPED,
    "zeromf.dat": 200,
    "cparam01.dat": ARRIVES,
    "cparam02.dat": ARRIVES,
    "regescrt.dat": ARRIVES,
    "sdp01.dat": ARRIVES,
    "inv2543.dat": ARRIVES,
    "test.dat": DROPPED,
    # RFC 5118
    "ipv6-good": ARRIVES,
    "ipv6-bad": 400,
    "port-ambiguous": ARRIVES,
    "port-unambiguous": ARRIVES,
    "via-received-param-with-delim": 481,
    "via-received-param-no-delim": 200,
    "ipv6-in-sdp": 400,  # its Content-Length is wrong as printed
    "mult-ip-in-header": 481,
    "mult-ip-in-sdp": ARRIVES,
    "ipv4-mapped-ipv6": ARRIVES,
    "ipv6-bug-abnf-3-colons": 200,
    "ipv6-correct-abnf-2-colons": 200,
}


def message(name: str) -> bytes:
    """A message of the archive as a datagram; the one whose header is not ended gets its end."""
    path = FOLDER / "rfc4475" / name if name.endswith(".dat") else FOLDER / "rfc5118_wire" / f"{name}.dat"
    data = path.read_bytes()
    return data if name != "baddn.dat" else data + b"\r\n"


def request(name: str) -> Request:
    parsed = parse_message(message(name))
    assert isinstance(parsed, Request)
    return parsed


def addresses(name: str, field: str) -> list[NameAddress]:
    return [NameAddress.parse(value) for value in request(name).headers.list_of(field)]


def an_agent() -> UserAgent:
    numbers = count(1)
    return UserAgent(lambda size: f"{next(numbers):0{2 * size}x}", "test")


def outcome(data: bytes) -> str | int:
    agent = an_agent()
    agent.receive(data, UDP, 1000.0)
    outputs = agent.take_outputs(1000.0)
    if not outputs:
        assert agent.layer.garbage + agent.layer.ignored_cues == 1
        return DROPPED
    assert len(outputs) == 1
    output = outputs[0]
    if isinstance(output, Send):
        answer = parse_message(output.data)
        assert isinstance(answer, Response)
        return answer.status
    assert isinstance(output, RequestArrived)
    return ARRIVES


def test_every_message_of_the_archive_has_an_outcome() -> None:
    with (FOLDER / "INDEX.tsv").open(encoding="utf-8") as index:
        names = [Path(row["file"]).name for row in csv.DictReader(index, delimiter="\t", quoting=csv.QUOTE_NONE)]
    assert sorted(names) == sorted(OUTCOMES)


@pytest.mark.parametrize("name", OUTCOMES)
def test_a_torture_message_meets_its_outcome(name: str) -> None:
    assert outcome(message(name)) == OUTCOMES[name]


@pytest.mark.parametrize("name", OUTCOMES)
def test_a_torture_message_cut_anywhere_or_damaged_crashes_nothing(name: str) -> None:
    data = message(name)
    agent = an_agent()
    for end in range(0, min(len(data), 1500), 11):
        agent.receive(data[:end], UDP, 1000.0)
        agent.receive(data[:end] + b"\0\xff" + data[end + 2 :], UDP, 1000.0)
        agent.receive(data[end:], UDP, 1000.0)
        agent.take_outputs(1000.0)
    agent.advance(2000.0)
    agent.advance(3000.0)
    assert not agent.layer.servers or all(server.request for server in agent.layer.servers.values())


def test_white_space_folding_and_compact_names_are_read() -> None:
    invite = request("wsinv.dat")
    assert (invite.cseq.number, invite.cseq.method) == (9, "INVITE")
    assert invite.headers.get("Max-Forwards") == "0068"
    assert [via.partition(";")[0].replace(" ", "") for via in invite.headers.list_of("Via")] == [
        "SIP/2.0/UDP192.0.2.2",
        "SIP/2.0/TCPspindle.example.com",
        "SIP/2.0/UDP192.168.255.111",
    ]
    assert invite.headers.get(canonical_name("NewFangledHeader")) == "newfangled value continued newfangled value"
    assert invite.headers.get(canonical_name("UnknownHeaderWithUnusualValue")) == ";;,,;;,;"
    sender = addresses("wsinv.dat", "From")[0]
    assert (sender.display, str(sender.uri), sender.tag) == (
        'J Rosenberg \\"',
        "sip:jdrosen@example.com",
        "98asjd8",
    )
    contact = addresses("wsinv.dat", "Contact")[0]
    assert contact.display == 'Quoted string ""'
    assert contact.param("newparam") == "newvalue"
    assert contact.param("secondparam") == ""
    assert contact.param("q") == "0.33"
    assert len(invite.sdp) == 150
    assert SessionDescription.parse(invite.sdp).media[0].port == 49217


def test_unusual_tokens_are_read() -> None:
    odd = request("intmeth.dat")
    assert odd.method == "!interesting-Method0123456789_*+`.%indeed'~"
    to = addresses("intmeth.dat", "To")[0]
    assert to.display == "BEL:\a NUL:\0 DEL:\x7f"
    sender = addresses("intmeth.dat", "From")[0]
    assert sender.display == "token1~` token2'+_ token3*%!.-"
    assert sender.param("fromparam''~+*_!.-%") == "работающий"
    uri = SipUri.parse(odd.uri)
    assert uri.password == "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"


def test_escapes_are_only_escapes_in_uris() -> None:
    assert request("esc02.dat").method == "RE%47IST%45R"
    contacts = [str(contact.uri) for contact in addresses("esc02.dat", "Contact")]
    assert contacts == ["sip:alias1@host1.example.com", "sip:alias3@host3.example.com"]
    nulls = [contact.uri for contact in addresses("escnull.dat", "Contact")]
    assert [uri.user for uri in nulls if isinstance(uri, SipUri)] == ["\0", "\0\0"]
    assert SipUri.parse(request("semiuri.dat").uri).user == "user;par=u@example.net"


def test_only_the_first_of_two_messages_in_a_datagram_is_read() -> None:
    both = request("dblreq.dat")
    assert (both.method, both.body) == ("REGISTER", b"")


def test_a_binary_body_is_kept_octet_by_octet() -> None:
    body = request("mpart01.dat").body
    assert b"\0" in body
    assert message("mpart01.dat").endswith(body)


def test_a_reason_phrase_may_be_anything_or_nothing() -> None:
    unusual, empty = parse_message(message("unreason.dat")), parse_message(message("noreason.dat"))
    assert isinstance(unusual, Response)
    assert isinstance(empty, Response)
    assert unusual.reason.startswith("= 2**3 * 5**2 ")
    assert (empty.status, empty.reason) == (100, "")


def test_contacts_the_registrar_must_refuse_or_may_bind() -> None:
    with pytest.raises(RemoteError):
        addresses("regbadct.dat", "Contact")
    outside, inside = addresses("cparam01.dat", "Contact")[0], addresses("cparam02.dat", "Contact")[0]
    assert (str(outside.uri), outside.param("unknownparam")) == ("sip:+19725552222@gw1.example.net", "")
    assert (str(inside.uri), inside.params) == ("sip:+19725552222@gw1.example.net;unknownparam", ())
    escaped = addresses("regescrt.dat", "Contact")[0].uri
    assert isinstance(escaped, SipUri)
    assert escaped.headers == (("Route", "<sip:sip.example.com>"),)
    assert not isinstance(addresses("unksm2.dat", "To")[0].uri, SipUri)


def test_rfc_2543_invites_have_their_body_up_to_the_end_of_the_datagram() -> None:
    old = request("inv2543.dat")
    assert old.via.branch is None
    assert old.sdp.startswith(b"v=0")
    assert message("inv2543.dat").endswith(old.sdp)


def test_ipv6_addresses_are_read_wherever_they_stand() -> None:
    assert SipUri.parse(request("port-ambiguous").uri) == SipUri("sip", None, "2001:db8::10:5070")
    assert SipUri.parse(request("port-unambiguous").uri) == SipUri("sip", None, "2001:db8::10", 5070)
    assert parse_uri(request("ipv6-bug-abnf-3-colons").uri) == parse_uri(request("ipv6-correct-abnf-2-colons").uri)
    assert [value for name, value in request("via-received-param-no-delim").via.params if name == "received"] == [
        "2001:db8::9:255"
    ]
    both = SessionDescription.parse(request("mult-ip-in-sdp").body)
    assert [both.host_of(line) for line in both.media] == ["192.0.2.1", "2001:db8::1"]
    mapped = SessionDescription.parse(request("ipv4-mapped-ipv6").body)
    assert mapped.host == "::ffff:192.0.2.2"
