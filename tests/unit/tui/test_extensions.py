"""Extensions are added, changed and removed from the console."""

from __future__ import annotations

import contextvars

import pytest

from engine.core.errors import RefusedError
from engine.desk.commands import (
    AddExtension,
    Command,
    ExtensionFields,
    ListExtensions,
    RemoveExtension,
    ResetPassword,
    SetExtension,
    ShowExtension,
)
from tests.unit.tui.conftest import Office, OfficeMaker
from tests.unit.tui.fake_desk import VIEWER
from tui.screens.dialling import DiallingScreen
from tui.screens.extension_form import ExtensionForm, problem_text
from tui.screens.extensions import ExtensionsScreen
from tui.screens.switchboard import SwitchboardScreen
from tui.screens.trunks import TrunksScreen
from tui.texts import Tongue, speak
from tui.widgets.live_list import LiveList


def _changes(here: Office) -> list[Command]:
    return [
        command for _who, command in here.desk.commands if not isinstance(command, ListExtensions | ShowExtension)
    ]


def _list(here: Office) -> LiveList:
    return here.app.screen.query_one("#extensions", LiveList)


async def _open(here: Office) -> None:
    await here.pilot.press("ctrl+right")
    await here.pilot.pause()
    assert isinstance(here.app.screen, ExtensionsScreen)


async def test_a_name_is_no_markup_in_the_title_of_its_form(office: OfficeMaker) -> None:
    async with office() as here:
        await _open(here)
        await here.pilot.press("n", "1", "2", "0", "tab", *"[/x] Lobby", "f10")
        await here.pilot.pause()
        await here.pilot.press("escape")
        await here.shows("[/x] Lobby")
        _list(here).point("120")
        await here.pilot.press("e")
        await here.shows("Extension 120 [/x] Lobby")


async def test_a_new_extension_is_added_and_its_phone_explained(office: OfficeMaker) -> None:
    async with office() as here:
        await _open(here)
        await here.pilot.press("n", "1", "2", "0", "tab", *"Lobby", "f10")
        await here.pilot.pause()
        assert _changes(here) == [AddExtension("120", ExtensionFields(name="Lobby"))]
        for part in ("Type this into the phone", "120", "k7mw-q2xa-9hdt-vb3e", "192.0.2.10:5060", "UDP"):
            assert part in here.text
        await here.pilot.press("escape")
        await here.pilot.pause()
        assert "k7mw" not in here.text
        await here.shows("Lobby")


async def test_the_form_says_what_is_wrong_while_one_types(office: OfficeMaker) -> None:
    async with office() as here:
        await _open(here)
        await here.pilot.press("n", "1", "0")
        assert "exists already" not in here.text
        await here.pilot.press("1")
        await here.shows("this number exists already")
        await here.pilot.press("f10")
        assert _changes(here) == []
        await here.pilot.press("9")
        assert "exists already" not in here.text


async def test_a_change_is_shown_before_it_is_saved(office: OfficeMaker) -> None:
    async with office() as here:
        await _open(here)
        await here.pilot.press("e")
        await here.pilot.pause()
        await here.shows("Nothing has changed yet.")
        await here.pilot.press("end", *" B", "tab", "tab", "space")
        await here.shows("Anna Berger → Anna Berger B")
        await here.shows("no → yes")
        await here.pilot.press("f10")
        await here.pilot.pause()
        assert _changes(here) == [SetExtension("101", ExtensionFields(name="Anna Berger B", multi_device=True))]
        await here.shows("101 saved")


async def test_a_refusal_of_the_desk_stays_in_the_form(office: OfficeMaker) -> None:
    async with office() as here:
        await _open(here)
        await here.pilot.press("e")
        await here.pilot.pause()
        here.desk.fail_next = RefusedError("the disk is full", "make room and save again")
        await here.pilot.press("x", "f10")
        await here.pilot.pause()
        assert isinstance(here.app.screen, ExtensionForm)
        await here.shows("the disk is full: make room and save again")


async def test_what_was_typed_is_not_lost_by_a_slip_on_escape(office: OfficeMaker) -> None:
    async with office() as here:
        await _open(here)
        await here.pilot.press("n", "5", "escape")
        await here.shows("Leave without saving?")
        await here.pilot.press("n")
        assert isinstance(here.app.screen, ExtensionForm)
        await here.pilot.press("escape", "y")
        await here.pilot.pause()
        assert isinstance(here.app.screen, ExtensionsScreen)


async def test_removing_asks_first(office: OfficeMaker) -> None:
    async with office() as here:
        await _open(here)
        await here.pilot.press("down", "down", "d")
        await here.shows("Remove this extension?")
        await here.shows("103 Eva Fuchs")
        await here.pilot.press("n")
        assert _changes(here) == []
        await here.pilot.press("d", "y")
        await here.pilot.pause()
        assert _changes(here) == [RemoveExtension("103")]
        await here.shows("103 removed")


async def test_a_new_password_is_shown_once(office: OfficeMaker) -> None:
    async with office() as here:
        await _open(here)
        await here.pilot.press("w", "enter")
        await here.pilot.pause()
        assert _changes(here) == [ResetPassword("101")]
        await here.shows("p4re-x8zu-7nck-wm2a")


async def test_filter_takes_letters_that_are_keys_otherwise(office: OfficeMaker) -> None:
    async with office() as here:
        await _open(here)
        await here.pilot.press("slash", "n", "e")
        assert isinstance(here.app.screen, ExtensionsScreen)
        await here.shows("filter: ne")
        await here.shows("nothing found")
        await here.pilot.press("escape")
        await here.shows("Anna Berger")


