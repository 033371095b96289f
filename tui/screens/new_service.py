"""Asks what a new service is called."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from engine.core.errors import RefusedError
from engine.desk.service_checks import check_service_name
from engine.store.configuration import Role
from tui.keys import FORM, bindings
from tui.refusals import refusal_text
from tui.texts import _
from tui.widgets.lines import KeyBar
from tui.wording import clean

if TYPE_CHECKING:
    from tui.console import FrontdeskConsole


class NewService(ModalScreen[str | None]):
    """The result is a name that no service has yet."""

    needs = Role.ADMIN
    BINDINGS = bindings(FORM)

    def __init__(self, taken: Collection[str]) -> None:
        super().__init__()
        self._taken = frozenset(taken)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog form") as frame:
            frame.border_title = _("New service")
            with Horizontal(classes="field"):
                yield Label(_("Name"))
                yield Input(placeholder=_("such as lunch_menu"), id="name", compact=True, max_length=64)
            yield Static(id="changes")
            yield KeyBar()

    def on_input_changed(self) -> None:
        self._tell(self._problem() if self._typed else "")

    def on_input_submitted(self) -> None:
        self.action_save()

    def action_save(self) -> None:
        problem = self._problem()
        if problem:
            self._tell(problem)
        else:
            self.dismiss(self._typed)

    def action_cancel(self) -> None:
        self.dismiss(None)

    @property
    def _typed(self) -> str:
        return self.query_one("#name", Input).value.strip()

    def _problem(self) -> str:
        if self._typed in self._taken:
            return _("there is a service {name} already: edit that one").format(name=self._typed)
        try:
            check_service_name(self._typed)
        except RefusedError as error:
            return refusal_text(error)
        return ""

    def _tell(self, problem: str) -> None:
        sign = cast("FrontdeskConsole", self.app).glyphs.refused
        told = Content.assemble((clean(f"{sign} {problem}"), "$error")) if problem else Content("")
        self.query_one("#changes", Static).update(told)
