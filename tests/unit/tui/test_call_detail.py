"""Call detail: the ladder, the text of a message, the audio of every leg, and what its keys do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.core.deeds import Deed
from engine.core.errors import NotAllowedError
from engine.core.ids import CallId
from engine.core.ladder import Ladder
from engine.core.views import PartyState, ReleasedBy
from engine.desk.commands import ReadLadder, ReleaseCall, SaveLadder
from engine.desk.deeds import Record, Supervise
from engine.pbx.rights import Asker
from engine.store.configuration import Role
from tests.unit.tui.conftest import Office, OfficeMaker
from tests.unit.tui.fake_desk import VIEWER
from tui.screens.call_detail import CallDetail
from tui.screens.switchboard import SwitchboardScreen
from tui.widgets.arrow_list import ArrowList
from tui.widgets.lines import KeyBar
from tui.widgets.live_list import LiveList
from tui.widgets.text_pane import TextPane


async def opened(here: Office) -> CallDetail:
    """Call detail of the first call, with its messages."""
    await here.pilot.press("enter")
    await here.shows("INVITE (auth) SDP")
    assert isinstance(here.app.screen, CallDetail)
    return here.app.screen


def arrows(here: Office) -> ArrowList:
    return here.app.screen.query_one("#ladder", ArrowList)


def title(here: Office) -> str:
    return str(here.app.screen.query_one("#message", TextPane).border_title)


def keys(here: Office) -> str:
    return here.app.screen.query_one("#keys", KeyBar).text


async def retell(here: Office, call: str, **parts: object) -> None:
    """The call's ladder changes, and the console looks again."""
    here.desk.ladders[call] = replace(here.desk.ladders[call], **parts)  # type: ignore[arg-type]
    here.draw(0.25)
    await here.pilot.pause()


def ended(here: Office) -> dict[str, object]:
    """What a ladder says of a call that was refused just now."""
    return {
        "state": None, "ended_at": here.clock.wall(), "cause": "486 Busy Here", "released_by": ReleasedBy.CALLEE,
    }  # fmt: skip


async def test_the_ladder_shows_who_said_what_to_whom(office: OfficeMaker) -> None:
    async with office() as here:
        await opened(here)
        lines = here.text.splitlines()
        for text in ("Call 7f3a", "101 Anna Berger → +49894711", "talking 2:14", "PCMA ⇄ PCMA", "MOS 4.3"):
            assert text in here.text
        invite = next(line for line in lines if "INVITE SDP ─" in line)
        challenge = next(line for line in lines if "407" in line)
        outgoing = [line for line in lines if "INVITE SDP" in line][1]
        assert invite.index("▶") < outgoing.index("─ INVITE")
        assert challenge.index("◀") < challenge.index("407") < invite.index("▶")
        assert "↻ INVITE SDP" in here.text


async def test_the_cursor_reads_the_message_it_stands_on(office: OfficeMaker) -> None:
    async with office() as here:
        await opened(here)
        assert title(here).startswith("09:39:08.000  UDP  from 192.0.2.20:5060")
        assert "m=audio 40000 RTP/AVP 8 101" in here.text
        await here.pilot.press("down")
        assert title(here).startswith("09:39:08.137  UDP  to 192.0.2.20:5060")
        await here.shows("SIP/2.0 407 Proxy Authentication Required")
        await here.pilot.press("end")
        assert title(here).startswith("09:39:09.644")


async def test_the_ladder_grows_while_the_call_lives_and_the_cursor_stays(office: OfficeMaker) -> None:
    async with office() as here:
        await opened(here)
        whole = here.desk.ladders["7f3a"]
        await here.pilot.press("down", "down")
        bye = replace(whole.messages[-1], number=13, title="BYE", method="BYE", data=b"BYE sip:x SIP/2.0\r\n\r\n")
        await retell(here, "7f3a", messages=(*whole.messages, bye), total=14)
        await here.shows("─── BYE ─")
        assert arrows(here).cursor == "2"
        asked = [command for _, command in here.desk.commands if isinstance(command, ReadLadder)]
        assert [command.first for command in asked[:2]] == [0, 13]


async def test_five_hundred_messages_are_walked_page_by_page(office: OfficeMaker) -> None:
    async with office() as here:
        known = here.desk.ladders["7f3a"]
        messages = tuple(replace(known.messages[n % 13], number=n) for n in range(500))
        here.desk.ladders["7f3a"] = replace(known, messages=messages, total=500)
        await opened(here)
        for _ in range(4):
            here.draw(0.25)
            await here.pilot.pause()
        await here.pilot.press("end")
        assert arrows(here).cursor == "499"
        assert len(arrows(here).rows) == 500


