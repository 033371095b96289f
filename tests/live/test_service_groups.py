"""Groups, pickup, intercom and paging with real phones."""

from __future__ import annotations

from tests.live import audio, spoken
from tests.live.baresip import Baresip
from tests.live.conftest import Phones
from tests.live.office import Office
from tests.live.phone import connect
from tests.live.scene import TALK_S, assert_hears, people, shown, silent, talk, until
from tests.live.script import Callee, sdp


async def declined_in_turn(caller: Baresip, group: str, *members: Baresip) -> None:
    """Every member rings in this order, one at a time, and is busy."""
    await caller.dial(group)
    for member in members:
        await member.rings()
        others = [each for each in members if each is not member]
        assert "INCOMING" in await member.command("listcalls")
        for other in others:
            assert "INCOMING" not in await other.command("listcalls")
        await member.decline()
        await member.ended()
    assert (await caller.ended()).startswith("486")


async def test_a_linear_hunt_begins_with_the_first_and_goes_on_after_the_time(
    office: Office, phones: Phones
) -> None:
    anna, ben, carl, dora = await people(office, phones, "201", "202", "203", "204")
    office.cli(
        "group", "add", "691", "--kind", "hunt", "--member", "202", "--member", "203", "--member", "204",
        "--order", "linear", "--timeout", "5",
    )  # fmt: skip
    for _ in range(2):
        await declined_in_turn(anna, "691", ben, carl, dora)
    await anna.dial("691")
    await ben.rings()
    await carl.rings(8)
    await ben.ended()
    await carl.accept()
    await shown(office, "talking")
    await talk(anna, carl)


async def test_a_round_robin_begins_with_the_next_one(office: Office, phones: Phones) -> None:
    anna, ben, carl = await people(office, phones, "211", "212", "213")
    office.cli(
        "group", "add", "692", "--kind", "hunt", "--member", "212", "--member", "213", "--order", "round-robin"
    )
    await declined_in_turn(anna, "692", ben, carl)
    await declined_in_turn(anna, "692", carl, ben)
    await declined_in_turn(anna, "692", ben, carl)


async def test_who_has_been_idle_longest_rings_first(office: Office, phones: Phones) -> None:
    anna, ben, carl = await people(office, phones, "221", "222", "223")
    office.cli(
        "group", "add", "693", "--kind", "hunt", "--member", "222", "--member", "223", "--order", "longest-idle"
    )
    await connect(anna, ben)
    await anna.hang_up()
    await anna.ended()
    await ben.ended()
    await silent(office)
    await anna.dial("693")
    await carl.rings()
    await carl.accept()
    await shown(office, "talking")
    await anna.hang_up()
    await anna.ended()
    await carl.ended()
    await silent(office)
    await declined_in_turn(anna, "693", ben, carl)


async def test_a_random_hunt_rings_each_once(office: Office, phones: Phones) -> None:
    anna, ben, carl = await people(office, phones, "231", "232", "233")
    office.cli("group", "add", "694", "--kind", "hunt", "--member", "232", "--member", "233", "--order", "random")
    await anna.dial("694")
    for _ in range(2):
        await until(lambda: "ringing" in office.json("lamps").values(), "a member rings")
        lamps = office.json("lamps")
        member = ben if lamps["232"] == "ringing" else carl
        await member.rings()
        await member.decline()
        await member.ended()
    assert (await anna.ended()).startswith("486")


async def test_what_rings_is_picked_up_by_who_may(office: Office, phones: Phones) -> None:
    anna, ben, carl, dora = await people(office, phones, "241", "242", "243", "244")
    office.cli("group", "add", "690", "--kind", "pickup", "--member", "242", "--member", "243")
    await anna.dial("242")
    await ben.rings()
    await dora.dial("*40*242")
    await dora.ended(10)
    spoken.assert_said(dora.heard, "no-right")
    await carl.dial("*40*242")
    await ben.ended()
    await anna.talks()
    await shown(office, "talking")
    await talk(anna, carl)
    await anna.dial("242")
    await ben.rings()
    await carl.dial("*50*")
    await ben.ended()
    await shown(office, "talking")
    await talk(anna, carl)
    await carl.dial("*50*")
    await carl.ended(10)
    spoken.assert_said(carl.heard, "pickup-nothing")


def answers_by_itself() -> str:
    """A phone that answers what asks it to, in the words of both kinds of makers, and says back what it hears."""
    callee = Callee().asked("INVITE", call_info="answer-after=0", alert_info="alert-autoanswer")
    return callee.says("200 OK", "", sdp()).asked("ACK").is_hung_up_on()


async def test_an_intercom_is_answered_by_the_phone_itself(office: Office, phones: Phones) -> None:
    (anna,) = await people(office, phones, "251")
    office.extension("252")
    echo = await phones.scripted(office.account("252"), answers_by_itself())
    await anna.dial("*80*252")
    await anna.talks()
    await until(lambda: "talking" in [call["state"] for call in office.json("calls")], "they talk")
    await anna.stays_quiet("CALL_CLOSED", TALK_S)
    await anna.hang_up()
    await echo.plays_to_the_end()
    audio.assert_heard(anna.heard, anna.tone)


async def test_a_page_is_heard_by_all_free_phones_and_by_nobody_else(office: Office, phones: Phones) -> None:
    anna, ben, carl = await people(office, phones, "261", "262", "263")
    dora = await phones.baresip(office.account("264", password=office.extension("264")), answer="auto")
    emil = await phones.baresip(office.account("265", password=office.extension("265")), answer="auto")
    for phone in (dora, emil):
        await phone.registered()
    members = [word for number in ("262", "264", "265") for word in ("--member", number)]
    office.cli("group", "add", "695", "--kind", "ring", *members)
    await connect(ben, carl)
    await anna.dial("*81*695")
    for phone in (dora, emil):
        await phone.talks()
    await anna.stays_quiet("CALL_CLOSED", 2 * TALK_S)
    await anna.hang_up()
    for phone in (dora, emil):
        await phone.ended()
        assert_hears(phone.heard, anna.tone, at_least_ms=1500)
    await ben.hang_up()
    await carl.ended()
    assert ben.tone not in (anna.tone, carl.tone)
    audio.assert_heard(ben.heard, carl.tone)
    assert audio.heard_ms(anna.heard, dora.tone) == audio.heard_ms(anna.heard, emil.tone) == 0


async def test_a_page_that_reaches_nobody_says_so(office: Office, phones: Phones) -> None:
    (anna,) = await people(office, phones, "271")
    office.extension("272")
    office.cli("group", "add", "696", "--kind", "ring", "--member", "272")
    await anna.dial("*81*696")
    await anna.ended(10)
    spoken.assert_said(anna.heard, "paging-nobody")
