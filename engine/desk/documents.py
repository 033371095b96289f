"""The JSON documents of the command line and the API: field names fixed, times RFC 3339 in UTC, absent is null."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from engine.core.audit import AuditEntry
from engine.core.events import Event
from engine.core.ladder import Ladder, LadderLeg, LadderMessage, StreamView
from engine.core.views import (
    CallRecord,
    CallView,
    CertificateView,
    Lamp,
    QualityView,
    RegistrationView,
    TrunkView,
)
from engine.desk.commands import StatusReport
from engine.desk.dialling import RouteTest, ScheduleView, ScreenView
from engine.sip.flow import host_port
from engine.store.configuration import Extension, Operator
from engine.store.outside import InboundRule, RouteRule, Trunk

Document = dict[str, Any]


def moment_text(moment: datetime) -> str:
    """``2026-03-02T09:30:00.123Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def call_document(call: CallView, at: datetime) -> Document:
    """A live call as ``frontdesk calls --json`` lists it."""
    return {
        "id": call.id,
        "state": call.state.value,
        "caller": call.caller,
        "callee": call.callee,
        "caller_name": call.caller_name,
        "callee_name": call.callee_name,
        "trunk_in": call.trunk_in,
        "trunk_out": call.trunk_out,
        "service": call.service,
        "started_at": moment_text(call.started_at),
        "answered_at": moment_text(call.answered_at) if call.answered_at else None,
        "duration_s": round(call.duration_s(at), 3),
        "parties": [
            {
                "extension": party.extension,
                "role": party.role.value,
                "codec": party.codec,
                "state": party.state.value,
                "quality": _quality(party.quality),
            }
            for party in call.parties
        ],
        "quality": _quality(call.quality),
        "recording": call.recording,
    }


def trunk_document(view: TrunkView) -> Document:
    """An outside line as ``frontdesk trunk list --json`` lists it."""
    return {
        "name": view.name,
        "state": view.state.value,
        "active_in": view.active_in,
        "active_out": view.active_out,
        "max_in": view.max_in,
        "max_out": view.max_out,
        "refused_in": view.refused_in,
        "refused_out": view.refused_out,
        "last_error": view.last_error,
        "last_error_at": moment_text(view.last_error_at) if view.last_error_at else None,
        "state_since": moment_text(view.state_since) if view.state_since else None,
        "server": view.server,
        "refusals": dict(view.refusals),
    }


def trunk_settings(trunk: Trunk) -> Document:
    """How an outside line is configured, without its password."""
    values = {each.name: getattr(trunk, each.name) for each in fields(trunk) if each.name != "password"}
    plain = {name: value.value if isinstance(value, Enum) else value for name, value in values.items()}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}


def certificate_document(shown: CertificateView) -> Document:
    """The TLS certificate as ``frontdesk certificate show --json`` prints it."""
    return {
        "subject": shown.subject,
        "expires_at": moment_text(shown.expires_at),
        "fingerprint": shown.fingerprint,
        "certificate": shown.certificate,
        "key": shown.key,
        "own": shown.is_own,
    }


def audit_document(entry: AuditEntry) -> Document:
    """A deed as ``frontdesk audit --json`` lists it."""
    return {
        "at": moment_text(entry.at),
        "who": entry.who,
        "as": entry.acting,
        "action": entry.action,
        "target": entry.target,
        "outcome": entry.outcome.value,
        "reason": entry.reason,
    }


def record_document(record: CallRecord) -> Document:
    """A finished call as ``frontdesk records --json`` lists it."""
    return {
        "id": record.id,
        "linked_id": record.linked_id,
        "caller": record.caller,
        "callee": record.callee,
        "trunk_in": record.trunk_in,
        "trunk_out": record.trunk_out,
        "started_at": moment_text(record.started_at),
        "answered_at": moment_text(record.answered_at) if record.answered_at else None,
        "ended_at": moment_text(record.ended_at),
        "duration_s": round(record.duration_s, 3),
        "released_by": record.released_by.value,
        "cause": record.cause,
        "codec": record.codec,
        "mos": round(record.mos, 2) if record.mos is not None else None,
        "recording": record.recording,
    }


