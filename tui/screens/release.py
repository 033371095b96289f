"""Releasing a call: asked first, done only when the call is still the one that was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.errors import RefusedError
from engine.core.views import CallView
from engine.desk.commands import ReleaseCall
from engine.store.configuration import Role
from tui.refusals import refusal_text
from tui.screens.question import Question
from tui.texts import _
from tui.wording import call_text, duration

if TYPE_CHECKING:
    from tui.console import FrontdeskConsole


def ask_release(app: FrontdeskConsole, call: CallView) -> None:
    """Ask, then end this call unless it has moved on meanwhile."""

    async def release(is_sure: bool | None) -> None:
        if not is_sure:
            return
        try:
            await app.ask(ReleaseCall(call.id, call.revision))
        except RefusedError as error:
            app.say(refusal_text(error), is_refusal=True)
        else:
            app.say(_("released: {call}").format(call=call_text(call)))

    text = _("It has lasted {time}. Both sides hear the call end.").format(time=duration(call.duration_s(app.now)))
    app.push_screen(Question(_("Release this call?"), f"{call_text(call)}\n\n{text}", Role.RECEPTIONIST), release)
