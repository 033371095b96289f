"""The control socket: the command line's way to a running engine, for the folder's owner alone."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import struct
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeGuard

from engine.core.bus import Subscription
from engine.core.errors import NotFoundError, RefusedError, StateFolderError
from engine.core.paths import SOCKET
from engine.desk.commands import ShowExtension
from engine.desk.documents import event_document
from engine.desk.door import Desk
from engine.desk.guest import Guest, GuestGoneError
from engine.desk.terminal import ConsoleHost
from engine.desk.unix_path import reachable
from engine.desk.wire import WireError, decode_command, encode, encode_error, parse_line, to_json, to_line
from engine.pbx.rights import OWNER

_log = logging.getLogger(__name__)

MOST_GUESTS = 64
LONG_LISTING = 200
"""Beyond so many items an answer is written on a thread of its own: a year of call records takes seconds."""
_CREDENTIALS = struct.Struct("3i")


class ControlSocket:
    """Listens in the state folder (mode 0600); each connection is served by its own task on the engine's loop."""

    def __init__(self, desk: Desk, folder: Path, console_host: ConsoleHost | None = None) -> None:
        self._desk = desk
        self._path = folder / SOCKET
        self.console_host = console_host
        """Who plays consoles; may be set later than the socket opens."""
        self._loop = asyncio.get_running_loop()
        self._listener: socket.socket | None = None
        self._guests: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Begin to listen; call it only while holding the folder's lock. Raises ``StateFolderError``."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._path.unlink(missing_ok=True)
            with reachable(self._path) as address:
                before = os.umask(0o177)
                try:
                    listener.bind(address)
                finally:
                    os.umask(before)
        except OSError as error:
            listener.close()
            raise StateFolderError(
                f"cannot listen on {self._path}: {error.strerror or error}", "check the folder's permissions"
            ) from None
        listener.listen(MOST_GUESTS)
        listener.setblocking(False)
        self._listener = listener
        self._loop.add_reader(listener.fileno(), self._welcome)

    async def close(self) -> None:
        """Stop listening and hang up on everyone."""
        if self._listener is None:
            return
        self._loop.remove_reader(self._listener.fileno())
        self._listener.close()
        self._listener = None
        self._path.unlink(missing_ok=True)
        for task in self._guests:
            task.cancel()
        await asyncio.gather(*self._guests, return_exceptions=True)

    def _welcome(self) -> None:
        assert self._listener is not None
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        if not _is_owner(connection) or len(self._guests) >= MOST_GUESTS:
            connection.close()
            return
        guest = Guest(connection, self._loop)
        task = self._loop.create_task(self._serve(guest))
        self._guests.add(task)
        task.add_done_callback(lambda ended: self._see_off(ended, guest))

    def _see_off(self, ended: asyncio.Task[None], guest: Guest) -> None:
        """Hang up here and not in the task, which may be cancelled before it has begun."""
        self._guests.discard(ended)
        guest.close()

    async def _serve(self, guest: Guest) -> None:
        try:
            while True:
                await self._answer(guest, await guest.receive())
        except WireError as error:
            with suppress(GuestGoneError):
                await guest.send({"error": encode_error(error)})
        except GuestGoneError:
            pass
        except Exception:
            _log.exception("a client of the control socket was hung up on")

    async def _answer(self, guest: Guest, line: bytes) -> None:
        try:
            document = parse_line(line)
            if "watch" in document:
                await self._stream_events(guest)
            elif "console" in document:
                await self._play_console(guest, document["console"])
            else:
                await guest.send_line(await _write_result(await self._desk.ask(OWNER, decode_command(document))))
        except RefusedError as error:
            await guest.send({"error": encode_error(error)})
        except GuestGoneError:
            raise
        except Exception as error:
            _log.exception("a command of the control socket failed")
            await guest.send({"error": encode_error(error)})

    async def _stream_events(self, guest: Guest) -> None:
        """Send events until the client hangs up; it has nothing more to say."""
        with self._desk.watch(OWNER) as events:
            await guest.send({"result": None})
            sending = self._loop.create_task(_send_events(guest, events))
            leaving = self._loop.create_task(_until_gone(guest))
            try:
                await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                sending.cancel()
                leaving.cancel()
                await asyncio.gather(sending, leaving, return_exceptions=True)
        raise GuestGoneError

    async def _has_extension(self, number: str) -> bool:
        try:
            await self._desk.ask(OWNER, ShowExtension(number))
        except NotFoundError:
            return False
        return True

    async def _play_console(self, guest: Guest, asked: Any) -> None:
        lent = _read_terminal(guest, asked)
        host = self.console_host
        asker = OWNER if lent.acting is None else replace(OWNER, extension=lent.acting)
        if lent.acting is not None and not await self._has_extension(lent.acting):
            for fd in (lent.input_fd, lent.output_fd):
                os.close(fd)
            raise NotFoundError(f"there is no extension {lent.acting}", "see 'frontdesk extension list'")
        if host is None:
            for fd in (lent.input_fd, lent.output_fd):
                os.close(fd)
            raise RefusedError("this engine has no console", "start it with 'frontdesk run'")
        handle = host.attach(lent.input_fd, lent.output_fd, lent.term, lent.size, asker, lent.environment)
        finished = asyncio.wrap_future(handle)
        finished.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        following = self._loop.create_task(_follow_terminal(guest, host, handle))
        try:
            await guest.send({"result": None})
            await asyncio.wait({finished, following}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            following.cancel()
            # It must have let go of the socket before anything else is read from there.
            await asyncio.gather(following, return_exceptions=True)
            if not finished.done():
                host.detach(handle)
        if not finished.done():
            raise GuestGoneError
        failure = finished.exception()
        await guest.send({"ended": encode_error(failure) if isinstance(failure, Exception) else None})


@dataclass(frozen=True, slots=True)
class _LentTerminal:
    input_fd: int
    output_fd: int
    term: str
    size: tuple[int, int]
    environment: dict[str, str]
    acting: str | None
    """The extension that the owner acts with."""


async def _write_result(result: Any) -> bytes:
    """The line that answers a command."""
    if isinstance(result, tuple) and len(result) > LONG_LISTING:
        return await asyncio.to_thread(_write_listing, result)
    return to_line({"result": encode(result)})


def _write_listing(items: tuple[Any, ...]) -> bytes:
    """One item after the other: the JSON encoder lets no other thread work before it is done."""
    return b'{"result":[' + b",".join([to_json(encode(item)) for item in items]) + b"]}\n"


async def _send_events(guest: Guest, events: Subscription) -> None:
    lost = 0
    while True:
        event = await events.next()
        if events.dropped > lost:
            await guest.send({"dropped": events.dropped - lost})
            lost = events.dropped
        await guest.send({"event": event_document(event)})


async def _until_gone(guest: Guest) -> None:
    with suppress(GuestGoneError, WireError):
        while True:
            await guest.receive()


async def _follow_terminal(guest: Guest, host: ConsoleHost, handle: Future[None]) -> None:
    """Pass size changes on until the client hangs up."""
    with suppress(GuestGoneError, WireError):
        while True:
            size = parse_line(await guest.receive()).get("resize")
            if _is_size(size):
                host.resize(handle, size[0], size[1])


def _read_terminal(guest: Guest, asked: Any) -> _LentTerminal:
    fds = guest.take_fds()
    size = asked.get("size") if isinstance(asked, dict) else None
    if len(fds) != 2 or not all(map(os.isatty, fds)) or not _is_size(size):
        for fd in fds:
            os.close(fd)
        raise WireError("a console needs a terminal's two descriptors and its size", "use 'frontdesk console'")
    told = asked.get("environment")
    environment = {str(name): str(value) for name, value in told.items()} if isinstance(told, dict) else {}
    acting = str(asked["as"]) if asked.get("as") else None
    return _LentTerminal(fds[0], fds[1], str(asked.get("term") or "xterm"), (size[0], size[1]), environment, acting)


def _is_size(size: Any) -> TypeGuard[list[int]]:
    """Columns and rows of a terminal."""
    return (
        isinstance(size, list) and len(size) == 2 and all(type(edge) is int and 0 < edge < 10_000 for edge in size)
    )


def _is_owner(connection: socket.socket) -> bool:
    """Whether the peer runs as our user or root, as the kernel says (SO_PEERCRED, unix(7))."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(raw)
    return uid in (os.getuid(), 0)
