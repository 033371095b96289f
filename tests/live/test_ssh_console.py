"""The console over SSH and on a local terminal, seen as the bytes a client gets; the office is a made-up one."""

from __future__ import annotations

import asyncio
import logging
import os
import stat
import termios
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest

from engine.core.clock import SystemClock
from engine.core.errors import StateFolderError
from tests.unit.tui.fake_desk import ADMIN, PASSWORD, FakeDesk, call_view
from tui.guard import FREE_FAILURES
from tui.host import ConsoleHost
from tui.screens.switchboard import SwitchboardScreen

HOST = "127.7.0.1"
WAIT = 20.0

pytestmark = pytest.mark.live


class Front:
    """A console host on a free port and the desk behind it."""

    def __init__(self, folder: Path) -> None:
        self.clock = SystemClock()
        self.desk = FakeDesk(self.clock).furnish()
        self.host = ConsoleHost(self.desk, (HOST, 0), folder, self.clock)
        [(_host, self.port)] = self.host.start()

    @asynccontextmanager
    async def login(
        self, login: str = "desk", password: str | None = PASSWORD, **options: object
    ) -> AsyncIterator[asyncssh.SSHClientConnection]:
        keys = options.pop("client_keys", None)
        async with asyncio.timeout(WAIT), asyncssh.connect(
            HOST, self.port, username=login, password=password, known_hosts=None, client_keys=keys, config=None,
            agent_path=None, preferred_auth="publickey,password", **options,
        ) as connection:  # fmt: skip
            yield connection


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    front = Front(tmp_path)
    yield front
    front.host.stop()


class Screen:
    """What one client has been sent so far."""

    def __init__(self, process: asyncssh.SSHClientProcess[bytes]) -> None:
        self._process = process
        self.data = b""

    async def shows(self, *parts: str) -> None:
        """Read until every part has been sent."""
        async with asyncio.timeout(WAIT):
            while not all(part.encode() in self.data for part in parts):
                chunk = await self._process.stdout.read(65536)
                assert chunk, f"the console ended before it showed {parts}: {self.data[-400:]!r}"
                self.data += chunk

    def forget(self) -> None:
        self.data = b""

    def type(self, data: bytes) -> None:
        self._process.stdin.write(data)

    async def leave(self) -> int | None:
        self.type(b"\x11")
        async with asyncio.timeout(WAIT):
            while chunk := await self._process.stdout.read(65536):
                self.data += chunk
            await self._process.wait_closed()
        return self._process.exit_status


async def open_screen(connection: asyncssh.SSHClientConnection, **options: object) -> Screen:
    settings = {"term_type": "xterm-256color", "term_size": (120, 34), "encoding": None, **options}
    return Screen(await connection.create_process(**settings))


