"""SIP URIs and name addresses, with the cases of RFC 3261 section 19.1, RFC 4475 and RFC 5118."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import RemoteError
from engine.sip.uri import (
    _USUAL_ADDRESS,
    NameAddress,
    OtherUri,
    SipUri,
    check_address,
    parse_params,
    parse_uri,
    quoted_string,
    same_uri,
    split_list,
    write_params,
)


def test_every_part_of_a_uri_is_read() -> None:
    uri = SipUri.parse("SIPS:alice:secret@Example.COM:5061;Transport=TCP;LR?Subject=hi%20there&Priority=urgent")
    assert uri == SipUri(
        scheme="sips",
        user="alice",
        host="example.com",
        port=5061,
        params=(("transport", "TCP"), ("lr", None)),
        headers=(("Subject", "hi there"), ("Priority", "urgent")),
        password="secret",
    )
    assert uri.param("transport") == "TCP"
    assert uri.param("lr") == ""
    assert uri.param("maddr") is None
    assert str(uri) == "sips:alice:secret@example.com:5061;transport=TCP;lr?Subject=hi%20there&Priority=urgent"


def test_a_uri_needs_no_user() -> None:
    assert SipUri.parse("sip:example.com:5070") == SipUri("sip", None, "example.com", 5070)
    assert SipUri.parse("sip:@example.com").user == ""


def test_escapes_are_decoded_for_comparison_and_written_again() -> None:
    uri = SipUri.parse("sip:sips%3Auser%40example.com@example.net")
    assert (uri.scheme, uri.user, uri.host) == ("sip", "sips:user@example.com", "example.net")
    assert str(uri) == "sip:sips%3Auser%40example.com@example.net"
    assert same_uri(SipUri.parse("sip:%75se%72@example.com"), SipUri.parse("sip:user@example.com"))
    contact = SipUri.parse("sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31")
    assert contact.params == (("lr", None), ("name", "value%41"))
    assert str(contact) == "sip:caller@host5.example.net;lr;name=value%2541"


def test_escaped_nulls_and_bytes_that_are_no_text_survive() -> None:
    one, two = SipUri.parse("sip:%00@host5.example.com"), SipUri.parse("sip:%00%00@host5.example.com")
    assert one != two
    assert str(one) == "sip:%00@host5.example.com"
    assert str(SipUri.parse("sip:%ff%E4@example.com")) == "sip:%FF%E4@example.com"


def test_a_user_may_hold_semicolons_and_question_marks() -> None:
    uri = SipUri.parse("sip:user;par=u%40example.net@example.com")
    assert (uri.user, uri.params) == ("user;par=u@example.net", ())
    odd = "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
    password = "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"
    uri = SipUri.parse(f"sip:{odd}:{password}@example.com")
    assert (uri.user, uri.password) == (odd, password)
    assert str(uri) == f"sip:{odd}:{password}@example.com"


def test_feature_codes_with_a_raw_hash_are_understood() -> None:
    uri = SipUri.parse("sip:*74#@192.0.2.1")
    assert uri.user == "*74#"
    assert str(uri) == "sip:*74%23@192.0.2.1"


@pytest.mark.parametrize(
    ("text", "host", "port", "written"),
    [
        ("sip:user@[2001:DB8::10]", "2001:db8::10", None, "sip:user@[2001:db8::10]"),
        ("sip:[2001:db8::10:5070]", "2001:db8::10:5070", None, "sip:[2001:db8::10:5070]"),
        ("sip:[2001:db8::10]:5070", "2001:db8::10", 5070, "sip:[2001:db8::10]:5070"),
        ("sip:user@[2001:db8:::192.0.2.1]", "2001:db8::c000:201", None, "sip:user@[2001:db8::c000:201]"),
        ("sip:user@[2001:db8::192.0.2.1]", "2001:db8::c000:201", None, "sip:user@[2001:db8::c000:201]"),
        ("sip:[::FFFF:192.0.2.10]", "::ffff:192.0.2.10", None, "sip:[::ffff:192.0.2.10]"),
    ],
)
def test_ipv6_references_are_read_and_written(text: str, host: str, port: int | None, written: str) -> None:
    uri = SipUri.parse(text)
    assert (uri.host, uri.port, str(uri)) == (host, port, written)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sip:",
        "alice",
        "sip:user@",
        "<sip:user@example.com>",
        "sip:user@example.com; lr",
        " sip:user@example.com",
        "sip:user@example.com\n",
        "sip:2001:db8::10",
        "sip:[2001:db8::10",
        "sip:[2001:db8::10::1]",
        "sip:[fe80::1%25eth0]",
        "sip:[192.0.2.1]",
        "sip:user@example.com:0",
        "sip:user@example.com:65536",
        "sip:user@example.com:x",
        "sip:user@example.com;;lr",
        "sip:user@example.com;=x",
        "sip:us%4@example.com",
        "sip:us%zz@example.com",
        "sip:us er@example.com",
        "1sip:user@example.com",
        'sip:"user"@example.com',
    ],
)
def test_malformed_uris_are_refused_with_400(text: str) -> None:
    with pytest.raises(RemoteError) as refusal:
        parse_uri(text)
    assert refusal.value.status == 400


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ("tel:+49-30-1234;phone-context=example.com", "tel"),
        ("nobodyKnowsThisScheme:totallyopaquecontent", "nobodyknowsthisscheme"),
        ("soap.beep://192.0.2.103:3002", "soap.beep"),
        ("name:John_Smith", "name"),
    ],
)
def test_other_schemes_are_kept_opaque_and_are_no_sip_uris(text: str, scheme: str) -> None:
    uri = parse_uri(text)
    assert isinstance(uri, OtherUri)
    assert uri.scheme == scheme
    assert str(uri).partition(":")[2] == text.partition(":")[2]
    with pytest.raises(RemoteError) as refusal:
        SipUri.parse(text)
    assert refusal.value.status == 416


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("sip:bob@[2001:db8:0:0::1]", "sip:bob@[2001:DB8::1]"),
        ("tel:+1", "TEL:+1"),
    ],
)
def test_uris_of_rfc_3261_that_are_equal(one: str, other: str) -> None:
    assert same_uri(parse_uri(one), parse_uri(other))
    assert same_uri(parse_uri(other), parse_uri(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=off", "sip:carol@chicago.com;security=on"),
        ("sip:carol@chicago.com", "sips:carol@chicago.com"),
        ("sip:carol@chicago.com;maddr=192.0.2.1", "sip:carol@chicago.com"),
        ("sip:carol:x@chicago.com", "sip:carol@chicago.com"),
        ("sip:+1@chicago.com", "tel:+1"),
    ],
)
def test_uris_of_rfc_3261_that_differ(one: str, other: str) -> None:
    assert not same_uri(parse_uri(one), parse_uri(other))
    assert not same_uri(parse_uri(other), parse_uri(one))


@pytest.mark.parametrize(
    ("text", "display", "uri", "params"),
    [
        ("sip:bob@biloxi.com", None, "sip:bob@biloxi.com", ()),
        ("sip:bob@biloxi.com;tag=a48s", None, "sip:bob@biloxi.com", (("tag", "a48s"),)),
        ("<sip:bob@biloxi.com;lr>;tag=1;q=0.7", None, "sip:bob@biloxi.com;lr", (("tag", "1"), ("q", "0.7"))),
        ("caller<sip:caller@example.com>;tag=323", "caller", "sip:caller@example.com", (("tag", "323"),)),
        ("A. G. Bell <sip:agb@bell.com>", "A. G. Bell", "sip:agb@bell.com", ()),
        ('"J Rosenberg \\\\\\""       <sip:jdrosen@example.com>', 'J Rosenberg \\"', "sip:jdrosen@example.com", ()),
        ('"Watson, Thomas" <sip:t@example.org>', "Watson, Thomas", "sip:t@example.org", ()),
        ('"" <sip:t@example.org>', "", "sip:t@example.org", ()),
        ("%Z%45 <sip:resource@example.com>", "%Z%45", "sip:resource@example.com", ()),
        ("Müller <sip:m@example.org>", "Müller", "sip:m@example.org", ()),
        (
            '<sip:a@b>;+sip.instance="<urn:uuid:1>"; expires = 60',
            None,
            "sip:a@b",
            (("+sip.instance", "<urn:uuid:1>"), ("expires", "60")),
        ),
        ("<tel:+4930>;tag=x", None, "tel:+4930", (("tag", "x"),)),
    ],
)
def test_name_addresses_are_read(text: str, display: str | None, uri: str, params: object) -> None:
    address = NameAddress.parse(text)
    assert (address.display, str(address.uri), address.params) == (display, uri, params)
    assert NameAddress.parse(str(address)) == address
    check_address(text)
    check_address(str(address))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        '"Mr. J. User <sip:j.user@example.com>',
        '"Watson, Thomas" < sip:t.watson@example.org >',
        "Bell, Alexander <sip:a.g.bell@example.com>;tag=43",
        "sip:user@example.com?Route=%3Csip:sip.example.com%3E",
        "sip:user@example.com,sip:other@example.com",
        '"Joe" <sip:joe@example.org>;;;;',
        "<sip:joe@example.org>;tag=a b",
        "<sip:joe@example.org",
        "<sip:joe@example.org>junk",
        "\x07 <sip:joe@example.org>",
    ],
)
def test_malformed_addresses_are_refused_with_400(text: str) -> None:
    for read in (NameAddress.parse, check_address):
        with pytest.raises(RemoteError) as refusal:
            read(text)
        assert refusal.value.status == 400


def test_headers_inside_angle_brackets_belong_to_the_uri() -> None:
    contact = NameAddress.parse("<sip:user@example.com?Route=%3Csip:sip.example.com%3E>")
    assert isinstance(contact.uri, SipUri)
    assert contact.uri.headers == (("Route", "<sip:sip.example.com>"),)


def test_a_tag_is_set_in_place_of_the_old_one() -> None:
    address = NameAddress.parse("Bob <sip:bob@biloxi.com>;tag=1;x=y")
    assert address.tag == "1"
    assert str(address.with_param("tag", "2")) == '"Bob" <sip:bob@biloxi.com>;x=y;tag=2'
    assert NameAddress.parse("<sip:bob@biloxi.com>").tag is None


def test_a_display_name_cannot_smuggle_a_header() -> None:
    address = NameAddress(SipUri("sip", "a", "b"), display='Eve"\r\nRoute: <sip:evil>')
    assert str(address) == '"Eve\\" Route: <sip:evil>" <sip:a@b>'


def test_feature_tags_are_written_in_quotes() -> None:
    params = parse_params(';+sip.audio="TRUE";expires="60";ob;received=2001:db8::1')
    assert write_params(params) == ';+sip.audio="TRUE";expires=60;ob;received=2001:db8::1'


@pytest.mark.parametrize(
    ("value", "elements"),
    [
        ("", []),
        (" , ,", []),
        ("INVITE", ["INVITE"]),
        ("INVITE, ACK ,,BYE", ["INVITE", "ACK", "BYE"]),
        ('"a,b" <sip:x,y@h>;p="c,\\"d", <sip:z@h>', ['"a,b" <sip:x,y@h>;p="c,\\"d"', "<sip:z@h>"]),
    ],
)
def test_lists_split_at_commas_outside_quotes_and_brackets(value: str, elements: list[str]) -> None:
    assert split_list(value) == elements


@pytest.mark.parametrize("value", ['a, "b', "a, <sip:b", '"a, b'])
def test_a_list_with_an_open_quote_is_refused(value: str) -> None:
    with pytest.raises(RemoteError):
        split_list(value)


@pytest.mark.parametrize("text", [";;", "x", ";a=b c", ";=x", ';a="b', ";a b"])
def test_malformed_parameters_are_refused(text: str) -> None:
    with pytest.raises(RemoteError):
        parse_params(text)


TEXT = st.text(min_size=1, max_size=20)
NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
HOSTS = st.one_of(
    st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,10}[a-z0-9])?", fullmatch=True),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda address: SipUri.parse(f"sip:[{address}]").host),
)
URIS = st.builds(
    SipUri,
    scheme=st.sampled_from(["sip", "sips"]),
    user=TEXT,
    host=HOSTS,
    port=st.none() | st.integers(1, 65535),
    params=st.lists(st.tuples(NAMES, st.none() | TEXT), max_size=3).map(tuple),
    headers=st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple),
    password=st.none() | TEXT,
)
ADDRESSES = st.builds(
    NameAddress,
    uri=URIS,
    display=st.none() | st.text(alphabet=st.characters(exclude_characters="\r\n"), max_size=20),
    params=st.lists(
        st.tuples(NAMES, st.none() | st.text(alphabet=st.characters(exclude_characters="\r\n"), max_size=9)),
        max_size=3,
    ).map(tuple),
)


@given(URIS)
def test_what_a_uri_writes_it_reads_back(uri: SipUri) -> None:
    assert SipUri.parse(str(uri)) == uri
    assert same_uri(uri, SipUri.parse(str(uri)))


@given(ADDRESSES)
def test_what_an_address_writes_it_reads_back(address: NameAddress) -> None:
    written = str(address)
    assert NameAddress.parse(written) == address
    assert split_list(f"{written}, {written}") == [written, written]


@given(st.text(alphabet=st.sampled_from('sip:@[]<>;=,?"\\% \tab1*\r\n\x00é'), max_size=40) | st.text())
def test_random_text_raises_nothing_but_remote_errors(text: str) -> None:
    for read in (parse_uri, NameAddress.parse, split_list, parse_params, SipUri.parse):
        for attempt in (text, f"sip:{text}"):
            with suppress(RemoteError):
                str(read(attempt))
    assert "\r" not in quoted_string(text)
    assert "\n" not in quoted_string(text)


@given(st.from_regex(_USUAL_ADDRESS, fullmatch=True))
def test_the_quick_check_lets_nothing_pass_that_cannot_be_read(text: str) -> None:
    NameAddress.parse(text)