def ladder_document(ladder: Ladder, at: datetime) -> Document:
    """A call with its SIP messages as ``frontdesk ladder --json`` prints it."""
    return {
        "call": ladder.call,
        "caller": ladder.caller,
        "callee": ladder.callee,
        "state": ladder.state.value if ladder.state else None,
        "started_at": moment_text(ladder.started_at),
        "answered_at": moment_text(ladder.answered_at) if ladder.answered_at else None,
        "ended_at": moment_text(ladder.ended_at) if ladder.ended_at else None,
        "duration_s": round(ladder.duration_s(at), 3),
        "released_by": ladder.released_by.value if ladder.released_by else None,
        "cause": ladder.cause,
        "legs": [_leg_document(leg) for leg in ladder.legs],
        "left_out": ladder.left_out,
        "messages": [_message_document(message) for message in ladder.messages],
    }


def _leg_document(leg: LadderLeg) -> Document:
    media = leg.media
    return {
        "number": leg.number,
        "name": leg.name,
        "role": leg.role.value,
        "state": leg.state.value,
        "transport": leg.transport,
        "remote": host_port(*leg.remote),
        "codec": leg.codec,
        "media": media
        and {
            "received": _stream_document(media.received),
            "sent": _stream_document(media.sent),
            "remote": host_port(*media.remote) if media.remote else None,
            "round_trip_ms": round(media.round_trip_ms, 2) if media.round_trip_ms is not None else None,
            "strangers": media.strangers,
        },
    }


def _stream_document(stream: StreamView) -> Document:
    """Where nothing came there is nothing to rate."""
    return {**_rounded(asdict(stream)), **({} if stream.packets else {"mos": None})}


def _message_document(message: LadderMessage) -> Document:
    return {
        "number": message.number,
        "at": moment_text(message.at),
        "leg": message.leg,
        "direction": "out" if message.is_sent else "in",
        "transport": message.transport,
        "local": host_port(*message.local),
        "remote": host_port(*message.remote),
        "title": message.title,
        "method": message.method,
        "sdp": message.has_sdp,
        "credentials": message.has_credentials,
        "resent": message.is_resent,
        "text": message.data.decode("utf-8", "backslashreplace"),
    }


def registration_document(phone: RegistrationView, at: datetime) -> Document:
    """A registered phone as ``frontdesk registration list --json`` lists it."""
    return {
        "extension": phone.extension,
        "contact": phone.contact,
        "device": phone.device,
        "source": phone.source,
        "transport": phone.transport,
        "expires_in_s": max(0, round((phone.expires_at - at).total_seconds())),
        "user_agent": phone.user_agent,
    }


def extension_document(extension: Extension, lamp: Lamp, devices: int) -> Document:
    """An extension without anything secret; ``devices`` are its registered phones."""
    return {
        "number": extension.number,
        "name": extension.name,
        "multi_device": extension.multi_device,
        "max_devices": extension.max_devices,
        "max_calls": extension.max_calls,
        "rights": sorted(extension.rights),
        "reliable_provisional": extension.reliable_provisional.value,
        "hold": extension.hold.value,
        "codecs": list(extension.codecs),
        "email": extension.email,
        "level": extension.level,
        "max_out": extension.max_out,
        "outside_number": extension.outside_number,
        "plan": extension.plan,
        "from_network": extension.from_network,
        "forward_always": extension.forward_always,
        "forward_busy": extension.forward_busy,
        "forward_no_answer": extension.forward_no_answer,
        "forward_unreachable": extension.forward_unreachable,
        "dnd": extension.dnd,
        "lamp": lamp.value,
        "devices": devices,
    }


