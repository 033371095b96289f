"""The torture messages against a running engine, over UDP and TCP: the answers, and an office that goes on."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from engine.sip.digest import Secrets, answer_challenge, choose_challenge
from engine.sip.framing import Framed, StreamFramer
from engine.sip.message import Request, Response, parse_message, reason_for
from tests.live.network import Network
from tests.live.office import SIP_PORT, Office
from tests.torture import MISPRINTED, TORTURE, Left, Torture, mended

LONGEST_WAIT_S = 5.0
NUMBER = "471"


@pytest.fixture(scope="module", autouse=True)
def staff(office: Office) -> None:
    office.extension(NUMBER)


@contextmanager
def udp(office: Office, host: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((host, 0))
        sender.connect((office.host, SIP_PORT))
        sender.settimeout(LONGEST_WAIT_S)
        yield sender


class Stream:
    """One TCP connection to the office, and what is read from it."""

    def __init__(self, office: Office, host: str) -> None:
        self.connection = socket.create_connection((office.host, SIP_PORT), LONGEST_WAIT_S, (host, 0))
        self._framer = StreamFramer()

    def response(self) -> Response | None:
        """The next response; ``None`` when the office closes instead."""
        while (item := self._framer.take()) is None:
            data = self.connection.recv(65535)
            if not data:
                return None
            self._framer.feed(data)
        assert isinstance(item, Framed)
        message = parse_message(item.data)
        assert isinstance(message, Response)
        return message


def question(office: Office, number: int) -> bytes:
    """An OPTIONS that every office answers with 200."""
    return (
        f"OPTIONS sip:{office.address} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKask{number};rport\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:who@127.0.0.1>;tag=a\r\nTo: <sip:{office.address}>\r\n"
        f"Call-ID: ask-{number}\r\nCSeq: {number} OPTIONS\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def answer_of(data: bytes) -> Response:
    message = parse_message(data)
    assert isinstance(message, Response)
    return message


def fresh(data: bytes, mark: str) -> bytes:
    """The message as one that was never sent before: several share a branch, and an engine remembers it."""
    data = re.sub(rb"(?im)^((?:call-id|i) *: *)", rb"\g<1>" + mark.encode(), data)
    return re.sub(rb"(branch *= *)(?!z9hG4bK\r)", rb"\g<1>z9hG4bK" + mark.encode(), data, count=1)


def check_answer(answer: Response, case: Torture) -> None:
    assert (answer.status, answer.reason) == (case.answer, case.phrase or reason_for(case.answer)), case.name
    for name, value in case.headers:
        assert answer.headers.get(name) == value, case.name


def test_every_torture_message_gets_its_answer_over_udp(office: Office, network: Network) -> None:
    for number, case in enumerate(TORTURE):
        with udp(office, network.host()) as sender:
            sender.send(fresh(case.data(), f"u{number}."))
            sender.send(question(office, number + 1))
            answers = [answer_of(sender.recv(65535)) for _ in range(1 + bool(case.answer))]
        *first, asked = answers
        assert (asked.status, asked.call_id) == (200, f"ask-{number + 1}"), case.name
        for answer in first:
            check_answer(answer, case)


def test_every_torture_message_gets_its_answer_over_tcp(office: Office, network: Network) -> None:
    for number, case in enumerate(TORTURE):
        stream = Stream(office, network.host())
        with stream.connection as connection:
            connection.sendall(fresh(case.data(), f"t{number}."))
            for status in case.stream_answers:
                answer = stream.response()
                assert answer is not None, f"{case.name}: closed without an answer"
                assert answer.status == status, case.name
            if case.left is Left.LOST:
                assert stream.response() is None, case.name
            elif case.left is Left.READY:
                connection.sendall(question(office, 1000 + number))
                asked = stream.response()
                assert asked is not None, case.name
                assert (asked.status, asked.call_id) == (200, f"ask-{1000 + number}"), case.name


def test_what_came_in_part_is_answered_when_the_rest_is_there(office: Office, network: Network) -> None:
    for case in MISPRINTED:
        data = fresh(mended(case), f"m-{case.name}.")
        stream = Stream(office, network.host())
        with stream.connection as connection:
            connection.sendall(data[:100])
            connection.sendall(data[100:])
            answer = stream.response()
            assert answer is not None
            assert answer.status == 407, case.name


def test_the_office_has_taken_no_harm(office: Office, network: Network) -> None:
    with udp(office, network.host()) as sender:
        challenge = register(office, sender, 1)
        assert challenge.status == 401
        accepted = register(office, sender, 2, challenge)
    assert accepted.status == 200
    assert [row["extension"] for row in office.json("registration", "list")] == [NUMBER]
    assert office.json("calls") == []
    assert "Traceback" not in office.log()


def register(office: Office, sender: socket.socket, number: int, challenge: Response | None = None) -> Response:
    """One REGISTER, with credentials where a challenge is given."""
    port = sender.getsockname()[1]
    request = Request("REGISTER", f"sip:{office.address}")
    for name, value in (
        ("Via", f"SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKafter{number};rport"),
        ("Max-Forwards", "70"),
        ("From", f"<sip:{NUMBER}@{office.address}>;tag=after"),
        ("To", f"<sip:{NUMBER}@{office.address}>"),
        ("Call-ID", "after the torture"),
        ("CSeq", f"{number} REGISTER"),
        ("Contact", f"<sip:{NUMBER}@127.0.0.1:{port}>"),
    ):
        request.headers.add(name, value)
    if challenge is not None:
        chosen = choose_challenge(challenge.headers.all("WWW-Authenticate"))
        assert chosen is not None
        secrets = Secrets.of(NUMBER, chosen.realm, office.passwords[NUMBER])
        value = answer_challenge(
            chosen, method="REGISTER", uri=request.uri, user=NUMBER, secrets=secrets, cnonce="c"
        )
        request.headers.add("Authorization", value)
    sender.send(request.encode())
    return answer_of(sender.recv(65535))
