"""Voicemail by mail, sent to a real SMTP server on this machine: what arrives, and what becomes of the rest."""

from __future__ import annotations

import asyncio
import json
import ssl
import warnings
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

from engine.core.bus import EventBus
from engine.core.clock import ManualClock
from engine.core.crew import Crew
from engine.core.events import AlarmRaised, Event
from engine.core.params import PARAMS, param_named
from engine.net.certificate import make_certificate, read_identity
from engine.net.mail import MailServer, deliver
from engine.pbx.mailing import MOST_WAITING, TRIED_FOR_S, Mailer, sender_of, server_of
from engine.pbx.messages import mark_heard, remove_message
from engine.store.configuration import Configuration
from tests.unit.pbx.office import plain_extension

NAME = "new-1767225600000-102"
"""A message of 102, left on 1 January 2026 at midnight (UTC)."""


class PostOffice:
    """A mail server: what it takes, and what it says instead."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, list[str], EmailMessage]] = []
        self.port = 0
        self.says: dict[str, str] = {}
        """By command, instead of taking it."""
        self.arrived = asyncio.Event()
        self.asked = 0

    async def handle_RCPT(  # noqa: N802 - the library's names
        self, server: Any, session: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.asked += 1
        self.arrived.set()
        if "RCPT" in self.says:
            return self.says["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802 - as above
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        if "DATA" in self.says and any(mail.iter_attachments()):
            return self.says["DATA"]
        self.taken.append((str(envelope.mail_from), list(envelope.rcpt_tos), mail))
        self.arrived.set()
        return "250 OK"


@asynccontextmanager
async def opened(post: PostOffice, tls: ssl.SSLContext | None = None, **options: Any) -> AsyncIterator[PostOffice]:
    loop = asyncio.get_running_loop()
    sessions: list[SMTP] = []

    def accept() -> SMTP:
        with warnings.catch_warnings(action="ignore"):  # a login without its own STARTTLS is no advice of ours
            sessions.append(SMTP(post, loop=loop, **options))
        return sessions[-1]

    server = await loop.create_server(accept, "127.0.0.1", post.port, ssl=tls)
    post.port = server.sockets[0].getsockname()[1]
    try:
        yield post
    finally:
        server.close()
        for session in sessions:
            if session.transport is not None:
                session.transport.close()
        await asyncio.sleep(0.01)
        await server.wait_closed()


class Site:
    """What the mailer sees of an office."""

    def __init__(self, folder: Path, crew: Crew) -> None:
        self.clock = ManualClock()
        self.bus = EventBus()
        self.events: list[Event] = []
        self.bus.listen(self.events.append)
        self.keeper = SimpleNamespace(folder=folder)
        self.crew = crew
        self.mailers: list[Mailer] = []
        params = {name: param.default for name, param in PARAMS.items()}
        params |= {
            "mail_server": "127.0.0.1:9",
            "mail_tls": "off",
            "mail_from": "pbx@example.org",
            "timezone": "UTC",
        }
        anna = replace(plain_extension("101"), name="Anna", email="anna@example.org")
        self.configuration = Configuration(
            1,
            "office",
            extensions=MappingProxyType(
                {
                    "101": anna,
                    "102": replace(plain_extension("102"), name="Ben Müller"),
                    "103": plain_extension("103"),
                }
            ),
            params=MappingProxyType(params),
        )

    def sets(self, **params: Any) -> None:
        self.configuration = replace(
            self.configuration, params=MappingProxyType({**self.configuration.params, **params})
        )

    @property
    def alarms(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, AlarmRaised)]

    def message(self, box: str = "101", name: str = NAME, seconds: int = 2) -> Path:
        file = self.keeper.folder / "voicemail" / box / f"{name}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(file), "wb") as audio:
            audio.setnchannels(1)
            audio.setsampwidth(2)
            audio.setframerate(8000)
            audio.writeframes(bytes(16000 * seconds))
        return Path(file)

    @property
    def outbox(self) -> list[str]:
        return sorted(each.name for each in (self.keeper.folder / "outbox").glob("*.json"))


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with asyncio.TaskGroup() as group:
        site = Site(tmp_path, Crew(group))
        yield site
        for mailer in site.mailers:
            mailer.close()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - the disk and the server say nothing
            await asyncio.sleep(0.005)


def mailer_of(site: Site, **options: Any) -> Mailer:
    mailer = Mailer(site, **options)  # type: ignore[arg-type]
    site.mailers.append(mailer)
    return mailer


# -- what arrives -----------------------------------------------------------------------------------------------


async def test_a_message_is_mailed_with_its_recording(site: Site) -> None:
    file = site.message()
    async with opened(PostOffice()) as post:
        site.sets(mail_server=f"127.0.0.1:{post.port}")
        mailer = mailer_of(site)
        mailer.note_message("101", NAME)
        await until(lambda: bool(post.taken) and not site.outbox)
    ((sender, to, mail),) = post.taken
    assert (sender, to) == ("pbx@example.org", ["anna@example.org"])
    assert mail["Subject"] == "Message from Ben Müller (102) for 101 (0:02)"
    assert mail["From"] == "pbx@example.org"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime == datetime(2026, 1, 1, tzinfo=UTC)
    body = mail.get_body()
    assert body is not None
    assert "When: 2026-01-01 00:00" in body.get_content()
    (attached,) = mail.iter_attachments()
    assert (attached.get_content_type(), attached.get_filename()) == ("audio/x-wav", "101-20260101-000000.wav")
    assert attached.get_payload(decode=True) == file.read_bytes()
    assert not site.alarms


async def test_the_mail_speaks_the_offices_language(site: Site) -> None:
    site.message(name="new-1767225600000-")
    async with opened(PostOffice()) as post:
        site.sets(mail_server=f"127.0.0.1:{post.port}", language="zh", timezone="Asia/Shanghai", mail_attach="off")
        mailer_of(site).note_message("101", "new-1767225600000-")
        await until(lambda: bool(post.taken))
    mail = post.taken[0][2]
    assert mail["Subject"] == "未显示号码的来电者 给 101 的留言（0:02）"
    assert "时间：2026年01月01日 08:00" in mail.get_content()
    assert not mail.is_multipart()


async def test_a_message_that_was_heard_meanwhile_is_mailed_all_the_same(site: Site) -> None:
    site.message()
    mark_heard(site.keeper.folder, "101", NAME)
    async with opened(PostOffice()) as post:
        site.sets(mail_server=f"127.0.0.1:{post.port}")
        mailer_of(site).note_message("101", NAME)
        await until(lambda: bool(post.taken))


@pytest.mark.parametrize("how", ["starttls", "tls"])
async def test_the_login_goes_over_tls_to_a_server_that_is_believed(
    site: Site, tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    site.message()
    pair = tmp_path / "cert.pem", tmp_path / "key.pem"
    make_certificate(*pair, datetime.now(UTC))
    shown = read_identity(*pair).server
    logins: list[tuple[bytes, bytes]] = []

    def check(server: Any, session: Any, envelope: Any, mechanism: str, login: LoginPassword) -> AuthResult:
        logins.append((login.login, login.password))
        return AuthResult(success=login.password == b"right", handled=False)

    options: dict[str, Any] = {"authenticator": check, "auth_required": True, "auth_require_tls": how == "starttls"}
    options |= {"tls_context": shown, "require_starttls": True} if how == "starttls" else {}

    async def believing(server: MailServer, mail: EmailMessage) -> None:
        await deliver(server, mail, lambda: ssl.create_default_context(cafile=str(pair[0])))

    async with opened(PostOffice(), shown if how == "tls" else None, **options) as post:
        site.sets(
            mail_server=f"127.0.0.1:{post.port}", mail_tls=how, mail_user="pbx@example.org", mail_password="wrong"
        )
        doubting = mailer_of(site)
        doubting.note_message("101", NAME)
        await until(lambda: bool(site.alarms))
        assert "certificate verify failed" in site.alarms[0]
        assert not logins
        doubting.close()
        mailer = mailer_of(site, send=believing)
        mailer.note_message("101", NAME)
        await until(lambda: len(site.alarms) == 2)
        assert "refuses the login: 535" in site.alarms[1]
        assert not post.taken
        before = site.configuration
        site.sets(mail_password="right")
        mailer.apply(before, site.configuration)
        await until(lambda: bool(post.taken) and not site.outbox)
    assert (b"pbx@example.org", b"right") in logins
    assert "wrong" not in caplog.text
    assert "right" not in caplog.text


# -- what does not ----------------------------------------------------------------------------------------------


async def test_a_mail_waits_for_a_server_that_is_away_and_outlives_a_restart(site: Site, tmp_path: Path) -> None:
    site.message()
    post = PostOffice()
    async with opened(post):
        site.sets(mail_server=f"127.0.0.1:{post.port}")
    first = mailer_of(site)
    first.note_message("101", NAME)
    await until(lambda: bool(site.alarms))
    assert first.warnings[0].startswith("1 mails wait: 127.0.0.1")
    assert site.outbox == [f"101-{NAME}.json"]
    await until(lambda: '"attempts": 1' in (tmp_path / "outbox" / f"101-{NAME}.json").read_text())
    first.close()
    async with opened(post):
        second = mailer_of(site)
        second.start()
        await until(lambda: second._worker is not None)
        await asyncio.sleep(0.05)
        assert not post.taken
        site.clock.advance(61)
        second._wake()
        await until(lambda: bool(post.taken) and not site.outbox)
        assert second.warnings == ()
    assert len(site.alarms) == 1


async def test_a_mail_is_tried_for_a_day_ever_more_seldom(site: Site) -> None:
    site.message()
    tries: list[float] = []

    async def refuse(server: MailServer, mail: EmailMessage) -> None:
        tries.append(site.clock.now())
        raise OSError("no route to host")

    mailer = mailer_of(site, send=refuse)
    mailer.note_message("101", NAME)
    for count in range(1, 40):
        await until(lambda count=count: len(tries) == count or not mailer._waiting)  # type: ignore[misc]
        await until(lambda: all(each.next_at > mailer._now for each in mailer._waiting.values()))
        if not mailer._waiting:
            break
        site.clock.advance(min(each.next_at for each in mailer._waiting.values()) - mailer._now)
        mailer._wake()
    pauses = [round(later - earlier) for earlier, later in pairwise(tries)]
    assert pauses[:8] == [60, 120, 300, 600, 1200, 1800, 3600, 3600]
    assert TRIED_FOR_S - 3600 < tries[-1] - tries[0] <= TRIED_FOR_S
    await until(lambda: not site.outbox and len(site.alarms) == 2)
    assert site.alarms == [
        "mail cannot be sent: no route to host",
        "the mail about a message for 101 is given up: no route to host",
    ]


async def test_an_address_that_the_server_knows_not_is_given_up_at_once(site: Site) -> None:
    site.message()
    async with opened(PostOffice()) as post:
        post.says["RCPT"] = "550 No such user"
        site.sets(mail_server=f"127.0.0.1:{post.port}")
        mailer_of(site).note_message("101", NAME)
        await until(lambda: bool(site.alarms) and not site.outbox)
    assert site.alarms == ["the mail about a message for 101 is given up: 127.0.0.1 says 550 No such user"]
    assert post.asked == 1


async def test_a_server_that_asks_to_come_later_is_asked_later(site: Site) -> None:
    site.message()
    async with opened(PostOffice()) as post:
        post.says["RCPT"] = "451 Greylisted"
        site.sets(mail_server=f"127.0.0.1:{post.port}")
        mailer = mailer_of(site)
        mailer.note_message("101", NAME)
        await until(lambda: bool(site.alarms))
        post.says.clear()
        site.clock.advance(60)
        mailer._wake()
        await until(lambda: bool(post.taken) and not site.outbox)


async def test_a_recording_that_is_too_long_is_left_out(site: Site) -> None:
    site.message()
    async with opened(PostOffice()) as post:
        post.says["DATA"] = "552 Message too big"
        site.sets(mail_server=f"127.0.0.1:{post.port}")
        mailer_of(site).note_message("101", NAME)
        await until(lambda: bool(post.taken) and not site.outbox)
    mail = post.taken[0][2]
    assert "The message waits in your box." in mail.get_content()
    assert not site.alarms


async def test_a_message_that_was_removed_meanwhile_is_not_mailed(site: Site) -> None:
    site.message()
    async with opened(PostOffice()) as post:
        post.says["RCPT"] = "451 Later"
        site.sets(mail_server=f"127.0.0.1:{post.port}")
        mailer = mailer_of(site)
        mailer.note_message("101", NAME)
        await until(lambda: bool(site.alarms))
        remove_message(site.keeper.folder, "101", NAME)
        site.clock.advance(60)
        mailer._wake()
        await until(lambda: not site.outbox)
    assert post.asked == 1


@pytest.mark.parametrize(
    ("box", "params"),
    [("102", {}), ("999", {}), ("101", {"mail_server": None})],
    ids=["no mail", "no box", "no server"],
)
async def test_who_has_no_address_gets_no_mail(site: Site, box: str, params: dict[str, Any]) -> None:
    site.sets(**params)
    mailer = mailer_of(site)
    mailer.note_message(box, NAME)
    assert not mailer._waiting
    assert site.outbox == []


async def test_a_full_outbox_takes_no_more(site: Site) -> None:
    mailer = mailer_of(site)
    mailer._waiting = {str(place): None for place in range(MOST_WAITING)}  # type: ignore[misc]
    mailer.note_message("101", NAME)
    assert site.alarms == ["1000 mails wait already: none is sent about a message for 101"]
    mailer._waiting.clear()


async def test_an_outbox_that_cannot_be_written_keeps_no_mail_from_going(site: Site) -> None:
    site.message()
    (site.keeper.folder / "outbox").write_text("a file where the folder should be")
    async with opened(PostOffice()) as post:
        site.sets(mail_server=f"127.0.0.1:{post.port}")
        mailer_of(site).note_message("101", NAME)
        await until(lambda: bool(post.taken))


async def test_what_is_spoilt_in_the_outbox_is_left_out(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    folder = site.keeper.folder / "outbox"
    folder.mkdir()
    (folder / "a.json").write_text("{")
    (folder / "b.json").write_text(json.dumps({"box": "101"}))
    (folder / "101-x.json").write_text(json.dumps({"box": "../..", "message": "x", "left_at": 1, "next_at": 1}))
    mailer = mailer_of(site)
    mailer.start()
    await until(lambda: caplog.text.count("cannot be read and is left out") == 3)
    assert not mailer._waiting


# -- the parameters ---------------------------------------------------------------------------------------------


def test_the_port_follows_from_how_the_server_is_spoken_to(tmp_path: Path) -> None:
    site = Site(tmp_path, None)  # type: ignore[arg-type]
    for tls, port in (("off", 25), ("starttls", 587), ("tls", 465)):
        site.sets(mail_server="mail.example.org", mail_tls=tls)
        server = server_of(site.configuration)
        assert server is not None
        assert (server.host, server.port) == ("mail.example.org", port)
    site.sets(mail_server="[2001:db8::1]:2525", mail_from=None, mail_user="pbx@example.net")
    server = server_of(site.configuration)
    assert server is not None
    assert (server.host, server.port) == ("2001:db8::1", 2525)
    assert sender_of(site.configuration) == "pbx@example.net"
    site.sets(mail_server="mail.example.org", mail_user="pbx")
    assert sender_of(site.configuration) == "frontdesk@mail.example.org"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("mail.example.org:2525", "mail.example.org:2525"),
        ("[::1]", "[::1]"),
        ("10.0.0.1", "10.0.0.1"),
        ("off", None),
    ],
)
def test_a_mail_server_is_a_host_and_perhaps_a_port(text: str, value: str | None) -> None:
    assert param_named("mail_server").parse(text) == value
