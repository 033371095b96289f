"""All outside lines of the office."""

from __future__ import annotations

import asyncio
from collections.abc import Set
from datetime import timedelta

from engine.core.views import TrunkView
from engine.pbx.trunks.line import TrunkLine
from engine.pbx.trunks.registration import Registration
from engine.pbx.trunks.surroundings import Surroundings
from engine.pbx.trunks.watch import Watch
from engine.sip.flow import Flow
from engine.store.configuration import Configuration
from engine.store.outside import Trunk

_SWITCHES = ("gVarSipRegSameDialog", "trunk_ca")
"""Site parameters that a line in trouble may have waited for."""


class TrunkBoard:
    """Keeps one ``TrunkLine`` for each configured trunk, through every change of the configuration."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        around.changed = self._note_change
        self._lines: dict[str, TrunkLine] = {}
        self._by_contact: dict[str, TrunkLine] = {}
        self._leaving: dict[str, asyncio.Task[None]] = {}
        """Lines that are gone and take leave of their carriers still."""
        self._is_open = False
        self._switches: tuple[object, ...] = ()
        self.revision = 0
        """Rises with everything that a view shows."""

    def start(self) -> None:
        """Begin to register and to watch: the sockets are open."""
        self._is_open = True
        for line in self._lines.values():
            self._keep(line)

    async def close(self, seconds: float) -> None:
        """Take leave of every carrier, for ``seconds`` at most."""
        self._is_open = False
        for line in self._lines.values():
            line.leave()
        tasks = {line.task for line in self._lines.values() if line.task is not None} | {*self._leaving.values()}
        waiting = {task for task in tasks if not task.done()}
        if waiting:
            await asyncio.wait(waiting, timeout=seconds)
        for task in waiting:
            task.cancel()

    def apply(self, configuration: Configuration) -> None:
        """Take over the trunks as they are configured now; a line that stays keeps what it knows."""
        self._leaving = {name: task for name, task in self._leaving.items() if not task.done()}
        for name in [name for name in self._lines if name not in configuration.trunks]:
            self._remove(name)
        before = self._switches
        self._switches = tuple(configuration.params.get(name) for name in _SWITCHES)
        for name, trunk in configuration.trunks.items():
            line = self._lines.get(name)
            if line is None:
                self._add(trunk)
            else:
                self._change(line, trunk)
        if self._switches != before:
            for line in self._lines.values():
                line.hurry()
        self._lines = {name: self._lines[name] for name in configuration.trunks}
        self.revision += 1

    def line(self, name: str) -> TrunkLine | None:
        return self._lines.get(name)

    def lines(self) -> tuple[TrunkLine, ...]:
        return tuple(self._lines.values())

    def line_of_contact(self, user: str) -> TrunkLine | None:
        """The line whose Contact at its carrier has this user part."""
        return self._by_contact.get(user)

    def views(self) -> tuple[TrunkView, ...]:
        return tuple(line.view() for line in self._lines.values())

    def note_lost(self, flows: Set[Flow]) -> None:
        """These connections are gone."""
        for line in self._lines.values():
            for flow in flows:
                line.note_lost(flow)

    def readdress(self) -> None:
        """Peers outside must be told another address of ours: who is registered registers anew."""
        for line in self._lines.values():
            line.readdress()

    def shift(self, jump: timedelta) -> None:
        """The machine's clock was set."""
        for line in self._lines.values():
            line.shift(jump)

    def _add(self, trunk: Trunk) -> None:
        line = self._lines[trunk.name] = TrunkLine(trunk, self.around)
        self._by_contact[line.contact_user] = line
        if self._is_open:
            self._keep(line, self._leaving.get(trunk.name))

    def _remove(self, name: str) -> None:
        line = self._lines.pop(name)
        self._by_contact.pop(line.contact_user, None)
        line.leave()
        if line.task is not None:
            self._leaving[name] = line.task

    def _change(self, line: TrunkLine, trunk: Trunk) -> None:
        """What concerns the way to the carrier begins anew, after leave was taken of the old one."""
        if not self._is_open:
            self._add(trunk)
            return
        before, line.trunk = line.trunk, trunk
        if _way(before) != _way(trunk):
            line.leave()
            line.servers = ()
            self._keep(line, line.task)
        elif before.new_call_id != trunk.new_call_id:
            line.hurry()

    def _keep(self, line: TrunkLine, after: asyncio.Task[None] | None = None) -> None:
        kind = Registration if line.trunk.registers else Watch
        line.start(kind(line, line.trunk), after)

    def _note_change(self) -> None:
        self.revision += 1


def _way(trunk: Trunk) -> tuple[object, ...]:
    """What decides whom a line reaches, and as whom."""
    return (
        trunk.host, trunk.port, trunk.transport, trunk.proxy, trunk.registers, trunk.username, trunk.password,
    )  # fmt: skip
