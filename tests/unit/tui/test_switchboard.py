"""What a receptionist sees and does on the Switchboard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from rich.cells import cell_len
from textual import events
from textual.css.query import NoMatches
from textual.screen import Screen

from engine.core.errors import RefusedError
from engine.core.views import Lamp
from engine.desk.commands import ReleaseCall
from tests.unit.tui.conftest import MONDAY, OfficeMaker
from tests.unit.tui.fake_desk import VIEWER, call_view, health
from tui.screens.cards import PersonCard
from tui.screens.extension_form import ExtensionForm
from tui.screens.question import Question
from tui.screens.switchboard import SwitchboardScreen
from tui.widgets.live_list import LiveList


def _list(screen: object, name: str) -> LiveList:
    assert isinstance(screen, SwitchboardScreen)
    return screen.query_one(f"#{name}", LiveList)


async def test_one_glance_tells_calls_people_and_phones(office: OfficeMaker) -> None:
    async with office((200, 60)) as here:
        text = here.text
        for part in (
            "Muster GmbH", "4 calls", "10/12 phones", "101 Anna Berger", "ringing", "◐", "⊘ dnd", "192.0.2.20:5060",
            "udp 192.0.2.10:5060", "2:14", "3.4 !", "desk", "09:41:22",
        ):  # fmt: skip
            assert part in text


@pytest.mark.parametrize("size", [(80, 24), (120, 34), (200, 60)])
async def test_calls_and_people_share_the_screen_at_every_size(office: OfficeMaker, size: tuple[int, int]) -> None:
    async with office(size) as here:
        lines = here.text.splitlines()
        assert len(lines) == size[1]
        assert any("+49894711" in line for line in lines)
        assert any("102 Bo Chen 陈波" in line for line in lines)


async def test_a_call_appears_moves_on_and_ends(office: OfficeMaker) -> None:
    async with office(furnished=False) as here:
        assert "no calls at the moment" in here.text
        here.desk.change(calls=(call_view("a", "101", "102", MONDAY, names=("Anna", "Bo")),))
        here.draw(7)
        await here.pilot.pause()
        assert "0:07" in here.text
        assert "1 call " in here.text
        here.desk.change(calls=())
        here.draw(1)
        await here.pilot.pause()
        assert "ended" in here.text
        here.draw(20)
        await here.pilot.pause()
        assert "no calls at the moment" in here.text


async def test_typing_narrows_people_and_calls_at_once_and_escape_shows_all(office: OfficeMaker) -> None:
    async with office() as here:
        await here.pilot.press("v", "o")
        assert "search: vo" in here.text
        assert [row.key for row in _list(here.app.screen, "people").rows] == ["107"]
        assert len(_list(here.app.screen, "calls").rows) == 1
        await here.pilot.press("backspace", "backspace", "q", "q")
        assert "nothing found" in here.text
        await here.pilot.press("escape")
        assert len(_list(here.app.screen, "people").rows) == 12


async def test_slash_takes_every_character_into_the_filter(office: OfficeMaker) -> None:
    async with office() as here:
        await here.pilot.press("slash", "minus", "question_mark")
        assert "filter: -?" in here.text
        assert here.desk.commands == []


async def test_chinese_names_are_found(office: OfficeMaker) -> None:
    async with office() as here:
        await here.pilot.press("陈")
        assert [row.key for row in _list(here.app.screen, "people").rows] == ["102"]


async def test_release_asks_first_and_carries_the_revision(office: OfficeMaker) -> None:
    async with office() as here:
        here.desk.change(calls=tuple(replace(call, revision=7) for call in here.desk.view.calls))
        here.draw()
        await here.pilot.press("down", "minus")
        assert isinstance(here.app.screen, Question)
        assert "Release this call?" in here.text
        await here.pilot.press("y")
        assert here.desk.commands == [("desk", ReleaseCall("81c2", 7))]
        await here.pilot.pause()
        assert "released: +49305550100 Weber GmbH → 103 Eva Fuchs" in here.text


@pytest.mark.parametrize("key", ["n", "escape"])
async def test_release_can_be_called_off(office: OfficeMaker, key: str) -> None:
    async with office() as here:
        await here.pilot.press("minus", key)
        assert isinstance(here.app.screen, SwitchboardScreen)
        assert here.desk.commands == []


async def test_a_call_that_moved_on_meanwhile_is_not_released(office: OfficeMaker) -> None:
    async with office() as here:
        await here.pilot.press("minus")
        here.desk.change(calls=tuple(replace(call, revision=2) for call in here.desk.view.calls))
        await here.pilot.press("enter")
        await here.pilot.pause()
        assert "the call has changed meanwhile: look again and decide anew" in here.text
        assert len(here.desk.view.calls) == 4


async def test_a_person_on_the_phone_can_be_released_too(office: OfficeMaker) -> None:
    async with office() as here:
        await here.pilot.press("1", "0", "7", "minus", "y")
        assert here.desk.commands == [("desk", ReleaseCall("6b11", 1))]


async def test_the_cursor_never_slides_onto_another_call(office: OfficeMaker) -> None:
    async with office() as here:
        await here.pilot.press("down")
        others = tuple(call for call in here.desk.view.calls if call.id != "81c2")
        here.desk.change(calls=(call_view("new", "108", "106", MONDAY), *others))
        here.draw(1)
        calls = _list(here.app.screen, "calls")
        assert calls.cursor == "81c2"
        await here.pilot.press("minus")
        assert "choose a call" in here.text
        here.draw(20)
        assert calls.cursor is None
        await here.pilot.press("minus", "y")
        assert here.desk.commands == []


async def test_rows_keep_their_place_while_the_office_lives(office: OfficeMaker) -> None:
    async with office() as here:
        before = [row.key for row in _list(here.app.screen, "calls").rows]
        calls = here.desk.view.calls
        here.desk.change(calls=(calls[2], call_view("new", "1", "2", MONDAY), calls[3], calls[0], calls[1]))
        here.draw(1)
        assert [row.key for row in _list(here.app.screen, "calls").rows] == [*before, "new"]


async def test_a_viewer_sees_no_key_that_changes_anything(office: OfficeMaker) -> None:
    async with office(asker=VIEWER) as here:
        assert "release" not in here.text
        await here.pilot.press("minus", "y")
        assert here.desk.commands == []
        await here.pilot.press("question_mark")
        assert "release" not in here.text
        assert "filter" in here.text


async def test_help_lists_the_keys_that_work(office: OfficeMaker) -> None:
    async with office() as here:
        await here.pilot.press("f1")
        for part in ("Keys of this screen", "release", "next panel", "^Q", "○ free", "✕ lost"):
            assert part in here.text
        await here.pilot.press("escape")
        assert isinstance(here.app.screen, SwitchboardScreen)


async def test_enter_opens_a_call_that_stays_live(office: OfficeMaker) -> None:
    async with office() as here:
        await here.pilot.press("enter")
        await here.shows("PCMA ⇄ PCMA")
        assert "Call 7f3a" in here.text
        await here.pilot.press("minus", "y", "escape")
        assert ("desk", ReleaseCall("7f3a", 1)) in here.desk.commands


async def test_enter_opens_the_person_that_was_searched(office: OfficeMaker) -> None:
    async with office() as here:
        await here.pilot.press("c", "h", "e", "n", "enter")
        card = [line.strip(" │") for line in here.text.splitlines()]
        assert card[card.index("Yealink T54W") + 1].startswith("192.0.2.21:5060   udp   refresh in ")


async def test_a_click_selects_and_a_double_click_opens(office: OfficeMaker) -> None:
    async with office() as here:
        calls = _list(here.app.screen, "calls")
        await here.pilot.click("#calls", offset=(5, 3))
        assert calls.cursor == "82d0"
        await here.pilot.click("#calls", offset=(5, 4), times=2)
        assert "Call 6b11" in here.text


async def test_keys_in_the_bar_can_be_clicked(office: OfficeMaker) -> None:
    async with office() as here:
        bar = here.text.splitlines()[-1]
        await here.pilot.click("#keys", offset=(bar.index("release"), 0))
        await here.pilot.pause()
        assert isinstance(here.app.screen, Question)


async def test_a_warning_stands_in_words_in_the_status_line(office: OfficeMaker) -> None:
    async with office() as here:
        here.desk.change(health=health(MONDAY, ("the disk is nearly full",)))
        here.draw()
        await here.pilot.pause()
        assert "▲ 1" in here.text
        assert "▲ the disk is nearly full" in here.text


async def test_names_from_outside_cannot_steer_the_terminal(office: OfficeMaker) -> None:
    async with office() as here:
        evil = call_view("a", "\x1b[2J666", "102", MONDAY, names=("\x1b]0;x\x07", None))
        here.desk.change(calls=(evil,))
        here.draw()
        await here.pilot.press("end", "enter")
        assert "\x1b" not in here.text
        assert "666" in here.text


async def test_a_refused_command_says_why_and_an_unknown_failure_kills_nothing(office: OfficeMaker) -> None:
    async with office() as here:
        here.desk.fail_next = RefusedError("the office is closing", "try again later")
        await here.pilot.press("minus", "y")
        await here.pilot.pause()
        assert "the office is closing: try again later" in here.text
        here.desk.fail_next = ZeroDivisionError("secret")
        await here.pilot.press("minus", "y")
        await here.pilot.pause()
        assert "the office could not do that" in here.text
        assert "secret" not in here.text


async def test_language_can_be_changed_while_it_runs(office: OfficeMaker) -> None:
    async with office() as here:
        here.app.set_language("zh_CN")
        await here.pilot.pause()
        here.draw()
        await here.pilot.pause()
        assert "当前通话" in here.text
        assert "筛选" in here.text


async def test_people_flow_into_columns_when_there_are_many(office: OfficeMaker) -> None:
    async with office() as here:
        person = here.desk.view.people[0]
        people = tuple(replace(person, number=f"{n}", name=f"P{n}", lamp=Lamp.IDLE) for n in range(200, 230))
        here.desk.change(people=people)
        here.draw()
        await here.pilot.press("tab", "down", "right", "down")
        line = next(line for line in here.text.splitlines() if "200 P200" in line)
        assert "│" in line.split("200 P200")[1]
        cursor = _list(here.app.screen, "people").cursor
        assert cursor is not None
        assert int(cursor) > 205


WIDEST = "+49305550100 Weber GmbH"


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("size", [(80, 24), (100, 24), (119, 34), (120, 34), (140, 40), (160, 48), (200, 60)])
async def test_no_wider_terminal_shows_less(office: OfficeMaker, size: tuple[int, int], language: str) -> None:
    async with office(size, language=language) as here:
        text = here.text
        for part in ("101 Anna Berger", "102 Bo Chen 陈波", "3.4 !", "▄    3.4"):
            assert part in text
        if size[1] >= 40:
            assert "192.0.2.21:5060" in text
            assert ("6 min" if language == "en" else "6 分钟") in text
        assert WIDEST in text or (size[0] in (120, 140) and WIDEST[:15] in text)


async def test_the_last_minute_of_a_registration_keeps_its_unit(office: OfficeMaker) -> None:
    async with office((120, 40), language="zh_CN") as here:
        here.clock.advance(60)
        here.app.call_later(here.app.draw_screens)
        await here.pilot.pause()
        assert "不足 1 分钟" in here.text


async def test_a_long_name_is_whole_where_there_is_room(office: OfficeMaker) -> None:
    name = "Dr. Maximiliane von Wartenburg-Hohenfels"
    async with office((200, 60)) as here:
        people = here.desk.view.people
        here.desk.change(people=(replace(people[0], name=name), *people[1:]))
        here.draw()
        await here.pilot.pause()
        assert f"101 {name} ● busy" in here.text


async def test_a_small_screen_keeps_people_before_phones(office: OfficeMaker) -> None:
    async with office((60, 15)) as here:
        assert "101 Anna Berger ● busy" in here.text
        assert "102 Bo Chen" in here.text
        assert "Registered phones" not in here.text


async def test_a_narrow_screen_keeps_audio_quality(office: OfficeMaker) -> None:
    async with office((40, 24)) as here:
        assert "talking 3.4 !" in here.text


async def test_many_people_read_downwards_within_what_is_seen(office: OfficeMaker) -> None:
    async with office() as here:
        person = here.desk.view.people[0]
        people = tuple(replace(person, number=f"{n}", name=f"P{n}", lamp=Lamp.IDLE) for n in range(200, 300))
        here.desk.change(people=people)
        here.draw()
        await here.pilot.pause()
        height = _list(here.app.screen, "people").size.height
        seen = [number for number in range(200, 300) if f"{number} P{number}" in here.text]
        assert seen == list(range(200, 200 + 2 * height))
        await here.pilot.press("tab", "home", "pagedown")
        await here.pilot.pause()
        seen = [number for number in range(200, 300) if f"{number} P{number}" in here.text]
        assert seen == list(range(200 + 2 * height, min(300, 200 + 4 * height)))
        wheel = {"widget": None, "x": 1, "y": 1, "delta_x": 0, "delta_y": 0, "button": 0}
        keys = {"shift": False, "meta": False, "ctrl": False}
        _list(here.app.screen, "people").post_message(events.MouseScrollUp(**wheel, **keys))  # type: ignore[arg-type]
        await here.pilot.pause()
        seen = [number for number in range(200, 300) if f"{number} P{number}" in here.text]
        assert seen == list(range(200, 200 + 2 * height))


async def test_nothing_is_drawn_when_nothing_has_changed(office: OfficeMaker) -> None:
    async with office() as here:
        drawn: list[object] = []
        screen = here.app.screen
        assert isinstance(screen, SwitchboardScreen)
        screen.draw_panels = lambda view, now: drawn.append(view)  # type: ignore[method-assign]
        here.draw()
        here.draw(0.4)
        assert drawn == []
        here.draw(0.6)
        assert len(drawn) == 1


async def test_durations_tick_without_an_event(office: OfficeMaker) -> None:
    async with office() as here:
        here.draw(timedelta(seconds=46).total_seconds())
        await here.pilot.pause()
        assert "3:00" in here.text


@pytest.mark.parametrize("size", [(20, 6), (40, 12), (79, 23), (99, 30), (100, 24), (400, 150)])
async def test_odd_sizes_draw_what_fits(office: OfficeMaker, size: tuple[int, int]) -> None:
    async with office(size) as here:
        await here.pilot.press("f1", "escape", "ctrl+right", "n", "escape")
        lines = here.text.splitlines()
        assert len(lines) <= size[1]
        assert all(cell_len(line) <= size[0] for line in lines)


async def test_a_picture_that_comes_before_the_panels_is_drawn_later(office: OfficeMaker) -> None:
    async with office() as here:
        unborn = SwitchboardScreen()
        unborn.draw(here.desk.view, MONDAY)
        here.app.push_screen(unborn)
        unborn.draw(here.desk.view, MONDAY)
        await here.pilot.pause()
        assert "101 Anna Berger" in here.text


async def test_numbers_are_found_before_names_and_the_inside_of_numbers(office: OfficeMaker) -> None:
    async with office() as here:
        person = here.desk.view.people[0]
        numbers = {"123": None, "501": "Room 23", "502": "Bus 4231", "230": None, "23": None, "231": "Eva"}
        people = tuple(replace(person, number=number, name=name, call=None) for number, name in numbers.items())
        here.desk.change(people=people)
        here.draw()
        await here.pilot.press("2", "3")
        shown = [row.key for row in _list(here.app.screen, "people").rows]
        assert shown == ["23", "230", "231", "501", "123", "502"]
        await here.pilot.press("enter")
        await here.pilot.pause()
        assert isinstance(here.app.screen, PersonCard)
        assert here.app.screen.query_one(".dialog").border_title == "23"


async def test_the_frame_counts_what_a_search_finds(office: OfficeMaker) -> None:
    async with office() as here:
        await here.pilot.press("v", "o")
        await here.pilot.pause()
        assert "1/12" in here.text
        assert "1/4" in here.text
        await here.pilot.press("escape")
        await here.pilot.pause()
        assert "/12 ─" not in here.text


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (120, 34)])
async def test_an_ended_call_says_so_at_every_size(office: OfficeMaker, size: tuple[int, int]) -> None:
    async with office(size) as here:
        here.desk.change(calls=here.desk.view.calls[1:])
        here.draw(1)
        await here.pilot.pause()
        assert "ended" in next(line for line in here.text.splitlines() if "101 Anna Berger" in line)


async def test_engine_figures_are_for_who_looks_after_the_engine(office: OfficeMaker) -> None:
    async with office(asker=VIEWER) as here:
        assert "✓ engine well" in here.text
        assert "loop" not in here.text
        here.desk.change(health=replace(health(MONDAY), loop_delay_p99_ms=80.0, loop_delay_max_ms=300.0))
        here.draw()
        await here.pilot.pause()
        assert "▲ engine slow   loop 80.0 ms, worst 300 ms" in here.text
        assert "engine well" not in here.text


async def test_enter_on_no_line_says_what_to_do(office: OfficeMaker) -> None:
    async with office() as here:
        _list(here.app.screen, "calls").point(None)
        await here.pilot.press("enter")
        await here.pilot.pause()
        assert "choose a line first" in here.text


@pytest.mark.parametrize("kind", [lambda: PersonCard("101"), lambda: ExtensionForm(None, ()), SwitchboardScreen])
async def test_a_screen_that_opens_while_the_console_is_left_harms_nothing(
    office: OfficeMaker, kind: Callable[[], Screen[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office() as here:
        screen = kind()
        monkeypatch.setattr(screen, "compose", lambda: ())
        here.app.push_screen(screen)
        here.app.exit()
        await here.pilot.pause()
        assert not here.app.has_failed


async def test_what_breaks_while_the_console_is_left_is_no_failure(
    office: OfficeMaker, caplog: pytest.LogCaptureFixture
) -> None:
    """A terminal torn away while a screen opens: its widgets go before all of them have come."""
    async with office() as here:
        here.app.exit()
        here.app._exception = NoMatches("no calls on a screen that goes")
        here.app._fatal_error()
        here.app._exception = None
        assert not here.app.has_failed
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
