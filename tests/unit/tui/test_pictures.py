"""Every screen looks as it was looked at: SVG pictures with a clock that stands still.

``FRONTDESK_PICTURES=write`` draws them anew; then look at them before committing.
"""

from __future__ import annotations

import os
import re
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from engine.core.views import CallRecord, CallView, ReleasedBy, TrunkState, TrunkView
from engine.desk import machine_commands
from engine.desk.dialling import (
    AddInbound,
    AddLevel,
    AddRoute,
    AddSchedule,
    AddScreenRow,
    InboundFields,
    PutAddress,
    RouteFields,
)
from engine.desk.services import AddGroup, GroupFields
from engine.store.services import GroupKind, HuntOrder
from engine.store.store import Store
from tests.unit.tui.conftest import MONDAY, Office, OfficeMaker
from tests.unit.tui.fake_desk import FRONT, own_talk, waiting_calls
from tests.unit.tui.house import Open, house
from tests.unit.tui.test_calls import keep_calls
from tests.unit.tui.test_operators import keep_audit
from tests.unit.tui.test_services import lua_office
from tests.unit.tui.test_system import MACHINE, BusyOffice, lines
from tui.screens.key_map import KeyMapDialog

__all__ = ["house"]

PICTURES = Path(__file__).parent / "pictures"
SCREENS: dict[str, tuple[str, ...]] = {
    "switchboard": (),
    "search": ("c", "h", "e"),
    "release": ("minus",),
    "call": ("enter",),
    "message": ("enter", "down", "down", "down", "enter"),
    "compare": ("enter", "d", "down", "down", "down"),
    "call-help": ("enter", "f1"),
    "help": ("f1",),
    "extensions": ("ctrl+right",),
    "form": ("ctrl+right", "n", "1", "0", "1"),
}
MOST_LOOKS = 40
SMALL, USUAL, LARGE, WALL = (80, 24), (120, 34), (200, 60), (250, 70)
VIEWS = [
    *((screen, size) for screen in ("switchboard", "extensions", "form", "call") for size in (SMALL, USUAL, LARGE)),
    *((screen, USUAL) for screen in ("search", "release", "help", "compare", "call-help")),
    ("message", SMALL),
]
"""What fills the screen at three sizes; what lies over it at one."""


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize(("screen", "size"), VIEWS)
async def test_screen_looks_as_before(
    office: OfficeMaker, screen: str, size: tuple[int, int], language: str, tmp_path: Path
) -> None:
    async with office(size, language=language) as here:
        await here.pilot.press(*SCREENS[screen])
        await _compare(here, f"{screen}-{size[0]}x{size[1]}-{language}", tmp_path)


@pytest.mark.parametrize("theme", ["frontdesk-light", "frontdesk-contrast"])
async def test_theme_looks_as_before(office: OfficeMaker, theme: str, tmp_path: Path) -> None:
    async with office() as here:
        here.app.set_theme(theme)
        await _compare(here, theme, tmp_path)


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("size", [SMALL, USUAL, LARGE])
async def test_ended_calls_look_as_before(
    office: OfficeMaker, size: tuple[int, int], language: str, tmp_path: Path
) -> None:
    async with office(size, language=language) as here:
        talked, rang, *rest = here.desk.view.calls
        ended = (record_of(talked, "normal"), record_of(rang, "480 No Answer"), record_of(rest[0], "486 Busy Here"))
        here.desk.change(calls=tuple(rest[1:]), ended=ended)
        here.draw(1)
        await _compare(here, f"ended-{size[0]}x{size[1]}-{language}", tmp_path)


