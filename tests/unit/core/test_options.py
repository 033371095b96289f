"""Addresses and ports are read as people write them, and mistakes are named."""

from __future__ import annotations

import pytest

from engine.core.errors import RefusedError
from engine.core.options import (
    HostPort,
    parse_advertised,
    parse_local_nets,
    parse_media,
    parse_ports,
    parse_resolver,
    split_host,
)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:5070", "127.0.0.1", 5070),
        ("[::1]:5070", "::1", 5070),
        ("[::1]", "::1", 5060),
        ("2001:db8::1", "2001:db8::1", 5060),
        ("pbx.example", "pbx.example", 5060),
        (":0", "", 0),
        ("0.0.0.0:5060", "0.0.0.0", 5060),
        ("[fe80::1%eth0]:5060", "fe80::1%eth0", 5060),
    ],
)
def test_address_is_read_as_people_write_it(text: str, host: str, port: int) -> None:
    assert HostPort.parse(text, 5060) == HostPort(host, port)


@pytest.mark.parametrize(
    "text", ["127.0.0.1:", "127.0.0.1:66000", "127.0.0.1:x", "[::1", "[::1]x", "1.2.3:5060", "a b:1", "::g"]
)
def test_mistaken_address_is_refused(text: str) -> None:
    with pytest.raises(RefusedError):
        HostPort.parse(text, 5060)


def test_address_is_shown_with_brackets_where_needed() -> None:
    assert str(HostPort("::1", 5060)) == "[::1]:5060"
    assert str(HostPort("127.0.0.1", 5060)) == "127.0.0.1:5060"
    assert str(HostPort("", 5060)) == "*:5060"


def test_media_address_may_have_an_advertised_one() -> None:
    assert parse_media("10.0.0.1") == ("10.0.0.1", None)
    assert parse_media("[::1],2001:db8::1") == ("::1", "2001:db8::1")
    for text in ("", "10.0.0.1,", "a b"):
        with pytest.raises(RefusedError):
            parse_media(text)


def test_what_is_advertised_is_a_name_or_an_address_that_can_be_reached() -> None:
    assert parse_advertised("office.example.org") == "office.example.org"
    assert parse_advertised("[2001:db8::1]") == "2001:db8::1"
    for text in ("", "203.0.113.7:5060", "203.0.113", "0.0.0.0", "::", "239.1.1.1", "a b"):
        with pytest.raises(RefusedError):
            parse_advertised(text)


def test_local_networks_are_cidr_and_need_something_to_hide() -> None:
    assert parse_local_nets([], None, None) is None
    assert parse_local_nets(["192.168.1.7/16", "fd00::/8"], "office.test", None) == ("192.168.0.0/16", "fd00::/8")
    assert parse_local_nets(["10.0.0.1"], None, "203.0.113.7") == ("10.0.0.1/32",)
    with pytest.raises(RefusedError, match="--advertise"):
        parse_local_nets(["10.0.0.0/8"], None, None)
    with pytest.raises(RefusedError, match="CIDR"):
        parse_local_nets(["10.0.0.0/40"], "office.test", None)


def test_port_range_needs_room_for_a_call() -> None:
    assert parse_ports("30000-39999") == (30000, 39999)
    for text in ("30000", "a-b", "30000-30001", "40000-30000", "1-65535", "60000-70000"):
        with pytest.raises(RefusedError):
            parse_ports(text)


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.53", HostPort("192.0.2.53", 53)),
        ("192.0.2.53:5353", HostPort("192.0.2.53", 5353)),
        ("[::1]:5353", HostPort("::1", 5353)),
    ],
)
def test_a_name_server_is_given_by_its_address(text: str, server: HostPort) -> None:
    assert parse_resolver(text) == server


@pytest.mark.parametrize("text", ["dns.example", ":53", "192.0.2.53:0", "192.0.2.53:x", ""])
def test_a_name_server_that_cannot_be_asked_is_refused(text: str) -> None:
    with pytest.raises(RefusedError):
        parse_resolver(text)


@pytest.mark.parametrize(
    ("text", "place"),
    [("a.example", ("a.example", None)), ("a.example:5080", ("a.example", 5080)), ("[::1]:5080", ("::1", 5080)),
     ("::1", ("::1", None))],
)  # fmt: skip
def test_a_proxy_is_split_into_host_and_port(text: str, place: tuple[str, int | None]) -> None:
    assert split_host(text) == place
