"""The Trunks screen: what lines do, live, and the form that adds and changes them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import pytest

from engine.core.views import TrunkState, TrunkView
from engine.desk.lines import AddTrunk, SetTrunk, TrunkFields
from engine.store.outside import Trunk, TrunkTransport
from tests.unit.tui.conftest import MONDAY, OfficeMaker
from tests.unit.tui.test_dialling import VERA, Open, house
from tui.screens.entity_form import EntityForm
from tui.screens.trunks import TrunksScreen
from tui.trunk_kind import Lines
from tui.trunk_words import detail_lines, gauge, gauge_bar, gauge_ink, lines_in_brief
from tui.wording import PLAIN_GLYPHS, RICH_GLYPHS

__all__ = ["house"]

TELEKOM = TrunkView(
    "telekom", TrunkState.REGISTERED, active_in=2, active_out=1, max_in=4, refused_in=3, server="192.0.2.5:5060",
    state_since=MONDAY, refusals=(("limit", 2), ("forbidden", 1)), history=((0, 0), (2, 1), (4, 0)),
)  # fmt: skip
CHEAP = TrunkView(
    "cheap", TrunkState.FAILED, active_out=2, max_in=0, max_out=2, last_error="403 Forbidden", last_error_at=MONDAY
)


async def test_lines_are_shown_with_gauges_state_and_error(office: OfficeMaker) -> None:
    async with office() as here:
        here.desk.change(trunks=(TELEKOM, CHEAP))
        here.app.action_show_screen("trunks")
        await here.shows("telekom")
        for part in ("registered", "2/4", "1/∞", "✕", "2/2", "failed", "403 Forbidden"):
            assert part in here.text, part
        await here.shows("the last 3 minutes")
        here.desk.change(trunks=(replace(TELEKOM, active_in=4), CHEAP))
        here.draw(1)
        await here.shows("4/4")
        await here.pilot.press("down")
        await here.shows("no call was refused")


def test_a_full_direction_shows_and_so_does_a_forbidden_one() -> None:
    glyphs = RICH_GLYPHS
    assert (gauge(2, 4, glyphs), gauge(0, None, glyphs)) == ("2/4", "0/∞")
    assert (gauge(0, 0, glyphs), gauge(1, 0, glyphs), gauge(0, 0, PLAIN_GLYPHS)) == ("✕", "1/✕", "!!")
    bars = [gauge_bar(active, most, glyphs) for active, most in ((3, 8), (0, 4), (4, 4), (9, None), (0, 0))]
    assert bars == ["██▁▁▁ 3/8", "▁▁▁▁▁ 0/4", "█████ 4/4", "      9/∞", "      ✕"]
    assert (gauge_ink(2, 4), gauge_ink(4, 4), gauge_ink(9, None), gauge_ink(0, 0)) == (
        "text",
        "alarm",
        "text",
        "quiet",
    )


def brief(*trunks: TrunkView, is_short: bool = False) -> str:
    return "".join(text for text, _ink in lines_in_brief(trunks, RICH_GLYPHS, is_short=is_short))


def test_all_lines_are_told_in_a_few_words() -> None:
    assert brief() == ""
    assert brief(TELEKOM) == "⇅ telekom 2/4 in 1/∞ out"
    assert brief(TELEKOM, is_short=True) == "⇅ 2 in 1 out"
    assert brief(TELEKOM, CHEAP) == "⇅ 2 trunks 2 in 3 out ▲ 1"
    assert lines_in_brief((TELEKOM, CHEAP), RICH_GLYPHS)[0][1] == "alarm"


async def test_the_switchboard_shows_lines_beside_people_and_leads_to_them(office: OfficeMaker) -> None:
    async with office() as here:
        assert not here.app.screen.query_one("#lines").display
        here.desk.change(trunks=(TELEKOM, CHEAP))
        here.draw(1)
        await here.shows("⇅ 2 trunks 2 in 3 out")
        await here.shows("in ███▁▁ 2/4")
        await here.shows("out █████ 2/2")
        here.app.screen.query_one("#lines").focus()
        await here.pilot.press("down", "enter")
        await here.pilot.pause()
        assert isinstance(here.app.screen, TrunksScreen)
        await here.shows("no call was refused")  # the cursor stands on the line that was chosen


@pytest.mark.parametrize("glyphs", [RICH_GLYPHS, PLAIN_GLYPHS])
def test_the_plot_reaches_its_top_at_the_most_calls(glyphs: object) -> None:
    lines = detail_lines(TELEKOM, UTC, glyphs)  # type: ignore[arg-type]
    bars = [line[1][0] for line in lines[-2:]]
    top, bottom = glyphs.bars[-1], glyphs.bars[0]  # type: ignore[attr-defined]
    assert (bars[0][0], bars[0][2], bars[1][0]) == (bottom, top, bottom)


async def test_a_trunk_is_added_changed_and_removed(house: Open) -> None:
    async with house() as home:
        home.app.action_show_screen("trunks")
        await home.office.pilot.pause()
        assert isinstance(home.app.screen, TrunksScreen)
        await home.press("n")
        await home.type_in(name="berlin", host="sip.example.org", max_in="many")
        await home.shows("'many' is no whole number")
        await home.type_in(max_in="4", transport="smoke")
        await home.shows("'smoke' is not known")
        await home.type_in(transport="tls")
        await home.shows("Will be added")
        await home.press("f10")
        await home.shows("trunk berlin exists already")
        await home.type_in(name="telekom")
        await home.press("f10")
        await home.until(lambda: "telekom" in home.configuration.trunks)
        expected = Trunk("telekom", "sip.example.org", transport=TrunkTransport.TLS, max_in=4)
        assert home.configuration.trunks["telekom"] == expected


async def test_a_viewer_changes_no_trunk(house: Open) -> None:
    async with house(VERA) as home:
        home.app.action_show_screen("trunks")
        await home.press("n")
        assert not isinstance(home.app.screen, EntityForm)


async def test_what_is_emptied_is_cleared_and_a_password_stays_hidden() -> None:
    kind, line = Lines(), Trunk("t", "a.test", port=5070, registers=True, username="u", max_out=3)
    values = kind.values(line)
    assert values["password"] == ""
    assert not (await kind.check(None, values, line)).flaws  # type: ignore[arg-type]
    changed = {**values, "port": "", "max_out": "", "password": "new one"}
    fields = TrunkFields(password="new one", clear=frozenset({"port", "max_out"}))
    assert kind.save(changed, line) == SetTrunk("t", fields)


async def test_what_does_not_fit_together_is_named() -> None:
    kind = Lines()
    values = {**kind.values(None), "name": "t", "host": "a.test"}
    assert kind.save(values, None) == AddTrunk("t", TrunkFields(host="a.test"))
    for field, typed in (("registers", True), ("reserve_emergency", "3")):
        wrong = {**values, field: typed, "max_out": "2"}
        (flaw,) = (await kind.check(None, wrong, None)).flaws  # type: ignore[arg-type]
        assert flaw.field in ("username", "reserve_emergency")
    (flaw,) = (await kind.check(None, {**values, "host": ""}, None)).flaws  # type: ignore[arg-type]
    assert flaw.what == "it has no host"
