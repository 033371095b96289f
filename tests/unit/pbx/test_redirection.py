"""Phones that send a call on (3xx): followed by the rights of their extension, a few times, and never round."""

from __future__ import annotations

import itertools

import pytest

from engine.pbx.redirection import MOST_REDIRECTIONS, redirected_to
from engine.sip.headers import Headers
from engine.sip.message import Response
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.outside import MemoryCarrier, connect
from tests.unit.pbx.phone import MemoryPhone


def send_on(phone: MemoryPhone, *contacts: str, status: int = 302) -> None:
    fields = tuple(("Contact", contact) for contact in contacts)
    phone.ringing.line.reject(phone.now, status, headers=fields)


@pytest.mark.parametrize(
    ("contacts", "number"),
    [
        (["<sip:103@x>"], "103"),
        (["sip:103@x"], "103"),
        (["<sip:103@x>;q=0.1, <sip:104@x>;q=0.9"], "104"),
        (["<tel:+49301;phone-context=x>"], "+49301"),
        (["<sip:x>"], None),
        (["<<"], None),
        (["<sip:103@x>;q=much", "<sip:104@x>;q=0.2"], "104"),
        (["<sip:103@x>;q=nan", "<sip:104@x>;q=inf", "<sip:105@x>;q=-1", "<sip:106@x>;q=0.1234"], "106"),
        (["<tel:+49-30-(1)>"], "+49301"),
        (["<mailto:103>", "<http:104>"], None),
        ([], None),
    ],
)
def test_the_most_wanted_number_is_called(contacts: list[str], number: str | None) -> None:
    assert redirected_to(Response(302, "Moved", Headers([("Contact", value) for value in contacts]))) == number


def test_a_call_follows_the_phone_that_sends_it_on(office: MemoryOffice) -> None:
    alice, bob, carol = office.registered("101", "102", "103")
    call = alice.call("102")
    office.settle()
    send_on(bob, "<sip:103@elsewhere.test>")
    office.settle()
    assert call.heard[-1] == "181" or call.heard[-2:] == ["181", "180"]
    assert carol.ringing.heard == []
    carol.ringing.answer()
    office.settle()
    assert call.is_up
    assert (office.hears(alice), office.hears(carol)) == ("103", "101")
    call.hang_up()
    office.settle()
    assert office.record.callee == "102"
    office.linger()
    office.assert_nothing_is_left()


def test_other_phones_of_the_number_ring_no_longer(office: MemoryOffice) -> None:
    alice, bob, carol = office.registered("101", "102", "103")
    office.has("102", multi_device=True)
    second = office.phone("102")
    second.register()
    office.settle()
    call = alice.call("102")
    office.settle()
    send_on(bob, "<sip:103@x>")
    office.settle()
    assert second.ringing.is_over
    carol.ringing.answer()
    office.settle()
    assert call.is_up


def test_it_goes_outside_and_the_carrier_hears_who_sent_it_on(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    carrier = MemoryCarrier(office)
    connect(office)
    call = alice.call("102")
    office.settle()
    send_on(bob, "<sip:94711@x>")
    office.settle()
    assert (
        carrier.requests[-1]
        .headers.get(
            "Diversion",
        )
        .startswith("<sip:102@")
    )  # type: ignore[union-attr]
    assert office.call.trunk_out == "line"
    carrier.ringing.answer()
    office.settle()
    assert call.is_up


@pytest.mark.parametrize("contact", ["<sip:102@x>", "<sip:101@x>", "<sip:999@x>", "<sip:94711@x>", "<sip:x>"])
def test_what_leads_nowhere_is_not_followed(office: MemoryOffice, contact: str) -> None:
    alice, bob = office.registered("101", "102")
    office.has("101", max_calls=1)
    call = alice.call("102")
    office.settle()
    send_on(bob, contact)
    office.settle()
    assert call.failure is not None
    assert call.failure.status in (480, 486)
    assert not office.office.calls()


def test_two_phones_do_not_send_a_call_to_each_other_for_ever(office: MemoryOffice) -> None:
    alice, bob, carol = office.registered("101", "102", "103")
    call = alice.call("102")
    office.settle()
    send_on(bob, "<sip:103@x>")
    office.settle()
    send_on(carol, "<sip:102@x>")
    office.settle()
    assert call.failure is not None
    assert len(bob.calls) == 1


def test_a_call_is_sent_on_a_few_times_at_most(office: MemoryOffice) -> None:
    numbers = [str(101 + place) for place in range(MOST_REDIRECTIONS + 3)]
    alice, *others = office.registered(*numbers)
    call = alice.call(others[0].number)
    office.settle()
    for phone, following in itertools.pairwise(others):
        if not phone.calls:
            break
        send_on(phone, f"<sip:{following.number}@x>")
        office.settle()
    assert call.failure is not None
    assert sum(bool(phone.calls) for phone in others) == MOST_REDIRECTIONS + 1


def test_a_caller_that_gives_up_while_it_is_sent_on_leaves_nothing(office: MemoryOffice) -> None:
    alice, bob, _ = office.registered("101", "102", "103")
    call = alice.call("102")
    office.settle()
    office.in_one_breath(lambda: send_on(bob, "<sip:103@x>"), call.cancel)
    office.linger()
    assert not office.office.calls()
    office.assert_nothing_is_left()
