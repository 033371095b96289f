"""The key map of one operator: every key that can be moved, and what it collides with where it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.store.configuration import Role
from tui.keys import FIXED, KEY_MAP, MOVES, PAGES, Key, bindings, face_of, why_not
from tui.texts import N_, _
from tui.widgets.columns import Column
from tui.widgets.lines import KeyBar, Line
from tui.widgets.live_list import LiveList, Row

if TYPE_CHECKING:
    from tui.console import FrontdeskConsole

_COLUMNS = (
    Column(18, usual=24, grow=2, most=40, title=N_("What")),
    Column(8, title=N_("Key")),
    Column(10, title=N_("As shipped")),
    Column(16, grow=3, most=60, title=N_("Where"), drop=1),
)


class _KeyList(LiveList, inherit_bindings=False):
    """Enter changes a key; the dialog has it."""

    BINDINGS = bindings(MOVES)


class KeyMapDialog(ModalScreen[None]):
    """Lists what can be moved; every change counts at once and is kept for this login."""

    needs = Role.VIEWER
    BINDINGS = bindings(KEY_MAP)

    @property
    def console_app(self) -> FrontdeskConsole:
        return cast("FrontdeskConsole", self.app)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide") as frame:
            frame.border_title = _("Your keys")
            yield _KeyList(_COLUMNS, id="key-map", has_titles=True, glyphs=self.console_app.glyphs)
            yield Line(id="told")
            yield KeyBar()

    def on_mount(self) -> None:
        if self.children:
            self._draw()

    def action_close(self) -> None:
        self.dismiss()

    def action_open(self) -> None:
        key = self._chosen()
        if key is None:
            return

        def take(chosen: str | None) -> None:
            if chosen is not None:
                self._move(key, chosen)

        self.app.push_screen(PressKey(_(key.says)), take)

    def action_forget(self) -> None:
        key = self._chosen()
        if key is not None:
            changed = self._changed()
            changed.pop(key.id, None)
            self.console_app.move_keys(changed)
            self._draw()
            self._tell("")

    def _move(self, key: Key, chosen: str) -> None:
        changed = self._changed()
        problem = why_not(key, chosen, changed)
        if problem is not None:
            self._tell(problem)
            return
        self.console_app.move_keys({**changed, key.id: chosen})
        self._draw()
        self._tell("")

    def _changed(self) -> dict[str, str]:
        app = self.console_app
        return dict(app.preferences.of(app.asker.name).keys)

    def _chosen(self) -> Key | None:
        cursor = self.query_one("#key-map", LiveList).cursor
        return next((key for key, _pages in _movable() if key.id == cursor), None)

    def _draw(self) -> None:
        changed = self._changed()
        rows = []
        for key, pages in _movable():
            now = face_of(changed[key.id]) if key.id in changed else key.face
            where = ", ".join(_(page) for page in pages[:3]) + ("…" if len(pages) > 3 else "")
            ink = "key" if key.id in changed else "text"
            rows.append(Row(key.id, ((_(key.says), "text"), (now, ink), (key.face, "quiet"), (where, "quiet"))))
        self.query_one("#key-map", LiveList).show(tuple(rows))

    def _tell(self, problem: str) -> None:
        sign = self.console_app.glyphs.refused
        self.query_one("#told", Line).say([(f"{sign} {problem}", "alarm")] if problem else [])


class PressKey(ModalScreen[str | None]):
    """Waits for one key; Esc is none."""

    needs = Role.VIEWER

    def __init__(self, says: str) -> None:
        super().__init__()
        self._says = says

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as frame:
            frame.border_title = self._says
            yield Static(Content(_("Press the new key. Esc leaves it as it is.")))

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        self.dismiss(None if event.key == "escape" else event.key)


def _movable() -> Iterator[tuple[Key, list[str]]]:
    """Every key that can be moved, once, with the pages it is on."""
    found: dict[str, tuple[Key, list[str]]] = {}
    for page, groups in PAGES.items():
        for key in (key for group in groups for key in group):
            if key.key not in FIXED:
                found.setdefault(key.id, (key, []))[1].append(page)
    yield from found.values()
