"""Values to store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from engine.core.ids import CallId
from engine.core.views import CallRecord, ReleasedBy
from engine.store.bindings import StoredBinding
from engine.store.configuration import DigestSecrets, Extension

MONDAY = datetime(2026, 3, 2, 9, 30, 0, 123456, tzinfo=UTC)


def an_extension(number: str = "101", name: str | None = "Anna") -> Extension:
    return Extension(number=number, name=name, secrets=DigestSecrets("aa", "bb"))


def a_record(call: str = "c1", minutes: int = 0) -> CallRecord:
    start = MONDAY + timedelta(minutes=minutes)
    return CallRecord(
        id=CallId(call),
        linked_id=CallId(call),
        caller="101",
        callee="102",
        started_at=start,
        answered_at=start + timedelta(seconds=3),
        ended_at=start + timedelta(seconds=63),
        released_by=ReleasedBy.CALLER,
        cause="normal",
        codec="PCMA",
        mos=4.4,
    )


def a_binding(contact: str = "sip:101@127.6.0.1:5070", cseq: int = 1) -> StoredBinding:
    return StoredBinding(
        extension="101",
        contact=contact,
        call_id="x@127.6.0.1",
        cseq=cseq,
        transport="udp",
        local_host="127.6.0.9",
        local_port=5060,
        source_host="127.6.0.1",
        source_port=5070,
        expires_at=MONDAY + timedelta(hours=1),
        registered_at=MONDAY,
        instance="urn:uuid:1",
        user_agent="baresip",
        path=("<sip:edge;lr>", "<sip:core;lr>"),
    )
