"""Digest authentication against the vectors of RFC 2617 and RFC 7616, and the life of a nonce."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import LocalError, RemoteError
from engine.sip.digest import (
    Algorithm,
    Challenge,
    Credentials,
    Secrets,
    Verdict,
    answer_challenge,
    choose_challenge,
    credentials_for,
    matches,
    parse_credentials,
    verify,
)
from engine.sip.nonce import NonceBook

RFC_2617 = Secrets.of("Mufasa", "testrealm@host.com", "Circle Of Life")
RFC_7616 = Secrets.of("Mufasa", "http-auth@example.org", "Circle of Life")
ALICE = Secrets.of("101", "office", "wonderland")
URI = "sip:102@192.0.2.1"


def a_book(limit: int = 10_000) -> NonceBook:
    return NonceBook(b"0123456789abcdef", lifetime_s=60, limit=limit)


def a_login(
    nonce: str, *, algorithm: Algorithm = Algorithm.SHA256, uri: str = URI, count: int = 1, qop: bool = True
) -> Credentials:
    challenge = Challenge("office", nonce, algorithm, qop=("auth",) if qop else ())
    value = answer_challenge(
        challenge, method="INVITE", uri=uri, user="101", secrets=ALICE, cnonce="c0ffee", nonce_count=count
    )
    credentials = parse_credentials(value)
    assert credentials is not None
    return credentials


def judge(credentials: Credentials, book: NonceBook, now: float = 1001.0, **changes: object) -> Verdict:
    arguments: dict[str, object] = {"method": "INVITE", "request_uri": URI, "secrets": ALICE} | changes
    return verify(credentials, book=book, now=now, **arguments)  # type: ignore[arg-type]


def test_the_answer_of_rfc_2617_is_given_and_accepted() -> None:
    value = answer_challenge(
        Challenge(
            "testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"
        ),
        method="GET",
        uri="/dir/index.html",
        user="Mufasa",
        secrets=RFC_2617,
        cnonce="0a4f113b",
    )
    assert 'response="6629fae49393a05397450978507c4ef1"' in value
    assert 'opaque="5ccc069c403ebaf9f0171e9517f40e41"' in value
    assert "nc=00000001" in value
    credentials = parse_credentials(value)
    assert credentials is not None
    assert matches(credentials, "GET", RFC_2617)
    assert not matches(credentials, "POST", RFC_2617)


def test_the_answer_without_qop_is_that_of_rfc_2069() -> None:
    challenge = Challenge("testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093", qop=())
    value = answer_challenge(
        challenge, method="GET", uri="/dir/index.html", user="Mufasa", secrets=RFC_2617, cnonce="unused"
    )
    assert 'response="670fd8c2df070c60b045671b8b24ff02"' in value
    assert "cnonce" not in value


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_credentials_of_rfc_7616_are_accepted(algorithm: str, response: str) -> None:
    credentials = parse_credentials(
        'Digest username="Mufasa",\r\n realm="http-auth@example.org",\r\n uri="/dir/index.html",'
        f' algorithm={algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001,'
        ' cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth,'
        f' response="{response}", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )
    assert credentials is not None
    assert credentials.is_sound
    assert matches(credentials, "GET", RFC_7616)
    assert not matches(credentials._replace(username="Scar", nonce="x"), "GET", RFC_7616)
    assert not matches(credentials, "GET", None)


@pytest.mark.parametrize("algorithm", list(Algorithm))
@pytest.mark.parametrize("qop", [True, False])
def test_a_fresh_answer_is_accepted_once(algorithm: Algorithm, qop: bool) -> None:
    book = a_book()
    login = a_login(book.issue(1000.0, b"randomly"), algorithm=algorithm, qop=qop)
    assert judge(login, book) is Verdict.OK
    assert judge(login, book) is Verdict.STALE


def test_a_nonce_serves_many_requests_by_its_count_and_a_few_may_overtake_each_other() -> None:
    book = a_book()
    nonce = book.issue(1000.0, b"randomly")
    for count in (1, 2, 5, 4, 3, 40, 9):
        assert judge(a_login(nonce, count=count), book) is Verdict.OK, count
    for count in (4, 40, 8, 0):
        assert judge(a_login(nonce, count=count), book) is Verdict.STALE, count


def test_an_old_nonce_is_stale_for_whoever_knows_the_password_and_wrong_for_others() -> None:
    book = a_book()
    login = a_login(book.issue(1000.0, b"randomly"))
    assert judge(login, book, now=1060.5) is Verdict.STALE
    assert judge(login._replace(response="0" * 64), book, now=1060.5) is Verdict.WRONG


def test_a_nonce_of_another_process_or_from_the_future_is_stale() -> None:
    book = a_book()
    foreign = NonceBook(b"another-secret-of-another-process").issue(1000.0, b"randomly")
    for nonce in (foreign, book.issue(1002.0, b"randomly"), "", "é" * 52, "zz" * 26, foreign + "00"):
        assert judge(a_login(nonce), book) is Verdict.STALE


def test_wrong_passwords_and_unknown_users_get_the_same_verdict_and_spoil_no_nonce() -> None:
    book = a_book()
    login = a_login(book.issue(1000.0, b"randomly"))
    assert judge(login, book, secrets=None) is Verdict.WRONG
    assert judge(login, book, secrets=Secrets.of("101", "office", "guess")) is Verdict.WRONG
    assert judge(login, book, method="BYE") is Verdict.WRONG
    assert judge(login, book) is Verdict.OK


def test_an_unknown_user_cannot_log_in_with_the_placeholder_secret() -> None:
    placeholder = Secrets("0" * 32, "0" * 64)
    book = a_book()
    nonce = book.issue(1000.0, b"randomly")
    value = answer_challenge(
        Challenge("office", nonce), method="INVITE", uri=URI, user="x", secrets=placeholder, cnonce="c"
    )
    credentials = parse_credentials(value)
    assert credentials is not None
    assert judge(credentials, book, secrets=None) is Verdict.WRONG
    assert not matches(credentials, "INVITE", None)


@pytest.mark.parametrize(
    "uri",
    [
        URI,
        "sip:102@office.example:5060;transport=udp",
        "sips:102@192.0.2.1",
        "sip:%3102@[::1]",
        "sip:192.0.2.1:5060",
    ],
)
def test_phones_may_name_the_same_user_at_another_host_or_the_server_alone(uri: str) -> None:
    book = a_book()
    assert judge(a_login(book.issue(1000.0, b"randomly"), uri=uri), book) is Verdict.OK


@pytest.mark.parametrize("uri", ["sip:0900@192.0.2.1", "tel:102", "102", ""])
def test_a_login_for_another_target_is_refused(uri: str) -> None:
    book = a_book()
    assert judge(a_login(book.issue(1000.0, b"randomly"), uri=uri), book) is Verdict.MALFORMED


@pytest.mark.parametrize(
    "change",
    [
        {"algorithm": None},
        {"qop": "auth-int"},
        {"cnonce": None},
        {"cnonce": ""},
        {"nonce_count": None},
        {"nonce_count": "x"},
        {"nonce_count": "123456789"},
    ],
)
def test_incomplete_credentials_are_malformed(change: dict[str, None]) -> None:
    book = a_book()
    login = a_login(book.issue(1000.0, b"randomly"))._replace(**change)
    assert judge(login, book) is Verdict.MALFORMED


def test_an_algorithm_the_office_no_longer_allows_is_challenged_again() -> None:
    book = a_book()
    login = a_login(book.issue(1000.0, b"randomly"), algorithm=Algorithm.MD5)
    assert judge(login, book, allowed=(Algorithm.SHA256,)) is Verdict.STALE


def test_a_full_book_forgets_the_oldest_and_never_accepts_them_again() -> None:
    book = a_book(limit=3)
    logins = [a_login(book.issue(1000.0 + number, b"randomly")) for number in range(5)]
    for login in logins:
        assert judge(login, book, now=1010.0) is Verdict.OK
    for login in logins:
        assert judge(login, book, now=1010.0) is Verdict.STALE


def test_a_nonce_book_wants_real_randomness() -> None:
    with pytest.raises(LocalError):
        NonceBook(b"short")
    with pytest.raises(LocalError):
        a_book().issue(1000.0, b"")


def test_a_long_run_of_junk_is_refused_in_no_time() -> None:
    with pytest.raises(RemoteError):
        parse_credentials("Digest " + "a" * 60_000)


def test_a_challenge_is_written_and_read_back() -> None:
    challenge = Challenge('the "office"', "abc", Algorithm.SHA256, stale=True, qop=("auth",), opaque="o")
    assert str(challenge) == (
        'Digest realm="the \\"office\\"", nonce="abc", opaque="o", stale=true, algorithm=SHA-256, qop="auth"'
    )
    assert Challenge.parse(str(challenge)) == challenge
    assert Challenge.parse('Digest realm="r", nonce="n"') == Challenge("r", "n", qop=())


def test_the_strongest_challenge_we_can_answer_is_chosen() -> None:
    md5 = 'Digest realm="r", nonce="1", algorithm=MD5, qop="auth,auth-int"'
    sha = 'Digest realm="r", nonce="2", algorithm=SHA-256, qop="auth"'
    unanswerable = [
        'Digest realm="r", nonce="3", algorithm=SHA-512-256',
        'Digest realm="r",nonce="4",qop="auth-int"',
    ]
    chosen = choose_challenge([*unanswerable, "NTLM x", md5, sha])
    assert chosen is not None
    assert chosen.nonce == "2"
    assert choose_challenge(unanswerable) is None
    first = choose_challenge([md5, md5.replace('"1"', '"9"')])
    assert first is not None
    assert first.nonce == "1"


def test_credentials_for_another_realm_or_scheme_are_not_ours() -> None:
    ours = 'Digest username="101", realm="office", nonce="n", uri="sip:a", response="r"'
    values = ["NoOneKnowsThisScheme opaque-data=here", ours.replace("office", "elsewhere"), ours]
    credentials = credentials_for("office", values)
    assert credentials is not None
    assert (credentials.realm, credentials.username) == ("office", "101")
    assert credentials_for("office", values[:2]) is None


def test_credentials_that_cannot_be_read_are_as_none() -> None:
    assert credentials_for("office", ['Digest realm="office', "Digest =", ""]) is None


@pytest.mark.parametrize(
    "value",
    [
        'Digest username="101", realm="office", nonce="n", uri="sip:a"',
        'Digest username="101" realm="office", nonce="n", uri="sip:a", response="r"',
        'Digest username="101", realm="office", nonce="n", uri="sip:a", response="r", response="s"',
        'Digest username="101, realm="office", nonce="n", uri="sip:a", response="r"',
        "Digest =",
    ],
)
def test_malformed_credentials_are_refused_with_400(value: str) -> None:
    with pytest.raises(RemoteError) as refusal:
        parse_credentials(value)
    assert refusal.value.status == 400


@given(st.text() | st.text(alphabet=st.sampled_from('realm="nce,\\ \tuid')))
def test_random_text_raises_nothing_but_remote_errors(text: str) -> None:
    for value in (text, f"Digest {text}", f'Digest realm="r", nonce="n", uri="u", username="u", response="{text}'):
        with suppress(RemoteError):
            credentials = parse_credentials(value)
            if credentials is not None:
                judge(credentials, a_book())
        with suppress(RemoteError):
            Challenge.parse(value)


LINES = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))


@given(LINES, LINES)
def test_any_user_and_realm_can_log_in(user: str, realm: str) -> None:
    secrets = Secrets.of(user, realm, "secret")
    book = a_book()
    challenge = Challenge.parse(str(Challenge(realm, book.issue(1000.0, b"randomly"), Algorithm.SHA256)))
    assert challenge is not None
    value = answer_challenge(challenge, method="INVITE", uri=URI, user=user, secrets=secrets, cnonce="c")
    credentials = credentials_for(realm, [value])
    assert credentials is not None
    assert credentials.username == user
    assert judge(credentials, book, secrets=secrets) is Verdict.OK
