"""A cable between a phone and the office that a test can pull: everything that crosses it breaks at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.live.network import Network, host_port


@dataclass(slots=True)
class Cable:
    """Listens on an address of its own and carries TCP to the office."""

    host: str
    port: int
    office: tuple[str, int]
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def address(self) -> str:
        return host_port(self.host, self.port)

    def pull(self) -> None:
        """Break every connection, as a router that starts anew does; new ones may be made at once."""
        broken, self.writers = self.writers, []
        for writer in broken:
            writer.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Join a connection of the phone with one to the office."""
        far_reader, far_writer = await asyncio.open_connection(*self.office, local_addr=(self.host, 0))
        self.writers += (writer, far_writer)
        for source, target in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(_pour(source, target))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)


async def _pour(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    except OSError:
        pass
    finally:
        target.close()


@asynccontextmanager
async def lay_cable(network: Network, office: str) -> AsyncIterator[Cable]:
    """A cable to ``office`` (``host:port``), taken away at the end."""
    host, _, port = office.rpartition(":")
    cable = Cable(network.host(), 0, (host, int(port)))
    server = await asyncio.start_server(cable.carry, cable.host, 0)
    cable.port = server.sockets[0].getsockname()[1]
    try:
        yield cable
    finally:
        server.close()
        cable.pull()
        await asyncio.gather(*cable.tasks, return_exceptions=True)
