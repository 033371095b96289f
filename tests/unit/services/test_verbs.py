"""What verbs do that no shipped service asks for: services of the test, and what people see of them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine.core.events import AlarmRaised, ServiceFailed
from engine.core.views import CallState, PartyState
from engine.net.web import Page, WebError
from engine.store.configuration import Right
from engine.store.outside import InboundRule
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.outside import MemoryCarrier, connect
from tests.unit.services.host import write_service
from tests.unit.services.scene import GroupKind, dial, has_group, has_trigger, may


def has_service(scene: MemoryOffice, own: Path, body: str, number: str = "*1000") -> None:
    """Whoever dials ``number`` is in a service that does this."""
    write_service(own, "tried", body)
    has_trigger(scene, number, "tried")


def failure(scene: MemoryOffice) -> str:
    """Why the last service broke."""
    event = scene.heard_events(ServiceFailed)[-1]
    assert isinstance(event, ServiceFailed)
    return event.reason


# -- dial -------------------------------------------------------------------------------------------------------


def test_dial_adds_header_fields_to_every_invite(scene: MemoryOffice, own: Path) -> None:
    anna, ben, carl = scene.registered("101", "102", "103")
    fields = '{ ["X-Customer"] = "4711", subject = "Bestellung für Müller", ["X-Count"] = 3 }'
    has_service(scene, own, f'call:dial({{ "102", "103" }}, {{ headers = {fields} }})')
    dial(scene, anna, "*1000")
    for phone in (ben, carl):
        invite = phone.ringing.invite
        assert invite is not None
        assert invite.headers.get("X-Customer") == "4711"
        assert invite.headers.get("Subject") == "Bestellung für Müller"
        assert invite.headers.get("X-Count") == "3"


def test_dial_adds_header_fields_to_calls_outside(scene: MemoryOffice, own: Path) -> None:
    (anna,) = scene.registered("101")
    carrier = MemoryCarrier(scene)
    connect(scene)
    has_service(scene, own, 'call:dial("94930111", { headers = { ["X-Customer"] = "4711" }, auto_answer = true })')
    dial(scene, anna, "*1000")
    (invite,) = carrier.requests
    assert invite.headers.get("X-Customer") == "4711"
    assert "Call-Info" not in invite.headers


@pytest.mark.parametrize(
    "fields",
    [
        "{ Via = 'x' }", "{ v = 'x' }", "{ Route = '<sip:evil.test>' }", "{ ['P-Asserted-Identity'] = 'x' }",
        "{ Contact = 'x' }", "{ ['Content-Length'] = '0' }", "{ ['X-'] = 'a' }", "{ ['X-A:B'] = 'a' }",
        "{ ['X-A\\r\\nVia'] = 'a' }", "{ ['X-A'] = 'a\\r\\nVia: b' }", "{ ['X-A'] = 'a\\nb' }",
        "{ ['X-A'] = '\\0' }", "{ ['X-A'] = ' ' }", "{ ['X-A'] = '' }", "{ ['X-A'] = true }", "{ ['X-A'] = {} }",
        "{ ['X-A'] = '1', ['x-a'] = '2' }", "{ 'X-A' }", "'X-A: b'",
        "{ ['X-A'] = string.rep('a', 201) }", "{ ['X-' .. string.rep('a', 40)] = 'a' }",
        "(function() local t = {} for i = 1, 11 do t['X-' .. i] = 'a' end return t end)()",
    ],
)  # fmt: skip
def test_a_header_field_that_is_not_a_services_to_set_is_a_mistake(
    scene: MemoryOffice, own: Path, fields: str
) -> None:
    anna, ben = scene.registered("101", "102")
    has_service(scene, own, f'call:dial("102", {{ headers = {fields} }})')
    dial(scene, anna, "*1000")
    assert not ben.calls
    assert failure(scene).startswith("tried.lua:3: call:dial needs headers to be at most 10 header fields")


# -- transfer ---------------------------------------------------------------------------------------------------


def test_transfer_hands_the_caller_on_and_the_service_is_done(scene: MemoryOffice, own: Path) -> None:
    anna, ben = scene.registered("101", "102")
    has_service(scene, own, 'call:answer() call:transfer("102", { ring = 20 }) call:mark("back")')
    call = dial(scene, anna, "*1000")
    assert scene.hears(anna) == "ringback-de"
    ben.ringing.answer()
    scene.settle()
    assert (scene.hears(anna), scene.hears(ben)) == ("102", "101")
    assert (scene.call.state, scene.call.service, scene.call.callee) == (CallState.TALKING, None, "102")
    ben.ringing.hang_up()
    scene.settle()
    assert call.is_over
    assert not scene.heard_events(AlarmRaised, ServiceFailed)
    assert (scene.record.callee, scene.record.cause) == ("102", "normal")


def test_a_transfer_that_nobody_takes_is_a_value(scene: MemoryOffice, own: Path) -> None:
    anna, ben = scene.registered("101", "102")
    body = """
    call:answer()
    local outcome = {}
    for _, number in ipairs({ "102", "102", "103", "101", "999", "no number" }) do
        local result = call:transfer(number, { ring = 5 })
        outcome[#outcome + 1] = result.status .. " " .. result.code
    end
    error(table.concat(outcome, ", "), 0)
    """
    has_service(scene, own, body)
    scene.has("103")
    call = dial(scene, anna, "*1000")
    scene.advance(5.5)
    assert scene.call.callee == "102"
    ben.ringing.refuse(486)
    scene.settle()
    assert "no_answer 480, busy 486, unreachable 480, refused 482, refused 404, refused 404" in failure(scene)
    assert call.is_up  # it hears the apology
    assert scene.call.callee == "*1000"


def test_a_transfer_goes_by_the_rights_of_an_extension(scene: MemoryOffice, own: Path) -> None:
    carrier = MemoryCarrier(scene)
    connect(scene)
    scene.registered("101")
    has_service(
        scene, own, 'call:answer() call:transfer("9030111") call:transfer("9030111", { as = "101" })', "4930800"
    )
    scene.configure(inbound=(InboundRule(1, "line", "4930800", service="tried"),))
    call = carrier.dials("4930800")
    scene.settle()
    assert [str(each.uri).partition("@")[0] for each in carrier.requests] == ["sip:030111"]
    carrier.ringing.answer()
    scene.settle()
    assert call.is_up
    assert scene.call.state is CallState.TALKING


def test_a_transfer_to_a_code_leads_into_its_service(scene: MemoryOffice, own: Path) -> None:
    (anna,) = scene.registered("101")
    scene.has("102")
    has_service(scene, own, 'call:answer() call:transfer("*98*102", { as = "102" })')
    dial(scene, anna, "*1000")
    scene.advance(0.1)
    assert (scene.call.service, scene.call.callee) == ("voicemail_deposit", "*98*102")
    assert scene.hears(anna) == "vm-leave"


def test_a_caller_is_sent_to_a_box_before_or_after_the_answer(scene: MemoryOffice, own: Path) -> None:
    (anna,) = scene.registered("101")
    scene.has("102")
    has_service(scene, own, 'call:voicemail("102")')
    call = dial(scene, anna, "*1000")
    scene.advance(0.1)
    assert scene.call.service == "voicemail_deposit"
    assert scene.hears(anna) == "vm-leave"
    call.hang_up()
    scene.settle()
    has_service(scene, own, 'call:answer() local _, why = call:voicemail("999") call:refuse(404, { reason = why })')
    call = dial(scene, anna, "*1000")
    assert call.is_over


def test_a_caller_who_hangs_up_during_a_transfer_ends_its_ringing(scene: MemoryOffice, own: Path) -> None:
    anna, ben = scene.registered("101", "102")
    has_service(scene, own, 'call:answer() call:transfer("102")')
    call = dial(scene, anna, "*1000")
    call.hang_up()
    scene.settle()
    assert ben.ringing.is_over


def test_nobody_is_transferred_or_held_before_the_answer(scene: MemoryOffice, own: Path) -> None:
    (anna,) = scene.registered("101")
    body = 'local _, a = call:transfer("102") local _, b = call:hold() error(a .. "; " .. b, 0)'
    has_service(scene, own, body)
    dial(scene, anna, "*1000")
    assert failure(scene).endswith("the call is not answered; the call is not answered")


# -- hold -------------------------------------------------------------------------------------------------------


def test_hold_plays_music_until_the_caller_is_taken_back(scene: MemoryOffice, own: Path) -> None:
    (anna,) = scene.registered("101")
    has_service(scene, own, "call:answer() call:hold() call:wait(3) call:hold(false) call:wait(3)")
    dial(scene, anna, "*1000")
    assert scene.hears(anna) == "music"
    assert (scene.call.state, scene.call.parties[0].state) == (CallState.HELD, PartyState.HELD)
    scene.advance(3.1)
    assert scene.hears(anna) is None
    assert (scene.call.state, scene.call.parties[0].state) == (CallState.SERVICE, PartyState.TALKING)


def test_who_was_held_talks_with_whoever_is_dialled(scene: MemoryOffice, own: Path) -> None:
    anna, ben = scene.registered("101", "102")
    has_service(scene, own, 'call:answer() call:hold() call:dial("102")')
    dial(scene, anna, "*1000")
    ben.ringing.answer()
    scene.settle()
    assert scene.hears(anna) == "102"
    assert (scene.call.state, scene.call.parties[0].state) == (CallState.TALKING, PartyState.TALKING)


# -- bridge -----------------------------------------------------------------------------------------------------

WAITS = """
if call.caller == "101" then
    call:set("waiting", call.id)
    {waits}
    call:wait(60)
end
local _, why = call:bridge(call:get("waiting"))
if why ~= "ended" then
    error(why, 0)
end
"""


@pytest.mark.parametrize(
    "waits",
    [
        "call:answer()", "call:answer() call:hold()", "call:ringing()", "call:answer() call:park('5')",
        "call:answer() call:queue('sales')", "call:dial('103')", "call:answer() call:dial('103')",
    ],
)  # fmt: skip
@pytest.mark.parametrize("answers", ["", "call:answer()"])
def test_two_callers_of_a_service_are_brought_together(
    scene: MemoryOffice, own: Path, waits: str, answers: str
) -> None:
    anna, ben, carl = scene.registered("101", "102", "103")
    body = WAITS.replace("{waits}", waits).replace("local _, why", f"{answers} local _, why")
    has_service(scene, own, body)
    first = dial(scene, anna, "*1000")
    second = dial(scene, ben, "*1000")
    assert (first.is_up, second.is_up) == (True, True)
    assert (scene.hears(anna), scene.hears(ben)) == ("102", "101")
    assert scene.call.state is CallState.TALKING
    assert all(call.is_over for call in carl.calls)
    assert not scene.office.exchange.rooms.parked
    assert not scene.office.exchange.rooms.queues
    second.hang_up()
    scene.settle()
    assert first.is_over
    assert not scene.heard_events(ServiceFailed)


def test_a_call_of_another_service_is_fetched_by_right(scene: MemoryOffice, own: Path) -> None:
    anna, ben = scene.registered("101", "102")
    waiting = dial(scene, anna, "*6*42")
    other = scene.call.id
    has_service(scene, own, f'local _, why = call:bridge("{other}") error(why, 0)')
    dial(scene, ben, "*1000")
    assert failure(scene) == "tried.lua:3: no right to that call"
    assert waiting.is_up
    may(scene, "102", Right.PULL)
    scene.settle()
    dial(scene, ben, "*1000")
    assert (scene.hears(anna), scene.hears(ben)) == ("102", "101")
    assert not scene.office.exchange.rooms.conferences


@pytest.mark.parametrize("is_in_group", [False, True])
def test_what_rings_elsewhere_is_bridged_by_the_rights_to_pick_up(
    scene: MemoryOffice, own: Path, is_in_group: bool
) -> None:
    anna, ben, carl = scene.registered("101", "102", "103")
    if is_in_group:
        has_group(scene, "690", GroupKind.PICKUP, "102", "103")
    dial(scene, anna, "103")
    has_service(scene, own, f'local _, why = call:bridge("{scene.call.id}") error(why, 0)')
    dial(scene, ben, "*1000")
    if is_in_group:
        assert (scene.hears(anna), scene.hears(ben)) == ("102", "101")
        assert carl.ringing.is_over
    else:
        assert failure(scene) == "tried.lua:3: no right to that call"
        assert not carl.ringing.is_over


def test_a_call_that_talks_is_not_bridged(scene: MemoryOffice, own: Path) -> None:
    anna, _, _, _ = scene.talking()
    (carl,) = scene.registered("103")
    may(scene, "103", Right.PULL)
    body = f'local _, a = call:bridge("{scene.call.id}") local _, b = call:bridge("nothing") '
    has_service(scene, own, body + 'local _, c = call:bridge(call.id) error(a .. "; " .. b .. "; " .. c, 0)')
    dial(scene, carl, "*1000")
    assert failure(scene).endswith("that call does not wait; there is no such call; that is this call")
    assert scene.hears(anna) == "102"


# -- http -------------------------------------------------------------------------------------------------------


class FakeWeb:
    """A web of one host, which answers when it is let."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.given_up = 0

    async def fetch(self, url: str, **how: Any) -> Page:
        self.asked.append((url, how))
        try:
            await self.is_open.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        if "crm" not in url:
            raise WebError("evil.test:443 may not be asked: see the parameter http_allow")
        return Page(200, "Müller GmbH", "text/plain")


@pytest.fixture
def web(scene: MemoryOffice) -> FakeWeb:
    fake = FakeWeb()
    scene.office.exchange.web = fake  # type: ignore[assignment]
    return fake


def test_a_service_asks_a_host_and_goes_on_with_its_answer(scene: MemoryOffice, own: Path, web: FakeWeb) -> None:
    (anna,) = scene.registered("101")
    body = """
    local page = call:http("https://crm.test/" .. call.caller, { timeout = 2, headers = { Authorization = "x" } })
    call:mark(page.status .. " " .. page.type .. " " .. page.body)
    call:http("https://crm.test/", { method = "POST", body = "a=b" })
    """
    has_service(scene, own, body)
    dial(scene, anna, "*1000")
    assert [each.text for each in scene.heard_events(AlarmRaised)] == ["200 text/plain Müller GmbH"]  # type: ignore[attr-defined]
    assert web.asked == [
        (
            "https://crm.test/101",
            {"method": "GET", "body": "", "headers": {"Authorization": "x"}, "timeout_s": 2.0},
        ),
        ("https://crm.test/", {"method": "POST", "body": "a=b", "headers": {}, "timeout_s": 5.0}),
    ]


def test_what_cannot_be_asked_is_a_value(scene: MemoryOffice, own: Path, web: FakeWeb) -> None:
    (anna,) = scene.registered("101")
    body = """
    local _, evil = call:http("https://evil.test/")
    local _, method = call:http("https://crm.test/", { method = "DELETE" })
    local _, body = call:http("https://crm.test/", { body = "a" })
    error(evil .. "; " .. method .. "; " .. body, 0)
    """
    has_service(scene, own, body)
    dial(scene, anna, "*1000")
    assert failure(scene).endswith(
        "evil.test:443 may not be asked: see the parameter http_allow; "
        "a service asks with GET or POST alone; GET takes no body: use POST"
    )


def test_a_caller_who_hangs_up_ends_the_asking(scene: MemoryOffice, own: Path, web: FakeWeb) -> None:
    (anna,) = scene.registered("101")
    web.is_open.clear()
    has_service(scene, own, 'call:answer() call:http("https://crm.test/")')
    call = dial(scene, anna, "*1000")
    assert call.is_up
    call.hang_up()
    scene.settle()
    assert web.given_up == 1
    assert not scene.office.calls()


@pytest.mark.parametrize(
    "fields",
    [
        "{ Host = 'evil.test' }", "{ ['Content-Length'] = 1 }", "{ ['Proxy-X'] = 'a' }",
        "{ ['A'] = 'a\\r\\nB: c' }",
        "{ ['A B'] = 'c' }", "{ ['X'] = string.rep('a', 2001) }",
    ],
)  # fmt: skip
def test_a_header_field_that_steers_http_is_a_mistake(
    scene: MemoryOffice, own: Path, web: FakeWeb, fields: str
) -> None:
    (anna,) = scene.registered("101")
    has_service(scene, own, f'call:http("https://crm.test/", {{ headers = {fields} }})')
    dial(scene, anna, "*1000")
    assert not web.asked
    assert failure(scene).startswith("tried.lua:3: call:http needs headers to be at most 10 header fields")
