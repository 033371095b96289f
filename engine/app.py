"""Wires the house and runs it: one engine on one state folder."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import uvloop

from engine import __version__
from engine.core import systemd
from engine.core.clock import Clock, SystemClock
from engine.core.crew import Crew
from engine.core.errors import RefusedError, StateFolderError
from engine.core.events import AlarmRaised
from engine.core.options import SIP_PORT, TLS_PORT, EngineOptions, HostPort
from engine.core.paths import LUA, TLS_CERTIFICATE, TLS_KEY
from engine.core.views import ListenerView
from engine.desk.control import ControlSocket
from engine.desk.door import Desk
from engine.desk.terminal import ConsoleHost
from engine.media.native import NativeGateway
from engine.media.prompts import Prompts
from engine.media.tones import hold_music
from engine.net.addresses import WILDCARDS
from engine.net.names import NameService
from engine.net.nat import Nat
from engine.net.public_address import PublicAddress
from engine.net.resolve import SipResolver
from engine.net.tls import TlsIdentity
from engine.net.udp import bind_udp
from engine.pbx.exchange import MediaHost
from engine.pbx.office import Office
from engine.pbx.routing.numbers import Numbering
from engine.services import LuaServices
from engine.sip.flow import host_port
from engine.store.first_run import LOGIN, FirstRun, set_up, write_first_run
from engine.store.folder import prepare_folder
from engine.store.keeper import StoredKeeper
from engine.store.lock import EngineLock
from engine.store.store import Store

log = logging.getLogger(__name__)

_PHONES_FIRST_S = 0.1
"""Phones that have waited for the office are answered before the consoles' half second of loading competes."""
_PUBLIC_ADDRESS_S = 3.0
"""How long an advertised name may keep the office from opening: phones inside need it not."""
_SWITCH_INTERVAL_S = 0.0005
"""How long a console may hold the interpreter while SIP waits for it."""
_FEW_OPEN_FILES = 512
"""Phones on TCP, the database and consoles have theirs, too: with fewer not even a small office gets along."""
_COLLECTOR_THRESHOLDS = (2_000, 100_000, 100_000)
"""The young alone, few at a time (5,000 took up to 57 ms in a storm of calls): the older wait until the office is
quiet."""


class Consoles(ConsoleHost, Protocol):
    """What the app needs of the face that serves terminals; ``tui`` has it, the engine knows none."""

    def start(self) -> tuple[tuple[str, int], ...]:
        """Start serving; the addresses of the SSH listeners. Raises ``OSError`` or ``RefusedError``."""
        ...

    def stop(self) -> None: ...


ConsoleFactory = Callable[[Desk, tuple[str, int] | None, Path, Clock], Consoles]
"""Takes where to listen for SSH; ``None``: consoles on this machine's terminals alone."""


def run_engine(options: EngineOptions, consoles: ConsoleFactory | None = None) -> int:
    """Run until a signal or a command ends it; returns the exit status.

    Raises ``RefusedError`` with one clear line when the engine cannot start: the folder is in use or unusable,
    a port is taken.
    """
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    _claim_open_files()
    prepare_folder(options.folder)
    lock = EngineLock.take(options.folder)
    try:
        store = Store.open(options.folder)
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                return runner.run(_Engine(options, store, consoles).run())
        finally:
            store.close()
    finally:
        lock.release()


