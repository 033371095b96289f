"""Commands and results cross the wire unchanged; whatever does not fit is refused in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from engine.core.errors import NotFoundError, RefusedError
from engine.core.views import Lamp
from engine.desk.commands import (
    AddExtension,
    AddOperator,
    Command,
    ExtensionFields,
    GetParams,
    ListCalls,
    ListLamps,
    ListRecords,
    ListRegistrations,
    NewPassword,
    OperatorFields,
    ReleaseCall,
)
from engine.desk.wire import (
    RESULTS,
    WireError,
    decode,
    decode_command,
    decode_error,
    encode,
    encode_command,
    encode_error,
    parse_line,
    to_line,
)
from engine.store.configuration import HoldPolicy, Role
from tests.unit.desk.fakes import FakeOffice, a_call, a_registration
from tests.unit.store.samples import a_record, an_extension


@pytest.mark.parametrize(
    "command",
    [
        ListCalls(),
        AddExtension("101"),
        AddExtension(
            "101",
            ExtensionFields(
                name="Ännä 陈",
                multi_device=False,
                max_calls=3,
                add_rights=frozenset({"listen"}),
                hold=HoldPolicy.PASS,
                codecs=("PCMA",),
                clear=frozenset({"email"}),
            ),
        ),
        AddOperator("anna", OperatorFields(add_keys=("a", "b"), role=Role.ADMIN)),
        ListRecords(since=datetime(2026, 3, 2, 9, 30, 0, 123456, tzinfo=UTC), limit=3),
        ReleaseCall("7f3a", revision=0),
    ],
)
def test_command_crosses_the_wire_unchanged(command: Command) -> None:
    assert decode_command(parse_line(to_line(encode_command(command)))) == command


@pytest.mark.parametrize(
    ("asked", "result"),
    [
        (ListCalls(), (a_call(),)),
        (ListRegistrations(), (a_registration(),)),
        (ListRecords(), (a_record(),)),
        (ListLamps(), {"101": Lamp.BUSY}),
        (AddExtension("101"), NewPassword("101", "x")),
        (AddExtension("101"), None),
        (GetParams(), {"ring_timeout_s": 60}),
    ],
)
def test_result_crosses_the_wire_unchanged(asked: Command, result: Any) -> None:
    line = to_line({"result": encode(result)})
    assert decode(RESULTS[type(asked)], parse_line(line)["result"]) == result


def test_status_and_extension_cross_the_wire() -> None:
    status = FakeOffice().status()
    assert decode(type(status), encode(status)) == status
    extension = an_extension()
    assert decode(type(extension), encode(extension)) == extension


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"ask": None},
        {"ask": "Command"},
        {"ask": "Rm"},
        {"ask": ["ListCalls"]},
        {"ask": "ListCalls", "with": []},
        {"ask": "ListCalls", "with": {"x": 1}},
        {"ask": "ShowExtension"},
        {"ask": "ShowExtension", "with": {"number": 101}},
        {"ask": "ReleaseCall", "with": {"target": "x", "revision": True}},
        {"ask": "ReleaseCall", "with": {"target": "x", "revision": 1.5}},
        {"ask": "ListRecords", "with": {"since": "2026-03-02"}},
        {"ask": "ListRecords", "with": {"since": 5}},
        {"ask": "AddExtension", "with": {"number": "101", "fields": None}},
        {"ask": "AddExtension", "with": {"number": "101", "fields": {"hold": "maybe"}}},
        {"ask": "AddExtension", "with": {"number": "101", "fields": {"codecs": "PCMA"}}},
        {"ask": "AddExtension", "with": {"number": "101", "fields": {"add_rights": [1]}}},
        {"ask": "StopEngine", "with": {"drain_s": "soon"}},
    ],
)
def test_malformed_command_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        decode_command(document)


@pytest.mark.parametrize("line", [b"", b"x", b"[]", b"1", b'"a"', b"\xff\xfe", b"{", b"[" * 100_000])
def test_line_that_holds_no_object_is_refused(line: bytes) -> None:
    with pytest.raises(WireError):
        parse_line(line)


def test_refusal_keeps_its_kind_and_words() -> None:
    crossed = decode_error(encode_error(NotFoundError("there is no call 'x'", "see 'frontdesk calls'")))
    assert type(crossed) is NotFoundError
    assert str(crossed) == "there is no call 'x': see 'frontdesk calls'"


def test_failure_of_the_engine_tells_no_inner_words() -> None:
    crossed = decode_error(encode_error(KeyError("secret")))
    assert "secret" not in str(crossed)
    assert type(crossed) is RefusedError
    assert isinstance(decode_error("garbage"), WireError)
