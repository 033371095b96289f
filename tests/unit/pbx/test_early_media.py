"""What the caller hears before the answer: the first branch that sends audio, or ringback from the gateway."""

# mypy: disable-error-code="comparison-overlap"
# A property read again after something happened may well be another.

from __future__ import annotations

import pytest

from engine.core.peering import ReliableProvisional
from engine.core.views import CallState, PartyState
from engine.media.gateway import LegStatistics, StreamStatistics
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.phone import MemoryPhone, PhoneCall

RINGBACK = "ringback-de"


def ringing(
    office: MemoryOffice, phones: int = 3, *, sdp: bytes | None = None
) -> tuple[PhoneCall, list[MemoryPhone]]:
    """A call from 101 to all phones of 102, which have said nothing yet."""
    office.has("101")
    office.has("102", multi_device=True)
    caller, *called = office.registered("101", *["102"] * phones)
    for phone in called:
        phone.rings = False
    call = caller.call("102", sdp=sdp)
    office.settle()
    return call, called


def sends_early(office: MemoryOffice, phone: MemoryPhone, status: int = 183, *codecs: str) -> None:
    call = phone.ringing
    call.ring(status, phone.sdp(codecs=codecs) if codecs else phone.answer_to(call.remote_sdp))
    office.settle()


def has_sent(office: MemoryOffice, phone: MemoryPhone, packets: int) -> None:
    """What the gateway has counted from a phone so far."""
    office.media_of(phone).statistics = LegStatistics(StreamStatistics(packets=packets), StreamStatistics())


def test_the_first_phone_that_sends_is_heard_while_the_others_ring(office: MemoryOffice) -> None:
    call, phones = ringing(office)
    phones[0].ringing.ring()
    office.settle()
    assert call.heard == ["407", "180"]
    sends_early(office, phones[1])
    sends_early(office, phones[2])
    assert call.heard == ["407", "180", "183"]
    assert office.hears(call.phone) == "102"
    assert office.media_of(call.phone).opposite is not None
    assert office.call.state == CallState.EARLY
    assert [party.state for party in office.call.parties[1:]].count(PartyState.EARLY) == 1


def test_a_180_with_sdp_is_early_media_too(office: MemoryOffice) -> None:
    call, phones = ringing(office)
    sends_early(office, phones[0], 180)
    assert call.heard == ["407", "180"]
    assert call.remote_sdp
    assert office.hears(call.phone) == "102"


def test_the_caller_sees_one_dialog_and_one_sdp_whoever_sends(office: MemoryOffice) -> None:
    call, phones = ringing(office)
    for phone in phones:
        sends_early(office, phone)
    tags, bodies = set(), set()
    early = call.remote_sdp
    phones[0].ringing.refuse(486)
    office.settle()
    phones[1].ringing.ring()
    office.settle()
    phones[2].ringing.answer()
    office.settle()
    for name in ("183", "180", "200"):
        response = office.wire.last[call.phone.host, name]
        tags.add(response.to_tag)
        bodies.add(response.sdp)
    assert bodies == {early}
    assert len(tags) == 1
    assert call.heard == ["407", "183", "180", "answered"]


def test_when_the_phone_that_was_heard_refuses_the_next_is_heard(office: MemoryOffice) -> None:
    call, phones = ringing(office)
    for phone in phones[:2]:
        sends_early(office, phone)
    phones[0].ringing.refuse(486)
    office.settle()
    assert office.hears(call.phone) == "102"
    assert office.media_of(phones[1]).opposite is not None
    assert office.call.state == CallState.EARLY


def test_when_nobody_is_heard_any_more_the_gateway_rings_back(office: MemoryOffice) -> None:
    call, phones = ringing(office)
    sends_early(office, phones[0])
    phones[0].ringing.refuse(480)
    office.settle()
    assert office.hears(call.phone) == RINGBACK
    assert office.call.state == CallState.RINGING
    sends_early(office, phones[1])
    assert office.hears(call.phone) == "102"
    assert office.call.state == CallState.EARLY
    phones[1].ringing.refuse(480)
    office.settle()
    assert office.hears(call.phone) == RINGBACK
    phones[2].ringing.answer()
    office.settle()
    assert (office.hears(call.phone), office.hears(phones[2])) == ("102", "101")
    assert call.is_up


