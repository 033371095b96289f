"""Who calls is who logged in: nothing a phone writes about itself gets through, before the answer or after."""

from __future__ import annotations

import pytest

from engine.core.views import CallState
from engine.sip.message import Request, Response
from engine.store.configuration import HoldPolicy
from tests.unit.pbx.office import OFFICE, MemoryOffice
from tests.unit.pbx.phone import PhoneCall

THE_BOSS = '"The Boss" <sip:103@192.0.2.1>'
CLAIMS = (
    ("P-Asserted-Identity", THE_BOSS),
    ("P-Preferred-Identity", THE_BOSS),
    ("Remote-Party-ID", f"{THE_BOSS};party=calling;screen=yes"),
    ("Diversion", f"{THE_BOSS};reason=unconditional"),
    ("History-Info", "<sip:103@192.0.2.1>;index=1"),
    ("Identity", "forged"),
    ("Privacy", "none"),
    ("Call-Info", "<http://192.0.2.66/boss.png>;purpose=icon"),
    ("Alert-Info", "<http://192.0.2.66/ring.wav>"),
)


def claims(call: PhoneCall) -> PhoneCall:
    """From now on each request of this call carries what its sender would like to be."""
    layer = call.phone.agent.layer
    send_request = layer.send_request

    def with_claims(request: Request, *rest: object) -> object:
        for name, value in CLAIMS:
            request.headers.add(name, value)
        return send_request(request, *rest)  # type: ignore[arg-type]

    layer.send_request = with_claims  # type: ignore[method-assign,assignment]
    return call


def texts(office: MemoryOffice, host: str) -> list[bytes]:
    """The latest message of each kind that went to a host, as bytes."""
    return [message.encode() for (to, _), message in office.wire.last.items() if to == host]


def test_what_a_caller_says_of_itself_reaches_nobody(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    office.has("101", name="Anna")
    office.has("103", name="The Boss")
    call = alice.call("102", caller=THE_BOSS)
    claims(call)
    office.settle()
    bob.ringing.answer()
    office.settle()
    call.hold()
    office.settle()
    call.resume()
    office.settle()
    assert (office.call.caller, office.call.caller_name) == ("101", "Anna")
    call.hang_up()
    office.settle()
    said = texts(office, bob.host)
    assert len(said) > 3
    for text in said:
        assert b"Boss" not in text
        assert b"sip:103" not in text
        assert b"forged" not in text
        for name, _ in CLAIMS:
            assert f"\r\n{name}:".lower().encode() not in text.lower()
    assert office.record.caller == "101"


def test_what_a_callee_says_of_itself_reaches_nobody(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    office.has("101", "102", hold=HoldPolicy.PASS)
    call = alice.call("102")
    office.settle()
    claims(bob.ringing)
    bob.ringing.answer()
    office.settle()
    bob.ringing.hold()
    office.settle()
    bob.ringing.hang_up()
    office.settle()
    assert call.heard[-1] == "ended"
    for text in texts(office, alice.host):
        assert b"Boss" not in text
    assert office.record.callee == "102"


def test_a_login_of_one_cannot_be_used_with_the_from_of_another(office: MemoryOffice) -> None:
    """The digest's user name decides, also when To, From and Contact all say another."""
    alice, bob = office.registered("101", "102")
    office.has("103")
    alice.call("102", caller="<sip:103@192.0.2.1>", contact="<sip:103@192.0.2.10:5060>")
    office.settle()
    assert office.call.caller == "101"
    invite = bob.ringing.invite
    assert invite is not None
    assert "sip:103" not in (invite.headers.get("From") or "")
    assert "sip:103" not in (invite.headers.get("Contact") or "")


@pytest.mark.parametrize("method", ["BYE", "INVITE", "INFO"])
def test_a_stranger_cannot_touch_a_call_whose_tags_it_does_not_know(office: MemoryOffice, method: str) -> None:
    alice, bob, call, answered = office.talking()
    carol = office.phone("199", host="192.0.2.66")
    assert call.line.dialog is not None
    for forge in ("From", "To", "Call-ID"):
        request = call.line.dialog.make_request(method)
        request.headers.add("Contact", "<sip:103@192.0.2.66>")
        value = request.headers.get(forge) or ""
        request.headers.set(forge, value[:-2] + ("aa" if not value.endswith("aa") else "bb"))
        carol.agent.send_request(request, carol.flow, carol.now, carol)
        office.settle()
        assert carol.last.status == 481
    assert call.is_up
    assert answered.is_up
    assert office.call.state == CallState.TALKING
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")


def test_a_phone_that_changes_its_from_within_a_call_stays_who_it_is(office: MemoryOffice) -> None:
    _, bob, call, _ = office.talking()
    assert call.line.dialog is not None
    call.line.dialog.local_address = call.line.dialog.local_address.replace("sip:101@", "sip:103@")
    call.hold()
    office.settle()
    assert call.heard[-1] == "reoffer answered"
    assert office.call.caller == "101"
    assert office.hears(bob) == "music"
    call.hang_up()
    office.settle()
    assert office.record.caller == "101"


def test_the_office_says_nothing_of_the_phones_addresses(office: MemoryOffice) -> None:
    """Both see the office alone: no Via, Record-Route, Contact or SDP address of the other."""
    alice, bob, call, _ = office.talking()
    call.hold()
    office.settle()
    call.hang_up()
    office.settle()
    for one, other in ((alice, bob), (bob, alice)):
        for text in texts(office, one.host):
            assert other.host.encode() not in text.replace(one.host.encode(), b"")


@pytest.mark.parametrize("name", ["486", "180", "200"])
def test_responses_are_made_here_and_not_passed_on(office: MemoryOffice, name: str) -> None:
    alice, bob = office.registered("101", "102")
    call = alice.call("102")
    office.settle()
    if name == "486":
        bob.ringing.refuse(486, "Busy In Room 4711")
    elif name == "200":
        bob.ringing.answer()
    office.settle()
    response = office.wire.last[alice.host, name]
    assert isinstance(response, Response)
    assert bob.host not in response.encode().decode()
    assert response.headers.get("User-Agent") is None
    assert OFFICE in (response.headers.get("Contact") or OFFICE)
    assert call.heard[-1] == ("answered" if name == "200" else name)
