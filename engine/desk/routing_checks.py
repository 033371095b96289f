"""What may be said of routes, inbound numbers and whatever they name, and the words that refuse."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.errors import NotFoundError, RefusedError
from engine.core.paths import LUA
from engine.pbx.service import service_names
from engine.store.configuration import Configuration, Extension
from engine.store.outside import ANY, InboundRule, RouteRule
from engine.store.services import Point, Trigger

if TYPE_CHECKING:
    from engine.store.rows import Rows

DEFAULT_PLAN = "default"
HIGHEST_RANK = 9999
_MOST_DIGITS = 32
_DIALLED = re.compile(r"\+?[0-9*#]{1,32}")
_ANY_NUMBER = re.compile(r"[0-9A-Za-z+*#._-]{1,32}")
_NAME = re.compile(r"\w[\w.-]{0,31}")
_TARGETS = ("trunks", "extension", "group", "service")


@dataclass(frozen=True, slots=True)
class Known:
    """What a route may name."""

    trunks: frozenset[str] = frozenset()
    extensions: Mapping[str, Extension | None] = field(default_factory=dict)
    levels: frozenset[str] = frozenset()
    schedules: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    services: frozenset[str] | None = frozenset()
    """``None`` lets any name pass."""
    codes: frozenset[str] = frozenset()
    """Numbers that lead to a service with settings of their own."""

    @classmethod
    def of(cls, rows: Rows, folder: Path) -> Known:
        """As it stands inside a transaction; ``folder`` is the state folder."""
        return cls(
            trunks=frozenset(each.name for each in rows.trunks.all()),
            extensions={each.number: each for each in rows.extensions.all()},
            levels=frozenset(each.name for each in rows.levels.all()),
            schedules=frozenset(each.name for each in rows.schedules.all()),
            groups=frozenset(each.number for each in rows.groups.all()),
            services=known_services(folder),
            codes=codes_of(rows.triggers.all()),
        )

    @classmethod
    def now(cls, configuration: Configuration, folder: Path) -> Known:
        """As it is configured."""
        return cls(
            trunks=frozenset(configuration.trunks),
            extensions=configuration.extensions,
            levels=frozenset(configuration.levels),
            schedules=frozenset(configuration.schedules),
            groups=frozenset(configuration.groups),
            services=known_services(folder),
            codes=codes_of(configuration.triggers),
        )

    def demand_trunk(self, name: str) -> None:
        if name not in self.trunks:
            raise NotFoundError(f"there is no trunk '{name}'", "see 'frontdesk trunk list'")

    def demand_extension(self, number: str | None) -> None:
        if number is not None and number not in self.extensions:
            raise NotFoundError(f"there is no extension {number}", "see 'frontdesk extension list'")

    def demand_level(self, name: str | None) -> None:
        if name is not None and name not in self.levels:
            raise NotFoundError(f"there is no level '{name}'", "see 'frontdesk level list'")

    def demand_schedule(self, name: str | None) -> None:
        if name is not None and name not in self.schedules:
            raise NotFoundError(f"there is no schedule '{name}'", "see 'frontdesk schedule list'")

    def demand_group(self, group: str | None) -> None:
        if group is not None and group not in self.groups:
            raise NotFoundError(f"there is no group {group}", "see 'frontdesk group list'")

    def demand_service(self, service: str | None) -> None:
        if service is not None and self.services is not None and service not in self.services:
            known = ", ".join(sorted(self.services)) or "none"
            raise NotFoundError(f"there is no service '{service}'", f"those that there are: {known}")

    def demand_service_or_code(self, service: str | None) -> None:
        """A service, or the number of one with its settings."""
        if service not in self.codes:
            self.demand_service(service)


def codes_of(triggers: Iterable[Trigger]) -> frozenset[str]:
    """The numbers that lead to a service in every dial plan."""
    return frozenset(
        each.number
        for each in triggers
        if each.point is Point.NUMBER and each.plan is None and not each.number.endswith("*")
    )


def known_services(folder: Path) -> frozenset[str]:
    """The services of an office: its own and those that come with Frontdesk."""
    return service_names(folder / "lua" / "services", LUA / "services")


def check_route(rule: RouteRule, known: Known, others: Iterable[RouteRule]) -> None:
    """Refuse a route that cannot be; ``others`` are those it would stand beside."""
    for _, flaw in route_flaws(rule, known, others):
        raise flaw


def route_flaws(rule: RouteRule, known: Known, others: Iterable[RouteRule]) -> Iterator[tuple[str, RefusedError]]:
    """What is wrong with a route, by field."""
    yield from _flaws(
        ("called", lambda: _check_called(rule.called, "the route")),
        ("caller", lambda: check_prefix(rule.caller)),
        ("plan", lambda: check_word(rule.plan, "plan")),
        ("strip", lambda: check_strip(rule.strip)),
        ("prepend", lambda: _check_prepend(rule.prepend)),
        ("caller_as", lambda: _check_caller_as(rule.caller_as)),
        ("level", lambda: _check_level(rule, known)),
        ("when", lambda: known.demand_schedule(rule.when)),
        ("trunks", lambda: _check_trunks(rule, known)),
        ("extension", lambda: known.demand_extension(rule.extension)),
        ("group", lambda: known.demand_group(rule.group)),
        ("service", lambda: known.demand_service_or_code(rule.service)),
        ("strip", lambda: _check_digits_are_told(rule)),
        ("called", lambda: _check_other_routes(rule, others)),
    )


def warnings_about(rule: RouteRule, known: Known, others: Iterable[RouteRule]) -> tuple[str, ...]:
    """What the maker of a route should know: numbers that it does not reach, and what it hides."""
    others = [other for other in others if other.id != rule.id and other.plan == rule.plan]
    found = []
    hidden = [each for each in known.extensions if rule.called == each]
    if hidden and rule.extension != hidden[0]:
        found.append(f"extension {hidden[0]} is hidden: who dials its number follows this route")
    inside = [each for each in known.extensions if each.startswith(rule.called) and each != rule.called]
    if inside and rule.called != ANY:
        found.append(f"extensions that begin with {rule.called} still ring when dialled: {_some(inside)}")
    if (
        rule.plan not in {each.plan for each in known.extensions.values() if each is not None}
        and not rule.is_emergency
    ):
        found.append(
            f"no extension uses the dial plan {rule.plan}: "
            f"give it to one with 'frontdesk extension set NUMBER --plan {rule.plan}'"
        )
    if rule.caller != ANY and not any(each.startswith(rule.caller) for each in known.extensions):
        found.append(f"no extension's number begins with {rule.caller}: the route waits for one")
    if _is_covered(rule, others):
        found.append(f"it is never reached: longer prefixes take every number that begins with {rule.called}")
    found += [
        f"route {other.id} is never reached any more: longer prefixes take every number "
        f"that begins with {other.called}"
        for other in others
        if rule.called[:-1] == other.called and _is_covered(other, [*others, rule])
    ]
    return tuple(found)


def check_inbound(rule: InboundRule, known: Known, others: Iterable[InboundRule]) -> None:
    """Refuse an inbound number that cannot be."""
    for _, flaw in inbound_flaws(rule, known, others):
        raise flaw


def inbound_flaws(
    rule: InboundRule, known: Known, others: Iterable[InboundRule]
) -> Iterator[tuple[str, RefusedError]]:
    """What is wrong with an inbound number, by field."""
    yield from _flaws(
        ("trunk", lambda: _check_trunk(rule.trunk, known)),
        ("called", lambda: _check_called(rule.called, "the inbound number")),
        ("when", lambda: known.demand_schedule(rule.when)),
        ("extension", lambda: _check_one_target(rule, _TARGETS[1:], "the inbound number")),
        ("extension", lambda: known.demand_extension(rule.extension)),
        ("group", lambda: known.demand_group(rule.group)),
        ("service", lambda: known.demand_service_or_code(rule.service)),
        ("called", lambda: _check_other_inbound(rule, others)),
    )


def check_prefix(text: str) -> str:
    """The beginning of a number as phones dial it, or ``*`` for any."""
    if not _DIALLED.fullmatch(text):
        raise RefusedError(f"'{text}' is no prefix", f"use up to {_MOST_DIGITS} digits, or * for any number")
    return text


def check_any_prefix(text: str) -> str:
    """The beginning of a number or name as carriers write it, or ``*`` for any."""
    if not _ANY_NUMBER.fullmatch(text):
        raise RefusedError(
            f"'{text}' is no prefix", f"use up to {_MOST_DIGITS} digits or letters, or * for any number"
        )
    return text


def check_strip(count: int) -> int:
    if not 0 <= count <= _MOST_DIGITS:
        raise RefusedError(f"{count} digits cannot be stripped", f"use 0 to {_MOST_DIGITS}")
    return count


def check_shown_number(text: str) -> str:
    """A number that the outside is shown."""
    if not _DIALLED.fullmatch(text) or len(text) < 2:
        raise RefusedError(f"'{text}' is no number to be shown", "use digits, perhaps behind +, or keep or outside")
    return text


def check_word(text: str, kind: str) -> str:
    """The name of a plan, level or schedule."""
    if not _NAME.fullmatch(text):
        raise RefusedError(
            f"'{text}' is no name of a {kind}", "use at most 32 letters, digits, dots, dashes and underscores"
        )
    return text


def check_rank(rank: int) -> int:
    if not 0 <= rank <= HIGHEST_RANK:
        raise RefusedError(
            f"the rank cannot be {rank}", f"use 0 to {HIGHEST_RANK}, the higher the more may be dialled"
        )
    return rank


def check_rate(rate: int) -> int:
    if not 0 <= rate <= 100:
        raise RefusedError(f"the rate cannot be {rate}", "use 0 to 100, per cent of the calls that are blocked")
    return rate


def check_network(text: str) -> str:
    """An address or a network in its usual spelling; an address is a network of one."""
    text = text.strip()
    try:
        network = ip_network(text, strict=False)
        is_exact = "/" not in text or str(ip_network(text)) == str(network)
    except ValueError:
        try:
            mend = f"use {ip_network(text, strict=False)}"
        except ValueError:
            mend = "use an address such as 192.0.2.7, or a network such as 192.0.2.0/24 or 2001:db8::/32"
        raise RefusedError(f"'{text}' is no network", mend) from None
    if not is_exact or network.prefixlen == 0:
        raise RefusedError(f"'{text}' is every address there is", "use a smaller network")
    return str(network)


def _flaws(*checks: tuple[str, Callable[[], object]]) -> Iterator[tuple[str, RefusedError]]:
    for name, check in checks:
        try:
            check()
        except RefusedError as error:
            yield name, error


def _check_called(called: str, what: str) -> None:
    if not called:
        raise RefusedError(f"{what} has no called prefix", "give one with --called, or * for any number")
    if what == "the route":
        check_prefix(called)
    else:
        check_any_prefix(called)


def _check_prepend(digits: str) -> None:
    if digits and not _DIALLED.fullmatch(digits):
        raise RefusedError(f"'{digits}' cannot be put before a number", f"use up to {_MOST_DIGITS} digits")


def _check_caller_as(words: str) -> None:
    if words not in ("keep", "outside"):
        check_shown_number(words)


def _check_level(rule: RouteRule, known: Known) -> None:
    if rule.level is not None:
        if rule.is_emergency:
            raise RefusedError("an emergency route needs no level", "leave the level out")
        known.demand_level(rule.level)


def _check_trunks(rule: RouteRule, known: Known) -> None:
    _check_one_target(rule, _TARGETS, "the route")
    for name in rule.trunks:
        known.demand_trunk(name)


def _check_trunk(name: str, known: Known) -> None:
    if not name:
        raise RefusedError("the inbound number has no trunk", "name one with --trunk")
    known.demand_trunk(name)


def _check_one_target(rule: RouteRule | InboundRule, targets: tuple[str, ...], what: str) -> None:
    named = [name for name in targets if getattr(rule, name)]
    if not named:
        raise RefusedError(f"{what} leads nowhere", "name where its calls go, such as --extension")
    if len(named) > 1:
        raise RefusedError(f"{what} leads to more than one place", "name one of them")


def _check_digits_are_told(rule: RouteRule) -> None:
    if not rule.trunks and (rule.strip or rule.prepend):
        raise RefusedError("strip and prepend change what a trunk is told", "leave them out, or name a trunk")


def _check_other_routes(rule: RouteRule, others: Iterable[RouteRule]) -> None:
    for other in others:
        if _prefixes(other) == _prefixes(rule) and other.id != rule.id:
            raise RefusedError(
                f"route {other.id} has the prefix {rule.called} already",
                f"change it with 'frontdesk route set {other.id}', or give this one another schedule or caller",
            )


def _check_other_inbound(rule: InboundRule, others: Iterable[InboundRule]) -> None:
    for other in others:
        if (other.trunk, other.called, other.when) == (rule.trunk, rule.called, rule.when) and other.id != rule.id:
            raise RefusedError(
                f"inbound number {other.id} has the prefix {rule.called} on this trunk already",
                f"remove it with 'frontdesk inbound remove {other.id}', or give this one another schedule",
            )


def _prefixes(rule: RouteRule) -> tuple[str, str, str, str | None]:
    return rule.called, rule.caller, rule.plan, rule.when


def _is_covered(rule: RouteRule, others: Iterable[RouteRule]) -> bool:
    """Whether longer prefixes of the same plan, at any time, take whatever digit comes next."""
    if rule.called == ANY:
        return False
    taken = {
        other.called[-1]
        for other in others
        if other.when is None
        and other.called[:-1] == rule.called
        and (other.caller == ANY or rule.caller.startswith(other.caller))
    }
    return taken >= set("0123456789")


def _some(numbers: list[str]) -> str:
    return ", ".join(sorted(numbers)[:3]) + (" …" if len(numbers) > 3 else "")
