"""An operator in calls of others, with real phones: who hears whom is read from what each has recorded."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.live.baresip import Baresip
from tests.live.conftest import Phones
from tests.live.console import PASSWORD, open_console
from tests.live.office import Office
from tests.live.phone import connect
from tests.live.scene import TALK_S, assert_hears, heard_ms, hears_itself, people, shown, silent, until


async def comes_in(office: Office, operator: Baresip, deed: str, target: str, *options: str) -> None:
    """The operator's phone is rung for a deed, and answers."""
    office.run("call", deed, target, "--as", operator.account.number, *options)
    await operator.rings()
    await operator.accept()
    await operator.talks()


def roles(office: Office) -> list[str]:
    return [party["role"] for call in office.json("calls") for party in call["parties"]]


def deeds(office: Office, operator: str) -> list[tuple[str, str, str]]:
    """What the audit log says of an operator's phone, oldest first."""
    entries = reversed(office.json("audit"))
    return [(each["action"], each["target"], each["outcome"]) for each in entries if each["as"] == operator]


async def test_who_listens_is_heard_by_nobody(office: Office, phones: Phones) -> None:
    anna, ben, carl = await people(office, phones, "401", "402", "403")
    assert "403 may not listen" in office.refuses("call", "listen", "402", "--as", "403")
    office.run("extension", "set", "403", "--right", "listen")
    await connect(anna, ben)
    await comes_in(office, carl, "listen", "402", "--reason", "training")
    await until(lambda: "listener" in roles(office), "somebody listens")
    assert [call["state"] for call in office.json("calls")] == ["talking"]
    await asyncio.sleep(2 * TALK_S)
    await anna.hang_up()
    await ben.ended()
    await carl.ended()
    await silent(office)
    assert_hears(carl.heard, anna.tone, ben.tone)
    assert_hears(anna.heard, ben.tone)
    assert_hears(ben.heard, anna.tone)
    for phone in (anna, ben):
        assert heard_ms(phone.heard, carl.tone) == 0
        assert not hears_itself(phone)
    assert deeds(office, "403") == [("listen", "402", "refused"), ("listen", "402", "done")]
    assert office.json("audit")[0]["reason"] == "training"


async def test_a_whisper_is_heard_by_one_side_alone(office: Office, phones: Phones) -> None:
    anna, ben, carl = await people(office, phones, "411", "412", "413")
    office.run("extension", "set", "413", "--right", "whisper")
    await connect(anna, ben)
    await comes_in(office, carl, "whisper", "412")
    await until(lambda: "whisperer" in roles(office), "somebody whispers")
    await asyncio.sleep(2 * TALK_S)
    await carl.hang_up()
    await until(lambda: roles(office) == ["caller", "callee"], "two talk on")
    await asyncio.sleep(TALK_S)
    await anna.hang_up()
    await silent(office)
    assert_hears(carl.heard, anna.tone, ben.tone)
    assert_hears(ben.heard, anna.tone, carl.tone)
    assert_hears(anna.heard, ben.tone)
    assert heard_ms(anna.heard, carl.tone) == 0


async def test_a_listener_whispers_breaks_in_and_takes_over(office: Office, phones: Phones) -> None:
    anna, ben, carl = await people(office, phones, "421", "422", "423")
    rights = ("listen", "whisper", "barge-in", "take-over")
    office.run("extension", "set", "423", *(word for right in rights for word in ("--right", right)))
    await connect(anna, ben)
    call = office.json("calls")[0]["id"]
    await comes_in(office, carl, "listen", call)
    await until(lambda: "listener" in roles(office), "somebody listens")
    for deed, role in (("whisper", "whisperer"), ("barge-in", "operator")):
        office.run("call", deed, call, "--as", "423", *(("--side", "422") if deed == "whisper" else ()))
        await until(lambda role=role: role in roles(office), f"{deed} is done")  # type: ignore[misc]
        await asyncio.sleep(TALK_S)
    office.run("call", "take-over", call, "--as", "423", "--side", "422")
    await ben.ended()
    await shown(office, "talking")
    await asyncio.sleep(TALK_S)
    await carl.hang_up()
    await anna.ended()
    await silent(office)
    assert_hears(ben.heard, anna.tone, carl.tone)
    assert_hears(anna.heard, ben.tone, carl.tone)
    assert_hears(carl.heard, anna.tone, ben.tone)
    assert [action for action, _, _ in deeds(office, "423")] == ["listen", "whisper", "barge-in", "take-over"]


