"""The JSON documents hold the fields that scripts rely on."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.core.events import AlarmRaised, CallEnded, LampChanged
from engine.core.ids import CallId
from engine.core.views import Lamp
from engine.desk.csv_text import csv_of
from engine.desk.documents import (
    call_document,
    event_document,
    extension_document,
    operator_document,
    record_document,
    registration_document,
    status_document,
)
from engine.store.configuration import Operator, Role
from tests.unit.desk.fakes import START, FakeOffice, a_call, a_registration
from tests.unit.store.samples import a_record, an_extension


def test_call_has_the_contracts_fields() -> None:
    document = call_document(a_call(), START + timedelta(seconds=65))
    assert list(document) == [
        "id", "state", "caller", "callee", "caller_name", "callee_name", "trunk_in", "trunk_out", "service",
        "started_at", "answered_at", "duration_s", "parties", "quality", "recording",
    ]  # fmt: skip
    assert document["duration_s"] == 60
    assert document["started_at"] == "2026-01-01T00:00:00.000Z"
    assert document["parties"][0]["role"] == "caller"
    assert document["quality"] == {"mos": 4.4, "loss_percent": 0.0, "jitter_ms": 2.0}


def test_record_has_the_contracts_fields() -> None:
    assert list(record_document(a_record())) == [
        "id", "linked_id", "caller", "callee", "trunk_in", "trunk_out", "started_at", "answered_at", "ended_at",
        "duration_s", "released_by", "cause", "codec", "mos", "recording",
    ]  # fmt: skip
    assert record_document(a_record())["duration_s"] == 60


def test_registration_counts_down_and_never_below_zero() -> None:
    document = registration_document(a_registration(), START)
    assert list(document) == [
        "extension", "contact", "device", "source", "transport", "expires_in_s", "user_agent",
    ]  # fmt: skip
    assert document["expires_in_s"] == 1800
    assert registration_document(a_registration(), START + timedelta(hours=1))["expires_in_s"] == 0


def test_status_has_the_contracts_fields() -> None:
    document = status_document(FakeOffice().status())
    assert document["media"] == {"backend": "native", "sessions": 2, "realtime": True}
    assert document["listeners"] == [{"kind": "udp", "address": "127.6.0.9:5060"}]
    assert document["loop_delay_ms"] == {"p99": 1.5, "max": 9.0}
    assert {"version", "uptime_s", "pid", "calls", "registrations", "trunks"} <= set(document)


def test_configuration_documents_hold_no_secret() -> None:
    extension = extension_document(an_extension(), Lamp.IDLE, 1)
    operator = operator_document(Operator("anna", Role.VIEWER, "scrypt$x", keys=("ssh-rsa A",)))
    assert "aa" not in json.dumps(extension)
    assert "scrypt" not in json.dumps(operator)
    assert operator["password"] is True


def test_event_names_its_call_or_null() -> None:
    ended = event_document(CallEnded(START, CallId("7f3a"), a_record()))
    assert list(ended)[:3] == ["at", "event", "call"]
    assert (ended["event"], ended["call"]) == ("call.ended", "7f3a")
    assert ended["record"]["caller"] == "101"
    lamp = event_document(LampChanged(START, "101", Lamp.BUSY))
    assert (lamp["call"], lamp["lamp"]) == (None, "busy")
    assert json.dumps(event_document(AlarmRaised(START, "full")))


@pytest.mark.parametrize(
    ("caller", "told"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"), ("@SUM(A1)", "'@SUM(A1)"), ("-2+3", "'-2+3"), ("+1-cmd", "'+1-cmd"),
        ("+49301234", "+49301234"), ("*97", "*97"), ("101", "101"), ("anna", "anna"),
    ],
)  # fmt: skip
def test_what_a_caller_says_of_itself_is_no_formula(caller: str, told: str) -> None:
    record = replace(a_record(), caller=caller)
    (row,) = csv.DictReader(io.StringIO(csv_of([record])))
    assert row["caller"] == told
