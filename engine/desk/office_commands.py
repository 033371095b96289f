"""Commands about the office as a whole and its live side: calls, lamps, phones, records, parameters, status."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.core.errors import NotFoundError
from engine.core.params import PARAMS, param_named, param_text
from engine.core.views import CallView, CertificateView, Lamp, LampAudit, RegistrationView
from engine.desk.commands import (
    AuditLamps,
    GetParams,
    GetStatus,
    ListCalls,
    ListLamps,
    ListRegistrations,
    ReloadCertificate,
    RemoveRegistration,
    SetParam,
    ShowCertificate,
    StatusReport,
    StopEngine,
)
from engine.desk.counter import Counter
from engine.pbx.bindings import registration_view

if TYPE_CHECKING:
    from engine.store.rows import Rows


async def list_calls(counter: Counter, command: ListCalls) -> tuple[CallView, ...]:
    return counter.office.calls() if counter.office else ()


async def list_lamps(counter: Counter, command: ListLamps) -> Mapping[str, Lamp]:
    if counter.office is not None:
        return counter.office.lamps()
    return dict.fromkeys(counter.configuration.extensions, Lamp.UNREGISTERED)


async def audit_lamps(counter: Counter, command: AuditLamps) -> LampAudit:
    return await counter.running_office().audit_lamps()


async def list_registrations(counter: Counter, command: ListRegistrations) -> tuple[RegistrationView, ...]:
    if counter.office is not None:
        return counter.office.registrations()
    now = counter.clock.wall()
    return tuple(
        registration_view(binding) for binding in counter.store.load_bindings() if binding.expires_at > now
    )


async def remove_registration(counter: Counter, command: RemoveRegistration) -> int:
    extension, contact = command.extension, command.contact
    if extension not in counter.configuration.extensions:
        raise NotFoundError(f"there is no extension {extension}", "see 'frontdesk extension list'")
    if counter.office is not None:
        return await counter.office.forget_registrations(extension, contact)

    def forget(rows: Rows) -> int:
        return rows.forget_bindings(extension, contact)

    return await asyncio.wrap_future(counter.store.submit(forget))


async def get_params(counter: Counter, command: GetParams) -> Mapping[str, Any]:
    values = counter.configuration.params
    if command.name is None:
        return {name: PARAMS[name].shown(value) if name in PARAMS else value for name, value in values.items()}
    param = param_named(command.name)
    return {param.name: param.shown(values[param.name])}


async def set_param(counter: Counter, command: SetParam) -> None:
    param = param_named(command.name)
    text = param_text(param.parse(command.value))
    await counter.change(lambda rows: rows.params.put(param.name, text), f"param {param.name}")


async def get_status(counter: Counter, command: GetStatus) -> StatusReport:
    office = counter.running_office()
    health = office.health()
    return StatusReport(
        version=health.version,
        uptime_s=round(health.uptime_s, 3),
        pid=health.pid,
        calls=len(office.calls()),
        registrations=len(office.registrations()),
        trunks=len(office.trunks()),
        media_backend=health.media_backend,
        media_sessions=health.media_sessions,
        media_is_real_time=health.media_is_real_time,
        listeners=tuple((listener.kind, listener.address) for listener in health.listeners),
        loop_delay_p99_ms=health.loop_delay_p99_ms,
        loop_delay_max_ms=health.loop_delay_max_ms,
        garbage=health.garbage,
        lamps_repaired=health.lamps_repaired,
        gc=health.gc,
        advertised=health.advertised,
    )


async def show_certificate(counter: Counter, command: ShowCertificate) -> CertificateView:
    return counter.running_office().certificate()


async def reload_certificate(counter: Counter, command: ReloadCertificate) -> CertificateView:
    return await counter.running_office().reload_certificate()


async def stop_engine(counter: Counter, command: StopEngine) -> None:
    counter.running_office().stop(max(0.0, command.drain_s))
