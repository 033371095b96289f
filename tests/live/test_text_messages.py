"""Text messages between real phones, and what the sender hears of one that nobody can take."""

from __future__ import annotations

import pytest

from tests.live.conftest import Phones
from tests.live.linphone import Linphone
from tests.live.office import Office
from tests.live.processes import wait_until

ANNA, BO, NOBODY = "201", "202", "203"


@pytest.fixture(scope="module", autouse=True)
def people(office: Office) -> None:
    for number in (ANNA, BO, NOBODY):
        office.extension(number)


def write(phone: Linphone, number: str, text: str) -> None:
    phone.command(f'chat sip:{number}@{phone.account.office} "{text}"')


async def test_two_phones_write_to_each_other(office: Office, phones: Phones) -> None:
    anna, bo = await phones.linphone(office.account(ANNA)), await phones.linphone(office.account(BO))
    for phone in (anna, bo):
        await phone.registered()
    for sender, reader, text in ((anna, bo, "lunch at one?"), (bo, anna, "yes, in the canteen")):
        write(sender, reader.account.number, text)
        received = await reader.says(f"[^\\n]*{text[:-1]}[^\\n]*")
        assert sender.account.number in received


async def test_who_writes_to_a_phone_that_is_off_hears_so(office: Office, phones: Phones) -> None:
    anna = await phones.linphone(office.account(ANNA))
    await anna.registered()
    write(anna, NOBODY, "anybody there?")
    wait_until(lambda: "SIP/2.0 480 Phone Not Registered" in anna.sip_log(), 5, "the sender hears why")
    write(anna, "299", "anybody there?")
    wait_until(lambda: "SIP/2.0 404 No Such Number" in anna.sip_log(), 5, "the sender hears why")
