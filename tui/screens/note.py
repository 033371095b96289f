"""A note on a caller, shown when the number calls again."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from engine.store.configuration import Role
from tui.keys import NOTE, bindings
from tui.texts import _
from tui.widgets.lines import KeyBar
from tui.wording import clean

LONGEST = 500


class NoteDialog(ModalScreen[str | None]):
    """One line to type; the result is the note, or ``None`` when it stays as it was."""

    BINDINGS = bindings(NOTE)
    needs = Role.RECEPTIONIST

    def __init__(self, who: str, note: str) -> None:
        super().__init__()
        self._who = who
        self._note = note

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(clean(self._who))
            yield Static(_("A note for the next call; an empty line takes it away."), classes="quiet")
            yield Input(self._note, id="note", max_length=LONGEST, compact=True)
            yield KeyBar()

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)

    def action_save(self) -> None:
        self.dismiss(self.query_one(Input).value)

    def action_cancel(self) -> None:
        self.dismiss(None)
