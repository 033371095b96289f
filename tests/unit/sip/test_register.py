"""What a registrar's answers mean: each row of RFC 3261 section 10.2, and what carriers add."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import RemoteError
from engine.sip.digest import Algorithm, Challenge, Secrets, matches, parse_credentials
from engine.sip.login import Login
from engine.sip.message import Request, Response, make_response, parse_message
from engine.sip.register import Again, Denied, Granted, Outcome, RegisterClient
from engine.sip.uri import NameAddress

USER, PASSWORD, REALM = "line1", "pass1", "carrier"
CONTACT = "sip:token@192.0.2.1:5060"
OURS = ("Contact", f"<{CONTACT}>;expires=300")


def client_of(password: str | None = PASSWORD) -> RegisterClient:
    numbers = count(1)

    def token(size: int) -> str:
        return f"{next(numbers):0{2 * size}x}"

    return RegisterClient(
        registrar="sip:carrier.example",
        address="sip:line1@carrier.example",
        contact_user="token",
        login=Login(USER, password, token) if password is not None else None,
        token=token,
    )


def answer(request: Request, status: int, *fields: tuple[str, str], reason: str | None = None) -> Response:
    response = make_response(request, status, reason, to_tag="t")
    for name, value in fields:
        response.headers.add(name, value)
    read = parse_message(response.encode())
    assert isinstance(read, Response)
    return read


def ask(client: RegisterClient, status: int, *fields: tuple[str, str], reason: str | None = None) -> Outcome:
    """One REGISTER and what its answer means."""
    return client.take(answer(client.request(CONTACT, client.wanted_s), status, *fields, reason=reason))


def challenge(nonce: str = "n1", **changes: object) -> tuple[str, str]:
    return ("WWW-Authenticate", str(Challenge(REALM, nonce)._replace(**changes)))


def test_a_register_says_what_it_must() -> None:
    client = client_of()
    client.fields = (("User-Agent", "Frontdesk"),)
    request = client.request(CONTACT, 3600, ("<sip:proxy.example;lr>",))
    assert request.uri == "sip:carrier.example"
    said = {name: request.headers.get(name) for name in ("Route", "To", "CSeq", "Contact", "Expires", "Supported")}
    assert said == {
        "Route": "<sip:proxy.example;lr>", "To": "<sip:line1@carrier.example>", "CSeq": "1 REGISTER",
        "Contact": f"<{CONTACT}>", "Expires": "3600", "Supported": "path",
    }  # fmt: skip
    assert request.from_tag
    assert request.headers.get("User-Agent") == "Frontdesk"
    assert "Authorization" not in request.headers


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ((OURS,), Granted(300)),
        ((OURS, ("Expires", "60")), Granted(300)),
        ((("Contact", f"<{CONTACT}>"), ("Expires", "60")), Granted(60)),
        ((("Contact", f"<{CONTACT}>"),), Granted(3600)),
        ((("Expires", "90"),), Granted(90)),
        ((), Granted(3600)),
        ((("Contact", "<sip:token@203.0.113.7:40001;rinstance=1>;expires=120"),), Granted(120)),
        ((("Contact", "<sip:other@192.0.2.2>;expires=600"), OURS), Granted(300)),
        ((("Contact", f"<sip:other@192.0.2.2>;expires=600, <{CONTACT}>;expires=30"),), Granted(30)),
        ((("Contact", f"<{CONTACT}>;expires=9999999"),), Granted(86400)),
        ((("Contact", f"<{CONTACT}>;expires=soon"), ("Expires", "77")), Granted(77)),
        ((("Contact", "<sip:other@192.0.2.2>;expires=600"),), Denied(200, "keeps other contacts and not ours")),
        ((("Contact", f"<{CONTACT}>;expires=0"),), Denied(200, "grants no time")),
        ((("Contact", "<<>>, x"), OURS), Granted(300)),
    ],
)  # fmt: skip
def test_what_a_success_grants(fields: tuple[tuple[str, str], ...], outcome: Outcome) -> None:
    assert ask(client_of(), 200, *fields) == outcome


def test_the_ways_that_a_registrar_wants_are_kept() -> None:
    outcome = ask(
        client_of(), 200, OURS, ("Service-Route", "<sip:a;lr>, <sip:b;lr>"), ("Path", "<sip:p;lr>"),
        ("P-Associated-URI", "<sip:+49301@carrier.example>"),
    )  # fmt: skip
    assert outcome == Granted(300, ("<sip:a;lr>", "<sip:b;lr>"), ("<sip:p;lr>",), ("<sip:+49301@carrier.example>",))


@pytest.mark.parametrize("algorithm", list(Algorithm))
@pytest.mark.parametrize("qop", [("auth",), (), ("auth-int", "auth")])
@pytest.mark.parametrize("status", [401, 407])
def test_a_challenge_is_answered(algorithm: Algorithm, qop: tuple[str, ...], status: int) -> None:
    client = client_of()
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    asked = str(Challenge(REALM, "n1", algorithm, qop=qop, opaque="o"))
    assert isinstance(ask(client, status, (name, asked)), Again)
    request = client.request(CONTACT, 3600)
    value = request.headers.get("Authorization" if status == 401 else "Proxy-Authorization")
    assert value
    credentials = parse_credentials(value)
    assert credentials
    assert matches(credentials, "REGISTER", Secrets.of(USER, REALM, PASSWORD))
    assert 'opaque="o"' in value
    assert request.cseq.number == 2


def test_the_stronger_of_two_challenges_is_answered() -> None:
    client = client_of()
    ask(client, 401, challenge(), challenge("n2", algorithm=Algorithm.SHA256))
    value = client.request(CONTACT, 3600).headers.get("Authorization") or ""
    assert "SHA-256" in value


def test_a_proxy_and_a_registrar_may_both_ask() -> None:
    client = client_of()
    assert isinstance(ask(client, 407, ("Proxy-Authenticate", str(Challenge("edge", "p1")))), Again)
    assert isinstance(ask(client, 401, challenge()), Again)
    request = client.request(CONTACT, 3600)
    assert "Authorization" in request.headers
    assert "Proxy-Authorization" in request.headers
    assert client.take(answer(request, 200, OURS)) == Granted(300)


def counts(client: RegisterClient) -> str | None:
    value = client.request(CONTACT, 3600).headers.get("Authorization")
    credentials = parse_credentials(value) if value else None
    return credentials.nonce_count if credentials else None


def test_a_nonce_serves_again_and_counts_on() -> None:
    client = client_of()
    ask(client, 401, challenge())
    assert ask(client, 200, OURS) == Granted(300)
    client.begin()
    assert counts(client) == "00000002"


def test_the_next_nonce_that_a_success_names_is_used() -> None:
    client = client_of()
    ask(client, 401, challenge())
    ask(client, 200, OURS, ("Authentication-Info", 'qop=auth, nextnonce="fresh", nc=00000001'))
    client.begin()
    value = client.request(CONTACT, 3600).headers.get("Authorization") or ""
    assert 'nonce="fresh"' in value
    assert "nc=00000001" in value


def test_an_old_nonce_is_replaced_without_blame() -> None:
    client = client_of()
    ask(client, 401, challenge())
    ask(client, 200, OURS)
    client.begin()
    assert isinstance(ask(client, 401, challenge("n2")), Again), "the first challenge of an attempt blames nobody"
    assert ask(client, 200, OURS) == Granted(300)


def test_stale_means_again_and_a_second_challenge_a_wrong_password() -> None:
    client = client_of()
    assert isinstance(ask(client, 401, challenge()), Again)
    assert isinstance(ask(client, 401, challenge("n2", stale=True)), Again)
    outcome = ask(client, 401, challenge("n3"))
    assert outcome == Denied(401, "Unauthorized", is_login=True)


def test_a_registrar_that_always_says_stale_is_given_up() -> None:
    client = client_of()
    outcomes = [ask(client, 401, challenge(f"n{turn}", stale=True)) for turn in range(6)]
    assert [isinstance(outcome, Again) for outcome in outcomes] == [True] * 5 + [False]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ((), "asks for a login of a kind that is not known"),
        ((("WWW-Authenticate", 'Basic realm="x"'),), "asks for a login of a kind that is not known"),
        ((("WWW-Authenticate", 'Digest realm="x", nonce="n", algorithm=SHA-512-256'),),
         "asks for a login of a kind that is not known"),
        ((("WWW-Authenticate", "Digest realm="),), "Malformed digest parameters"),
    ],
)  # fmt: skip
def test_a_challenge_that_cannot_be_answered(fields: tuple[tuple[str, str], ...], reason: str) -> None:
    assert ask(client_of(), 401, *fields) == Denied(401, reason)


def test_a_line_without_password_cannot_answer() -> None:
    assert ask(client_of(None), 401, challenge()) == Denied(401, "Unauthorized", is_login=True)


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ((("Min-Expires", "7200"),), 7200),
        ((("Min-Expires", "60"),), None),
        ((("Min-Expires", "much"),), None),
        ((("Min-Expires", "999999"),), None),
        ((), None),
    ],
)
def test_an_interval_too_brief_is_made_longer(fields: tuple[tuple[str, str], ...], wanted: int | None) -> None:
    client = client_of()
    outcome = ask(client, 423, *fields)
    assert isinstance(outcome, Again) == (wanted is not None)
    assert client.request(CONTACT, client.wanted_s).headers.get("Expires") == str(wanted or 3600)


INVALID = [
    pytest.param("Invalid CSeq number", (), id="reason phrase"),
    pytest.param("Bad Request", (("P-Registrar-Error", "Invalid CSeq number"),), id="P-Registrar-Error"),
    pytest.param("INVALID CSEQ NUMBER", (), id="in capitals"),
    pytest.param(None, (("p-registrar-error", '"Invalid CSeq number" 17'),), id="among other words"),
]


@pytest.mark.parametrize(("reason", "fields"), INVALID)
def test_an_invalid_cseq_is_healed_by_a_call_id_of_its_own(
    reason: str | None, fields: tuple[tuple[str, str], ...]
) -> None:
    client = client_of()
    first = client.request(CONTACT, 3600)
    client.take(answer(first, 401, challenge()))
    second = client.request(CONTACT, 3600)
    assert second.call_id == first.call_id
    assert isinstance(client.take(answer(second, 400, *fields, reason=reason)), Again)
    third = client.request(CONTACT, 3600)
    assert third.call_id != first.call_id
    assert third.from_tag != first.from_tag
    assert not client.needs_new_call_id, "it has not helped yet"
    assert client.take(answer(third, 200, OURS)) == Granted(300)
    assert client.needs_new_call_id
    client.begin()
    refresh = client.request(CONTACT, 3600)
    assert refresh.call_id not in (first.call_id, third.call_id)
    assert client.request(CONTACT, 0).call_id != refresh.call_id, "the de-registration, too"


@pytest.mark.parametrize(("reason", "fields"), INVALID)
def test_it_is_tried_once(reason: str | None, fields: tuple[tuple[str, str], ...]) -> None:
    client = client_of()
    assert isinstance(ask(client, 400, *fields, reason=reason), Again)
    outcome = ask(client, 400, *fields, reason=reason)
    assert isinstance(outcome, Denied)
    assert "invalid cseq number" in outcome.reason.lower()
    assert not client.needs_new_call_id


def test_after_the_healing_the_carrier_may_ask_anew() -> None:
    client = client_of()
    ask(client, 401, challenge())
    ask(client, 400, reason="Invalid CSeq number")
    assert isinstance(ask(client, 401, challenge("n2")), Again)
    assert ask(client, 200, OURS) == Granted(300)


def test_the_switch_gives_each_register_its_own_call_id() -> None:
    client = client_of()
    client.wants_new_call_id = True
    requests = [client.request(CONTACT, seconds) for seconds in (3600, 3600, 3600, 0)]
    assert len({request.call_id for request in requests}) == 4
    client.wants_new_call_id = False
    assert client.request(CONTACT, 3600).call_id == requests[-1].call_id


@pytest.mark.parametrize(
    ("status", "fields", "denied"),
    [
        (403, (), Denied(403, "Forbidden", is_login=True)),
        (404, (), Denied(404, "Not Found")),
        (302, (), Denied(302, "Moved Temporarily")),
        (503, (("Retry-After", "120"),), Denied(503, "Service Unavailable", is_server=True, retry_after=120.0)),
        (503, (("Retry-After", "18 (at the dentist);duration=60"),),
         Denied(503, "Service Unavailable", is_server=True, retry_after=18.0)),
        (500, (("Retry-After", "later"),), Denied(500, "Server Internal Error", is_server=True)),
        (408, (), Denied(408, "Request Timeout", is_server=True)),
        (603, (), Denied(603, "Decline")),
        (400, (("P-Registrar-Error", "No such line"),), Denied(400, "Bad Request (No such line)")),
    ],
)  # fmt: skip
def test_what_a_refusal_means(status: int, fields: tuple[tuple[str, str], ...], denied: Denied) -> None:
    assert ask(client_of(), status, *fields) == denied


def test_an_unknown_status_of_a_login_is_our_fault() -> None:
    login = Login(USER, PASSWORD, lambda size: "0" * size)
    response = answer(client_of().request(CONTACT, 1), 401)
    with pytest.raises(RemoteError):
        login.take_challenge(response)


WORDS = st.one_of(
    st.sampled_from([
        f"<{CONTACT}>;expires=60", "*", "<sip:token@h>", '"x', "Digest realm=x", "Digest", "-1", "99999999999", "5",
        'Digest realm="r", nonce="n", qop="auth"', "Invalid CSeq number", ",,,", 'nextnonce="', 'nextnonce="z"',
    ]),
    st.text(st.characters(exclude_characters="\r\n", exclude_categories=("Cs",)), max_size=20),
)  # fmt: skip
NAMES = st.sampled_from([
    "Contact", "Expires", "WWW-Authenticate", "Proxy-Authenticate", "Min-Expires", "Retry-After", "Service-Route",
    "Path", "P-Registrar-Error", "Authentication-Info", "P-Associated-URI",
])  # fmt: skip
ANSWERS = st.tuples(st.integers(200, 699), st.lists(st.tuples(NAMES, WORDS), max_size=5))


@given(st.lists(ANSWERS, max_size=8))
def test_no_answer_is_too_strange(answers: list[tuple[int, list[tuple[str, str]]]]) -> None:
    client = client_of()
    for status, fields in answers:
        outcome = ask(client, status, *((name, text.strip()) for name, text in fields))
        assert isinstance(outcome, Granted | Again | Denied)
        if isinstance(outcome, Granted):
            assert 0 < outcome.seconds <= 86400
            assert all(NameAddress.parse(text) for text in outcome.service_route)
        if not isinstance(outcome, Again):
            client.begin()
