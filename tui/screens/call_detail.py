"""Call detail: a call's SIP messages as a ladder, the text of one, and the audio of every leg; live."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from textual.containers import Container
from textual.content import Content
from textual.widget import Widget

from engine.core.deeds import Deed
from engine.core.errors import NotFoundError, RefusedError
from engine.core.ids import CallId
from engine.core.ladder import Ladder, LadderMessage
from engine.core.views import CallState, CallView, OfficeView
from engine.desk.commands import ReadLadder, SaveLadder
from engine.store.configuration import Role
from tui.call_words import (
    AUDIO_COLUMNS,
    audio_row,
    difference,
    last_place,
    message_lines,
    message_title,
    parties_line,
    quality_line,
)
from tui.keys import CALL_DETAIL, bindings
from tui.refusals import refusal_text
from tui.screens.base import OfficeScreen
from tui.screens.release import ask_release
from tui.screens.supervise import record, supervise
from tui.texts import N_, _, plural
from tui.widgets.arrow_list import ArrowList
from tui.widgets.lines import Line
from tui.widgets.live_list import LiveList
from tui.widgets.text_pane import TextPane
from tui.wording import CALL_WORDS, call_text

_LATE_S = 3.0
"""What ends a call is answered after its end: so long the ladder is still asked for."""
_PANELS = ("ladder", "message", "audio")


class CallDetail(OfficeScreen, inherit_bindings=False):
    """One call, live or just ended; it stays open when the call ends."""

    BINDINGS = bindings(CALL_DETAIL)
    needs = Role.VIEWER
    has_lamps = False
    help_text = N_(
        "{again} was sent again, SDP describes the audio, (auth) answers a challenge; digests and keys are hidden."
    )

    def __init__(self, call: CallId) -> None:
        super().__init__()
        self._call = call
        self._ladder: Ladder | None = None
        self._messages: list[LadderMessage] = []
        self._is_asking = False
        self._is_complete = False
        self._refusal = ""

    def compose_panels(self) -> Iterable[Widget]:
        app = self.console_app
        yield Line(id="parties")
        yield Line(id="quality")
        ladder = ArrowList(id="ladder", glyphs=app.glyphs, zone=app.zone)
        ladder.border_title = _("Messages")
        audio = LiveList(AUDIO_COLUMNS, id="audio", has_titles=True, glyphs=app.glyphs)
        audio.border_title = _("Audio")
        yield Container(ladder, TextPane(id="message"), id="upper")
        yield audio

    def draw(self, view: OfficeView, now: datetime) -> None:
        super().draw(view, now)
        if self._can_draw and not self._is_asking and not self._is_complete:
            self._is_asking = True
            self.run_worker(self._ask())

    def draw_panels(self, view: OfficeView, now: datetime) -> None:
        ladder, glyphs = self._ladder, self.console_app.glyphs
        arrows = self._arrows
        arrows.empty_text = self._refusal or _("no message yet")
        if ladder is None:
            call = next((call for call in view.calls if call.id == self._call), None)
            parties = f"{call_text(call)}   {_(CALL_WORDS[call.state])}" if call else ""
            self.query_one("#parties", Line).say(
                [(" " + _("Call {id}").format(id=self._call) + "  ", "title"), (parties, "strong")]
            )
            return
        self.query_one("#parties", Line).say(parties_line(ladder, now, glyphs))
        began = ladder.started_at.astimezone(self.console_app.zone)
        self.query_one("#quality", Line).say(
            quality_line(ladder, glyphs), [(_("began {time}").format(time=f"{began:%H:%M:%S}") + " ", "quiet")]
        )
        arrows.tell(ladder.legs, self._messages)
        arrows.count(ladder.total)
        audio = self.query_one("#audio", LiveList)
        audio.styles.height = 3 + min(max(2, len(ladder.legs)), 6)
        audio.show(tuple(audio_row(place, leg) for place, leg in enumerate(ladder.legs)))
        self._read()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "release" and (self._ladder is None or self._ladder.ended_at is not None):
            return False
        if action in ("supervise", "record") and (self._live_call is None or not self._is_answered):
            return False
        if action in ("compare", "save_capture") and not self._messages:
            return False
        return super().check_action(action, parameters)

    def on_live_list_moved(self, event: LiveList.Moved) -> None:
        self._read()

    def on_live_list_opened(self, event: LiveList.Opened) -> None:
        if event.source.id == "ladder":
            self._go_to("message")

    def action_next_panel(self, steps: int) -> None:
        """Walk the panels; on a narrow terminal the message takes the ladder's place while it is read."""
        here = next((place for place, name in enumerate(_PANELS) if self.query_one(f"#{name}").has_focus), 0)
        self._go_to(_PANELS[(here + steps) % len(_PANELS)])

    def action_back(self) -> None:
        if self._arrows.marked is not None:
            self.action_compare()
        elif self.has_class("-narrow") and self.has_class("-reading"):
            self._go_to("ladder")
        else:
            self.dismiss()

    def action_compare(self) -> None:
        """Mark the message under the cursor, so that others are shown as they differ from it; or end that."""
        arrows = self._arrows
        if arrows.marked is not None:
            arrows.mark(None)
        elif arrows.cursor is not None:
            arrows.mark(arrows.cursor)
            self.say(_("marked: move to another message to see how they differ; Esc ends it"))
        self._read()

    async def action_save_capture(self) -> None:
        try:
            path = await self.console_app.ask(SaveLadder(self._call))
        except RefusedError as error:
            self.say(refusal_text(error), is_refusal=True)
        else:
            self.say(plural("{n} message saved in ", "{n} messages saved in ", len(self._messages)) + path)

    def action_release(self) -> None:
        if (call := self._live_call) is not None:
            ask_release(self.console_app, call)

    def action_supervise(self, deed: str) -> None:
        if (call := self._live_call) is not None:
            supervise(self.console_app, call, Deed(deed))

    def action_record(self) -> None:
        if (call := self._live_call) is not None:
            record(self.console_app, call)

    @property
    def _live_call(self) -> CallView | None:
        return next((call for call in self.console_app.view.calls if call.id == self._call), None)

    @property
    def _is_answered(self) -> bool:
        call = self._live_call
        return call is not None and call.state in (CallState.TALKING, CallState.HELD, CallState.CONFERENCE)

    @property
    def _arrows(self) -> ArrowList:
        return self.query_one("#ladder", ArrowList)

    def _go_to(self, panel: str) -> None:
        self.set_class(panel == "message", "-reading")
        self.query_one(f"#{panel}").focus()

    def _message(self, key: str | None) -> LadderMessage | None:
        return next((message for message in self._messages if str(message.number) == key), None)

    def _read(self) -> None:
        """Show the message under the cursor, or how it differs from the marked one."""
        pane, arrows = self.query_one("#message", TextPane), self._arrows
        message = self._message(arrows.cursor)
        if message is None:
            pane.border_title = _("Message")
            pane.read(())
            return
        at = message.at.astimezone(self.console_app.zone)
        time = f"{at:%H:%M:%S}.{at.microsecond // 1000:03}"
        marked = self._message(arrows.marked)
        if marked is None:
            pane.border_title = Content(message_title(message, time))
            pane.read(message_lines(message))
        else:
            title = _("- {one}   + {other}").format(one=f"#{marked.number + 1}", other=f"#{message.number + 1}")
            pane.border_title = Content(f"{title}   {time}")
            pane.read(difference(marked, message))

    async def _ask(self) -> None:
        """Fetch the newest figures and the messages that came since."""
        app = self.console_app
        try:
            ladder: Ladder = await app.ask(ReadLadder(self._call, last_place(self._messages)))
        except RefusedError as error:
            self._refusal = refusal_text(error)
            self._is_complete = isinstance(error, NotFoundError)
            if self._is_complete and self._ladder is not None:
                self.say(self._refusal, is_refusal=True)
        else:
            was_live = self._ladder is not None and self._ladder.ended_at is None
            self._ladder, self._refusal = ladder, ""
            self._messages += ladder.messages
            is_late = ladder.ended_at is not None and (app.now - ladder.ended_at).total_seconds() > _LATE_S
            self._is_complete = is_late and last_place(self._messages) >= ladder.total
            if was_live is not (ladder.ended_at is None) or ladder.messages:
                self.refresh_bindings()
        self.draw_now()
        self._is_asking = False
