"""Registration: who may, for how long, and what the office says to those who may not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.core.events import PhoneRegistered, PhoneUnregistered, RegistrationRefused
from engine.core.views import Lamp
from tests.unit.pbx.office import MemoryOffice, secrets_of
from tests.unit.pbx.phone import MemoryPhone


def a_phone(office: MemoryOffice, number: str = "101") -> MemoryPhone:
    office.has(number)
    return office.phone(number)


def reasons(office: MemoryOffice, *kinds: type) -> list[str]:
    return [event.reason for event in office.heard_events(*kinds)]  # type: ignore[attr-defined]


def test_a_phone_is_challenged_first_and_then_registered(office: MemoryOffice) -> None:
    phone = a_phone(office)
    assert office.lamp("101") is Lamp.UNREGISTERED
    phone.register()
    office.settle()
    assert phone.challenges == 1
    assert phone.last.status == 200
    assert phone.last.headers.list_of("Contact") == [f"<{phone.contact}>;expires=3600"]
    assert office.lamp("101") is Lamp.IDLE
    assert list(office.stored) == [("101", phone.contact)]
    (event,) = office.heard_events(PhoneRegistered)
    assert (event.extension, event.contact, event.source) == ("101", phone.contact, "192.0.2.10:5060")  # type: ignore[attr-defined]


def test_a_phone_over_ipv6_is_registered_where_it_is(office: MemoryOffice) -> None:
    office.has("101")
    phone = office.phone("101", host="2001:db8::21")
    phone.register()
    office.settle()
    assert phone.last.status == 200
    assert office.office.registrations()[0].source == "[2001:db8::21]:5060"


@pytest.mark.parametrize("user", ["101", "999"])
def test_wrong_password_and_unknown_user_get_the_same_answer(office: MemoryOffice, user: str) -> None:
    office.has("101")
    phone = office.phone("101", password="guess")
    phone.register(user=user)
    office.settle()
    assert (phone.last.status, phone.last.reason) == (403, "Forbidden")
    assert {name for name, _ in phone.last.headers} == {"Via", "From", "To", "Call-ID", "CSeq"}
    assert reasons(office, RegistrationRefused) == ["wrong user or password"]
    assert not office.stored


def test_the_first_challenge_is_no_failure(office: MemoryOffice) -> None:
    a_phone(office).register()
    office.settle()
    assert not office.heard_events(RegistrationRefused)


def test_a_phone_with_the_password_before_this_one_is_noted(office: MemoryOffice) -> None:
    office.has("101", previous_secrets=secrets_of("101", "last-year"))
    phone = office.phone("101", password="last-year")
    phone.register()
    office.settle()
    assert phone.last.status == 403
    assert reasons(office, RegistrationRefused) == ["old password"]


def test_a_changed_password_counts_at_once(office: MemoryOffice) -> None:
    (phone,) = office.registered("101")
    office.has("101", secrets=secrets_of("101", "another"))
    phone.register()
    office.settle()
    assert phone.last.status == 403


def test_credentials_that_cannot_be_read_get_a_challenge(office: MemoryOffice) -> None:
    phone = a_phone(office)
    for value in ('Digest username="101', "Digest", "Basic MTAxOjEwMQ==", 'Digest realm="office"'):
        phone.send("REGISTER", "sip:192.0.2.1", (("Authorization", value),))
        office.settle()
        assert phone.last.status == 401


def test_a_refresh_is_no_event_and_lasts_anew(office: MemoryOffice) -> None:
    (phone,) = office.registered("101")
    office.advance(1800)
    phone.register()
    office.settle()
    office.advance(1900)
    assert office.contacts("101") == [phone.contact]
    assert len(office.heard_events(PhoneRegistered)) == 1


def test_a_shorter_interval_gets_423_with_min_expires(office: MemoryOffice) -> None:
    phone = a_phone(office)
    phone.register(expires=59)
    office.settle()
    assert phone.last.status == 423
    assert phone.last.headers.get("Min-Expires") == "60"
    assert not office.stored


def test_a_longer_interval_is_cut_to_what_the_site_grants(office: MemoryOffice) -> None:
    phone = a_phone(office)
    office.sets(registration_max_s=600)
    phone.register(expires=86400)
    office.settle()
    assert phone.last.headers.get("Contact") == f"<{phone.contact}>;expires=600"


def test_an_interval_that_is_no_number_is_the_usual_one(office: MemoryOffice) -> None:
    phone = a_phone(office)
    phone.register(f"<{phone.contact}>;expires=soon", expires=None)
    office.settle()
    assert phone.last.headers.get("Contact") == f"<{phone.contact}>;expires=3600"


def test_a_phone_takes_its_contact_back(office: MemoryOffice) -> None:
    (phone,) = office.registered("101")
    phone.register(expires=0)
    office.settle()
    assert phone.last.status == 200
    assert phone.last.headers.get("Contact") is None
    assert office.lamp("101") is Lamp.UNREGISTERED
    assert reasons(office, PhoneUnregistered) == ["removed"]
    assert not office.stored


def test_a_star_removes_every_contact(office: MemoryOffice) -> None:
    office.has("101", multi_device=True)
    first, second = office.registered("101", "101")
    second.register("*", expires=0)
    office.settle()
    assert second.last.status == 200
    assert not office.contacts("101")
    assert len(office.heard_events(PhoneUnregistered)) == 2
    assert first.last.status == 200


@pytest.mark.parametrize(("contacts", "expires"), [(("*",), 60), (("*",), None), (("*", "<sip:a@b>"), 0)])
def test_a_star_with_anything_else_is_refused(
    office: MemoryOffice, contacts: tuple[str, ...], expires: int | None
) -> None:
    (phone,) = office.registered("101")
    phone.register(*contacts, expires=expires)
    office.settle()
    assert phone.last.status == 400
    assert office.contacts("101") == [phone.contact]


def test_asking_lists_the_contacts_and_changes_none(office: MemoryOffice) -> None:
    (phone,) = office.registered("101")
    office.advance(600)
    phone.fetch()
    office.settle()
    assert phone.last.headers.list_of("Contact") == [f"<{phone.contact}>;expires=3000"]
    office.advance(3001)
    assert not office.contacts("101")


def test_a_phone_may_register_several_contacts_and_refresh_them(office: MemoryOffice) -> None:
    office.has("101", multi_device=True)
    phone = office.phone("101")
    both = (f"<{phone.contact}>;q=0.5", f"<{phone.contact};transport=tcp>;q=0.9")
    for _ in range(3):
        phone.register(*both)
        office.settle()
        assert phone.last.status == 200
        assert office.contacts("101") == [f"{phone.contact};transport=tcp", phone.contact]
    assert len(office.heard_events(PhoneRegistered)) == 2
    assert not office.heard_events(PhoneUnregistered)


def test_more_contacts_than_sense_are_refused(office: MemoryOffice) -> None:
    phone = a_phone(office)
    phone.register(*(f"<sip:101@192.0.2.10:{port}>" for port in range(5000, 5011)))
    office.settle()
    assert phone.last.status == 403
    assert not office.stored


def test_a_refused_register_changes_nothing_at_all(office: MemoryOffice) -> None:
    (phone,) = office.registered("101")
    phone.register(f"<{phone.contact}>;expires=0", "<sip:101@192.0.2.10:5999>;expires=5")
    office.settle()
    assert phone.last.status == 423
    assert office.contacts("101") == [phone.contact]


@pytest.mark.parametrize("contact", ["<tel:101>", "<mailto:a@b>", "<sip:>", "sip:a b@c", "<sip:a@b>;q=2", "<"])
def test_a_contact_that_makes_no_sense_is_refused(office: MemoryOffice, contact: str) -> None:
    phone = a_phone(office)
    phone.register(contact)
    office.settle()
    assert phone.last.status == 400
    assert not office.stored


def test_a_phone_that_falls_silent_expires(office: MemoryOffice) -> None:
    phone = a_phone(office)
    phone.register(expires=60)
    office.settle()
    phone.vanish()
    office.advance(59)
    assert office.lamp("101") is Lamp.IDLE
    office.advance(4)
    assert office.lamp("101") is Lamp.UNREGISTERED
    assert reasons(office, PhoneUnregistered) == ["expired"]
    assert not office.stored


def test_an_older_cseq_of_the_same_call_id_changes_nothing(office: MemoryOffice) -> None:
    (phone,) = office.registered("101")
    phone.register(expires=0, cseq=0)
    office.settle()
    assert phone.last.status == 500
    assert office.contacts("101") == [phone.contact]


def test_nobody_registers_for_another_number(office: MemoryOffice) -> None:
    office.has("101", "102")
    phone = office.phone("101")
    phone.register(to="102")
    office.settle()
    assert (phone.last.status, phone.last.reason) == (403, "101 May Not Register 102")
    assert not office.stored


def test_a_removed_extension_loses_its_phones(office: MemoryOffice) -> None:
    (phone,) = office.registered("101")
    office.loses("101")
    assert not office.stored
    assert reasons(office, PhoneUnregistered) == ["configuration"]
    assert "101" not in office.office.lamps()
    phone.register()
    office.settle()
    assert phone.last.status == 403


def test_an_operator_forgets_one_contact_or_all(office: MemoryOffice) -> None:
    office.has("101", multi_device=True)
    first, second = office.registered("101", "101")
    assert office.run(office.office.forget_registrations("101", first.contact)) == 1
    assert office.contacts("101") == [second.contact]
    assert office.run(office.office.forget_registrations("101", None)) == 1
    assert office.run(office.office.forget_registrations("101", None)) == 0
    assert office.lamp("101") is Lamp.UNREGISTERED


def test_a_restart_keeps_whoever_has_not_expired_and_still_belongs_here(office: MemoryOffice) -> None:
    office.registered("101", "102", "103")
    stored = [*office.stored.values()]
    stored[1] = replace(stored[1], expires_at=office.clock.wall())
    again = MemoryOffice(stored=stored, extensions=("101", "102"))
    assert [view.extension for view in again.office.registrations()] == ["101"]
    assert again.lamp("101") is Lamp.IDLE
    assert again.lamp("102") is Lamp.UNREGISTERED
    again.close()


def test_what_a_phone_says_of_itself_is_kept_as_plain_text(office: MemoryOffice) -> None:
    phone = a_phone(office)
    phone.register_call_id = "call\udcff"
    phone.register(instance="urn:\udcff")
    office.settle()
    assert phone.last.status == 200
    (binding,) = office.stored.values()
    for text in (binding.call_id, binding.instance, binding.user_agent, binding.contact):
        assert text is not None
        text.encode()


@pytest.mark.parametrize("number", ["101%0d%0aX:%20y", "101%ff", "1" * 65])
def test_nobody_registers_for_what_is_no_number(office: MemoryOffice, number: str) -> None:
    phone = a_phone(office)
    phone.register(to=number)
    office.settle()
    assert phone.last.status == 404
    assert phone.last.headers.get("X") is None


def test_a_login_that_is_no_text_is_told_as_text(office: MemoryOffice) -> None:
    phone = a_phone(office)
    phone.register(user="10\udcff")
    office.settle()
    assert phone.last.status == 403
    (event,) = office.heard_events(RegistrationRefused)
    assert event.extension == "10\\xff"  # type: ignore[attr-defined]


def test_views_of_registrations_stay_the_same_until_something_changes(office: MemoryOffice) -> None:
    first, _ = office.registered("101", "102")
    before, revision = office.office.registrations(), office.office.revision
    assert all(one is other for one, other in zip(before, office.office.registrations(), strict=True))
    first.register()
    office.settle()
    after = office.office.registrations()
    assert office.office.revision > revision
    assert after[0] is not before[0]
    assert after[1] is before[1]


def test_the_answer_tells_the_time_and_every_contact_with_its_q(office: MemoryOffice) -> None:
    phone = a_phone(office)
    phone.register(f"<{phone.contact}>;q=0.5;expires=120", f"<{phone.contact};transport=tcp>")
    office.settle()
    assert phone.last.headers.list_of("Contact") == [
        f"<{phone.contact};transport=tcp>;expires=3600",
        f"<{phone.contact}>;q=0.5;expires=120",
    ]
    assert phone.last.headers.get("Date") == "Thu, 01 Jan 2026 00:00:00 GMT"


def test_the_expiry_of_a_contact_counts_before_that_of_the_header_and_both_before_the_default(
    office: MemoryOffice,
) -> None:
    office.has("101", multi_device=True)
    phone = office.phone("101")
    phone.register(f"<{phone.contact}>;expires=90", f"<{phone.contact};transport=tcp>", expires=600)
    office.settle()
    assert sorted(value.partition("expires=")[2] for value in phone.last.headers.list_of("Contact")) == [
        "600",
        "90",
    ]
    phone.register(f"<{phone.contact}>", expires=None)
    office.settle()
    assert phone.last.headers.list_of("Contact") == [f"<{phone.contact}>;expires=3600"]


def test_path_is_kept_for_calls_and_told_to_those_that_know_it(office: MemoryOffice) -> None:
    phone = a_phone(office)
    edge = "<sip:edge.example.com;lr>"
    phone.register(path=edge)
    office.settle()
    assert phone.last.headers.get("Path") is None
    phone.register(path=edge, fields=(("Supported", "path"), ("Require", "path")))
    office.settle()
    assert (phone.last.status, phone.last.headers.get("Path")) == (200, edge)
    assert [binding.path for binding in office.stored.values()] == [(edge,)]


def test_an_extension_that_must_be_understood_and_is_not_is_named(office: MemoryOffice) -> None:
    phone = a_phone(office)
    phone.register(fields=(("Require", "path, gruu, outbound, sec-agree"),))
    office.settle()
    assert (phone.last.status, phone.last.headers.get("Unsupported")) == (420, "gruu, sec-agree")
    assert not office.stored


def test_somebody_else_may_send_the_register_when_the_login_is_that_of_the_number(office: MemoryOffice) -> None:
    office.has("101", "102")
    secretary = office.phone("102", password="secret-101")
    secretary.register("<sip:101@192.0.2.77>", to="101", user="101")
    office.settle()
    assert secretary.last.status == 200
    assert office.contacts("101") == ["sip:101@192.0.2.77"]
    assert not office.contacts("102")


def test_a_register_again_with_the_same_cseq_changes_nothing(office: MemoryOffice) -> None:
    (phone,) = office.registered("101")
    phone.register(expires=0, cseq=phone.register_cseq - 1)
    office.settle()
    assert (phone.last.status, phone.last.reason) == (500, "CSeq Out Of Order")
    assert office.contacts("101") == [phone.contact]


def test_asking_needs_no_newer_cseq(office: MemoryOffice) -> None:
    (phone,) = office.registered("101")
    phone.register("", expires=None, cseq=0)
    office.settle()
    assert phone.last.status == 200


def test_what_cannot_be_registered_by_anybody_needs_no_password(office: MemoryOffice) -> None:
    office.has("101")
    stranger = office.phone("101", password="guess")
    stranger.register("<tel:101>")
    office.settle()
    assert (stranger.last.status, stranger.last.reason) == (400, "Contact Is No SIP URI")
    assert stranger.challenges == 0
    assert not office.heard_events(RegistrationRefused)


def test_a_contact_that_is_refused_leaves_the_others_as_they_were(office: MemoryOffice) -> None:
    (phone,) = office.registered("101")
    phone.register("<sip:101@192.0.2.10:5998>", "<sip:101@192.0.2.10:5999>;q=7", f"<{phone.contact}>;expires=0")
    office.settle()
    assert phone.last.status == 400
    assert office.contacts("101") == [phone.contact]


def test_path_outlives_a_restart(office: MemoryOffice) -> None:
    phone = a_phone(office)
    phone.register(path="<sip:192.0.2.200;lr>")
    office.settle()
    again = MemoryOffice(stored=office.stored.values(), extensions=("101", "102"))
    (caller,) = again.registered("102")
    caller.call("101")
    again.settle()
    invite = again.wire.last["192.0.2.10", "INVITE"]
    assert invite.headers.all("Route") == ["<sip:192.0.2.200;lr>"]
    again.close()
