"""The torture messages of RFC 4475 and RFC 5118 thrown at a whole office, by strangers and by its own."""

from __future__ import annotations

import hashlib
from csv import QUOTE_NONE, DictReader

import pytest

from engine.core.errors import RemoteError
from engine.core.views import CallState
from engine.sip.flow import Flow
from engine.sip.framing import Framed, StreamFramer
from engine.sip.message import Request, Response, parse_message, reason_for
from engine.sip.uri import NameAddress, SipUri, parse_uri
from tests.torture import BY_NAME, FOLDER, MISPRINTED, TORTURE, Left, Torture, Verdict, index_names, mended
from tests.unit.pbx.office import OFFICE, MemoryOffice, password_of
from tests.unit.pbx.phone import PORT
from tests.unit.pbx.test_phones_on_tcp import WireListener

STRANGER = "192.0.2.200"
PARAMS = [pytest.param(case, id=case.name) for case in TORTURE]


class Sender:
    """Somebody at an address of their own who sends bytes and keeps the answers."""

    def __init__(self, office: MemoryOffice) -> None:
        self.office = office
        self.answers: list[Response] = []
        office.wire.attach((STRANGER, PORT), self._hear)

    def send(self, data: bytes) -> list[Response]:
        """Throw one datagram; the answers that it brings at once."""
        self.answers.clear()
        self.office.throw(data, Flow("UDP", OFFICE, PORT, STRANGER, PORT))
        return list(self.answers)

    def stream(self, data: bytes) -> tuple[list[Response], Left]:
        """Send bytes over a TCP connection of their own: the answers, and how the connection is left."""
        self.answers.clear()
        framer = StreamFramer()
        framer.feed(data)
        while (item := framer.take()) is not None:
            assert isinstance(item, Framed)
            self.office.throw(item.data, Flow("TCP", OFFICE, PORT, STRANGER, PORT), item.refusal)
            if item.refusal is not None:
                return list(self.answers), Left.LOST
        return list(self.answers), Left.AMID if framer.is_amid_message else Left.READY

    def _hear(self, data: bytes, flow: Flow) -> None:
        message = parse_message(data)
        if isinstance(message, Response):
            self.answers.append(message)


@pytest.fixture
def sender(office: MemoryOffice) -> Sender:
    office.office.endpoint.add_listener(WireListener(office), "TCP")
    return Sender(office)


def dropped(office: MemoryOffice) -> int:
    layer = office.office.agent.layer
    return layer.garbage + layer.ignored_cues


def test_every_message_of_the_index_has_its_case_and_is_the_one_that_was_published() -> None:
    assert sorted(index_names()) == sorted(BY_NAME)
    with (FOLDER / "INDEX.tsv").open(encoding="utf-8") as index:
        for row in DictReader(index, delimiter="\t", quoting=QUOTE_NONE):
            assert hashlib.sha256((FOLDER / row["file"]).read_bytes()).hexdigest() == row["sha256"], row["file"]


@pytest.mark.parametrize(
    "case", [case for case in TORTURE if not case.name.endswith(".dat")], ids=lambda case: case.name
)
def test_the_wire_form_of_an_ipv6_message_is_what_was_printed(case: Torture) -> None:
    printed = (FOLDER / "rfc5118" / case.name).read_bytes()
    assert case.data().replace(b"\r\n", b"\n").strip() == printed.strip()


@pytest.mark.parametrize("case", PARAMS)
def test_a_stranger_gets_the_answer_of_the_table(office: MemoryOffice, sender: Sender, case: Torture) -> None:
    answers = sender.send(case.data())
    if case.verdict is Verdict.DROP:
        assert not answers
        assert dropped(office) == 1
        return
    (answer,) = answers
    assert (answer.status, answer.reason) == (case.answer, case.phrase or reason_for(case.answer))
    for name, value in case.headers:
        assert answer.headers.get(name) == value
    assert answer.headers.get("Via")
    for name in ("From", "To", "Call-ID", "CSeq"):
        assert len(answer.headers.all(name)) <= 1
    assert "To" not in answer.headers or answer.to_tag


@pytest.mark.parametrize("case", PARAMS)
def test_a_stranger_gets_the_answer_of_the_table_over_tcp(
    office: MemoryOffice, sender: Sender, case: Torture
) -> None:
    answers, left = sender.stream(case.data())
    assert tuple(answer.status for answer in answers) == case.stream_answers
    assert left is case.left
    if case.verdict is Verdict.DROP:
        assert dropped(office) == 1
    if case.stream is None and answers:
        assert answers[0].reason == (case.phrase or reason_for(case.answer))


@pytest.mark.parametrize("case", MISPRINTED, ids=lambda case: case.name)
def test_a_misprinted_message_is_accepted_with_the_right_length(sender: Sender, case: Torture) -> None:
    assert [answer.status for answer in sender.send(mended(case))] == [407]
    answers, left = sender.stream(mended(case))
    assert [answer.status for answer in answers] == [407]
    assert left is Left.READY


def test_what_waits_for_its_rest_is_answered_once_that_arrives(sender: Sender) -> None:
    head, mark, body = BY_NAME["clerr.dat"].data().partition(b"\r\n\r\n")
    answers, left = sender.stream(head + mark + body.ljust(9999))
    assert ([answer.status for answer in answers], left) == ([407], Left.READY)


