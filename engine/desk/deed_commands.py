"""Commands on live calls, and the audit log."""

from __future__ import annotations

import asyncio

from engine.core.audit import AuditEntry
from engine.core.errors import NotFoundError
from engine.core.ids import CallId
from engine.desk.commands import ReleaseCall, TransferCall
from engine.desk.counter import Counter
from engine.desk.deeds import ListAudit, Override, Park, PickUp, Pull, Record, Supervise
from engine.pbx.operator import Acting
from engine.pbx.rights import demand_role, has_role
from engine.store.configuration import Extension, Role
from engine.store.record_query import AuditQuery


async def release_call(counter: Counter, command: ReleaseCall) -> CallId:
    office, acting = counter.running_office(), _extension(counter, command.acting)
    if acting is None:
        demand_role(counter.asker, Role.SUPERVISOR, "release calls without a phone that has the right to")
    return await office.operator.release(command.target, command.revision, acting)


async def transfer_call(counter: Counter, command: TransferCall) -> CallId:
    office, acting = counter.running_office(), _giving(counter, command.acting)
    return await office.operator.transfer(command.target, command.number, acting, command.revision)


async def park(counter: Counter, command: Park) -> str:
    office, acting = counter.running_office(), _giving(counter, command.acting)
    return await office.operator.park(command.target, command.slot, acting, command.revision)


async def record(counter: Counter, command: Record) -> str | None:
    office, acting = counter.running_office(), _acting(counter, command.acting)
    if acting.extension is None:
        demand_role(counter.asker, Role.SUPERVISOR, "record calls without a phone that has the right to")
    return await office.operator.record(command.target, acting, command.revision)


async def supervise(counter: Counter, command: Supervise) -> CallId:
    office = counter.running_office()
    acting = _acting(counter, command.acting, command.reason)
    return await office.operator.supervise(command.deed, command.target, command.side, acting, command.revision)


async def override(counter: Counter, command: Override) -> None:
    office = counter.running_office()
    await office.operator.override(command.target, _acting(counter, command.acting, command.reason))


async def pull(counter: Counter, command: Pull) -> CallId:
    office = counter.running_office()
    return await office.operator.pull(command.target, _acting(counter, command.acting), command.revision)


async def pick_up(counter: Counter, command: PickUp) -> CallId:
    office = counter.running_office()
    return await office.operator.pick_up(command.target, _acting(counter, command.acting), command.revision)


async def list_audit(counter: Counter, command: ListAudit) -> tuple[AuditEntry, ...]:
    query = AuditQuery(command.since, command.before, command.limit, command.who, command.about, command.outcome)
    return await asyncio.wrap_future(counter.store.read(lambda rows: rows.audit(query)))


def _acting(counter: Counter, number: str | None, reason: str | None = None) -> Acting:
    return Acting(counter.asker.name, _extension(counter, number), reason)


def _extension(counter: Counter, number: str | None) -> Extension | None:
    """The extension that is named, else the operator's own; ``None`` for the owner of the office."""
    return _named(counter, number or counter.asker.extension)


def _giving(counter: Counter, number: str | None) -> Extension | None:
    """Who gives a party away: who is named, else their own phone; of a supervisor ``None``: who was called."""
    if number is None and not has_role(counter.asker, Role.SUPERVISOR):
        number = counter.asker.extension
        if number is None:
            demand_role(counter.asker, Role.SUPERVISOR, "transfer calls without a phone that has the right to")
    return _named(counter, number)


def _named(counter: Counter, number: str | None) -> Extension | None:
    """The extension that acts, by whose rights things are done: that of somebody else an administrator's alone."""
    if number is None:
        return None
    if number != counter.asker.extension:
        demand_role(counter.asker, Role.ADMIN, f"act with the phone of {number}")
    extension = counter.configuration.extensions.get(number)
    if extension is None:
        raise NotFoundError(f"there is no extension {number}", "see 'frontdesk extension list'")
    return extension
