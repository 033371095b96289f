"""The console: one Textual App for one operator at one terminal."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Any, TextIO

from rich.console import Console, RenderableType
from textual.app import App, SystemCommand
from textual.command import CommandPalette
from textual.filter import ANSIToTruecolor, Monochrome
from textual.screen import Screen

from engine.core.clock import Clock
from engine.core.errors import RefusedError
from engine.core.ids import CallId
from engine.core.views import OfficeView
from engine.desk.commands import Command
from engine.pbx.rights import Asker, has_role
from engine.store.configuration import Role
from tui.door import DeskDoor
from tui.driver import ChannelDriver, Terminal
from tui.keys import EVERYWHERE, bindings
from tui.preferences import Preferences
from tui.screens.audit import AuditScreen
from tui.screens.base import OfficeScreen
from tui.screens.calls import CallsScreen
from tui.screens.dialling import DiallingScreen
from tui.screens.emergency import EmergencyBanner
from tui.screens.extension_form import add_extension
from tui.screens.extensions import ExtensionsScreen
from tui.screens.groups import GroupsScreen
from tui.screens.help import HelpScreen
from tui.screens.key_map import KeyMapDialog
from tui.screens.log import LogScreen
from tui.screens.operators import OperatorsScreen
from tui.screens.screening import ScreeningScreen
from tui.screens.services import ServicesScreen
from tui.screens.switchboard import SwitchboardScreen
from tui.screens.system import SystemScreen
from tui.screens.trunks import TrunksScreen
from tui.screens.try_number import TryNumber
from tui.texts import LANGUAGES, N_, Tongue, _, language_of, speak
from tui.theme import CONTRAST, DARK, LIGHT, THEMES, theme_for
from tui.widgets.lines import KeyBar
from tui.wording import PLAIN_GLYPHS, RICH_GLYPHS, clean

log = logging.getLogger(__name__)

REDRAW_S = 0.25
COMMAND_WAIT_S = 15.0

_SCREENS: dict[str, type[OfficeScreen]] = {
    "switchboard": SwitchboardScreen,
    "extensions": ExtensionsScreen,
    "trunks": TrunksScreen,
    "dialling": DiallingScreen,
    "groups": GroupsScreen,
    "services": ServicesScreen,
    "calls": CallsScreen,
    "screening": ScreeningScreen,
    "operators": OperatorsScreen,
    "system": SystemScreen,
    "log": LogScreen,
    "audit": AuditScreen,
}
"""The screens in the order Ctrl+→ walks them."""
_TITLES = {
    "switchboard": (N_("Switchboard"), N_("calls, people and phones")),
    "extensions": (N_("Extensions"), N_("the numbers of the office")),
    "trunks": (N_("Trunks"), N_("the outside lines and what they carry")),
    "dialling": (N_("Dialling"), N_("where calls go")),
    "groups": (N_("Groups"), N_("extensions that ring together or answer for each other")),
    "services": (N_("Services"), N_("what Lua does with calls, and what leads to it")),
    "calls": (N_("Call history"), N_("the calls that were, and calling back")),
    "screening": (N_("Screening"), N_("which callers and addresses are let in")),
    "operators": (N_("Operators"), N_("who may log in to the console, and as what")),
    "system": (N_("System"), N_("how engine and machine fare, alarms, backups")),
    "log": (N_("Log"), N_("what the engine says, line by line")),
    "audit": (N_("Audit"), N_("who did what, and what was refused")),
}
"""What the palette says of each."""


class FrontdeskConsole(App[None], inherit_bindings=False):
    """Shows the office to ``asker``; leaving it, or losing it, leaves the office alone."""

    TITLE = "Frontdesk"
    CSS_PATH = "theme.tcss"
    BINDINGS = bindings(EVERYWHERE)
    ALLOW_SELECT = False
    ENABLE_COMMAND_PALETTE = True
    NOTIFICATION_TIMEOUT = 6

    def __init__(
        self,
        desk: DeskDoor,
        asker: Asker,
        clock: Clock,
        *,
        terminal: Terminal | None = None,
        prints: tuple[TextIO, TextIO] | None = None,
        zone: tzinfo | None = None,
        language: str | None = None,
        preferences: Preferences | None = None,
    ) -> None:
        super().__init__(driver_class=ChannelDriver if terminal else None)
        self.desk = desk
        self.asker = asker
        self.terminal = terminal
        self.zone = zone
        self.has_failed = False
        self.farewell = ""
        self.preferences = preferences or Preferences(None)
        chosen = self.preferences.of(asker.name)
        asked = language_of(terminal.environment if terminal else {})
        self.tongue = Tongue(language or chosen.language or asked, zone)
        self.glyphs = PLAIN_GLYPHS if terminal and terminal.term.startswith(("linux", "vt")) else RICH_GLYPHS
        self._window_title = "Frontdesk"
        self._seen: set[CallId] = set()
        """The emergency calls that this operator has acknowledged."""
        self._clock = clock
        if prints is not None:
            self._capture_stdout, self._capture_stderr = prints  # type: ignore[assignment]
        self.animation_level = "none"
        # Every colour of ours is a true one already; converting each line again costs a tenth of a frame.
        self._filters = [kept for kept in self._filters if not isinstance(kept, ANSIToTruecolor)]
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DARK
        if terminal is not None:
            self._suit(terminal)
        if chosen.theme and self.theme != CONTRAST:
            self.theme = chosen.theme
        self.set_class(self.glyphs is PLAIN_GLYPHS, "-plain")
        self.set_keymap(dict(chosen.keys))

    @property
    def view(self) -> OfficeView:
        """The office as it is now."""
        return self.desk.view

    @property
    def now(self) -> datetime:
        return self._clock.wall()

    def may(self, role: Role) -> bool:
        """Whether this operator's role includes ``role``."""
        return has_role(self.asker, role)

    async def ask(self, command: Command) -> Any:
        """Ask the office and wait for its answer; raises ``RefusedError`` with a text for the operator."""
        try:
            answer = asyncio.wrap_future(self.desk.submit(self.asker, command))
            return await asyncio.wait_for(answer, COMMAND_WAIT_S)
        except RefusedError:
            raise
        except TimeoutError:
            raise RefusedError(
                _("the office did not answer"), _("see whether it was done before trying again")
            ) from None
        except Exception:
            log.exception("a command from the console of %s failed", self.asker.name)
            raise RefusedError(_("the office could not do that"), _("its log says why")) from None

    def say(self, text: str, *, is_refusal: bool = False) -> None:
        """Tell the operator the result of what was asked, at once."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, OfficeScreen):
                screen.say(text, is_refusal=is_refusal)
                return

    def tell_title(self, text: str) -> None:
        """What the terminal's window is called; told when it changes."""
        title = f"{text} · Frontdesk" if text else "Frontdesk"
        driver = self._driver
        if title != self._window_title and isinstance(driver, ChannelDriver):
            self._window_title = title
            driver.set_title(clean(title))

    def look_at(self, key: str) -> None:
        """Bring the cursor of the screen below to what was just made or changed."""
        for screen in self.screen_stack:
            if isinstance(screen, OfficeScreen):
                screen.look_at(key)

    def draw_screens(self) -> None:
        """Show the office as it is now; costs nothing when nothing has changed."""
        if not self._is_welcome():
            return
        view, now = self.view, self.now
        for screen in self.screen_stack:
            if isinstance(screen, OfficeScreen):
                screen.draw(view, now)
        self._show_emergency(view)

    def acknowledge(self, call: CallId) -> None:
        """This operator has seen the emergency call."""
        self._seen.add(call)

    def _show_emergency(self, view: OfficeView) -> None:
        """The banner of an emergency call that nobody here has seen, over whatever is shown."""
        if any(isinstance(screen, EmergencyBanner) for screen in self.screen_stack):
            return
        live = [call for call in view.calls if call.is_emergency]
        self._seen &= {call.id for call in live}
        unseen = next((call for call in live if call.id not in self._seen), None)
        if unseen is not None:
            self.push_screen(EmergencyBanner(unseen))

    async def run_session(self) -> None:
        """Run until the operator leaves or the terminal is gone; never raises but for cancellation."""
        try:
            await self.run_async(size=self.terminal.size if self.terminal else None)
        except Exception:
            self.has_failed = True
            log.exception("the console of %s failed", self.asker.name)
        if self.farewell and self.terminal is not None:
            self.terminal.wire.write(f"{self.farewell}\r\n".encode())

    def on_load(self) -> None:
        speak(self.tongue)

    def on_mount(self) -> None:
        self.push_screen(SwitchboardScreen())
        self.set_interval(REDRAW_S, self.draw_screens)

    def on_live_list_nothing_chosen(self) -> None:
        self.say(_("choose a line first"), is_refusal=True)

    def on_key_bar_idle(self, event: KeyBar.Idle) -> None:
        self.say(_("{key} has nothing to act on at the moment").format(key=event.face), is_refusal=True)

    def action_leave(self) -> None:
        self.exit()

    def action_explain_leaving(self) -> None:
        self.say(_("Ctrl+Q leaves the console; the office goes on."))

    def action_help(self) -> None:
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def action_command_palette(self) -> None:
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(CommandPalette(placeholder=_("What would you like to do?")))

    def action_show_screen(self, name: str) -> None:
        """Show one of the screens; whatever stood over the last one is closed."""
        base = self.screen_stack[1]
        if isinstance(base, _SCREENS[name]) and self.screen is base:
            return
        while len(self.screen_stack) > 2:
            self.pop_screen()
        self.switch_screen(_SCREENS[name]())

    def action_next_screen(self, steps: int) -> None:
        names = list(_SCREENS)
        here = [isinstance(self.screen, kind) for kind in _SCREENS.values()].index(True)
        self.action_show_screen(names[(here + steps) % len(names)])

    def set_language(self, language: str) -> None:
        """Speak this language from now on, and the next time this operator logs in."""
        self.tongue.language = language
        self.preferences.choose(self.asker.name, language=language)
        self.call_later(self._start_screen_anew)

    def set_theme(self, name: str) -> None:
        """Show these colours from now on, and the next time this operator logs in."""
        self.theme = name
        self.preferences.choose(self.asker.name, theme=name)

    def move_keys(self, keys: Mapping[str, str]) -> None:
        """Use these keys from now on, and the next time this operator logs in."""
        self.preferences.choose(self.asker.name, keys=keys)
        self.set_keymap(dict(keys))
        for screen in self.screen_stack:
            screen.refresh_bindings()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        for name, (title, says) in _TITLES.items():
            yield SystemCommand(_(title), _(says), lambda name=name: self.action_show_screen(name))
        yield SystemCommand(
            _("Try a number"), _("where a call would go, step by step"), lambda: self.push_screen(TryNumber())
        )
        if self.may(Role.ADMIN):
            yield SystemCommand(
                _("New extension"), _("add a number and see what to type into its phone"), self._new_extension
            )
        yield SystemCommand(_("Help"), _("the keys of this screen"), self.action_help)
        yield SystemCommand(
            _("Keys"), _("other keys for what you do often"), lambda: self.push_screen(KeyMapDialog())
        )
        for name, says in ((DARK, _("Dark colours")), (LIGHT, _("Light colours")), (CONTRAST, _("High contrast"))):
            if name != self.theme:
                yield SystemCommand(says, _("how the console looks"), lambda name=name: self.set_theme(name))
        for code, own_name in LANGUAGES.items():
            if code != self.tongue.language:
                yield SystemCommand(
                    own_name, _("the console's language"), lambda code=code: self.set_language(code)
                )
        yield SystemCommand(_("Leave the console"), _("the office goes on"), self.action_leave)

    def panic(self, *renderables: RenderableType) -> None:
        self._fatal_error()

    def _fatal_error(self) -> None:
        # Textual would print the traceback with every local variable, passwords among them.
        if self._exit:
            # a terminal torn away while a screen opens: its widgets go before all of them have come
            log.debug("the console of %s was left while it drew", self.asker.name, exc_info=self._exception)
        elif not self.has_failed:
            self.has_failed = True
            log.error("the console of %s failed", self.asker.name, exc_info=self._exception)
        self._close_messages_no_wait()

    def _print_error_renderables(self) -> None:
        self._exit_renderables.clear()

    def _suit(self, terminal: Terminal) -> None:
        """Colours as this terminal has them, not as the engine's own environment says."""
        environment = {"TERM": terminal.term, **terminal.environment}
        is_monochrome = environment.pop("NO_COLOR", None) is not None
        self.console = Console(
            file=self.console.file, force_terminal=True, legacy_windows=False, markup=True, highlight=False,
            emoji=False, safe_box=False, soft_wrap=False, _environ=environment,
        )  # fmt: skip
        self.theme = theme_for(self.console.color_system)
        if is_monochrome and not self.no_color:
            self.no_color = True
            self._filters.append(Monochrome())

    def _is_welcome(self) -> bool:
        """Whether the login still exists; a role that has changed counts from here on."""
        current = self.desk.current(self.asker)
        if current is None:
            self.farewell = _("The login {name} has been removed; the office goes on.").format(name=self.asker.name)
            self.exit()
            return False
        before, self.asker = self.asker, current
        if current.role is not before.role:
            self._follow_role()
        return True

    def _follow_role(self) -> None:
        """Close what was made for the role before, and offer the keys of this one."""
        stack = self.screen_stack
        outdated = (place for place in range(2, len(stack)) if not self._may_stay(stack[place]))
        for _screen in stack[next(outdated, len(stack)) :]:
            self.pop_screen()
        for screen in self.screen_stack:
            if isinstance(screen, OfficeScreen):
                screen.draw_now()
            screen.refresh_bindings()
        self.say(_("your role is {role} now").format(role=self.asker.role))

    def _may_stay(self, screen: Screen[Any]) -> bool:
        """Dialogs say whom they are for; help and palette list what the role before could do."""
        needs = getattr(screen, "needs", None)
        return isinstance(needs, Role) and self.may(needs)

    async def _new_extension(self) -> None:
        self.action_show_screen("extensions")
        await add_extension(self)

    def _start_screen_anew(self) -> None:
        base = type(self.screen_stack[1])
        while len(self.screen_stack) > 2:
            self.pop_screen()
        if issubclass(base, OfficeScreen):
            self.switch_screen(base())
