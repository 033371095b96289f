"""Every key of the console on one page; screens, key bar, help and the conflict check are made from it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from textual.binding import Binding, BindingType

from engine.store.configuration import Role
from tui.texts import N_, _


@dataclass(frozen=True, slots=True)
class Key:
    """One key: ``key`` in Textual's words, ``face`` as printed on it, ``deed`` the action, ``says`` its text."""

    key: str
    face: str
    deed: str
    says: str
    in_bar: bool = True
    needs: Role = Role.VIEWER
    is_first: bool = False
    """Whether it acts before the widget with the focus has seen what was typed before it: what is typed after Tab
    must not end in the field before."""

    @property
    def id(self) -> str:
        """What an operator's own choice of keys names it by."""
        return f"{self.key}:{self.deed}"


SEARCH_CHARACTERS = "*#"
"""What starts a search on the Switchboard beside letters and digits; no Switchboard key may be one of these."""

EVERYWHERE = (
    Key("f1", "F1", "help", N_("help"), in_bar=False),
    Key("ctrl+p", "^P", "command_palette", N_("commands")),
    Key("ctrl+q", "^Q", "leave", N_("leave")),
    Key("ctrl+c", "^C", "explain_leaving", N_("how to leave"), in_bar=False),
)

SCREENS = (
    Key("ctrl+right", "^→", "next_screen(1)", N_("next screen")),
    Key("ctrl+left", "^←", "next_screen(-1)", N_("previous screen"), in_bar=False),
    Key("question_mark", "?", "app.help", N_("help")),
)

WHILE_TYPING = ("enter", "escape", "f1", "ctrl+q")
"""What the key bar offers while a filter is typed: every sign that can be typed is part of it then."""

LISTS = (
    Key("slash", "/", "filter", N_("filter")),
    Key("escape", "Esc", "clear_filter", N_("show all again"), in_bar=False),
    Key("tab", "Tab", "app.focus_next", N_("next panel"), in_bar=False),
    Key("shift+tab", "⇧Tab", "app.focus_previous", N_("previous panel"), in_bar=False),
)

MOVES = (
    Key("up", "↑", "move(-1)", N_("up"), in_bar=False),
    Key("down", "↓", "move(1)", N_("down"), in_bar=False),
    Key("left", "←", "move_across(-1)", N_("left"), in_bar=False),
    Key("right", "→", "move_across(1)", N_("right"), in_bar=False),
    Key("pageup", "PgUp", "move_page(-1)", N_("page up"), in_bar=False),
    Key("pagedown", "PgDn", "move_page(1)", N_("page down"), in_bar=False),
    Key("home", "Home", "move_end(-1)", N_("first"), in_bar=False),
    Key("end", "End", "move_end(1)", N_("last"), in_bar=False),
)
LIVE_LIST = (Key("enter", "Enter", "open", N_("open")), *MOVES)

SWITCHBOARD = (
    Key("minus", "−", "release", N_("release"), needs=Role.RECEPTIONIST),
    Key("space", "Space", "next_waiting", N_("next"), needs=Role.RECEPTIONIST),
    Key("plus", "+", "consult", N_("consult"), needs=Role.RECEPTIONIST),
    Key("f5", "F5", "park", N_("park"), needs=Role.RECEPTIONIST),
    Key("f6", "F6", "transfer", N_("transfer"), needs=Role.RECEPTIONIST),
    Key("f7", "F7", "barge_in", N_("barge-in"), needs=Role.RECEPTIONIST),
    Key("f9", "F9", "turn_night", N_("night"), needs=Role.RECEPTIONIST),
    Key("U", "U", "undo_transfer", N_("undo"), in_bar=False, needs=Role.RECEPTIONIST),
    Key("f2", "F2", "details", N_("details"), in_bar=False),
    Key("f4", "F4", "note", N_("note"), in_bar=False, needs=Role.RECEPTIONIST),
    Key("f8", "F8", "override", N_("override"), needs=Role.RECEPTIONIST),
    Key("f3", "F3", "hold", N_("hold"), in_bar=False, needs=Role.RECEPTIONIST),
)
"""``U`` is a key only while something can be undone; else it begins a search as every letter does."""

WAITING_LIST = (Key("enter", "Enter", "open", N_("answer"), needs=Role.RECEPTIONIST),)
PEOPLE_LIST = (Key("enter", "Enter", "open", N_("connect")),)

FIELDS = (
    Key("tab", "Tab", "app.focus_next", N_("next field"), in_bar=False, is_first=True),
    Key("shift+tab", "⇧Tab", "app.focus_previous", N_("previous field"), in_bar=False, is_first=True),
)

