"""The auto attendant with real phones: its menu, extensions dialled directly, and wrong keys and none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live import spoken
from tests.live.conftest import Phones
from tests.live.office import Office
from tests.live.scene import people, shown, talk

ANNA, BO, CHEF = "201", "202", "203"
MENU, CLOSED, LONG = "800", "801", "attendant-menu"


@pytest.fixture(scope="module", autouse=True)
def attendant(office: Office) -> Iterator[None]:
    office.cli("schedule", "add", "never", "--when", "mo 00:00-00:01")
    office.cli("night", "on")
    add = ("service", "trigger", "add", "--service", "attendant", "--number")
    office.cli(*add, MENU, "--set", f"1={BO}", "--set", f"operator={CHEF}")
    office.cli(*add, CLOSED, "--set", "open=never", "--set", f"closed={BO}")
    yield
    office.cli("night", "auto")


async def test_the_menu_is_heard_to_its_last_word_before_anything_follows(office: Office, phones: Phones) -> None:
    """baresip keeps what it has until more comes; who hangs up while it thinks has heard it all."""
    (anna,) = await people(office, phones, ANNA)
    await anna.dial(MENU)
    await anna.talks()
    await anna.stays_quiet("CALL_CLOSED", sum(len(spoken.prompt(name)) / 8000 for name in ("welcome", LONG)) + 2)
    await anna.hang_up()
    heard = spoken.recording(anna.heard)
    last_words = spoken.prompt(LONG)[-8000:]
    assert spoken.said_at(heard, last_words, 1.0).likeness > spoken.SAID


async def test_a_key_of_the_menu_leads_on(office: Office, phones: Phones) -> None:
    anna, bo = await people(office, phones, ANNA, BO)
    await anna.dial(MENU)
    await anna.talks()
    await anna.digits("1")
    await bo.rings()
    await bo.accept()
    await bo.talks()
    await shown(office, "talking")
    await talk(anna, bo)
    spoken.assert_said(anna.heard, "transferring")


async def test_an_extension_is_dialled_directly(office: Office, phones: Phones) -> None:
    anna, chef = await people(office, phones, ANNA, CHEF)
    await anna.dial(MENU)
    await anna.talks()
    await anna.digits(CHEF)
    await chef.rings()
    await chef.accept()
    await shown(office, "talking")
    await talk(chef, anna)


async def test_a_wrong_key_and_none_lead_to_the_operator(office: Office, phones: Phones) -> None:
    """The whole way: welcome, menu, a key that means nothing, menu, nothing pressed, menu, then the operator."""
    anna, chef = await people(office, phones, ANNA, CHEF)
    await anna.dial(MENU)
    await anna.talks()
    await anna.digits("9")
    await chef.rings(30)
    await chef.accept()
    await shown(office, "talking")
    await talk(anna, chef)
    spoken.assert_said(anna.heard, "invalid", "attendant-menu", "attendant-menu", "transferring")


async def test_whoever_is_busy_is_told_and_the_caller_chooses_again(office: Office, phones: Phones) -> None:
    anna, bo, chef = await people(office, phones, ANNA, BO, CHEF)
    await anna.dial(MENU)
    await anna.talks()
    await anna.digits("1")
    await bo.rings()
    await bo.decline()
    await anna.digits(CHEF)
    await chef.rings(15)
    await chef.accept()
    await shown(office, "talking")
    await talk(anna, chef)
    spoken.assert_said(anna.heard, "busy")


async def test_a_closed_office_says_so_and_goes_on(office: Office, phones: Phones) -> None:
    anna, bo = await people(office, phones, ANNA, BO)
    await anna.dial(CLOSED)
    await bo.rings(20)
    await bo.accept()
    await shown(office, "talking")
    await talk(anna, bo)
    spoken.assert_said(anna.heard, "attendant-closed", "transferring")
    spoken.assert_not_said(anna.heard, "welcome")


async def test_who_presses_nothing_where_there_is_no_operator_hears_the_whole_menu(
    office: Office, phones: Phones
) -> None:
    office.cli("param", "set", "language", "zh")
    office.cli("service", "trigger", "add", "--service", "attendant", "--number", "802")
    try:
        (anna,) = await people(office, phones, ANNA)
        await anna.dial("802")
        await anna.ended(45)
    finally:
        office.cli("param", "set", "language", "en")
    menu = ["attendant-menu"] * 3
    spoken.assert_said(anna.heard, "welcome", *menu, "goodbye", language="zh")
    spoken.assert_not_said(anna.heard, "welcome")
