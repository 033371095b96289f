"""SIP fuzzed: every message is read, written, and thrown at an office that must serve, refuse or drop it."""

from __future__ import annotations

import logging
import re
import time
import zlib
from random import Random

from engine.core.errors import RemoteError
from engine.sip.digest import Challenge, Secrets, answer_challenge
from engine.sip.flow import Flow
from engine.sip.headers import parse_via
from engine.sip.message import Message, Request, parse_message
from engine.sip.uri import NameAddress, parse_uri
from tests.fuzz.campaign import DATA, Campaign, corpus
from tests.fuzz.mutation import Mutator
from tests.unit.pbx.office import OFFICE, REALM, MemoryOffice, password_of
from tests.unit.pbx.phone import PORT

STRANGER = "192.0.2.200"
LONGEST_S = 1.0
"""Of this thread's time on one message of at most 64 KB: far above what the slowest takes, far below a stall."""
MOST_ANSWERS = 3
"""Datagrams that one datagram may cause at once: 100, 180 and a final response."""

WORDS = tuple(
    word.encode()
    for word in (
        "SIP/2.0", "SIP/7.0", "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "UPDATE", "PRACK",
        "NEWMETHOD", "200", "180", "183", "486", "503", "699", "700", "sip:", "sips:", "tel:", "urn:", "*",
        ":::", "[2001:db8::1]", "[::ffff:192.0.2.1]", "z9hG4bK", "tag", ";tag=x", ";branch=z9hG4bK", ";rport",
        ";received=", ";lr", ";q=0.5", ";q=9", ";expires=0", ";expires=99999999999",
        ';+sip.instance="<urn:uuid:1>"', "?Route=%3Csip:x%3E", "Via: SIP/2.0/UDP x;branch=z9hG4bKx",
        "Via: SIP/2.0/TCP [::1]:99999", "v: SIP / 2.0 / UDP a : 1 ;;", "Max-Forwards: 0", "Max-Forwards: 256",
        "Content-Length: 0", "Content-Length: -1", "l: 9999", "l: 5, 5", "Contact: *", "m: <tel:1>",
        "Contact: <sip:a@b>, <sip:c@d>;q=0.1", "Expires: 0", "Expires: 1", "Require: path",
        "Require: 100rel, x", "Proxy-Require: x", "Supported: path", "Path: <sip:p;lr>",
        "Record-Route: <sip:r;lr>", "Route: <sip:r>", "Content-Type: text/plain", "c: application/sdp",
        "Content-Encoding: gzip", "Accept: text/plain", "Accept:", "To: <sip:102@office>",
        "f: <sip:101@office>;tag=1", "i: x", "CSeq: 1 ACK", "Reason: SIP;cause=200", "Date: x",
        "Authorization: Digest x", "Session-Expires: 1", "RAck: 1 1 INVITE",
        "Require: <,a", "Accept: <,a",
    )
)  # fmt: skip


class OfficeUnderFire:
    """An office with a call up and a call ringing, and a stranger who sends whatever the campaign makes."""

    def __init__(self, seed: int) -> None:
        self._errors: list[str] = []
        self._noticing = _Notice(self._errors)
        logging.getLogger("engine").addHandler(self._noticing)
        self._office = office = MemoryOffice(seed)
        office.talking("101", "102")
        office.registered("103", "104")
        office.phones[2].call("104")
        office.settle()
        self._answers: list[bytes] = []
        office.wire.attach((STRANGER, PORT), lambda data, flow: self._answers.append(data))
        self._flow = Flow("UDP", OFFICE, PORT, STRANGER, PORT)
        self._secrets = Secrets.of("101", REALM, password_of("101"))
        self._talk = office.wire.last["192.0.2.11", "INVITE"]
        self._ring = office.wire.last["192.0.2.13", "INVITE"]
        self._talk_tag = office.phones[1].ringing.line.local_tag
        self._number = 1000

    def check(self, message: bytes) -> None:
        """Raises when the message is misread, takes too long, or the office stumbles over it."""
        check_reading(message)
        self._answers.clear()
        began = time.thread_time()
        self._office.throw(self._dressed(message), self._flow)
        took = time.thread_time() - began
        assert not self._errors, self._errors[0]
        assert took < LONGEST_S, f"took {took:.2f} s"
        assert len(self._answers) <= MOST_ANSWERS, f"{len(self._answers)} answers"
        for answer in self._answers:
            parse_message(answer)

    def close(self) -> None:
        """Everybody hangs up; raises when anything is left."""
        try:
            self._office.everyone_hangs_up()
            self._office.assert_nothing_is_left()
            assert not self._errors, self._errors[0]
        finally:
            logging.getLogger("engine").removeHandler(self._noticing)
            self._office.close()

    def _dressed(self, message: bytes) -> bytes:
        """The message as it is, with credentials, in the dialog of a call, or as the answer to our INVITE."""
        kind = zlib.crc32(message) % 4
        if kind == 0:
            return message
        if kind == 1:
            return self._with_credentials(message)
        if kind == 2:
            peer = f"{self._talk.headers.get('To')};tag={self._talk_tag}"
            dressed = _in_dialog(message, self._talk.call_id, peer, self._talk.headers.get("From") or "")
            self._number += 1
            return _with_value(dressed, _CSEQ, b"%d" % self._number)
        ours = self._ring.headers.get("From") or ""
        dressed = _in_dialog(message, self._ring.call_id, ours, f"{self._ring.headers.get('To')};tag=b")
        dressed = _with_value(dressed, _VIA, (self._ring.headers.get("Via") or "").encode())
        return _with_value(dressed, _CSEQ, b"1")

    def _with_credentials(self, message: bytes) -> bytes:
        line, end, rest = message.partition(b"\r\n")
        words = line.split(b" ")
        if len(words) != 3:
            return message
        method, uri = (word.decode("utf-8", "surrogateescape") for word in words[:2])
        authenticator = self._office.office.registrar.authenticator
        is_register = method == "REGISTER"
        if not is_register:
            authenticator = self._office.office.reception._authenticator
        ((_, value),) = authenticator.challenge(self._office.clock.now(), proxy=not is_register)
        challenge = Challenge.parse(value)
        assert challenge is not None
        answer = answer_challenge(challenge, method=method, uri=uri, user="101", secrets=self._secrets, cnonce="c")
        name = "Authorization" if is_register else "Proxy-Authorization"
        return line + end + f"{name}: {answer}\r\n".encode("utf-8", "surrogateescape") + rest


