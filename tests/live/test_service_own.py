"""What people set for themselves from their phones: forwarding, do not disturb, keys, callbacks."""

from __future__ import annotations

import pytest

from tests.live import spoken
from tests.live.baresip import Baresip
from tests.live.conftest import Phones
from tests.live.office import Office
from tests.live.phone import connect
from tests.live.scene import people, shown, silent, talk, until

FORWARDING = {"93": "forward-always", "90": "forward-busy", "92": "forward-no-answer", "91": "forward-unreachable"}


async def dials(phone: Baresip, number: str, *said: str) -> None:
    """Dial a code, hear these sentences and be hung up on."""
    phone.forget()
    await phone.dial(number)
    await phone.ended(12)
    spoken.assert_said(phone.heard, *said)


@pytest.mark.parametrize("code", FORWARDING)
async def test_calls_are_forwarded_by_code_until_it_is_cleared(office: Office, phones: Phones, code: str) -> None:
    numbers = [f"2{code[1]}{place}" for place in (1, 2, 3)]
    office.extension(numbers[1], "--right", FORWARDING[code])
    office.cli("param", "set", "ring_timeout_s", "5")
    anna, ben, carl = await people(office, phones, *numbers)
    try:
        await dials(ben, f"*{code}*{numbers[2]}", "forward-on", *spoken.digits_clips(numbers[2]))
        if code == "91":
            await ben.close()
        await anna.dial(numbers[1])
        if code in ("90", "92"):
            await ben.rings()
        if code == "90":
            await ben.decline()
        await carl.rings(8)
        await carl.accept()
        await shown(office, "talking")
        await talk(anna, carl)
        if code == "91":
            ben = await phones.baresip(office.account(numbers[1]))
            await ben.registered()
        await dials(ben, f"*{code}#", "forward-off")
        for phone in (anna, ben, carl):
            phone.forget()
        await anna.dial(numbers[1])
        await ben.rings()
        await ben.decline()
        assert (await anna.ended()).startswith("486")
        await carl.stays_quiet("CALL_INCOMING", 0.5)
    finally:
        office.cli("param", "set", "ring_timeout_s", "60")


async def test_without_the_right_nothing_is_forwarded(office: Office, phones: Phones) -> None:
    anna, ben = await people(office, phones, "241", "242")
    await dials(ben, "*93*241", "not-allowed")
    await connect(anna, ben)
    await talk(anna, ben)


async def test_who_is_not_to_be_disturbed_is_not_rung(office: Office, phones: Phones) -> None:
    anna, ben = await people(office, phones, "251", "252")
    await dials(ben, "*78", "dnd-on")
    assert office.json("lamps")["252"] == "dnd"
    await anna.dial("252")
    assert (await anna.ended()).startswith("486")
    await ben.stays_quiet("CALL_INCOMING", 0.3)
    await dials(ben, "*79", "dnd-off")
    await connect(anna, ben)
    await talk(anna, ben)


async def test_keys_and_the_last_number_are_dialled(office: Office, phones: Phones) -> None:
    anna, ben = await people(office, phones, "261", "262")
    await dials(anna, "*88*1*262", "done")
    await dials(anna, "*88*2", "speed-empty")
    for code in ("*88*1", "262", "*66"):
        await anna.dial(code)
        await ben.rings()
        await ben.accept()
        await shown(office, "talking")
        await talk(ben, anna)
        await silent(office)
        ben.forget()


async def test_who_was_busy_is_called_back_once_it_is_free(office: Office, phones: Phones) -> None:
    anna, ben, carl = await people(office, phones, "271", "272", "273")
    await connect(ben, carl)
    await dials(anna, "*62*272", "callback-set")
    await anna.stays_quiet("CALL_INCOMING", 3)
    await ben.hang_up()
    await ben.ended()
    await anna.rings(8)
    await anna.accept()
    await ben.rings(8)
    await ben.accept()
    await shown(office, "talking")
    await talk(anna, ben)
    spoken.assert_said(anna.heard, "callback-ready")


async def test_a_call_follows_its_extension(office: Office, phones: Phones) -> None:
    """Its own phone first, then the next number, then the box."""
    anna, ben, carl = await people(office, phones, "281", "282", "283")
    office.cli(
        "service", "trigger", "add", "--point", "always", "--number", "282", "--service", "follow_me",
        "--set", "numbers=283", "--set", "ring=3", "--set", "box=yes",
    )  # fmt: skip
    await anna.dial("282")
    await ben.rings()
    await carl.rings(6)
    await ben.ended()
    await carl.accept()
    await shown(office, "talking")
    await talk(anna, carl)
    await anna.ended()
    await anna.dial("282")
    await ben.rings()
    await ben.decline()
    await carl.rings()
    await carl.decline()
    await anna.talks()
    await until(lambda: [*(office.state / "voicemail" / "282").glob("new-*")], "a message is left", 15)
    await anna.hang_up()
    await silent(office)
    spoken.assert_said(anna.heard, "vm-leave")


async def test_strangers_are_screened(office: Office, phones: Phones) -> None:
    anna, ben, carl = await people(office, phones, "291", "292", "293")
    office.cli(
        "service", "trigger", "add", "--point", "always", "--number", "292", "--service", "screening", "--set",
        "block=291",
    )  # fmt: skip
    await dials(anna, "292", "blocked")
    await carl.dial("292")
    await ben.rings()
    await ben.accept()
    await shown(office, "talking")
    await talk(carl, ben)


async def test_the_night_switch_is_turned_by_code(office: Office, phones: Phones) -> None:
    (anna,) = await people(office, phones, "294")
    for position in ("on", "off", "auto"):
        await dials(anna, "*26", f"night-{position}")


async def test_the_last_caller_is_marked_as_malicious(office: Office, phones: Phones) -> None:
    anna, ben = await people(office, phones, "295", "296")
    await dials(ben, "*33", "nothing-dialled")
    await connect(anna, ben)
    call = office.json("calls")[0]["id"]
    await anna.hang_up()
    await ben.ended()
    with office.watch() as events:
        await dials(ben, "*33", "marked")
        await until(lambda: "malicious" in events.read_text(), "everybody who watches is told")
        assert call in events.read_text()
