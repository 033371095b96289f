"""Who gets in at the console's door when strangers crowd it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import asyncssh
import pytest

from engine.core.clock import SystemClock
from tests.live.network import Network
from tests.unit.tui.fake_desk import PASSWORD, FakeDesk
from tui.host import ConsoleHost
from tui.ssh import MAX_LOGINS_OF_ONE_SOURCE


@pytest.fixture
def door(tmp_path: Path, network: Network) -> Iterator[tuple[str, int]]:
    """Where the console of a made-up office listens."""
    clock = SystemClock()
    host = ConsoleHost(FakeDesk(clock).furnish(), (network.host(), 0), tmp_path, clock)
    yield host.start()[0]
    host.stop()


async def test_a_stranger_that_holds_connections_open_locks_only_itself_out(
    door: tuple[str, int], network: Network
) -> None:
    stranger, operator = network.host(), network.host()
    async with AsyncExitStack() as stack:
        for _ in range(MAX_LOGINS_OF_ONE_SOURCE):
            reader, writer = await asyncio.open_connection(*door, local_addr=(stranger, 0))
            stack.callback(writer.close)
            assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"SSH-2.0-")
        reader, writer = await asyncio.open_connection(*door, local_addr=(stranger, 0))
        stack.callback(writer.close)
        assert not (await asyncio.wait_for(reader.read(), 5)).startswith(b"SSH-2.0-")
        async with asyncio.timeout(20), asyncssh.connect(
            *door, username="desk", password=PASSWORD, known_hosts=None, client_keys=None, config=None,
            agent_path=None, local_addr=(operator, 0),
        ) as connection:  # fmt: skip
            assert connection.get_extra_info("username") == "desk"
