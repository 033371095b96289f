"""The dry run: where a number goes, and what if this number calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from engine.core.errors import RefusedError
from engine.desk.dialling import RouteTest, TryRoute
from engine.store.configuration import Role
from tui.keys import DRY_RUN, bindings
from tui.refusals import refusal_text
from tui.route_words import step_texts
from tui.texts import N_, _
from tui.widgets.lines import KeyBar
from tui.wording import clean

if TYPE_CHECKING:
    from tui.console import FrontdeskConsole

_FIELDS = (
    ("caller", N_("Who calls"), N_("an extension; with a trunk any number")),
    ("dialled", N_("Number called"), N_("such as 9030123")),
    ("trunk", N_("From trunk"), N_("empty: from inside")),
    ("at", N_("At"), N_("empty: now; such as 2026-03-02T09:30")),
)


class TryNumber(ModalScreen[None]):
    """Tells every step of a decision while the numbers are typed; makes no call."""

    needs = Role.VIEWER

    BINDINGS = bindings(DRY_RUN)

    def __init__(self, caller: str = "", trunk: str = "") -> None:
        super().__init__()
        self._given = {"caller": caller, "trunk": trunk}
        self._round = 0

    @property
    def console_app(self) -> FrontdeskConsole:
        return cast("FrontdeskConsole", self.app)

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog form wide", can_focus=False) as form:
            form.border_title = _("Try a number")
            for name, label, hint in _FIELDS:
                with Horizontal(classes="field"):
                    yield Label(_(label))
                    yield Input(self._given.get(name, ""), placeholder=_(hint), id=name, compact=True)
            yield Static(id="changes")
            yield KeyBar()

    def on_mount(self) -> None:
        if self.children:
            self._try()

    def on_input_changed(self) -> None:
        self._try()

    def on_input_submitted(self) -> None:
        self.app.action_focus_next()

    def action_close(self) -> None:
        self.dismiss(None)

    def _try(self) -> None:
        self._round += 1
        self.run_worker(self._try_round(self._round))

    async def _try_round(self, number: int) -> None:
        typed = {name: self.query_one(f"#{name}", Input).value.strip() for name, _label, _hint in _FIELDS}
        if not typed["dialled"] or not (typed["caller"] or typed["trunk"]):
            self._show([(_("Type who calls and the number: nothing is called."), "$quiet")])
            return
        command = TryRoute(typed["dialled"], typed["caller"] or None, typed["trunk"] or None, typed["at"] or None)
        try:
            found = await self.console_app.ask(command)
            lines = self._lines(found)
        except RefusedError as error:
            lines = [(f"{self.console_app.glyphs.refused} {refusal_text(error)}", "$error")]
        if number == self._round and self.is_attached:
            self._show(lines)

    def _lines(self, found: RouteTest) -> list[tuple[str, str]]:
        steps = [step for step in found.steps if step.key != "refused"]  # it is the last line anyway
        lines = [(f"{count}. {text}", "$foreground") for count, text in enumerate(step_texts(steps), 1)]
        glyphs = self.console_app.glyphs
        if found.outcome == "refused":
            return [*lines, (f"{glyphs.refused} {found.status} {found.reason}", "$error")]
        said = {
            "extension": _("rings at extension {target}"),
            "service": _("is answered by the service {target}"),
            "trunk": _("goes outside over {target}"),
        }[found.outcome].format(target=found.target)
        return [*lines, (f"{glyphs.fine} {said}", "$success")]

    def _show(self, lines: list[tuple[str, str]]) -> None:
        parts: list[str | tuple[str, str]] = []
        for text, ink in lines:
            parts += [(clean(text), ink), "\n"]
        self.query_one("#changes", Static).update(Content.assemble(*parts[:-1]))
