"""The banner of an emergency call: it holds the screen until somebody has seen it."""

from __future__ import annotations

from datetime import datetime

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from engine.core.views import CallView, OfficeView
from engine.store.configuration import Role
from tui.keys import EMERGENCY, bindings
from tui.screens.live_dialog import LiveDialog
from tui.texts import _
from tui.widgets.lines import KeyBar
from tui.wording import CALL_WORDS, clean, duration, name_with_number

BELL_EVERY_S = 3


class EmergencyBanner(LiveDialog):
    """Who calls for help, which number, from which phone; it stays when the call ends."""

    BINDINGS = bindings(EMERGENCY)
    needs = Role.VIEWER

    def __init__(self, call: CallView) -> None:
        super().__init__()
        self.call = call
        self._ended_at: datetime | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog emergency"):
            yield Static(id="text")
            yield KeyBar()

    def on_mount(self) -> None:
        super().on_mount()
        self.app.bell()
        self.set_interval(BELL_EVERY_S, self.app.bell)

    def describe(self, view: OfficeView, now: datetime) -> tuple[str, str]:
        live = next((call for call in view.calls if call.id == self.call.id), None)
        if live is not None:
            self.call = live
        elif self._ended_at is None:
            self._ended_at = now
        call = self.call
        state = _(CALL_WORDS[call.state]) if self._ended_at is None else _("ended")
        lasted = duration((self._ended_at or now).timestamp() - call.started_at.timestamp())
        lines = [
            _("{who} calls {number}").format(
                who=name_with_number(call.caller, call.caller_name), number=call.callee
            ),
            f"{state}   {lasted}",
        ]
        began = call.started_at.astimezone(self.console_app.zone)
        lines.append(_("since {time}").format(time=f"{began:%H:%M:%S}") + (f"   {call.trunk_out or ''}").rstrip())
        phones = [phone for phone in view.registrations if phone.extension == call.caller]
        lines += [
            _("phone: {kind} at {address}").format(
                kind=phone.user_agent or _("unknown phone"), address=phone.source
            )
            for phone in phones
        ]
        lines += ["", _("Nobody but those who talk can end it. Meet the helpers at the door.")]
        word, sign = _("EMERGENCY CALL"), self.console_app.glyphs.warning
        return f"{sign} {word} {sign}", "\n".join(clean(line) for line in lines)

    def action_acknowledge(self) -> None:
        self.console_app.acknowledge(self.call.id)
        self.dismiss()

    def _draw(self) -> None:
        super()._draw()
        if self.children:
            self.query_one("#text", Static).set_class(int(self.console_app.now.timestamp()) % 2 == 0, "lit")
