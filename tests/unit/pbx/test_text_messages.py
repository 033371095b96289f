"""Text messages between extensions (RFC 3428)."""

from __future__ import annotations

import logging

import pytest

from engine.pbx.text_messages import MOST_BYTES
from engine.sip.headers import Headers
from engine.sip.message import Request, Response, make_response
from engine.sip.transaction.outputs import RequestArrived
from tests.unit.pbx.office import OFFICE, MemoryOffice
from tests.unit.pbx.phone import MemoryPhone


class Writing:
    """A phone that writes and reads: it answers challenges, and takes messages or refuses them."""

    def __init__(self, phone: MemoryPhone, status: int = 200) -> None:
        self.phone, self.status = phone, status
        self.read: list[Request] = []
        phone._take_text = self._take  # type: ignore[method-assign]

    def _take(self, arrived: RequestArrived) -> None:
        self.read.append(arrived.request)
        arrived.transaction.respond(make_response(arrived.request, self.status, to_tag="t"), self.phone.now)


def write(
    office: MemoryOffice, phone: MemoryPhone, number: str, body: bytes = b"Guten Tag", kind: str = "text/plain"
) -> Response:
    """Send a message and answer its challenge; the final response."""
    uri = f"sip:{number}@{OFFICE}"
    fields = (("Content-Type", kind), ("X-Private", "1"))
    phone.send("MESSAGE", uri, fields, body)
    office.settle()
    assert phone.last.status == 407
    request = Request("MESSAGE", uri, Headers())
    value = phone.credentials(phone.last, request, phone.number)
    phone.send("MESSAGE", uri, (*fields, ("Proxy-Authorization", value)), body)
    office.settle()
    return phone.last


def test_a_message_reaches_the_phone_and_says_who_wrote_it(
    office: MemoryOffice, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    anna, bo = office.registered("101", "102")
    office.has("101", name="Anna")
    reader = Writing(bo)
    assert write(office, anna, "102").status == 200
    (text,) = reader.read
    assert (text.body, text.content_type) == (b"Guten Tag", "text/plain")
    assert (text.headers.get("From") or "").startswith(f'"Anna" <sip:101@{OFFICE}>')
    assert "X-Private" not in text.headers
    assert "Guten Tag" not in caplog.text
    office.linger()
    office.assert_nothing_is_left()


def test_every_phone_of_the_number_gets_it_and_one_is_enough(office: MemoryOffice) -> None:
    (anna,) = office.registered("101")
    office.has("102", multi_device=True)
    readers = []
    for status in (486, 200):
        phone = office.phone("102")
        phone.register()
        readers.append(Writing(phone, status))
    office.settle()
    assert write(office, anna, "102").status == 200
    assert [len(reader.read) for reader in readers] == [1, 1]


@pytest.mark.parametrize(
    ("number", "body", "status"), [("999", b"x", 404), ("103", b"x", 480), ("102", b"x" * (MOST_BYTES + 1), 413)]
)
def test_what_cannot_be_carried_is_refused(office: MemoryOffice, number: str, body: bytes, status: int) -> None:
    anna, bo = office.registered("101", "102")
    office.has("103")
    reader = Writing(bo)
    assert write(office, anna, number, body).status == status
    assert not reader.read


@pytest.mark.parametrize(("said", "heard"), [(415, 415), (486, 486), (500, 500), (401, 480)])
def test_the_sender_hears_why_a_phone_would_not_take_it(office: MemoryOffice, said: int, heard: int) -> None:
    anna, bo = office.registered("101", "102")
    Writing(bo, said)
    assert write(office, anna, "102", kind="application/x").status == heard


def test_a_phone_that_says_nothing_has_not_taken_it(office: MemoryOffice) -> None:
    anna, bo = office.registered("101", "102")
    bo.vanish()
    count = len(anna.answers)
    write(office, anna, "102")
    office.linger(40)
    assert len(anna.answers) == count + 2
    assert anna.last.status in (408, 480)
    office.linger()
    office.assert_nothing_is_left()


def test_a_stranger_writes_to_nobody(office: MemoryOffice) -> None:
    (bo,) = office.registered("102")
    reader = Writing(bo)
    stranger = office.phone("101", password="wrong")
    office.has("101")
    assert write(office, stranger, "102").status == 403
    assert not reader.read