async def test_the_boss_is_protected_from_every_deed(office: Office, phones: Phones) -> None:
    anna, boss, carl = await people(office, phones, "431", "432", "433")
    rights = ("listen", "whisper", "barge-in", "take-over", "override")
    office.run("extension", "set", "433", *(word for right in rights for word in ("--right", right)))
    office.run("extension", "set", "432", "--right", "overstep")
    await connect(anna, boss)
    for deed in ("listen", "whisper", "barge-in", "take-over"):
        for target in ("431", "432"):
            assert "overstep right protects" in office.refuses("call", deed, target, "--as", "433")
    await asyncio.sleep(TALK_S)
    assert roles(office) == ["caller", "callee"]
    await anna.hang_up()
    await silent(office)
    assert_hears(boss.heard, anna.tone)
    assert heard_ms(boss.heard, carl.tone) == 0
    assert {outcome for _, _, outcome in deeds(office, "433")} == {"refused"}


async def test_an_override_reaches_who_is_not_to_be_disturbed_and_who_forwards(
    office: Office, phones: Phones
) -> None:
    anna, ben, carl = await people(office, phones, "441", "442", "443")
    office.run("extension", "set", "443", "--right", "override")
    office.run("extension", "set", "442", "--right", "forward-always")
    office.run("dnd", "442", "on")
    office.run("forward", "442", "--always", "441")
    await comes_in(office, carl, "override", "442", "--reason", "a visitor")
    await ben.rings()
    assert ben.messages("INVITE")[-1].find("Priority: urgent") > 0
    await ben.accept()
    await ben.talks()
    await shown(office, "talking")
    await asyncio.sleep(TALK_S)
    await carl.hang_up()
    await ben.ended()
    await silent(office)
    assert not anna.messages("INVITE")
    assert_hears(ben.heard, carl.tone)
    assert_hears(carl.heard, ben.tone)
    assert deeds(office, "443") == [("override", "442", "done")]


async def test_calls_are_released_parked_and_pulled_by_right(office: Office, phones: Phones) -> None:
    anna, ben, carl = await people(office, phones, "451", "452", "453")
    await connect(anna, ben)
    assert "453 may not release" in office.refuses("call", "release", "452", "--as", "453")
    office.run("extension", "set", "453", "--right", "release", "--right", "pull")
    assert "waits on slot 5" in office.run("call", "park", "452", "--slot", "5").out
    await ben.ended()
    await shown(office, "parked")
    await comes_in(office, carl, "pull", "5")
    await shown(office, "talking")
    await asyncio.sleep(TALK_S)
    office.run("call", "release", "451", "--as", "453")
    await anna.ended()
    await carl.ended()
    await silent(office)
    assert_hears(anna.heard, carl.tone)
    assert [action for action, _, _ in deeds(office, "453")] == ["release", "pull", "release"]


async def test_an_operator_listens_breaks_in_and_takes_over_from_the_screen(
    office: Office, phones: Phones, tmp_path: Path
) -> None:
    """Real ssh in tmux, three real phones; who hears whom is in their recordings."""
    anna, ben, carl = await people(office, phones, "461", "462", "463")
    rights = ("listen", "barge-in", "take-over")
    office.run("extension", "set", "463", *(word for right in rights for word in ("--right", right)))
    office.cli("operator", "add", "super", "--password", PASSWORD, "--role", "supervisor", "--extension", "463")
    await connect(anna, ben)
    desk = await asyncio.to_thread(open_console, office, tmp_path / "desk", login="super")
    try:
        desk.press("Tab", "Enter")
        await asyncio.to_thread(desk.shows, "Call [0-9a-f]+ +461")
        desk.type("w")
        await asyncio.to_thread(desk.shows, "Who hears you")
        desk.type("1")
        await asyncio.to_thread(desk.shows, "463 may not whisper")
        desk.type("l")
        await asyncio.to_thread(desk.shows, "463 listens once it answers")
        await carl.rings()
        await carl.accept()
        await until(lambda: "listener" in roles(office), "somebody listens")
        desk.type("b")
        await asyncio.to_thread(desk.shows, "you are in the call: all hear you")
        await asyncio.sleep(TALK_S)
        desk.type("k")
        await asyncio.to_thread(desk.shows, "Whose place do you take")
        desk.type("2")
        await asyncio.to_thread(desk.shows, "Take this call over")
        desk.type("y")
        await ben.ended()
        await shown(office, "talking")
        await asyncio.sleep(TALK_S)
    finally:
        desk.close()
    await carl.hang_up()
    await anna.ended()
    await silent(office)
    assert_hears(anna.heard, ben.tone, carl.tone)
    assert_hears(ben.heard, anna.tone, carl.tone)
    assert_hears(carl.heard, anna.tone, ben.tone)
    told = [(each["who"], each["action"], each["outcome"]) for each in reversed(office.json("audit"))]
    assert [each for each in told if each[0] == "super"] == [
        ("super", "whisper", "refused"),
        ("super", "listen", "done"),
        ("super", "barge-in", "done"),
        ("super", "take-over", "done"),
    ]
