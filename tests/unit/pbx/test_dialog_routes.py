"""Proxies between a phone and the office: Record-Route in both roles, loose and strict (RFC 3261 section 12.2)."""

from __future__ import annotations

import pytest

from engine.core.views import CallState
from engine.sip.message import Request
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.phone import MemoryPhone, PhoneCall

NEAR, FAR = "<sip:192.0.2.71;lr>", "<sip:192.0.2.72;lr>"
STRICT = "<sip:192.0.2.73>"


def recorded(phone: MemoryPhone, routes: tuple[str, ...]) -> None:
    """Whatever INVITE this phone sends came through these proxies, the nearest to the office first."""
    send_request = phone.agent.layer.send_request

    def through(request: Request, *rest: object) -> object:
        if request.method == "INVITE" and request.to_tag is None:
            for route in routes:
                request.headers.add("Record-Route", route)
        return send_request(request, *rest)  # type: ignore[arg-type]

    phone.agent.layer.send_request = through  # type: ignore[method-assign,assignment]


def route_of(office: MemoryOffice, phone: MemoryPhone, method: str) -> tuple[str, list[str]]:
    """Request-URI and Route of the latest request to a phone."""
    request = office.wire.last[phone.host, method]
    assert isinstance(request, Request)
    return request.uri, request.headers.list_of("Route")


def a_call_through(
    office: MemoryOffice, *, of_caller: tuple[str, ...] = (), of_callee: tuple[str, ...] = ()
) -> tuple[MemoryPhone, MemoryPhone, PhoneCall, PhoneCall]:
    alice, bob = office.registered("101", "102")
    recorded(alice, of_caller)
    call = alice.call("102")
    office.settle()
    transaction = bob.ringing.line._invite
    assert transaction is not None
    assert transaction.request is not None
    for route in of_callee:
        transaction.request.headers.add("Record-Route", route)
    bob.ringing.answer()
    office.settle()
    return alice, bob, call, bob.ringing


def test_our_requests_to_a_caller_go_back_through_its_proxies(office: MemoryOffice) -> None:
    alice, _, _, answered = a_call_through(office, of_caller=(NEAR, FAR))
    response = office.wire.last[alice.host, "200"]
    assert response.headers.list_of("Record-Route") == [NEAR, FAR]
    answered.hang_up()
    office.settle()
    assert route_of(office, alice, "BYE") == (alice.contact, [NEAR, FAR])


def test_our_requests_to_a_callee_go_back_in_reverse_order(office: MemoryOffice) -> None:
    _, bob, call, _ = a_call_through(office, of_callee=(FAR, NEAR))
    assert route_of(office, bob, "ACK") == (bob.contact, [NEAR, FAR])
    call.hang_up()
    office.settle()
    assert route_of(office, bob, "BYE") == (bob.contact, [NEAR, FAR])


def test_a_strict_router_gets_its_own_address_as_the_request_uri(office: MemoryOffice) -> None:
    _, bob, call, _ = a_call_through(office, of_callee=(FAR, STRICT))
    call.hang_up()
    office.settle()
    assert route_of(office, bob, "BYE") == ("sip:192.0.2.73", [FAR, f"<{bob.contact}>"])


def test_a_strict_router_of_the_caller_is_honoured_too(office: MemoryOffice) -> None:
    alice, _, _, answered = a_call_through(office, of_caller=(STRICT, FAR))
    answered.hang_up()
    office.settle()
    assert route_of(office, alice, "BYE") == ("sip:192.0.2.73", [FAR, f"<{alice.contact}>"])


def test_a_changed_contact_is_the_target_from_then_on_and_the_route_stays(office: MemoryOffice) -> None:
    alice, _, call, answered = a_call_through(office, of_caller=(NEAR,))
    call.line.contact = "<sip:101@192.0.2.55:5062>"
    call.hold()
    office.settle()
    answered.hang_up()
    office.settle()
    assert route_of(office, alice, "BYE") == ("sip:101@192.0.2.55:5062", [NEAR])


@pytest.mark.parametrize("hops", [1, 2, 69])
def test_hops_are_counted_across_the_office(office: MemoryOffice, hops: int) -> None:
    alice, bob = office.registered("101", "102")
    alice.call("102", max_forwards=hops)
    office.settle()
    assert bob.ringing.invite is not None
    assert bob.ringing.invite.headers.get("Max-Forwards") == str(hops - 1)
    assert office.call.state == CallState.RINGING
