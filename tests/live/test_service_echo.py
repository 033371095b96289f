"""The echo test with a real phone: it hears a beep, and then itself."""

from __future__ import annotations

import asyncio

from tests.live import audio
from tests.live.conftest import Phones
from tests.live.office import Office

ANNA, CODE = "201", "*43"
TALK_S = 2.0


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


async def test_a_broken_service_is_refused_and_mended_without_a_restart(office: Office, phones: Phones) -> None:
    office.extension("202")
    bo = await phones.baresip(office.account("202"))
    await bo.registered()
    own = office.state / "lua" / "services"
    own.mkdir(parents=True)
    (own / "echo.lua").write_text("local service = {}\nfunction service.run(call\n")
    await bo.dial(CODE)
    assert "500" in await bo.ended()
    assert "echo.lua:3:" in office.log()
    (own / "echo.lua").unlink()
    await bo.dial(CODE)
    await bo.talks()
    await bo.hang_up()
    await bo.ended()
