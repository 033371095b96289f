"""Somebody who types at a console over ssh and sees what comes back, with a clock beside it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter

import asyncssh

WAIT_S = 15.0
KEYS = {
    "Enter": b"\r", "Escape": b"\x1b", "F2": b"\x1bOQ", "F4": b"\x1bOS", "F5": b"\x1b[15~", "F6": b"\x1b[17~",
    "F7": b"\x1b[18~", "F9": b"\x1b[20~", "F10": b"\x1b[21~",
}  # fmt: skip
"""What a terminal sends for the keys that are no characters."""
_COLOURS = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


class Typist:
    """One console. ``latencies_ms`` holds how long each measured key took to the screen."""

    def __init__(self, process: asyncssh.SSHClientProcess[bytes]) -> None:
        self._process = process
        self._seen = b""
        self._has_more = asyncio.Event()
        self.latencies_ms: dict[str, list[float]] = {}
        self._reading = asyncio.get_running_loop().create_task(self._read())

    async def _read(self) -> None:
        while chunk := await self._process.stdout.read(65536):
            self._seen = (self._seen + chunk)[-400_000:]
            self._has_more.set()

    @property
    def text(self) -> str:
        """What has been drawn since the last key, colours left out."""
        return _COLOURS.sub(b"", self._seen).decode("utf-8", "replace")

    async def sees(self, pattern: str, within_s: float = WAIT_S) -> re.Match[str]:
        """Wait until ``pattern`` has been drawn."""
        try:
            async with asyncio.timeout(within_s):
                while (found := re.search(pattern, self.text)) is None:
                    self._has_more.clear()
                    await self._has_more.wait()
        except TimeoutError:
            raise AssertionError(f"'{pattern}' was not drawn within {within_s:g} s: {self.text[-3000:]}") from None
        return found

    async def press(self, key: str, pattern: str) -> re.Match[str]:
        """Press a key and wait until what it does is on the screen; how long that took is kept."""
        self._seen = b""
        began = perf_counter()
        self._process.stdin.write(KEYS.get(key, key.encode()))
        found = await self.sees(pattern)
        self.latencies_ms.setdefault(key if key in KEYS else "typing" if key.isalnum() else key, []).append(
            (perf_counter() - began) * 1000
        )
        return found

    async def type(self, text: str) -> None:
        """Type letter after letter; each must be seen in the search."""
        for count in range(1, len(text) + 1):
            await self.press(text[count - 1], re.escape(f"{text[:count]}▏"))

    def tap(self, key: str) -> None:
        """Press a key and look at nothing."""
        self._seen = b""
        self._process.stdin.write(KEYS.get(key, key.encode()))

    def cut(self) -> None:
        """The connection breaks."""
        self._process.channel.get_connection().abort()

    async def close(self) -> None:
        self._reading.cancel()
        self._process.close()


@asynccontextmanager
async def typist(
    host: str, port: int, login: str, password: str, size: tuple[int, int] = (120, 34)
) -> AsyncIterator[Typist]:
    """Log in; the Switchboard is drawn when this begins."""
    async with asyncssh.connect(
        host, port, username=login, password=password, known_hosts=None, client_keys=None, config=None,
        agent_path=None, preferred_auth="password",
    ) as connection:  # fmt: skip
        process = await connection.create_process(term_type="xterm-256color", term_size=size, encoding=None)
        one = Typist(process)
        try:
            await one.sees("People")
            yield one
        finally:
            await one.close()