async def test_a_viewer_reads_and_changes_nothing(office: OfficeMaker) -> None:
    async with office(asker=VIEWER) as here:
        await _open(here)
        bar = here.text.splitlines()[-1]
        assert not any(word in bar for word in ("new", "edit", "remove"))
        await here.pilot.press("n", "e", "d", "w")
        assert isinstance(here.app.screen, ExtensionsScreen)
        assert _changes(here) == []


async def test_an_empty_office_says_what_to_do_next(office: OfficeMaker) -> None:
    async with office(furnished=False) as here:
        await here.shows("no extensions yet")
        here.desk.extensions.clear()
        await _open(here)
        await here.shows("n adds the first one")


async def test_screens_are_walked_in_a_circle(office: OfficeMaker) -> None:
    async with office() as here:
        await _open(here)
        await here.pilot.press("ctrl+right")
        assert isinstance(here.app.screen, TrunksScreen)
        await here.pilot.press("ctrl+right")
        assert isinstance(here.app.screen, DiallingScreen)
        await here.pilot.press("ctrl+left", "ctrl+left", "ctrl+left")
        assert isinstance(here.app.screen, SwitchboardScreen)
        await here.pilot.press("ctrl+left", "ctrl+right")
        assert isinstance(here.app.screen, SwitchboardScreen)
        await here.pilot.press("ctrl+left", "4")
        assert isinstance(here.app.screen, DiallingScreen)
        await here.pilot.press("1")
        assert isinstance(here.app.screen, SwitchboardScreen)


async def test_the_palette_knows_the_screens_and_speaks_the_language(office: OfficeMaker) -> None:
    async with office(language="zh_CN") as here:
        await here.pilot.press("ctrl+p")
        await here.pilot.pause(0.1)
        await here.pilot.press("分", "机")
        await here.app.workers.wait_for_complete()
        await here.pilot.pause(0.1)
        await here.shows("新建分机")


async def test_after_a_removal_the_cursor_stands_on_the_neighbour(office: OfficeMaker) -> None:
    async with office() as here:
        await _open(here)
        await here.pilot.press("down", "down", "d", "y")
        await here.pilot.pause()
        assert _list(here).cursor == "104"
        await here.pilot.press("end", "d", "y")
        await here.pilot.pause()
        assert _list(here).cursor == "111"
        await here.pilot.press("e")
        await here.pilot.pause()
        await here.shows("Extension 111 Konferenz")


async def test_the_question_before_a_removal_says_what_is_lost(office: OfficeMaker) -> None:
    async with office() as here:
        await _open(here)
        await here.pilot.press("d")
        await here.shows("Its settings and its password are gone for good")


async def test_after_adding_an_extension_the_cursor_stands_on_it(office: OfficeMaker) -> None:
    async with office() as here:
        await _open(here)
        await here.pilot.press("n", *"1051", "f10")
        await here.pilot.pause()
        await here.pilot.press("escape")
        await here.pilot.pause()
        assert _list(here).cursor == "1051"
        await here.pilot.press("e")
        await here.pilot.pause()
        await here.shows("Extension 1051")


async def test_keys_that_need_an_extension_are_offered_only_when_there_is_one(office: OfficeMaker) -> None:
    async with office(furnished=False) as here:
        here.desk.extensions.clear()
        await _open(here)
        bar = here.text.splitlines()[-1]
        assert "new" in bar
        assert not any(word in bar for word in ("edit", "remove", "open"))


async def test_a_click_on_a_key_that_cannot_act_says_so(office: OfficeMaker) -> None:
    async with office() as here:
        await _open(here)
        at = here.text.splitlines()[-1].index("edit")
        here.desk.logins["desk"] = VIEWER
        here.app.asker = VIEWER
        await here.pilot.click("#keys", offset=(at, 0))
        await here.pilot.pause()
        await here.shows("e has nothing to act on at the moment")


async def test_while_a_filter_is_typed_only_its_keys_are_offered(office: OfficeMaker) -> None:
    async with office() as here:
        await _open(here)
        await here.pilot.press("slash", "a")
        await here.pilot.pause()
        assert here.text.splitlines()[-1].split("  ") == [
            " Enter open",
            "Esc show all again",
            "F1 help",
            "^Q leave",
        ]
        await here.pilot.press("escape")
        await here.pilot.pause()
        assert "n new" in here.text.splitlines()[-1]


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (120, 34)])
async def test_saving_what_cannot_be_saved_goes_to_the_field_and_says_why(
    office: OfficeMaker, size: tuple[int, int]
) -> None:
    async with office(size) as here:
        await _open(here)
        await here.pilot.press("n", *"101", *["tab"] * 7, "x", "f10")
        await here.pilot.pause()
        assert here.app.focused is not None
        assert here.app.focused.id == "number"
        await here.shows("✕ Number: this number exists already ─")
        await here.shows("F10 save")
        await here.pilot.press("9")
        assert "exists already ─" not in here.text


def test_what_is_wrong_with_a_field_is_punctuated_in_the_console_s_language() -> None:
    def say() -> str:
        speak(Tongue("zh_CN"))
        return problem_text("number", "2 到 15 位数字")

    assert contextvars.Context().run(say) == "号码：2 到 15 位数字"
    assert problem_text("number", "2 to 15 digits") == "Number: 2 to 15 digits"