async def test_an_ended_call_stays_and_says_why_it_ended(office: OfficeMaker) -> None:
    async with office() as here:
        await opened(here)
        assert "release" in keys(here)
        here.desk.change(calls=here.desk.view.calls[1:])
        await retell(here, "7f3a", **ended(here))
        await here.shows("ended: line busy")
        await here.pilot.pause()
        assert "release" not in keys(here)
        assert "save pcap" in keys(here)
        await here.pilot.press("x")
        assert isinstance(here.app.screen, CallDetail)


async def test_a_call_that_ended_is_asked_for_a_while_and_then_left_alone(office: OfficeMaker) -> None:
    async with office() as here:
        await opened(here)
        await retell(here, "7f3a", **ended(here))
        for _ in range(20):
            here.draw(0.25)
            await here.pilot.pause()
        asked = len(here.desk.commands)
        for _ in range(8):
            here.draw(0.25)
            await here.pilot.pause()
        assert len(here.desk.commands) == asked


async def test_an_ended_call_opens_as_long_as_it_is_in_the_list(office: OfficeMaker) -> None:
    async with office() as here:
        here.desk.ladders["7f3a"] = replace(here.desk.ladders["7f3a"], **ended(here))  # type: ignore[arg-type]
        here.desk.change(calls=here.desk.view.calls[1:])
        here.draw(1)
        await opened(here)
        assert "ended: line busy" in here.text


async def test_what_strangers_send_cannot_steer_the_terminal(office: OfficeMaker) -> None:
    async with office() as here:
        told = here.desk.ladders["7f3a"]
        evil = b"INVITE sip:\x1b[2J666@x SIP/2.0\r\n\x1b]0;x\x07: \xff\r\n\r\n\x9b31m"
        here.desk.ladders["7f3a"] = replace(
            told,
            legs=(replace(told.legs[0], name="\x1b[2JAnna"), told.legs[1]),
            messages=(replace(told.messages[0], data=evil), *told.messages[1:]),
        )
        await opened(here)
        await here.shows("666@x SIP/2.0")
        assert not {"\x1b", "\x07", "\x9b"} & set(here.text)


async def test_a_call_whose_messages_are_gone_says_so(office: OfficeMaker) -> None:
    async with office() as here:
        del here.desk.ladders["7f3a"]
        await here.pilot.press("enter")
        await here.shows("the messages of call 7f3a are no longer there")
        assert "Call 7f3a" in here.text
        await here.pilot.press("escape")
        assert isinstance(here.app.screen, SwitchboardScreen)


async def test_two_messages_are_compared_line_by_line(office: OfficeMaker) -> None:
    async with office() as here:
        await opened(here)
        await here.pilot.press("d", "down", "down", "down")
        await here.shows("+ Proxy-Authorization: Digest")
        assert "◆" in here.text
        assert "- #1   + #4" in title(here)
        await here.pilot.press("escape")
        await here.pilot.pause()
        assert "◆" not in here.text
        assert isinstance(here.app.screen, CallDetail)


async def test_a_capture_is_saved_and_the_screen_says_where(office: OfficeMaker) -> None:
    async with office() as here:
        await opened(here)
        await here.pilot.press("s")
        await here.shows("13 messages saved in /var/lib/frontdesk/captures/call-7f3a.pcap")
        assert ("desk", SaveLadder("7f3a")) in here.desk.commands


async def test_a_call_is_released_after_a_question(office: OfficeMaker) -> None:
    async with office() as here:
        await opened(here)
        await here.pilot.press("x", "y")
        await here.pilot.pause()
        assert ("desk", ReleaseCall("7f3a", 1)) in here.desk.commands
        assert isinstance(here.app.screen, CallDetail)


async def test_a_viewer_reads_but_neither_saves_nor_releases(office: OfficeMaker) -> None:
    async with office(asker=VIEWER) as here:
        await opened(here)
        assert "compare" in keys(here)
        assert "save" not in keys(here)
        assert "release" not in keys(here)
        await here.pilot.press("s", "x")
        assert all(isinstance(command, ReadLadder) for _, command in here.desk.commands)


async def test_the_detail_stays_open_when_the_role_changes(office: OfficeMaker) -> None:
    async with office() as here:
        await opened(here)
        here.desk.logins["desk"] = Asker("desk", Role.VIEWER)
        here.draw()
        await here.pilot.pause()
        assert isinstance(here.app.screen, CallDetail)
        assert "save" not in keys(here)


async def test_tab_walks_the_panels_and_a_narrow_screen_shows_one_text_at_a_time(office: OfficeMaker) -> None:
    async with office((80, 24)) as here:
        screen = await opened(here)
        assert "m=audio" not in here.text
        await here.pilot.press("tab")
        await here.shows("Via: SIP/2.0/UDP")
        assert "407" not in here.text
        assert screen.query_one("#message", TextPane).has_focus
        await here.pilot.press("tab")
        await here.shows("407")
        assert screen.query_one("#audio", LiveList).has_focus
        await here.pilot.press("tab", "enter")
        await here.shows("Via: SIP/2.0/UDP")
        await here.pilot.press("escape")
        await here.shows("407")
        assert screen.query_one("#ladder", ArrowList).has_focus
        await here.pilot.press("escape")
        assert isinstance(here.app.screen, SwitchboardScreen)