NUMBERED = (
    Key("1", "1", "app.show_screen('switchboard')", N_("Switchboard"), in_bar=False),
    Key("2", "2", "app.show_screen('extensions')", N_("Extensions"), in_bar=False),
    Key("3", "3", "app.show_screen('trunks')", N_("Trunks"), in_bar=False),
    Key("4", "4", "app.show_screen('dialling')", N_("Dialling"), in_bar=False),
    Key("5", "5", "app.show_screen('groups')", N_("Groups"), in_bar=False),
    Key("6", "6", "app.show_screen('services')", N_("Services"), in_bar=False),
    Key("7", "7", "app.show_screen('calls')", N_("Call history"), in_bar=False),
    Key("8", "8", "app.show_screen('screening')", N_("Screening"), in_bar=False),
    Key("9", "9", "app.show_screen('operators')", N_("Operators"), in_bar=False),
    Key("0", "0", "app.show_screen('system')", N_("System"), in_bar=False),
)
"""Screens by their number, wherever digits do not search."""

CHANGES = (
    Key("n", "n", "new", N_("new"), needs=Role.ADMIN),
    Key("e", "e", "edit", N_("edit"), needs=Role.ADMIN),
    Key("d", "d", "remove", N_("remove"), needs=Role.ADMIN),
)

KIND_LIST = (
    *CHANGES,
    Key("u", "u", "undo", N_("undo")),
    Key("l", "l", "next_list(1)", N_("next list")),
    Key("k", "k", "next_list(-1)", N_("previous list"), in_bar=False),
)

SERVICES = (Key("r", "r", "reload", N_("read anew")),)

EDITOR = (
    Key("f2", "F2", "edit", N_("edit")),
    Key("f10", "F10", "save", N_("save")),
    Key("escape", "Esc", "cancel", N_("back")),
)

ASK = (
    Key("f10", "F10", "go", N_("go on")),
    Key("enter", "Enter", "go", N_("go on"), in_bar=False),
    Key("escape", "Esc", "cancel", N_("cancel")),
    *FIELDS,
)

PAST = (
    Key("f", "f", "choose", N_("choose")),
    Key("o", "o", "older", N_("older ones")),
)

BACKUPS = (
    Key("b", "b", "back_up", N_("back up now"), needs=Role.ADMIN),
    Key("a", "a", "audit_lamps", N_("check the lamps"), needs=Role.RECEPTIONIST),
)

LOG = (
    Key("p", "p", "pause", N_("pause")),
    Key("x", "x", "export", N_("save to a file"), needs=Role.ADMIN),
)

RECORDS = (
    Key("c", "c", "call_back", N_("call"), needs=Role.RECEPTIONIST),
    Key("x", "x", "export", N_("save as CSV"), needs=Role.RECEPTIONIST),
)

DIFF = (
    Key("f10", "F10", "answer(True)", N_("save")),
    Key("y", "y", "answer(True)", N_("save"), in_bar=False),
    Key("escape", "Esc", "answer(False)", N_("go on editing")),
    Key("n", "n", "answer(False)", N_("go on editing"), in_bar=False),
)

EXTENSIONS = (
    *CHANGES,
    Key("f", "f", "forwarding", N_("forwarding"), needs=Role.RECEPTIONIST),
    Key("w", "w", "new_password", N_("new password"), needs=Role.ADMIN),
)

TRUNKS = (*CHANGES, Key("t", "t", "try_number", N_("try a number")))

DIALLING = (
    Key("t", "t", "try_number", N_("try a number")),
    Key("m", "m", "turn_night", N_("night switch"), needs=Role.RECEPTIONIST),
)

FORM = (
    Key("f10", "F10", "save", N_("save")),
    Key("escape", "Esc", "cancel", N_("cancel")),
    *FIELDS,
)

NOTE = FORM[:2]

EMERGENCY = (Key("f10", "F10", "acknowledge", N_("I have seen it")),)
"""No letter and not Enter: who is typing a name must not acknowledge it unseen."""

KEY_MAP = (
    Key("enter", "Enter", "open", N_("change")),
    Key("d", "d", "forget", N_("as shipped")),
    Key("escape", "Esc", "close", N_("back")),
)

TICK = (Key("space", "Space", "turn", N_("tick")),)

QUESTION = (
    Key("y", "y", "answer(True)", N_("yes")),
    Key("enter", "Enter", "answer(True)", N_("yes"), in_bar=False),
    Key("n", "n", "answer(False)", N_("no")),
    Key("escape", "Esc", "answer(False)", N_("no"), in_bar=False),
)