async def test_password_login_shows_the_office_and_ctrl_q_leaves_the_terminal_clean(front: Front) -> None:
    async with front.login() as connection:
        screen = await open_screen(connection)
        await screen.shows("Muster GmbH", "Anna Berger", "陈波", "\x1b[?1049h")
        assert await screen.leave() == 0
        for restored in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l", b"\x1b[?2004l"):
            assert restored in screen.data


async def test_public_key_login(front: Front) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    front.desk.keys["desk"] = key.export_public_key().decode()
    async with front.login(password=None, client_keys=[key]) as connection:
        await (await open_screen(connection)).shows("Muster GmbH")
    with pytest.raises(asyncssh.PermissionDenied):
        async with front.login(password=None, client_keys=[asyncssh.generate_private_key("ssh-ed25519")]):
            pass


async def test_a_removed_operator_is_shown_out_with_a_line_that_says_why(front: Front) -> None:
    async with front.login() as connection, front.login("guest") as other_connection:
        screen, other = await open_screen(connection), await open_screen(other_connection)
        await screen.shows("Muster GmbH")
        await other.shows("Muster GmbH")
        del front.desk.logins["desk"]
        await screen.shows("\x1b[?1049l", "The login desk has been removed; the office goes on.\r\n")
        assert await other.leave() == 0


async def test_keys_mouse_and_resize_reach_the_console(front: Front) -> None:
    async with front.login() as connection:
        screen = await open_screen(connection)
        await screen.shows("Muster GmbH")
        screen.type(b"vo")
        await screen.shows("search", "vo")
        screen.type(b"\x1b")
        screen.forget()
        screen._process.change_terminal_size(80, 24)
        await screen.shows("People")
        screen.forget()
        screen.type(b"\x1b[<0;6;3M\x1b[<0;6;3m")
        screen.type(b"-")
        await screen.shows("Release this call?")
        screen.type(b"y")
        await screen.shows("released")
        assert [type(command).__name__ for _who, command in front.desk.commands] == ["ReleaseCall"]


async def test_a_live_call_appears_and_ends(front: Front) -> None:
    async with front.login() as connection:
        screen = await open_screen(connection)
        await screen.shows("Muster GmbH")
        calls = front.desk.view.calls
        front.desk.change(calls=(*calls, call_view("n", "106", "108", front.clock.wall(), names=("Live", None))))
        await screen.shows("106 Live")
        front.desk.change(calls=calls)
        await screen.shows("ended")


async def test_three_consoles_at_once_each_in_its_language_and_role(front: Front) -> None:
    async with front.login() as one, front.login() as two, front.login("guest") as three:
        first = await open_screen(one)
        second = await open_screen(two, env={"LANG": "zh_CN.UTF-8"})
        third = await open_screen(three)
        await asyncio.gather(
            first.shows("Live calls", "release"),
            second.shows("当前通话", "挂断"),
            third.shows("Live calls", "leave"),
        )
        assert b"release" not in third.data


async def test_a_hard_disconnect_harms_nobody_else(front: Front, caplog: pytest.LogCaptureFixture) -> None:
    async with front.login() as steady:
        screen = await open_screen(steady)
        await screen.shows("Muster GmbH")
        for _ in range(3):
            async with front.login() as doomed:
                await (await open_screen(doomed)).shows("Muster GmbH")
                doomed.abort()
        front.desk.change(office_name="Still here")
        await screen.shows("Still here")
        async with asyncio.timeout(WAIT):
            while len(front.host._consoles) > 1:
                await asyncio.sleep(0.05)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_client_that_does_not_read_stalls_nobody_and_catches_up(front: Front) -> None:
    async with front.login() as slow, front.login() as quick:
        process = await slow.create_process(term_type="xterm-256color", term_size=(200, 60), encoding=None)
        stalled = Screen(process)
        await stalled.shows("Muster GmbH")
        process.channel.pause_reading()
        screen = await open_screen(quick)
        await screen.shows("Muster GmbH")
        for n in range(12):
            front.desk.change(office_name=f"Office {n}" + "·" * 30)
            await screen.shows(f"Office {n}·")
        front.desk.change(office_name="The last one")
        await screen.shows("The last one")
        process.channel.resume_reading()
        await stalled.shows("The last one")


async def test_without_a_terminal_there_is_one_clear_line(front: Front) -> None:
    async with front.login() as connection:
        result = await connection.run(term_type=None, stdin=asyncssh.DEVNULL)
        assert result.exit_status == 1
        assert result.stderr == "Frontdesk's console needs a terminal: use ssh -t.\r\n"
        result = await connection.run("reboot", env={"LANG": "zh_CN.UTF-8"})
        assert result.exit_status == 1
        assert "不执行命令" in str(result.stderr)


async def test_there_is_no_way_further_than_the_console(front: Front) -> None:
    async with front.login() as connection:
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_connection("127.0.0.1", front.port)
        with pytest.raises(asyncssh.ChannelListenError):
            await connection.forward_remote_port("127.0.0.1", 0, "127.0.0.1", 1)
        with pytest.raises((asyncssh.SFTPError, asyncssh.ChannelOpenError)):
            await connection.start_sftp_client()


async def test_guessing_passwords_is_slowed_down(front: Front, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(FREE_FAILURES):
        with pytest.raises((asyncssh.PermissionDenied, asyncssh.DisconnectError)):
            async with front.login(password="let-me-in"):
                pass
    with pytest.raises(asyncssh.DisconnectError, match="too many failed logins"):
        async with front.login():
            pass
    assert "let-me-in" not in caplog.text


async def test_a_console_that_fails_harms_no_other_and_is_logged_without_secrets(
    front: Front, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    draw = SwitchboardScreen.draw_panels

    def fail_for_guests(screen: SwitchboardScreen, *picture: object) -> None:
        secret_local = "k7mw-q2xa"
        if screen.console_app.asker.name == "guest" and secret_local:
            raise ZeroDivisionError("broken drawing")
        draw(screen, *picture)  # type: ignore[arg-type]

    monkeypatch.setattr(SwitchboardScreen, "draw_panels", fail_for_guests)
    async with front.login() as one, front.login("guest") as two:
        screen = await open_screen(one)
        await screen.shows("Muster GmbH")
        with caplog.at_level(logging.ERROR):
            broken = await open_screen(two)
            await broken.shows("The console failed; the office goes on")
        front.desk.change(office_name="Goes on")
        await screen.shows("Goes on")
    assert caplog.text.count("ZeroDivisionError: broken drawing") == 1
    assert "k7mw-q2xa" not in caplog.text.replace('secret_local = "k7mw-q2xa"', "")


async def test_stopping_leaves_every_terminal_clean(front: Front) -> None:
    async with front.login() as connection:
        screen = await open_screen(connection)
        await screen.shows("Muster GmbH")
        stopping = asyncio.get_running_loop().run_in_executor(None, front.host.stop)
        await screen.shows("\x1b[?1049l", "\x1b[?25h")
        await stopping


def test_the_host_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    for _ in range(2):
        Front(tmp_path).host.stop()
        key = tmp_path / "ssh_host_key"
        content = key.read_bytes()
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.read_bytes() == content


def test_a_damaged_host_key_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "ssh_host_key").write_text("garbage")
    with pytest.raises(
        StateFolderError, match=r"ssh_host_key cannot be used .*: restore it from a backup, or remove"
    ):
        Front(tmp_path)


def test_a_port_in_use_is_an_error_for_who_starts(front: Front, tmp_path: Path) -> None:
    second = ConsoleHost(front.desk, (HOST, front.port), tmp_path, front.clock)
    with pytest.raises(OSError, match="in use"):
        second.start()


class Tty:
    """A terminal of this machine, both ends."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.data = b""

    async def shows(self, part: str) -> None:
        """Read until this has been drawn."""
        os.set_blocking(self.master, False)
        arrived = asyncio.Event()
        asyncio.get_running_loop().add_reader(self.master, arrived.set)
        try:
            async with asyncio.timeout(WAIT):
                while part.encode() not in self.data:
                    await arrived.wait()
                    arrived.clear()
                    with suppress(BlockingIOError):
                        self.data += os.read(self.master, 65536)
        finally:
            asyncio.get_running_loop().remove_reader(self.master)


def attach(front: Front, tty: Tty) -> Future[None]:
    return front.host.attach(
        os.dup(tty.slave), os.dup(tty.slave), "tmux-256color", (100, 30), ADMIN, {"LANG": "en_US.UTF-8"}
    )


async def test_a_local_terminal_shows_the_same_console_and_is_restored(front: Front) -> None:
    tty = Tty()
    handle = attach(front, tty)
    await tty.shows("Muster GmbH")
    assert not termios.tcgetattr(tty.slave)[3] & termios.ECHO
    assert os.get_blocking(tty.slave)
    tty.data = b""
    front.host.resize(handle, 80, 24)
    await tty.shows("People")
    os.write(tty.master, b"\x11")
    await tty.shows("\x1b[?1049l")
    await asyncio.wait_for(asyncio.wrap_future(handle), WAIT)
    assert termios.tcgetattr(tty.slave) == tty.before
    os.close(tty.slave)
    os.close(tty.master)


async def test_a_local_terminal_that_is_lost_ends_its_console_alone(front: Front) -> None:
    lost, kept = Tty(), Tty()
    gone, stays = attach(front, lost), attach(front, kept)
    await asyncio.gather(lost.shows("Muster GmbH"), kept.shows("Muster GmbH"))
    os.close(lost.slave)
    os.close(lost.master)
    await asyncio.wait_for(asyncio.wrap_future(gone), WAIT)
    front.desk.change(office_name="Goes on")
    await kept.shows("Goes on")
    front.host.detach(stays)
    await asyncio.wait_for(asyncio.wrap_future(stays), WAIT)
    front.desk.change(calls=tuple(replace(call, revision=9) for call in front.desk.view.calls))
    os.close(kept.slave)
    os.close(kept.master)


async def test_the_linear_console_speaks_in_sentences_over_ssh(front: Front) -> None:
    """For screen readers: ``ssh desk@office lines``, with nothing that moves a cursor."""
    async with front.login() as connection:
        async with connection.create_process("lines", encoding=None) as process:
            said = Screen(process)
            await said.shows("Frontdesk, Muster GmbH. Type help", "\r\n")
            said.type(b"people anna\n")
            await said.shows("1 extension.", "101 Anna Berger, busy")
            said.type("people 陈\n".encode())
            await said.shows("102 Bo Chen 陈波")
            said.type(b"x" * 5000 + b"\nleave\n")
            async with asyncio.timeout(WAIT):
                await process.wait_closed()
            assert process.exit_status == 0
            assert b"\x1b" not in said.data
        async with connection.create_process("lines", encoding=None, env={"LANG": "zh_CN.UTF-8"}) as process:
            said = Screen(process)
            await said.shows("输入 help 查看可用命令")
            process.stdin.write_eof()
            async with asyncio.timeout(WAIT):
                await process.wait_closed()
    assert front.host._ssh is not None
    assert front.host._ssh.linear == 0
