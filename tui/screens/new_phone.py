"""Shown once after a password was made: the values to type into a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.desk.commands import NewPassword
from engine.store.configuration import Role
from tui.keys import CARD, bindings
from tui.reach import phone_servers
from tui.texts import _
from tui.widgets.lines import KeyBar
from tui.wording import clean

if TYPE_CHECKING:
    from tui.console import FrontdeskConsole


class NewLogin(ModalScreen[None]):
    """Login and password of an operator; the office keeps no copy of the password."""

    needs = Role.ADMIN

    BINDINGS = bindings(CARD)

    def __init__(self, password: NewPassword) -> None:
        super().__init__()
        self._password = password

    def compose(self) -> ComposeResult:
        lines = [(_("Login"), self._password.account), (_("Password"), self._password.password)]
        with Vertical(classes="dialog wide") as dialog:
            dialog.border_title = _("Give this to the operator")
            yield Static(_in_two_columns(lines))
            yield Static(
                Content(_("The password is shown this once; a new one can be made at any time.")), classes="quiet"
            )
            yield KeyBar()

    def action_close(self) -> None:
        self.dismiss()


def _in_two_columns(lines: list[tuple[str, str]]) -> Content:
    width = max(cell_len(label) for label, _value in lines) + 3
    parts: list[str | tuple[str, str]] = []
    for label, value in lines:
        parts += [(label + " " * (width - cell_len(label)), "$quiet"), (clean(value), "bold"), "\n"]
    return Content.assemble(*parts)


class NewPhone(ModalScreen[None]):
    """Server, user, password and transport; the office keeps no copy of the password."""

    needs = Role.ADMIN

    BINDINGS = bindings(CARD)

    def __init__(self, password: NewPassword) -> None:
        super().__init__()
        self._password = password

    def compose(self) -> ComposeResult:
        view = cast("FrontdeskConsole", self.app).view
        servers = phone_servers(view.health.listeners)
        lines = [(_("User"), self._password.account), (_("Password"), self._password.password)]
        lines += [(_("Server"), f"{address}   {transport}") for address, transport in servers[:4]]
        with Vertical(classes="dialog wide") as dialog:
            dialog.border_title = _("Type this into the phone")
            yield Static(_in_two_columns(lines))
            yield Static(
                Content(_("The password is shown this once; a new one can be made at any time.")), classes="quiet"
            )
            yield KeyBar()

    def action_close(self) -> None:
        self.dismiss()
