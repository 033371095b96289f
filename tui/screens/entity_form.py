"""A form for what the Dialling screen lists: validates as one types and shows what will change."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from engine.core.errors import RefusedError
from engine.desk.commands import NewPassword
from engine.desk.dialling import Added, Checked
from tui.keys import FORM, bindings
from tui.kind import Field, Kind
from tui.refusals import refusal_of, refusal_text, translated
from tui.screens.new_phone import NewLogin
from tui.screens.question import Question
from tui.texts import _
from tui.widgets.lines import KeyBar
from tui.widgets.tick import Tick
from tui.wording import clean

if TYPE_CHECKING:
    from tui.console import FrontdeskConsole


class EntityForm(ModalScreen[bool]):
    """Adds something of a kind, or changes ``item``; the result is whether anything was saved."""

    BINDINGS = bindings(FORM)

    def __init__(self, kind: Kind, item: Any) -> None:
        super().__init__()
        self.needs = kind.needs
        self._kind = kind
        self._item = item
        self._before = kind.values(item)
        self._touched: set[str] = set()
        self._round = 0
        self._is_saving = False

    @property
    def console_app(self) -> FrontdeskConsole:
        return cast("FrontdeskConsole", self.app)

    @property
    def _fields(self) -> list[Field]:
        """What can be typed: the name of something that exists stays."""
        return [field for field in self._kind.fields if self._item is None or field.name not in self._kind.fixed]

    def compose(self) -> ComposeResult:
        kind = self._kind
        with VerticalScroll(classes="dialog form", can_focus=False) as form:
            title = _(kind.new_title) if self._item is None else kind.name(self._item)
            form.border_title = Content(clean(title))
            for field in self._fields:
                with Horizontal(classes="field"):
                    yield Label(_(field.label))
                    before = self._before[field.name]
                    if field.is_tick:
                        yield Tick(bool(before), id=field.name)
                    else:
                        hint = _(field.hint) if field.hint else ""
                        yield Input(
                            str(before), placeholder=hint, id=field.name, compact=True, password=field.is_secret
                        )
                    yield Static(classes="mark", id=f"{field.name}-mark")
            yield Static(id="changes")
            yield KeyBar()

    def on_mount(self) -> None:
        if self.children:
            self._judge()

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id and event.value != self._before[event.input.id]:
            self._touched.add(event.input.id)
        self._judge()

    def on_tick_changed(self) -> None:
        self._judge()

    def on_input_submitted(self) -> None:
        self.app.action_focus_next()

    async def action_save(self) -> None:
        values = self._values()
        if self._item is not None and values == self._before:
            self.dismiss(False)
            return
        if self._is_saving:
            return
        self._is_saving = True
        try:
            checked = await self._check(values)
            if checked.flaws:
                self._touched.update(flaw.field for flaw in checked.flaws)
                self._tell(checked)
                self._go_to(checked.flaws[0].field)
                return
            answer = await self.console_app.ask(self._kind.save(values, self._item))
        except RefusedError as error:
            if self in self.app.screen_stack:
                self._explain(refusal_text(error))
        else:
            self._finish(answer)
        finally:
            self._is_saving = False

    def action_cancel(self) -> None:
        if self._values() == self._before:
            self.dismiss(False)
            return

        def drop(is_sure: bool | None) -> None:
            if is_sure:
                self.dismiss(False)

        question = Question(_("Leave without saving?"), _("What was typed here is forgotten."), self.needs)
        self.app.push_screen(question, drop)

    def _finish(self, answer: object) -> None:
        app = self.console_app
        if isinstance(answer, Added):
            app.look_at(str(answer.id))
            warned = [translated(warning) for warning in answer.warnings]
        else:
            warned = []
        app.say("   ".join([_("saved"), *(f"{app.glyphs.warning} {warning}" for warning in warned)]))
        if self in app.screen_stack:
            self.dismiss(True)
        if isinstance(answer, NewPassword):
            app.push_screen(NewLogin(answer))

    def _values(self) -> dict[str, str | bool]:
        values = dict(self._before)
        for field in self._fields:
            widget = self.query_one(f"#{field.name}")
            values[field.name] = widget.value if isinstance(widget, Input | Tick) else ""
        return values

    def _judge(self) -> None:
        """Ask what is wrong with what is typed now; only the newest answer is shown."""
        self._explain("")
        self._round += 1
        self.run_worker(self._judge_round(self._round))

    async def _judge_round(self, number: int) -> None:
        try:
            checked = await self._check(self._values())
        except RefusedError as error:
            if number == self._round and self.is_attached:
                self._explain(refusal_text(error))
            return
        await asyncio.sleep(0)
        if number == self._round and self.is_attached:
            self._tell(checked)

    async def _check(self, values: dict[str, str | bool]) -> Checked:
        return await self._kind.check(self.console_app.ask, values, self._item)

    def _tell(self, checked: Checked) -> None:
        """Say what is wrong with the fields that were touched, what to know, and what saving would change."""
        glyphs = self.console_app.glyphs
        labels = {field.name: _(field.label) for field in self._kind.fields}
        flaws = [flaw for flaw in checked.flaws if flaw.field in self._touched or self._item is not None]
        marked = {flaw.field for flaw in flaws}
        for mark in self.query(".mark").results(Static):
            mark.update(Content(glyphs.refused if (mark.id or "").removesuffix("-mark") in marked else ""))
        lines = [
            (f"{glyphs.refused} {labels.get(flaw.field, '')}: {refusal_of(flaw.what, flaw.mend)}", "$error")
            for flaw in flaws
        ]
        lines += [(f"{glyphs.warning} {translated(warning)}", "$warning") for warning in checked.warnings]
        changes = self._changes(labels)
        if not changes:
            lines.append((_("Nothing has changed yet."), "$quiet"))
        else:
            lines.append((_("Will be added") if self._item is None else _("Will change"), "$accent"))
        lines += [(change, "$foreground") for change in changes]
        parts: list[str | tuple[str, str]] = []
        for text, ink in lines:
            parts += [(clean(text), ink), "\n"]
        self.query_one("#changes", Static).update(Content.assemble(*parts[:-1]))

    def _changes(self, labels: dict[str, str]) -> list[str]:
        found = []
        secrets = {field.name for field in self._kind.fields if field.is_secret}
        for name, new in self._values().items():
            old = self._before[name]
            if new != old and name in secrets:
                told = _("a new one")
                found.append(f"  {labels[name]}  {told}")
            elif new != old:
                told = f"{_shown(old)} → {_shown(new)}" if self._item is not None else _shown(new)
                found.append(f"  {labels[name]}  {told}")
        return found

    def _go_to(self, field: str) -> None:
        found = self.query(f"#{field}")
        if found:
            found.first().focus()

    def _explain(self, why: str) -> None:
        sign = self.console_app.glyphs.refused
        self.query_one(".form").border_subtitle = Content(clean(f"{sign} {why}")) if why else ""


def _shown(value: str | bool) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return value.strip() or "–"
