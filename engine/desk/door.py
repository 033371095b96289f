"""The desk: the one door through which every face asks, looks and listens."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from engine.core.bus import Subscription
from engine.core.clock import Clock
from engine.core.errors import NotAllowedError
from engine.core.events import AlarmRaised, ConfigurationChanged
from engine.core.views import HealthView, OfficeView
from engine.desk.commands import Command
from engine.desk.counter import Counter, no_engine
from engine.desk.dispatch import carry_out
from engine.desk.live import LiveOffice
from engine.desk.machine_commands import BackupJob
from engine.pbx.rights import Asker, demand_role
from engine.store.configuration import Configuration, Operator, Role
from engine.store.passwords import check_key, check_operator
from engine.store.store import Store

_log = logging.getLogger(__name__)

DRAW_S = 0.25
"""Views are made at most this often."""
LOOKED_S = 5.0
"""A view nobody has asked for this long is no longer kept up to date."""
HEALTH_S = 2.0
"""Health moves without a revision: a watched view is never older than this."""


class Desk:
    """Commands in, immutable views and events out. ``ask`` and ``watch`` belong to the engine's loop; ``view``,
    ``submit`` and the verify functions may be called from any thread. Without an office only the store answers."""

    def __init__(
        self, store: Store, office: LiveOffice | None, clock: Clock, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._store = store
        self._office = office
        self._clock = clock
        self._loop = loop
        self._applied: Configuration = store.configuration
        self._applying = asyncio.Lock()
        self._asking = 0
        self._backup = BackupJob(store.folder)
        # Two at a time: each takes 16 MiB, and a flood of logins must not take the machine.
        self._checkers = ThreadPoolExecutor(2, "login")
        self._tasks: set[asyncio.Task[None]] = set()
        self._view: OfficeView | None = None
        self._seen: tuple[int, int] | None = None
        self._looked_at = float("-inf")
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False
        if office is not None:
            self._view = self._look(office)
            store.on_change(lambda configuration: self._from_outside(self._start_applying))
            store.on_alarm(lambda text: self._from_outside(self._raise_alarm, text))

    @property
    def view(self) -> OfficeView:
        """The office as it is, at most a quarter second old while somebody looks; from any thread."""
        if self._view is None:
            raise no_engine(self._store)
        self._looked_at = self._clock.now()
        if self._timer is None:
            self._from_outside(self._draw)
        return self._view

    async def ask(self, asker: Asker, command: Command) -> Any:
        """Carry out ``command``, on the engine's loop; its docstring says what comes back.

        Raises ``NotAllowedError``, ``NotFoundError``, ``StateFolderError`` or another ``RefusedError``.
        """
        counter = Counter(
            self._store, self._office, self._clock, self._as_of_now(asker), self._configured, self._backup
        )
        self._asking += 1
        try:
            return await carry_out(counter, command)
        finally:
            self._asking -= 1
            self._start_applying()
            self._redraw()

    def submit(self, asker: Asker, command: Command) -> Future[Any]:
        """``ask`` from another thread."""
        return asyncio.run_coroutine_threadsafe(self.ask(asker, command), self._loop)

    def watch(self, asker: Asker, limit: int = 1000) -> Subscription:
        """Events from now on, in a bounded queue; a context manager, on the engine's loop."""
        demand_role(asker, Role.VIEWER, "watch events")
        if self._office is None:
            raise no_engine(self._store)
        return self._office.bus.subscribe(limit)

    def verify_login(self, login: str, password: str) -> Future[Asker | None]:
        """Who logs in with this password, about 50 ms later and no sooner for an unknown login."""
        configuration = self._store.configuration
        return self._checkers.submit(lambda: _as_asker(check_operator(configuration, login, password)))

    def key_asker(self, login: str, openssh_public_key_line: str) -> Asker | None:
        """Who logs in with this public key; the caller has seen proof of the private one."""
        return _as_asker(check_key(self._store.configuration, login, openssh_public_key_line))

    def current(self, asker: Asker) -> Asker | None:
        """The asker with the role the login has now: a console may be open longer than its operator's rights.

        ``None`` when the login is gone; the owner of the control socket stays. From any thread, at once.
        """
        if asker.is_owner:
            return asker
        return _as_asker(self._store.configuration.operators.get(asker.name))

    def _as_of_now(self, asker: Asker) -> Asker:
        current = self.current(asker)
        if current is None:
            raise NotAllowedError(f"the login {asker.name} has been removed", "leave this console")
        return current

    def close(self) -> None:
        """Stop drawing; on the engine's loop."""
        self._is_closed = True
        self._checkers.shutdown(wait=False, cancel_futures=True)
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()

    async def _configured(self, what: str) -> None:
        """Make the office work by the newest configuration, in the order of its revisions."""
        if self._office is None:
            return
        async with self._applying:
            newest = self._store.configuration
            if newest is self._applied:
                return
            await self._office.apply(newest)
            self._applied = newest
        self._office.bus.publish(ConfigurationChanged(at=self._clock.wall(), what=what))

    def _start_applying(self) -> None:
        """Apply another program's edit; a command that is being carried out applies its own change, by its name."""
        if self._asking or self._office is None or self._store.configuration is self._applied:
            return
        task = self._loop.create_task(self._apply_outside_edit())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _apply_outside_edit(self) -> None:
        try:
            await self._configured("configuration")
        except Exception:
            _log.exception("the office cannot work by the new configuration and keeps the one before")
        self._redraw()

    def _raise_alarm(self, text: str) -> None:
        if self._office is not None:
            self._office.bus.publish(AlarmRaised(at=self._clock.wall(), text=text))

    def _from_outside(self, deed: Any, *arguments: Any) -> None:
        # A loop that has ended is no loss: nobody looks any more.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(deed, *arguments)

    def _draw(self) -> None:
        """Look again now, and again in a quarter second as long as somebody looks."""
        if self._timer is None and not self._is_closed:
            self._tick()

    def _tick(self) -> None:
        self._timer = None
        self._redraw()
        if not self._is_closed and self._clock.now() - self._looked_at < LOOKED_S:
            self._timer = self._loop.call_later(DRAW_S, self._tick)

    def _redraw(self) -> None:
        office, before = self._office, self._view
        if office is None or before is None or self._is_closed:
            return
        age = (self._clock.wall() - before.at).total_seconds()
        if self._seen != (office.revision, self._store.configuration.revision) or not 0 <= age < HEALTH_S:
            self._view = self._look(office)

    def _look(self, office: LiveOffice) -> OfficeView:
        self._seen = (office.revision, self._store.configuration.revision)
        return OfficeView(
            revision=self._view.revision + 1 if self._view else 1,
            at=self._clock.wall(),
            office_name=self._store.configuration.params["office_name"],
            health=self._health(office),
            calls=office.calls(),
            ended=office.ended(),
            people=office.people(),
            registrations=office.registrations(),
            trunks=office.trunks(),
            lamps=office.lamps(),
            parked=office.parked(),
            camps=office.camps(),
            night=self._store.configuration.night.value,
        )

    def _health(self, office: LiveOffice) -> HealthView:
        """The engine's health, with what the store cannot write as long as that lasts."""
        health, trouble = office.health(), self._store.trouble
        if trouble is None or trouble in health.warnings:
            return health
        return replace(health, warnings=(*health.warnings, trouble))


def _as_asker(operator: Operator | None) -> Asker | None:
    return Asker(operator.login, operator.role, operator.extension) if operator else None
