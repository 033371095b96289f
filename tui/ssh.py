"""The SSH server whose every session is a console."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import os
from pathlib import Path
from typing import Protocol

import asyncssh

from engine.core.clock import Clock
from engine.core.errors import StateFolderError
from engine.pbx.rights import Asker
from tui.door import DeskDoor
from tui.driver import Terminal
from tui.guard import LoginGuard
from tui.linear import LOOK_S, LinearConsole
from tui.texts import N_, Tongue, language_of, speak, translate

log = logging.getLogger(__name__)

HOST_KEY_FILE = "ssh_host_key"
MAX_CONNECTIONS = 96
MAX_LOGINS_UNDERWAY = 64
MAX_LOGINS_OF_ONE_SOURCE = 8
"""So that one stranger who opens connections and says nothing locks nobody else out."""
LOGIN_SECONDS = 60
MAX_TRIES = 4
"""Wrong passwords in one connection."""
WRONG_PASSWORD_PAUSE = 0.5
KEEPALIVE_SECONDS, KEEPALIVES_MISSED = 15, 3
_STALL_AT, _RESUME_AT = 96 * 1024, 4 * 1024
LINEAR = "lines"
"""What is asked of ssh for the console in sentences: ``ssh desk@office lines``."""
MAX_LINEAR = 32
_MOST_LINES, _LONGEST_TYPED = 20, 400
"""Lines that wait to be obeyed, and octets of one that is not ended yet."""
_HEEDED = ("LANG", "LC_ALL", "LC_MESSAGES", "COLORTERM", "NO_COLOR")


class ConsoleRunner(Protocol):
    """Who shows the consoles (the host)."""

    @property
    def is_full(self) -> bool: ...

    async def run_console(self, terminal: Terminal, asker: Asker) -> bool: ...

    def leave_console(self, terminal: Terminal) -> None: ...

    def chosen_language(self, login: str) -> str | None: ...


class SshDoor:
    """Listens, lets operators in and gives each session a console."""

    def __init__(self, desk: DeskDoor, runner: ConsoleRunner, state_folder: Path, clock: Clock) -> None:
        self.desk = desk
        self.runner = runner
        self.clock = clock
        self.guard = LoginGuard()
        self.connections: set[Connection] = set()
        self.linear = 0
        """Consoles in sentences that are open."""
        self._state_folder = state_folder
        self._acceptor: asyncssh.SSHAcceptor | None = None

    async def open(self, host: str, port: int) -> tuple[tuple[str, int], ...]:
        """Listen; returns the addresses. Raises ``OSError`` and ``StateFolderError``."""
        asyncssh.set_log_level(logging.WARNING)
        self._acceptor = await asyncssh.create_server(
            lambda: Connection(self),
            host or None,
            port,
            server_host_keys=[load_host_key(self._state_folder / HOST_KEY_FILE)],
            server_version="Frontdesk",
            encoding=None,
            line_editor=False,
            agent_forwarding=False,
            x11_forwarding=False,
            allow_scp=False,
            login_timeout=LOGIN_SECONDS,
            keepalive_interval=KEEPALIVE_SECONDS,
            keepalive_count_max=KEEPALIVES_MISSED,
        )
        return tuple(sock.getsockname()[:2] for sock in self._acceptor.sockets)

    def stop_listening(self) -> None:
        if self._acceptor is not None:
            self._acceptor.close()

    async def close(self) -> None:
        """End every connection; their consoles have been left before."""
        for connection in list(self.connections):
            connection.close("the office is closing this console")
        if self._acceptor is not None:
            await self._acceptor.wait_closed()

    def has_room_for(self, source: str) -> bool:
        """Whether another connection from this address may come in."""
        strangers = [item.source for item in self.connections if item.asker is None]
        return (
            len(self.connections) < MAX_CONNECTIONS
            and len(strangers) < MAX_LOGINS_UNDERWAY
            and strangers.count(source) < MAX_LOGINS_OF_ONE_SOURCE
        )


class Connection(asyncssh.SSHServer):
    """One ssh client: who it is and the sessions it opens."""

    def __init__(self, door: SshDoor) -> None:
        self._door = door
        self._conn: asyncssh.SSHServerConnection | None = None
        self.source = ""
        self._tries = 0
        self._has_tried_key = False
        self._candidate: Asker | None = None
        self.asker: Asker | None = None
        """Who has logged in; ``None`` until then."""

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._conn = conn
        peer = conn.get_extra_info("peername")
        self.source = peer[0] if peer else ""
        door = self._door
        if door.has_room_for(self.source):
            door.connections.add(self)
        else:
            # Before the version exchange no client understands a reason: it is hung up on.
            log.warning("a console connection from %s is one too many", self.source)
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._door.connections.discard(self)
        if self.asker is None and self._has_tried_key and not self._tries:
            self._count_failure()

    def close(self, reason: str) -> None:
        if self._conn is not None:
            self._conn.disconnect(asyncssh.DISC_BY_APPLICATION, reason)

    def begin_auth(self, username: str) -> bool:
        self._candidate = None
        # Not earlier: a client shows the reason only once the keys are exchanged.
        self._must_wait()
        return True

    def password_auth_supported(self) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    async def validate_password(self, username: str, password: str) -> bool:
        if self._must_wait():
            return False
        try:
            self._candidate = await asyncio.wrap_future(self._door.desk.verify_login(username, password))
        except Exception:
            log.exception("a console login could not be checked")
            self._candidate = None
            return False
        if self._candidate is not None:
            return True
        self._tries += 1
        self._count_failure()
        log.warning("console login refused for %r from %s", username[:64], self.source)
        await asyncio.sleep(WRONG_PASSWORD_PAUSE)
        if self._tries >= MAX_TRIES:
            self.close("too many failed logins in one connection")
        self._must_wait()
        return False

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        self._has_tried_key = True
        line = key.export_public_key("openssh").decode("ascii", "replace").strip()
        self._candidate = self._door.desk.key_asker(username, line)
        return self._candidate is not None

    def auth_completed(self) -> None:
        self.asker = self._candidate
        self._door.guard.forget(self.source)

    def session_requested(self) -> ConsoleSession | bool:
        if self.asker is None:
            return False
        return ConsoleSession(self._door, self.asker)

    def _must_wait(self) -> bool:
        """End the connection when its source has failed too often of late."""
        wait = self._door.guard.wait_for(self.source, self._door.clock.now())
        if wait > 0:
            self.close(f"too many failed logins from {self.source}; try again in {int(wait) + 1} s")
        return wait > 0

    def _count_failure(self) -> None:
        self._door.guard.count_failure(self.source, self._door.clock.now())


class ConsoleSession(asyncssh.SSHServerSession[bytes]):
    """One console in an SSH channel."""

    def __init__(self, door: SshDoor, asker: Asker) -> None:
        self._door = door
        self._runner = door.runner
        self._asker = asker
        self._channel: asyncssh.SSHServerChannel[bytes] | None = None
        self._terminal: Terminal | None = None
        self._refusal = ""
        self._is_stalled = False
        self._environment: dict[str, str] = {}
        self._task: asyncio.Task[None] | None = None
        self._is_linear = False
        self._lines: asyncio.Queue[str] = asyncio.Queue(_MOST_LINES)
        self._typed = b""

    @property
    def is_stalled(self) -> bool:
        return self._is_stalled

    def write(self, data: bytes) -> None:
        if self._channel is not None and not self._channel.is_closing():
            try:
                self._channel.write(data)
            except (OSError, asyncssh.Error):
                self._leave()

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        self._channel = chan
        chan.set_write_buffer_limits(_STALL_AT, _RESUME_AT)

    def pty_requested(self, term_type: str, term_size: tuple[int, int, int, int], term_modes: object) -> bool:
        return True

    def shell_requested(self) -> bool:
        return True

    def exec_requested(self, command: str) -> bool:
        if command.strip() == LINEAR:
            self._is_linear = True
            return True
        self._refusal = N_("This is Frontdesk's console; it runs no commands. Log in without one.")
        return True

    def subsystem_requested(self, subsystem: str) -> bool:
        return False

    def session_started(self) -> None:
        chan = self._channel
        assert chan is not None
        term = chan.get_terminal_type()
        if term is None and not self._refusal and not self._is_linear:
            self._refusal = N_("Frontdesk's console needs a terminal: use ssh -t.")
        elif self._runner.is_full or (self._is_linear and self._door.linear >= MAX_LINEAR):
            self._refusal = N_("Too many consoles are open: leave one of them first.")
        self._environment = {name: value for name, value in chan.get_environment().items() if name in _HEEDED}
        if self._is_linear and not self._refusal:
            self._door.linear += 1
            self._task = asyncio.get_running_loop().create_task(self._speak(), context=contextvars.Context())
            return
        if self._refusal or term is None:
            chan.write_stderr(f"{translate(self._refusal, self._environment)}\r\n".encode())
            chan.exit(1)
            return
        columns, rows, *_ = chan.get_terminal_size()
        self._terminal = Terminal(self, term, (columns, rows), self._environment)
        self._task = asyncio.get_running_loop().create_task(self._show())

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        if self._terminal is not None:
            self._terminal.receive(data)
        elif self._is_linear:
            self._take_lines(data)

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        if self._terminal is not None:
            self._terminal.resize(width, height)

    def pause_writing(self) -> None:
        self._is_stalled = True

    def resume_writing(self) -> None:
        self._is_stalled = False
        if self._terminal is not None:
            self._terminal.resume()

    def signal_received(self, signal: str) -> None:
        if signal in ("HUP", "TERM", "KILL"):
            self._leave()

    def break_received(self, msec: int) -> bool:
        return True

    def eof_received(self) -> bool:
        self._leave()
        return True  # our side stays open until the console has left the terminal clean

    def connection_lost(self, exc: Exception | None) -> None:
        self._channel = None
        self._leave()

    def _leave(self) -> None:
        if self._terminal is not None:
            self._runner.leave_console(self._terminal)
        elif self._is_linear and self._task is not None:
            self._task.cancel()

    # -- in sentences -------------------------------------------------------------------------------------------

    def _take_lines(self, data: bytes) -> None:
        """What is typed, a line at a time; more than can be obeyed is dropped."""
        *lines, self._typed = (self._typed + data).replace(b"\r", b"\n").split(b"\n")
        self._typed = self._typed[-_LONGEST_TYPED:]
        for line in lines:
            with contextlib.suppress(asyncio.QueueFull):
                self._lines.put_nowait(line.decode("utf-8", "replace"))

    async def _speak(self) -> None:
        """The linear console until it is left."""
        speak(Tongue(self._runner.chosen_language(self._asker.name) or language_of(self._environment)))
        door = self._door
        console = LinearConsole(door.desk, self._asker, door.clock, lambda line: self.write(f"{line}\r\n".encode()))
        try:
            console.greet()
            while not console.is_left:
                with contextlib.suppress(TimeoutError):
                    await console.obey(await asyncio.wait_for(self._lines.get(), LOOK_S))
                console.look()
        except asyncio.CancelledError:
            pass
        except Exception:
            log.exception("a linear console failed; the office goes on")
        finally:
            door.linear -= 1
            if self._channel is not None and not self._channel.is_closing():
                self._channel.exit(0)

    async def _show(self) -> None:
        assert self._terminal is not None
        is_fine = False
        try:
            is_fine = await self._runner.run_console(self._terminal, self._asker)
        finally:
            if self._channel is not None and not self._channel.is_closing():
                if not is_fine:
                    text = translate(N_("The console failed; the office goes on. Log in again."), self._environment)
                    self.write(f"{text}\r\n".encode())
                self._channel.exit(0 if is_fine else 1)


def load_host_key(path: Path) -> asyncssh.SSHKey:
    """The server's key, made on the first run (mode 0600); raises ``StateFolderError`` when it cannot be used."""
    try:
        if not path.exists():
            _make_host_key(path)
        return asyncssh.read_private_key(path)
    except (OSError, asyncssh.KeyImportError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise StateFolderError(
            f"the SSH host key {path} cannot be used ({reason})",
            "restore it from a backup, or remove it to have a new one made (ssh clients will then warn once)",
        ) from None


def _make_host_key(path: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key.export_private_key())
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
