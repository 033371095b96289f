"""What the console's main screens share: the lines around the panels, the filter and the roles."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import Screen
from textual.widget import Widget

from engine.core.views import OfficeView
from engine.store.configuration import Role
from tui.keys import LISTS, SCREENS, bindings, role_for
from tui.refusals import translated
from tui.texts import N_, _, plural
from tui.trunk_words import lines_in_brief, needs_a_hand
from tui.widgets.lines import KeyBar, Line, Part
from tui.wording import clock_text, health_text, loop_text

if TYPE_CHECKING:
    from tui.console import FrontdeskConsole

WIDE_FROM = 120
"""Columns from which panels stand side by side: with fewer, names and audio quality would be cut."""
TALL_FROM = 20
"""Lines from which there is room for more than calls and people."""
SMALLEST = (60, 15)
"""Columns and lines below which too much is cut for work."""
NOTICE_S = 8.0
SLOW_LOOP_MS = 20.0
"""An engine that is later than this for one turn in a hundred is later than the next packet of a call."""


class OfficeScreen(Screen[None], inherit_bindings=False):
    """A main screen: subclasses bring the panels and draw them from the view."""

    BINDINGS = bindings(LISTS, SCREENS)
    help_text = N_("On the Switchboard letters and digits search at once.")
    """What the help page says beside the keys."""
    has_lamps = True
    """Whether the help page explains the lamps."""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE_FROM, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (TALL_FROM, "-tall")]  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.search = ""
        self.is_filtering = False
        self._notice: tuple[str, bool] | None = None
        self._notice_until: datetime | None = None
        self._drawn: tuple[int, int] | None = None
        self._has_panels = False

    @property
    def console_app(self) -> FrontdeskConsole:
        return cast("FrontdeskConsole", self.app)

    def compose(self) -> ComposeResult:
        yield Line(id="office")
        with Container(id="panels"):
            yield from self.compose_panels()
        yield Line(id="notice")
        yield Line(id="health")
        yield KeyBar(id="keys")

    def compose_panels(self) -> Iterable[Widget]:
        """The widgets between the lines."""
        return ()

    def draw_panels(self, view: OfficeView, now: datetime) -> None:
        """Show this picture of the office in the panels."""

    def starts_search(self, character: str) -> bool:
        """Whether typing this character searches at once."""
        return False

    def search_changed(self) -> None:
        """The text searched for is another one."""

    def found_text(self) -> str:
        """How much the search finds, in words."""
        return ""

    def standing_text(self, now: datetime) -> list[Part]:
        """What stands in the notice line while there is nothing else to say."""
        return []

    def beside_search(self, now: datetime) -> list[Part]:
        """What must be seen while a search is typed, too."""
        return []

    def office_parts(self, view: OfficeView) -> list[Part]:
        """More of the office for its line."""
        return []

    def look_at(self, key: str) -> None:
        """``key`` was just made or changed: bring the cursor there."""

    def draw(self, view: OfficeView, now: datetime) -> None:
        """Show the newest picture; costs nothing when neither the office nor the second has changed."""
        mark = (view.revision, int(now.timestamp()))
        if mark == self._drawn or not self._can_draw:
            return
        self._drawn = mark
        self._draw_lines(view, now)
        self.draw_panels(view, now)

    def draw_now(self) -> None:
        """Show the newest picture whatever was drawn before."""
        self._drawn = None
        app = self.console_app
        self.draw(app.view, app.now)

    def say(self, text: str, *, is_refusal: bool = False) -> None:
        self._notice = (text, is_refusal)
        self._notice_until = self.console_app.now + timedelta(seconds=NOTICE_S * (2 if is_refusal else 1))
        self._draw_notice(self.console_app.now)

    @property
    def _can_draw(self) -> bool:
        """Whether the panels are there: an answer of the office may come after the screen was left."""
        return self._has_panels and self.display

    def on_mount(self) -> None:
        self._has_panels = bool(self.children)  # none when the console was left while this opened
        self.draw_now()

    def on_unmount(self) -> None:
        self._has_panels = False

    def on_screen_resume(self) -> None:
        self.draw_now()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "clear_filter":
            return bool(self.search or self.is_filtering)
        return self.console_app.may(role_for(action))

    def action_filter(self) -> None:
        self.is_filtering = True
        self._search_for(self.search)

    def action_clear_filter(self) -> None:
        self.is_filtering = False
        self._search_for("")

    def action_next_screen(self, steps: int) -> None:
        self.console_app.action_next_screen(steps)

    def on_key(self, event: events.Key) -> None:
        if event.key == "backspace" and (self.search or self.is_filtering):
            event.stop()
            self._search_for(self.search[:-1])
            return
        character = event.character
        if character is None or not character.isprintable():
            return
        if self.is_filtering or (self.search and character == " ") or self.starts_search(character):
            event.stop()
            event.prevent_default()
            self._search_for(self.search + character)

    def on_paste(self, event: events.Paste) -> None:
        text = "".join(char for char in event.text[:64] if char.isprintable())
        if text and (self.is_filtering or self.starts_search(text[0])):
            event.stop()
            self._search_for(self.search + text)

    def hush(self) -> None:
        """What was said last is over."""
        self._notice = self._notice_until = None

    def hush_good_news(self) -> None:
        """The same, unless something was refused."""
        if self._notice is not None and not self._notice[1]:
            self.hush()

    def _search_for(self, text: str) -> None:
        if text:
            self.hush()
        self.search = text[:64]
        self.refresh_bindings()
        self.search_changed()
        self._draw_notice(self.console_app.now)

    def _draw_lines(self, view: OfficeView, now: datetime) -> None:
        app, glyphs = self.console_app, self.console_app.glyphs
        office = view.office_name if view.office_name != "Frontdesk" else ""
        registered = sum(person.devices > 0 for person in view.people)
        counts: list[Part] = [
            (f"{glyphs.calls} ", "lamp-busy" if view.calls else "lamp-off"),
            (plural("{n} call", "{n} calls", len(view.calls)) + "   ", "text"),
            (f"{glyphs.phones} ", "lamp-idle" if registered else "lamp-off"),
            (_("{n}/{m} phones").format(n=registered, m=len(view.people)), "text"),
        ]
        counts += self.office_parts(view)
        if view.health.warnings:
            counts += [("   ", "text"), (f"{glyphs.warning} {len(view.health.warnings)}", "alarm")]
        left: list[Part] = [(" Frontdesk", "title"), (f"  {office}    ", "strong"), *counts]
        right: list[Part] = [
            (f"{app.asker.name} ", "quiet"),
            (f"{glyphs.cursor} ", "quiet"),
            (clock_text(now, app.zone), "text"),
            (" ", "text"),
        ]
        lines = [lines_in_brief(view.trunks, glyphs, is_short=is_short) for is_short in (False, True)]
        self.query_one("#office", Line).say(
            left,
            right,
            [[("   ", "text"), *parts] for parts in lines if parts],
            is_urgent=any(needs_a_hand(trunk) for trunk in view.trunks),
        )
        health: list[Part] = [(" ", "text")]
        health += [(f"{glyphs.warning} {translated(warning)}   ", "alarm") for warning in view.health.warnings]
        is_slow = view.health.loop_delay_p99_ms >= SLOW_LOOP_MS
        if is_slow:
            slow = _("engine slow")
            health.append((f"{glyphs.warning} {slow}   {loop_text(view.health)}   ", "alarm"))
        elif not view.health.warnings:
            health += [(f"{glyphs.fine} ", "good"), (_("engine well") + "   ", "text")]
        if app.may(Role.ADMIN):
            health.append((health_text(view.health, has_loop=not is_slow), "quiet"))
        self.query_one("#health", Line).say(health)
        self._draw_notice(now)

    def _draw_notice(self, now: datetime) -> None:
        if not self._can_draw:
            return
        line = self.query_one("#notice", Line)
        if self._notice_until is not None and now >= self._notice_until:
            self._notice = self._notice_until = None
        glyphs = self.console_app.glyphs
        if self._notice is not None:
            text, is_refusal = self._notice
            sign, ink = (glyphs.refused, "alarm") if is_refusal else (glyphs.fine, "good")
            line.say([(f" {sign} ", ink), (text, "strong" if is_refusal else "text")])
        elif self.search or self.is_filtering:
            word = _("filter") if self.is_filtering else _("search")
            line.say(
                [
                    (f" {word}: ", "key"),
                    (f"{self.search}▏ ", "strong"),
                    (self.found_text(), "quiet"),
                ],
                [*self.beside_search(now), ("Esc ", "key"), (_("show all again") + " ", "quiet")],
            )
        elif self.size.width < SMALLEST[0] or self.size.height < SMALLEST[1]:
            line.say([(_("too small: use {size}").format(size="80×24"), "alarm")])
        else:
            line.say(self.standing_text(now))
