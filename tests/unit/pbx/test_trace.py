"""The trace: which messages belong to a call, how long they are kept, and what goes first."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.core.errors import NotFoundError
from engine.core.ids import CallId
from engine.core.ladder import Ladder
from engine.core.views import CallRecord, CallState, PartyRole, PartyState, ReleasedBy
from engine.pbx.trace import Trace, TracedLeg, call_id_of
from engine.sip.flow import Flow
from tests.unit.pbx.office import MemoryOffice
from tests.unit.store.samples import a_record

FLOW = Flow("UDP", "192.0.2.1", 5060, "192.0.2.9", 5060)


def ladder(office: MemoryOffice, target: str, first: int = 0, limit: int = 1000) -> Ladder:
    return office.run(office.office.ladder(target, first, limit))


def titles(told: Ladder) -> list[str]:
    """``>`` came in from a party, ``<`` went out to it; the leg's number in front."""
    return [
        f"{message.leg}{'<' if message.is_sent else '>'}{message.title.partition(' ')[0]}"
        for message in told.messages
    ]


# -- whole calls ------------------------------------------------------------------------------------------------


def test_a_call_is_told_from_its_challenge_to_its_end(office: MemoryOffice) -> None:
    office.has("101", name="Anna")
    _, _, call, _ = office.talking()
    live = ladder(office, "101")
    assert live.call == office.call.id
    assert (live.state, live.ended_at, live.revision) == (CallState.TALKING, None, office.call.revision)
    office.advance(4)
    call.hang_up()
    office.settle()
    told = ladder(office, live.call)
    assert titles(told) == [
        "0>INVITE", "1<INVITE", "1>180", "0<180", "1>200", "1<ACK", "0<200",
        "0>ACK", "0>BYE", "0<200", "1<BYE", "1>200",
    ]  # fmt: skip
    assert told.messages[: len(live.messages)] == live.messages
    assert [message.number for message in told.messages] == list(range(12))
    assert [message.number for message in told.messages if message.has_sdp] == [0, 1, 4, 6]
    assert [message.number for message in told.messages if message.has_credentials] == [0]
    assert {message.is_resent for message in told.messages} == {False}
    assert (told.state, told.released_by, told.cause) == (None, ReleasedBy.CALLER, "normal")
    assert told.ended_at == office.record.ended_at
    assert [(leg.number, leg.name, leg.role, leg.state, leg.codec) for leg in told.legs] == [
        ("101", "Anna", PartyRole.CALLER, PartyState.ENDED, "PCMA"),
        ("102", None, PartyRole.CALLEE, PartyState.ENDED, "PCMA"),
    ]
    assert all(leg.media is not None for leg in told.legs)
    assert (told.messages[-1].at - told.messages[0].at).total_seconds() == 4
    assert told.messages[0].remote == told.legs[0].remote


def test_pages_follow_each_other_without_a_gap(office: MemoryOffice) -> None:
    office.talking()
    whole = ladder(office, "102")
    pages = [ladder(office, "102", first, 5).messages for first in range(0, whole.total, 5)]
    assert tuple(message for page in pages for message in page) == whole.messages
    assert ladder(office, "102", whole.total).messages == ()


