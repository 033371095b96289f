"""The echo test with a real phone: it hears a beep, and then itself."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import audio
from tests.live.conftest import Phones
from tests.live.office import Office

ANNA, CODE = "201", "*43"
TALK_S = 2.0


async def logged(office: Office, text: str) -> None:
    """The engine's log is written by a thread of its own: wait for ``text``."""
    async with asyncio.timeout(5):
        while text not in office.log():
            await asyncio.sleep(0.05)


@pytest.fixture
def own(office: Office) -> Iterator[Path]:
    """The folder of the office's own services, empty again afterwards."""
    folder = office.state / "lua" / "services"
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(office.state / "lua")


async def test_a_phone_hears_its_own_tone(office: Office, phones: Phones) -> None:
    office.extension(ANNA)
    anna = await phones.baresip(office.account(ANNA))
    await anna.registered()
    await anna.dial(CODE)
    await anna.talks()
    await asyncio.sleep(TALK_S)
    (call,) = office.json("calls")
    assert (call["state"], call["service"], call["callee"]) == ("service", "echo", CODE)
    assert office.json("lamps")[ANNA] == "busy"
    await anna.hang_up()
    await anna.ended()
    audio.assert_heard(anna.heard, anna.tone, at_least_ms=1000)
    (record,) = office.json("records")
    assert (record["caller"], record["callee"], record["released_by"]) == (ANNA, CODE, "caller")
    assert office.json("calls") == []


async def test_a_broken_service_is_refused_and_mended_without_a_restart(
    office: Office, phones: Phones, own: Path
) -> None:
    office.extension("202")
    bo = await phones.baresip(office.account("202"))
    await bo.registered()
    (own / "echo.lua").write_text("local service = {}\nfunction service.run(call\n")
    await bo.dial(CODE)
    assert "500" in await bo.ended()
    await logged(office, "echo.lua:3:")
    (own / "echo.lua").unlink()
    await bo.dial(CODE)
    await bo.talks()
    await bo.hang_up()
    await bo.ended()


async def test_a_service_that_hangs_disturbs_nobody_and_keeps_the_engine_from_nothing(
    office: Office, phones: Phones, own: Path
) -> None:
    """Its thread hangs until the engine stops, which the end of this module does."""
    office.extension("203")
    office.extension("204")
    chef, dora = await phones.pair(office.account("203"), office.account("204"))
    await chef.dial(CODE)
    await chef.talks()
    (own / "echo.lua").write_text('return (("a"):rep(40)):find(("a?"):rep(40) .. ("a"):rep(40))')
    await dora.dial(CODE)
    assert "500" in await dora.ended()
    await logged(office, "hangs: a step took longer than 1 s")
    (own / "echo.lua").unlink()
    await dora.dial(CODE)
    await dora.talks()
    await asyncio.sleep(1)
    for phone in (chef, dora):
        await phone.hang_up()
        await phone.ended()
        audio.assert_heard(phone.heard, phone.tone)
    assert office.json("status")["loop_delay_ms"]["p99"] < 100