SIDES = (
    Key("1", "1", "choose(0)", N_("the first")),
    Key("2", "2", "choose(1)", N_("the second")),
    Key("escape", "Esc", "back", N_("back")),
)

CALL_DETAIL = (
    Key("l", "l", "supervise('listen')", N_("listen"), needs=Role.RECEPTIONIST),
    Key("w", "w", "supervise('whisper')", N_("whisper"), needs=Role.RECEPTIONIST),
    Key("b", "b", "supervise('barge-in')", N_("barge in"), needs=Role.RECEPTIONIST),
    Key("k", "k", "supervise('take-over')", N_("take over"), needs=Role.RECEPTIONIST),
    Key("r", "r", "record", N_("record"), needs=Role.RECEPTIONIST),
    Key("x", "x", "release", N_("release"), needs=Role.RECEPTIONIST),
    Key("d", "d", "compare", N_("compare")),
    Key("s", "s", "save_capture", N_("save pcap"), needs=Role.RECEPTIONIST),
    Key("minus", "−", "release", N_("release"), in_bar=False, needs=Role.RECEPTIONIST),
    Key("escape", "Esc", "back", N_("back")),
    Key("tab", "Tab", "next_panel(1)", N_("next panel"), in_bar=False),
    Key("shift+tab", "⇧Tab", "next_panel(-1)", N_("previous panel"), in_bar=False),
    Key("question_mark", "?", "app.help", N_("help")),
)

TEXT_PANE = (
    Key("up", "↑", "move(-1)", N_("up"), in_bar=False),
    Key("down", "↓", "move(1)", N_("down"), in_bar=False),
    Key("pageup", "PgUp", "move_page(-1)", N_("page up"), in_bar=False),
    Key("pagedown", "PgDn", "move_page(1)", N_("page down"), in_bar=False),
    Key("home", "Home", "move_end(-1)", N_("first"), in_bar=False),
    Key("end", "End", "move_end(1)", N_("last"), in_bar=False),
)

CARD = (
    Key("escape", "Esc", "close", N_("back")),
    Key("enter", "Enter", "close", N_("back"), in_bar=False),
)

DRY_RUN = (
    Key("escape", "Esc", "close", N_("back")),
    *FIELDS,
)

PERSON_CARD = (Key("e", "e", "edit", N_("edit"), needs=Role.ADMIN),)

PAGES: dict[str, tuple[tuple[Key, ...], ...]] = {
    N_("Switchboard"): (SWITCHBOARD, LIVE_LIST, LISTS, SCREENS, EVERYWHERE),
    N_("Waiting for you"): (SWITCHBOARD, WAITING_LIST, MOVES, LISTS, SCREENS, EVERYWHERE),
    N_("People"): (SWITCHBOARD, PEOPLE_LIST, MOVES, LISTS, SCREENS, EVERYWHERE),
    N_("Extensions"): (EXTENSIONS, NUMBERED, LIVE_LIST, LISTS, SCREENS, EVERYWHERE),
    N_("Trunks"): (TRUNKS, NUMBERED, LIVE_LIST, LISTS, SCREENS, EVERYWHERE),
    N_("Dialling"): (KIND_LIST, DIALLING, NUMBERED, LIVE_LIST, LISTS, SCREENS, EVERYWHERE),
    N_("Groups"): (KIND_LIST, NUMBERED, LIVE_LIST, LISTS, SCREENS, EVERYWHERE),
    N_("Services"): (KIND_LIST, SERVICES, NUMBERED, LIVE_LIST, LISTS, SCREENS, EVERYWHERE),
    N_("Service"): (EDITOR, EVERYWHERE),
    N_("Change of a service"): (DIFF, EVERYWHERE),
    N_("Values"): (ASK, EVERYWHERE),
    N_("Operators"): (KIND_LIST, NUMBERED, LIVE_LIST, LISTS, SCREENS, EVERYWHERE),
    N_("Audit"): (KIND_LIST, PAST, NUMBERED, LIVE_LIST, LISTS, SCREENS, EVERYWHERE),
    N_("System"): (KIND_LIST, BACKUPS, NUMBERED, LIVE_LIST, LISTS, SCREENS, EVERYWHERE),
    N_("Log"): (KIND_LIST, PAST, LOG, NUMBERED, LIVE_LIST, LISTS, SCREENS, EVERYWHERE),
    N_("Call history"): (KIND_LIST, PAST, RECORDS, NUMBERED, LIVE_LIST, LISTS, SCREENS, EVERYWHERE),
    N_("Screening"): (KIND_LIST, NUMBERED, LIVE_LIST, LISTS, SCREENS, EVERYWHERE),
    N_("Try a number"): (DRY_RUN, EVERYWHERE),
    N_("Extension form"): (TICK, FORM, EVERYWHERE),
    N_("Note"): (NOTE, EVERYWHERE),
    N_("Emergency call"): (EMERGENCY, EVERYWHERE),
    N_("Keys"): (KEY_MAP, MOVES, EVERYWHERE),
    N_("Question"): (QUESTION, EVERYWHERE),
    N_("Choice of a party"): (SIDES, EVERYWHERE),
    N_("Call"): (CALL_DETAIL, LIVE_LIST, EVERYWHERE),
    N_("Message"): (CALL_DETAIL, TEXT_PANE, EVERYWHERE),
    N_("Person"): (PERSON_CARD, CARD, EVERYWHERE),
}
"""The keys that are alive at the same time, by screen; within one page no key may stand twice."""


