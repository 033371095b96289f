"""Where a number goes that an extension dials.

The rule with the longest called prefix wins, then the one with the longest caller prefix. An extension, or the code
of a service, is a match of its whole number, so that only a rule which names all of it comes before. What nothing
matches goes outside by the prefix. Rules for emergency calls hold in every plan, with the prefix and without.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from engine.pbx.routing.inside import to_group, to_service
from engine.pbx.routing.route import Decision, Refused, Route, Step, ToExtension, ToService, ToTrunks
from engine.pbx.routing.table import RoutingTable, table_of
from engine.store.configuration import Configuration, Extension
from engine.store.outside import RouteRule, Trunk
from engine.store.services import GroupKind

_CODES = {"code_echo_test": "echo"}
"""The site parameter that holds a code, and the service behind it."""


def route_call(configuration: Configuration, caller: Extension, dialled: str, at: datetime) -> Decision:
    """The route of a number that an extension dials at a moment (aware), and the steps that led there."""
    steps: list[Step] = [Step("dialled", {"number": dialled, "caller": caller.number, "plan": caller.plan})]
    table = table_of(configuration)
    number = table.numbering.as_dialled(dialled)
    if number != dialled:
        steps.append(Step("written", {"number": dialled, "as": number}))
    rule = _emergency_rule(table, caller, number, at, steps)
    if rule is not None:
        return Decision(_follow(table, rule, caller, rule.called, steps), tuple(steps))
    rule = _rule(table, caller, number, at, steps)
    if rule is None or rule.called != number:
        inside = _inside(configuration, caller, number, steps)
        if inside is not None:
            return Decision(inside, tuple(steps))
    if rule is not None:
        return Decision(_follow(table, rule, caller, number, steps), tuple(steps))
    return Decision(_outside(table, caller, number, steps), tuple(steps))


def _emergency_rule(
    table: RoutingTable, caller: Extension, number: str, at: datetime, steps: list[Step]
) -> RouteRule | None:
    """The rule for an emergency number that was dialled with the outside prefix all the same."""
    prefix = table.numbering.outside
    if not prefix or not table.has_emergency or not number.startswith(prefix):
        return None
    for rule in table.emergency_rules(number[len(prefix) :], caller.number):
        if table.holds(rule.when, at):
            steps.append(Step("without-prefix", {"prefix": prefix, "number": rule.called}))
            steps.append(Step("rule", _facts(rule)))
            return rule
    return None


def _rule(table: RoutingTable, caller: Extension, number: str, at: datetime, steps: list[Step]) -> RouteRule | None:
    for callers in table.plan(caller.plan).matches(number):
        for rule in callers.matches(caller.number):
            if table.holds(rule.when, at):
                steps.append(Step("rule", _facts(rule)))
                return rule
            local = table.local(at)
            steps.append(Step("closed", {"rule": rule.id, "schedule": rule.when or "", "at": f"{local:%a %H:%M}"}))
    return None


def _inside(configuration: Configuration, caller: Extension, number: str, steps: list[Step]) -> Route | None:
    """The extension or the service that has this very number."""
    if number == caller.number:
        steps.append(Step("own-number", {"number": number}))
        return Refused(486, "Own Number")
    extension = configuration.extensions.get(number)
    if extension is not None:
        steps.append(Step("extension", {"number": number}))
        return ToExtension(extension)
    group = configuration.groups.get(number)
    if group is not None and group.kind is not GroupKind.PICKUP:
        return to_group(configuration, number, steps)
    found = table_of(configuration).code(caller.plan, number)
    if found is not None:
        trigger, argument = found
        steps.append(Step("code", {"number": trigger.number, "service": trigger.service}))
        return ToService(trigger.service, argument, trigger.settings)
    for param, service in _CODES.items():
        if configuration.params[param] == number:
            steps.append(Step("code", {"number": number, "service": service}))
            return ToService(service)
    return None


def _follow(table: RoutingTable, rule: RouteRule, caller: Extension, number: str, steps: list[Step]) -> Route:
    """Where a rule leads, when the caller may go there."""
    if rule.is_emergency:
        steps.append(Step("emergency", {"number": number}))
    elif not table.has_level(caller, rule.level):
        steps.append(Step("level-lacking", {"level": rule.level or "", "own": caller.level or ""}))
        return Refused(403, f"Call Level {(rule.level or '').title()} Needed")
    elif rule.level is not None:
        steps.append(Step("level", {"level": rule.level, "own": caller.level or ""}))
    configuration = table.configuration
    if rule.extension is not None:
        extension = configuration.extensions.get(rule.extension)
        steps.append(Step("to-extension", {"number": rule.extension}))
        return Refused(404, "No Such Number") if extension is None else ToExtension(extension)
    if rule.service is not None:
        steps.append(Step("to-service", {"service": rule.service}))
        return to_service(table, caller.plan, rule.service)
    if rule.group is not None:
        return to_group(configuration, rule.group, steps)
    changed = rule.prepend + number[rule.strip :]
    if changed != number:
        steps.append(Step("called-becomes", {"strip": rule.strip, "prepend": rule.prepend, "number": changed}))
    trunks = tuple(configuration.trunks[name] for name in rule.trunks if name in configuration.trunks)
    return _over(table, trunks, changed, _caller_as(rule.caller_as, caller), rule.is_emergency, steps)


def _outside(table: RoutingTable, caller: Extension, number: str, steps: list[Step]) -> Route:
    """What no rule and nobody inside has: by the outside prefix over the trunks in order."""
    prefix, trunks = table.numbering.outside, tuple(table.configuration.trunks.values())
    if prefix is None or not trunks or not number.startswith(prefix) or number == prefix:
        steps.append(Step("nobody", {"number": number}))
        return Refused(404, "No Such Number")
    outside = number[len(prefix) :]
    steps.append(Step("prefix", {"prefix": prefix, "number": outside}))
    return _over(table, trunks, outside, _caller_as("outside", caller), False, steps)


def _over(
    table: RoutingTable,
    trunks: tuple[Trunk, ...],
    number: str,
    shown: str,
    is_emergency: bool,
    steps: list[Step],
) -> Route:
    if not number:
        steps.append(Step("nothing-left", {}))
        return Refused(484, "Number Incomplete")
    if not trunks:
        steps.append(Step("no-trunk", {}))
        return Refused(503, "No Outside Line")
    number = number if is_emergency else table.numbering.for_trunk(number)
    shown = table.numbering.for_trunk(shown)
    steps.append(Step("shown", {"caller": shown}))
    steps.append(Step("to-trunks", {"trunks": ", ".join([trunk.name for trunk in trunks]), "number": number}))
    return ToTrunks(trunks, number, shown, is_emergency)


def _caller_as(words: str, caller: Extension) -> str:
    """The number that the outside is shown of a caller."""
    if words == "keep":
        return caller.number
    return caller.outside_number or caller.number if words == "outside" else words


def _facts(rule: RouteRule) -> Mapping[str, str | int]:
    return {"rule": rule.id, "called": rule.called, "caller": rule.caller, "when": rule.when or ""}
