"""A question before what cannot be undone: y or Enter does it, n or Esc does not."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.store.configuration import Role
from tui.keys import QUESTION, bindings
from tui.widgets.lines import KeyBar
from tui.wording import clean


class Question(ModalScreen[bool]):
    """Asks ``title`` and explains it; the result is the answer. ``needs`` is the role that may do what is asked."""

    BINDINGS = bindings(QUESTION)

    def __init__(self, title: str, text: str, needs: Role) -> None:
        super().__init__()
        self.needs = needs
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = self._title
            yield Static(Content("\n".join(clean(line) for line in self._text.splitlines())))
            yield KeyBar()

    def action_answer(self, is_sure: bool) -> None:
        self.dismiss(is_sure)