def bindings(*groups: tuple[Key, ...], is_priority: bool = False) -> list[BindingType]:
    """Textual's bindings for these keys; their descriptions are message ids, translated where they are drawn."""
    return [
        Binding(
            key.key, key.deed, key.says, show=key.in_bar, key_display=key.face, id=key.id,
            priority=is_priority or key.is_first,
        )
        for group in groups
        for key in group
    ]  # fmt: skip


FIXED = frozenset((
    "enter", "escape", "tab", "shift+tab", "up", "down", "left", "right", "pageup", "pagedown", "home", "end",
    "f1", "ctrl+q", "ctrl+c",
))  # fmt: skip
"""Keys that stay what they are: who is lost finds back by them."""
PASSES_TMUX = re.compile(
    r"[a-z0-9U]|f([1-9]|10)|ctrl\+([a-z]|left|right)|(shift\+)?tab|up|down|left|right|home|end|pageup|pagedown"
    r"|enter|space|escape|slash|minus|plus|question_mark"
)
"""Keys that every terminal sends and tmux passes on."""
_SIGNS = {"space": "Space", "slash": "/", "minus": "−", "plus": "+", "question_mark": "?", "tab": "Tab"}
_ARROWS = {"up": "↑", "down": "↓", "left": "←", "right": "→"}


def face_of(key: str) -> str:
    """A key in Textual's words as it is printed: ``^X`` for ``ctrl+x``, ``F7`` for ``f7``."""
    if key.startswith("ctrl+"):
        return "^" + _ARROWS.get(key[5:], key[5:].upper())
    return _SIGNS.get(key) or _ARROWS.get(key) or (key.upper() if re.fullmatch(r"f\d+", key) else key)


def why_not(key: Key, chosen: str, changed: Mapping[str, str]) -> str | None:
    """Why ``key`` cannot be moved to ``chosen``, given what is changed already; ``None`` when it can."""
    if chosen in FIXED or key.key in FIXED:
        return _("this key stays what it is")
    if not PASSES_TMUX.fullmatch(chosen):
        return _("some terminals do not pass this key on")
    found = conflicts({**changed, key.id: chosen})
    return found[0] if found else None


def role_for(deed: str) -> Role:
    """The role an action needs; the lowest one when no key names it."""
    name = deed.partition("(")[0]
    for key in all_keys():
        if key.deed.partition("(")[0] == name:
            return key.needs
    return Role.VIEWER


def all_keys() -> Iterator[Key]:
    """Every key once per group it stands in."""
    groups = {group for page in PAGES.values() for group in page}
    for group in sorted(groups, key=lambda keys: keys[0].key):
        yield from group


def conflicts(changed: Mapping[str, str] | None = None) -> list[str]:
    """Keys that mean two things at once, one line each; empty when the map is sound.

    ``changed``: keys by ``Key.id`` that an operator has moved.
    """
    moved = changed or {}
    found = []
    for page, groups in PAGES.items():
        seen: dict[str, Key] = {}
        for key in (key for group in groups for key in group):
            place = moved.get(key.id, key.key)
            if place in seen and seen[place].id != key.id:
                said = _("{page}: {key} is both “{one}” and “{other}”")
                found.append(
                    said.format(page=_(page), key=face_of(place), one=_(seen[place].says), other=_(key.says))
                )
            seen[place] = key
    for group in (SWITCHBOARD, LIVE_LIST, LISTS, SCREENS):
        for key in group:
            place = moved.get(key.id, key.key)
            is_typed = len(place) == 1 and place.isalnum() and not place.isupper()
            if is_typed or face_of(place) in SEARCH_CHARACTERS:
                found.append(_("Switchboard: {key} begins a search").format(key=face_of(place)))
    return found
