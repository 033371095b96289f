"""Services and groups as places where a call goes."""

from __future__ import annotations

from engine.pbx.routing.route import Refused, Route, Step, ToService
from engine.pbx.routing.table import RoutingTable
from engine.store.configuration import Configuration
from engine.store.services import Group, GroupKind

_SERVICES = {GroupKind.RING: "ring_group", GroupKind.HUNT: "hunt_group"}


def to_group(configuration: Configuration, number: str, steps: list[Step]) -> Route:
    """A group by its number; nobody calls one that is for pickup alone."""
    group = configuration.groups.get(number)
    if group is None or group.kind is GroupKind.PICKUP:
        steps.append(Step("no-group", {"number": number}))
        return Refused(404, "No Such Group")
    steps.append(Step("to-group", {"number": number, "kind": group.kind.value}))
    return service_of_group(group)


def to_service(table: RoutingTable, plan: str | None, name: str) -> Route:
    """A service by its name, or by a number that gives it settings."""
    if name[:1].isalpha():
        return ToService(name)
    found = table.code(plan or "", name)
    if found is None:
        return Refused(404, "No Such Service")
    trigger, argument = found
    return ToService(trigger.service, argument, trigger.settings)


def service_of_group(group: Group) -> ToService:
    """The service that rings a group."""
    return ToService(_SERVICES[group.kind], group.number, group=group.number)
