"""Fax: T.38 offered by one machine is offered to the other, refused where it is refused, and given up for audio."""

from __future__ import annotations

import pytest

from engine.core.views import PartyState
from engine.media.gateway import LegStatistics, StreamStatistics
from engine.sip.sdp import MediaLine, SessionDescription
from tests.unit.pbx.office import OFFICE, MemoryOffice
from tests.unit.pbx.phone import MemoryPhone, PhoneCall

ONE = (
    "T38FaxVersion:0",
    "T38MaxBitRate:14400",
    "T38FaxRateManagement:transferredTCF",
    "T38FaxUdpEC:t38UDPRedundancy",
)
OTHER = ("T38FaxVersion:0", "T38MaxBitRate:9600", "T38FaxFillBitRemoval", "T38FaxMaxDatagram:400")

Fax = tuple[MemoryPhone, MemoryPhone, PhoneCall, PhoneCall]


@pytest.fixture
def fax(office: MemoryOffice) -> Fax:
    """Two machines that talk, and the call as each of them lives it."""
    one, other, made, answered = office.talking()
    one.fax, other.fax = ONE, OTHER
    return one, other, made, answered


def lines(call: PhoneCall) -> list[MediaLine]:
    """The media lines of the office's latest SDP."""
    description = SessionDescription.parse(call.remote_sdp)
    assert description.host == OFFICE
    return [*description.media]


def said(line: MediaLine) -> tuple[str, ...]:
    return tuple(name if value is None else f"{name}:{value}" for name, value in line.attributes)


def is_fax(office: MemoryOffice, *phones: MemoryPhone) -> bool:
    """Whether the gateway passes datagrams of all these, each to where its machine listens."""
    plans = [office.media_of(phone).plan for phone in phones]
    return all(
        plan is not None and plan.is_datagrams and plan.remote is not None and plan.remote.port == phone.rtp_port
        for plan, phone in zip(plans, phones, strict=True)
    )


def codecs(office: MemoryOffice) -> list[str | None]:
    return [party.codec for party in office.call.parties]


@pytest.mark.parametrize("by_caller", [True, False])
def test_t38_is_relayed_with_what_each_machine_says_of_it(office: MemoryOffice, fax: Fax, by_caller: bool) -> None:
    one, other, made, answered = fax
    asks, asked = (made, answered) if by_caller else (answered, made)
    asks.reoffer(asks.phone.fax_sdp())
    office.settle()
    (line,) = lines(asked)
    assert (line.kind, line.protocol, line.formats) == ("image", "udptl", ("t38",))
    assert line.port
    assert said(line) == asks.phone.fax
    (line,) = lines(asks)
    assert (line.kind, said(line)) == ("image", asked.phone.fax)
    assert is_fax(office, one, other)
    assert codecs(office) == ["T38", "T38"]
    assert office.media_of(one).opposite is not None


def test_the_audio_line_is_refused_in_its_place(office: MemoryOffice, fax: Fax) -> None:
    one, other, made, answered = fax
    made.reoffer(one.fax_sdp("m=audio 0 RTP/AVP 8"))
    office.settle()
    assert [(line.kind, bool(line.port)) for line in lines(made)] == [("audio", False), ("image", True)]
    assert is_fax(office, one, other)
    made.resume()
    office.settle()
    assert codecs(office) == ["PCMA", "PCMA"]
    assert [(line.kind, bool(line.port)) for line in lines(answered)] == [("audio", True)]
    assert (office.hears(one), office.hears(other)) == ("102", "101")


@pytest.mark.parametrize("how", ["488", "200 with port 0"])
def test_a_phone_that_takes_no_fax_leaves_the_call_in_audio(office: MemoryOffice, fax: Fax, how: str) -> None:
    one, other, made, answered = fax
    other.fax = ()
    other.reoffers = "refuse" if how == "488" else "accept"
    made.reoffer(one.fax_sdp())
    office.settle()
    assert made.heard[-1] == "reoffer refused 488"
    assert codecs(office) == ["PCMA", "PCMA"]
    assert (office.hears(one), office.hears(other)) == ("102", "101")
    if how != "488":  # it has accepted a re-INVITE without any media: audio is offered anew
        assert [(line.kind, bool(line.port)) for line in lines(answered)] == [("audio", True)]


