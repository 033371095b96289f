"""Two parties without a common codec talk all the same; with one, nothing is ever converted."""

from __future__ import annotations

import pytest

from engine.core.views import CallState
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.outside import CARRIER, MemoryCarrier, connect
from tests.unit.pbx.phone import MemoryPhone
from tests.unit.pbx.test_blind_transfer import refer, to

WIDE, NARROW = ("G722",), ("PCMA",)


def codecs(office: MemoryOffice) -> list[str | None]:
    return [party.codec for party in office.call.parties]


def picky(phone: MemoryPhone, *names: str) -> None:
    """The phone has these codecs alone, and refuses what offers none of them."""
    phone.codecs = names


def ring_or_refuse(office: MemoryOffice, phone: MemoryPhone) -> None:
    """As real phones do: 488 to an offer of other codecs."""
    call = phone.ringing
    if not set(call.codecs) & set(phone.codecs):
        call.refuse(488)
        office.settle()


def test_a_phone_that_refuses_the_callers_codec_is_asked_for_its_own(office: MemoryOffice) -> None:
    office.has("102", codecs=("PCMA", "PCMU", "G722"))
    alice, bob = office.registered("101", "102")
    picky(alice, *NARROW)
    picky(bob, *WIDE)
    call = alice.call("102")
    office.settle()
    assert bob.ringing.codecs == ["PCMA"]  # a common codec goes first
    ring_or_refuse(office, bob)
    assert bob.ringing.codecs == ["PCMA", "PCMU", "G722"]
    assert [one.codecs for one in bob.calls] == [["PCMA"], ["PCMA", "PCMU", "G722"]]
    bob.ringing.answer()
    office.settle()
    assert call.is_up
    assert (call.codecs, codecs(office)) == (["PCMA"], ["PCMA", "G722"])
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")
    assert len(office.gateway.legs) == 2


