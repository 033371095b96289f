"""One number, one phone; or many, where the extension has the right."""

from __future__ import annotations

import pytest

from engine.core.events import PhoneRegistered, PhoneUnregistered
from tests.unit.pbx.office import MemoryOffice


def test_a_second_phone_is_refused_while_the_first_answers(office: MemoryOffice) -> None:
    (first,) = office.registered("101")
    second = office.phone("101")
    second.register()
    office.settle()
    assert office.wire.sent("OPTIONS", f">{first.host}") == 1
    assert (second.last.status, second.last.reason) == (403, "101 Has Its Phone At 192.0.2.10:5060")
    assert office.contacts("101") == [first.contact]


def test_a_silent_first_phone_is_replaced_after_two_seconds(office: MemoryOffice) -> None:
    (first,) = office.registered("101")
    first.vanish()
    second = office.phone("101")
    second.register()
    office.advance(1.9)
    assert not second.answers
    office.advance(0.2)
    assert second.last.status == 200
    assert office.contacts("101") == [second.contact]
    (gone,) = office.heard_events(PhoneUnregistered)
    assert gone.reason == "replaced"  # type: ignore[attr-defined]


def test_a_first_phone_that_nothing_can_be_sent_to_is_replaced_at_once(office: MemoryOffice) -> None:
    (first,) = office.registered("101")
    office.wire.unreachable.add(first.host)
    second = office.phone("101")
    second.register()
    office.settle()
    assert second.last.status == 200


def test_the_site_may_want_the_new_phone_to_replace_the_old(office: MemoryOffice) -> None:
    office.sets(second_phone="replace")
    office.registered("101")
    second = office.phone("101")
    second.register()
    office.settle()
    assert second.last.status == 200
    assert office.contacts("101") == [second.contact]
    assert office.wire.sent("OPTIONS") == 0


def test_a_rebooted_phone_is_known_by_its_instance(office: MemoryOffice) -> None:
    office.has("101")
    phone = office.phone("101")
    phone.register(instance="urn:uuid:1")
    office.settle()
    rebooted = office.phone("101")
    rebooted.register(instance="urn:uuid:1")
    office.settle()
    assert rebooted.last.status == 200
    assert office.contacts("101") == [rebooted.contact]
    assert office.wire.sent("OPTIONS") == 0


def test_a_rebooted_phone_is_known_by_its_call_id(office: MemoryOffice) -> None:
    (phone,) = office.registered("101")
    rebooted = office.phone("101")
    rebooted.register_call_id, rebooted.register_cseq = phone.register_call_id, 10
    rebooted.register()
    office.settle()
    assert rebooted.last.status == 200
    assert office.contacts("101") == [rebooted.contact]


def test_a_rebooted_phone_is_known_by_its_address(office: MemoryOffice) -> None:
    (phone,) = office.registered("101")
    phone.register_call_id = "after the reboot"
    phone.register("<sip:new@192.0.2.10:5060>")
    office.settle()
    assert phone.last.status == 200
    assert office.contacts("101") == ["sip:new@192.0.2.10:5060"]
    assert office.wire.sent("OPTIONS") == 0


@pytest.mark.parametrize("contact", ["<sip:101@192.0.2.10:5060>", "<sip:other@192.0.2.10:5060>"])
def test_a_phone_set_up_anew_is_known_by_its_place_whatever_its_instance(
    office: MemoryOffice, contact: str
) -> None:
    (phone,) = office.registered("101")
    phone.register(instance="urn:uuid:1")
    office.settle()
    phone.register_call_id = "set up anew"
    phone.register(contact, instance="urn:uuid:2")
    office.settle()
    assert phone.last.status == 200
    assert office.contacts("101") == [contact.strip("<>")]
    assert office.wire.sent("OPTIONS") == 0


def test_phones_behind_an_edge_proxy_are_told_apart(office: MemoryOffice) -> None:
    office.has("101", multi_device=True)
    phones = [office.phone("101") for _ in range(2)]
    for phone in phones:
        phone.sit_behind(("192.0.2.200", 5060))
        phone.register(path="<sip:192.0.2.200;lr>")
        office.settle()
        assert phone.last.status == 200
    assert sorted(office.contacts("101")) == sorted(phone.contact for phone in phones)
    (caller,) = office.registered("102")
    caller.call("101")
    office.settle()
    assert [len(phone.calls) for phone in phones] == [1, 1]
    assert phones[0].ringing.invite is not None
    assert phones[0].ringing.invite.headers.get("Route") == "<sip:192.0.2.200;lr>"


def test_a_phone_behind_a_proxy_that_is_silent_is_replaced(office: MemoryOffice) -> None:
    office.has("101")
    first, second = office.phone("101"), office.phone("101")
    first.sit_behind(("192.0.2.200", 5060))
    first.register(path="<sip:192.0.2.200;lr>")
    office.settle()
    first.vanish()
    second.register()
    office.advance(2.1)
    assert second.last.status == 200
    assert office.contacts("101") == [second.contact]