@pytest.mark.parametrize("case", PARAMS)
def test_the_same_message_again_gets_the_same_answer(office: MemoryOffice, sender: Sender, case: Torture) -> None:
    first, again = sender.send(case.data()), sender.send(case.data())
    assert [answer.status for answer in again] == [answer.status for answer in first]
    assert [answer.headers.get("To") for answer in again] == [answer.headers.get("To") for answer in first]


@pytest.mark.parametrize("case", [case for case in TORTURE if case.served], ids=lambda case: case.name)
def test_what_is_accepted_is_served_to_who_knows_the_password(
    office: MemoryOffice, sender: Sender, case: Torture
) -> None:
    request = parse_message(case.data())
    assert isinstance(request, Request)
    if request.method == "REGISTER":
        login = user_of(request.headers.get("To") or "")
        office.has(login)
    else:
        login = "101"
        office.has(login)
        picks_up(office, request.uri)
    final = sender.send(with_login(office, case, sender.send(case.data())[0], login))[-1]
    assert final.status == case.served, final.reason


def user_of(address: str) -> str:
    uri = NameAddress.parse(address).uri
    assert isinstance(uri, SipUri)
    return uri.user or ""


def picks_up(office: MemoryOffice, uri: str) -> None:
    """A phone of the number in ``uri`` that answers every call."""
    number = parse_uri(uri).user  # type: ignore[union-attr]
    assert number
    office.has(number)
    phone = office.phone(uri.partition(":")[2].partition("@")[0], password=password_of(number))
    phone.picks_up = True
    phone.register(user=number)
    office.settle()
    assert phone.last.status == 200


def with_login(office: MemoryOffice, case: Torture, challenge: Response, login: str) -> bytes:
    """The message with the credentials that a challenge asks for."""
    data = case.data()
    request = parse_message(data)
    assert isinstance(request, Request)
    name = "Authorization" if challenge.status == 401 else "Proxy-Authorization"
    value = office.phone(login).credentials(challenge, request, login)
    first, end, rest = data.partition(b"\r\n")
    return first + end + f"{name}: {value}\r\n".encode() + rest


def bound(office: MemoryOffice, sender: Sender, name: str) -> list[str]:
    """The contacts that a REGISTER of the archive leaves."""
    case = BY_NAME[name]
    request = parse_message(case.data())
    login = user_of(request.headers.get("To") or "")
    office.has(login)
    sender.send(with_login(office, case, sender.send(case.data())[0], login))
    return office.contacts(login)


def test_a_parameter_outside_the_angle_brackets_is_no_part_of_the_bound_uri(
    office: MemoryOffice, sender: Sender
) -> None:
    assert bound(office, sender, "cparam01.dat") == ["sip:+19725552222@gw1.example.net"]


def test_a_parameter_inside_the_angle_brackets_is_part_of_the_bound_uri(
    office: MemoryOffice, sender: Sender
) -> None:
    assert bound(office, sender, "cparam02.dat") == ["sip:+19725552222@gw1.example.net;unknownparam"]


def test_an_escaped_header_is_kept_in_the_binding_and_never_acted_on(office: MemoryOffice, sender: Sender) -> None:
    assert bound(office, sender, "regescrt.dat") == ["sip:user@example.com?Route=%3Csip:sip.example.com%3E"]
    (caller,) = office.registered("101")
    caller.call("user")
    office.settle()
    invite = office.wire.last[STRANGER, "INVITE"]
    assert isinstance(invite, Request)
    assert invite.uri == "sip:user@example.com"
    assert "Route" not in invite.headers


def test_a_branch_that_is_only_the_cookie_matches_nobody_elses_request(
    office: MemoryOffice, sender: Sender
) -> None:
    data = BY_NAME["badbranch.dat"].data()
    other = data.replace(b"Call-ID: bad", b"Call-ID: good").replace(b"33242", b"33243")
    assert [answer.call_id[:3] for answer in sender.send(data)] == ["bad"]
    assert [answer.call_id[:3] for answer in sender.send(other)] == ["goo"]


def test_a_call_of_rfc_2543_is_matched_without_a_branch(office: MemoryOffice, sender: Sender) -> None:
    case = BY_NAME["inv2543.dat"]
    invite = parse_message(case.data())
    assert isinstance(invite, Request)
    office.has("101")
    picks_up(office, invite.uri)
    data = with_login(office, case, sender.send(case.data())[0], "101")
    answered = sender.send(data)[-1]
    assert answered.status == 200
    assert sender.send(data) == [], "an INVITE again is absorbed"
    office.advance(1.0)
    resent = office.wire.sent("200", f">{STRANGER}")
    assert resent > 1, "a 200 is resent until its ACK"
    sender.send(
        data.replace(b"INVITE", b"ACK").replace(
            b";user=phone\r\nCall", f";user=phone;tag={answered.to_tag}\r\nCall".encode()
        )
    )
    office.advance(5.0)
    assert office.wire.sent("200", f">{STRANGER}") == resent
    assert office.call.state is CallState.TALKING


def test_a_datagram_is_answered_for_its_first_message_alone(office: MemoryOffice, sender: Sender) -> None:
    answers = sender.send(BY_NAME["dblreq.dat"].data())
    assert [answer.cseq.method for answer in answers] == ["REGISTER"]


def test_no_torture_message_is_read_by_anything_but_remote_errors() -> None:
    for case in TORTURE:
        try:
            message = parse_message(case.data())
        except RemoteError:
            assert case.verdict is not Verdict.ACCEPT
            continue
        assert parse_message(message.encode()).encode() == message.encode()