def test_a_caller_that_was_given_no_sdp_makes_its_own_tone(office: MemoryOffice) -> None:
    call, phones = ringing(office)
    phones[0].ringing.ring()
    office.settle()
    phones[0].ringing.refuse(486)
    office.settle()
    assert call.heard == ["407", "180"]
    assert not call.remote_sdp
    assert not any(media.playing for media in office.gateway.legs.values())


def test_a_183_without_sdp_does_not_stop_the_callers_own_tone(office: MemoryOffice) -> None:
    call, phones = ringing(office)
    phones[0].ringing.ring()
    office.settle()
    phones[1].ringing.ring(183)
    office.settle()
    assert call.heard == ["407", "180"]


def test_announced_media_that_does_not_come_is_replaced_by_ringback(office: MemoryOffice) -> None:
    call, phones = ringing(office, 1)
    sends_early(office, phones[0])
    has_sent(office, phones[0], 0)
    office.advance(5)
    assert office.hears(call.phone) == RINGBACK
    has_sent(office, phones[0], 20)
    office.advance(2)
    assert office.hears(call.phone) == "102"
    office.advance(5)
    assert office.hears(call.phone) == RINGBACK
    phones[0].ringing.answer()
    office.settle()
    assert office.hears(call.phone) == "102"


def test_ringback_sounds_as_in_the_offices_country(office: MemoryOffice) -> None:
    office.sets(tones="us")
    call, phones = ringing(office, 1)
    sends_early(office, phones[0])
    has_sent(office, phones[0], 0)
    office.advance(5)
    assert office.hears(call.phone) == "ringback-us"


def test_a_phone_with_g722_alone_hears_ringback_too(office: MemoryOffice) -> None:
    office.has("101", "102", codecs=("G722",))
    call, phones = ringing(office, sdp=b"\r\n".join([
        b"v=0", b"o=- 1 1 IN IP4 192.0.2.10", b"s=-", b"c=IN IP4 192.0.2.10", b"t=0 0",
        b"m=audio 45080 RTP/AVP 9", b"",
    ]))  # fmt: skip
    sends_early(office, phones[0], 183, "G722")
    phones[0].ringing.refuse(480)
    office.settle()
    assert RINGBACK in {media.playing.name for media in office.gateway.legs.values() if media.playing}
    assert call.heard[-1] == "183"


def test_media_that_keeps_coming_is_left_alone(office: MemoryOffice) -> None:
    call, phones = ringing(office, 1)
    sends_early(office, phones[0])
    for count in range(100, 1000, 100):
        has_sent(office, phones[0], count)
        office.advance(2)
        assert office.hears(call.phone) == "102"


def test_another_than_the_phone_that_was_heard_may_answer(office: MemoryOffice) -> None:
    call, phones = ringing(office)
    sends_early(office, phones[0])
    phones[2].ringing.answer()
    office.settle()
    assert call.heard == ["407", "183", "answered"]
    assert (office.hears(call.phone), office.hears(phones[2])) == ("102", "101")
    assert phones[0].ringing.heard == ["cancelled"]
    assert len(office.gateway.legs) == 2


def test_a_winner_with_another_codec_is_heard_after_the_caller_was_asked(office: MemoryOffice) -> None:
    call, phones = ringing(office)
    sends_early(office, phones[0], 183, "PCMA")
    phones[1].ringing.answer(phones[1].sdp(codecs=("PCMU",)))
    office.settle()
    assert call.heard == ["407", "183", "answered", "reoffered", "acknowledged"]
    assert [party.codec for party in office.call.parties] == ["PCMU", "PCMU"]


def test_early_media_in_a_codec_the_caller_was_not_given_stays_unheard(office: MemoryOffice) -> None:
    office.sets(transcoding="off")
    call, phones = ringing(office)
    sends_early(office, phones[0], 183, "PCMA")
    sends_early(office, phones[1], 183, "PCMU")
    phones[0].ringing.refuse(480)
    office.settle()
    assert office.hears(call.phone) == RINGBACK
    phones[1].ringing.answer(phones[1].sdp(codecs=("PCMU",)))
    office.settle()
    assert [party.codec for party in office.call.parties] == ["PCMU", "PCMU"]


@pytest.mark.parametrize("place", [0, 1])
def test_a_phone_whose_early_media_was_its_answer_may_say_nothing_in_the_200(
    office: MemoryOffice, place: int
) -> None:
    call, phones = ringing(office)
    for phone in phones[:2]:
        sends_early(office, phone)
    phones[place].ringing.answer(b"")
    office.settle()
    assert call.is_up
    assert (office.hears(call.phone), office.hears(phones[place])) == ("102", "101")


