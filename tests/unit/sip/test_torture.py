"""The torture messages of RFC 4475 and RFC 5118: what is read in them; what they are answered, see the office."""

from __future__ import annotations

from itertools import count

import pytest

from engine.core.errors import RemoteError
from engine.sip.agent import UserAgent
from engine.sip.flow import Flow
from engine.sip.headers import canonical_name, parse_via
from engine.sip.message import Request, Response, parse_message
from engine.sip.sdp import SessionDescription
from engine.sip.uri import NameAddress, SipUri, parse_uri, same_uri
from tests.torture import BY_NAME

UDP = Flow("UDP", "192.0.2.1", 5060, "192.0.2.9", 5060)


def message(name: str) -> bytes:
    """A message of the archive as a datagram."""
    return BY_NAME[name].data()


def request(name: str) -> Request:
    parsed = parse_message(message(name))
    assert isinstance(parsed, Request)
    return parsed


def addresses(name: str, field: str) -> list[NameAddress]:
    return [NameAddress.parse(value) for value in request(name).headers.list_of(field)]


def an_agent() -> UserAgent:
    numbers = count(1)
    return UserAgent(lambda size: f"{next(numbers):0{2 * size}x}", "test")


@pytest.mark.parametrize("name", BY_NAME)
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


def test_escapes_are_undone_for_comparison_and_the_user_part_is_never_a_uri_of_its_own() -> None:
    invite = request("esc01.dat")
    uri = SipUri.parse(invite.uri)
    assert (uri.scheme, uri.user, uri.host) == ("sip", "sips:user@example.com", "example.net")
    assert str(uri) == invite.uri
    to, contact = addresses("esc01.dat", "To")[0].uri, addresses("esc01.dat", "Contact")[0].uri
    assert same_uri(to, parse_uri("sip:user@example.com"))
    assert isinstance(contact, SipUri)
    assert (contact.user, contact.params) == ("caller", (("lr", None), ("name", "value%41")))


def test_every_transport_is_read_in_a_via() -> None:
    vias = [parse_via(value) for value in request("transports.dat").headers.list_of("Via")]
    assert [via.transport for via in vias] == ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]
    assert [via.host for via in vias] == [f"t{number}.example.com" for number in range(1, 6)]


def test_a_long_request_is_read_whole() -> None:
    long = request("longreq.dat")
    assert len(long.headers.list_of("Via")) == 34
    last = parse_via(long.headers.list_of("Via")[-1])
    assert (last.host, len(last.branch or "")) == ("host.example.com", 215)
    assert len(long.from_tag or "") == 155
    to = addresses("longreq.dat", "To")[0].uri
    assert isinstance(to, SipUri)
    assert (to.port, [name[:12] for name, _ in to.params]) == (
        6000,
        ["unknownparam", "longparamnam", "verylonglong"],
    )


def test_no_space_is_needed_between_a_name_and_its_uri() -> None:
    sender = addresses("lwsdisp.dat", "From")[0]
    assert (sender.display, str(sender.uri)) == ("caller", "sip:caller@example.com")


def test_credentials_of_an_unknown_scheme_are_kept_for_whoever_knows_it() -> None:
    assert request("regaut01.dat").headers.get("Authorization") == "NoOneKnowsThisScheme opaque-data=here"


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
