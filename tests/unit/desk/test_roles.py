"""Every command as every role through every door of this process: who may not is refused, and nothing happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.core.audit import Outcome
from engine.core.clock import SystemClock
from engine.core.errors import NotAllowedError, RefusedError
from engine.desk.client import EngineClient
from engine.desk.commands import AddExtension, AddOperator, Command, ExtensionFields, OperatorFields
from engine.desk.control import ControlSocket
from engine.desk.dispatch import TABLE
from engine.desk.door import Desk
from engine.desk.wire import RESULTS
from engine.pbx.rights import OWNER, Asker
from engine.store.configuration import Role
from engine.store.store import Store
from tests.unit.desk.fakes import FakeOffice
from tests.unit.desk.roles import FROM_ROLE, commands, may
from tui.console import FrontdeskConsole

COMMANDS = commands()


@pytest.fixture
async def house(desk: Desk) -> Desk:
    """An office with an operator of every role."""
    await desk.ask(OWNER, AddExtension("101", ExtensionFields(password="secret")))
    for role in Role:
        await desk.ask(OWNER, AddOperator(role.value, OperatorFields(password="secret", role=role)))
    return desk


def asker(role: Role) -> Asker:
    return Asker(role.value, role)


def expected(role: Role, command: Command) -> str:
    return "let in" if may(role, type(command)) else "refused"


async def outcome(command: Command, asked: asyncio.Future[object]) -> str:
    """Whether a command was let in; what then becomes of a nonsensical one does not matter here."""
    try:
        await asked
    except NotAllowedError as error:
        return "refused" if error.what.endswith(f"may not {TABLE[type(command)].deed}") else "let in"
    except RefusedError:
        return "let in"
    except AttributeError as error:  # what the made-up office has not
        return "let in" if "FakeOffice" in str(error) else f"broken: {error}"
    return "let in"


def test_every_command_stands_in_the_table_and_crosses_the_wire() -> None:
    told = [name for names in FROM_ROLE.values() for name in names.split()]
    assert len(told) == len(set(told))
    assert {kind.__name__ for kind in TABLE} == set(told)
    assert set(TABLE) == set(RESULTS)


@pytest.mark.parametrize("role", Role)
async def test_the_desk_lets_in_by_role(house: Desk, store: Store, role: Role) -> None:
    for command in COMMANDS:
        before = store.configuration
        judged = await outcome(command, asyncio.ensure_future(house.ask(asker(role), command)))
        assert judged == expected(role, command), command
        if judged == "refused":
            assert store.configuration is before


@pytest.mark.parametrize("role", [Role.VIEWER, Role.RECEPTIONIST, Role.SUPERVISOR])
async def test_a_command_from_another_thread_is_judged_the_same(house: Desk, role: Role) -> None:
    for command in COMMANDS:
        if type(command).__name__ == "StopEngine" and may(role, type(command)):
            continue
        answer = await asyncio.to_thread(house.submit, asker(role), command)
        judged = await outcome(command, asyncio.wrap_future(answer))
        assert judged == expected(role, command), command


@pytest.mark.parametrize("role", Role)
async def test_a_console_sends_nothing_that_its_role_may_not(house: Desk, role: Role) -> None:
    console = FrontdeskConsole(house, asker(role), SystemClock())
    for command in COMMANDS:
        judged = await outcome(command, asyncio.ensure_future(console.ask(command)))
        assert judged == expected(role, command), command


async def test_a_role_that_was_taken_away_counts_at_once(house: Desk, store: Store) -> None:
    """The console still believes in the old one."""
    was_admin = Asker("viewer", Role.ADMIN)
    for command in COMMANDS:
        asked = asyncio.ensure_future(house.ask(was_admin, command))
        assert await outcome(command, asked) == ("let in" if may(Role.VIEWER, type(command)) else "refused"), (
            command
        )
    gone = Asker("nobody", Role.ADMIN)
    with pytest.raises(NotAllowedError, match="has been removed"):
        await house.ask(gone, COMMANDS[0])


async def test_what_was_refused_is_in_the_audit_log(house: Desk, store: Store) -> None:
    refused = [command for command in COMMANDS if TABLE[type(command)].is_change]
    refused = [command for command in refused if not may(Role.VIEWER, type(command))]
    for command in refused:
        with pytest.raises(NotAllowedError):
            await house.ask(asker(Role.VIEWER), command)
    entries = await asyncio.wrap_future(store.list_audit())
    told = [entry for entry in entries if entry.who == "viewer"]
    assert len(told) == len(refused)
    assert {entry.outcome for entry in told} == {Outcome.REFUSED}


@asynccontextmanager
async def control_socket(desk: Desk, folder: Path) -> AsyncIterator[EngineClient]:
    control = ControlSocket(desk, folder)
    control.open()
    try:
        client = await asyncio.to_thread(EngineClient.connect, folder)
        try:
            yield client
        finally:
            await asyncio.to_thread(client.close)
    finally:
        await control.close()


async def test_the_control_socket_is_its_owners_and_lets_everything_in(
    house: Desk, store: Store, office: FakeOffice
) -> None:
    """Whoever may open the socket is an administrator; nothing that is sent makes it anybody else."""
    async with control_socket(house, store.folder) as client:
        for command in COMMANDS:
            assert (
                await outcome(command, asyncio.ensure_future(asyncio.to_thread(client.ask, command))) == "let in"
            ), command
