"""Calls over outside lines: out, in, challenged, from one server and one line to the next, limits, identities."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from engine.core.errors import RefusedError
from engine.core.events import TrunkRefused
from engine.core.peering import Identity, ReliableProvisional
from engine.core.views import CallState
from engine.net.resolve import Server
from engine.pbx.trunks.causes import q850_reason
from engine.pbx.trunks.limits import Claim, Full, TrunkCalls, Way
from engine.pbx.trunks.matching import number_called
from engine.sip.headers import Headers
from engine.sip.identity import is_anonymous
from engine.sip.message import Request
from engine.store.outside import InboundRule, Preset, RouteRule, Trunk
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.outside import CARRIER, MemoryCarrier, connect
from tests.unit.pbx.phone import MemoryPhone

SECOND = "198.51.100.2"


@pytest.fixture
def carrier(office: MemoryOffice) -> MemoryCarrier:
    carrier = MemoryCarrier(office)
    connect(office)
    return carrier


@pytest.fixture
def alice(office: MemoryOffice) -> MemoryPhone:
    (alice,) = office.registered("101")
    return alice


def talk(office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier) -> None:
    call = alice.call("94711")
    office.settle()
    carrier.ringing.answer()
    office.settle()
    assert call.is_up


def test_a_call_goes_outside_by_the_prefix_and_is_recorded(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier
) -> None:
    call = alice.call("94711")
    office.settle()
    assert call.heard[-1] == "180"
    assert carrier.requests[-1].uri == f"sip:4711@{CARRIER}"
    assert (office.call.callee, office.call.trunk_out, office.call.trunk_in) == ("94711", "line", None)
    carrier.ringing.answer()
    office.settle()
    assert office.call.state is CallState.TALKING
    assert (office.hears(alice), office.hears(carrier)) == (carrier.number, "101")
    call.hang_up()
    office.settle()
    assert (office.record.trunk_out, office.record.cause) == ("line", "normal")
    assert carrier.ringing.is_over


def test_contacts_name_who_calls_and_who_is_called(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier
) -> None:
    """What the office's contacts say goes before what the carrier says."""
    office.office.exchange.name_of = {"4930999": "Huber", "94711": "Taxi"}.get
    call = carrier.dials("101", '"WEBER,G" <sip:4930999@carrier.test>')
    office.settle()
    invite = alice.ringing.invite
    assert invite is not None
    assert '"Huber" <sip:4930999@' in (invite.headers.get("From") or "")
    assert office.call.caller_name == "Huber"
    call.hang_up()
    office.settle()
    talk(office, alice, carrier)
    assert office.call.callee_name == "Taxi"


def test_a_call_comes_in_for_an_extension(office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier) -> None:
    call = carrier.dials("101", '"Weber" <sip:4930999@carrier.test>')
    office.settle()
    invite = alice.ringing.invite
    assert invite is not None
    assert '"Weber" <sip:4930999@' in (invite.headers.get("From") or "")
    assert (office.call.trunk_in, office.call.caller, office.call.caller_name) == ("line", "4930999", "Weber")
    alice.ringing.answer()
    office.settle()
    assert call.is_up
    assert office.hears(alice) == carrier.number
    alice.ringing.hang_up()
    office.settle()
    assert office.record.trunk_in == "line"


@pytest.mark.parametrize(("reason", "told"), [(None, "Q.850;cause=16"), ("SIP;cause=600", "SIP;cause=600")])
def test_a_carrier_hears_why_the_call_ended(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier, reason: str | None, told: str
) -> None:
    talk(office, alice, carrier)
    alice.calls[-1].hang_up(reason)
    office.settle()
    assert carrier.ringing.reason == told


@pytest.mark.parametrize(
    ("cause", "number"),
    [("normal", 16), ("486 Busy Here", 17), ("released by an operator", 16), ("404 x", 1), ("499 odd", 31)],
)
def test_causes_are_those_of_telephone_networks(cause: str, number: int) -> None:
    assert q850_reason(cause) == f"Q.850;cause={number}"


def test_an_inbound_number_leads_to_its_extension(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier
) -> None:
    office.configure(inbound=(InboundRule(1, "line", "4930555", extension="101"),))
    carrier.dials("493055512")
    office.settle()
    assert alice.ringing.heard == []
    assert office.call.callee == "493055512"


def test_a_number_that_nobody_has_is_not_found(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier
) -> None:
    call = carrier.dials("555")
    office.settle()
    assert call.failure is not None
    assert call.failure.status == 404