def operator_document(operator: Operator) -> Document:
    """An operator; of the password only whether there is one."""
    return {
        "login": operator.login,
        "role": operator.role.value,
        "extension": operator.extension,
        "password": operator.password_hash is not None,
        "keys": list(operator.keys),
    }


def status_document(status: StatusReport) -> Document:
    """What ``frontdesk status --json`` prints."""
    return {
        "version": status.version,
        "uptime_s": round(status.uptime_s, 3),
        "pid": status.pid,
        "calls": status.calls,
        "registrations": status.registrations,
        "trunks": status.trunks,
        "media": {
            "backend": status.media_backend,
            "sessions": status.media_sessions,
            "realtime": status.media_is_real_time,
        },
        "listeners": [{"kind": kind, "address": address} for kind, address in status.listeners],
        "loop_delay_ms": {"p99": status.loop_delay_p99_ms, "max": status.loop_delay_max_ms},
        "garbage": status.garbage,
        "lamps_repaired": status.lamps_repaired,
        "gc": dict(status.gc),
        "advertised": list(status.advertised),
    }


def event_document(event: Event) -> Document:
    """An event as ``frontdesk watch`` prints it: ``at``, ``event``, ``call`` or null, and what is its own."""
    rest = {field.name: _plain(getattr(event, field.name)) for field in fields(event) if field.name != "at"}
    return {"at": moment_text(event.at), "event": event.name, "call": rest.pop("call", None), **rest}


def _quality(quality: QualityView | None) -> Document | None:
    if quality is None:
        return None
    return _rounded(asdict(quality))


def _rounded(figures: Document) -> Document:
    return {name: round(value, 2) for name, value in figures.items()}


def _plain(value: Any) -> Any:
    match value:
        case CallRecord():
            return record_document(value)
        case datetime():
            return moment_text(value)
        case Enum():
            return value.value
        case Mapping():
            return {str(key): _plain(inner) for key, inner in value.items()}
        case tuple() | list() | frozenset():
            return [_plain(inner) for inner in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value


def route_document(rule: RouteRule) -> Document:
    """A route as ``frontdesk route list --json`` lists it."""
    return {
        "id": rule.id,
        "called": rule.called,
        "caller": rule.caller,
        "plan": rule.plan,
        "strip": rule.strip,
        "prepend": rule.prepend,
        "caller_as": rule.caller_as,
        "level": rule.level,
        "when": rule.when,
        "emergency": rule.is_emergency,
        "trunks": list(rule.trunks),
        "extension": rule.extension,
        "group": rule.group,
        "service": rule.service,
    }


def inbound_document(rule: InboundRule) -> Document:
    """An inbound number as ``frontdesk inbound list --json`` lists it."""
    return {
        "id": rule.id,
        "trunk": rule.trunk,
        "called": rule.called,
        "extension": rule.extension,
        "group": rule.group,
        "service": rule.service,
        "when": rule.when,
    }


def screen_document(view: ScreenView) -> Document:
    """A screening row as ``frontdesk screen list --json`` lists it."""
    row = view.row
    return {
        "id": row.id,
        "caller": row.caller,
        "called": row.called,
        "rate": row.rate,
        "white": row.is_white,
        "hits": view.hits,
    }


def schedule_document(view: ScheduleView) -> Document:
    """A schedule as ``frontdesk schedule list --json`` lists it."""
    schedule = view.schedule
    return {
        "name": schedule.name,
        "when": schedule.when,
        "holidays": list(schedule.holidays),
        "holds": view.holds,
    }


def route_test_document(test: RouteTest, steps: Sequence[str]) -> Document:
    """Where a call would go as ``frontdesk route test --json`` tells it; ``steps`` in words."""
    return {
        "outcome": test.outcome,
        "target": test.target,
        "number": test.number,
        "caller": test.caller,
        "status": test.status,
        "reason": test.reason,
        "trunks": list(test.trunks),
        "steps": list(steps),
    }
