"""The Operators screen: who may log in to the console, and as what."""

from __future__ import annotations

from engine.core.errors import RefusedError
from engine.store.configuration import Operator
from tui.operator_kind import Operators, refuse_own_login
from tui.refusals import refusal_text
from tui.screens.kind_screen import KindScreen
from tui.texts import N_


class OperatorsScreen(KindScreen):
    """Logins, for administrators."""

    KINDS = (Operators(),)
    help_text = N_("Each role may do what the ones before it may: viewer, receptionist, supervisor, administrator.")

    def action_remove(self) -> None:
        item = self._under_cursor()
        if isinstance(item, Operator):
            try:
                refuse_own_login(self.console_app.asker.name, item)
            except RefusedError as error:
                self.console_app.say(refusal_text(error), is_refusal=True)
                return
        super().action_remove()
