"""A dialog whose text follows the office while it is open."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.core.views import OfficeView
from engine.store.configuration import Role
from tui.keys import role_for
from tui.widgets.lines import KeyBar

if TYPE_CHECKING:
    from tui.console import FrontdeskConsole


class LiveDialog(ModalScreen[None]):
    """Subclasses say title and text for a picture of the office; drawn once a second."""

    needs = Role.VIEWER

    @property
    def console_app(self) -> FrontdeskConsole:
        return cast("FrontdeskConsole", self.app)

    def describe(self, view: OfficeView, now: datetime) -> tuple[str, str]:
        """Title and text of the dialog."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide"):
            yield Static(id="text")
            yield KeyBar()

    def on_mount(self) -> None:
        self._draw()
        self.set_interval(1.0, self._draw)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.console_app.may(role_for(action))

    def action_close(self) -> None:
        self.dismiss()

    def _draw(self) -> None:
        if not self.children:  # the console was left while this opened
            return
        title, text = self.describe(self.console_app.view, self.console_app.now)
        self.query_one(".dialog").border_title = Content(title)
        self.query_one("#text", Static).update(Content(text))
