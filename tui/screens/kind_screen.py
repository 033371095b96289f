"""A screen of lists: one kind of thing at a time, added, changed, removed and brought back by the same keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget

from engine.core.errors import RefusedError
from engine.core.views import OfficeView
from engine.desk.commands import Command
from tui.keys import KIND_LIST, LISTS, NUMBERED, SCREENS, bindings
from tui.kind import Kind
from tui.refusals import refusal_text
from tui.screens.base import OfficeScreen
from tui.screens.entity_form import EntityForm
from tui.screens.question import Question
from tui.texts import _, plural
from tui.widgets.live_list import LiveList, Row
from tui.widgets.text_pane import TextPane
from tui.wording import clean

REFUSED = object()
"""What ``do`` returns for a command that was refused and said so."""
LOOK_AGAIN_S = 5
"""Counts go on, schedules begin, others change what is listed."""


@dataclass(frozen=True, slots=True)
class _Undo:
    """What ``u`` takes back: an item as it was before it was changed or removed."""

    kind: Kind
    before: Any
    is_removal: bool


class KindScreen(OfficeScreen, inherit_bindings=False):
    """Lists of things; subclasses name the kinds in ``KINDS``."""

    BINDINGS = bindings(KIND_LIST, NUMBERED, LISTS, SCREENS)
    KINDS: ClassVar[tuple[Kind, ...]] = ()
    has_lamps = False
    look_again_s = LOOK_AGAIN_S

    def __init__(self) -> None:
        super().__init__()
        self._at = 0
        self._items: tuple[Any, ...] = ()
        self._by_key: dict[str, Any] = {}
        """The items by the keys of their rows: of twins each has its own."""
        self._refusal = ""
        self._is_loaded = False
        self._wanted = ""
        self._loaded_at: int | None = None
        self._undo: _Undo | None = None

    @property
    def kind(self) -> Kind:
        """What is listed now."""
        return self.KINDS[self._at]

    def list_title(self) -> str:
        """What stands in the frame of the list."""
        return _(self.kind.title)

    async def load_more(self) -> None:
        """Ask for what this screen shows beside its list; raises ``RefusedError``."""

    def compose_panels(self) -> Iterable[Widget]:
        for place, kind in enumerate(self.KINDS):
            listed = LiveList(
                kind.columns,
                id=f"kind-{place}",
                has_titles=True,
                goes_to_neighbour=True,
                glyphs=self.console_app.glyphs,
            )
            listed.border_title = _(kind.title)
            listed.display = place == self._at
            yield listed
        with Horizontal(id="below") as below:
            below.display = False
            yield TextPane(id="detail")
            yield from self.compose_beside()

    def compose_beside(self) -> Iterable[Widget]:
        """What stands below the list, beside what is known of the item under the cursor."""
        return ()

    def found_text(self) -> str:
        return plural("{n} line", "{n} lines", len(self._list.rows))

    def search_changed(self) -> None:
        self.draw_now()
        if self.search:  # who shows all again stays on what the search found
            self._list.point_first()

    def draw_panels(self, view: OfficeView, now: datetime) -> None:
        second = int(now.timestamp()) // self.look_again_s
        if second != self._loaded_at:
            self._loaded_at = second
            self.run_worker(self._load())
        listed, kind = self._list, self.kind
        listed.border_title = Content(clean(self.list_title()))
        listed.empty_text = self._empty_text()
        found = [(key, item) for key, item in self._by_key.items() if _finds(kind, item, self.search)]
        listed.show(tuple(self._row(key, item) for key, item in found))
        listed.count(len(self._items), is_searched=bool(self.search))
        if self._wanted and any(row.key == self._wanted for row in listed.rows):
            wanted, self._wanted = self._wanted, ""
            listed.point(wanted)
        self._draw_detail()

    def look_at(self, key: str) -> None:
        self._wanted = key

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "undo":
            return self._undo is not None and self.console_app.may(self._undo.kind.needs)
        if action in ("new", "edit", "remove"):
            if not self.console_app.may(self.kind.needs) or not self._has_panels:
                return False
            if action == "new":
                return not self.kind.is_fixed
            has_edit = action == "remove" or not self.kind.is_fixed
            return has_edit and bool(self._list.rows)
        if action == "next_list":
            return len(self.KINDS) > 1
        return super().check_action(action, parameters)

    def on_screen_resume(self) -> None:
        self._loaded_at = None
        super().on_screen_resume()

    def on_live_list_moved(self) -> None:
        self._draw_detail()
        self.refresh_bindings()

    async def on_live_list_opened(self, event: LiveList.Opened) -> None:
        await self.open_item(event.key)

    async def open_item(self, key: str) -> None:
        """Enter on a line: its form, for who may change it."""
        if self.check_action("edit", ()):
            await self.action_edit()

    def action_next_list(self, steps: int) -> None:
        self._list.display = False
        self._at = (self._at + steps) % len(self.KINDS)
        self._take(())
        self._is_loaded, self._loaded_at = False, None
        self._list.display = True
        self._list.focus()
        self.action_clear_filter()
        self.draw_now()
        self.refresh_bindings()

    async def action_new(self) -> None:
        self.open_form(self.kind, None)

    async def action_edit(self) -> None:
        if (item := self.chosen()) is not None:
            self.open_form(self.kind, item)

    def action_remove(self) -> None:
        item, kind = self.chosen(), self.kind
        if item is None:
            return

        async def remove(is_sure: bool | None) -> None:
            if is_sure and await self.do(kind.remove(item)) is not REFUSED:
                self._remember(kind, item, is_removal=True)
                self.console_app.say(_("{name} removed").format(name=kind.name(item)) + self._undo_hint())
                await self._load()

        text = _(kind.remove_text) if kind.remove_text else ""
        self.app.push_screen(Question(_("Remove it?"), f"{kind.name(item)}\n\n{text}".rstrip(), kind.needs), remove)

    async def action_undo(self) -> None:
        """Make it again what it was before the last change that was made here."""
        undo, self._undo = self._undo, None
        if undo is None:
            return
        kind, name = undo.kind, undo.kind.name(undo.before)
        if undo.is_removal:
            command = self.restoring(kind, undo.before)
        else:
            key = kind.key(undo.before)
            current = next((item for item in self._items if kind.key(item) == key), undo.before)
            command = kind.save(kind.values(undo.before), current)
        if command is not None and await self.do(command) is not REFUSED:
            self.console_app.say(_("{name} is as it was before").format(name=name))
            await self._load()
        self.refresh_bindings()

    def restoring(self, kind: Kind, item: Any) -> Command | None:
        """What brings back an item that was removed; ``None`` when nothing can."""
        return kind.restore(item)

    def open_form(self, kind: Kind, item: Any) -> None:
        """Let ``item`` be changed, or with ``None`` something be added."""

        async def saved(is_saved: bool | None) -> None:
            if is_saved:
                if item is not None:
                    self._remember(kind, item, is_removal=False)
                await self._load()

        self.app.push_screen(EntityForm(kind, item), saved)

    def chosen(self) -> Any:
        """The item under the cursor; without one that is said, and ``None`` comes back."""
        item = self._under_cursor()
        if item is None:
            self.console_app.say(_("choose a line first"), is_refusal=True)
        return item

    async def do(self, command: Command) -> object:
        """Ask the office; a refusal is said, and ``REFUSED`` comes back."""
        try:
            return await self.console_app.ask(command)
        except RefusedError as error:
            self.console_app.say(refusal_text(error), is_refusal=True)
            return REFUSED

    @property
    def _list(self) -> LiveList:
        return self.query_one(f"#kind-{self._at}", LiveList)

    def _empty_text(self) -> str:
        if self._refusal or not self._is_loaded:
            return self._refusal
        if self.search:
            return _("nothing found; Esc shows all again")
        kind = self.kind
        can_add = self.console_app.may(kind.needs) and not kind.is_fixed
        return _(kind.empty) + ("\n" + _("n adds the first one") if can_add else "")

    def _under_cursor(self) -> Any:
        return self._by_key.get(self._list.cursor or "")

    def _draw_detail(self) -> None:
        pane, item = self.query_one("#detail", TextPane), self._under_cursor()
        lines = self.kind.detail(item) if item is not None else ()
        self.query_one("#below").display = self.kind.has_detail
        title = self.kind.name(item) if item is not None else _(self.kind.title)
        pane.border_title = Content(clean(title))  # strangers say of themselves what they like: it is no markup
        pane.read(lines)

    def _remember(self, kind: Kind, before: Any, *, is_removal: bool) -> None:
        can_return = not is_removal or self.restoring(kind, before) is not None
        self._undo = _Undo(kind, before, is_removal) if can_return else None
        self.refresh_bindings()

    def _undo_hint(self) -> str:
        return "   " + _("u brings it back") if self._undo is not None else ""

    async def _load(self) -> None:
        kind = self.kind
        try:
            items = await self.console_app.ask(kind.listed())
            await self.load_more()
        except RefusedError as error:
            self._refusal = f"{self.console_app.glyphs.refused} {refusal_text(error)}"
        else:
            if kind is not self.kind:
                return
            self._take(items)
            self._refusal, self._is_loaded = "", True
        self.draw_now()
        self.refresh_bindings()

    def _take(self, items: tuple[Any, ...]) -> None:
        """List these from now on; of twins the later ones of the list come first."""
        self._items = items
        seen: dict[str, int] = {}
        keyed = []
        for item in reversed(items):
            key = self.kind.key(item)
            seen[key] = count = seen.get(key, 0) + 1
            keyed.append((key if count == 1 else f"{key} #{count}", item))
        self._by_key = dict(reversed(keyed))

    def _row(self, key: str, item: Any) -> Row:
        first, *others = self.kind.cells(item)
        inks = self.kind.inks(item)
        return Row(
            key,
            (
                (first, inks.get(0, "strong")),
                *((text or "–", inks.get(place, "text")) for place, text in enumerate(others, 1)),
            ),
        )


def _finds(kind: Kind, item: Any, search: str) -> bool:
    words = search.casefold().split()
    if not words:
        return True
    cells = [cell.casefold() for cell in kind.cells(item)]
    return all(any(word in cell for cell in cells) for word in words)