def test_a_phone_that_refreshes_while_it_is_asked_keeps_its_place(office: MemoryOffice) -> None:
    (first,) = office.registered("101")
    second = office.phone("101")
    first.is_plugged = False
    second.register()
    office.advance(1)
    first.is_plugged = True
    first.register()
    office.advance(3)
    assert first.last.status == 200
    assert second.last.status == 403
    assert office.contacts("101") == [first.contact]


def test_many_phones_register_up_to_the_extensions_limit(office: MemoryOffice) -> None:
    office.has("101", multi_device=True, max_devices=2)
    office.registered("101", "101")
    third = office.phone("101")
    third.register()
    office.settle()
    assert third.last.status == 403
    assert len(office.contacts("101")) == 2
    assert len(office.heard_events(PhoneRegistered)) == 2


def test_a_third_phone_takes_the_place_of_one_that_is_gone(office: MemoryOffice) -> None:
    office.has("101", multi_device=True, max_devices=2)
    gone, there = office.registered("101", "101")
    gone.vanish()
    third = office.phone("101")
    third.register()
    office.advance(2.1)
    assert third.last.status == 200
    assert sorted(office.contacts("101")) == sorted([there.contact, third.contact])


def test_without_the_right_the_surplus_phones_are_forgotten(office: MemoryOffice) -> None:
    office.has("101", multi_device=True)
    first, second = office.registered("101", "101")
    office.has("101", multi_device=False)
    assert office.contacts("101") == [first.contact]
    first.register()
    office.settle()
    assert first.last.status == 200
    second.register()
    office.settle()
    assert second.last.status == 403


def test_an_extension_removed_while_its_phone_is_asked_gets_no_new_phone(office: MemoryOffice) -> None:
    (first,) = office.registered("101")
    first.vanish()
    second = office.phone("101")
    second.register()
    office.advance(1)
    office.loses("101")
    office.advance(2)
    assert second.last.status == 403
    assert not office.stored


TRANSPORTS = (
    "<sip:101@192.0.2.10:5060>",
    "<sip:101@192.0.2.10:5060;transport=tcp>",
    "<sip:101@10.0.0.9;transport=tls>",
)


def test_one_phone_may_have_a_contact_for_each_transport(office: MemoryOffice) -> None:
    office.has("101")
    phone = office.phone("101")
    for _ in range(2):
        phone.register(*TRANSPORTS, instance="urn:uuid:1")
        office.settle()
        assert phone.last.status == 200
        assert len(office.contacts("101")) == 3
    second = office.phone("101")
    second.register()
    office.settle()
    assert second.last.status == 403


def test_contacts_at_several_hosts_are_several_phones(office: MemoryOffice) -> None:
    office.has("101")
    phone = office.phone("101")
    phone.register("<sip:101@192.0.2.10>", "<sip:101@192.0.2.99>")
    office.settle()
    assert (phone.last.status, phone.last.reason) == (403, "101 Has Room For 1, Not 2 Phones")
    assert not office.stored
    office.has("101", multi_device=True, max_devices=2)
    phone.register("<sip:101@192.0.2.10>", "<sip:101@192.0.2.99>")
    office.settle()
    assert phone.last.status == 200
    third = office.phone("101")
    third.register()
    office.advance(2.1)
    assert len(office.contacts("101")) == 2


def test_several_contacts_of_one_phone_take_the_room_of_one(office: MemoryOffice) -> None:
    office.has("101", multi_device=True, max_devices=2)
    first = office.phone("101")
    first.register(*TRANSPORTS, instance="urn:uuid:1")
    second, third = office.phone("101"), office.phone("101")
    second.register(instance="urn:uuid:2")
    office.settle()
    assert (first.last.status, second.last.status) == (200, 200)
    third.register(instance="urn:uuid:3")
    office.settle()
    assert third.last.status == 403


def test_a_register_that_finds_no_room_takes_nothing_back_either(office: MemoryOffice) -> None:
    office.has("101", multi_device=True, max_devices=2)
    first, second = office.registered("101", "101")
    third = office.phone("101")
    third.register(f"<{first.contact}>;expires=0", "<sip:101@192.0.2.12>", "<sip:101@192.0.2.13>")
    office.settle()
    assert third.last.status == 403
    assert set(office.contacts("101")) == {first.contact, second.contact}


def test_a_register_that_takes_a_contact_back_has_its_room(office: MemoryOffice) -> None:
    office.has("101", multi_device=True, max_devices=2)
    first, second = office.registered("101", "101")
    third = office.phone("101")
    third.register(f"<{first.contact}>;expires=0", "<sip:101@192.0.2.12>")
    office.settle()
    assert third.last.status == 200
    assert set(office.contacts("101")) == {second.contact, "sip:101@192.0.2.12"}
    assert office.wire.sent("OPTIONS") == 0
