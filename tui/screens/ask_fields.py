"""Asks for a few values; what is wrong with them is said while they are typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from engine.desk.dialling import Checked
from engine.store.configuration import Role
from tui.keys import ASK, bindings
from tui.kind import Field
from tui.refusals import refusal_of
from tui.texts import _
from tui.widgets.lines import KeyBar
from tui.wording import clean

if TYPE_CHECKING:
    from tui.console import FrontdeskConsole


class AskFields(ModalScreen[dict[str, str] | None]):
    """The result is what was typed, by field, once ``check`` finds nothing wrong with it."""

    BINDINGS = bindings(ASK)

    def __init__(
        self,
        title: str,
        fields: Sequence[Field],
        values: Mapping[str, str],
        check: Callable[[Mapping[str, str]], Checked],
        needs: Role,
    ) -> None:
        super().__init__()
        self.needs = needs
        self._title = title
        self._fields = tuple(fields)
        self._given = dict(values)
        self._check = check

    @property
    def console_app(self) -> FrontdeskConsole:
        return cast("FrontdeskConsole", self.app)

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog form", can_focus=False) as form:
            form.border_title = Content(clean(self._title))
            for field in self._fields:
                with Horizontal(classes="field"):
                    yield Label(_(field.label))
                    hint = _(field.hint) if field.hint else ""
                    yield Input(self._given.get(field.name, ""), placeholder=hint, id=field.name, compact=True)
                    yield Static(classes="mark", id=f"{field.name}-mark")
            yield Static(id="changes")
            yield KeyBar()

    def on_input_changed(self) -> None:
        values = self._values()
        self._tell(self._check(values) if values != self._given else Checked())

    def on_input_submitted(self) -> None:
        self.action_go()

    def action_go(self) -> None:
        values = self._values()
        checked = self._check(values)
        if checked.flaws:
            self._tell(checked)
            self.query_one(f"#{checked.flaws[0].field}").focus()
        else:
            self.dismiss(values)

    def action_cancel(self) -> None:
        self.dismiss(None)

    def _values(self) -> dict[str, str]:
        return {field.name: self.query_one(f"#{field.name}", Input).value.strip() for field in self._fields}

    def _tell(self, checked: Checked) -> None:
        sign = self.console_app.glyphs.refused
        marked = {flaw.field for flaw in checked.flaws}
        for mark in self.query(".mark").results(Static):
            mark.update(Content(sign if (mark.id or "").removesuffix("-mark") in marked else ""))
        parts: list[str | tuple[str, str]] = []
        for flaw in checked.flaws:
            parts += [(clean(f"{sign} {refusal_of(flaw.what, flaw.mend)}"), "$error"), "\n"]
        self.query_one("#changes", Static).update(Content.assemble(*parts[:-1]))