def test_a_from_alone_opens_no_door(office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier) -> None:
    stranger = MemoryCarrier(office, "203.0.113.66")
    call = stranger.dials("101", f"<sip:4930999@{CARRIER}>")
    office.settle()
    assert call.failure is not None
    assert "407" in call.heard
    assert not office.office.calls()


def test_a_network_and_a_contact_open_the_door(office: MemoryOffice, alice: MemoryPhone) -> None:
    connect(office, addresses=("203.0.113.0/24",))
    for host, uri in (("203.0.113.9", None), ("192.0.2.200", "sip:line-line@192.0.2.1")):
        other = MemoryCarrier(office, host)
        call = other.call("101", uri=uri, caller="<sip:4930999@x>")
        office.settle()
        if uri is not None:  # its To names nobody of the house
            assert call.failure is not None
            assert call.failure.status == 404
        else:
            assert call.heard[-1] == "180"
        call.hang_up()
        office.settle()


def test_the_number_dialled_stands_beside_our_contact(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier
) -> None:
    line = office.office.exchange.trunks.line("line")
    assert line is not None
    uri = f"sip:{line.contact_user}@192.0.2.1"
    to = ("To", "<sip:102@x>")
    assert number_called(line, Request("INVITE", uri, Headers([to]))) == "102"
    beside = ("P-Called-Party-ID", "<sip:103@x>")
    assert number_called(line, Request("INVITE", uri, Headers([to, beside]))) == "103"
    assert number_called(line, Request("INVITE", "sip:104@x", Headers([to]))) == "104"


def test_a_challenge_is_answered_in_the_same_dialog(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier
) -> None:
    connect(office, username="line1", password="geheim")
    carrier.login = ("line1", "geheim")
    talk(office, alice, carrier)
    first, second = carrier.requests
    assert first.call_id == second.call_id
    assert (first.cseq.number, second.cseq.number) == (1, 2)
    assert first.from_tag == second.from_tag
    alice.calls[-1].hang_up()
    office.settle()
    assert carrier.ringing.is_over


def test_a_wrong_password_is_no_endless_story(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier
) -> None:
    connect(office, username="line1", password="falsch")
    carrier.login = ("line1", "geheim")
    call = alice.call("94711")
    office.settle()
    assert len(carrier.requests) == 2
    assert call.failure is not None
    assert (call.failure.status, call.failure.reason) == (503, "Outside Line Refuses")


@pytest.mark.parametrize(("status", "goes_on"), [(500, True), (503, True), (403, True), (486, False), (404, False)])
def test_the_next_line_is_tried_after_a_failure_and_not_after_an_answer(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier, status: int, goes_on: bool
) -> None:
    other = MemoryCarrier(office, SECOND)
    connect(office, "other", SECOND)
    carrier.refuses_with = status
    call = alice.call("94711")
    office.settle()
    assert len(other.requests) == goes_on
    if goes_on:
        other.ringing.answer()
        office.settle()
        assert call.is_up
        assert office.call.trunk_out == "other"
    else:
        assert call.failure is not None
        assert call.failure.status == status


@pytest.mark.parametrize(
    ("fields", "status", "reason", "heard"),
    [
        ({}, 403, "Barred", "403 Barred"),
        ({"username": "line1", "password": "geheim"}, 403, "Forbidden", "503 Outside Line Refuses"),
        ({}, 402, "Pay First", "503 Outside Line Refuses"),
        ({}, 401, "Unauthorized", "503 Outside Line Refuses"),
        ({}, 433, "Anonymity Disallowed", "433 Anonymity Disallowed"),
        ({}, 488, "Not Acceptable Here", "488 Not Acceptable Here"),
        ({}, 500, "Broken", "503 Outside Line Refuses"),
        ({}, 603, "Decline", "603 Decline"),
    ],
)
def test_the_caller_hears_what_is_about_the_call_and_nothing_of_our_login(
    office: MemoryOffice,
    alice: MemoryPhone,
    carrier: MemoryCarrier,
    fields: dict[str, str],
    status: int,
    reason: str,
    heard: str,
) -> None:
    office.sets(transcoding="off")
    connect(office, **fields)
    carrier.rings = False
    call = alice.call("94711")
    office.settle()
    carrier.ringing.refuse(status, reason)
    office.settle()
    assert call.failure is not None
    assert f"{call.failure.status} {call.failure.reason}" == heard


