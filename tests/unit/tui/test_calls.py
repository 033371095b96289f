"""The Calls screen on a real desk: the history chosen, counted, saved, and called back from."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.core.errors import RefusedError
from engine.core.ids import CallId
from engine.core.views import CallRecord, ReleasedBy
from engine.desk.commands import AddOperator, ExtensionFields, OperatorFields, SetExtension
from engine.pbx.rights import Asker
from engine.store.configuration import Role
from engine.store.store import Store
from tests.unit.desk.fakes import FakeOffice
from tests.unit.tui.conftest import MONDAY
from tests.unit.tui.house import VERA, House, Open, house
from tui.moments import read_moment
from tui.plot import bar_lines
from tui.screens.ask_fields import AskFields
from tui.screens.call_detail import CallDetail

__all__ = ["house"]

RITA = Asker("rita", Role.RECEPTIONIST, "102")
PEOPLE = (
    AddOperator("rita", OperatorFields(password="secret", role=Role.RECEPTIONIST, extension="102")),
    SetExtension("101", ExtensionFields(name="Anna Berger")),
)


def a_call(name: str, minutes: int, **fields: Any) -> CallRecord:
    start = MONDAY - timedelta(minutes=minutes)
    return replace(
        CallRecord(
            CallId(name), CallId(name), "101", "102", start, start + timedelta(seconds=95), ReleasedBy.CALLER,
            "normal", answered_at=start + timedelta(seconds=5), codec="PCMA", mos=4.4,
        ),
        **fields,
    )  # fmt: skip


class Phone:
    """The operator's own."""

    def __init__(self) -> None:
        self.dialled: list[tuple[str, str]] = []

    async def dial(self, number: str, own: str) -> None:
        self.dialled.append((number, own))


class PhoneOffice(FakeOffice):
    def __init__(self) -> None:
        super().__init__()
        self.operator_phone = Phone()


HISTORY = (
    a_call("a1", 3, caller="+49305550199", callee="101", trunk_in="berlin", mos=3.1, recording="recordings/a1.wav"),
    a_call("a2", 9, caller="101", callee="90301234", trunk_out="berlin", released_by=ReleasedBy.CALLEE),
    a_call("a3", 65, answered_at=None, cause="486 Busy Here", mos=None, codec=None),
    a_call("a4", 70, caller="+498941", callee="102", trunk_in="berlin", answered_at=None, cause="480 No Answer"),
    *(a_call(f"b{place}", 120 + 7 * place, caller="102", callee="101") for place in range(40)),
)


def keep_calls(store: Store) -> None:
    for record in reversed(HISTORY):
        store.put_record(record)


@pytest.fixture
def history(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "state")
    keep_calls(store)
    store.close()


async def choose(home: House, **fields: str) -> None:
    await home.press("f")
    assert isinstance(home.app.screen, AskFields)
    await home.type_in(**fields)
    await home.press("f10")


async def test_an_empty_history_says_so(house: Open) -> None:
    async with house(screen="calls") as home:
        await home.shows("no calls yet")
        assert "n adds" not in home.office.text


@pytest.mark.usefixtures("history")
async def test_calls_are_listed_with_their_quality_and_counted(house: Open) -> None:
    async with house(screen="calls", more=PEOPLE) as home:
        await home.shows("+49305550199")
        await home.shows("3.1 !")
        await home.shows("line busy")
        await home.shows("recordings/a1.wav")
        await home.shows("44 calls in 24 hours")
        await home.shows("2 not answered   at most 9 an hour")
        await home.press("down", "down")
        await home.shows("486 Busy Here")


async def test_numbers_of_strangers_and_typed_words_are_no_markup(house: Open, tmp_path: Path) -> None:
    """A caller from outside says of itself what it likes."""
    store = Store.open(tmp_path / "state")
    store.put_record(a_call("a1", 3, caller="[/x]", callee="101", trunk_in="berlin"))
    store.close()
    async with house(screen="calls", more=PEOPLE) as home:
        await home.shows("[/x] → 101")
        await choose(home, who="[/x]")
        await home.shows("Call history   [/x]")


