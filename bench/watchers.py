"""Receptionists who only look: ssh clients that read everything their consoles draw.

``python -m bench.watchers HOST PORT LOGIN PASSWORD COUNT`` prints ``ready`` once each has drawn something, and on
SIGTERM the octets that each of them got, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import AsyncExitStack

import asyncssh

COLUMNS, ROWS = 160, 48


async def watch(host: str, port: int, login: str, password: str, count: int) -> list[int]:
    """Octets drawn on each of ``count`` consoles until SIGTERM."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    octets = [0] * count
    async with AsyncExitStack() as stack:
        readers = []
        for place in range(count):
            connection = await stack.enter_async_context(
                asyncssh.connect(
                    host, port, username=login, password=password, known_hosts=None, client_keys=None, config=None,
                    agent_path=None,
                )
            )  # fmt: skip
            console = await connection.create_process(
                term_type="xterm-256color", term_size=(COLUMNS, ROWS), encoding=None
            )
            octets[place] = len(await console.stdout.read(65536))
            readers.append(asyncio.create_task(_read(console.stdout, octets, place)))
        print("ready", flush=True)
        await ended.wait()
        for reader in readers:
            reader.cancel()
    return octets


async def _read(stream: asyncssh.SSHReader[bytes], octets: list[int], place: int) -> None:
    while data := await stream.read(65536):
        octets[place] += len(data)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(watch(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5])))))
