"""The desk: who may ask what, what everyone sees, and how changes reach the office."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.core.clock import ManualClock
from engine.core.deeds import Deed
from engine.core.errors import NotAllowedError, NotFoundError, RefusedError
from engine.core.events import ConfigurationChanged, Event
from engine.core.ids import CallId
from engine.core.views import CallRecord, Lamp, ReleasedBy
from engine.desk import commands, contacts, deeds, dialling, lines, machine, phone, services
from engine.desk.commands import (
    AddExtension,
    AddOperator,
    Command,
    ExtensionFields,
    GetParams,
    GetStatus,
    ListCalls,
    ListLamps,
    ListRecords,
    ListRegistrations,
    OperatorFields,
    ReleaseCall,
    RemoveOperator,
    RemoveRegistration,
    SetOperator,
    SetParam,
    StopEngine,
)
from engine.desk.dispatch import TABLE
from engine.desk.door import HEALTH_S, LOOKED_S, Desk
from engine.desk.wire import RESULTS
from engine.pbx.bindings import registration_view
from engine.pbx.rights import OWNER, Asker
from engine.store.bindings import StoredBinding
from engine.store.configuration import Role
from engine.store.store import Store
from tests.unit.desk.fakes import FakeOffice
from tests.unit.store.samples import a_binding


def test_every_command_has_a_handler_and_a_result() -> None:
    modules = (commands, contacts, deeds, dialling, lines, machine, phone, services)
    named = [value for module in modules for value in vars(module).values()]
    every = {kind for kind in named if isinstance(kind, type) and issubclass(kind, Command)}
    assert set(TABLE) == set(RESULTS) == every - {Command}


async def add_operator(desk: Desk, login: str, role: Role) -> Asker:
    await desk.ask(OWNER, AddOperator(login, OperatorFields(password="s3cret", role=role)))
    return Asker(login, role)


async def test_viewer_looks_and_changes_nothing(desk: Desk) -> None:
    viewer = await add_operator(desk, "eva", Role.VIEWER)
    for command in (ListCalls(), ListLamps(), ListRecords(), GetParams(), GetStatus()):
        await desk.ask(viewer, command)
    for command in (ReleaseCall("101"), AddExtension("105"), SetParam("codecs", "PCMA"), StopEngine()):
        with pytest.raises(NotAllowedError, match="eva"):
            await desk.ask(viewer, command)


async def test_receptionist_releases_calls_and_configures_nothing(desk: Desk, office: FakeOffice) -> None:
    await add_operator(desk, "boss", Role.ADMIN)
    asker = await add_operator(desk, "anna", Role.RECEPTIONIST)
    with pytest.raises(NotAllowedError, match="without a phone that has the right"):
        await desk.ask(asker, ReleaseCall("101"))
    await desk.ask(OWNER, AddExtension("103"))
    await desk.ask(OWNER, SetOperator("anna", OperatorFields(extension="103")))
    assert await desk.ask(asker, ReleaseCall("101", revision=7)) == "7f3a"
    assert office.released == [("101", 7)]
    with pytest.raises(NotAllowedError):
        await desk.ask(asker, commands.ListOperators())


async def test_what_was_done_and_refused_is_in_the_audit_log(desk: Desk) -> None:
    await add_operator(desk, "boss", Role.ADMIN)
    asker = await add_operator(desk, "anna", Role.RECEPTIONIST)
    await desk.ask(OWNER, AddExtension("103", ExtensionFields(password="s3cret-word")))
    await desk.ask(OWNER, SetOperator("anna", OperatorFields(extension="103")))
    await desk.ask(asker, deeds.Park("101", "7"))
    with pytest.raises(NotFoundError):
        await desk.ask(asker, deeds.Supervise(Deed.LISTEN, "beef", reason="a complaint"))
    with pytest.raises(NotAllowedError):
        await desk.ask(asker, RemoveOperator("anna"))
    await desk.ask(asker, deeds.Supervise(Deed.LISTEN, "101"))  # the office says how it ends
    listed = await desk.ask(OWNER, deeds.ListAudit())
    assert [(e.who, e.acting, e.action, e.target, e.outcome.value) for e in reversed(listed)] == [
        ("owner", None, "add-operator", "boss", "done"),
        ("owner", None, "add-operator", "anna", "done"),
        ("owner", None, "add-extension", "103", "done"),
        ("owner", None, "set-operator", "anna", "done"),
        ("anna", "103", "park", "101", "done"),
        ("anna", "103", "listen", "beef", "refused"),
        ("anna", "103", "remove-operator", "anna", "refused"),
    ]
    assert "s3cret" not in repr(listed)
    assert [entry.action for entry in await desk.ask(OWNER, deeds.ListAudit(limit=1))] == ["remove-operator"]
    with pytest.raises(NotAllowedError, match="see the audit log"):
        await desk.ask(asker, deeds.ListAudit())


async def test_nobody_but_an_administrator_acts_by_the_rights_of_another_phone(
    desk: Desk, office: FakeOffice
) -> None:
    await add_operator(desk, "boss", Role.ADMIN)
    asker = await add_operator(desk, "anna", Role.SUPERVISOR)
    for number in ("103", "104"):
        await desk.ask(OWNER, AddExtension(number))
    await desk.ask(OWNER, SetOperator("anna", OperatorFields(extension="103")))
    for deed in (
        deeds.Supervise(Deed.LISTEN, "101", acting="104"),
        deeds.Override("101", acting="104"),
        deeds.Pull("101", acting="104"),
        deeds.PickUp("101", acting="104"),
        deeds.Park("101", acting="104"),
        deeds.Record("101", acting="104"),
        ReleaseCall("101", acting="104"),
        services.RunService("originate", "104", ("target=900",)),
        commands.TransferCall("101", "102", acting="104"),
    ):
        with pytest.raises(NotAllowedError, match="may not act with the phone of 104"):
            await desk.ask(asker, deed)
    assert (office.deeds, office.released, office.transferred) == ([], [], [])
    await desk.ask(asker, deeds.Record("101", acting="103"))
    await desk.ask(OWNER, deeds.Record("101", acting="104"))


async def test_a_receptionist_gives_away_by_the_rights_of_its_phone(desk: Desk, office: FakeOffice) -> None:
    await add_operator(desk, "boss", Role.ADMIN)
    asker = await add_operator(desk, "anna", Role.RECEPTIONIST)
    for deed in (deeds.Park("101"), commands.TransferCall("101", "102")):
        with pytest.raises(NotAllowedError, match="without a phone that has the right"):
            await desk.ask(asker, deed)
    await desk.ask(OWNER, AddExtension("103"))
    await desk.ask(OWNER, SetOperator("anna", OperatorFields(extension="103")))
    await desk.ask(asker, commands.TransferCall("101", "102"))
    await desk.ask(OWNER, commands.TransferCall("101", "102"))
    assert office.transferred == [("101", "102", "103"), ("101", "102", None)]


async def test_a_receptionist_without_a_phone_records_nothing(desk: Desk, office: FakeOffice) -> None:
    await add_operator(desk, "boss", Role.ADMIN)
    asker = await add_operator(desk, "anna", Role.RECEPTIONIST)
    with pytest.raises(NotAllowedError, match="without a phone that has the right"):
        await desk.ask(asker, deeds.Record("101"))
    assert office.deeds == []


async def test_a_role_taken_away_counts_at_once_in_a_console_that_is_open(desk: Desk) -> None:
    await add_operator(desk, "boss", Role.ADMIN)
    asker = await add_operator(desk, "anna", Role.ADMIN)
    await desk.ask(asker, SetParam("codecs", "PCMA"))
    await desk.ask(OWNER, SetOperator("anna", OperatorFields(role=Role.VIEWER)))
    with pytest.raises(NotAllowedError, match="viewer"):
        await desk.ask(asker, SetParam("codecs", "PCMU"))
    await desk.ask(OWNER, RemoveOperator("anna"))
    with pytest.raises(NotAllowedError, match="removed"):
        await desk.ask(asker, ListCalls())


async def test_change_reaches_the_office_before_the_answer(desk: Desk, office: FakeOffice) -> None:
    heard: list[Event] = []
    office.bus.listen(heard.append)
    await desk.ask(OWNER, AddExtension("105"))
    assert "105" in office.applied[-1].extensions
    assert [e.what for e in heard if isinstance(e, ConfigurationChanged)] == ["extension 105"]


async def test_edit_of_another_program_reaches_the_office(desk: Desk, office: FakeOffice, store: Store) -> None:
    await desk.ask(OWNER, AddExtension("105"))
    with office.bus.subscribe() as events:
        other = sqlite3.connect(store.folder / "office.db")
        with other:
            other.execute("UPDATE extension SET name = 'Eva'")
        other.close()
        event = await asyncio.wait_for(events.next(), 5)
    assert isinstance(event, ConfigurationChanged)
    assert office.applied[-1].extensions["105"].name == "Eva"


async def test_view_is_new_at_once_after_a_command(desk: Desk, clock: ManualClock) -> None:
    before = desk.view
    assert [call.id for call in before.calls] == ["7f3a"]
    await desk.ask(OWNER, ReleaseCall("7f3a"))
    assert desk.view.calls == ()
    assert desk.view.revision == before.revision + 1


async def test_view_is_made_again_only_when_something_changed(
    desk: Desk, office: FakeOffice, clock: ManualClock
) -> None:
    first = desk.view
    desk._tick()
    assert desk.view is first
    office.change_call()
    desk._tick()
    assert desk.view.calls[0].revision == 1
    second = desk.view
    clock.advance(HEALTH_S)
    desk._tick()
    assert desk.view is not second


async def test_view_nobody_looks_at_is_left_alone(desk: Desk, office: FakeOffice, clock: ManualClock) -> None:
    desk.view  # noqa: B018 - looking is what counts
    desk._tick()
    assert desk._timer is not None
    clock.advance(LOOKED_S)
    desk._tick()
    assert desk._timer is None


async def test_other_threads_ask_by_future(desk: Desk) -> None:
    asked = await asyncio.to_thread(desk.submit, OWNER, ListLamps())
    assert await asyncio.wrap_future(asked) == {"101": Lamp.BUSY, "102": Lamp.UNREGISTERED}


async def test_login_is_checked_with_password_or_key(desk: Desk) -> None:
    await desk.ask(OWNER, AddOperator("anna", OperatorFields(password="s3cret", role=Role.SUPERVISOR)))
    right = await asyncio.wrap_future(desk.verify_login("anna", "s3cret"))
    assert right == Asker("anna", Role.SUPERVISOR, None)
    assert await asyncio.wrap_future(desk.verify_login("anna", "wrong")) is None
    assert await asyncio.wrap_future(desk.verify_login("nobody", "s3cret")) is None
    assert desk.key_asker("anna", "ssh-ed25519 AAAA") is None


async def test_closed_office_lists_what_is_stored(closed_office: Desk, store: Store, clock: ManualClock) -> None:
    await closed_office.ask(OWNER, AddExtension("105"))
    assert await closed_office.ask(OWNER, ListCalls()) == ()
    assert await closed_office.ask(OWNER, ListLamps()) == {"105": Lamp.UNREGISTERED}
    assert await closed_office.ask(OWNER, ListRegistrations()) == ()


async def test_closed_office_shows_a_phone_as_a_running_one_does(tmp_path: Path, clock: ManualClock) -> None:
    phone = replace(
        a_binding(), transport="UDP", source_host="2001:db8::7", expires_at=clock.wall() + timedelta(minutes=5)
    )
    store = Store.open(tmp_path / "office")
    store.put_binding(phone)
    store.close()
    store = Store.open(tmp_path / "office")
    desk = Desk(store, None, clock, asyncio.get_running_loop())
    assert await desk.ask(OWNER, ListRegistrations()) == (registration_view(phone),)
    desk.close()
    store.close()


async def test_closed_office_says_how_to_open_it(closed_office: Desk, store: Store) -> None:
    for command in (GetStatus(), ReleaseCall("101"), StopEngine()):
        with pytest.raises(RefusedError, match=f"no engine runs on {store.folder}: start it with 'frontdesk run'"):
            await closed_office.ask(OWNER, command)
    with pytest.raises(RefusedError, match="no engine runs"):
        closed_office.watch(OWNER)
    with pytest.raises(RefusedError, match="no engine runs"):
        closed_office.view  # noqa: B018 - looking is what is refused


async def test_records_are_listed_newest_first(desk: Desk, store: Store) -> None:
    start = datetime(2026, 3, 2, tzinfo=UTC)
    for count in range(3):
        at = start + timedelta(minutes=count)
        call = CallId(str(count))
        store.put_record(CallRecord(call, call, "101", "102", at, at, ReleasedBy.CALLER, "normal"))
    listed = await desk.ask(OWNER, ListRecords(since=start + timedelta(minutes=1)))
    assert [record.id for record in listed] == ["2", "1"]


async def test_parameter_is_set_by_name_and_checked(desk: Desk, store: Store) -> None:
    await desk.ask(OWNER, SetParam("codecs", "pcmu, pcma"))
    assert await desk.ask(OWNER, GetParams("codecs")) == {"codecs": ("PCMU", "PCMA")}
    assert (await desk.ask(OWNER, GetParams()))["ring_timeout_s"] == 60
    with pytest.raises(RefusedError, match="from 5 to 600"):
        await desk.ask(OWNER, SetParam("ring_timeout_s", "soon"))
    with pytest.raises(NotFoundError, match="no parameter"):
        await desk.ask(OWNER, SetParam("colour", "red"))


async def test_phones_are_forgotten_by_extension(desk: Desk, store: Store) -> None:
    await desk.ask(OWNER, AddExtension("101"))
    assert await desk.ask(OWNER, RemoveRegistration("101", "sip:other")) == 0
    assert await desk.ask(OWNER, RemoveRegistration("101")) == 1
    with pytest.raises(NotFoundError, match="no extension 199"):
        await desk.ask(OWNER, RemoveRegistration("199"))


async def test_stored_phones_are_forgotten_without_an_engine(closed_office: Desk, store: Store) -> None:
    await closed_office.ask(OWNER, AddExtension("101"))
    at = datetime(2026, 3, 2, tzinfo=UTC)
    store.put_binding(StoredBinding("101", "sip:a", "c", 1, "udp", "127.6.0.9", 5060, "127.6.0.1", 5070, at, at))
    assert await closed_office.ask(OWNER, RemoveRegistration("101", "sip:a")) == 1


async def test_stop_is_passed_on(desk: Desk, office: FakeOffice) -> None:
    await desk.ask(OWNER, StopEngine(drain_s=5))
    assert office.stopped == [5]


async def test_the_desk_says_who_an_asker_is_now(desk: Desk) -> None:
    await add_operator(desk, "boss", Role.ADMIN)
    anna = await add_operator(desk, "anna", Role.ADMIN)
    assert desk.current(anna) == anna
    await desk.ask(OWNER, SetOperator("anna", OperatorFields(role=Role.VIEWER)))
    assert desk.current(anna) == Asker("anna", Role.VIEWER)
    await desk.ask(OWNER, RemoveOperator("anna"))
    assert desk.current(anna) is None
    assert desk.current(OWNER) is OWNER


async def test_the_log_says_who_changed_what_and_no_secret(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    anna = await add_operator(desk, "anna", Role.ADMIN)
    await desk.ask(anna, AddExtension("105", ExtensionFields(password="hush-hush-hush")))
    with pytest.raises(RefusedError):
        await desk.ask(anna, AddExtension("105"))
    assert "anna asked to add an extension (105): done" in caplog.messages
    assert any(line.startswith("anna was refused to add an extension (105)") for line in caplog.messages)
    assert "hush" not in caplog.text