@pytest.mark.parametrize(("status", "heard"), [(404, "Q.850;cause=1"), (403, "Q.850;cause=21"), (402, None)])
def test_what_the_network_says_of_a_refusal_is_told_on(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier, status: int, heard: str | None
) -> None:
    """Of what the caller hears, and of nothing that is between us and the carrier."""
    carrier.rings = False
    call = alice.call("94711")
    office.settle()
    session, now = carrier.ringing.line, carrier.now
    session.reject(now, status, headers=(("Reason", "SIP;cause=1"), ("Reason", f"{heard or 'Q.850;cause=5'}")))
    office.settle()
    assert call.failure is not None
    assert call.failure.response is not None
    assert call.failure.response.headers.get("Reason") == heard


@pytest.mark.parametrize(("refusal", "cause"), [(486, 17), (603, 21), (None, 1)])
def test_a_caller_from_outside_hears_the_cause_of_its_network(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier, refusal: int | None, cause: int
) -> None:
    alice.refuses_with = refusal
    call = carrier.dials("101" if refusal is not None else "199")
    office.settle()
    assert call.failure is not None
    assert call.failure.response is not None
    assert call.failure.response.headers.get("Reason") == f"Q.850;cause={cause}"


def test_a_line_without_a_common_codec_is_passed_over(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier
) -> None:
    office.sets(transcoding="off")
    other = MemoryCarrier(office, SECOND)
    connect(office, codecs=("G722",))
    connect(office, "other", SECOND)
    call = alice.call("94711")
    office.settle()
    assert not carrier.requests
    assert office.call.trunk_out == "other"
    other.ringing.answer()
    office.settle()
    assert call.is_up
    line, second = (office.office.exchange.trunks.line(name) for name in ("line", "other"))
    assert line is not None
    assert second is not None
    assert (line.view().active_out, line.view().refused_out) == (0, 1)
    assert line.view().refusals == (("out: no common codec", 1),)
    assert second.view().active_out == 1


def test_where_no_line_has_a_common_codec_the_caller_hears_what_it_offered(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier
) -> None:
    office.sets(transcoding="off")
    connect(office, codecs=("G722",))
    call = alice.call("94711")
    office.settle()
    assert call.failure is not None
    assert (call.failure.status, call.failure.reason) == (488, "No Common Codec In PCMA PCMU")
    response = call.failure.response
    assert response is not None
    assert (response.headers.get("Warning") or "").startswith("305 ")


def test_the_next_server_is_tried_when_the_first_says_nothing(office: MemoryOffice, alice: MemoryPhone) -> None:
    servers = (Server(CARRIER, 5060, "UDP"), Server(SECOND, 5060, "UDP"))
    office.resolver.known["carrier.test"] = servers
    other = MemoryCarrier(office, SECOND)
    connect(office, host="carrier.test", max_out=1)
    office.advance(1)
    call = alice.call("94711")
    office.settle()
    line = office.office.exchange.trunks.line("line")
    assert line is not None
    office.advance(5)
    assert call.heard[-1] == "180"
    other.ringing.answer()
    office.settle()
    assert call.is_up
    assert line.reachable_servers()[0].host == SECOND
    assert line.view().active_out == 1


def test_the_only_server_has_all_the_time_of_its_transaction(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier
) -> None:
    """Nobody else could be asked: giving it up would lose the call."""
    office.wire.lose("INVITE", CARRIER, 5)
    call = alice.call("94711")
    office.advance(20)
    assert call.heard[-1] == "180"
    carrier.ringing.answer()
    office.settle()
    assert call.is_up


def test_without_any_line_the_caller_hears_why(office: MemoryOffice, alice: MemoryPhone) -> None:
    connect(office, host="nowhere.test")
    call = alice.call("94711")
    office.settle()
    assert call.failure is not None
    assert (call.failure.status, call.failure.reason) == (503, "Outside Line Out Of Order")


def test_a_line_that_is_not_registered_is_passed_over(office: MemoryOffice, alice: MemoryPhone) -> None:
    other = MemoryCarrier(office, SECOND)
    connect(office, "a", registers=True, username="u", password="p")
    connect(office, "b", SECOND)
    alice.call("94711")
    office.settle()
    assert len(other.requests) == 1
    assert [event.reason for event in office.heard_events(TrunkRefused) if isinstance(event, TrunkRefused)] == [
        "not registered"
    ]