async def test_a_long_message_is_scrolled_to_its_end(office: OfficeMaker) -> None:
    async with office((80, 24)) as here:
        await opened(here)
        await here.pilot.press("enter")
        await here.shows("Via: SIP/2.0/UDP")
        assert "a=sendrecv" not in here.text
        await here.pilot.press("end")
        await here.shows("a=sendrecv")
        await here.pilot.press("home")
        await here.shows("INVITE sip:102@office SIP/2.0")


async def test_every_phone_that_was_rung_has_its_lane_and_its_audio(office: OfficeMaker) -> None:
    async with office() as here:
        here.desk.ladders["7f3a"] = forked(here.desk.ladders["7f3a"])
        await here.pilot.press("enter")
        await here.shows("┼")
        rows = here.app.screen.query_one("#audio", LiveList).rows
        assert [row.cells[0][0] for row in rows] == ["101 Anna Berger", "+49894711", "+49894711"]


def forked(told: Ladder) -> Ladder:
    """The same with a second phone that was rung, too."""
    loser = replace(told.legs[1], state=PartyState.ENDED, remote=("192.0.2.22", 5062), codec=None, media=None)
    extra = replace(told.messages[5], number=13, leg=2, at=told.messages[5].at + timedelta(seconds=2))
    return replace(told, legs=(*told.legs, loser), messages=(*told.messages, extra), total=14)


@pytest.mark.parametrize("size", [(60, 15), (40, 12)])
async def test_a_small_terminal_shows_what_it_can(office: OfficeMaker, size: tuple[int, int]) -> None:
    async with office(size) as here:
        await here.pilot.press("enter")
        await here.shows("Call 7f3a")
        await here.pilot.press("tab", "down", "tab", "tab", "escape")
        assert isinstance(here.app.screen, SwitchboardScreen)


# -- operators --------------------------------------------------------------------------------------------------


async def deeds(here: Office) -> list[object]:
    await here.pilot.pause()
    return [command for _who, command in here.desk.commands if isinstance(command, (Supervise, Record))]


@pytest.mark.parametrize(
    ("key", "deed", "said"), [("l", Deed.LISTEN, "listens"), ("b", Deed.BARGE_IN, "is in the call")]
)
async def test_a_key_brings_the_operator_into_the_call(
    office: OfficeMaker, key: str, deed: Deed, said: str
) -> None:
    async with office() as here:
        await opened(here)
        await here.pilot.press(key)
        assert await deeds(here) == [Supervise(deed, CallId("7f3a"))]
        await here.shows(said)


async def test_a_whisper_goes_to_the_only_extension_and_asks_where_there_are_two(office: OfficeMaker) -> None:
    async with office() as here:
        await opened(here)
        await here.pilot.press("w")
        assert await deeds(here) == [Supervise(Deed.WHISPER, CallId("7f3a"), side="101")]
        (call,) = [call for call in here.desk.view.calls if call.id == "7f3a"]
        other = replace(call.parties[1], extension="102")
        parted = replace(call, parties=(call.parties[0], other), revision=call.revision + 1)
        here.desk.change(calls=tuple(parted if each is call else each for each in here.desk.view.calls))
        here.draw(0.25)
        await here.pilot.pause()
        await here.pilot.press("w")
        await here.shows("Who hears you?")
        await here.pilot.press("2")
        assert (await deeds(here))[-1] == Supervise(Deed.WHISPER, CallId("7f3a"), side="102")


async def test_a_take_over_is_asked_first(office: OfficeMaker) -> None:
    async with office() as here:
        await opened(here)
        await here.pilot.press("k")
        await here.shows("is hung up on")
        await here.pilot.press("n")
        assert await deeds(here) == []
        await here.pilot.press("k", "y")
        assert await deeds(here) == [Supervise(Deed.TAKE_OVER, CallId("7f3a"), side="101")]


async def test_a_recording_is_begun_and_a_refusal_said(office: OfficeMaker) -> None:
    async with office() as here:
        await opened(here)
        await here.pilot.press("r")
        assert await deeds(here) == [Record(CallId("7f3a"))]
        here.desk.fail_next = NotAllowedError(
            "108 may not record calls", "see 'frontdesk extension set 108 --right record'"
        )
        await here.pilot.press("r")
        await here.shows("108 may not record calls")


async def test_a_viewer_comes_into_no_call(office: OfficeMaker) -> None:
    async with office(asker=VIEWER) as here:
        await opened(here)
        await here.pilot.press("l", "w", "b", "k", "r")
        assert await deeds(here) == []
        assert "listen" not in keys(here)
