"""Where a call from a trunk goes: by the inbound numbers, else to whose number it is; never outside again."""

from __future__ import annotations

from datetime import datetime

from engine.pbx.routing.inside import to_group, to_service
from engine.pbx.routing.route import Decision, Refused, Route, Step, ToExtension
from engine.pbx.routing.table import RoutingTable, table_of
from engine.store.configuration import Configuration
from engine.store.outside import InboundRule, Trunk


def route_inbound(
    configuration: Configuration, trunk: Trunk, dialled: str, caller: str | None, at: datetime
) -> Decision:
    """The route of a call from a trunk for a number; ``caller`` is ``None`` when it is withheld."""
    table = table_of(configuration)
    steps = [Step("from-trunk", {"trunk": trunk.name, "number": dialled, "caller": caller or ""})]
    for rule in table.inbound(trunk.name, dialled):
        if table.holds(rule.when, at):
            steps.append(Step("inbound", {"rule": rule.id, "called": rule.called, "when": rule.when or ""}))
            return Decision(_follow(table, rule, steps), tuple(steps))
        local = table.local(at)
        steps.append(Step("closed", {"rule": rule.id, "schedule": rule.when or "", "at": f"{local:%a %H:%M}"}))
    return Decision(_direct(table, dialled, steps), tuple(steps))


def _follow(table: RoutingTable, rule: InboundRule, steps: list[Step]) -> Route:
    if rule.extension is not None:
        extension = table.configuration.extensions.get(rule.extension)
        steps.append(Step("to-extension", {"number": rule.extension}))
        return Refused(404, "No Such Number") if extension is None else ToExtension(extension)
    if rule.service is not None:
        steps.append(Step("to-service", {"service": rule.service}))
        return to_service(table, None, rule.service)
    return to_group(table.configuration, rule.group or "", steps)


def _direct(table: RoutingTable, dialled: str, steps: list[Step]) -> Route:
    """The extension that the outside knows by this number, or that has it itself."""
    extension = table.extension_outside(dialled)
    if extension is not None:
        steps.append(Step("outside-number", {"number": dialled, "extension": extension.number}))
        return ToExtension(extension)
    extension = table.configuration.extensions.get(dialled)
    if extension is not None:
        steps.append(Step("extension", {"number": dialled}))
        return ToExtension(extension)
    if dialled in table.configuration.groups:
        return to_group(table.configuration, dialled, steps)
    steps.append(Step("nobody", {"number": dialled}))
    return Refused(404, "No Such Number")
