"""The linear console: what happens is said once, what is typed is done, what is refused is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.core.clock import SystemClock
from engine.core.deeds import Deed
from engine.core.errors import RefusedError
from engine.core.ids import CallId
from engine.core.views import CallState, PartyRole, PartyState, PartyView
from engine.desk.commands import ReleaseCall
from engine.desk.deeds import Override, Supervise
from engine.desk.dialling import SetNight
from engine.desk.phone import (
    CompleteConsult,
    Consult,
    DialNumber,
    GoBackToCaller,
    HandOn,
    ParkCaller,
    RecallCaller,
    TakeCall,
)
from engine.store.outside import Night
from tests.unit.tui.fake_desk import FRONT, FakeDesk, call_view
from tui.linear import COMMANDS, LinearConsole


class Reader:
    """A screen reader in front of the made-up office."""

    def __init__(self) -> None:
        self.clock = SystemClock()
        self.desk = FakeDesk(self.clock).furnish()
        self.desk.logins["front"] = FRONT
        self.desk.change(calls=())
        self.said: list[str] = []
        self.console = LinearConsole(self.desk, FRONT, self.clock, self.said.append)
        self.console.greet()

    def hears(self) -> list[str]:
        """What was said since the last time."""
        said, self.said[:] = [*self.said], []
        return said

    def waits(self, name: str = "aa01", caller: str = "+4930555") -> None:
        at = self.clock.wall()
        call = call_view(name, caller, "106", at, CallState.RINGING)
        call = replace(call, waits_for=("106",), waits_since=at - timedelta(seconds=7), caller_name="Weber")
        self.desk.change(calls=(*self.desk.view.calls, call))
        self.console.look()

    def talks(self) -> None:
        at = self.clock.wall()
        call = call_view("bb02", "+4930555", "106", at, CallState.TALKING)
        parties = (
            PartyView("+4930555", PartyRole.CALLER, "PCMA", PartyState.TALKING),
            PartyView("106", PartyRole.CALLEE, "PCMA", PartyState.TALKING),
        )
        self.desk.change(calls=(replace(call, parties=parties, waits_for=(), caller_name="Weber"),))
        self.console.look()

    async def types(self, line: str) -> list[str]:
        self.hears()
        await self.console.obey(line)
        return self.hears()

    @property
    def asked(self) -> object:
        return self.desk.commands[-1][1]


@pytest.fixture
def reader() -> Reader:
    return Reader()


def test_it_greets_and_says_who_waits_once(reader: Reader) -> None:
    assert reader.hears() == [
        "Frontdesk, Muster GmbH. Type help for what can be typed.", "Nobody waits for you.",
    ]  # fmt: skip
    reader.waits()
    assert reader.hears() == ["+4930555 Weber waits for you."]
    reader.console.look()
    assert reader.hears() == []
    reader.desk.change(calls=())
    reader.console.look()
    assert reader.hears() == ["+4930555 Weber waits no more."]


async def test_a_caller_is_answered_and_handed_on(reader: Reader) -> None:
    reader.waits()
    assert await reader.types("answer") == ["+4930555 Weber is taken."]
    assert reader.asked == TakeCall(CallId("aa01"))
    reader.talks()
    assert reader.hears() == ["+4930555 Weber waits no more.", "You are in a call with +4930555 Weber."]
    for line, command in (
        ("transfer 102", HandOn(CallId("bb02"), "102")),
        ("ask 103", Consult(CallId("bb02"), "103")),
        ("connect", CompleteConsult(CallId("bb02"))),
        ("back", GoBackToCaller(CallId("bb02"))),
        ("park", ParkCaller(CallId("bb02"))),
        ("undo", RecallCaller()),
        ("dial 9123", DialNumber("9123")),
        ("listen 101", Supervise(Deed.LISTEN, "101")),
        ("barge 101", Supervise(Deed.BARGE_IN, "101")),
        ("override 104", Override("104")),
        ("night on", SetNight(Night.ON)),
        ("rel", ReleaseCall(CallId("bb02"))),
    ):
        assert len(await reader.types(line)) == 1
        assert reader.asked == command
    reader.desk.change(calls=())
    reader.console.look()
    assert reader.hears() == ["Your call is over."]


async def test_what_is_asked_is_told(reader: Reader) -> None:
    reader.waits()
    told = await reader.types("waiting")
    assert told == ["1 caller waits for you.", "+4930555 Weber, for 0:07, dialled 106"]
    assert (await reader.types("calls"))[0] == "1 call."
    assert await reader.types("people anna") == ["1 extension.", "101 Anna Berger, busy"]
    assert len(await reader.types("help")) == len(COMMANDS)


async def test_what_cannot_be_is_said(reader: Reader) -> None:
    for line, said in (
        ("jump", "There is no command 'jump'. Type help."),
        ("transfer", "Say which number: transfer 102"),
        ("transfer 102", "You are in no call."),
        ("answer", "Nobody waits for you."),
        ("night perhaps", "Say night on, night off or night auto."),
        ("\x1b[2J", "There is no command '�[2j'. Type help."),
    ):
        assert await reader.types(line) == [said]
    assert await reader.types("   ") == []
    reader.desk.fail_next = RefusedError("106 may not override", "ask the administrator")
    assert await reader.types("override 104") == ["106 may not override: ask the administrator"]


async def test_it_is_left_by_a_word_and_when_the_login_goes(reader: Reader) -> None:
    await reader.console.obey("leave")
    assert reader.console.is_left
    other = Reader()
    del other.desk.logins["front"]
    other.hears()
    other.console.look()
    assert other.console.is_left
    assert other.hears() == ["Your login has been removed."]
