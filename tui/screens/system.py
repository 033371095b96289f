"""The System screen: how engine and machine fare, what needs a hand, and backups with their progress."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from textual.containers import Horizontal
from textual.widget import Widget

from engine.core.errors import RefusedError
from engine.core.views import LampAudit, OfficeView
from engine.desk.commands import AuditLamps
from engine.desk.machine import BackupProgress, GetBackup, GetMachine, MachineView, StartBackup
from engine.store.configuration import Role
from tui.keys import BACKUPS, KIND_LIST, LISTS, NUMBERED, SCREENS, bindings
from tui.kind import TextLine
from tui.log_kind import Backups
from tui.plot import bar_lines
from tui.refusals import refusal_of, translated
from tui.screens.kind_screen import REFUSED, KindScreen
from tui.texts import N_, _, plural
from tui.widgets.text_pane import TextPane
from tui.wording import duration, size_text

_PLOT_LINES, _PLOT_MINUTES = 5, 42
_LEAST_TOP_MS = 5.0
_BAR_CELLS = 24
_FEW_FREE = 0.05
"""Of a disk: with less left recordings and the database will soon find no room."""


class SystemScreen(KindScreen, inherit_bindings=False):
    """Engine, machine, alarms, backups."""

    BINDINGS = bindings(KIND_LIST, BACKUPS, NUMBERED, LISTS, SCREENS)
    KINDS = (Backups(),)
    help_text = N_("Loop delay: how late the engine's turns come; from 20 ms on calls suffer. b writes a backup.")
    look_again_s = 2
    AUTO_FOCUS = "#kind-0"

    def __init__(self) -> None:
        super().__init__()
        self._machine: MachineView | None = None
        self._backup: BackupProgress | None = None
        self._was_running = False

    def compose_panels(self) -> Iterable[Widget]:
        facts, plot = TextPane(id="facts"), TextPane(id="loop")
        facts.border_title = _("Engine and machine")
        plot.border_title = _("Loop delay, worst of each minute")
        yield Horizontal(facts, plot, id="above")
        yield from super().compose_panels()

    def list_title(self) -> str:
        title, backup = _("Backups"), self._backup
        if backup is None or not backup.is_running:
            return title
        share = backup.done / backup.total if backup.total else 0.0
        full = round(share * _BAR_CELLS)
        sign = self.console_app.glyphs.bars[-1]
        return f"{title}   {sign * full}{'·' * (_BAR_CELLS - full)} {share:.0%}"

    async def load_more(self) -> None:
        app = self.console_app
        self._machine = await app.ask(GetMachine())
        if app.may(Role.ADMIN):
            self._tell_backup(await app.ask(GetBackup()))

    async def _load(self) -> None:
        if self.console_app.may(Role.ADMIN):
            await super()._load()
            return
        try:  # backups are for administrators, the rest is for everybody
            await self.load_more()
        except RefusedError as error:
            self._refusal = refusal_of(error.what, error.mend)
        else:
            self._refusal = _("backups are for administrators")
        self.draw_now()

    def draw_panels(self, view: OfficeView, now: datetime) -> None:
        if self._was_running:
            self._loaded_at = None  # a bar that moves is looked at each second
        super().draw_panels(view, now)
        self.query_one("#facts", TextPane).read(self._facts(view, now))
        self.query_one("#loop", TextPane).read(self._plot(view))

    async def action_back_up(self) -> None:
        name = await self.do(StartBackup())
        if name is not REFUSED:
            self.look_at(str(name))
            self._was_running = True
            self.console_app.say(_("the backup {name} is being written").format(name=name))
            await self._load()

    async def action_audit_lamps(self) -> None:
        """Compare what lamps and phones show with the calls there are."""
        found = await self.do(AuditLamps())
        if not isinstance(found, LampAudit):
            return
        if found.repaired:
            said = plural(
                "{n} lamp was wrong and is mended: ", "{n} lamps were wrong and are mended: ", len(found.repaired)
            )
            self.console_app.say(said + ", ".join(found.repaired), is_refusal=True)
        else:
            self.console_app.say(
                plural("{n} lamp is as it should be", "{n} lamps are as they should be", found.lamps)
            )

    def _tell_backup(self, backup: BackupProgress | None) -> None:
        """Say how the backup ended that was being written."""
        was_running, self._was_running = self._was_running, backup is not None and backup.is_running
        self._backup = backup
        if backup is None or backup.is_running or not was_running:
            return
        if backup.error:
            self.console_app.say(refusal_of(backup.error, backup.mend), is_refusal=True)
        else:
            self.console_app.say(_("the backup {name} is written").format(name=backup.name))

    def _facts(self, view: OfficeView, now: datetime) -> list[TextLine]:
        health, glyphs = view.health, self.console_app.glyphs
        lines: list[TextLine] = [
            ((f"{glyphs.warning} {translated(warning)}", "alarm"),) for warning in health.warnings
        ]
        if not lines:
            lines.append(((f"{glyphs.fine} {_('no alarms')}", "good"),))
        up = duration(max(0.0, (now - health.started_at).total_seconds()))
        lines.append(_fact(_("Engine"), _("version {v}, process {pid}, up {time}").format(
            v=health.version, pid=health.pid, time=up)))  # fmt: skip
        priority = _("real-time priority") if health.media_is_real_time else _("no real-time priority")
        media = _("{backend}, {n} sessions, {priority}").format(
            backend=health.media_backend, n=health.media_sessions, priority=priority
        )
        lines.append(_fact(_("Media"), media))
        collector = _("{n} collections, longest {worst:.0f} ms").format(
            n=int(health.gc.get("count", 0)), worst=health.gc.get("max_ms", 0.0)
        )
        lines.append(_fact(_("Memory"), "   ".join(part for part in (self._memory(), collector) if part)))
        lines += self._machine_facts()
        doors = " · ".join(f"{each.kind} {each.address}" for each in health.listeners if each.kind != "control")
        lines.append(_fact(_("Listens"), doors))
        if self.has_class("-narrow") and health.loop_history:  # the plot has no room there
            spark = bar_lines(health.loop_history[-_PLOT_MINUTES:], 1, glyphs.bars, top=_LEAST_TOP_MS)[0]
            worst = _("worst {worst:.0f} ms").format(worst=max(health.loop_history))
            lines.append(_fact(_("Loop"), f"{spark}  {worst}"))
        if health.garbage:
            lines.append(_fact(_("Garbage"), _("{n} datagrams were no SIP").format(n=health.garbage)))
        return lines

    def _memory(self) -> str:
        machine = self._machine
        if machine is None or machine.memory_bytes is None:
            return ""
        total = size_text(machine.memory_total_bytes) if machine.memory_total_bytes else "–"
        return _("{held} of {total}").format(held=size_text(machine.memory_bytes), total=total)

    def _machine_facts(self) -> list[TextLine]:
        machine = self._machine
        if machine is None:
            return []
        load = "  ".join(f"{each:.2f}" for each in machine.load)
        lines = [
            _fact(_("Load"), _("{load} of {n} cores; engine {percent:.0f} % of one").format(
                load=load, n=machine.cores, percent=machine.cpu_percent)),
        ]  # fmt: skip
        is_full = machine.disk_free_bytes < machine.disk_total_bytes * _FEW_FREE
        disk = _("{free} of {total} free; database {database}, recordings {recordings}").format(
            free=size_text(machine.disk_free_bytes), total=size_text(machine.disk_total_bytes),
            database=size_text(machine.database_bytes), recordings=size_text(machine.recordings_bytes),
        )  # fmt: skip
        lines.append(_fact(_("Disk"), disk, "alarm" if is_full else "text"))
        if machine.open_files is not None:
            most = str(machine.most_open_files or "∞")
            lines.append(_fact(_("Open files"), f"{machine.open_files} / {most}"))
        return lines

    def _plot(self, view: OfficeView) -> list[TextLine]:
        health = view.health
        values = health.loop_history[-_PLOT_MINUTES:]
        bars = bar_lines(values, _PLOT_LINES, self.console_app.glyphs.bars, top=_LEAST_TOP_MS)
        worst = max(values, default=0.0)
        lines: list[TextLine] = [((bar, "lamp-busy"),) for bar in bars]
        lines.append((("─" * len(values), "frame"),))
        told = _("{n} minutes   worst {worst:.0f} ms").format(n=len(values), worst=worst)
        lines.append(((told, "text"),))
        now = _("99 of 100 turns: {p99:.1f} ms   ever: {worst:.0f} ms").format(
            p99=health.loop_delay_p99_ms, worst=health.loop_delay_max_ms
        )
        lines.append(((now, "quiet"),))
        return lines


def _fact(name: str, value: str, ink: str = "text") -> TextLine:
    return (f"{name}  ", "quiet"), (value, ink)
