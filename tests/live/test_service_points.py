"""Services of the office's own with real phones: before, after and without calls, by HTTP, and with two callers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from tests.live import spoken
from tests.live.conftest import Phones
from tests.live.office import Office
from tests.live.scene import people, shown, silent, talk, until


def write(office: Office, name: str, body: str) -> None:
    folder = office.state / "lua" / "services"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.lua").write_text(
        f"local service = {{}}\nfunction service.run(call)\n{body}\nend\nreturn service\n"
    )


def lead(office: Office, number: str, service: str, *more: str) -> int:
    added = office.json("service", "trigger", "add", "--number", number, "--service", service, *more)
    return int(added["id"])


class Crm:
    """A web server that knows who is blocked, and keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[dict[str, str]] = []
        self.base = ""

    async def answer(self, request: web.Request) -> web.Response:
        if request.method == "POST":
            self.told.append(json.loads(await request.text()))
            return web.Response(text="kept")
        return web.Response(text="blocked" if request.path == "/caller/322" else "welcome")

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield
        finally:
            await runner.cleanup()


async def test_a_customer_system_decides_and_is_told(office: Office, phones: Phones) -> None:
    """Before a call a service asks by HTTP, after it another tells."""
    anna, ben, carl = await people(office, phones, "321", "322", "323")
    crm = Crm()
    async with crm.opened():
        office.cli("param", "set", "http_allow", crm.base)
        asks = f"""
        local page, why = call:http("{crm.base}/caller/" .. call.caller, {{ timeout = 2 }})
        if not page then
            call:log("nothing is known of " .. call.caller .. ": " .. why)
        elseif page.body == "blocked" then
            call:refuse(403, {{ reason = "Blocked By The Customer System" }})
        end
        """
        tells = f"""
        local known = '{{"caller":"%s","callee":"%s","cause":"%s","id":"%s"}}'
        local said = call.settings
        call:http("{crm.base}/calls", {{
            method = "POST", body = known:format(said.caller, said.callee, said.cause, said.id),
            headers = {{ ["Content-Type"] = "application/json" }},
        }})
        """
        write(office, "asks", asks)
        write(office, "tells", tells)
        rows = [
            lead(office, "*", "asks", "--point", "call-start"),
            lead(office, "*", "tells", "--point", "call-end"),
        ]
        try:
            await ben.dial("323")
            assert (await ben.ended()).startswith("403")
            await anna.dial("323")
            await carl.rings()
            await carl.accept()
            await shown(office, "talking")
            await talk(anna, carl)
            await until(lambda: len(crm.told) == 2, "the customer system is told of both calls")
        finally:
            for row in rows:
                office.cli("service", "trigger", "remove", str(row))
    assert [(each["caller"], each["callee"], each["cause"]) for each in crm.told] == [
        ("322", "323", "403 Blocked By The Customer System"), ("321", "323", "normal"),
    ]  # fmt: skip
    assert {each["id"] for each in crm.told} == {each["id"] for each in office.json("records")}


@pytest.mark.timeout(150)
async def test_a_service_begins_at_its_time_and_connects_two(office: Office, phones: Phones) -> None:
    anna, ben = await people(office, phones, "331", "332")
    body = """
    if call:get("done") then
        return
    end
    call:set("done", true)
    local result = call:dial("331", { ring = 30, name = "Reminder" })
    if result.status == "answered" then
        call:play("wakeup-call")
        call:dial("332")
    end
    """
    write(office, "reminds", body)
    row = lead(office, "331", "reminds", "--point", "schedule", "--set", "every=1")
    await anna.rings(70)
    office.cli("service", "trigger", "remove", str(row))
    await anna.accept()
    await ben.rings(10)
    await ben.accept()
    await shown(office, "talking")
    await talk(anna, ben)
    spoken.assert_said(anna.heard, "wakeup-call")
    await silent(office)


async def test_a_caller_on_hold_is_brought_together_with_another(office: Office, phones: Phones) -> None:
    anna, ben = await people(office, phones, "341", "342")
    body = """
    call:answer()
    if call.caller == "341" then
        call:set("waiting", call.id)
        call:hold()
        call:wait(30)
    else
        call:play("transferring")
        call:bridge(call:get("waiting"))
    end
    """
    write(office, "meets", body)
    lead(office, "*1001", "meets")
    await anna.dial("*1001")
    await shown(office, "held")
    await asyncio.sleep(1)
    await ben.dial("*1001")
    await shown(office, "talking")
    await talk(ben, anna)
    spoken.assert_said(ben.heard, "transferring")
    await silent(office)


async def test_a_caller_is_handed_on_and_what_nobody_takes_comes_back(office: Office, phones: Phones) -> None:
    anna, ben = await people(office, phones, "351", "352")
    office.extension("353")
    body = """
    call:answer()
    local missed = call:transfer("353", { as = "351" })
    call:play(missed.status == "unreachable" and "unreachable" or "busy")
    call:transfer("352", { ring = 15, music = true })
    """
    write(office, "hands_on", body)
    lead(office, "*1002", "hands_on")
    await anna.dial("*1002")
    await ben.rings(10)
    await ben.accept()
    await shown(office, "talking")
    (call,) = office.json("calls")
    assert (call["callee"], call["service"]) == ("352", None)
    await talk(anna, ben)
    spoken.assert_said(anna.heard, "unreachable")


async def test_a_phone_is_told_more_by_header_fields(office: Office, phones: Phones) -> None:
    anna, ben = await people(office, phones, "361", "362")
    write(office, "tells_more", 'call:dial("362", { headers = { ["X-Customer"] = "4711", Subject = "Order 12" } })')
    lead(office, "*1003", "tells_more")
    await anna.dial("*1003")
    await ben.rings()
    invite = ben.messages("INVITE ")[0]
    assert "X-Customer: 4711" in invite
    assert "Subject: Order 12" in invite
    await ben.decline()
    await anna.ended()