DIALLING = ("routes", "inbound", "levels", "schedules")
FURNITURE = (
    AddLevel("abroad", 4),
    AddSchedule("lunch", "mo-fr 12:00-13:00", ("12-25", "2026-04-06")),
    AddRoute(RouteFields("900", strip=1, prepend="0", level="abroad", when="office", trunks=("berlin",))),
    AddRoute(RouteFields("112", trunks=("berlin",), is_emergency=True)),
    AddRoute(RouteFields("0", caller="10", extension="102")),
    AddInbound(InboundFields("berlin", "4930555", extension="101", when="office")),
    AddInbound(InboundFields("berlin", "4930555", service="echo")),
    AddGroup("600", GroupFields(GroupKind.RING, ("101", "102"))),
    AddGroup("610", GroupFields(GroupKind.HUNT, ("102", "101"), order=HuntOrder.ROUND_ROBIN, timeout=15)),
    AddGroup("620", GroupFields(GroupKind.PICKUP, ("101", "102"))),
    AddScreenRow("anonymous", "*"),
    AddScreenRow("+49900", "*", rate=80),
    AddScreenRow("+4930", "101", is_white=True),
    PutAddress("198.51.100.0/24", is_white=False),
    PutAddress("2001:db8::/32", is_white=True),
)
"""What the lists show."""
LINES = (
    TrunkView(
        "telekom", TrunkState.REGISTERED, active_in=3, active_out=2, max_in=8, max_out=8, refused_in=3,
        server="192.0.2.5:5060", state_since=MONDAY - timedelta(hours=3), refusals=(("in: limit reached", 3),),
        history=tuple((place % 5, place % 3) for place in range(45)),
    ),
    TrunkView("sipgate", TrunkState.STATIC, active_in=4, max_in=4, max_out=0, server="[2001:db8::5]:5061"),
    TrunkView(
        "gsm-gw", TrunkState.FAILED, max_in=None, max_out=2, last_error_at=MONDAY - timedelta(minutes=8),
        last_error="the carrier refuses to register 'gsm' (403 Forbidden): see that user and password are right",
    ),
)  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("size", [SMALL, USUAL, LARGE])
@pytest.mark.parametrize("screen", ["lines", "trunks"])
async def test_lines_look_as_before(
    office: OfficeMaker, screen: str, size: tuple[int, int], language: str, tmp_path: Path
) -> None:
    """On the Switchboard and on their own screen."""
    async with office(size, language=language) as here:
        here.desk.change(trunks=LINES)
        here.draw(1)
        if screen == "trunks":
            here.app.action_show_screen("trunks")
        await _compare(here, f"{screen}-{size[0]}x{size[1]}-{language}", tmp_path)


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("size", [SMALL, USUAL, WALL])
async def test_waiting_callers_look_as_before(
    office: OfficeMaker, size: tuple[int, int], language: str, tmp_path: Path
) -> None:
    """A receptionist's Switchboard on a busy morning."""
    async with office(size, asker=FRONT, language=language) as here:
        here.desk.furnish_waiting().change(trunks=LINES)
        here.draw()
        await _compare(here, f"waiting-{size[0]}x{size[1]}-{language}", tmp_path)


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("size", [SMALL, USUAL])
@pytest.mark.parametrize("deed", ["asking", "undo", "typed", "note", "emergency"])
async def test_deeds_of_the_switchboard_look_as_before(
    office: OfficeMaker, deed: str, size: tuple[int, int], language: str, tmp_path: Path
) -> None:
    async with office(size, asker=FRONT, language=language) as here:
        now = here.clock.wall()
        here.desk.furnish_waiting().change(calls=(own_talk(now, asks=deed == "asking"), *waiting_calls(now)))
        here.draw()
        if deed == "undo":
            await here.pilot.press("1", "0", "2", "enter")
            await here.pilot.pause()
            here.desk.change(calls=waiting_calls(now))
            here.draw(7)
        elif deed == "typed":
            await here.pilot.press("1", "0")
        elif deed == "note":
            await here.pilot.press("f4")
        elif deed == "emergency":
            here.desk.change(calls=(replace(own_talk(now), callee="112", is_emergency=True),))
            here.draw(1)
        await _compare(here, f"{deed}-{size[0]}x{size[1]}-{language}", tmp_path)


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("size", [SMALL, USUAL, WALL])
async def test_the_key_map_looks_as_before(
    office: OfficeMaker, size: tuple[int, int], language: str, tmp_path: Path
) -> None:
    async with office(size, language=language) as here:
        here.app.move_keys({"n:new": "z"})
        here.app.push_screen(KeyMapDialog())
        await here.pilot.pause()
        await _compare(here, f"keys-{size[0]}x{size[1]}-{language}", tmp_path)