def _claim_open_files() -> None:
    """Take all the open files we may have: each call has four sockets, the usual limit is for 250 calls."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if most != resource.RLIM_INFINITY and most < _FEW_OPEN_FILES:
        log.warning("only %d files may be open, and each call has four: raise the limit (ulimit -Hn 16384)", most)


class _Engine:
    """One run of the engine."""

    def __init__(self, options: EngineOptions, store: Store, consoles: ConsoleFactory | None) -> None:
        self._options = options
        self._store = store
        self._factory = consoles
        self._clock = SystemClock()
        self._stop = asyncio.Event()
        self._drain_s = options.drain_s
        self._tls_watch: asyncio.Task[None] | None = None

    async def run(self) -> int:
        refusal: RefusedError | None = None
        async with asyncio.TaskGroup() as group:
            try:
                await self._serve(Crew(group))
            except RefusedError as error:
                refusal = error
        if refusal is not None:
            raise refusal
        return 0

    async def _serve(self, crew: Crew) -> None:
        options, store = self._options, self._store
        gateway = NativeGateway(*options.media_ports)
        await gateway.start()
        services = LuaServices(options.folder / "lua" / "services", LUA / "services")
        names = NameService(
            (options.resolver.host, options.resolver.port) if options.resolver is not None else None
        )
        nat = Nat(options.advertise, options.local_nets)
        office = self._make_office(gateway, services, crew, names, nat)
        desk = Desk(store, office, self._clock, asyncio.get_running_loop())
        control = ControlSocket(desk, options.folder)
        consoles: Consoles | None = None
        watchdog: asyncio.Task[None] | None = None

        def complain(trouble: str) -> None:
            office.bus.publish(AlarmRaised(self._clock.wall(), trouble))

        public = PublicAddress(nat, names, complain)
        asking = crew.start(public.watch(), "the look at our public address")
        try:
            self._listen_to_signals()
            self._check_media_host()
            await self._open_sip(office)
            await self._welcome_a_new_office(office)
            await public.wait_until_known(_PUBLIC_ADDRESS_S)
            office.start(store.load_bindings(), store.load_subscriptions())
            control.open()
            office.listeners.append(ListenerView("control", str(options.folder / "control.sock")))
            await asyncio.sleep(_PHONES_FIRST_S)
            consoles = await self._start_consoles(desk, office, control)
            self._settle_memory()
            if not self._stop.is_set():
                office.take_pulse()
                self._say_ready()
                if office.tls is not None:  # reading it takes a tenth of a second that REGISTER need not wait for
                    self._tls_watch = crew.start(office.tls.watch(), "the look at the TLS certificate")
                watchdog = crew.start(_feed_watchdog(), "the watchdog")
                log.info("Frontdesk %s runs on %s", __version__, options.folder)
                await asyncio.to_thread(hold_music)  # made once, so that the first hold need not wait for it
            await self._stop.wait()
            systemd.notify("STOPPING=1")
            await office.drain(self._drain_s)
        finally:
            for task in (watchdog, asking, self._tls_watch):
                if task is not None:
                    task.cancel()
            desk.close()
            await control.close()
            if consoles is not None:
                await asyncio.to_thread(consoles.stop)
            await office.drain(0.0)  # a start that failed may have let calls in already
            office.close()
            services.close()
            await gateway.stop()
            log.info("stopped")

    def _make_office(
        self, gateway: NativeGateway, services: LuaServices, crew: Crew, names: NameService, nat: Nat
    ) -> Office:
        store, options = self._store, self._options
        office = Office(
            clock=self._clock,
            gateway=gateway,
            configuration=store.configuration,
            put_binding=store.put_binding,
            drop_binding=store.drop_binding,
            record=store.put_record,
            hold_music=hold_music,
            services=services,
            keeper=StoredKeeper(store),
            media_host=MediaHost(options.media_host, options.media_advertised),
            resolver=SipResolver(names, self._clock.now),
            line_memory=store.line_memory,
            crew=crew,
            nat=nat,
            put_subscription=store.put_subscription,
            drop_subscription=store.drop_subscription,
        )
        office.on_stop = self._ask_to_stop
        office.exchange.audit = store.put_audit
        office.exchange.name_of = lambda number: _name_of(store, number)
        office.exchange.prompts = Prompts(options.folder / "prompts").find
        return office

    async def _open_sip(self, office: Office) -> None:
        """Listen on UDP, on TCP wherever UDP does, and for TLS."""
        for listen in self._options.sip or (HostPort("", SIP_PORT),):
            await office.endpoint.open_udp(listen.host, listen.port)
        for host, port in office.endpoint.addresses:
            await office.endpoint.open_tcp(host, port)
        await self._open_tls(office)
        for listen in self._options.ws:
            await office.endpoint.open_ws(listen.host, listen.port, self._origins)

    def _check_media_host(self) -> None:
        """Every call would fail for want of ports on an address that is none of ours."""
        host = self._options.media_host
        if host is None:
            return
        try:
            bind_udp(host, 0).close()
        except OSError as error:
            raise RefusedError(
                f"cannot receive audio on {host}: {error.strerror}",
                "give an address of this machine with --media HOST[,ADVERTISED]",
            ) from None

    # -- starting -----------------------------------------------------------------------------------------------

    async def _welcome_a_new_office(self, office: Office) -> None:
        if not self._store.is_new:
            return
        folder = self._options.folder
        host, port = office.endpoint.address_to_tell
        ssh = self._options.ssh
        console = f"ssh -p {ssh.port} {LOGIN}@{host if ssh.host in WILDCARDS else ssh.host}"
        doors = [(where, port) for kind, where, port in office.endpoint.listeners if kind == "TLS"]
        tls = next((door for door in doors if door[0] == host), doors[0] if doors else None)
        tls_server = host_port(host if tls[0] in WILDCARDS else tls[0], tls[1]) if tls else None

        def keep(first: FirstRun) -> None:
            path = write_first_run(folder, first, host_port(host, port), console, tls_server)
            log.info("a new office: what to type into the phones stands in %s", path)

        await asyncio.to_thread(set_up, self._store, keep)
        await office.apply(self._store.configuration)

    async def _open_tls(self, office: Office) -> None:
        """Listen where that was asked; where it was not, a port that is taken is no reason not to start."""
        options = self._options
        if options.tls != () and (options.tls is not None or not options.sip):
            identity = self._identity(office)
            for listen in options.tls or (HostPort("", TLS_PORT),):
                try:
                    await office.endpoint.open_tls(listen.host, listen.port, identity)
                except RefusedError as error:
                    if options.tls:
                        raise
                    log.warning("phones cannot use TLS: %s", error)
        for listen in options.wss:
            await office.endpoint.open_ws(listen.host, listen.port, self._origins, self._identity(office))

    def _identity(self, office: Office) -> TlsIdentity:
        """What everything that speaks TLS to phones shows."""
        if office.tls is not None:
            return office.tls
        own = self._options.folder / TLS_CERTIFICATE, self._options.folder / TLS_KEY

        def paths() -> tuple[Path, Path]:
            params = self._store.configuration.params
            certificate, key = params["tls_certificate"], params["tls_key"]
            return (Path(certificate), Path(key or certificate)) if certificate else own

        def tell(text: str) -> None:
            office.bus.publish(AlarmRaised(self._clock.wall(), text))

        office.tls = TlsIdentity(paths, own, self._clock.wall, tell)
        return office.tls

    def _origins(self) -> tuple[str, ...]:
        """Whose pages may connect by WebSocket, now."""
        origins: tuple[str, ...] = self._store.configuration.params["ws_origins"]
        return origins

    async def _start_consoles(self, desk: Desk, office: Office, control: ControlSocket) -> Consoles | None:
        if self._factory is None:
            return None
        options = self._options
        consoles = self._factory(desk, (options.ssh.host, options.ssh.port), options.folder, self._clock)
        try:
            addresses = await asyncio.to_thread(consoles.start)
        except StateFolderError as error:  # a host key that cannot be used must not silence the phones
            log.error("no console over SSH: %s", error)
            office.lasting_warnings.append(str(error))
            consoles = self._factory(desk, None, options.folder, self._clock)
            addresses = await asyncio.to_thread(consoles.start)
        except OSError as error:
            raise RefusedError(
                f"cannot listen for SSH on {options.ssh}: {os.strerror(error.errno) if error.errno else error}",
                "stop the program that has the port, or choose another with --ssh HOST:PORT",
            ) from None
        office.listeners.extend(ListenerView("ssh", host_port(*address)) for address in addresses)
        control.console_host = consoles
        return consoles

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._on_signal)
        loop.add_signal_handler(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def _on_signal(self) -> None:
        """The first signal drains, the second one kills."""
        if self._stop.is_set():
            log.warning("stopped at once by a second signal")
            os._exit(1)
        log.info("stopping: calls may go on for %g s, a second signal ends them at once", self._drain_s)
        self._stop.set()

    def _ask_to_stop(self, drain_s: float) -> None:
        self._drain_s = drain_s
        self._stop.set()

    def _settle_memory(self) -> None:
        """What has been loaded stays: the collector need never look at it again."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_COLLECTOR_THRESHOLDS)

    def _say_ready(self) -> None:
        systemd.notify("READY=1")
        fd = self._options.ready_fd
        if fd is None:
            return
        try:
            os.write(fd, b"ready\n")
            os.close(fd)
        except OSError as error:
            log.warning("cannot write to --ready-fd %d: %s", fd, error.strerror)


async def _feed_watchdog() -> None:
    interval = systemd.watchdog_interval_s()
    while interval is not None:
        systemd.notify("WATCHDOG=1")
        await asyncio.sleep(interval)


def _name_of(store: Store, number: str) -> str | None:
    """The name that the contacts have for a number as it came or was dialled."""
    if not len(store.contacts):
        return None
    known = store.contacts.find(Numbering(store.configuration.params).forms_dialled(number))
    return known.name if known is not None else None