def test_a_phone_that_never_said_what_it_speaks_is_let_go(office: MemoryOffice) -> None:
    call, phones = ringing(office)
    sends_early(office, phones[0])
    phones[1].ringing.answer(b"")
    office.settle()
    assert phones[1].ringing.heard == ["acknowledged", "ended"]
    assert call.heard == ["407", "183"]


def test_early_media_that_makes_no_sense_is_told_and_not_heard(office: MemoryOffice) -> None:
    call, phones = ringing(office)
    phones[0].ringing.ring(183, b"garbage")
    office.settle()
    assert call.heard == ["407", "183"]
    assert not call.remote_sdp
    sends_early(office, phones[1])
    assert call.heard == ["407", "183", "183"]
    assert office.hears(call.phone) == "102"


def test_a_phone_may_move_its_early_media(office: MemoryOffice) -> None:
    call, phones = ringing(office)
    sends_early(office, phones[0])
    phones[0].media_host = "192.0.2.77"
    sends_early(office, phones[0])
    plan = office.media_of(phones[0]).plan
    assert plan is not None
    assert plan.remote is not None
    assert plan.remote.host == "192.0.2.77"
    assert call.heard == ["407", "183"]


def test_a_caller_that_waits_for_our_offer_is_told_to_ring(office: MemoryOffice) -> None:
    call, phones = ringing(office, sdp=b"")
    sends_early(office, phones[0])
    assert call.heard == ["407", "180"]
    assert not call.remote_sdp
    phones[0].ringing.answer()
    office.settle()
    assert (office.hears(call.phone), office.hears(phones[0])) == ("102", "101")


def test_a_caller_that_nothing_can_be_played_to_hears_nothing_instead_of_ringback(office: MemoryOffice) -> None:
    office.has("101", "102", codecs=("G729",))
    call, phones = ringing(office, sdp=b"\r\n".join([
        b"v=0", b"o=- 1 1 IN IP4 192.0.2.10", b"s=-", b"c=IN IP4 192.0.2.10", b"t=0 0",
        b"m=audio 45080 RTP/AVP 18", b"",
    ]))  # fmt: skip
    sends_early(office, phones[0], 183, "G729")
    assert office.call.state == CallState.EARLY
    phones[0].ringing.refuse(480)
    office.settle()
    assert not any(media.playing for media in office.gateway.legs.values())
    assert call.heard[-1] == "183"


# -- several phones behind one contact ----------------------------------------------------------------------------


def test_a_proxy_may_fork_one_invite_to_several_phones(office: MemoryOffice) -> None:
    call, (proxy,) = ringing(office, 1)
    one = proxy.ringing
    other = one.fork()
    one.ring()
    office.settle()
    other.ring(183, proxy.sdp())
    office.settle()
    assert call.heard == ["407", "180", "183"]
    assert office.hears(call.phone) == "102"
    (session,) = [item for item in office.office.agent.sessions.values() if item.dialog is None]
    assert len(session._early) == 2
    one.answer()
    office.settle()
    assert call.is_up
    assert one.is_up
    assert one.heard == ["acknowledged"]


def test_the_second_answer_to_one_invite_is_acknowledged_and_ended(office: MemoryOffice) -> None:
    call, (proxy,) = ringing(office, 1)
    one = proxy.ringing
    other = one.fork()
    office.in_one_breath(one.answer, other.answer)
    assert one.heard == ["acknowledged"]
    assert other.heard == ["acknowledged", "ended"]
    assert call.heard.count("answered") == 1
    other_again = one.fork()
    other_again.answer()
    office.settle()
    assert other_again.heard == ["acknowledged", "ended"]
    assert call.is_up
    assert one.is_up


def test_an_answer_after_the_call_was_given_up_is_ended_with_the_reason_why(office: MemoryOffice) -> None:
    _, phones = ringing(office, 2)
    for phone in phones:
        phone.ringing.ring()
    office.settle()
    office.in_one_breath(phones[0].ringing.answer, phones[1].ringing.answer)
    loser = next(phone.ringing for phone in phones if phone.ringing.is_over)
    assert loser.heard == ["acknowledged", "ended"]
    assert loser.reason == 'SIP;cause=200;text="Call completed elsewhere"'


