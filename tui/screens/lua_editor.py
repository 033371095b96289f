"""The text of a service: read, or edited into the office's own file; every pause in typing compiles it."""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Static, TextArea

from engine.core.errors import RefusedError
from engine.desk.services import CheckService, ServiceText, WriteService
from engine.store.configuration import Role
from tui.keys import DIFF, EDITOR, bindings
from tui.refusals import refusal_text
from tui.screens.question import Question
from tui.texts import _
from tui.widgets.lines import KeyBar, Line
from tui.wording import clean

if TYPE_CHECKING:
    from tui.console import FrontdeskConsole

PAUSE_S = 0.4
"""The text is compiled when nothing was typed for so long."""


class LuaEditor(ModalScreen[str | None]):
    """Shows a service; the result is its name once something was written."""

    needs = Role.ADMIN
    BINDINGS = bindings(EDITOR, is_priority=True)

    def __init__(self, text: ServiceText, *, is_reading: bool = False, is_new: bool = False) -> None:
        super().__init__()
        self._text = text
        self._is_reading = is_reading
        self._is_new = is_new
        self._round = 0
        self._pause: Timer | None = None
        self._complaint: str | None = None

    @property
    def console_app(self) -> FrontdeskConsole:
        return cast("FrontdeskConsole", self.app)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog editor") as frame:
            frame.border_title = Content(clean(_("service {name}").format(name=self._text.name)))
            yield TextArea(
                self._text.source, id="source", read_only=self._is_reading, show_line_numbers=True, soft_wrap=False,
                tab_behavior="indent", theme="css", compact=True,
            )  # fmt: skip
            yield Line(id="verdict")
            yield KeyBar()

    def on_mount(self) -> None:
        if self.children:
            self.query_one("#source", TextArea).focus()
            self._compile()

    def on_text_area_changed(self) -> None:
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(PAUSE_S, self._compile)
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "edit":
            return self._is_reading
        if action == "save":
            return not self._is_reading and (self._is_new or self._source != self._text.source)
        return True

    @property
    def _source(self) -> str:
        areas = self.query("#source").results(TextArea)
        return next((area.text for area in areas), self._text.source)

    def action_edit(self) -> None:
        self._is_reading = False
        self.query_one("#source", TextArea).read_only = False
        self.refresh_bindings()
        self._compile()

    async def action_save(self) -> None:
        """Show what changes; what does not compile is not saved."""
        source = self._source
        try:
            complaint = await self.console_app.ask(CheckService(self._text.name, source))
        except RefusedError as error:
            self._say(refusal_text(error), "alarm")
            return
        self._complaint = complaint
        if complaint is not None:
            self._go_to_line(complaint)
            self._tell()
            return
        before = "" if self._is_new else self._text.source
        diff = list(unified_diff(before.splitlines(), source.splitlines(), lineterm="", n=2))[2:]

        async def write(is_sure: bool | None) -> None:
            if is_sure:
                await self._write(source)

        self.app.push_screen(ServiceDiff(self._text, diff), write)

    def action_cancel(self) -> None:
        if self._is_reading or self._source == self._text.source:
            self.dismiss(None)
            return

        def drop(is_sure: bool | None) -> None:
            if is_sure:
                self.dismiss(None)

        text = _("What was typed here is forgotten.")
        self.app.push_screen(Question(_("Leave without saving?"), text, Role.ADMIN), drop)

    async def _write(self, source: str) -> None:
        app, name = self.console_app, self._text.name
        try:
            await app.ask(WriteService(name, source, None if self._is_new else self._text.source))
        except RefusedError as error:
            self._say(refusal_text(error), "alarm")
            return
        app.say(_("service {name} saved: every call from now on gets it").format(name=name))
        if self in app.screen_stack:
            self.dismiss(name)

    def _compile(self) -> None:
        self._round += 1
        self.run_worker(self._judge(self._round))

    async def _judge(self, number: int) -> None:
        try:
            complaint = await self.console_app.ask(CheckService(self._text.name, self._source))
        except RefusedError as error:
            if number == self._round and self.is_attached:
                self._say(refusal_text(error), "alarm")
            return
        if number == self._round and self.is_attached:
            self._complaint = complaint
            self._tell()

    def _tell(self) -> None:
        glyphs = self.console_app.glyphs
        if self._complaint is not None:
            self._say(f"{glyphs.refused} {self._complaint}", "alarm")
        elif self._is_reading and not self._text.is_own:
            self._say(_("as shipped; F2 makes it the office's own"), "quiet")
        else:
            self._say(f"{glyphs.fine} {_('compiles')}", "good")

    def _say(self, text: str, ink: str) -> None:
        for line in self.query("#verdict").results(Line):
            line.say([(f" {text}", ink)])

    def _go_to_line(self, complaint: str) -> None:
        """Put the cursor where Lua stopped: ``name.lua:12: …``."""
        number = complaint.removeprefix(f"{self._text.name}.lua:").partition(":")[0]
        if number.isdigit():
            self.query_one("#source", TextArea).cursor_location = (max(0, int(number) - 1), 0)


class ServiceDiff(ModalScreen[bool]):
    """What saving would change, line by line."""

    needs = Role.ADMIN
    BINDINGS = bindings(DIFF)

    def __init__(self, text: ServiceText, diff: list[str]) -> None:
        super().__init__()
        self._text = text
        self._diff = diff

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog editor") as frame:
            frame.border_title = Content(clean(_("What changes in {name}").format(name=self._text.name)))
            with VerticalScroll(id="diff"):
                yield Static(self._drawn())
            yield KeyBar()

    def action_answer(self, is_sure: bool) -> None:
        self.dismiss(is_sure)

    def _drawn(self) -> Content:
        inks = {"+": "$success", "-": "$error", "@": "$accent"}
        parts: list[str | tuple[str, str]] = []
        for line in self._diff:
            parts += [(clean(line.replace("\t", "    ")), inks.get(line[:1], "$foreground")), "\n"]
        return Content.assemble(*parts[:-1])
