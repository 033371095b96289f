"""One connection: messages and pings out of its bytes, and what it may cost us, without a socket or a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from engine.net import connection as limits
from engine.net.admission import (
    CONNECTIONS,
    PHONES_PER_SOURCE,
    STRANGERS,
    STRANGERS_PER_SOURCE,
    Admission,
    source_of,
)
from engine.net.connection import Connection
from engine.sip.flow import Flow

FLOW = Flow("TCP", "192.0.2.1", 5060, "192.0.2.9", 40000)
OPTIONS = b"OPTIONS sip:office SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n"


class Clockwork:
    """The loop as a connection knows it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.soon: list[Callable[[], None]] = []

    def time(self) -> float:
        return self.now

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.soon.append(callback)

    def turn(self) -> None:
        due, self.soon = self.soon, []
        for callback in due:
            callback()


class Line:
    """A transport that remembers; ``unread`` are bytes that its peer has not taken."""

    def __init__(self) -> None:
        self.written = b""
        self.unread = 0
        self.is_read = True
        self.ending = ""

    def set_write_buffer_limits(self, high: int) -> None:
        assert high < limits.MOST_UNSENT

    def get_write_buffer_size(self) -> int:
        return self.unread

    def write(self, data: bytes) -> None:
        self.written += data

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ending = "eof"

    def abort(self) -> None:
        self.ending = "abort"

    def close(self) -> None:
        self.ending = "close"

    def is_closing(self) -> bool:
        return self.ending in ("abort", "close")

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True


class Office:
    """Whoever listens."""

    def __init__(self) -> None:
        self.heard: list[tuple[bytes, tuple[int, str] | None]] = []
        self.ended: list[Connection] = []
        self.answer: Callable[[bytes], None] = lambda data: None

    def hear(self, data: bytes, flow: Flow, refusal: tuple[int, str] | None) -> None:
        self.heard.append((data, refusal))
        self.answer(data)

    def over(self, connection: Connection) -> None:
        self.ended.append(connection)


class Peer:
    """A connection that stands, with everything around it."""

    def __init__(self, *, stands: bool = True) -> None:
        self.loop, self.line, self.office = Clockwork(), Line(), Office()
        loop: Any = self.loop
        self.connection = Connection(self.office, FLOW, loop)
        if stands:
            self.stand()

    def stand(self) -> None:
        line: Any = self.line
        self.connection.connection_made(line)

    def says(self, data: bytes) -> None:
        self.connection.data_received(data)

    def after(self, seconds: float) -> str | None:
        self.loop.now += seconds
        return self.connection.overdue(self.loop.now)


def test_a_ping_is_answered_between_messages_and_reaches_nobody() -> None:
    peer = Peer()
    peer.says(b"\r\n\r\n" + OPTIONS + b"\r\n\r\n")
    assert peer.line.written == b"\r\n\r\n"
    assert peer.office.heard == [(OPTIONS, None)]


def test_what_waits_for_a_connection_goes_out_once_it_stands() -> None:
    peer = Peer(stands=False)
    peer.connection.send(b"one")
    peer.connection.send(b"two")
    peer.stand()
    assert peer.line.written == b"onetwo"


def test_only_so_much_waits_for_a_connection() -> None:
    peer = Peer(stands=False)
    peer.connection.send(bytes(limits.MOST_UNSENT))
    with pytest.raises(OSError, match="too much waits"):
        peer.connection.send(b"x")


def test_a_peer_that_reads_nothing_is_cut_before_it_fills_our_memory() -> None:
    peer = Peer()
    peer.line.unread = limits.MOST_UNSENT
    with pytest.raises(OSError, match="does not read"):
        peer.connection.send(b"x")
    assert peer.line.ending == "abort"
    assert peer.office.ended == [peer.connection]


def test_who_does_not_read_is_not_read_from_and_cut_in_the_end() -> None:
    peer = Peer()
    peer.says(OPTIONS)
    peer.connection.pause_writing()
    assert not peer.line.is_read
    peer.connection.resume_writing()
    assert peer.line.is_read
    peer.connection.pause_writing()
    assert peer.after(limits.UNREAD_S) is None
    assert "has not read" in str(peer.after(1))


def test_a_refusal_is_told_and_what_follows_is_not_read() -> None:
    peer = Peer()
    peer.says(b"INVITE sip:a SIP/2.0\r\n\r\n" + OPTIONS)
    peer.says(OPTIONS)
    assert peer.office.heard == [(b"INVITE sip:a SIP/2.0\r\n\r\n", (400, "Missing Content-Length"))]
    assert peer.line.ending == "eof"
    assert peer.after(1) is None
    assert peer.after(2) == "was refused"


def test_a_message_that_drips_in_is_cut_although_bytes_come() -> None:
    peer = Peer()
    for byte in OPTIONS[:20]:
        peer.says(bytes((byte,)))
        why = peer.after(0.6)
    assert "to send a message" in str(why)


def test_messages_that_always_arrive_in_pieces_are_no_slow_sender() -> None:
    peer = Peer()
    half = len(OPTIONS) // 2
    peer.says(OPTIONS[:half])
    for _ in range(30):
        assert peer.after(1) is None
        peer.says(OPTIONS[half:] + OPTIONS[:half])
    assert len(peer.office.heard) == 30