async def test_one_line_is_named(office: OfficeMaker, tmp_path: Path) -> None:
    async with office() as here:
        here.desk.change(trunks=LINES[:1])
        here.draw(1)
        await _compare(here, "line-120x34-en", tmp_path)


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize(("at", "name"), [*enumerate(DIALLING)])
async def test_dialling_looks_as_before(house: Open, at: int, name: str, language: str, tmp_path: Path) -> None:
    async with house(language=language, at=at, more=FURNITURE) as home:
        await _compare(home.office, f"dialling-{name}-{language}", tmp_path)


LISTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "screening": ("screening", ()),
    "addresses": ("screening", ("l",)),
    "groups": ("groups", ()),
    "group-form": ("groups", ("e",)),
    "operators": ("operators", ()),
    "operator-form": ("operators", ("n", *"rita")),
    "audit": ("audit", ()),
    "system": ("system", ()),
    "log": ("log", ("down", "down")),
    "calls": ("calls", ()),
    "call-choice": ("calls", ("f",)),
    "services": ("services", ("down", "down", "down")),
    "triggers": ("services", ("l",)),
    "service": ("services", ("enter",)),
    "service-diff": ("services", ("e", "ctrl+home", *"-- ours", "enter", "f10")),
    "service-broken": ("services", ("e", "ctrl+home", *"local = 1", "enter", "f10")),
}
"""The screen of each picture, and the keys that lead to it."""


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("size", [SMALL, USUAL, WALL])
@pytest.mark.parametrize("name", LISTS)
async def test_lists_look_as_before(
    house: Open, name: str, size: tuple[int, int], language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen, keys = LISTS[name]
    office = BusyOffice() if screen == "system" else lua_office(tmp_path)
    monkeypatch.setattr(machine_commands, "_look_at_machine", lambda folder: MACHINE)
    monkeypatch.setattr(machine_commands, "RECENT", lines())
    with closing(Store.open(tmp_path / "state")) as store:
        keep_calls(store)
        if screen == "audit":
            keep_audit(store)
    async with house(language=language, screen=screen, size=size, more=FURNITURE, office=office) as home:
        for key in keys:
            await home.press(key)
        await _compare(home.office, f"{name}-{size[0]}x{size[1]}-{language}", tmp_path)


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("screen", ["screening", "groups", "calls"])
async def test_empty_lists_look_as_before(house: Open, screen: str, language: str, tmp_path: Path) -> None:
    async with house(language=language, screen=screen, size=SMALL) as home:
        await _compare(home.office, f"{screen}-empty-{language}", tmp_path)


def record_of(call: CallView, cause: str) -> CallRecord:
    """The record of a call that ends when it is looked at next."""
    return CallRecord(
        id=call.id, linked_id=call.id, caller=call.caller, callee=call.callee, started_at=call.started_at,
        answered_at=call.answered_at, ended_at=MONDAY, released_by=ReleasedBy.CALLER, cause=cause,
    )  # fmt: skip


async def _compare(here: Office, name: str, tmp_path: Path) -> None:
    """Wait until the screen looks as it is kept; a busy machine may take the pilot's pause for the end of it."""
    kept = PICTURES / f"{name}.svg"
    await here.pilot.pause()
    if os.environ.get("FRONTDESK_PICTURES") == "write":
        PICTURES.mkdir(exist_ok=True)
        kept.write_text(await _settled(here), encoding="utf-8")
    wanted = kept.read_text(encoding="utf-8") if kept.exists() else ""
    for _ in range(MOST_LOOKS):
        if _drawn(here) == wanted:
            return
        await here.pilot.pause(0.05)
    new = tmp_path / f"{name}.svg"
    new.write_text(_drawn(here), encoding="utf-8")
    pytest.fail(f"{kept.name} looks different now: compare it with {new}", pytrace=False)


async def _settled(here: Office) -> str:
    """What is drawn once it has stood still for a while."""
    before = ""
    while (drawn := _drawn(here)) != before:
        before = drawn
        await here.pilot.pause(0.1)
    return drawn


def _drawn(here: Office) -> str:
    return re.sub(r"terminal-\d+", "terminal", here.app.export_screenshot())