# -- who is told to call ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("identity", Identity)
def test_the_outside_number_is_told_where_the_carrier_looks(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier, identity: Identity
) -> None:
    office.has("101", outside_number="4930555101", name="Anna")
    connect(office, identity=identity)
    alice.call("94711")
    office.settle()
    headers = carrier.requests[-1].headers
    assert "4930555101" in (headers.get("From") or "")
    field = {"pai": "P-Asserted-Identity", "ppi": "P-Preferred-Identity", "rpid": "Remote-Party-ID"}.get(identity)
    told = {name for name, _ in headers} & {"P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID"}
    assert told == ({field} if field else set())
    if field:
        assert "4930555101" in (headers.get(field) or "")


@pytest.mark.parametrize("is_trusted", [False, True])
def test_who_withholds_the_number_is_told_to_trusted_carriers_alone(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier, is_trusted: bool
) -> None:
    connect(office, is_trusted=is_trusted)
    alice.call("94711", extra=(("Privacy", "id"),))
    office.settle()
    headers = carrier.requests[-1].headers
    assert is_anonymous(headers)
    assert headers.get("Privacy") == "id"
    assert ("P-Asserted-Identity" in headers) == is_trusted


@pytest.mark.parametrize("is_trusted", [False, True])
def test_a_carrier_is_believed_only_when_it_is_trusted(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier, is_trusted: bool
) -> None:
    connect(office, is_trusted=is_trusted)
    carrier.dials("101", extra=(("P-Asserted-Identity", "<sip:4930111@carrier.test>"),))
    office.settle()
    assert office.call.caller == ("4930111" if is_trusted else "4930999")


def test_an_anonymous_caller_is_shown_as_one(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier
) -> None:
    carrier.dials("101", '"Anonymous" <sip:anonymous@anonymous.invalid>')
    office.settle()
    invite = alice.ringing.invite
    assert invite is not None
    assert is_anonymous(invite.headers)
    assert office.call.caller == "anonymous"


def test_an_ims_core_hears_of_early_media(office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier) -> None:
    connect(office, preset=Preset.IMS)
    alice.call("94711")
    office.settle()
    assert carrier.requests[-1].headers.get("P-Early-Media") == "supported"


@pytest.mark.parametrize("policy", ReliableProvisional)
def test_the_line_decides_on_reliable_responses(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier, policy: ReliableProvisional
) -> None:
    connect(office, reliable_provisional=policy)
    carrier.reliable = ReliableProvisional.SUPPORTED
    alice.call("94711")
    office.settle()
    headers = carrier.requests[-1].headers
    said = ["100rel" in headers.tokens("Supported"), "100rel" in headers.tokens("Require")]
    assert said == [policy is not ReliableProvisional.OFF, policy is ReliableProvisional.REQUIRED]
    carrier.reliable = ReliableProvisional.OFF
    call = carrier.dials("101")
    office.settle()
    expected = 421 if policy is ReliableProvisional.REQUIRED else None
    assert (call.failure.status if call.failure else None) == expected


# -- limits -------------------------------------------------------------------------------------------------------


def test_limits_count_from_the_invite_to_the_end(office: MemoryOffice, carrier: MemoryCarrier) -> None:
    phones = office.registered("101", "102", "103")
    connect(office, max_out=2, max_in=1)
    calls = []
    for phone in phones:
        calls.append(phone.call("94711"))
        office.settle()
    line = office.office.exchange.trunks.line("line")
    assert line is not None
    assert [call.failure.reason if call.failure else None for call in calls] == [None, None, "All Lines Busy"]
    assert (line.view().active_out, line.view().refused_out) == (2, 1)
    calls[0].hang_up()
    office.settle()
    assert line.view().active_out == 1
    phones[2].call("94711")
    office.settle()
    assert line.view().active_out == 2
    incoming = [carrier.dials("101"), carrier.dials("102")]
    office.settle()
    assert [call.failure.status if call.failure else None for call in incoming] == [None, 486]
    assert (line.view().active_in, line.view().refused_in) == (1, 1)
    assert dict(line.view().refusals) == {"out: limit reached": 1, "in: limit reached": 1}


@pytest.mark.parametrize("over_limit", [486, 503])
def test_what_a_call_over_the_limit_gets(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier, over_limit: int
) -> None:
    connect(office, max_in=1, over_limit=over_limit)
    carrier.dials("101")
    office.settle()
    call = carrier.dials("101")
    office.settle()
    assert call.failure is not None
    assert call.failure.response is not None
    assert call.failure.status == over_limit
    assert "Retry-After" not in call.failure.response.headers