def test_a_phone_that_refuses_twice_is_asked_no_more(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    picky(bob, "G729")
    call = alice.call("102")
    office.settle()
    ring_or_refuse(office, bob)
    ring_or_refuse(office, bob)
    assert call.failure is not None
    assert call.failure.status == 488
    assert len(bob.calls) == 2
    office.everyone_hangs_up()
    office.assert_nothing_is_left()


def test_where_the_extensions_share_none_the_callee_is_offered_what_can_be_converted(office: MemoryOffice) -> None:
    office.has("101", codecs=NARROW)
    office.has("102", codecs=("G729", "G722"))
    alice, bob = office.registered("101", "102")
    bob.codecs = WIDE
    call = alice.call("102")
    office.settle()
    assert bob.ringing.codecs == ["G722"]
    bob.ringing.answer()
    office.settle()
    assert (call.is_up, codecs(office)) == (True, ["PCMA", "G722"])


def test_a_codec_that_cannot_be_converted_is_refused_as_ever(office: MemoryOffice) -> None:
    office.has("101", codecs=("G729",))
    office.has("102", codecs=WIDE)
    alice, bob = office.registered("101", "102")
    alice.codecs = ("G729",)
    call = alice.call("102")
    office.settle()
    assert call.failure is not None
    assert (call.failure.status, call.failure.reason) == (488, "No Common Codec In G729")
    assert not bob.calls


def test_the_site_may_switch_it_off(office: MemoryOffice) -> None:
    office.sets(transcoding="off")
    alice, bob = office.registered("101", "102")
    picky(alice, *NARROW)
    picky(bob, *WIDE)
    call = alice.call("102")
    office.settle()
    ring_or_refuse(office, bob)
    assert call.failure is not None
    assert call.failure.status == 488


def test_a_caller_without_an_offer_gets_one_that_it_may_speak(office: MemoryOffice) -> None:
    office.has("101", codecs=NARROW)
    office.has("102", codecs=WIDE)
    alice, bob = office.registered("101", "102")
    alice.codecs, bob.codecs = NARROW, WIDE
    call = alice.call("102", sdp=b"")
    office.settle()
    bob.ringing.answer()
    office.settle()
    assert call.is_up
    assert (call.codecs, codecs(office)) == (["PCMA"], ["PCMA", "G722"])


def test_early_media_of_another_codec_is_heard(office: MemoryOffice) -> None:
    office.has("102", codecs=WIDE)
    alice, bob = office.registered("101", "102")
    alice.codecs, bob.codecs = NARROW, WIDE
    call = alice.call("102")
    office.settle()
    bob.ringing.ring(183, bob.sdp())
    office.settle()
    assert (call.heard[-1], call.codecs) == ("183", ["PCMA"])
    assert office.hears(alice) == "102"
    bob.ringing.answer()
    office.settle()
    assert call.is_up
    assert "reoffered" not in call.heard


def test_a_transfer_to_a_phone_of_another_codec(office: MemoryOffice) -> None:
    alice, bob, call, other = office.talking()
    (carol,) = office.registered("103")
    assert codecs(office) == ["PCMA", "PCMA"]
    picky(carol, *WIDE)
    refer(other, to("103"))
    office.settle()
    ring_or_refuse(office, carol)
    carol.ringing.answer()
    office.settle()
    assert bob.ringing.is_over
    assert codecs(office) == ["PCMA", "G722"]
    assert (office.hears(alice), office.hears(carol)) == ("103", "101")
    assert carol.ringing.heard == ["acknowledged"]  # it has said already what it lacks
    assert call.is_up


def test_a_reinvite_for_a_codec_that_the_other_party_lacks_is_converted(office: MemoryOffice) -> None:
    alice, bob, call, answered = office.talking()
    bob.reoffers = "refuse"
    call.reoffer(alice.sdp(codecs=WIDE))
    office.settle()
    assert answered.heard[-1] == "reoffered"  # a codec in common would be better
    assert call.heard[-1] == "reoffer answered"
    assert (codecs(office), office.call.state) == (["G722", "PCMA"], CallState.TALKING)
    call.hold()
    office.settle()
    assert office.call.state == CallState.HELD
    assert answered.heard.count("reoffered") == 1
    call.resume()
    office.settle()
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")


@pytest.mark.parametrize("is_listed", [True, False])
def test_an_outside_line_of_another_codec(office: MemoryOffice, is_listed: bool) -> None:
    """By its settings, or because the carrier says 488 to the first offer."""
    carrier = MemoryCarrier(office, CARRIER)
    (alice,) = office.registered("101")
    connect(office, codecs=WIDE if is_listed else ())
    alice.codecs, carrier.codecs = NARROW, WIDE
    call = alice.call("94711")
    office.settle()
    if not is_listed:
        assert carrier.ringing.codecs == ["PCMA"]
        ring_or_refuse(office, carrier)
    carrier.ringing.answer()
    office.settle()
    assert call.is_up
    assert codecs(office) == ["PCMA", "G722"]
    assert office.call.trunk_out == "line"
    line = office.office.exchange.trunks.line("line")
    assert line is not None
    assert (line.view().active_out, line.view().refused_out) == (1, 0)
    office.everyone_hangs_up()
    assert line.view().active_out == 0


NOISY = b"m=audio 4000 RTP/AVP 8 13 101\r\na=rtpmap:13 CN/8000\r\na=rtpmap:101 telephone-event/8000\r\n"


def test_comfort_noise_is_offered_to_the_callee_when_the_caller_offers_it(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    head = f"v=0\r\no=- 1 1 IN IP4 {alice.media_host}\r\ns=-\r\nc=IN IP4 {alice.media_host}\r\nt=0 0\r\n".encode()
    call = alice.call("102", sdp=head + NOISY.replace(b"4000", str(alice.rtp_port).encode()))
    office.settle()
    assert b"RTP/AVP 8 13 101" in bob.ringing.remote_sdp
    bob.ringing.answer()
    office.settle()
    assert b"RTP/AVP 8 13 101" in call.remote_sdp
    plan = office.media_of(alice).plan
    assert plan is not None
    assert [form.encoding for form in plan.formats] == ["PCMA", "CN", "telephone-event"]
    plan = office.media_of(bob).plan
    assert plan is not None
    assert [form.encoding for form in plan.formats] == ["PCMA"]


def test_a_party_in_its_own_silence_is_not_taken_for_lost(office: MemoryOffice) -> None:
    alice, _, _, _ = office.talking()
    media = office.media_of(alice)
    media.statistics = media.statistics._replace(silent_s=30.0, is_quiet=True)
    office.advance(5)
    caller = office.call.parties[0]
    assert caller.quality is None
    media.statistics = media.statistics._replace(is_quiet=False)
    office.advance(5)
    caller = office.call.parties[0]
    assert caller.quality is not None
    assert caller.quality.mos == 1.0