def test_early_media_of_one_branch_and_the_answer_of_another_share_the_port(office: MemoryOffice) -> None:
    call, (proxy,) = ringing(office, 1)
    one = proxy.ringing
    other = one.fork()
    one.ring(183, proxy.sdp())
    office.settle()
    other.ring(183, proxy.sdp(host="192.0.2.88"))
    office.settle()
    plan = office.media_of(proxy).plan
    assert plan is not None
    assert plan.remote is not None
    assert plan.remote.host == proxy.host
    other.answer(proxy.sdp(host="192.0.2.88"))
    office.settle()
    plan = office.media_of(proxy).plan
    assert plan is not None
    assert plan.remote is not None
    assert plan.remote.host == "192.0.2.88"
    assert len(office.gateway.legs) == 2
    assert call.is_up
    proxy.calls = [other]  # a proxy would have cancelled the branch that was heard


def test_a_phone_may_ask_something_in_an_early_dialog(office: MemoryOffice) -> None:
    _, phones = ringing(office, 1)
    ringing_call = phones[0].ringing
    ringing_call.ring()
    office.settle()
    dialog = ringing_call.line.dialog
    assert dialog is not None
    for method, status in (("OPTIONS", 200), ("INFO", 200), ("INVITE", 491), ("BYE", 481)):
        request = dialog.make_request(method)
        phones[0].agent.send_request(request, phones[0].flow, phones[0].now, phones[0])
        office.settle()
        assert phones[0].last.status == status
    assert office.call.state == CallState.RINGING


def acknowledged(office: MemoryOffice) -> tuple[PhoneCall, MemoryPhone]:
    """A call from 101 to 102, whose phone has said nothing yet and will do so reliably."""
    alice, bob = office.registered("101", "102")
    bob.rings, bob.reliable = False, ReliableProvisional.REQUIRED
    call = alice.call("102")
    office.settle()
    return call, bob


def offers_anew(office: MemoryOffice, call: PhoneCall, sdp: bytes) -> int:
    """UPDATE in the early dialog of a phone that rings (RFC 3311 section 5.1); the status of our answer."""
    dialog = call.line.dialog
    assert dialog is not None
    request = dialog.make_request("UPDATE")
    request.headers.add("Contact", f"<{call.phone.contact}>")
    request.headers.add("Content-Type", "application/sdp")
    request.body = sdp
    call.phone.agent.send_request(request, call.phone.flow, call.phone.now, call.phone)
    office.settle()
    return call.phone.last.status


@pytest.mark.parametrize("says", ["nothing", "the old answer", "the new offer"])
def test_a_phone_that_offers_anew_before_it_answers_is_heard_where_it_said_last(
    office: MemoryOffice, says: str
) -> None:
    call, bob = acknowledged(office)
    sends_early(office, bob)
    old = bob.answer_to(bob.ringing.remote_sdp)
    bob.media_host = "192.0.2.78"
    new = bob.sdp()
    assert offers_anew(office, bob.ringing, new) == 200
    bob.ringing.ring(180, old)
    office.settle()
    bob.ringing.answer({"nothing": b"", "the old answer": old, "the new offer": new}[says])
    office.settle()
    assert call.is_up
    plan = office.media_of(bob).plan
    assert plan is not None
    assert plan.remote is not None
    assert plan.remote.host == "192.0.2.78"


def test_a_phone_whose_early_offer_is_refused_may_still_answer(office: MemoryOffice) -> None:
    call, bob = acknowledged(office)
    sends_early(office, bob)
    assert offers_anew(office, bob.ringing, b"garbage") == 400
    assert offers_anew(office, bob.ringing, bob.sdp(codecs=("G722",))) == 488
    bob.ringing.answer()
    office.settle()
    assert call.is_up
    assert office.hears(bob) == "101"


def test_one_branch_offers_anew_and_another_answers(office: MemoryOffice) -> None:
    call, bob = acknowledged(office)
    first, second = bob.ringing, bob.ringing.fork()
    first.ring(183, bob.answer_to(first.remote_sdp))
    office.settle()
    second.ring(180)
    office.settle()
    bob.media_host = "192.0.2.79"
    assert offers_anew(office, first, bob.sdp()) == 200
    bob.media_host = "192.0.2.80"
    second.answer()
    office.settle()
    assert call.is_up
    plan = office.media_of(bob).plan
    assert plan is not None
    assert plan.remote is not None
    assert plan.remote.host == "192.0.2.80"
    bob.calls = [second]  # a proxy would have cancelled the branch that was heard
