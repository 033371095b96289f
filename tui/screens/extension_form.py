"""The form for an extension: validates as one types and shows what will change before it is saved."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from engine.core.errors import RefusedError
from engine.desk.commands import AddExtension, ListExtensions, NewPassword, SetExtension, ShowExtension
from engine.store.configuration import Extension, Role
from tui.draft import LABELS, Draft
from tui.group_kind import Diversion
from tui.keys import FORM, bindings
from tui.refusals import refusal_text
from tui.screens.entity_form import EntityForm
from tui.screens.new_phone import NewPhone
from tui.screens.question import Question
from tui.texts import _
from tui.widgets.lines import KeyBar
from tui.widgets.tick import Tick
from tui.wording import clean

if TYPE_CHECKING:
    from tui.console import FrontdeskConsole

_TICKS = ("multi_device", "music")


class ExtensionForm(ModalScreen[NewPassword | None]):
    """Adds an extension, or changes ``extension``; the result is the password to show, if one was set."""

    needs = Role.ADMIN

    BINDINGS = bindings(FORM)

    def __init__(self, extension: Extension | None, taken: Collection[str]) -> None:
        super().__init__()
        self._is_new = extension is None
        self._before = Draft.of(extension) if extension else Draft()
        self._taken = () if extension else tuple(taken)
        self._touched: set[str] = set()
        self._is_saving = False

    @property
    def console_app(self) -> FrontdeskConsole:
        return cast("FrontdeskConsole", self.app)

    def compose(self) -> ComposeResult:
        before = self._before
        with VerticalScroll(classes="dialog form", can_focus=False) as form:
            title = (
                _("New extension")
                if self._is_new
                else clean(_("Extension {number}").format(number=f"{before.number} {before.name}".rstrip()))
            )
            form.border_title = Content(title)
            for field, label in LABELS.items():
                if field == "number" and not self._is_new:
                    continue
                with Horizontal(classes="field"):
                    yield Label(_(label))
                    if field in _TICKS:
                        yield Tick(getattr(before, field), id=field)
                    else:
                        yield Input(
                            getattr(before, field), placeholder=_hint(field, self._is_new), id=field, compact=True,
                            password=field == "voicemail_pin",
                        )  # fmt: skip
                    yield Static(classes="mark", id=f"{field}-mark")
            yield Static(id="changes")
            yield KeyBar()

    def on_mount(self) -> None:
        if self.children:  # none when the console was left while this opened
            self._judge()

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id and event.value != getattr(self._before, event.input.id):
            self._touched.add(event.input.id)
        self._judge()

    def on_tick_changed(self) -> None:
        self._judge()

    def on_input_submitted(self) -> None:
        self.app.action_focus_next()

    async def action_save(self) -> None:
        draft = self._draft()
        problems = draft.problems(self._taken)
        if problems:
            self._touched.update(problems)
            self._judge()
            first, text = next(iter(problems.items()))
            self.query_one(f"#{first}").focus()
            # In the frame, because the list of changes may be out of sight on a low screen.
            self._explain(problem_text(first, text))
            return
        if not self._is_new and not draft.changes(self._before):
            self.dismiss(None)
            return
        if self._is_saving:
            return
        self._is_saving = True
        try:
            answer = await self._ask(draft)
        except RefusedError as error:
            if self in self.app.screen_stack:
                self._show([(f"{self.console_app.glyphs.refused} {refusal_text(error)}", "$error")])
                self._explain(refusal_text(error))
        else:
            if self in self.app.screen_stack:  # a role taken away meanwhile has closed the form
                self.dismiss(answer)
        finally:
            self._is_saving = False

    def action_cancel(self) -> None:
        if not self._draft().changes(self._before):
            self.dismiss(None)
            return

        def drop(is_sure: bool | None) -> None:
            if is_sure:
                self.dismiss(None)

        question = Question(_("Leave without saving?"), _("What was typed here is forgotten."), Role.ADMIN)
        self.app.push_screen(question, drop)

    async def _ask(self, draft: Draft) -> NewPassword | None:
        number = draft.number.strip()
        fields = draft.fields(self._before)
        command = AddExtension(number, fields) if self._is_new else SetExtension(number, fields)
        answer = await self.console_app.ask(command)
        app = self.console_app
        app.look_at(number)
        app.say((_("{number} added") if self._is_new else _("{number} saved")).format(number=number))
        if isinstance(answer, NewPassword):
            return answer
        return NewPassword(number, draft.password) if draft.password else None

    def _draft(self) -> Draft:
        values: dict[str, str | bool] = {}
        for field in LABELS:
            if field == "number" and not self._is_new:
                values[field] = self._before.number
            elif field in _TICKS:
                values[field] = self.query_one(f"#{field}", Tick).value
            else:
                values[field] = self.query_one(f"#{field}", Input).value
        return Draft(**values)  # type: ignore[arg-type]

    def _judge(self) -> None:
        """Say what is wrong with the fields that were touched, and what saving would change."""
        self._explain("")
        draft = self._draft()
        problems = {field: text for field, text in draft.problems(self._taken).items() if field in self._touched}
        glyph = self.console_app.glyphs.refused
        for mark in self.query(".mark").results(Static):
            field = (mark.id or "").removesuffix("-mark")
            mark.update(Content(glyph if field in problems else ""))
        self.query_one("#max_devices", Input).disabled = not draft.multi_device
        lines = [(f"{glyph} {problem_text(field, text)}", "$error") for field, text in problems.items()]
        changes = draft.changes(self._before)
        if not changes:
            lines.append((_("Nothing has changed yet."), "$quiet"))
        elif self._is_new:
            lines.append((_("Will be added"), "$accent"))
        else:
            lines.append((_("Will change"), "$accent"))
        lines += [(_change_line(change, self._is_new), "$foreground") for change in changes]
        self._show(lines)

    def _explain(self, why: str) -> None:
        sign = self.console_app.glyphs.refused
        self.query_one(".form").border_subtitle = Content(clean(f"{sign} {why}")) if why else ""

    def _show(self, lines: list[tuple[str, str]]) -> None:
        parts: list[str | tuple[str, str]] = []
        for text, ink in lines:
            parts += [(clean(text), ink), "\n"]
        self.query_one("#changes", Static).update(Content.assemble(*parts[:-1]))


async def add_extension(app: FrontdeskConsole) -> None:
    """Open the form for a new extension, and show afterwards what to type into its phone."""
    try:
        extensions = await app.ask(ListExtensions())
    except RefusedError as error:
        app.say(refusal_text(error), is_refusal=True)
        return
    app.push_screen(ExtensionForm(None, [extension.number for extension in extensions]), _show_password(app))


async def edit_extension(app: FrontdeskConsole, number: str) -> None:
    """Open the form for an extension that exists."""
    try:
        extension = await app.ask(ShowExtension(number))
    except RefusedError as error:
        app.say(refusal_text(error), is_refusal=True)
        return
    app.push_screen(ExtensionForm(extension, ()), _show_password(app))


def forward_extension(app: FrontdeskConsole, extension: Extension) -> None:
    """Open the form for where the calls of an extension go instead."""
    app.push_screen(EntityForm(Diversion(), extension))


def _show_password(app: FrontdeskConsole) -> Callable[[NewPassword | None], None]:
    def show(password: NewPassword | None) -> None:
        if password is not None:
            app.push_screen(NewPhone(password))

    return show


def _change_line(change: tuple[str, str, str], is_new: bool) -> str:
    label, old, new = change
    return f"  {label}  {new}" if is_new or not old else f"  {label}  {old} → {new}"


def problem_text(field: str, text: str) -> str:
    """What is wrong with a field, as the form says it."""
    return _("{field}: {problem}").format(field=_(LABELS[field]), problem=text)


def _hint(field: str, is_new: bool) -> str:
    return {
        "number": _("such as 104"),
        "name": _("who or what it is"),
        "password": _("empty: a strong one is made") if is_new else _("empty: stays as it is"),
        "max_calls": _("empty: unlimited"),
        "codecs": _("empty: the office's"),
        "email": _("may stay empty"),
        "level": _("empty: none"),
        "outside_number": _("empty: the extension's own"),
        "max_out": _("empty: unlimited"),
        "from_network": _("empty: from anywhere"),
        "rights": _("such as pickup, record, forward-busy"),
        "voicemail_pin": _("empty: none is set") if is_new else _("empty: stays as it is"),
    }.get(field, "")
