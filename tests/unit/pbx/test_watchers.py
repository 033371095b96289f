"""Watching (RFC 6665, 4235, 3856, 3842): each change is told once, versions rise, nothing stays behind."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

import pytest

from engine.pbx.watched import Waiting
from engine.store.configuration import Right
from tests.unit.pbx.office import OFFICE, MemoryOffice
from tests.unit.pbx.watcher import Watcher


def watching(office: MemoryOffice, number: str = "102", event: str = "dialog", by: str = "109") -> Watcher:
    (phone,) = office.registered(by)
    office.has(by, rights=frozenset({Right.PICKUP}))
    watcher = Watcher(office, phone, number, event)
    assert watcher.subscribe() == 200
    return watcher


def test_a_watcher_hears_at_once_how_things_stand(office: MemoryOffice) -> None:
    office.registered("101", "102")
    watcher = watching(office)
    (notify,) = watcher.notified
    assert notify.headers.get("Event") == "dialog"
    assert notify.headers.get("Subscription-State") == "active;expires=3600"
    assert notify.content_type == "application/dialog-info+xml"
    assert watcher.last.version == 0
    assert watcher.last.state == "full"
    assert watcher.last.entity == f"sip:102@{OFFICE}:5060"
    assert watcher.last.dialogs == []


def test_a_call_is_told_as_its_phone_knows_it(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    watcher = watching(office)
    call = alice.call("102")
    office.settle()
    ringing = bob.ringing
    (shown,) = watcher.last.dialogs
    session = ringing.line
    assert session.dialog is not None
    assert (shown["state"], shown["direction"]) == ("early", "recipient")
    assert shown["call-id"] == session.call_id
    assert shown["local-tag"] == session.local_tag
    assert shown["remote-tag"] == session.dialog.remote_tag
    assert shown["remote"].startswith("sip:101@")
    bob.ringing.answer()
    office.settle()
    (confirmed,) = watcher.last.dialogs
    assert (confirmed["state"], confirmed["id"]) == ("confirmed", shown["id"])
    ringing.hold()
    office.settle()
    assert watcher.last.dialogs[0]["held"] == "yes"
    ringing.resume()
    office.settle()
    assert "held" not in watcher.last.dialogs[0]
    call.hang_up()
    office.settle()
    assert watcher.last.states == ["terminated"]
    call = alice.call("102")
    office.settle()
    assert watcher.last.states == ["early"]
    versions = [told.version for told in watcher.told]
    assert versions == [*range(len(versions))]


def test_who_calls_is_an_initiator(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    watcher = watching(office, "101")
    alice.call("102")
    office.settle()
    bob.ringing.answer()
    office.settle()
    (shown,) = watcher.last.dialogs
    assert (shown["state"], shown["direction"]) == ("confirmed", "initiator")
    assert shown["remote"].startswith("sip:102@")


def test_what_a_watcher_is_told_picks_the_call_up(office: MemoryOffice) -> None:
    """A phone's lamp key: the dialog of the document is what Replaces names."""
    office.has("109", rights=frozenset({Right.PICKUP}))
    alice, _bob = office.registered("101", "102")
    watcher = watching(office)
    call = alice.call("102")
    office.settle()
    (shown,) = watcher.last.dialogs
    value = f"{shown['call-id']};to-tag={shown['remote-tag']};from-tag={shown['local-tag']};early-only"
    picked = watcher.phone.call("102", extra=(("Replaces", value),))
    office.settle()
    assert picked.is_up
    assert call.is_up
    assert office.hears(alice) == "109"


