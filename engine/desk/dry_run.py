"""Where a call would go: every step of the decision, and no call."""

from __future__ import annotations

from datetime import datetime

from engine.core.errors import NotFoundError, RefusedError
from engine.desk.counter import Counter
from engine.desk.dialling import RouteStep, RouteTest, TryRoute
from engine.pbx.routing import (
    Decision,
    Refused,
    Step,
    ToExtension,
    ToService,
    ToTrunks,
    route_call,
    route_inbound,
    table_of,
)
from engine.pbx.screening import ANONYMOUS, Caller, ScreenTable, refusal_of
from engine.store.configuration import Configuration

_LONGEST = 64


async def try_route(counter: Counter, command: TryRoute) -> RouteTest:
    configuration = counter.configuration
    if not 0 < len(command.dialled) <= _LONGEST or not command.dialled.isprintable():
        raise RefusedError(f"'{command.dialled}' cannot be dialled", f"give a number of at most {_LONGEST} digits")
    at = _moment(counter, command.at)
    is_anonymous = command.trunk is not None and command.caller in (None, ANONYMOUS)
    if command.trunk is not None:
        trunk = configuration.trunks.get(command.trunk)
        if trunk is None:
            raise NotFoundError(f"there is no trunk '{command.trunk}'", "see 'frontdesk trunk list'")
        caller = None if is_anonymous else command.caller
        decision = route_inbound(configuration, trunk, command.dialled, caller, at)
    else:
        extension = configuration.extensions.get(command.caller or "")
        if extension is None:
            raise NotFoundError(f"there is no extension {command.caller}", "see 'frontdesk extension list'")
        caller = extension.number
        decision = route_call(configuration, extension, command.dialled, at)
    decision = _screened(configuration, Caller(caller, is_anonymous), command.dialled, decision)
    return _told(_limited(decision), command.dialled, caller)


def _moment(counter: Counter, text: str | None) -> datetime:
    """The moment to decide for; a time without a zone is the office's."""
    if text is None:
        return counter.clock.wall()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError(
            f"'{text}' is no time", "use one such as 2026-03-02T09:30 or 2026-03-02T09:30:00Z"
        ) from None
    if moment.tzinfo is None:
        zone = table_of(counter.configuration).zone
        moment = moment.astimezone() if zone is None else moment.replace(tzinfo=zone)
    return moment


def _screened(configuration: Configuration, caller: Caller, dialled: str, decision: Decision) -> Decision:
    """The decision after the screening list, which emergency calls never meet."""
    route = decision.route
    if isinstance(route, ToTrunks) and route.is_emergency:
        return decision
    row = ScreenTable(configuration.screening, table_of(configuration).numbering).row_for(caller, dialled)
    if row is None:
        return decision
    facts: dict[str, str | int] = {"row": row.id, "caller": row.caller, "called": row.called, "rate": row.rate}
    if row.is_white or not row.rate:
        return Decision(route, (*decision.steps, Step("screen-white", facts)))
    if row.rate < 100:
        return Decision(route, (*decision.steps, Step("screen-rate", facts)))
    return Decision(refusal_of(row), (*decision.steps, Step("screen-black", facts)))


def _limited(decision: Decision) -> Decision:
    """The decision without the trunks that may carry no call out."""
    route = decision.route
    if not isinstance(route, ToTrunks):
        return decision
    steps = [Step("trunk-forbidden", {"trunk": trunk.name}) for trunk in route.trunks if trunk.max_out == 0]
    trunks = tuple(trunk for trunk in route.trunks if trunk.max_out != 0)
    if not trunks:
        return Decision(Refused(403, "Outgoing Calls Forbidden"), (*decision.steps, *steps))
    return Decision(ToTrunks(trunks, route.number, route.caller, route.is_emergency), (*decision.steps, *steps))


def _told(decision: Decision, dialled: str, caller: str | None) -> RouteTest:
    steps = tuple(RouteStep(step.key, dict(step.values)) for step in decision.steps)
    match decision.route:
        case ToExtension(extension):
            return RouteTest("extension", extension.number, extension.number, caller, steps=steps)
        case ToService(service, group=group) if group is not None:
            return RouteTest("group", group, dialled, caller, steps=steps)
        case ToService(service):
            return RouteTest("service", service, dialled, caller, steps=steps)
        case ToTrunks(trunks, number, shown):
            names = tuple(trunk.name for trunk in trunks)
            return RouteTest("trunk", names[0], number, shown, trunks=names, steps=steps)
        case Refused(status, reason):
            told = (*steps, RouteStep("refused", {"status": status, "reason": reason}))
            return RouteTest("refused", None, dialled, caller, status, reason, steps=told)