def test_a_stranger_that_says_nothing_is_cut() -> None:
    assert Peer().after(limits.MESSAGE_S) is None
    assert "sent no message" in str(Peer().after(limits.MESSAGE_S + 1))


def test_pings_alone_are_no_message() -> None:
    peer = Peer()
    for _ in range(6):
        peer.says(b"\r\n\r\n")
        why = peer.after(2)
    assert "sent no message" in str(why)


def test_a_phone_may_be_silent_as_long_as_it_is_registered() -> None:
    stranger, phone = Peer(), Peer()
    stranger.says(OPTIONS)
    phone.says(OPTIONS)
    phone.connection.vouch(3600)
    assert "was silent" in str(stranger.after(limits.IDLE_S + 1))
    assert phone.after(3600) is None
    assert "was silent" in str(phone.after(1))


def test_pings_keep_a_connection() -> None:
    peer = Peer()
    peer.says(OPTIONS)
    for _ in range(5):
        assert peer.after(limits.IDLE_S - 1) is None
        peer.says(b"\r\n\r\n")


def test_many_messages_at_once_leave_the_loop_to_others_in_between() -> None:
    peer = Peer()
    peer.says(OPTIONS * 50)
    first = len(peer.office.heard)
    assert first < 20
    assert not peer.line.is_read
    while peer.loop.soon:
        peer.loop.turn()
    assert len(peer.office.heard) == 50
    assert peer.line.is_read


def test_a_connection_that_was_cut_while_its_messages_are_handled_hears_no_more() -> None:
    peer = Peer()
    peer.office.answer = lambda data: peer.connection.cut("enough")
    peer.says(OPTIONS * 3)
    assert len(peer.office.heard) == 1
    with pytest.raises(OSError, match="closed"):
        peer.connection.send(b"x")


def test_a_connection_ends_once() -> None:
    peer = Peer()
    peer.connection.cut("made room")
    peer.connection.connection_lost(None)
    assert peer.office.ended == [peer.connection]


def test_a_handshake_is_given_up_when_its_connection_is_cut() -> None:
    async def handshake() -> None:
        await asyncio.sleep(3600)

    async def cut() -> None:
        peer = Peer(stands=False)
        peer.connection.opening = task = asyncio.create_task(handshake())
        peer.connection.cut("made room")
        with pytest.raises(asyncio.CancelledError):
            await task
        peer.stand()
        assert peer.line.ending == "abort"

    asyncio.run(cut())


# -- who gets in --------------------------------------------------------------------------------------------------


class Guest:
    def __init__(self, source: str) -> None:
        self.source = source
        self.why = ""

    def cut(self, why: str) -> None:
        self.why = why


def guests(admission: Admission, source: str, count: int) -> list[Guest]:
    made = [Guest(source) for _ in range(count)]
    for guest in made:
        assert admission.admit(guest)
    return made


def test_a_stranger_displaces_its_own_and_no_other() -> None:
    admission = Admission()
    (bystander,) = guests(admission, "192.0.2.7", 1)
    flood = guests(admission, "192.0.2.9", 2000)
    assert len(admission) == STRANGERS_PER_SOURCE + 1
    assert not bystander.why
    assert [bool(guest.why) for guest in flood] == [True] * (2000 - STRANGERS_PER_SOURCE) + [
        False
    ] * STRANGERS_PER_SOURCE


def test_a_phone_that_has_logged_in_is_never_displaced() -> None:
    admission = Admission()
    (phone,) = guests(admission, "192.0.2.9", 1)
    admission.vouch(phone)
    guests(admission, "192.0.2.9", 2000)
    for number in range(STRANGERS):
        guests(admission, f"198.51.{number // 250}.{number % 250}", 1)
    assert not phone.why


def test_strangers_of_many_sources_have_a_share_together() -> None:
    admission = Admission()
    flood = [guests(admission, f"198.51.{number // 250}.{number % 250}", 1)[0] for number in range(STRANGERS + 5)]
    assert len(admission) == STRANGERS
    assert sum(bool(guest.why) for guest in flood) == 5


def test_phones_have_a_limit_per_source_and_all_together() -> None:
    admission = Admission()
    for number in range(CONNECTIONS // PHONES_PER_SOURCE):
        for phone in range(PHONES_PER_SOURCE):
            (guest,) = guests(admission, f"192.0.2.{number}", 1)
            admission.vouch(guest)
            assert phone < PHONES_PER_SOURCE
    assert len(admission) == CONNECTIONS
    assert not admission.admit(Guest("192.0.2.77"))
    admission.leave(guest)
    assert admission.admit(Guest("192.0.2.77"))


def test_nothing_is_kept_of_who_has_left() -> None:
    admission = Admission()
    one, other = guests(admission, "192.0.2.1", 2)
    admission.vouch(one)
    for guest in (one, other, Guest("192.0.2.3")):
        admission.leave(guest)
        admission.leave(guest)
    assert len(admission) == 0
    assert not admission._by_source
    assert not admission._phones


def test_a_customer_of_ipv6_is_one_source() -> None:
    assert source_of("2001:db8:0:7::1") == source_of("2001:db8:0:7:ffff::2")
    assert source_of("2001:db8:0:7::1") != source_of("2001:db8:0:8::1")
    assert source_of("192.0.2.1") != source_of("192.0.2.2")
