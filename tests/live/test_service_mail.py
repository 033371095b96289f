"""Voicemail by mail with a real phone and a real SMTP server: with the recording, and over a killed engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope

from tests.live import spoken
from tests.live.baresip import Baresip
from tests.live.conftest import Phones
from tests.live.office import Office
from tests.live.scene import people, silent, until
from tests.live.test_service_voicemail import SENTENCE, box, over_and_over, seconds_in


class PostOffice:
    """Takes every mail."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.port = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802 - the library's
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.taken.append(mail)
        return "250 OK"

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(self, loop=loop), "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            await server.wait_closed()


async def leave_message(office: Office, anna: Baresip, number: str, tmp_path: Path) -> None:
    """Nobody answers there: its box does."""
    before = len(box(office, number, "new"))
    await anna.dial(number)
    await anna.talks(10)
    await anna.speak(over_and_over(tmp_path / "said.wav", SENTENCE))
    await until(lambda: len(box(office, number, "new")) > before, "the message begins", 15)
    await until(lambda: seconds_in(box(office, number, "new")) > 6, "the message is recorded", 25)
    await anna.digits("#")
    await anna.ended(8)
    await silent(office)


async def test_a_message_is_mailed_with_what_was_said(office: Office, phones: Phones, tmp_path: Path) -> None:
    post = PostOffice()
    office.extension("302", "--name", "Ben", "--email", "ben@example.org")
    (anna,) = await people(office, phones, "301")
    async with post.opened():
        for name, value in (("server", f"127.0.0.1:{post.port}"), ("tls", "off"), ("from", "pbx@example.org")):
            office.cli("param", "set", f"mail_{name}", value)
        await leave_message(office, anna, "302", tmp_path)
        await until(lambda: bool(post.taken), "the mail arrives")
    spoken.assert_said(anna.heard, "vm-leave", "thank-you")
    (mail,) = post.taken
    assert (mail["To"], mail["From"]) == ("ben@example.org", "pbx@example.org")
    assert mail["Subject"].startswith("Message from 301 for 302 (0:")
    (attached,) = mail.iter_attachments()
    sound = tmp_path / "attached.wav"
    content = attached.get_payload(decode=True)
    assert isinstance(content, bytes)
    sound.write_bytes(content)
    spoken.assert_said(sound, SENTENCE)
    await until(lambda: not [*(office.state / "outbox").glob("*.json")], "nothing is left in the outbox")


async def test_a_mail_outlives_the_engine(office: Office, phones: Phones, tmp_path: Path) -> None:
    post = PostOffice()
    office.extension("304", "--email", "dora@example.org")
    (carl,) = await people(office, phones, "303")
    async with post.opened():
        """Its port is known, and nobody listens there for now."""
    office.cli("param", "set", "mail_server", f"127.0.0.1:{post.port}")
    office.cli("param", "set", "mail_tls", "off")
    await leave_message(office, carl, "304", tmp_path)
    await until(lambda: "mail cannot be sent" in office.log(), "the log says what is wrong")
    assert [*(office.state / "outbox").glob("*.json")]
    office.kill()
    office.start()
    async with post.opened():
        office.cli("param", "set", "mail_from", "office@example.org")
        await until(lambda: bool(post.taken), "the mail arrives after all")
    assert post.taken[0]["From"] == "office@example.org"
