"""The demo: a throw-away office on loopback whose simulated phones call each other as long as somebody looks."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from engine.app import ConsoleFactory, run_engine
from engine.core.clock import SystemClock
from engine.core.errors import RefusedError
from engine.core.options import EngineOptions, HostPort
from engine.desk.client import EngineClient
from engine.desk.commands import GetStatus
from engine.media.native import NativeGateway
from engine.phones.handset import Handset, HandsetCall
from engine.phones.phone import Account
from engine.phones.play import Person, Play
from engine.phones.voices import voice
from engine.phones.wireless import WirelessAudio
from engine.store.configuration import Extension, Right
from engine.store.passwords import digest_secrets, make_password
from engine.store.store import Store

if TYPE_CHECKING:
    from engine.store.rows import Rows

log = logging.getLogger(__name__)

OFFICE_NAME = "Muster GmbH"
LOOPBACK = "127.0.0.1"
OFFICE_PORTS, PHONE_PORTS = (20000, 23999), (24000, 27999)
"""For audio; below the range from which the system hands out ports of its own."""
STARTING_S = 30.0
_LOOK_S = 0.2
_VOICES = 4


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody of the demo's office; one without a phone at work has a dark lamp."""

    number: str
    name: str
    has_phone: bool = True
    codecs: tuple[str, ...] = ("PCMA", "PCMU")
    is_wireless: bool = False
    """Loses some of what it says; speaks PCMU alone."""


DESK = "100"
"""The extension of whoever looks on: its phone rings, and is worked from the console."""
COLLEAGUES = (
    Colleague(DESK, "Empfang 前台"),
    Colleague("101", "Anna Berger"),
    Colleague("102", "Bo Chen 陈波"),
    Colleague("103", "Eva Fuchs"),
    Colleague("104", "Ida Lange"),
    Colleague("105", "Wang Fang 王芳"),
    Colleague("106", "Jan Kohl", codecs=("PCMU", "PCMA")),
    Colleague("107", "Lin Yue 林悦"),
    Colleague("108", "Max Reiter"),
    Colleague("109", "Nora Vogt"),
    Colleague("110", "Lager 仓库", codecs=("PCMU",), is_wireless=True),
    Colleague("111", "Werkstatt", has_phone=False),
    Colleague("112", "Konferenz 会议室"),
)


def run_demo(
    folder: Path, consoles: ConsoleFactory | None, *, seconds: float | None = None, ready_fd: int | None = None
) -> int:
    """Run the demo in ``folder``, which is empty or missing and is removed afterwards; the exit status.

    It ends by a signal, by ``frontdesk stop``, after ``seconds``, or with the process that started this one.
    ``ready_fd`` gets the line ``ready`` once every phone is registered. Raises ``RefusedError``.
    """
    parent = os.getppid()
    demand_empty(folder)
    ready, theirs = os.pipe()
    try:
        staff = _Staff(folder, _furnish(folder), ready, parent, seconds, ready_fd)
        options = EngineOptions(
            folder,
            sip=(HostPort(LOOPBACK, 0),),
            ssh=HostPort(LOOPBACK, 0),
            media_ports=OFFICE_PORTS,
            ready_fd=theirs,
            drain_s=0.0,
        )
        staff.start()
        try:
            return run_engine(options, consoles)
        finally:
            staff.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        for fd in (ready, theirs):
            with contextlib.suppress(OSError):
                os.close(fd)


def demand_empty(folder: Path) -> None:
    """Raise ``RefusedError`` unless ``folder`` is missing or an empty folder: the demo removes it."""
    try:
        is_free = not folder.exists() or not any(folder.iterdir())
    except OSError:
        is_free = False
    if not is_free:
        raise RefusedError(
            f"the demo cannot use {folder}, which it would remove afterwards",
            "leave --state out, or name a folder that does not exist yet",
        )


def _furnish(folder: Path) -> dict[str, str]:
    """Make the office and its people; their passwords by number."""
    store = Store.open(folder)
    try:
        passwords = {each.number: make_password() for each in COLLEAGUES}
        realm = store.configuration.realm

        def write(rows: Rows) -> None:
            for each in COLLEAGUES:
                secrets = digest_secrets(each.number, realm, passwords[each.number])
                is_desk = each.number == DESK
                rows.extensions.put(
                    Extension(
                        each.number,
                        each.name,
                        secrets,
                        max_calls=None if is_desk else 2,
                        rights=frozenset({Right.BARGE_IN, Right.OVERRIDE}) if is_desk else frozenset(),
                    )
                )
            rows.params.put("office_name", OFFICE_NAME)
            rows.site.put("set_up_at", datetime.now(UTC).isoformat(timespec="seconds"))

        store.submit(write).result(timeout=STARTING_S)
        return passwords
    finally:
        store.close()


