"""What verbs do that no shipped service asks for: services of the test, and what people see of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.core.events import ServiceFailed
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.outside import MemoryCarrier, connect
from tests.unit.services.host import write_service
from tests.unit.services.scene import dial, has_trigger


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
