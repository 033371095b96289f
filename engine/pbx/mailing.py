"""Voicemail by mail: each message goes to the mail address of its box, by way of an outbox that restarts keep."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.core.events import AlarmRaised
from engine.core.params import host_port_of
from engine.core.text import shown
from engine.net.mail import PORTS, MailError, MailServer, deliver
from engine.pbx.messages import message_file, messages_of
from engine.pbx.routing.table import table_of
from engine.store.configuration import Configuration

if TYPE_CHECKING:
    from email.message import EmailMessage

    from engine.pbx.exchange import Exchange

log = logging.getLogger(__name__)

OUTBOX = "outbox"
MOST_WAITING = 1000
TRIED_FOR_S = 86400.0
PAUSES_S = (60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0)
"""Before the second attempt, the third …; the last of them from then on."""
_PARAMS = ("mail_server", "mail_tls", "mail_user", "mail_password", "mail_from")

Deliver = Callable[[MailServer, "EmailMessage"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Waiting:
    """One mail that is to go; times in seconds since 1970."""

    box: str
    message: str
    left_at: float
    next_at: float
    attempts: int = 0
    is_attached: bool = True

    @property
    def file(self) -> str:
        return f"{self.box}-{self.message}.json"


class Mailer:
    """Owned by the office. Nothing here waits for a disk or a server on the loop, and no call waits for it."""

    def __init__(self, exchange: Exchange, send: Deliver = deliver) -> None:
        self._exchange = exchange
        self._send = send
        self._waiting: dict[str, Waiting] = {}
        self._worker: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._trouble: str | None = None
        """Why the last attempt failed; ``None`` when it did not."""
        self._is_open = True

    # -- what the office tells ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Go on with what an engine before this one has left."""
        if (self._folder).is_dir():
            self._exchange.crew.start(self._take_over(), "the mails of before")

    def note_message(self, box: str, message: str) -> None:
        """A message was left in a box."""
        configuration = self._exchange.configuration
        owner = configuration.extensions.get(box)
        if not self._is_open or owner is None or owner.email is None or server_of(configuration) is None:
            return
        if len(self._waiting) >= MOST_WAITING:
            self._complain(f"{MOST_WAITING} mails wait already: none is sent about a message for {box}")
            return
        now = self._now
        mail = Waiting(box, message, now, now, is_attached=configuration.params["mail_attach"] == "on")
        self._waiting[mail.file] = mail
        self._exchange.crew.start(self._put(mail), "a mail about a message")

    def apply(self, before: Configuration, after: Configuration) -> None:
        """What waits is tried at once with another server or login."""
        if any(before.params[name] != after.params[name] for name in _PARAMS):
            now = self._now
            self._waiting = {name: replace(mail, next_at=now) for name, mail in self._waiting.items()}
            self._wake()

    def close(self) -> None:
        """What waits stays in the outbox."""
        self._is_open = False
        if self._worker is not None:
            self._worker.cancel()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What whoever looks at the office should know."""
        if self._trouble is None or not self._waiting:
            return ()
        return (f"{len(self._waiting)} mails wait: {self._trouble}",)

    # -- the outbox ---------------------------------------------------------------------------------------------

    @property
    def _folder(self) -> Path:
        return self._exchange.keeper.folder / OUTBOX

    @property
    def _now(self) -> float:
        return self._exchange.clock.wall().timestamp()

    async def _take_over(self) -> None:
        for mail in await asyncio.to_thread(_read_all, self._folder):
            self._waiting.setdefault(mail.file, mail)
        self._wake()

    async def _put(self, mail: Waiting) -> None:
        await self._write(mail)
        self._wake()

    async def _write(self, mail: Waiting) -> None:
        try:
            await asyncio.to_thread(_write, self._folder, mail)
        except OSError as error:  # it is sent all the same, unless the engine ends first
            log.error("the mail about a message for %s cannot be kept: %s", mail.box, error.strerror)

    async def _forget(self, mail: Waiting) -> None:
        self._waiting.pop(mail.file, None)
        with suppress(OSError):
            await asyncio.to_thread((self._folder / mail.file).unlink, missing_ok=True)

    # -- sending ------------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        self._news.set()
        if self._is_open and self._waiting and (self._worker is None or self._worker.done()):
            self._worker = self._exchange.crew.start(self._work(), "mail")

    async def _work(self) -> None:
        """One mail after the other, each in its time, until none is left."""
        while self._waiting:
            self._news.clear()
            mail = min(self._waiting.values(), key=lambda each: each.next_at)
            rest = mail.next_at - self._now
            if rest > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), rest)
                continue
            await self._try(mail)

    async def _try(self, mail: Waiting) -> None:
        configuration = self._exchange.configuration
        server, owner = server_of(configuration), configuration.extensions.get(mail.box)
        if server is None or owner is None or owner.email is None:
            await self._forget(mail)  # nobody wants it any more
            return
        try:
            letter = await asyncio.to_thread(self._write_letter, mail, owner.email, configuration)
            if letter is None:
                await self._forget(mail)  # heard and removed meanwhile
                return
            await self._send(server, letter)
        except MailError as error:
            await self._put_off(mail, str(error), is_final=error.is_final, is_too_big=error.is_too_big)
        except OSError as error:  # the recording cannot be read now
            await self._put_off(mail, error.strerror or str(error))
        except Exception as error:
            log.exception("a mail about a message for %s cannot be made", mail.box)
            await self._put_off(mail, str(error) or type(error).__name__)
        else:
            self._trouble = None
            log.info("a message for %s is mailed to %s", mail.box, shown(owner.email))
            await self._forget(mail)

    async def _put_off(self, mail: Waiting, why: str, *, is_final: bool = False, is_too_big: bool = False) -> None:
        why = shown(why, 300)
        if is_too_big and mail.is_attached:
            log.warning("the mail about a message for %s goes without it: %s", mail.box, why)
            mail = replace(mail, is_attached=False, next_at=self._now)
        else:
            pause = PAUSES_S[min(mail.attempts, len(PAUSES_S) - 1)]
            mail = replace(mail, attempts=mail.attempts + 1, next_at=self._now + pause)
            if is_final or mail.next_at - mail.left_at > TRIED_FOR_S:
                await self._forget(mail)
                self._complain(f"the mail about a message for {mail.box} is given up: {why}")
                return
            log.warning("the mail about a message for %s waits %.0f s: %s", mail.box, pause, why)
            if self._trouble is None:
                self._complain(f"mail cannot be sent: {why}")
            self._trouble = why
        self._waiting[mail.file] = mail
        await self._write(mail)

    def _complain(self, text: str) -> None:
        log.error("%s", text)
        self._exchange.bus.publish(AlarmRaised(self._exchange.clock.wall(), text))

    def _write_letter(self, mail: Waiting, to: str, configuration: Configuration) -> EmailMessage | None:
        from engine.pbx.mail_text import Letter, write_letter  # seldom wanted

        folder = self._exchange.keeper.folder
        file = message_file(folder, mail.box, mail.message)
        if file is None:
            return None
        found = next((each for each in messages_of(folder, mail.box) if each.name == file.stem), None)
        if found is None:
            return None
        caller = configuration.extensions.get(found.caller)
        return write_letter(
            Letter(
                sender=sender_of(configuration),
                to=to,
                box=mail.box,
                caller=found.caller or None,
                caller_name=caller.name if caller is not None else None,
                at=table_of(configuration).local(found.at),
                seconds=found.seconds,
                office=str(configuration.params["office_name"]),
                language=str(configuration.params["language"]),
                file=file,
                is_attached=mail.is_attached,
            )
        )


def server_of(configuration: Configuration) -> MailServer | None:
    """The mail server of the site; ``None`` without one."""
    params = configuration.params
    if params["mail_server"] is None:
        return None
    host, port = host_port_of(params["mail_server"])
    tls = params["mail_tls"]
    return MailServer(host, port or PORTS[tls], tls, params["mail_user"], params["mail_password"])


def sender_of(configuration: Configuration) -> str:
    """Whom mails are from: the parameter, else the login where that is an address."""
    params = configuration.params
    user = params["mail_user"]
    if params["mail_from"] is not None:
        return str(params["mail_from"])
    return user if user is not None and "@" in user else f"frontdesk@{host_port_of(params['mail_server'])[0]}"


def _read_all(folder: Path) -> list[Waiting]:
    found = []
    for file in sorted(folder.glob("*.json")):
        try:
            known: dict[str, Any] = json.loads(file.read_text("utf-8"))
            mail = Waiting(**known)
            if mail.file != file.name:
                raise ValueError("another mail's name")
            found.append(replace(mail, left_at=float(mail.left_at), next_at=float(mail.next_at)))
        except (OSError, ValueError, TypeError) as error:
            log.error("%s cannot be read and is left out: %s", file, error)
    return found


def _write(folder: Path, mail: Waiting) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    anew = folder / f"{mail.file}.new"
    with open(os.open(anew, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(mail), file)
        file.flush()
        os.fsync(file.fileno())
    anew.replace(folder / mail.file)