def test_nought_forbids_a_direction(office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier) -> None:
    connect(office, max_in=0, max_out=0)
    incoming, outgoing = carrier.dials("101"), alice.call("94711")
    office.settle()
    assert incoming.failure is not None
    assert incoming.failure.status == 403
    assert outgoing.failure is not None
    assert outgoing.failure.status == 503
    assert not carrier.requests


def test_a_full_line_gives_the_call_to_the_next(office: MemoryOffice, carrier: MemoryCarrier) -> None:
    phones = office.registered("101", "102")
    connect(office, max_out=1)
    other = MemoryCarrier(office, SECOND)
    connect(office, "other", SECOND)
    for phone in phones:
        phone.call("94711")
        office.settle()
    assert (len(carrier.requests), len(other.requests)) == (1, 1)


def emergency(office: MemoryOffice) -> None:
    office.configure(routes=(RouteRule(1, "112", is_emergency=True, trunks=("line",)),))


def test_an_emergency_call_gets_the_room_of_the_newest_ordinary_one(
    office: MemoryOffice, carrier: MemoryCarrier
) -> None:
    phones = office.registered("101", "102", "103")
    connect(office, max_out=2)
    emergency(office)
    carrier.picks_up = True
    older, newer = phones[0].call("94711"), phones[1].call("94712")
    office.settle()
    call = phones[2].call("112")
    office.settle()
    assert call.is_up
    assert older.is_up
    assert newer.is_over
    line = office.office.exchange.trunks.line("line")
    assert line is not None
    assert line.view().active_out == 2
    assert any(record.cause == "503 Made Room For An Emergency Call" for record in office.records)


def test_an_emergency_call_gets_a_line_that_was_overridden_below_its_limit() -> None:
    """What the carrier carries is what the limit says, whatever operators have put on top."""
    calls, line, ended = (
        TrunkCalls(lambda: 0.0, lambda: None),
        Trunk("berlin", "sip.example", max_out=1),
        list[str](),
    )
    for name in ("first", "second"):
        taken = calls.claim(line, Way.OUT, partial(ended.append, name), is_over_limit=True)
        assert isinstance(taken, Claim)
    assert isinstance(calls.claim(line, Way.OUT, lambda: None, is_emergency=True), Claim)
    assert ended == ["second", "first"]
    assert calls.active(Way.OUT) == 1
    assert calls.claim(line, Way.OUT, lambda: None, is_emergency=True) is Full.LIMIT


def test_no_operator_ends_an_emergency_call(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier
) -> None:
    emergency(office)
    carrier.picks_up = True
    call = alice.call("112")
    office.settle()
    with pytest.raises(RefusedError, match="only those who talk may end it"):
        office.run(office.office.operator.release("101", None))
    assert call.is_up


def test_room_that_is_kept_for_emergencies_is_given_to_them_alone(
    office: MemoryOffice, carrier: MemoryCarrier
) -> None:
    phones = office.registered("101", "102", "103")
    connect(office, max_out=2, reserve_emergency=1)
    emergency(office)
    carrier.picks_up = True
    first, second = phones[0].call("94711"), phones[1].call("94712")
    office.settle()
    assert first.is_up
    assert second.failure is not None
    call = phones[2].call("112")
    office.settle()
    assert call.is_up
    assert first.is_up


def test_nought_is_absolute_for_emergencies_too(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier
) -> None:
    connect(office, max_out=0)
    emergency(office)
    call = alice.call("112")
    office.settle()
    assert call.failure is not None
    assert call.failure.status == 503


def test_an_extension_has_a_limit_of_its_own(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier
) -> None:
    office.has("101", max_out=1)
    first = alice.call("94711")
    office.settle()
    office.sets(ring_timeout_s=20)  # another configuration: its extensions are other values
    second = alice.call("94712")
    office.settle()
    assert second.failure is not None
    assert second.failure.reason == "Too Many Calls To The Outside"
    first.hang_up()
    office.settle()

    third = alice.call("94713")
    office.settle()
    assert third.heard[-1] == "180"


def test_a_limit_that_is_lowered_ends_no_call(
    office: MemoryOffice, alice: MemoryPhone, carrier: MemoryCarrier
) -> None:
    talk(office, alice, carrier)
    known = dict(office.configuration.trunks)
    known["line"] = replace(known["line"], max_out=0)
    office.configure(trunks=known)
    office.settle()
    assert alice.calls[-1].is_up
    alice.calls[-1].hang_up()
    office.settle()
    line = office.office.exchange.trunks.line("line")
    assert line is not None
    assert line.view().active_out == 0