class _Notice(logging.Handler):
    """Takes down what is logged as an error."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._errors = errors

    def emit(self, record: logging.LogRecord) -> None:
        self._errors.append(self.format(record))


def check_reading(message: bytes) -> None:
    """What is read of a message is what is written of it, and nothing but ``RemoteError`` is ever raised."""
    try:
        parsed = parse_message(message)
    except RemoteError:
        return
    written = parsed.encode()
    again = parse_message(written)
    assert again.encode() == written, "written anew it is another message"
    assert (list(again.headers), again.body) == (list(parsed.headers), parsed.body)
    _read_fields(parsed)


def _read_fields(message: Message) -> None:
    for read in _FIELDS:
        try:
            read(message)
        except RemoteError:
            continue
    if isinstance(message, Request):
        _read_uri(message.uri)
    for name in ("From", "To", "Contact", "Route", "Path", "Record-Route"):
        for value in message.headers.all(name):
            _read_address(value)


_FIELDS = (
    lambda message: message.via,
    lambda message: parse_via(str(message.via)),
    lambda message: message.cseq,
    lambda message: message.from_tag,
    lambda message: message.to_tag,
    lambda message: message.content_type,
    lambda message: message.headers.list_of("Via"),
    lambda message: message.headers.list_of("Contact"),
    lambda message: message.headers.tokens("Require"),
)


def _read_uri(text: str) -> None:
    try:
        uri = parse_uri(text)
    except RemoteError:
        return
    assert parse_uri(str(uri)) == uri, f"{text!r} is another URI once written"


def _read_address(text: str) -> None:
    try:
        address = NameAddress.parse(text)
    except RemoteError:
        return
    assert NameAddress.parse(str(address)) == address, f"{text!r} is another address once written"


_VIA = re.compile(rb"(?im)^(v(?:ia)? *: *)[^\r\n]*")
_CALL_ID = re.compile(rb"(?im)^((?:call-id|i) *: *)[^\r\n]*")
_CSEQ = re.compile(rb"(?im)^(cseq *: *)\d+")
_FROM = re.compile(rb"(?im)^((?:from|f) *: *)[^\r\n]*")
_TO = re.compile(rb"(?im)^((?:to|t) *: *)[^\r\n]*")


def _in_dialog(message: bytes, call_id: str, sender: str, receiver: str) -> bytes:
    for pattern, value in ((_CALL_ID, call_id), (_FROM, sender), (_TO, receiver)):
        message = _with_value(message, pattern, value.encode("utf-8", "surrogateescape"))
    return message


def _with_value(message: bytes, field: re.Pattern[bytes], value: bytes) -> bytes:
    return field.sub(lambda match: match[1] + value, message, count=1)


_CONTENT_LENGTH = re.compile(rb"(?im)^(?:content-length|l)[ \t]*:[^\r\n]*")


def with_right_length(message: bytes) -> bytes:
    """The message with the Content-Length that its body has, where it has both."""
    head, mark, body = message.partition(b"\r\n\r\n")
    return _CONTENT_LENGTH.sub(b"Content-Length: %d" % len(body), head) + mark + body


def seed_messages() -> list[bytes]:
    """The torture messages and, oftener, those of phones that get far."""
    torture = [path.read_bytes() for path in sorted((DATA / "torture").glob("rfc*/*"))]
    return torture + corpus("sip") * 4


def campaign() -> Campaign:
    """The SIP campaign: half of the lengths that a mutation broke are mended, so that bodies are looked at too."""
    seeds = seed_messages()
    mutator = Mutator(seeds, WORDS)

    def change(message: bytes, chance: Random) -> bytes:
        message = mutator.mutate(message, chance)
        return with_right_length(message) if chance.random() < 0.7 else message

    return Campaign("sip", seeds, change, OfficeUnderFire)
