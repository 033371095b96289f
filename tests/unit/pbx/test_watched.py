"""Lamps of everything: groups, trunks, park slots and the night switch; who may see whom; presence."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from engine.core.views import Lamp
from engine.store.configuration import Right
from engine.store.outside import Night
from engine.store.services import DEFAULT_TRIGGERS, Group, GroupKind
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.outside import MemoryCarrier, connect
from tests.unit.pbx.test_watchers import watching
from tests.unit.pbx.watcher import Watcher
from tests.unit.sip.schemas import check


def note(watcher: Watcher) -> tuple[bool, str]:
    """Whether the last presence document says open, and its note."""
    body = watcher.notified[-1].body
    check("application/pidf+xml", body)
    text = body.decode()
    return "<basic>open</basic>" in text, text.partition("<note>")[2].partition("<")[0]


def with_group(office: MemoryOffice, *members: str) -> None:
    office.configure(groups=MappingProxyType({"600": Group("600", GroupKind.RING, members)}))


def test_the_lamp_of_a_group_blinks_for_its_calls_and_is_lit_while_nobody_is_free(office: MemoryOffice) -> None:
    alice, bob, carol = office.registered("101", "102", "103")
    with_group(office, "102", "103")
    watcher, presence = watching(office, "600"), watching(office, "600", "presence", by="108")
    assert watcher.last.dialogs == []
    assert note(presence) == (True, "2 of 2 free")
    call = alice.call("102")
    office.settle()
    (shown,) = watcher.last.dialogs
    assert (shown["state"], shown["local-tag"]) == ("early", bob.ringing.line.local_tag), "it can be picked up"
    assert shown["remote"].startswith("sip:101@")
    bob.ringing.answer()
    office.settle()
    assert watcher.last.states == ["terminated"]
    assert note(presence) == (True, "1 of 2 free")
    other = carol.call("101")
    office.settle()
    assert watcher.last.states == ["confirmed"]
    assert note(presence) == (False, "0 of 2 free")
    other.cancel()
    office.settle()
    assert watcher.last.states == ["terminated"]
    assert call.is_up


def test_the_lamp_of_a_trunk_shows_its_calls_and_no_names_of_its_dialogs(office: MemoryOffice) -> None:
    (alice,) = office.registered("101")
    carrier = MemoryCarrier(office)
    connect(office)
    watcher = watching(office, "trunk-line")
    assert watcher.last.dialogs == []
    call = alice.call("9030123456")
    office.settle()
    carrier.ringing.answer()
    office.settle()
    (shown,) = watcher.last.dialogs
    assert shown["state"] == "confirmed"
    assert "030123456@" in shown["remote"]
    assert not {"call-id", "local-tag", "remote-tag"} & {*shown}
    call.hang_up()
    office.settle()
    assert watcher.last.states == ["terminated"]


def test_a_trunk_with_many_calls_tells_changes_alone(office: MemoryOffice) -> None:
    """RFC 4235 section 4.3: a partial document follows the one before, or everything is told anew."""
    numbers = [str(number) for number in range(120, 126)]
    phones = office.registered(*numbers)
    carrier = MemoryCarrier(office)
    connect(office)
    watcher = watching(office, "trunk-line")
    calls = []
    for place, phone in enumerate(phones):
        calls.append(phone.call(f"903012345{place}"))
        office.settle()
        carrier.ringing.answer()
        office.settle()
    known: dict[str, str] = {}
    for told in watcher.told:
        known = {} if told.state == "full" else known
        known |= {shown["id"]: shown["state"] for shown in told.dialogs}
        known = {name: state for name, state in known.items() if state != "terminated"}
    assert [*known.values()] == ["confirmed"] * 6
    assert watcher.last.state == "partial"
    assert len(watcher.last.dialogs) == 1
    versions = [told.version for told in watcher.told]
    assert versions == [*range(len(versions))]
    watcher.phone.answers_notify = 500
    calls[0].hang_up()
    office.settle()
    watcher.phone.answers_notify = 200
    calls[1].hang_up()
    office.settle()
    assert watcher.last.state == "full", "what was refused may not have been understood"


@pytest.mark.parametrize("key", ["park5", "*70*5", "*71*5"])
def test_a_park_slot_is_watched_by_its_name_and_by_the_codes_that_lead_there(
    office: MemoryOffice, key: str
) -> None:
    office.configure(triggers=DEFAULT_TRIGGERS)
    alice, _, _, _ = office.talking()
    (phone,) = office.registered("109")
    office.has("109", rights=frozenset({Right.PICKUP}))
    watcher = Watcher(office, phone, key)
    assert watcher.subscribe() == 200
    assert watcher.last.dialogs == []
    assert watcher.last.entity.startswith("sip:park5@")
    (call,) = office.office.exchange.calls.values()
    rooms = office.office.exchange.rooms
    rooms.park("5", call)
    office.office.endpoint.flush()
    office.settle()
    assert watcher.last.states == ["confirmed"]
    assert watcher.last.dialogs[0]["remote"].startswith(f"sip:{alice.number}@")
    rooms.leave_slot("5", call)
    office.office.endpoint.flush()
    office.settle()
    assert watcher.last.states == ["terminated"]


def test_the_night_switch_is_a_lamp(office: MemoryOffice) -> None:
    office.configure(triggers=DEFAULT_TRIGGERS)
    watcher, presence = watching(office, "night"), watching(office, "*26", "presence", by="108")
    assert watcher.last.dialogs == []
    assert note(presence) == (True, "By schedule")
    office.configure(night=Night.ON)
    office.settle()
    assert watcher.last.states == ["confirmed"]
    assert note(presence) == (False, "Night")
    office.configure(night=Night.OFF)
    office.settle()
    assert watcher.last.states == ["terminated"]
    assert note(presence) == (True, "Day")


@pytest.mark.parametrize("name", ["park0", "park100", "park", "trunk-", "trunk-other", "*70*", "601", "nights"])
def test_there_is_no_lamp_of_what_there_is_not(office: MemoryOffice, name: str) -> None:
    office.configure(triggers=DEFAULT_TRIGGERS)
    (phone,) = office.registered("109")
    assert Watcher(office, phone, name).subscribe() == 404


@pytest.mark.parametrize(
    ("policy", "rights", "is_told"),
    [
        ("all", frozenset(), True),
        ("pickup", frozenset(), False),
        ("pickup", frozenset({Right.PICKUP}), True),
        ("off", frozenset({Right.PICKUP}), False),
    ],
)
def test_who_is_told_with_whom_others_talk(
    office: MemoryOffice, policy: str, rights: frozenset[Right], is_told: bool
) -> None:
    office.sets(lamp_parties=policy)
    alice, _ = office.registered("101", "102")
    (phone,) = office.registered("109")
    office.has("109", rights=rights)
    watcher, own = Watcher(office, phone, "102"), Watcher(office, alice, "101")
    assert watcher.subscribe() == own.subscribe() == 200
    alice.call("102")
    office.settle()
    assert ("remote" in watcher.last.dialogs[0]) is is_told
    assert watcher.last.states == ["early"]
    assert "remote" in own.last.dialogs[0], "of its own calls a phone is told everything"
    office.sets(lamp_parties="off" if is_told else "all")
    office.settle()
    assert ("remote" in watcher.last.dialogs[0]) is not is_told, "a change holds at once"


def test_presence_tells_do_not_disturb_and_dialogs_only_where_the_site_wants_it(office: MemoryOffice) -> None:
    office.registered("101")
    presence, lamp = watching(office, "101", "presence"), watching(office, "101", by="108")
    office.has("101", dnd=True)
    office.settle()
    assert note(presence) == (False, "Do not disturb")
    assert "<rpid:busy/>" in presence.notified[-1].body.decode()
    assert lamp.last.dialogs == []
    office.sets(dnd_lamp="lit")
    office.settle()
    assert lamp.last.states == ["confirmed"]
    office.has("101", dnd=False)
    office.settle()
    assert lamp.last.states == ["terminated"]
    assert note(presence) == (True, "Available")
    assert office.lamp("101") is Lamp.IDLE


def test_who_talks_is_on_the_phone(office: MemoryOffice) -> None:
    office.talking()
    presence = watching(office, "101", "presence")
    assert note(presence) == (True, "On the phone")
    assert "<rpid:on-the-phone/>" in presence.notified[-1].body.decode()


@pytest.mark.parametrize("name", ["\x07bell", "a & b <c>", 'say "hi"', "\udcff", "张伟", "]]>"])
def test_whatever_a_name_holds_the_document_is_xml(office: MemoryOffice, name: str) -> None:
    office.has("101", name=name)
    alice, _ = office.registered("101", "102")
    watcher = watching(office)
    alice.call("102")
    office.settle()
    assert watcher.last.dialogs[0]["name"]