@pytest.mark.usefixtures("history")
async def test_calls_are_chosen_by_who_how_when_and_trunk(house: Open) -> None:
    async with house(screen="calls", more=PEOPLE) as home:
        await home.shows("+49305550199")
        await choose(home, outcome="missed")
        await home.until(lambda: "+49305550199" not in home.office.text)
        await home.shows("+498941")
        await home.shows("Call history   missed")
        await choose(home, outcome="all", who="anna", since="20m")
        await home.shows("90301234")
        await home.until(lambda: "+498941" not in home.office.text)
        await home.press("f")
        await home.type_in(since="yesterday")
        await home.shows("'yesterday' is no time")
        await home.type_in(since="", trunk="nowhere")
        await home.shows("there is no trunk 'nowhere'")
        await home.type_in(trunk="berlin", outcome="lost")
        await home.shows("'lost' is not known")
        await home.type_in(outcome="answered", who="")
        await home.press("f10")
        await home.until(lambda: "+498941" not in home.office.text and "90301234" in home.office.text)


@pytest.mark.usefixtures("history")
async def test_a_call_opens_its_messages(house: Open) -> None:
    async with house(screen="calls") as home:
        await home.shows("+49305550199")
        await home.press("enter")
        assert isinstance(home.app.screen, CallDetail)


@pytest.mark.usefixtures("history")
async def test_who_called_is_called_back_by_the_own_phone(house: Open) -> None:
    office = PhoneOffice()
    async with house(RITA, screen="calls", more=PEOPLE, office=office) as home:
        await home.shows("+49305550199")
        await home.press("c")
        await home.shows("Call with your phone")
        await home.type_in(number="")
        await home.shows("'' cannot be dialled")
        await home.type_in(number="90305550199")
        await home.press("enter")
        await home.until(lambda: office.operator_phone.dialled == [("90305550199", "102")])
        await home.shows("your phone rings, then it calls 90305550199")


@pytest.mark.usefixtures("history")
async def test_a_viewer_calls_nobody_and_saves_nothing(house: Open) -> None:
    async with house(VERA, screen="calls") as home:
        await home.shows("+49305550199")
        await home.press("c", "x", "d", "n")
        assert not isinstance(home.app.screen, AskFields)
        assert "save as CSV" not in home.office.text


@pytest.mark.usefixtures("history")
async def test_what_is_chosen_is_saved_as_csv(house: Open, tmp_path: Path) -> None:
    async with house(screen="calls") as home:
        await home.shows("+49305550199")
        await choose(home, outcome="missed")
        await home.until(lambda: "+49305550199" not in home.office.text)
        await home.press("x")
        await home.shows("saved in")
        (file,) = (tmp_path / "state" / "exports").iterdir()
        lines = file.read_text().splitlines()
        assert lines[0].startswith("id,linked_id,caller,callee")
        assert [line.split(",")[0] for line in lines[1:]] == ["a3", "a4"]
        assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("history")
async def test_older_calls_are_asked_for(house: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.screens.history.PAGE", 10)
    async with house(screen="calls") as home:
        await home.shows("the newest 10; o asks for older ones")
        await home.press("o", "o", "o", "o")
        await home.until(lambda: "older" not in home.office.text)


def test_a_moment_is_read_where_the_office_is() -> None:
    zone = MONDAY.tzinfo
    assert read_moment("", MONDAY, zone) is None
    assert read_moment("2h", MONDAY, zone) == MONDAY - timedelta(hours=2)
    assert read_moment("9:30", MONDAY, zone) == MONDAY.replace(minute=30, second=0)
    assert read_moment("2026-03-01", MONDAY, zone) == MONDAY.replace(day=1, hour=0, minute=0, second=0)
    with pytest.raises(RefusedError):
        read_moment("25:99", MONDAY, zone)


def test_bars_fill_the_height_and_show_the_least() -> None:
    assert bar_lines([0, 1, 16, 8], 2, "12345678") == ["  8 ", " 188"]
    assert bar_lines([4], 1, "12345678", top=8, wide=2) == ["4 "]
    assert bar_lines([], 1, "12345678") == [""]