def test_both_machines_turn_at_the_same_time(office: MemoryOffice, fax: Fax) -> None:
    one, other, made, answered = fax
    made.reoffer(one.fax_sdp())
    answered.reoffer(other.fax_sdp())
    office.settle()
    office.advance(15)
    assert is_fax(office, one, other)
    assert made.is_up
    assert answered.is_up
    assert codecs(office) == ["T38", "T38"]


def test_the_other_machine_confirms_and_is_answered_at_once(office: MemoryOffice, fax: Fax) -> None:
    one, other, made, answered = fax
    made.reoffer(one.fax_sdp())
    office.settle()
    known = answered.heard.count("reoffered"), made.heard.count("reoffered")
    answered.reoffer(other.fax_sdp())
    office.settle()
    assert answered.heard[-1] == "reoffer answered"
    assert said(lines(answered)[0]) == ONE
    assert (answered.heard.count("reoffered"), made.heard.count("reoffered")) == known
    assert is_fax(office, one, other)


@pytest.mark.parametrize("by_caller", [True, False])
def test_after_the_fax_they_talk_again(office: MemoryOffice, fax: Fax, by_caller: bool) -> None:
    one, other, made, answered = fax
    made.reoffer(one.fax_sdp())
    office.settle()
    asks, asked = (made, answered) if by_caller else (answered, made)
    asks.resume()
    office.settle()
    assert asks.heard[-1] == "reoffer answered"
    assert lines(asked)[0].kind == "audio"
    assert codecs(office) == ["PCMA", "PCMA"]
    assert (office.hears(one), office.hears(other)) == ("102", "101")


def test_audio_and_image_together_are_audio(office: MemoryOffice, fax: Fax) -> None:
    one, _, made, answered = fax
    both = one.sdp() + b"m=image 40000 udptl t38\r\na=T38FaxVersion:0\r\n"
    made.reoffer(both)
    office.settle()
    assert [(line.kind, bool(line.port)) for line in lines(made)] == [("audio", True), ("image", False)]
    assert "reoffered" not in answered.heard
    made.hang_up()
    office.settle()
    again = one.call("102", sdp=both)
    office.settle()
    other = answered.phone
    other.ringing.answer()
    office.settle()
    assert [(line.kind, bool(line.port)) for line in lines(again)] == [("audio", True), ("image", False)]
    assert (office.hears(one), office.hears(other)) == ("102", "101")


def test_an_invite_of_t38_alone_is_refused(office: MemoryOffice) -> None:
    one, _ = office.registered("101", "102")
    one.fax = ONE
    call = one.call("102", sdp=one.fax_sdp())
    office.settle()
    assert call.heard[-1] == "488"


def test_a_re_invite_without_sdp_gets_t38_again(office: MemoryOffice, fax: Fax) -> None:
    one, other, made, _ = fax
    made.reoffer(one.fax_sdp())
    office.settle()
    one.sdp = lambda *_, **__: one.fax_sdp()  # type: ignore[method-assign]
    made.ask_for_an_offer()
    office.settle()
    assert lines(made)[0].kind == "image"
    assert is_fax(office, one, other)


def test_a_fax_that_is_taken_back_leaves_both_in_audio(office: MemoryOffice, fax: Fax) -> None:
    one, other, made, answered = fax
    other.reoffers = "wait"
    made.reoffer(one.fax_sdp())
    office.settle()
    made.take_reoffer_back()
    office.settle()
    other.reoffers = "accept"
    answered.answer_reoffer()
    office.settle()
    assert codecs(office) == ["PCMA", "PCMA"]
    assert lines(answered)[0].kind == "audio"
    assert (office.hears(one), office.hears(other)) == ("102", "101")


def test_a_silent_fax_is_no_dead_party(office: MemoryOffice, fax: Fax) -> None:
    one, other, made, _ = fax
    made.reoffer(one.fax_sdp())
    office.settle()
    for phone in (one, other):
        sent = StreamStatistics(packets=500, mos=4.4)
        office.media_of(phone).statistics = LegStatistics(sent, sent, silent_s=100.0)
    office.advance(70)
    assert office.call.parties[0].state is PartyState.TALKING
    assert office.wire.sent("OPTIONS") == 0
