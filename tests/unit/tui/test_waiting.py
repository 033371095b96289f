"""Who waits for the receptionist, and what her keys do: 106 is her phone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

import pytest

from engine.core.deeds import Deed
from engine.core.errors import RefusedError
from engine.desk.commands import ReleaseCall
from engine.desk.contacts import ListContacts, LookUpCaller, SetNote
from engine.desk.deeds import Override, Supervise
from engine.desk.dialling import SetNight
from engine.desk.phone import (
    CompleteConsult,
    Consult,
    DialNumber,
    GoBackToCaller,
    HandOn,
    HoldCall,
    ParkCaller,
    RecallCaller,
    TakeCall,
)
from engine.desk.services import RunService
from engine.pbx.rights import Asker
from engine.store.configuration import Role
from engine.store.outside import Night
from tests.unit.tui.conftest import Office, OfficeMaker
from tests.unit.tui.fake_desk import FRONT, own_talk, waiting_calls
from tui.screens.call_detail import CallDetail
from tui.screens.cards import PersonCard
from tui.screens.switchboard import SwitchboardScreen
from tui.waiting import LOUD_S, LOUDEST_S
from tui.widgets.live_list import LiveList

Desk = Callable[..., AbstractAsyncContextManager[Office]]


@pytest.fixture
def desk(office: OfficeMaker) -> Desk:
    @asynccontextmanager
    async def run(
        size: tuple[int, int] = (120, 34), *, talks: bool = False, asks: bool = False, asker: Asker = FRONT
    ) -> AsyncIterator[Office]:
        async with office(size, asker=asker) as here:
            here.desk.furnish_waiting()
            if talks or asks:
                here.desk.change(calls=(own_talk(here.clock.wall(), asks=asks), *here.desk.view.calls))
            here.draw()
            await here.pilot.pause()
            yield here

    return run


def panel(here: Office, name: str) -> LiveList:
    assert isinstance(here.app.screen, SwitchboardScreen)
    return here.app.screen.query_one(f"#{name}", LiveList)


def asked(here: Office) -> list[object]:
    """What was asked of the office, looking apart."""
    looks = (LookUpCaller, ListContacts)
    return [command for _who, command in here.desk.commands if not isinstance(command, looks)]


# -- who waits ---------------------------------------------------------------------------------------------------


async def test_callers_wait_longest_first_with_what_is_known_of_them(desk: Desk) -> None:
    async with desk() as here:
        assert [row.key for row in panel(here, "waiting").rows] == ["a001", "a002", "a003", "a004"]
        lines = here.text.splitlines()
        first = next(line for line in lines if "+49305550199" in line)
        assert "▲" in first
        assert "0:42" in first
        assert "Weber GmbH" in first
        assert "for 4400" in first
        assert any("for 4401" in line for line in lines)
        assert any("↩ 102" in line for line in lines)


async def test_waiting_callers_are_no_live_calls(desk: Desk) -> None:
    async with desk() as here:
        assert not {"a001", "a002"} & {row.key for row in panel(here, "calls").rows}


@pytest.mark.parametrize("size", [(80, 24), (99, 30), (100, 30), (120, 34), (250, 70)])
async def test_waiting_and_people_are_on_screen_together(desk: Desk, size: tuple[int, int]) -> None:
    async with desk(size) as here:
        assert "+49305550199" in here.text
        assert "101 Anna Berger" in here.text
        assert "102 Bo Chen 陈波" in here.text


async def test_rows_keep_their_place_and_the_cursor_its_caller(desk: Desk) -> None:
    async with desk() as here:
        await here.pilot.press("down")
        waiting = panel(here, "waiting")
        assert waiting.cursor == "a002"
        gone = tuple(call for call in here.desk.view.calls if call.id != "a002")
        new = replace(waiting_calls(here.clock.wall())[2], id="a000")
        here.desk.change(calls=(new, *gone))
        here.draw(1)
        assert [row.key for row in waiting.rows] == ["a001", "a002", "a003", "a004", "a000"]
        assert "hung up" in here.text
        await here.pilot.press("enter")
        await here.pilot.pause()
        assert "this call has ended or somebody has answered it" in here.text
        assert asked(here) == []
        here.draw(20)
        assert waiting.cursor is None


async def test_who_answered_elsewhere_is_said(desk: Desk) -> None:
    async with desk() as here:
        talk = own_talk(here.clock.wall())
        taken = (talk.parties[0], replace(talk.parties[1], extension="103"))
        calls = tuple(
            replace(call, waits_for=(), state=talk.state, parties=taken) if call.id == "a001" else call
            for call in here.desk.view.calls
        )
        here.desk.change(calls=calls)
        here.draw(1)
        await here.pilot.pause()
        assert "taken by 103" in here.text
        assert "a001" in {row.key for row in panel(here, "calls").rows}
        here.desk.change(calls=here.desk.view.calls[2:])
        here.draw(1)
        assert "a002" not in {row.key for row in panel(here, "calls").rows}


async def test_a_caller_whom_nobody_answers_becomes_louder(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async with desk() as here:
        rung: list[float] = []
        titles: list[str] = []
        monkeypatch.setattr(here.app, "bell", lambda: rung.append(here.clock.now()))
        monkeypatch.setattr(here.app, "tell_title", titles.append)
        here.desk.change(calls=(waiting_calls(here.clock.wall())[3],))
        here.draw(30)
        waiting = panel(here, "waiting")
        rung.clear()
        for _ in range(20):
            here.draw(1)
        assert len(rung) == 4
        assert waiting.has_class("-louder")
        here.draw(LOUDEST_S - LOUD_S)
        lit = []
        for _ in range(4):
            here.draw(1)
            lit.append(waiting.has_class("-flash"))
        assert lit in ([True, False] * 2, [False, True] * 2)
        assert titles[-1] == "1 waiting"
        here.desk.change(calls=())
        here.draw(1)
        assert titles[-1] == ""
        assert not waiting.has_class("-louder")


async def test_a_new_caller_is_heard_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async with desk() as here:
        rung: list[float] = []
        here.desk.change(calls=())
        here.draw(30)
        monkeypatch.setattr(here.app, "bell", lambda: rung.append(here.clock.now()))
        new = replace(waiting_calls(here.clock.wall())[3], id="new")
        here.desk.change(calls=(new,))
        here.draw(0.25)
        here.draw(0.25)
        assert len(rung) == 1


async def test_who_has_no_phone_has_no_waiting_callers(office: OfficeMaker) -> None:
    async with office() as here:
        assert not panel(here, "waiting").display
        assert "consult" not in here.text.splitlines()[-1]


async def test_people_show_protection_and_park_slots(desk: Desk) -> None:
    async with desk() as here:
        assert "104 Chef" in here.text
        assert "⛨" in next(line for line in here.text.splitlines() if "104 Chef" in line)
        slot = next(line for line in here.text.splitlines() if "P1 Huber" in line)
        assert "P 0:31" in slot
        assert "↩ 0:29" in slot
        assert "P2" in here.text


# -- answering ---------------------------------------------------------------------------------------------------


async def test_enter_answers(desk: Desk) -> None:
    async with desk() as here:
        await here.pilot.press("enter")
        await here.pilot.pause()
        assert asked(here) == [TakeCall("a001")]
        assert "answering +49305550199 Weber GmbH" in here.text


async def test_a_phone_without_orders_is_left_to_the_hand(desk: Desk) -> None:
    async with desk() as here:
        here.desk.takes_orders = False
        await here.pilot.press("enter")
        await here.pilot.pause()
        assert "your phone takes no orders: lift the handset" in here.text
        here.desk.change(calls=(own_talk(here.clock.wall()),))
        here.draw()
        await here.pilot.press("f3")
        await here.pilot.pause()
        assert asked(here)[-1] == HoldCall("b001", True)
        assert "your phone takes no orders: press its hold key" in here.text


async def test_space_goes_from_caller_to_caller(desk: Desk) -> None:
    async with desk() as here:
        await here.pilot.press("tab", "space")
        seen = [panel(here, "waiting").cursor]
        for _ in range(4):
            await here.pilot.press("space")
            seen.append(panel(here, "waiting").cursor)
        assert seen == ["a001", "a002", "a003", "a004", "a001"]
        await here.pilot.press("enter")
        assert asked(here) == [TakeCall("a001")]


async def test_another_operator_was_quicker(desk: Desk) -> None:
    async with desk() as here:
        here.desk.fail_next = RefusedError("call a001 has been answered by 103", "take the next one")
        await here.pilot.press("enter")
        await here.pilot.pause()
        assert "✕ call a001 has been answered by 103: take the next one" in here.text


async def test_a_viewer_answers_nothing(desk: Desk, office: OfficeMaker) -> None:
    async with office(asker=Asker("guest", Role.VIEWER, "106")) as here:
        here.desk.logins["guest"] = Asker("guest", Role.VIEWER, "106")
        here.desk.furnish_waiting()
        here.draw()
        await here.pilot.press("space", "enter", "f5", "f6", "plus", "f9")
        await here.pilot.pause()
        assert asked(here) == []
        assert "your role only looks on" in here.text


# -- calling and giving away -------------------------------------------------------------------------------------


async def test_a_name_is_typed_and_called(desk: Desk) -> None:
    async with desk() as here:
        await here.pilot.press("c", "h", "e", "n", "enter")
        await here.pilot.pause()
        assert asked(here) == [DialNumber("102")]
        assert "your phone calls 102 Bo Chen 陈波" in here.text
        assert panel(here, "waiting").has_focus


@pytest.mark.parametrize(("typed", "number"), [("9030555", "9030555"), ("*97", "*97"), ("+4930", "+4930")])
async def test_a_number_is_typed_and_dialled(desk: Desk, typed: str, number: str) -> None:
    async with desk() as here:
        names = {"*": "asterisk", "+": "plus"}
        await here.pilot.press(*(names.get(sign, sign) for sign in typed))
        assert f"dial {number}" in here.text
        await here.pilot.press("enter")
        await here.pilot.pause()
        assert asked(here) == [DialNumber(number)]


async def test_enter_on_a_person_transfers_the_call_at_hand(desk: Desk) -> None:
    async with desk(talks=True) as here:
        assert "in a call with +498912345 Kanzlei Roth   1:15" in here.text
        await here.pilot.press("c", "h", "e", "n", "enter")
        await here.pilot.pause()
        assert asked(here) == [HandOn("b001", "102")]
        here.desk.change(calls=())
        here.draw()
        assert "transferred: +498912345 Kanzlei Roth to 102 Bo Chen 陈波" in here.text
        assert "██████████ undo in 20 s: press U" in here.text


async def test_f6_transfers_and_asks_for_whom_without_one(desk: Desk) -> None:
    async with desk(talks=True) as here:
        await here.pilot.press("f6")
        assert "type a name or number, then press F6 again" in here.text
        await here.pilot.press("1", "0", "8", "f6")
        await here.pilot.pause()
        assert asked(here) == [HandOn("b001", "108")]


async def test_without_a_call_nothing_is_given_away(desk: Desk) -> None:
    async with desk() as here:
        for key in ("f5", "f6", "f3"):
            await here.pilot.press(key)
            assert "you are in no call: answer one first" in here.text
            here.draw(17)
        assert asked(here) == []


async def test_u_fetches_the_caller_back_while_there_is_time(desk: Desk) -> None:
    async with desk(talks=True) as here:
        await here.pilot.press("1", "0", "2", "enter")
        await here.pilot.pause()
        here.desk.change(calls=())
        here.draw(8)
        assert "██████░░░░ undo in 12 s: press U" in here.text
        await here.pilot.press("U")
        await here.pilot.pause()
        assert asked(here) == [HandOn("b001", "102"), RecallCaller()]
        assert "+498912345 Kanzlei Roth comes back to your phone" in here.text
        await here.pilot.press("U")
        assert "search: U" in here.text


async def test_undo_is_seen_beside_a_search_and_goes_after_its_time(desk: Desk) -> None:
    async with desk(talks=True) as here:
        await here.pilot.press("1", "0", "2", "enter")
        await here.pilot.pause()
        await here.pilot.press("k")
        assert "undo in 20 s: press U" in here.text
        here.draw(21)
        await here.pilot.pause()
        assert "undo" not in here.text
        await here.pilot.press("escape", "U")
        assert asked(here) == [HandOn("b001", "102")]


async def test_undo_stands_beside_the_next_call(desk: Desk) -> None:
    async with desk(talks=True) as here:
        await here.pilot.press("1", "0", "2", "enter")
        await here.pilot.pause()
        next_call = replace(own_talk(here.clock.wall()), id="b002", caller="+4940", caller_name="Ahrens")
        here.desk.change(calls=(next_call,))
        here.draw(2)
        assert "in a call with +4940 Ahrens" in here.text
        assert "undo in 18 s: press U" in here.text


async def test_f5_parks_on_a_free_slot(desk: Desk) -> None:
    async with desk(talks=True) as here:
        await here.pilot.press("f5")
        await here.pilot.pause()
        assert asked(here) == [ParkCaller("b001")]
        here.desk.change(calls=())
        here.draw()
        assert "parked: +498912345 Kanzlei Roth on P2" in here.text
        await here.pilot.press("U")
        await here.pilot.pause()
        assert asked(here)[-1] == RecallCaller()


async def test_enter_on_a_slot_fetches_who_waits_there(desk: Desk) -> None:
    async with desk() as here:
        await here.pilot.press("p", "1", "enter")
        await here.pilot.pause()
        assert asked(here) == [RunService("retrieve", "106", ("argument=1",))]
        await here.pilot.press("escape", "p", "2", "enter")
        assert "nobody is parked on P2" in here.text


async def test_plus_asks_first_and_completes(desk: Desk) -> None:
    async with desk(talks=True) as here:
        await here.pilot.press("plus")
        assert "type a name or number, then press + again" in here.text
        await here.pilot.press("1", "0", "2", "plus")
        await here.pilot.pause()
        assert asked(here) == [Consult("b001", "102")]
        here.desk.change(calls=(own_talk(here.clock.wall(), asks=True),))
        here.draw(10)
        assert "asking 102 Bo Chen 陈波   + connects them, Esc goes back to Kanzlei Roth" in here.text
        await here.pilot.press("plus")
        await here.pilot.pause()
        assert asked(here)[-1] == CompleteConsult("b001")
        here.desk.change(calls=())
        here.draw(3)
        assert "undo in 17 s" in here.text


async def test_escape_goes_back_to_the_caller(desk: Desk) -> None:
    async with desk(asks=True) as here:
        await here.pilot.press("escape")
        await here.pilot.pause()
        assert asked(here) == [GoBackToCaller("b001")]
        assert "back to +498912345 Kanzlei Roth" in here.text


async def test_minus_ends_the_call_at_hand_after_a_question(desk: Desk) -> None:
    async with desk(talks=True) as here:
        await here.pilot.press("minus", "y")
        await here.pilot.pause()
        assert asked(here) == [ReleaseCall("b001", 1)]


async def test_f7_breaks_into_the_chosen_persons_call(desk: Desk) -> None:
    async with desk() as here:
        await here.pilot.press("f7")
        assert "choose a call, or a person who is in one, and press F7 again" in here.text
        await here.pilot.press("1", "0", "7", "f7")
        await here.pilot.pause()
        assert asked(here) == [Supervise(Deed.BARGE_IN, "6b11", revision=1)]


async def test_f9_turns_the_night_switch(desk: Desk) -> None:
    async with desk() as here:
        assert "☾ auto" in here.text
        await here.pilot.press("f9")
        await here.pilot.pause()
        assert asked(here) == [SetNight(Night.ON)]


async def test_f2_opens_what_stands_behind_a_row(desk: Desk) -> None:
    async with desk() as here:
        await here.pilot.press("f2")
        assert isinstance(here.app.screen, CallDetail)
        await here.pilot.press("escape", "1", "0", "2", "f2")
        assert isinstance(here.app.screen, PersonCard)


async def test_a_refused_transfer_leaves_everything_as_it_was(desk: Desk) -> None:
    async with desk(talks=True) as here:
        here.desk.fail_next = RefusedError("102 is busy", "park the caller, or choose somebody else")
        await here.pilot.press("1", "0", "2", "enter")
        await here.pilot.pause()
        assert "✕ 102 is busy: park the caller, or choose somebody else" in here.text
        here.draw(17)
        await here.pilot.pause()
        assert "undo" not in here.text


async def test_who_is_waited_for_to_be_free_is_shown(desk: Desk) -> None:
    async with desk() as here:
        here.desk.change(camps=(("106", "107"), ("101", "105")), calls=())
        here.draw(20)
        await here.pilot.pause()
        here.draw(1)
        lines = here.text.splitlines()
        assert "⧗" in next(line for line in lines if "107 Nora Vogt" in line and "busy" in line)
        assert "⧗" not in next(line for line in lines if "105 Ida Lange" in line)
        assert "⧗ your phone rings as soon as 107 Nora Vogt is free" in here.text


# -- what is known of callers ------------------------------------------------------------------------------------


async def test_whom_a_caller_talked_to_last_is_shown_or_that_it_is_new(desk: Desk) -> None:
    async with desk() as here:
        await here.pilot.pause()
        lines = here.text.splitlines()
        assert "last: 103" in next(line for line in lines if "+49305550199" in line)
        assert "first call" in next(line for line in lines if "+49171234567" in line)
        assert "last" not in next(line for line in lines if "anonymous" in line)
        looked = [command for _who, command in here.desk.commands if isinstance(command, LookUpCaller)]
        assert len(looked) == 3  # each number once


async def test_a_note_stands_below_when_the_number_calls_again(desk: Desk) -> None:
    async with desk() as here:
        await here.shows("◆ asks for Anna")
    async with desk(talks=True) as here:
        await here.shows("◆ wants an invoice")


async def test_f4_writes_a_note_and_takes_it_away(desk: Desk) -> None:
    async with desk() as here:
        await here.pilot.pause()
        await here.pilot.press("f4", "home", *"x:", "enter")
        await here.pilot.pause()
        assert asked(here) == [SetNote("+49305550199", "x:asks for Anna")]
        assert "noted on +49305550199" in here.text
        await here.pilot.press("f4")
        await here.pilot.press("escape")
        assert len(asked(here)) == 1
        await here.pilot.press("space", "space", "f4")
        await here.pilot.pause()
        assert "choose a caller with a number, and press F4 again" in here.text


async def test_a_contact_is_found_by_its_name_and_called(desk: Desk) -> None:
    async with desk() as here:
        await here.pilot.press("b", "o")
        await here.shows("Bodo Heinz +493034")
        await here.pilot.press("end", "enter")
        await here.pilot.pause()
        assert asked(here) == [DialNumber("+493034")]


async def test_f8_reaches_a_person_whatever_stands_in_the_way(desk: Desk) -> None:
    async with desk() as here:
        await here.pilot.press("f8")
        assert "choose a person, or type a name, and press F8 again" in here.text
        await here.pilot.press("1", "0", "4", "f8")
        await here.pilot.pause()
        assert asked(here) == [Override("104")]
        assert "your phone calls 104 Chef, whatever stands in the way" in here.text


@pytest.mark.parametrize(
    ("size", "is_told"), [((20, 6), True), ((59, 24), True), ((80, 14), True), ((60, 15), False)]
)
async def test_a_terminal_too_small_says_so(desk: Desk, size: tuple[int, int], is_told: bool) -> None:
    async with desk(size) as here:
        assert ("too small: use 80×24"[: size[0]] in here.text) is is_told


# -- emergency calls ---------------------------------------------------------------------------------------------


async def test_an_emergency_call_holds_the_screen_until_it_is_seen(desk: Desk) -> None:
    async with desk() as here:
        call = replace(here.desk.view.calls[-1], id="e911", callee="112", is_emergency=True)
        here.desk.change(calls=(*here.desk.view.calls, call))
        here.draw(1)
        await here.shows("EMERGENCY CALL")
        assert "107 Nora Vogt calls 112" in here.text
        assert "192.0.2.26:5060" in here.text
        await here.pilot.press("enter", "escape", "a", "y", "space", "minus")
        assert "EMERGENCY CALL" in here.text
        assert asked(here) == []
        here.desk.change(calls=here.desk.view.calls[:-1])
        here.draw(1)
        assert "EMERGENCY CALL" in here.text  # whoever comes late must see it, too
        await here.pilot.press("f10")
        await here.pilot.pause()
        here.draw(1)
        assert "EMERGENCY CALL" not in here.text


async def test_a_second_emergency_call_is_shown_after_the_first(desk: Desk) -> None:
    async with desk() as here:
        first = replace(here.desk.view.calls[-1], id="e1", callee="112", is_emergency=True)
        second = replace(first, id="e2", caller="102", caller_name="Bo")
        here.desk.change(calls=(first, second))
        here.draw(1)
        await here.shows("107 Nora Vogt calls 112")
        await here.pilot.press("f10")
        here.draw(1)
        await here.shows("102 Bo calls 112")
        await here.pilot.press("f10")
        here.draw(1)
        await here.pilot.pause()
        assert "EMERGENCY" not in here.text
