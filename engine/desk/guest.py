"""One client's connection to the control socket: whole lines in, whole lines out, descriptors beside them."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from engine.desk.wire import WireError, to_line

LONGEST_LINE = 4 * 2**20
"""A whole configuration to import; only the folder's owner gets so far."""
SEND_LIMIT_S = 10.0
_CHUNK = 64 * 1024
_MOST_FDS = 4


class GuestGoneError(Exception):
    """The client has hung up, or takes nothing any more."""


class Guest:
    """Belongs to the engine's loop; a slow or silent client costs memory for one line, never time of others."""

    def __init__(self, connection: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        connection.setblocking(False)
        self._socket = connection
        self._loop = loop
        self._buffer = bytearray()
        self._fds: list[int] = []

    async def receive(self) -> bytes:
        """The next line without its end; raises ``GuestGoneError``, and ``WireError`` for an endless line."""
        while b"\n" not in self._buffer:
            if len(self._buffer) > LONGEST_LINE:
                raise WireError("a line is too long", f"send at most {LONGEST_LINE} bytes")
            await self._fill()
        line, _, rest = bytes(self._buffer).partition(b"\n")
        self._buffer[:] = rest
        return line

    async def send(self, document: Mapping[str, Any]) -> None:
        """Send one document; raises ``GuestGoneError`` when the client does not take it in time."""
        await self.send_line(to_line(document))

    async def send_line(self, line: bytes) -> None:
        """``send`` of what is written already."""
        try:
            async with asyncio.timeout(SEND_LIMIT_S):
                await self._loop.sock_sendall(self._socket, line)
        except (OSError, TimeoutError):
            raise GuestGoneError from None

    def take_fds(self) -> list[int]:
        """The descriptors received so far; the caller owns them."""
        fds, self._fds = self._fds, []
        return fds

    def close(self) -> None:
        """Hang up and close what nobody took."""
        for fd in self.take_fds():
            os.close(fd)
        self._socket.close()

    async def _fill(self) -> None:
        while True:
            with suppress(BlockingIOError):
                return self._take()
            await self._readable()

    def _take(self) -> None:
        try:
            data, fds, _, _ = socket.recv_fds(self._socket, _CHUNK, _MOST_FDS, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            raise
        except OSError:
            raise GuestGoneError from None
        self._fds += fds
        if not data:
            raise GuestGoneError
        if len(self._fds) > _MOST_FDS:
            raise WireError("too many descriptors", "send two")
        self._buffer += data

    async def _readable(self) -> None:
        ready: asyncio.Future[None] = self._loop.create_future()
        fd = self._socket.fileno()
        self._loop.add_reader(fd, lambda: None if ready.done() else ready.set_result(None))
        try:
            await ready
        finally:
            self._loop.remove_reader(fd)
