"""The key map is sound."""

from __future__ import annotations

import re

from tui.console import FrontdeskConsole
from tui.keys import EXTENSIONS, PAGES, PASSES_TMUX, SWITCHBOARD, all_keys, conflicts
from tui.screens.ask_fields import AskFields
from tui.screens.call_detail import CallDetail
from tui.screens.calls import CallsScreen
from tui.screens.cards import PersonCard
from tui.screens.dialling import DiallingScreen
from tui.screens.emergency import EmergencyBanner
from tui.screens.extension_form import ExtensionForm
from tui.screens.extensions import ExtensionsScreen
from tui.screens.key_map import KeyMapDialog
from tui.screens.kind_screen import KindScreen
from tui.screens.log import LogScreen
from tui.screens.lua_editor import LuaEditor, ServiceDiff
from tui.screens.note import NoteDialog
from tui.screens.question import Question
from tui.screens.services import ServicesScreen
from tui.screens.supervise import SideChoice
from tui.screens.switchboard import SwitchboardScreen
from tui.screens.system import SystemScreen
from tui.screens.trunks import TrunksScreen
from tui.screens.try_number import TryNumber
from tui.widgets.live_list import LiveList
from tui.widgets.text_pane import TextPane
from tui.widgets.tick import Tick


def test_no_key_means_two_things_on_one_screen() -> None:
    assert conflicts() == []


def test_every_key_reaches_us_through_tmux() -> None:
    assert [key.key for key in all_keys() if not PASSES_TMUX.fullmatch(key.key)] == []


def test_every_key_does_something() -> None:
    owners = (
        NoteDialog, EmergencyBanner,
        FrontdeskConsole, SwitchboardScreen, ExtensionsScreen, LiveList, Tick, Question, ExtensionForm, CallDetail,
        PersonCard, TextPane, DiallingScreen, TryNumber,
        TrunksScreen, KindScreen, ServicesScreen, CallsScreen, AskFields, SystemScreen,
        LogScreen, KeyMapDialog, LuaEditor, ServiceDiff, SideChoice,
    )  # fmt: skip
    for key in all_keys():
        name = key.deed.partition("(")[0].removeprefix("app.")
        assert any(hasattr(owner, f"action_{name}") for owner in owners), key


def test_switchboard_leaves_letters_and_digits_to_the_search() -> None:
    assert not [key for group in PAGES["Switchboard"] for key in group if re.fullmatch(r"[a-z0-9]", key.key)]
    assert SWITCHBOARD[0].key == "minus"
    assert [key.key for key in EXTENSIONS[:3]] == ["n", "e", "d"]