def test_nothing_is_told_twice(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    watcher = watching(office)
    call = alice.call("102")
    office.settle()
    bob.ringing.answer()
    office.settle()
    call.hang_up()
    office.settle()
    bodies = [notify.body.split(b"version=", 1)[1].split(b'"', 2)[2] for notify in watcher.notified]
    assert all(one != other for one, other in pairwise(bodies))
    assert len(bodies) <= 6


def test_a_private_caller_is_not_named(office: MemoryOffice) -> None:
    alice, _ = office.registered("101", "102")
    watcher = watching(office)
    alice.call("102", extra=(("Privacy", "id"),))
    office.settle()
    assert "remote" not in watcher.last.dialogs[0]


def test_changes_gather_while_a_watcher_is_silent(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    watcher = watching(office)
    watcher.phone.watches_silently = True
    before = len(watcher.notified)
    call = alice.call("102")
    office.settle()
    bob.ringing.answer()
    office.settle()
    sent = {notify.cseq.number for notify in watcher.notified[before:]}
    assert len(sent) == 1  # the same one, resent
    watcher.phone.watches_silently = False
    office.advance(4)
    assert watcher.last.states == ["confirmed"]
    assert call.is_up


def test_a_watcher_that_never_answers_is_forgotten(office: MemoryOffice) -> None:
    alice, _ = office.registered("101", "102")
    watcher = watching(office)
    watcher.phone.watches_silently = True
    alice.call("102")
    office.settle()
    office.advance(40)
    assert office.office.watchers.count == 0
    assert not office.office.agent.subscriptions


@pytest.mark.parametrize("status", [481, 489, 405, 404])
def test_a_watcher_that_knows_nothing_of_it_is_forgotten(office: MemoryOffice, status: int) -> None:
    alice, _ = office.registered("101", "102")
    watcher = watching(office)
    watcher.phone.answers_notify = status
    alice.call("102")
    office.settle()
    assert office.office.watchers.count == 0


@pytest.mark.parametrize("status", [500, 503, 408])
def test_a_watcher_in_trouble_is_kept(office: MemoryOffice, status: int) -> None:
    alice, _ = office.registered("101", "102")
    watcher = watching(office)
    watcher.phone.answers_notify = status
    alice.call("102")
    office.settle()
    assert office.office.watchers.count == 1


def test_refreshing_tells_everything_anew_and_ending_says_so(office: MemoryOffice) -> None:
    office.registered("101", "102")
    watcher = watching(office)
    assert watcher.subscribe(1800) == 200
    assert len(watcher.notified) == 2
    assert watcher.notified[-1].headers.get("Subscription-State") == "active;expires=1800"
    assert watcher.subscribe(0) == 200
    assert watcher.notified[-1].headers.get("Subscription-State") == "terminated;reason=timeout"
    assert office.office.watchers.count == 0
    assert watcher.subscribe() == 481


def test_one_that_nobody_refreshes_ends(office: MemoryOffice) -> None:
    office.registered("101", "102")
    (phone,) = office.registered("109")
    watcher = Watcher(office, phone, "102")
    assert watcher.subscribe(60) == 200
    office.advance(64)
    assert watcher.notified[-1].headers.get("Subscription-State") == "terminated;reason=timeout"
    assert office.office.watchers.count == 0
    office.linger()
    office.assert_nothing_is_left()


def test_asking_once(office: MemoryOffice) -> None:
    office.registered("101", "102")
    (phone,) = office.registered("109")
    watcher = Watcher(office, phone, "102")
    assert watcher.subscribe(0) == 200
    (notify,) = watcher.notified
    assert notify.headers.get("Subscription-State") == "terminated;reason=timeout"
    assert watcher.last.dialogs == []
    assert not office.office.agent.subscriptions


@pytest.mark.parametrize(
    ("number", "event", "expires", "extra", "status", "mend"),
    [
        ("102", "weather", 3600, (), 489, ("Allow-Events", "dialog, presence, message-summary")),
        ("102", "", 3600, (), 489, ("Allow-Events", "dialog, presence, message-summary")),
        ("102", "dialog", 30, (), 423, ("Min-Expires", "60")),
        ("999", "dialog", 3600, (), 404, None),
        ("102", "dialog", 3600, (("Accept", "application/pidf+xml"),), 406, None),
        ("102", "dialog", 3600, (("Require", "weather"),), 420, ("Unsupported", "weather")),
    ],
)
def test_what_cannot_be_watched(
    office: MemoryOffice,
    number: str,
    event: str,
    expires: int,
    extra: tuple[tuple[str, str], ...],
    status: int,
    mend: tuple[str, str] | None,
) -> None:
    office.registered("101", "102")
    (phone,) = office.registered("109")
    watcher = Watcher(office, phone, number, event, extra=extra)
    assert watcher.subscribe(expires) == status
    if mend is not None:
        assert phone.last.headers.get(mend[0]) == mend[1]
    assert not watcher.notified
    assert not office.office.agent.subscriptions


def test_strangers_watch_nothing(office: MemoryOffice) -> None:
    office.registered("101", "102")
    (phone,) = office.registered("109")
    watcher = Watcher(office, phone, "102")
    assert watcher.subscribe(authorise=False) == 407
    phone.password = "wrong"
    watcher = Watcher(office, phone, "102", call_id="another")
    assert watcher.subscribe() == 403
    assert not office.office.agent.subscriptions


def test_presence_follows_the_lamp(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    watcher = watching(office, event="presence")

    def note() -> tuple[bool, str]:
        body = watcher.notified[-1].body.decode()
        return "<basic>open</basic>" in body, body.rpartition("<note>")[2].partition("<")[0]

    assert note() == (True, "Available")
    call = alice.call("102")
    office.settle()
    assert note() == (True, "Ringing")
    bob.ringing.answer()
    office.settle()
    assert note() == (True, "On the phone")
    call.hang_up()
    office.settle()
    assert note() == (True, "Available")
    bob.register(expires=0)
    office.settle()
    assert note() == (False, "Offline")


def test_a_mailbox_is_its_owners_alone(office: MemoryOffice) -> None:
    office.registered("101")
    watcher = watching(office, "101", "message-summary", by="102")
    office.office.watchers.mailbox = lambda number: Waiting(2, 5) if number == "102" else Waiting(9, 9)
    office.office.watchers.touch_mailbox("102")
    office.office.endpoint.flush()
    office.settle()
    lines = watcher.notified[-1].body.decode().split("\r\n")
    assert lines[0] == "Messages-Waiting: yes"
    assert lines[2] == "Voice-Message: 2/5 (0/0)"
    assert "102" in lines[1]


def test_an_extension_that_is_removed_is_watched_no_more(office: MemoryOffice) -> None:
    office.registered("101", "102")
    watcher = watching(office)
    office.loses("102")
    office.settle()
    assert watcher.notified[-1].headers.get("Subscription-State") == "terminated;reason=noresource"
    assert office.office.watchers.count == 0


def test_no_phone_watches_without_end(office: MemoryOffice) -> None:
    office.registered("101", "102")
    (phone,) = office.registered("109")
    statuses = [Watcher(office, phone, "102", call_id=f"many-{index}").subscribe() for index in range(252)]
    assert statuses == [200] * 250 + [403] * 2


def test_random_lives_end_with_the_truth(office: MemoryOffice) -> None:
    """Whatever happened, the last word that each watcher has is how things stand."""
    alice, bob, carol = office.registered("101", "102", "103")
    watchers = [watching(office, number, by=f"1{number[1:]}9") for number in ("101", "102", "103")]
    dice = Random(5)
    for _ in range(60):
        deeds: list[Any] = [
            lambda: dice.choice((alice, bob, carol)).call(dice.choice(("101", "102", "103"))),
            *[
                deed
                for phone in (alice, bob, carol)
                for call in phone.calls[-2:]
                for deed in (call.hang_up, *((call.answer,) if call.is_incoming and call.line.is_waiting else ()))
            ],
        ]
        dice.choice(deeds)()
        office.settle()
    for watcher in watchers:
        stands = [leg.session.local_tag for leg in office.office.lamp_board.legs_of(watcher.number) if leg.session]
        told = [shown["id"] for shown in watcher.last.dialogs if shown["state"] != "terminated"]
        assert told == stands
