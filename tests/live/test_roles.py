"""Every command as every role over a real SSH login: the console asks as whom the login is, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncssh
import pytest

from engine.core.clock import SystemClock
from engine.core.errors import RefusedError
from engine.desk.commands import AddExtension, AddOperator, Command, ExtensionFields, OperatorFields
from engine.desk.dispatch import TABLE
from engine.desk.door import Desk
from engine.pbx.rights import OWNER
from engine.store.configuration import Role
from engine.store.store import Store
from tests.unit.desk.fakes import FakeOffice
from tests.unit.desk.roles import commands, may
from tui.console import FrontdeskConsole
from tui.host import ConsoleHost

HOST, PASSWORD, WAIT_S = "127.5.41.1", "Role-pw-47k", 20.0

pytestmark = pytest.mark.live


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[tuple[ConsoleHost, int]]:
    """Consoles of an office with an operator of every role."""
    store = Store.open(tmp_path / "state")
    desk = Desk(store, FakeOffice(), SystemClock(), asyncio.get_running_loop())  # type: ignore[arg-type]
    await desk.ask(OWNER, AddExtension("101", ExtensionFields(password="secret")))
    for role in Role:
        await desk.ask(OWNER, AddOperator(role.value, OperatorFields(password=PASSWORD, role=role)))
    host = ConsoleHost(desk, (HOST, 0), tmp_path / "state", SystemClock())
    [(_host, port)] = await asyncio.to_thread(host.start)
    try:
        yield host, port
    finally:
        await asyncio.to_thread(host.stop)
        desk.close()
        store.close()


async def console_of(host: ConsoleHost, login: str) -> FrontdeskConsole:
    """The console that a login has opened."""
    async with asyncio.timeout(WAIT_S):
        while not (found := [console for console in host._consoles if console.asker.name == login]):
            await asyncio.sleep(0.05)
    return found[0]


@pytest.mark.parametrize("role", Role)
async def test_a_login_may_what_its_role_may(host: tuple[ConsoleHost, int], role: Role) -> None:
    consoles, port = host
    async with asyncio.timeout(60), asyncssh.connect(
        HOST, port, username=role.value, password=PASSWORD, known_hosts=None, client_keys=None, config=None,
        agent_path=None, preferred_auth="password",
    ) as connection:  # fmt: skip
        shell = await connection.create_process(term_type="xterm-256color", term_size=(120, 34), encoding=None)
        await shell.stdout.read(1)
        console = await console_of(consoles, role.value)
        assert console.asker.role is role
        for command in commands():
            assert await is_let_in(consoles, console, command) is may(role, type(command)), command


async def is_let_in(consoles: ConsoleHost, console: FrontdeskConsole, command: Command) -> bool:
    asked = asyncio.run_coroutine_threadsafe(console.ask(command), consoles._loop)
    try:
        await asyncio.wrap_future(asked)
    except RefusedError as error:
        return not error.what.endswith(f"may not {TABLE[type(command)].deed}")
    return True