def test_page_of_large_messages_is_shorter(office: MemoryOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    office.talking()
    whole = ladder(office, "102")
    sizes = [len(message.data) for message in whole.messages]
    monkeypatch.setattr("engine.pbx.ladder.MOST_BYTES", sizes[0] + 1)
    page = ladder(office, "102")
    assert page.messages == whole.messages[:2]
    assert page.total == whole.total
    assert ladder(office, "102", 2).messages[0] == whole.messages[2]


def test_every_phone_that_was_rung_is_a_leg_of_its_own(office: MemoryOffice) -> None:
    (alice,) = office.registered("101")
    office.has("102", multi_device=True)
    phones = [office.phone("102"), office.phone("102")]
    for phone in phones:
        phone.register()
        office.settle()
    alice.call("102")
    office.settle()
    phones[1].ringing.answer()
    office.settle()
    told = ladder(office, office.call.id)
    assert [leg.remote[0] for leg in told.legs] == [alice.host, phones[0].host, phones[1].host]
    assert [leg.state for leg in told.legs] == [PartyState.TALKING, PartyState.ENDED, PartyState.TALKING]
    assert [title for title in titles(told) if title.startswith("1")] == [
        "1<INVITE", "1>180", "1<CANCEL", "1>200", "1>487", "1<ACK",
    ]  # fmt: skip


def test_what_is_sent_again_is_marked(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    office.wire.detach((bob.host, bob.port))
    alice.call("102")
    office.advance(2)
    told = ladder(office, "101")
    invites = [message for message in told.messages if message.leg == 1]
    assert [(message.title, message.is_resent) for message in invites] == [
        ("INVITE", False), ("INVITE", True), ("INVITE", True),
    ]  # fmt: skip
    assert [(message.at - invites[0].at).total_seconds() for message in invites] == pytest.approx(
        [0, 0.5, 1.5], abs=0.02
    )
    assert not any(message.is_resent for message in told.messages if message.leg == 0)


def test_a_refused_call_is_told_too(office: MemoryOffice) -> None:
    (alice,) = office.registered("101")
    alice.call("999")
    office.settle()
    told = ladder(office, office.record.id)
    assert titles(told)[-2:] == ["0<404", "0>ACK"]
    assert told.cause == office.record.cause


def test_a_digest_is_blackened_unless_it_is_asked_for(office: MemoryOffice) -> None:
    office.talking()
    target = office.call.id
    covered = ladder(office, target).messages[0].data
    plain = office.run(office.office.ladder(target, 0, 100, with_secrets=True)).messages[0].data
    assert b'response="********' in covered
    assert b"********" not in plain
    assert len(covered) == len(plain)


def test_an_extension_names_its_latest_call_once_it_has_none(office: MemoryOffice) -> None:
    _, _, call, _ = office.talking()
    live = ladder(office, "102")
    call.hang_up()
    office.settle()
    assert ladder(office, "102").call == live.call
    assert ladder(office, "101").ended_at == office.record.ended_at
    with pytest.raises(NotFoundError, match="see 'frontdesk calls' and 'frontdesk records'"):
        ladder(office, "103")


def test_a_message_keeps_the_time_it_was_first_shown_with(office: MemoryOffice) -> None:
    office.talking()
    before = ladder(office, "101").messages
    office.clock.set_wall(timedelta(hours=-1))
    assert ladder(office, "101").messages == before


def test_a_call_that_never_was_is_not_found(office: MemoryOffice) -> None:
    with pytest.raises(NotFoundError, match="there is no call 'ffff'"):
        ladder(office, "ffff")


# -- what is kept -----------------------------------------------------------------------------------------------


def message(sip_id: str, size: int = 600) -> bytes:
    head = f"INFO sip:101@192.0.2.1 SIP/2.0\r\nCall-ID: {sip_id}\r\n\r\n".encode()
    return head + b"x" * (size - len(head))


def begin(trace: Trace, name: str, messages: int = 4) -> None:
    """A call with one leg whose Call-ID is the call's name."""
    for _ in range(messages):
        trace.note((0.0, False, FLOW, message(name)))
    trace.claim(CallId(name), TracedLeg("101", None, PartyRole.CALLER, FLOW, name.encode()))


def end(trace: Trace, name: str) -> None:
    trace.close(record_of(name))


def record_of(name: str) -> CallRecord:
    return a_record(name)


def kept(trace: Trace, name: str) -> int:
    """How many messages of a call are there; -1 when the call is not known."""
    traced = trace.find(CallId(name))
    return -1 if traced is None else len(trace.crossings(traced))


def test_ended_calls_go_as_a_whole_and_the_one_that_ended_first_goes_first() -> None:
    trace = Trace(64_000)
    for number in range(100):
        begin(trace, f"c{number}")
        end(trace, f"c{number}")
    there = [number for number in range(100) if kept(trace, f"c{number}") != -1]
    assert there == list(range(there[0], 100))
    assert 5 < len(there) < 20
    assert {kept(trace, f"c{number}") for number in there} == {4}
    assert trace.size <= 64_000


def test_a_long_call_keeps_its_first_messages_while_many_short_ones_come_and_go() -> None:
    trace = Trace(64_000)
    begin(trace, "long")
    for number in range(500):
        begin(trace, f"c{number}")
        end(trace, f"c{number}")
    assert kept(trace, "long") == 4
    end(trace, "long")
    assert kept(trace, "long") == 4


def test_registrations_and_strangers_push_out_no_call() -> None:
    trace = Trace(64_000)
    begin(trace, "call")
    end(trace, "call")
    for number in range(5000):
        trace.note((0.0, False, FLOW, message(f"r{number}")))
        trace.note((0.0, False, FLOW, b"no SIP at all"))
    assert kept(trace, "call") == 4
    assert trace.size <= 64_000


def test_live_calls_alone_are_held_within_the_budget_and_say_what_they_lost() -> None:
    trace = Trace(64_000)
    begin(trace, "busy", 1000)
    begin(trace, "calm")
    for _ in range(2):
        for _ in range(300):
            trace.note((0.0, False, FLOW, message("busy")))
    count = kept(trace, "busy")
    traced = trace.find(CallId("busy"))
    assert traced is not None
    assert 0 < count < 100
    assert traced.left_out + count > 500
    assert trace.size <= 64_000


def test_messages_keep_their_order_across_legs_and_batches() -> None:
    trace = Trace(1 << 20)
    for sip_id in ("one", "two"):
        trace.claim(CallId("call"), TracedLeg("101", None, PartyRole.CALLER, FLOW, sip_id.encode()))
    for number in range(700):
        trace.note((float(number), False, FLOW, message("one" if number % 3 else "two")))
    traced = trace.find(CallId("call"))
    assert traced is not None
    crossings = trace.crossings(traced)
    assert [crossing[0] for _, crossing in crossings] == [float(number) for number in range(700)]
    assert [leg for leg, _ in crossings[:4]] == [1, 0, 0, 1]


def test_without_a_budget_nothing_is_kept() -> None:
    trace = Trace(0)
    begin(trace, "call", 300)
    assert kept(trace, "call") == 0
    end(trace, "call")
    for _ in range(300):
        trace.note((0.0, False, FLOW, message("other")))
    assert kept(trace, "call") == -1
    assert trace.size == 0


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (b"\r\nCall-ID: a@b\r\n", b"a@b"),
        (b"\r\nCall-ID:a@b\r\n", b"a@b"),
        (b"\r\ncall-id : a@b\r\n", b"a@b"),
        (b"\r\nI:a@b\r\n", b"a@b"),
        (b"\r\nVia: x\r\ni:  a@b \r\n", b"a@b"),
        (b"\r\nVia: x\r\n\r\nCall-Id: in the body\r\n", b""),
        (b"", b""),
    ],
)
def test_call_id_is_found_however_it_is_written(written: bytes, meant: bytes) -> None:
    assert call_id_of(b"BYE sip:101@192.0.2.1 SIP/2.0" + written) == meant