class _Staff:
    """The people and their phones, on a thread and a loop of their own like phones elsewhere; ends the engine when
    the demo is over."""

    def __init__(
        self,
        folder: Path,
        passwords: dict[str, str],
        ready: int,
        parent: int,
        seconds: float | None,
        ready_fd: int | None,
    ) -> None:
        self._folder = folder
        self._passwords = passwords
        self._ready = ready
        self._parent = parent
        self._seconds = seconds
        self._ready_fd = ready_fd
        self._loop = uvloop.new_event_loop()
        self._work: asyncio.Task[None] | None = None
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo phones", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the phones and their thread; from the engine's thread, once the engine has ended."""
        self._is_over.set()
        with contextlib.suppress(RuntimeError):  # the loop has ended by itself
            self._loop.call_soon_threadsafe(lambda: self._work and self._work.cancel())
        self._thread.join(STARTING_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._work = self._loop.create_task(self._live())
        try:
            self._loop.run_until_complete(self._work)
        except asyncio.CancelledError:
            pass
        except Exception:
            log.exception("the demo's phones failed")
        finally:
            self._loop.close()
            if not self._is_over.is_set():
                os.kill(os.getpid(), signal.SIGTERM)

    async def _live(self) -> None:
        if not await self._engine_is_ready():
            return
        clock, gateway = SystemClock(), NativeGateway(*PHONE_PORTS)
        await gateway.start()
        people: list[Person] = []
        desk: Handset | None = None
        try:
            handsets = self._make_handsets(self._find_sip(), gateway, clock)
            desk = next(handset for handset in handsets if handset.number == DESK)
            desk.takes_orders, desk.on_ring = True, HandsetCall.ring
            people = [Person(handset) for handset in handsets if handset is not desk]
            for handset in handsets:
                await _plug_in(handset)
            if not await self._all_registered(handsets) or not self._say_ready():
                return
            playing = asyncio.create_task(Play(people, random.Random(), DESK).run())  # noqa: S311 - a play, no secret
            try:
                await self._until_over()
            finally:
                playing.cancel()
                await asyncio.gather(playing, return_exceptions=True)
        finally:
            for person in people:
                await person.leave()
            if desk is not None:
                await desk.cut()
            await gateway.stop()

    async def _engine_is_ready(self) -> bool:
        """Wait for the engine's line; ``False`` when it ended instead."""
        came = asyncio.Event()
        self._loop.add_reader(self._ready, came.set)
        try:
            async with asyncio.timeout(STARTING_S):
                await came.wait()
        except TimeoutError:
            return False
        finally:
            self._loop.remove_reader(self._ready)
        return os.read(self._ready, 16).startswith(b"ready")

    def _find_sip(self) -> tuple[str, int]:
        """Where the engine takes SIP: it chose a free port by itself."""
        with EngineClient.connect(self._folder) as client:
            listeners = client.ask(GetStatus()).listeners
        address = next(address for kind, address in listeners if kind == "udp")
        host, _, port = address.rpartition(":")
        return host, int(port)

    def _make_handsets(
        self, office: tuple[str, int], gateway: NativeGateway, clock: SystemClock
    ) -> Sequence[Handset]:
        voices = [voice(seed) for seed in range(_VOICES)]
        wireless = WirelessAudio(random.Random())  # noqa: S311 - a bad link, no secret
        return [
            Handset(
                Account(each.number, self._passwords[each.number], office, each.name, each.codecs),
                _desk_of(each.number),
                wireless if each.is_wireless else gateway,
                clock,
                voices[place % _VOICES],
            )
            for place, each in enumerate(COLLEAGUES)
            if each.has_phone
        ]

    async def _all_registered(self, handsets: Sequence[Handset]) -> bool:
        give_up_at = time.monotonic() + STARTING_S
        while not all(handset.is_registered for handset in handsets):
            if time.monotonic() > give_up_at:
                log.error("the demo's phones could not register")
                return False
            await asyncio.sleep(0.02)
        return True

    def _say_ready(self) -> bool:
        """Tell whoever waits; ``False`` when nobody does any more."""
        log.info("the demo's phones are registered; its office is in %s", self._folder)
        if self._ready_fd is None:
            return True
        try:
            os.write(self._ready_fd, b"ready\n")
            os.close(self._ready_fd)
        except OSError:
            return False
        return True

    async def _until_over(self) -> None:
        """Until the time is up, or the process that started us is gone: nobody looks any more."""
        ends_at = None if self._seconds is None else time.monotonic() + self._seconds
        while os.getppid() == self._parent and (ends_at is None or time.monotonic() < ends_at):  # noqa: ASYNC110 - the kernel tells no event
            await asyncio.sleep(_LOOK_S)


def _desk_of(number: str) -> str:
    """A loopback address of the phone's own: every one of 127.0.0.0/8 is this machine's on Linux."""
    return f"127.0.1.{int(number) % 250 + 1}"


async def _plug_in(handset: Handset) -> None:
    try:
        await handset.plug_in()
    except OSError:  # a machine whose loopback has one address only
        handset.host = LOOPBACK
        await handset.plug_in()
